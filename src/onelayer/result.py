"""What a fit leaves behind: a named outcome, a sentence for people, and one plain record per iteration.

Printing, progress bars, plots and benchmarks all read these records; none of them is known here.
"""

import dataclasses
import enum

__all__ = ["Record", "Result", "Status"]


class Status(str, enum.Enum):  # noqa: UP042
    """How a fit ended.

    A ``str`` enum (not ``StrEnum``: its members must survive skops and JSON as plain strings), so
    ``result.status == "converged"`` works.
    """

    CONVERGED = "converged"
    """The certified relative gap is at most ``tol``."""
    FINISHED = "finished"
    """All the steps that were asked for were made; the gap reached is reported."""
    MAX_ITER = "max_iter"
    """``max_iter`` was reached before ``tol``."""
    TIME_LIMIT = "time_limit"
    """``time_limit`` was reached before ``tol``."""
    STALLED = "stalled"
    """No step lowers the objective any more in this arithmetic, or no certificate exists to stop by."""
    DIVERGED = "diverged"
    """The objective left the finite numbers, or ended far above its start."""
    SEPARATED = "separated"
    """Without a penalty the data are separated: the optimum lies at infinity."""
    INTERRUPTED = "interrupted"
    """Stopped by the user; the best iterate is kept."""

    def __str__(self):
        return self.value

    @property
    def is_success(self):
        """Whether the fit did what was asked of it."""
        return self in (Status.CONVERGED, Status.FINISHED)


@dataclasses.dataclass
class Record:
    """One iteration, as plain numbers.

    Attributes
    ----------
    iteration : int
        0 is the start. For SGD one iteration is one epoch.
    seconds, passes : float
        Since the start of the fit; a *pass* is the work of one full gradient.
    objective : float
        P(W, b): mean loss plus penalty, summed in float64.
    gradient_norm : float or None
        Largest absolute entry of the gradient (of the proximal gradient where the penalty has an L1 part).
    relative_gap : float or None
        The certified bound, where one was computed at this iterate.
    step : float or None
        Step length or learning rate that led here.
    metrics : dict
        What callbacks measured here, for example ``test_accuracy``.
    """

    iteration: int
    seconds: float
    passes: float
    objective: float
    gradient_norm: float | None = None
    relative_gap: float | None = None
    step: float | None = None
    metrics: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Result:
    """The account of a fit, kept as ``est.result_``.

    Attributes
    ----------
    status : Status
        The kind of outcome.
    message : str
        What happened, measured, and what to do next.
    objective : float
        P(W, b) at the returned coefficients.
    passes, seconds : float
        What it cost.
    n_iter : int
        Iterations of the solver (epochs for SGD).
    trace : list of Record
        One record per iteration, the start included.
    solver, settings, device, dtype : str
        What did the work, with which settings, where, and in which arithmetic.
    copies : list of str
        Each copy or conversion of the data that was made on the way, in words.
    starts : list of float
        The objective that each start ended with (``n_init`` of them, unless one was proven optimal).
    reads : float
        How often a stream was read, the first time and the proof included; 0 for data in memory.
    shards : list of int
        How many rows each process held.
    """

    status: Status
    message: str
    objective: float
    passes: float
    seconds: float
    n_iter: int
    trace: list[Record]
    solver: str
    settings: str = ""
    device: str = "cpu"
    dtype: str = "float32"
    copies: list[str] = dataclasses.field(default_factory=list)
    starts: list[float] = dataclasses.field(default_factory=list)
    reads: float = 0.0
    shards: list[int] = dataclasses.field(default_factory=list)

    def to_dict(self):
        """Return the account as JSON-ready builtins (non-finite numbers stay floats)."""
        return {**dataclasses.asdict(self), "status": self.status.value}

    @classmethod
    def from_dict(cls, values):
        """Rebuild what :meth:`to_dict` returned."""
        result = cls(**values)
        result.status = Status(values["status"])
        result.trace = [Record(**record) for record in values["trace"]]
        return result
