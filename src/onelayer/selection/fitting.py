"""The fits of a cross-validation: all folds at all strengths, from the fits of all rows."""

import dataclasses
import math
from typing import Any

import torch

from onelayer.curvature import solved_densely
from onelayer.estimators.rounding import tells
from onelayer.result import Status
from onelayer.solvers.trail import Trail
from onelayer.stacks import MOST_STEPS, Coefficients, Model, ScaledRows, SharedRows, Stack, solve_stack

__all__ = ["Pair", "fit_folds"]

# Numbers side by side in a product up to which a read of X costs more than the arithmetic: so many outputs are stacked.
_TOGETHER = 64
# Outputs of one problem from which on its products are arithmetic anyway: then folds are fitted in turn, each from the
# system of the last one (on 20,000 x 384 with 51 classes stacked products saved a tenth of the time of each product, and
# took the recycled directions of the solver for one problem, which save more).
_MANY_OUTPUTS = 4
# Numbers of scores of one stack.
_NUMBERS = 2**24


@dataclasses.dataclass(frozen=True)
class Pair:
    """The fit of one fold at one strength.

    Attributes
    ----------
    fold, strength : int
    parameters : Parameters
        Of the solver.
    relative_gap : float
        What is proven; infinite where nothing is.
    steps : int
    result, certificate : Result or None, Certificate or None
        Of a fit by itself; a batched one that is proven has neither.
    """

    fold: int
    strength: int
    parameters: Any
    relative_gap: float
    steps: int
    result: Any = None
    certificate: Any = None


