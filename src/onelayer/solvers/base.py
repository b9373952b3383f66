"""What a solver is: two verbs on an objective, and what it can and cannot handle."""

import abc
import dataclasses
import math
import numbers
from typing import ClassVar

from onelayer.certificates import Certificate, Tilt
from onelayer.errors import ParameterError, SolverError
from onelayer.objective import Point
from onelayer.parameters import Parameters
from onelayer.result import Status
from onelayer.settings import Settings

__all__ = ["Solver", "State", "check_count", "check_rate"]


@dataclasses.dataclass
class State:
    """Where a solver stands. Solvers add their own fields by subclassing.

    Attributes
    ----------
    parameters : Parameters
    value : float
        P there.
    gradient : Parameters or None
        Of the smooth part of P there; None from a solver that expects a proof to make it superfluous.
    step : float or None
        Step length that led here.
    halt : (Status, str) or None
        Why the solver cannot go on, if it cannot.
    point : Point or None
        Scores and residual there, from solvers that keep them.
    tilt : Tilt or None
        The Newton step that led here, from solvers that make one: certificates are made of it.
    proof : Certificate or None
        Of these parameters as they will be returned, from solvers whose steps prove something by themselves.
    """

    parameters: Parameters
    value: float
    gradient: Parameters | None
    step: float | None = None
    halt: tuple[Status, str] | None = None
    point: Point | None = None
    tilt: Tilt | None = None
    proof: Certificate | None = None


class Solver(Settings, abc.ABC):
    """An algorithm that lowers an objective step by step.

    Final classes give `name`, `init` and `step`, and declare what they need. A solver object holds settings only and
    can be used for any number of fits.

    Attributes
    ----------
    name : str
        As in ``solver="name"``.
    approximate : bool
        Whether it is asked to run so many steps (status FINISHED) rather than to reach the optimum.
    needs_smooth_loss, handles_l1 : bool
        What it can minimise.
    draws : bool
        Whether it uses its seed.
    proves : bool
        Whether its states carry a `tilt` as soon as a proof is worth trying.
    stop : Rule or None
        An extra stopping rule.
    """

    name: ClassVar[str]
    approximate: ClassVar[bool] = False
    needs_smooth_loss: ClassVar[bool] = True
    handles_l1: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    proves: ClassVar[bool] = False
    step_noun: ClassVar[str] = "iterations"
    stop = None

    @property
    def steps(self) -> int | None:
        """How many steps it is asked for; None: as many as it takes."""
        return None

    @abc.abstractmethod
    def init(self, objective, parameters, *, seed=0, tol=0.0):
        """Return the State at these parameters.

        `tol` is the certified relative gap that the fit is to end with: a hint for solvers that can save work by it.
        """

    @abc.abstractmethod
    def step(self, objective, state):
        """Return the next State; the given one is not touched."""

    def follow(self, objective, parameters, before, *, seed=0, tol=0.0):
        """Return the State at these parameters, given one of an objective that shares X and differs in penalty or weights.

        What was found out about X there may be used again; solvers that find out nothing begin anew.
        """
        del before
        return self.init(objective, parameters, seed=seed, tol=tol)

    def saved(self, state):
        """Return (tensors by name, JSON-ready numbers by name): what `resumed` goes on from."""
        return {"parameters": state.parameters.flat}, {}

    def resumed(self, objective, arrays, numbers, *, seed=0, tol=0.0):
        """Return the State that `saved` was told of, on the same objective."""
        del numbers
        start = objective.zeros().like(arrays["parameters"].to(objective.design.device))
        return self.init(objective, start.to(objective.dtype), seed=seed, tol=tol)

    @property
    @abc.abstractmethod
    def parameters(self):
        """The constructor's arguments by name."""

    def check(self, loss, penalty):
        """Raise SolverError, with what is missing and who can, unless this solver handles this problem."""
        if penalty.l1 and not self.handles_l1:
            exact = "'proximal-newton' (or 'auto'), which finds the exact optimum, " if loss.smooth else ""
            raise SolverError(
                f"solver {self.name!r} needs a smooth penalty, and l1_ratio > 0 has a kink at zero: use solver={exact}"
                f"{'or ' if exact else ''}'gradient-descent' or 'sgd', which handle it by proximal steps (approximately, "
                "with the gap reported), or l1_ratio=0."
            )
        if not loss.smooth and self.needs_smooth_loss:
            raise SolverError(
                f"solver {self.name!r} needs a smooth loss, and the {loss.name} loss has kinks: use solver='sgd' or "
                "'gradient-descent' with a learning rate, which reach it approximately, or loss='huber'."
            )

    def explain(self, objective):
        """Return sentences on how this problem would be solved, without solving it."""
        del objective
        return []

    def explain_divergence(self):
        """Return one clause on what to change when the objective leaves the finite numbers."""
        return "scale the features, or use dtype='float64'"

    def divergence_factor(self, objective):
        """Return how far above its start, as a factor, the objective must end for the fit to count as diverged."""
        del objective
        # A rate that is too large need not overflow; ending so far up is no descent either.
        return 1e3

    def remark(self, trace):
        """Return one clause on what the trace of a finished fit shows, or None."""
        del trace

    def __repr__(self):
        arguments = ", ".join(f"{name}={_shown(value)}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other):
        return type(self) is type(other) and self.parameters == other.parameters

    def __hash__(self):
        return hash(repr(self))


def check_rate(value, legal):
    """Raise ParameterError unless a learning rate is a positive finite number."""
    if not (isinstance(value, numbers.Real) and math.isfinite(value) and value > 0):
        raise ParameterError(f"learning_rate is {value!r}: give {legal}.")


def check_count(name, value):
    """Raise ParameterError unless this is a whole number ≥ 1."""
    if not (isinstance(value, numbers.Real) and value == math.floor(value) and value >= 1):
        raise ParameterError(f"{name} is {value!r}: give a whole number ≥ 1.")


def _shown(value):
    return value.__name__ if isinstance(value, type) else repr(value)
