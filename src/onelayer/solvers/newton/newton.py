"""Newton's method for smooth convex objectives, in as few passes over X as its proof needs."""

import dataclasses
import math
from typing import Any, ClassVar

import torch

from onelayer.curvature import Goal, KrylovSystem, how_solved, solved_densely, system_for
from onelayer.curvature import thresholds as at
from onelayer.errors import SolverError
from onelayer.parameters import Parameters
from onelayer.result import Status
from onelayer.solvers.base import Solver, State
from onelayer.solvers.line_search import search
from onelayer.solvers.newton.arithmetic import fine_enough, refined, widened
from onelayer.solvers.newton.proofs import foreseen_gap, own_tilt, tilt_of
from onelayer.solvers.newton.warm_start import subset_rows, subset_start
from onelayer.solvers.starting import hopeful

__all__ = ["Newton"]


@dataclasses.dataclass
class _State(State):
    # Always there: the objective to work with, and what Newton systems are solved with.
    work: Any = None
    system: Any = None
    tol: float = 0.0
    # The dtype that coefficients are returned in.
    returned: Any = None
    # What the quadratic model was off by last time, over the square of that step's decrement.
    remainder: float | None = None
    # What the last step was expected to gain, and what its system turned out to promise over the model's guess.
    decrement: float = math.inf
    bias: float = 1.0
    sampled: bool = True
    tries: int = 0
    # How far rounding was seen to move a gradient in working arithmetic, over the norm of what is summed in it.
    rounding: float | None = None


class Newton(Solver):
    """Newton's method: each step minimises the quadratic model of P, as exactly as that model deserves.

    Minimises P(W, b) of the estimator for smooth convex losses with an L2 penalty or none. There is nothing to tune.

    Parameters
    ----------
    stop : Rule, optional
        An extra rule from ``onelayer.stopping``, beside the estimator's `tol`, `max_iter` and `time_limit`.

    Notes
    -----
    Small problems factorise the whole Hessian in float64. For the others

    - the system is solved by conjugate gradients, preconditioned by one Cholesky factor per class of rows that are
      sampled by curvature times leverage (one eigenbasis for all classes where that would be too large);
    - scores are kept, so steps along a direction are free of products with X;
    - each system is solved only as exactly as the last step has shown its quadratic model to be true (Eisenstat and
      Walker), and the last one until it proves `tol`;
    - gradients are float64 from where float32 has no more digits to give, products with the Hessian never;
    - a start at zero is replaced by the optimum of a part of the rows, at the same C.

    It ends with the proof: the last step gives the dual point of the certificate.

    References
    ----------
    S. Eisenstat, H. Walker, "Choosing the forcing terms in an inexact Newton method", SIAM J. Sci. Comput. 17 (1996).

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("iris")
    >>> model = ol.SoftmaxRegression(C=1.0, solver=ol.solvers.Newton()).fit(data.X, data.y)
    >>> model.result_.status, model.certificate_.relative_gap <= 1e-6
    (<Status.CONVERGED: 'converged'>, True)
    """

    name: ClassVar = "newton"
    proves: ClassVar = True

    def __init__(self, *, stop=None):
        self.stop = stop

    @property
    def parameters(self):
        return {"stop": self.stop}

    def check(self, loss, penalty):
        super().check(loss, penalty)
        if not loss.convex:
            raise SolverError(
                f"solver 'newton' needs a convex loss, and {loss!r} is not: use solver='lbfgs' or 'gradient-descent'."
            )

    def explain(self, objective):
        ways = [how_solved(objective)]
        count = subset_rows(objective)
        if count and not solved_densely(objective):
            ways.append(f"a start at zero is replaced by the optimum of {count:,} rows")
        return ways

    def init(self, objective, parameters, *, seed=0, tol=0.0):
        del seed
        return self._begun(objective, parameters, system_for(objective), tol)

    def follow(self, objective, parameters, before, *, seed=0, tol=0.0):
        if not objective.design.resident:
            return self.init(objective, parameters, seed=seed, tol=tol)
        state = self._begun(objective, parameters, before.system.under(objective), tol, before.value)
        # Near by as it is, its curvature is about that of the end: nothing is won by a part of the rows. How far quadratic models
        # are off is much the same too: many a first system is then the last one.
        return dataclasses.replace(
            state,
            step=0.0,
            decrement=at.SETTLED * abs(state.value) / 2,
            sampled=False,
            remainder=before.remainder,
            bias=before.bias,
            rounding=before.rounding,
        )

    def _begun(self, objective, parameters, system, tol, known=math.inf):
        parameters = _centred(parameters.to(torch.float64), objective)
        work = system.objective
        point = hopeful(work, parameters, known)
        return _State(
            point.parameters,
            point.value,
            work.gradient(point),
            point=point,
            work=work,
            system=system,
            tol=tol,
            returned=objective.dtype,
        )

    def step(self, objective, state):
        if state.gradient is None:
            state = refined(state)
        if _starts_from_zero(state):
            better = subset_start(self, state)
            if better is not None:
                return better
        scale = max(abs(state.value), torch.finfo(torch.float64).tiny)
        settled = state.decrement < at.SETTLED * scale
        ahead = _ahead(state, scale) if settled else at.TWO_SYSTEMS
        sampled = state.sampled and _worth_sampling(state.work)
        system = state.system.at(state.point, settled, ahead, sampled)
        if system.exact:
            if system.misses(state.gradient):
                return self._majorised(state)
            return self._moved(state, system, Goal(0.0)) or self._majorised(state)
        decrement = state.bias * system.decrement(state.gradient)
        predicted = math.inf if state.remainder is None else state.remainder * decrement**2
        closing = not sampled and predicted <= at.CLOSING * state.tol * scale
        if sampled and decrement < at.SAMPLED_UNTIL * scale:
            return self.step(objective, dataclasses.replace(state, sampled=False, system=system.spared()))
        if state.work.dtype != torch.float64:
            if decrement < at.WIDE_BELOW * scale:
                return self.step(objective, widened(state, system))
            if closing and not fine_enough(state, scale):
                state = refined(state)
        goal = Goal() if sampled else _goal(state, scale, closing)
        return self._moved(state, system, goal) or self._majorised(state)

    def _majorised(self, state):
        """Return the state after a step with a curvature that does not die; finer arithmetic, or the end, if none helps."""
        system = state.system.majorised(state.point)
        moved = self._moved(state, system, Goal())
        if moved is not None:
            # What was learnt with another curvature is not true of this one.
            return dataclasses.replace(moved, system=state.system, remainder=None, bias=1.0)
        if state.work.dtype != torch.float64:
            return widened(state, state.system)
        why = "no step lowers the objective any more in float64"
        return dataclasses.replace(state, halt=(Status.STALLED, why))

    def _moved(self, state, system, goal):
        """Return the state after a Newton step, or None where none lowers P."""
        gradient = state.gradient
        solution, system = system.solve(gradient, goal)
        slope = (solution.direction.flat @ gradient.flat).item()
        if not slope < 0:
            return None
        ray = state.work.ray(state.point, solution.direction)
        noise = 2 * state.work.rounding_unit * abs(state.value)
        accepted = search(ray, slope, noise=noise)
        if accepted is None:
            return None
        return self._advance(state, system, ray, accepted, solution, slope, goal)

    def _advance(self, state, system, ray, accepted, solution, slope, goal):
        work, point = state.work, accepted.point
        decrement = -slope / 2
        near = goal.is_last(decrement) and decrement <= at.PROVABLE * abs(state.value)
        # At the floor of the arithmetic decrements no longer fall: there the gradient has to say that a step helped.
        falls = decrement < at.FALLING * state.decrement
        proof = near and falls and accepted.length == 1.0 and work.loss.has_dual
        # Where a proof is made next, the gradient would be its most expensive part, and of no use if it succeeds.
        after = None if proof else work.gradient(point)
        if not (point.value < state.value or _is_flatter(work, point, after, state)):
            return None
        remainder, tilt, bias, sampled, tries = None, None, 1.0, False, 0
        if not system.exact:
            bias = max(1.0, decrement / max(solution.expected, 1e-300))
            slow = state.step == 1.0 and decrement > at.SAMPLE_TRUST * state.decrement
            sampled = state.sampled and not slow and system.is_true(state.gradient, solution, ray.slopes)
            if accepted.length == 1.0 and after is not None:
                beyond = after.like(after.flat - solution.residual.flat)
                remainder = bias * max(system.decrement(beyond), 0.0)
                coming = bias * system.decrement(after)
                if work.loss.has_dual and remainder * (
                    coming / decrement
                ) ** 2 <= at.CLOSING * state.tol * abs(state.value):
                    # A proof may ask more of the model than the next gradient does.
                    remainder = max(remainder, foreseen_gap(work, state.point, ray, solution, system))
                remainder /= max(decrement**2, 1e-300)
        if proof and system.exact:
            tilt = own_tilt(work, point.parameters.to(state.returned), system)
        elif proof:
            tilt = tilt_of(work, state.point, ray, solution, system)
            remainder = state.remainder
            # A proof that looks good enough and is not after all: the next system is solved better.
            tries = state.tries + (tilt.gap <= state.tol * abs(point.value))
        return dataclasses.replace(
            state,
            parameters=point.parameters,
            value=point.value,
            gradient=after,
            step=accepted.length,
            point=point,
            system=system,
            remainder=remainder,
            decrement=decrement,
            bias=bias,
            sampled=sampled,
            tilt=tilt,
            tries=tries,
        )


