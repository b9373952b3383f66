"""What "auto" would do, told without doing it."""

import dataclasses

from onelayer.solvers import Solver
from onelayer.solvers.choose import automatic, resolve_solver

__all__ = ["Choice", "choose_solver"]


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which solver a fit would use, and why.

    Attributes
    ----------
    solver : Solver
    reasons : tuple of str
        Why it, and how it would go about these data.
    """

    solver: Solver
    reasons: tuple[str, ...]

    @property
    def name(self):
        """The solver's name, as in ``solver=name``."""
        return self.solver.name

    def __str__(self):
        return f"{self.name}: {'; '.join(self.reasons)}."


def choose_solver(est, X, y=None, sample_weight=None):
    """Return which solver ``est.fit(X, y)`` would use, with reasons; nothing is fitted.

    Parameters
    ----------
    est : estimator
        LinearRegression, LogisticRegression or SoftmaxRegression; it is left as it is.
    X, y, sample_weight
        As for ``fit``; a stream is read once.

    Returns
    -------
    Choice

    Raises
    ------
    DataError, ParameterError, SolverError
        As ``fit`` would.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("iris")
    >>> print(ol.choose_solver(ol.SoftmaxRegression(), data.X, data.y))
    newton: Newton's method ends at the optimum, and its last step is the proof; ...
    """
    objective = est.objective(X, y, sample_weight)
    loss, penalty = objective.loss, objective.penalty
    solver = resolve_solver(est.solver, loss, penalty, objective.design)
    if est.solver == "auto":
        why = automatic(loss, penalty, objective.design).reason
    else:
        why = f"solver={est.solver!r} asks for it"
    return Choice(solver, (why, *solver.explain(objective)))
