"""Proximal Newton on a working set: exact optima, with exact zeros, of penalties with an L1 part."""

import dataclasses
import math
from typing import Any, ClassVar

import torch

from onelayer.certificates.dual_points import profiled
from onelayer.errors import SolverError
from onelayer.parameters import Parameters
from onelayer.result import Status
from onelayer.solvers.base import Solver, State
from onelayer.solvers.proximal_newton.columns import Columns
from onelayer.solvers.proximal_newton.plans import Workshop

__all__ = ["ProximalNewton"]

_SUFFICIENT_DECREASE = 1e-4
_HALVINGS = 40
# Steps shorter than this say that the curvature at hand is not that of the way; then one that never overshoots is tried.
_SHORT = 0.1
# Weak penalties are approached by steps of this factor from the strength at which nothing is left of W: so supports grow
# from below, and the models of the way stay small.
_FALL = 10.0
# So many steps without a smaller gradient, where values can no longer tell, are the floor of the arithmetic.
_PATIENCE = 3


@dataclasses.dataclass
class _State(State):
    # Always there: what all steps share, the strength of the L1 part that the plan is for, and the plan from here.
    shop: Any = None
    level: float = math.inf
    plan: Any = None
    # The largest push, the least of all points so far.
    push: float = math.inf
    waited: int = 0

    @property
    def excess(self):
        """How much stronger the level is than the penalty."""
        return self.level - self.shop.objective.penalty.l1


