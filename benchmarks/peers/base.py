"""What the contestants have in common."""

import abc
import dataclasses
import os
from typing import Any, ClassVar

__all__ = ["DIRECT", "MANY", "NOTHING", "TIGHT", "WIDE", "Fitted", "Peer", "label", "legs", "threads"]

# Tolerances on float32 data (what is tighter no gradient in float32 can meet) and on a float64 copy.
TIGHT = tuple(10.0**-k for k in range(1, 9))
WIDE = tuple(10.0**-k for k in range(1, 13))
# Limits for methods whose tolerance is not met in time.
ITERATIONS = (30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
# What stands for no limit, and for no tolerance.
MANY, NOTHING = 1_000_000, 1e-30
# The ladder of a direct method, which has no tolerance.
DIRECT = [[{}], [{"dtype": "float64"}]]


@dataclasses.dataclass
class Fitted:
    """What a fit leaves behind: W of shape (outputs, features), b of shape (outputs,), and plain facts."""

    coef: Any
    intercept: Any
    info: dict = dataclasses.field(default_factory=dict)


class Peer(abc.ABC):
    """A contestant: one library with one solver.

    Libraries are imported in `fit`, never at the top of a module: a run measures memory in a process that holds
    nothing but its contestant.
    """

    name: str
    """As in the table."""
    module: ClassVar[str]
    """What has to be importable."""
    distribution: ClassVar[str]
    """What pip calls it."""
    losses: frozenset
    unpenalised: bool = True
    """Whether it can do alpha = 0."""
    penalised: bool = True
    """Whether it can do alpha > 0."""
    sparse: bool = False
    """Whether it takes a CSR matrix as it is."""
    devices: tuple = ("cpu",)
    note: str = ""
    """What a reader of the table has to know about its conventions."""

    def takes(self, task, device):
        """Whether it can minimise this very objective there."""
        return (
            task.loss in self.losses
            and (self.penalised if task.alpha else self.unpenalised)
            and device in self.devices
            and (self.sparse or not task.sparse)
        )

    @abc.abstractmethod
    def ladder(self, task):
        """Return lists of settings, each from coarse to tight: first as the data are, then on a float64 copy."""

    @abc.abstractmethod
    def fit(self, task, X, y, setting):
        """Minimise the task's objective on X (n, d) and y (n,) and return a Fitted."""


def legs(tolerances, wide=()):
    """Return a ladder: tolerances, iteration limits, and tolerances on a float64 copy (which the fit's time includes)."""
    first = [{"tol": tol} for tol in tolerances]
    second = [{"max_iter": limit} for limit in ITERATIONS]
    third = [{"tol": tol, "dtype": "float64"} for tol in wide]
    return [leg for leg in (first, second, third) if leg]


def label(setting):
    """Return a setting in words for tables and progress."""
    words = []
    for key, value in setting.items():
        words.append(f"tol {value:.0e}" if key == "tol" else value if key == "dtype" else f"{key} {value}")
    return ", ".join(words) or "as it comes"


def threads():
    """Return the number of threads that a run may use; for libraries that do not read OMP_NUM_THREADS."""
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
