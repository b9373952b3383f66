"""L-BFGS for smooth objectives, down to the floor of the arithmetic."""

import dataclasses
from typing import ClassVar

import torch

from onelayer.objective import Objective
from onelayer.result import Status
from onelayer.solvers.base import Solver, State, check_count
from onelayer.solvers.line_search import search
from onelayer.solvers.metric import CurvatureMetric
from onelayer.solvers.starting import hopeful
from onelayer.solvers.two_loop import two_loop

__all__ = ["LBFGS"]

# Kept scores drift by one rounding per step; a fresh product now and then costs half a pass.
_REFRESH_EVERY = 50
# The curvature moves fast at first, then settles.
_METRIC_AT = {5, 15, 40}
_METRIC_EVERY = 100
# So many steps without a measurable gain are the floor of the arithmetic.
_PATIENCE = 30


@dataclasses.dataclass
class _State(State):
    wide: Objective | None = None
    metric: CurvatureMetric | None = None
    pairs: tuple = ()
    age: int = 0
    mark: tuple[float, float] = (float("inf"), float("inf"))
    idle: int = 0


class LBFGS(Solver):
    """Limited-memory BFGS: a quasi-Newton direction from the last `memory` steps, then a strong-Wolfe line search.

    Minimises P(W, b) of the estimator for smooth losses and penalties. An iteration costs one pass over X, however
    many steps the line search tries: scores are kept, and moved along the direction by an addition. The two-loop
    recursion starts from a sampled model of the curvature instead of a multiple of the identity, so badly scaled and
    correlated columns cost no iterations.

    Parameters
    ----------
    memory : int, default 20
        Pairs of steps and gradient changes to keep.
    precondition : bool, default True
        False starts the recursion from the identity, as the textbook does.
    stop : Rule, optional
        An extra rule from ``onelayer.stopping``, beside the estimator's `tol`, `max_iter` and `time_limit`.

    Notes
    -----
    Unlike ``torch.optim.LBFGS`` it says how it ended, sums in float64, refines by slopes where values drown in
    rounding, goes on in float64 where float32 has no more digits to give, and stops by a proven gap.

    References
    ----------
    J. Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp. 35 (1980).

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("iris")
    >>> ol.SoftmaxRegression(C=1.0, solver=ol.solvers.LBFGS()).fit(data.X, data.y).result_.status
    <Status.CONVERGED: 'converged'>
    """

    name: ClassVar = "lbfgs"

    def __init__(self, memory=20, *, precondition=True, stop=None):
        check_count("memory", memory)
        self.memory, self.precondition, self.stop = int(memory), bool(precondition), stop

    @property
    def parameters(self):
        return {"memory": self.memory, "precondition": self.precondition, "stop": self.stop}

    def init(self, objective, parameters, *, seed=0, tol=0.0):
        del seed, tol
        point = hopeful(objective, parameters)
        metric = CurvatureMetric.at(objective, point) if self.precondition else None
        return _State(point.parameters, point.value, objective.gradient(point), point=point, metric=metric)

    def step(self, objective, state):
        objective = state.wide or objective
        gradient = state.gradient.flat.double()
        noise = 2 * objective.rounding_unit * abs(state.value)
        # Where the pairs mislead, the metric alone; where that does (a start at which hardly a row has curvature), neither.
        models = dict.fromkeys([(state.pairs, state.metric), ((), state.metric), ((), None)])
        for pairs, metric in models:
            direction = -two_loop(gradient, pairs, _scaled(metric, pairs))
            slope = (direction @ gradient).item()
            if not slope < 0:
                continue
            # Without any model of the curvature, a first step that changes no coefficient by more than 1.
            first = 1.0 if pairs or metric else min(1.0, 1.0 / gradient.abs().max().item())
            ray = objective.ray(state.point, state.parameters.like(direction.to(state.parameters.flat)))
            accepted = search(ray, slope, first=first, noise=noise)
            if accepted is not None:
                state = dataclasses.replace(state, metric=metric, pairs=pairs)
                return self._advance(objective, state, gradient, accepted, noise)
        return _stalled(objective, state, "no step lowers the objective any more in {}")

    def _advance(self, objective, state, gradient, accepted, noise):
        point, metric, pairs = accepted.point, state.metric, state.pairs
        age = state.age + 1
        if age % _REFRESH_EVERY == 0:
            point = objective.point(point.parameters)
        if metric and (age in _METRIC_AT or age % _METRIC_EVERY == 0):
            metric = CurvatureMetric.at(objective, point) or metric
        after = objective.gradient(point)
        # What was really moved, rounding of W included.
        move = point.parameters.flat.double() - state.parameters.flat.double()
        change = after.flat.double() - gradient
        curvature = (move @ change).item()
        if curvature > 1e-10 * (change @ change).item() ** 0.5 * (move @ move).item() ** 0.5:
            pairs = (*pairs, (move, change, 1 / curvature))[-self.memory :]
        # Compared with the last measurable gain, not with the last step: many small gains are a gain.
        mark, norm = state.mark, after.flat.abs().max().item()
        improved = point.value < mark[0] - noise or norm < 0.95 * mark[1]
        mark = (min(point.value, mark[0]), min(norm, mark[1])) if improved else mark
        idle = 0 if improved else state.idle + 1
        state = dataclasses.replace(
            state,
            parameters=point.parameters,
            value=point.value,
            gradient=after,
            step=accepted.length,
            point=point,
            metric=metric,
            pairs=pairs,
            age=age,
            mark=mark,
            idle=idle,
        )
        if idle < _PATIENCE:
            return state
        return _stalled(objective, state, f"{_PATIENCE} steps brought no gain that {{}} can measure")


def _stalled(objective, state, why):
    """Return the state that goes on in float64, or that halts if it is in float64 already.

    What is missing near the optimum are digits of the gradient and of W itself. A float64 view shares X and converts
    it block by block, so this costs time (two to four times as much per pass) and no memory.
    """
    if objective.dtype == torch.float64 or objective.design.device.type == "mps":
        unit = str(objective.dtype).removeprefix("torch.")
        return dataclasses.replace(state, halt=(Status.STALLED, why.format(unit)))
    wide = objective.as_dtype(torch.float64)
    point = wide.point(state.parameters.to(torch.float64))
    fresh = _State(
        point.parameters, point.value, wide.gradient(point), step=state.step, point=point, wide=wide
    )
    return dataclasses.replace(fresh, metric=state.metric, pairs=state.pairs, age=state.age)


def _scaled(metric, pairs):
    """Return the first guess of the recursion: the metric (the identity where there is none), scaled by the last pair."""

    def applied(flat):
        return metric.apply(flat) if metric else flat

    if not pairs:
        return applied
    _, change, inverse = pairs[-1]
    scale = inverse * (change @ applied(change))
    return lambda flat: applied(flat) / scale
