"""What callbacks are told: the account of what begins, and of each iteration."""

import dataclasses
from collections.abc import Callable
from typing import Any

from onelayer.losses import Loss
from onelayer.parameters import Parameters
from onelayer.penalties import Penalty
from onelayer.result import Record
from onelayer.solvers.base import Solver

__all__ = ["Iterate", "Start"]


@dataclasses.dataclass(frozen=True)
class Start:
    """What callbacks are told before the first iteration.

    Attributes
    ----------
    estimator : estimator or None
        The one that is about to be fitted, for its parameters; None where there is none.
    solver : Solver
    loss : Loss
    penalty : Penalty
    rows, features, outputs : int
        Shape of the objective: rows of X, columns of X as the solver sees it, rows of W.
    tol : float
    max_iter, time_limit : int, float or None
    steps : int or None
        How many iterations were asked for, where that is known.
    device, dtype : str
        Where and in which arithmetic the work is done.
    """

    estimator: Any
    solver: Solver
    loss: Loss
    penalty: Penalty
    rows: int
    features: int
    outputs: int
    tol: float
    max_iter: int | None
    time_limit: float | None
    steps: int | None
    device: str
    dtype: str


@dataclasses.dataclass(frozen=True)
class Iterate:
    """What callbacks see after each iteration.

    Attributes
    ----------
    record : Record
        Callbacks may add to its `metrics`.
    parameters : Parameters
        Of the solver, that is before any standardisation is undone.
    steps : int or None
        How many iterations were asked for, where that is known.
    estimator : callable
        Returns the fitted estimator that these parameters make (None where there is no estimator).
    keep : callable
        Asks the fit to return these parameters in the end, whatever comes later; who asks last is heard.
    """

    record: Record
    parameters: Parameters
    steps: int | None
    estimator: Callable | None
    keep: Callable
