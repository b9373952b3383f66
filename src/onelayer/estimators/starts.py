"""Where a fit starts: zeros, a random draw, given coefficients; or from several places, of which the best end counts."""

import dataclasses
import math
import numbers
import time

import torch

from onelayer.errors import ParameterError
from onelayer.estimators.validation import as_tensor
from onelayer.parameters import Parameters
from onelayer.result import Status

__all__ = ["Starts", "best_of"]

_NORMAL_DEVIATION = 0.01
_CHOICES = "give 'zeros', 'normal', a standard deviation > 0, or a pair (weight, bias)"


class Starts:
    """The places that an estimator's fit starts from.

    Parameters
    ----------
    init : {"zeros", "normal"}, float or (weight, bias)
        "normal": W from N(0, 0.01²) and b = 0. A number s: W and b from N(0, s²).
    previous : (weight, bias) or None
        Of the last fit, where a warm start is wanted; it takes the place of `init`.
    n_init : int
        How many. After the first, W and b are drawn from N(0, s²), s the number given as `init`, else 1.
    """

    def __init__(self, init, previous, n_init):
        self.init, self.previous, self.n_init = init, previous, n_init

    @property
    def draws(self):
        """Whether any of them is random."""
        drawn = _is_number(self.init) or (isinstance(self.init, str) and self.init == "normal")
        return self.n_init > 1 or (drawn and self.previous is None)

    def of(self, objective, undo, seed):
        """Yield the starts as Parameters of the solver; `undo` maps between these and the features' own."""
        generator = torch.Generator("cpu").manual_seed(seed)
        yield self._first(objective, undo, generator)
        for _ in range(self.n_init - 1):
            yield _drawn(objective, self.init if _is_number(self.init) else 1.0, generator)

    def _first(self, objective, undo, generator):
        if self.previous is not None:
            return _given(self.previous, objective, undo, "warm_start=True starts from")
        if _is_number(self.init):
            return _drawn(objective, self.init, generator)
        if not isinstance(self.init, str):
            return _given(_as_pair(self.init), objective, undo, "init has")
        if self.init not in ("zeros", "normal"):
            raise ParameterError(f"init is {self.init!r}: {_CHOICES}.")
        start = objective.zeros()
        if self.init == "normal":
            start.weight.copy_(_NORMAL_DEVIATION * _noise(start.weight.shape, generator))
        return start


def best_of(objective, starts, fit, time_limit):
    """Fit from each start and return the outcome of the lowest objective, which tells of all.

    Parameters
    ----------
    objective : Objective
    starts : iterable of Parameters
    fit : callable
        Takes an objective, a start and a time limit; returns an Outcome.
    time_limit : float or None
        Seconds for all of them.
    """
    began, outcomes = time.perf_counter(), []
    for start in starts:
        left = time_limit
        if outcomes and time_limit is not None:
            left = objective.design.group.agreed(time_limit - (time.perf_counter() - began))
            if left <= 0:
                break
        outcomes.append(fit(objective.counted_anew(), start, left))
        # A proven optimum has nothing to fear from other starts; Ctrl-C means all of them.
        if outcomes[-1].result.status in (Status.CONVERGED, Status.INTERRUPTED):
            break
    ends = [outcome.result.objective for outcome in outcomes]
    ranks = [end if math.isfinite(end) else math.inf for end in ends]
    best = outcomes[ranks.index(min(ranks))]
    best.result.starts = ends
    if len(ends) == 1:
        return best
    result = dataclasses.replace(
        best.result,
        message=f"{best.result.message} Best of {len(ends)} starts, which ended between {min(ranks):.4g} and {max(ranks):.4g}.",
        passes=sum(outcome.result.passes for outcome in outcomes),
        seconds=time.perf_counter() - began,
    )
    return dataclasses.replace(best, result=result)


def _drawn(objective, deviation, generator):
    start = objective.zeros()
    start.flat.copy_(deviation * _noise(start.flat.shape, generator))
    if not objective.fit_intercept:
        start.bias.zero_()
    return start


def _noise(shape, generator):
    # Of the same dtype and place for all: the same seed starts from the same numbers everywhere.
    return torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu")


def _is_number(init):
    return isinstance(init, numbers.Real) and not isinstance(init, bool) and 0 < init < math.inf


def _as_pair(init):
    try:
        weight, bias = init
        return _double(weight), _double(bias)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ParameterError(f"init is {init!r}: {_CHOICES} of numbers.") from error


def _given(pair, objective, undo, what):
    weight, bias = (_double(part).to(objective.design.device) for part in pair)
    shape = (undo.outputs(objective), objective.features)
    if weight.numel() != shape[0] * shape[1] or bias.numel() != shape[0]:
        raise ParameterError(
            f"{what} a weight of shape {tuple(weight.shape)} and a bias of shape {tuple(bias.shape)}, and these data "
            f"need {shape} and ({shape[0]},): give that, or start from init='zeros' with warm_start=False."
        )
    start = Parameters.of(weight.reshape(shape), bias.reshape(-1))
    if not bool(torch.isfinite(start.flat).all()):
        raise ParameterError("init has NaN or infinite values: give finite ones, or 'zeros'.")
    return undo.to_solver(start).to(objective.dtype, objective.design.device)


def _double(values):
    """Return a detached float64 tensor of these numbers, where they are."""
    return as_tensor(values, torch.float64).detach()