def fit_folds(whole, folds, alphas, tell):
    """Yield what is fitted: ("whole", place, alpha, Outcome) for all rows, and ("fold", Pair) for a fold.

    Parameters
    ----------
    whole : Problem
    folds : list of Fold
    alphas : list of float
        Of the whole, in any order: each fold has the same strength in the estimator's words.
    tell : callable
        Told of each fit that is done.
    """
    order = sorted(range(len(alphas)), key=lambda place: -alphas[place])
    trail, waiting = Trail(), []
    together = [number for number, fold in enumerate(folds) if fold.shared] if _stackable(whole) else []
    # Strengths that are solved with one another, each with all folds.
    outputs = max(1, len(together)) * whole.objective.outputs
    size = max(1, min(_TOGETHER, _NUMBERS // whole.objective.rows) // outputs)
    last = None
    for place in order:
        alpha = alphas[place]
        after = trail.outcome
        if last is not None and whole.solver.name == "newton":
            # With the system that served the folds last.
            after = dataclasses.replace(after, state=last.state)
        objective, outcome = whole.solve(alpha, trail.start(whole.at(alpha)), after)
        trail.add(objective, outcome)
        tell(1)
        yield "whole", place, alpha, outcome
        if outcome.result.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        last = outcome
        for number, fold in enumerate(folds):
            if number in together:
                continue
            found = _in_turn(whole, fold, alpha, outcome, last)
            if fold.shared:
                last = found
            tell(1)
            yield "fold", _pair(number, place, found)
        if together:
            waiting.append((place, alpha, outcome))
            if len(waiting) == size or place == order[-1]:
                yield from _stacked(whole, folds, together, waiting, tell)
                waiting = []


def _in_turn(whole, fold, alpha, pilot, last):
    """Return the Outcome of one fold: from where it should be off from all rows, by the system of the last fit."""
    problem = fold.problem
    alpha = problem.alpha(whole.strength_of(alpha))
    if not fold.shared:
        trail = fold.after = fold.after or Trail()
        objective, outcome = problem.solve(alpha, trail.start(problem.at(alpha)), trail.outcome)
        trail.add(objective, outcome)
        return outcome
    best = pilot.state.parameters.to(torch.float64)
    start = best.like(best.flat + fold.moved.at(math.log(alpha)))
    # Newton's systems of all folds are much alike; other solvers know nothing of rows that are weighted otherwise.
    last = last if whole.solver.name == "newton" else fold.after or last
    after = dataclasses.replace(last, certifier=fold.after and fold.after.certifier)
    _, outcome = problem.solve(alpha, start.to(whole.objective.dtype), after)
    fold.after = outcome
    fold.moved.add(math.log(alpha), outcome.state.parameters.flat.double() - best.flat)
    return outcome


def _stacked(whole, folds, numbers, waiting, tell):
    """Yield the pairs of some strengths with all folds, from one batched solve."""
    objective = whole.objective
    parts = [folds[number].problem for number in numbers]
    weights = torch.stack([part.objective._given["sample_weight"] for part in parts], dim=1)
    count = len(waiting) * len(parts)
    alpha = [part.alpha(whole.strength_of(alpha)) for _, alpha, _ in waiting for part in parts]
    y, offset = objective._given["y"], objective._given["offset"]
    y = y.reshape(objective.rows, 1).expand(-1, count).contiguous()
    rows = SharedRows(objective.design)
    if whole.undo.scaling is not None:
        scalings = [part.undo.scaling for part in parts] * len(waiting)
        mean, scale = (torch.stack([getattr(one, name) for one in scalings]) for name in ("mean", "scale"))
        rows = ScaledRows(SharedRows(objective.design.base), mean, scale)
    stack = Stack(
        rows,
        y.long() if objective.loss.per_class else y,
        objective.loss,
        torch.tensor(alpha, dtype=torch.float64, device=objective.design.device),
        outputs=objective.outputs,
        sample_weight=weights.repeat(1, len(waiting)),
        offset=None if offset is None else offset.unsqueeze(1).expand(-1, count, -1).contiguous(),
        fit_intercept=objective.fit_intercept,
    )
    pilots = [outcome.state.parameters.to(torch.float64) for _, _, outcome in waiting]
    start = Coefficients.gathered([pilot for pilot in pilots for _ in parts])
    model = Pilots([_factor(outcome) for _, _, outcome in waiting], len(parts))
    solved = solve_stack(stack, start, whole.model.tol, model=model, tell=tell)
    if solved.interrupted:
        raise KeyboardInterrupt
    for place in range(count):
        strength, alpha, pilot = waiting[place // len(parts)]
        number = numbers[place % len(parts)]
        parameters = solved.coefficients.one(place).to(objective.dtype)
        if bool(solved.proven[place]):
            relative = (solved.gap[place] / solved.value[place].abs()).item()
            yield "fold", Pair(number, strength, parameters, relative, int(solved.steps[place]))
            continue
        fold = folds[number]
        own = math.log(fold.problem.alpha(whole.strength_of(alpha)))
        fold.moved.add(own, parameters.flat.double() - pilot.state.parameters.flat.double())
        yield "fold", _pair(number, strength, _in_turn(whole, fold, alpha, pilot, pilot))
        tell(1)


class Pilots(Model):
    """For the folds at each strength, the factor of the fit of all rows there.

    Parameters
    ----------
    factors : list
        With ``apply``, for Parameters.
    folds : int
        So many problems in a row have the same one.
    """

    def __init__(self, factors, folds):
        self._of = [factor for factor in factors for _ in range(folds)]

    def apply(self, gradient):
        return Coefficients.gathered(
            [factor.apply(gradient.one(place)) for place, factor in enumerate(self._of)]
        )

    def renewed(self, stack, point):
        del stack, point
        return self

    def some(self, index):
        other = Pilots([], 0)
        other._of = [self._of[place] for place in index.tolist()]
        return other


def _factor(outcome):
    """Return what inverts the Hessian of a finished fit, about."""
    state = outcome.state
    system = state.system.at(state.point, settled=True, ahead=1.0, sampled=False)
    return system.model.factors


def _stackable(whole):
    """Return whether folds are solved together: few outputs, and what the batched solver can do."""
    objective, model = whole.objective, whole.model
    loss, penalty = objective.loss, whole.at(1.0).penalty
    able = loss.convex and loss.smooth and loss.has_dual and not penalty.l1 and whole.solver.name == "newton"
    unlimited = model.max_iter is None or model.max_iter >= MOST_STEPS
    plain = unlimited and model.time_limit is None and model.tol
    single = objective.outputs == 1 or loss.per_class
    few = objective.outputs < _MANY_OUTPUTS and single and not objective.soft
    # Where whole Hessians are factorised a fit costs a few of them, and next to nothing besides.
    small = solved_densely(objective)
    rounded = tells(whole.undo.scaling, objective.dtype, whole.tol)
    return bool(able and plain and few and objective.design.resident and not small and not rounded)


def _pair(number, place, outcome):
    if outcome.result.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    certificate = outcome.certificate
    gap = float("inf") if certificate is None else certificate.relative_gap
    result = outcome.result
    return Pair(number, place, outcome.parameters, gap, result.n_iter, result, certificate)
