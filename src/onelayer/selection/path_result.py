"""What a path leaves behind."""

import copy
import dataclasses
import operator
from typing import Any

import numpy as np
import torch

from onelayer.certificates import Certificate
from onelayer.errors import ParameterError
from onelayer.result import Result
from onelayer.selection.held_out import scores_of
from onelayer.selection.scoring import Scorer
from onelayer.selection.storage import Storage

__all__ = ["PathPoint", "PathResult"]


@dataclasses.dataclass(frozen=True)
class PathPoint:
    """One fit of a path.

    Attributes
    ----------
    alpha, C : float
        Its strength in both conventions, alpha = 1/(C S).
    result : Result
    certificate : Certificate or None
    """

    alpha: float
    C: float
    result: Result
    certificate: Certificate | None


class PathResult:
    """The fits of :func:`onelayer.path`, in the order of the grid.

    Attributes
    ----------
    alphas, Cs : array of shape (n_points,)
        The strengths in both conventions.
    coef : array of shape (n_points, …)
        The coefficients of each fit as its estimator has them; mapped from a file where they are large.
    intercept : array of shape (n_points, …)
    objective, gap, relative_gap : array of shape (n_points,)
        P, and the proven bound on its distance from the optimum; NaN where nothing is proven.
    passes, seconds : array of shape (n_points,)
        What each fit cost beyond those before it.
    n_iter : array of shape (n_points,)
    points : list of PathPoint
        With the whole account of each fit.
    asked : int
        Points of the grid; fewer were reached where time ran out.
    total_seconds : float
        Of everything, reading included.
    """

    def __init__(self, problem, grid, coef_file=None, Cs=None):
        # As they were given: the inverse of an inverse may be another number.
        self._Cs = Cs or [1 / (alpha * problem.total_weight) for alpha in grid]
        self._store = Storage((len(grid),), coef_file)
        # An estimator with all but coefficients; not the problem, which holds X.
        self._template: Any = None
        self.strength = problem.strength
        self._found: dict[int, PathPoint] = {}
        self.asked = len(grid)
        self.points: list[PathPoint] = []

    def _add(self, problem, place, alpha, outcome):
        point = PathPoint(alpha, self._Cs[place], outcome.result, outcome.certificate)
        self._template = problem.fitted(alpha, outcome.parameters)
        self._store.add(place, self._template)
        self._found[place] = point

    def _close(self, seconds):
        self.total_seconds = seconds
        kept = sorted(self._found)
        self.points = [self._found[place] for place in kept]
        store, whole = self._store, len(kept) == self.asked
        store.finish()
        self.coef, self.intercept = (part if whole else part[kept] for part in (store.coef, store.intercept))

    # ---- read ---------------------------------------------------------------------------------------------------

    def __len__(self):
        return len(self.points)

    @property
    def alphas(self):
        """α of each point."""
        return np.array([point.alpha for point in self.points])

    @property
    def Cs(self):
        """C of each point."""
        return np.array([point.C for point in self.points])

    @property
    def objective(self):
        """P of each point."""
        return np.array([point.result.objective for point in self.points])

    @property
    def gap(self):
        """The proven bound on P − min P of each point; NaN where nothing is proven."""
        return np.array(
            [np.nan if point.certificate is None else point.certificate.gap for point in self.points]
        )

    @property
    def relative_gap(self):
        """The same, relative to P."""
        return np.array(
            [np.nan if point.certificate is None else point.certificate.relative_gap for point in self.points]
        )

    @property
    def passes(self):
        """Work of each point in full gradients."""
        return np.array([point.result.passes for point in self.points])

    @property
    def seconds(self):
        """Time of each point."""
        return np.array([point.result.seconds for point in self.points])

    @property
    def n_iter(self):
        """Iterations of each point."""
        return np.array([point.result.n_iter for point in self.points])

    def __getitem__(self, index):
        return self.estimator(index)

    def __iter__(self):
        return (self.estimator(index) for index in range(len(self)))

    def estimator(self, index):
        """Return the fitted estimator of one point, as ``fit`` at its strength would leave it; also ``path[index]``."""
        try:
            point = self.points[operator.index(index)]
        except (IndexError, TypeError) as error:
            raise ParameterError(f"index is {index!r}: the path has points 0 to {len(self) - 1}.") from error
        model = copy.copy(self._template)
        setattr(model, self.strength, point.C if self.strength == "C" else point.alpha)
        model.objective_record_ = {**model.objective_record_, "alpha": point.alpha}
        weight, bias = np.array(self.coef[index]), np.array(self.intercept[index])
        if isinstance(model.coef_, torch.Tensor):
            weight, bias = (torch.as_tensor(part, device=model.coef_.device) for part in (weight, bias))
        elif not bias.ndim:
            bias = bias[()]
        model.coef_, model.intercept_ = weight, bias
        model.result_, model.certificate_ = point.result, point.certificate
        model.n_iter_ = point.result.n_iter
        return model

    def scores(self, X, y=None, *, scoring=None, sample_weight=None):
        """Return the score of each point on other data.

        Parameters
        ----------
        X, y
            As for ``score``.
        scoring : str or callable, optional
            As in scikit-learn; default: the estimator's own score (accuracy or R²).
        sample_weight : array-like of shape (n_samples,), optional
            Of the rows.

        Returns
        -------
        array of shape (n_points,)
        """
        scorer = Scorer(scoring, self._template)
        return np.array(scores_of(scorer, list(self), X, y, sample_weight))

    def plot(self, ax=None):
        """Draw the coefficients along the path; returns a :class:`onelayer.plots.PathDisplay`."""
        from onelayer.plots import PathDisplay

        return PathDisplay.from_path(self).plot(ax)

    def __repr__(self):
        if not self.points:
            return "PathResult(no points)"
        proven = self.relative_gap[~np.isnan(self.relative_gap)]
        told = f"largest relative gap {proven.max():.1g}" if len(proven) else "nothing proven"
        return f"PathResult({len(self)} points, C from {self.Cs.min():.3g} to {self.Cs.max():.3g}, {told})"
