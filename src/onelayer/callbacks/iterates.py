"""The way that a fit went through the space of its parameters."""

import numpy as np
import torch

from onelayer.callbacks.base import Callback
from onelayer.errors import ParameterError

__all__ = ["Iterates"]


class Iterates(Callback):
    """Keeps W and b of the iterations, for surfaces with the way of a fit on them.

    The first and the last iteration are always kept. Where there are more than `most`, every other one is dropped and
    from then on only every second one is kept, and so on: what is kept is spread evenly. That takes at most
    ``8 * most * n_parameters`` bytes.

    The numbers are the solver's own: with ``standardize=True`` those of the standardised features, as in
    ``estimator.objective(X, y)``. With ``n_init`` they are those of the last start.

    Parameters
    ----------
    most : int, default 1000
        At least 2.

    Attributes
    ----------
    parameters : array of shape (kept, n_parameters)
        W row by row, then b, in float64; b is there (and stays 0) without an intercept too.
    iterations : array of shape (kept,)
        Which iteration each row is; 0 is the start.
    objectives : array of shape (kept,)
        P(W, b) at each row.

    Raises
    ------
    ParameterError
        If `most` is no whole number of at least 2.

    Examples
    --------
    >>> import onelayer as ol
    >>> path = ol.callbacks.Iterates()
    >>> solver = ol.solvers.GradientDescent(0.1, steps=3)
    >>> model = ol.LinearRegression(solver=solver, tol=0).set_callbacks(path)
    >>> model = model.fit([[1.0], [2.0]], [1.0, 3.0])
    >>> path.parameters.shape, path.iterations
    ((4, 2), array([0, 1, 2, 3]))
    >>> path.parameters[-1] == [model.coef_[0], model.intercept_]
    array([ True,  True])
    """

    def __init__(self, most=1000):
        if not (isinstance(most, int | np.integer) and most >= 2):
            raise ParameterError(
                f"most is {most!r}: give a whole number of at least 2, the first and the last."
            )
        self.most = int(most)
        self._kept, self._stride = [], 1

    def __repr__(self):
        return f"Iterates(most={self.most})"

    def __len__(self):
        return len(self._kept)

    def on_fit_begin(self, start):
        del start
        self._kept, self._stride = [], 1

    def on_iteration(self, iterate):
        iteration = iterate.record.iteration
        if self._kept and self._kept[-1][0] % self._stride:
            # Kept only while it was the last one.
            self._kept.pop()
        flat = iterate.parameters.flat.detach().to("cpu", torch.float64, copy=True).numpy()
        self._kept.append((iteration, iterate.record.objective, flat))
        while len(self._kept) > self.most:
            self._stride *= 2
            self._kept = [kept for kept in self._kept if kept[0] % self._stride == 0 or kept[0] == iteration]

    @property
    def parameters(self):
        return np.stack([flat for _, _, flat in self._kept]) if self._kept else np.empty((0, 0))

    @property
    def iterations(self):
        return np.array([iteration for iteration, _, _ in self._kept], dtype=int)

    @property
    def objectives(self):
        return np.array([objective for _, objective, _ in self._kept], dtype=float)