class ProximalNewton(Solver):
    """Proximal Newton with a working set: each step minimises the quadratic model of the loss plus the penalty itself.

    Minimises P(W, b) of the estimator for smooth convex losses and penalties with an L1 part; zeros are exact. There is
    nothing to tune.

    Parameters
    ----------
    stop : Rule, optional
        An extra rule from ``onelayer.stopping``, beside the estimator's `tol`, `max_iter` and `time_limit`.

    Notes
    -----
    - The model is about a working set: coefficients that are not zero, and those whose gradient leaves the box |g| ≤ l1.
      A full product with X is made once in a step, to look for more of them; all else reads the set's columns only.
    - The strength of the L1 part comes down to its own by a factor of ten a step, so that the working set grows from below.
    - It is minimised by coordinate descent (compiled), which finds the support, and by Newton steps on the support, which
      give the digits. Up to a few thousand coefficients its matrix is formed; beyond, products with the columns do.
    - Arithmetic is float64: few products are with all of X.
    - The minimum of the model gives the dual point of the certificate. On the support it meets the edge of the box
      exactly, so what it proves is about the distance itself.

    References
    ----------
    J. Lee, Y. Sun, M. Saunders, "Proximal Newton-type methods for minimizing composite functions", SIAM J. Optim. 24
    (2014). M. Massias, A. Gramfort, J. Salmon, "Celer: a fast solver for the lasso with dual extrapolation", ICML 2018.
    H. Lee, A. Battle, R. Raina, A. Ng, "Efficient sparse coding algorithms", NIPS 2006 (Newton steps on signs).

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("diabetes")
    >>> model = ol.LinearRegression(alpha=0.5, l1_ratio=1.0, solver=ol.solvers.ProximalNewton()).fit(data.X, data.y)
    >>> str(model.result_.status), int((model.coef_ == 0).sum())
    ('converged', 6)
    """

    name: ClassVar = "proximal-newton"
    handles_l1: ClassVar = True
    proves: ClassVar = True

    def __init__(self, *, stop=None):
        self.stop = stop

    @property
    def parameters(self):
        return {"stop": self.stop}

    def check(self, loss, penalty):
        super().check(loss, penalty)
        if not penalty.l1:
            raise SolverError(
                "solver 'proximal-newton' is for penalties with an L1 part, and l1_ratio or alpha is 0: use "
                "solver='newton', or solver='auto', which takes the one that fits."
            )
        if not loss.convex:
            raise SolverError(
                f"solver 'proximal-newton' needs a convex loss, and {loss!r} is not: use solver='gradient-descent'."
            )

    def explain(self, objective):
        count = objective.features * objective.outputs
        return [
            f"its models are about a working set of the {count:,} coefficients",
            "coordinate descent with Newton steps on the support minimises them",
        ]

    def init(self, objective, parameters, *, seed=0, tol=0.0):
        del seed
        work = objective.as_dtype(torch.float64)
        start = _profiled(work, parameters.to(torch.float64))
        zeros = _profiled(work, work.zeros(), work.zero_scores())
        # The problem is convex: a dense start that is worse than none would only fill the working set.
        point = zeros if not start.value <= zeros.value else start
        shop = Workshop(work, Columns(work), tol)
        return self._looked_around(_State(point.parameters, point.value, None, shop=shop), point)

    def step(self, objective, state):
        accepted = _search(state, state.plan)
        if accepted is None or accepted[0] < _SHORT:
            accepted = self._majorised(state, accepted)
        if state.excess and (accepted is None or state.waited >= _PATIENCE):
            return self._looked_around(dataclasses.replace(state, level=0.0, step=0.0), state.point)
        if accepted is None or state.waited >= _PATIENCE:
            return dataclasses.replace(
                state, halt=(Status.STALLED, "no step lowers the objective any more in float64")
            )
        length, point = accepted
        return self._looked_around(dataclasses.replace(state, step=length), point)

    def _majorised(self, state, accepted):
        """Return the better of a short step and one with a curvature that never overshoots."""
        loss = state.shop.objective.loss
        if loss.name == "squared" or not math.isfinite(loss.curvature_bound):
            return accepted
        shop = state.shop.at_level(state.level)
        plan = shop.plan(state.point, state.gradient, state.plan, majorised=True)
        other = _search(state, plan)
        if accepted is None or other is None:
            return accepted or other
        return min(accepted, other, key=lambda step: _value(state, step[1]))

    def _looked_around(self, state, point):
        """Return the state at a point: gradient, plan, and the proof that the plan makes."""
        shop, work = state.shop, state.shop.objective
        gradient = work.gradient(point)
        level = min(state.level, max(work.penalty.l1, gradient.weight.abs().max().item() / _FALL))
        level = max(work.penalty.l1, level)
        there = shop if level == work.penalty.l1 else shop.at_level(level)
        push = there.largest_push(point.parameters, gradient)
        plan = there.plan(point, gradient, state.plan)
        tilt = shop.tilt(plan, point, gradient) if there is shop and work.loss.has_dual else None
        noise = 2 * work.rounding_unit * abs(state.value)
        excess = level - work.penalty.l1
        fall = state.value - point.value
        if excess:
            # At a level that does not come down, it is P at that level that must.
            fall += (
                excess * (state.parameters.weight.abs().sum() - point.parameters.weight.abs().sum()).item()
            )
        falls = level < state.level or fall > noise or (there is shop and push < state.push / 2)
        return dataclasses.replace(
            state,
            parameters=point.parameters,
            value=point.value,
            gradient=gradient,
            point=point,
            tilt=tilt,
            level=level,
            plan=plan,
            push=min(push, state.push) if there is shop else math.inf,
            waited=0 if falls or not state.step else state.waited + 1,
        )


def _profiled(work, parameters, scores=None):
    """Return the Point at these weights with the best intercepts for them, in the dtype of the work."""
    scores = work.scores(parameters) if scores is None else scores
    if work.fit_intercept:
        best = profiled(work, scores)
        parameters = Parameters.of(parameters.weight, parameters.bias + (best - scores)[0])
        scores = best
    return work.point(parameters, scores)


def _value(state, point):
    """Return P at the level of the state."""
    return point.value + (state.excess * point.parameters.weight.abs().sum().item() if state.excess else 0.0)


def _search(state, plan):
    """Return (step length, Point) of a step along a plan that lowers P at its level, or None."""
    if not plan.decrease < 0:
        return None
    start = _value(state, state.point)
    noise = 2 * state.shop.objective.rounding_unit * abs(start)
    t, found, least = 1.0, None, math.inf
    for _ in range(_HALVINGS):
        point = state.shop.at(plan, t)
        value = _value(state, point)
        if found is not None and not value < least:
            break
        if value <= start + _SUFFICIENT_DECREASE * t * plan.decrease + noise:
            found, least = (t, point), value
            if t == 1.0:
                break
        t /= 2
    return found