def _centred(parameters, objective):
    """Return parameters whose mean over the classes is zero, where a shift of all classes changes no probability.

    The optimum is there, and Newton systems leave that direction out.
    """
    if not objective.loss.shift_invariant:
        return parameters
    weight, bias = parameters.weight, parameters.bias
    return Parameters.of(weight - weight.mean(dim=0), bias - bias.mean() if objective.fit_intercept else bias)


def _starts_from_zero(state):
    return state.step is None and isinstance(state.system, KrylovSystem) and not state.parameters.weight.any()


def _worth_sampling(objective):
    """Return whether a share of the rows leaves enough of them to say something about the curvature."""
    return objective.outputs >= at.SAMPLE_OUTPUTS and objective.rows >= at.SAMPLE_SHARE * max(
        at.SUBSET_ROWS, 4 * objective.features
    )


def _ahead(state, scale):
    """Return the logarithm of the factor by which the decrement has still to fall."""
    target = max(at.CLOSING * state.tol, torch.finfo(torch.float64).eps) * scale
    return max(math.log(state.decrement / target), 1.0) if state.decrement > target else 1.0


def _goal(state, scale, closing):
    if state.remainder is None:
        return Goal()
    if not closing:
        return Goal(state.remainder, state.bias)
    l2 = state.work.penalty.smooth_part.l2
    # The next try after a proof that fell short asks for ten times as much.
    target = at.CLOSING * state.tol * scale * 0.1**state.tries
    return Goal(state.remainder, state.bias, target, 2 * l2 * target if l2 else math.inf)


def _is_flatter(work, point, after, state):
    """Return whether the gradient has become smaller, where values can no longer tell."""
    if after is None:
        return point.value <= state.value + 2 * work.rounding_unit * abs(state.value)
    return after.flat.abs().max() < state.gradient.flat.abs().max()
