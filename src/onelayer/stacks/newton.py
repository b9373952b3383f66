"""Newton's method for many problems at once: reads of X are shared, everything else is each problem's own."""

import dataclasses
import math

import torch

from onelayer.curvature import thresholds as at
from onelayer.stacks.coefficients import Coefficients
from onelayer.stacks.conjugate import solve
from onelayer.stacks.models import model_of
from onelayer.stacks.proofs import gaps
from onelayer.stacks.stack import StackPoint

__all__ = ["MOST_STEPS", "Solved", "solve_stack"]

# Newton steps, after which what is still open is left to the solver for a single problem.
MOST_STEPS = 30
# Of a line search: trials, the shortest step, and the share of what the slope promises that has to be there.
_TRIALS, _SHORTEST, _SUFFICIENT_DECREASE = 20, 1e-8, 1e-4
# Products of one system, and from how many on the next system gets a new model.
_MOST_PRODUCTS, _DEAR = 60, 6
# Proofs that may fall short before rounding is thought to be the reason.
_TRUSTED = 1
# A stack is cut down to its open problems once these are no more than this share of it.
_MANY = 0.6
# Numbers of one float64 array that proofs are made with at a time.
_WIDE_NUMBERS = 2**21
# The start: one row in so many, where that leaves so many rows for each feature.
_SHARE, _LEAST_ROWS, _PER_FEATURE, _FIRST_STEPS = 4, 2000, 2, 8


@dataclasses.dataclass
class Solved:
    """What became of every problem.

    Attributes
    ----------
    coefficients : Coefficients
        In float64, rounded to the arithmetic of the stack where that is `proven`.
    value, gap : float64 tensor of shape (problems,)
        P and the bound on P − min P; an infinite gap where nothing is proven.
    proven : bool tensor of shape (problems,)
        Whether the relative gap is at most the one that was asked for.
    steps : int tensor of shape (problems,)
        Newton steps.
    passes : float
        Work in full gradients of all problems.
    interrupted : bool
        Whether Ctrl-C ended it: what is not proven by then is of no use.
    """

    coefficients: Coefficients
    value: torch.Tensor
    gap: torch.Tensor
    proven: torch.Tensor
    steps: torch.Tensor
    passes: float
    interrupted: bool = False


def solve_stack(stack, start, tol, *, model=None, tell=None):
    """Return Solved: each problem leaves the stack when its own certificate closes.

    Steps, line searches and the accuracy of each system are those of :class:`~onelayer.solvers.Newton`, for every problem on
    its own. A problem that does not get there in a moderate number of steps is left as it is, not proven: for a solver that
    looks at it alone.

    Parameters
    ----------
    stack : Stack
    start : Coefficients or None
        None: about the optimum of a part of the rows where there are many, else W = 0.
    tol : float
        Relative gap.
    model : Model, optional
        To precondition with; default: made of the stack where it starts.
    tell : callable, optional
        Told how many problems have just been done.
    """
    work = 0.0
    if start is None:
        start, work = _start(stack)
    run = _Run(stack, tol, start, model)
    run.work += work
    return run.go(tell)


def _start(stack):
    """Return where to begin without a hint, and the passes that it cost."""
    count = stack.rows.count // _SHARE
    if count < max(_LEAST_ROWS, _PER_FEATURE * stack.features):
        return stack.zeros(), 0.0
    part = stack.take(torch.arange(0, stack.rows.count, _SHARE, device=stack.rows.device))
    if not bool((part.total_weight > 0).all()):
        return stack.zeros(), 0.0
    run = _Run(part, 0.0, part.zeros(), None)
    # A part's own optimum is about this far from that of all rows anyway.
    found = run.rough(stack.outputs * (stack.features + 1) / (2 * count))
    return found, run.work / _SHARE


class _Run:
    """One run: its arrays have an entry for each problem of the stack that is left, those of `solved` for all."""

    def __init__(self, stack, tol, start, model):
        self.stack, self.tol, self.model = stack, tol, model
        self.place = torch.arange(stack.problems, device=stack.rows.device)
        self.point = stack.point(start)
        self.gradient = stack.gradient(self.point)
        # What the quadratic models were off by, over the square of the step's gain; infinite before the first step.
        self.remainder = torch.full_like(stack.l2, math.inf)
        self.tries = torch.zeros_like(stack.l2)
        self.done = torch.zeros_like(self.place, dtype=torch.bool)
        self.products, self.work = 0, 1.0
        empty = self.remainder.clone()
        coefficients = start.like(start.flat.clone())
        self.solved = Solved(coefficients, empty, empty.clone(), self.done.clone(), self.place * 0, 0.0)

    def go(self, tell):
        """Make steps until all problems are done, none moves, or Ctrl-C; return Solved."""
        self.tell = tell
        try:
            self._prove_as_they_are()
            for _ in range(MOST_STEPS):
                if bool(self.done.all()) or not self.step():
                    break
        except KeyboardInterrupt:
            return dataclasses.replace(self.solved, interrupted=True)
        left = ~self.done
        self.solved.coefficients.flat[self.place[left]] = self.point.coefficients.flat[left]
        self.solved.value[self.place[left]] = self.point.value[left]
        # What was proven of a point on the way is not proven of the last one.
        self.solved.gap[self.place[left]] = math.inf
        self.solved.passes = self.work
        return self.solved

    def rough(self, error):
        """Make steps, without any proof, until one gains less than this share of P everywhere; return Coefficients."""
        for _ in range(_FIRST_STEPS):
            before = self.point.value
            if not self.step() or bool((before - self.point.value <= error * before.abs()).all()):
                break
        return self.point.coefficients

    def step(self):
        """Make one Newton step for all problems that are not done; return whether any of them moved."""
        self._shrink()
        stack, point = self.stack, self.point
        curvature = stack.curvature(point)
        if self.model is None:
            self.model = model_of(stack, point)
        elif self.products >= _DEAR:
            self.model = self.model.renewed(stack, point)
        scale = point.value.abs().clamp(min=torch.finfo(torch.float64).tiny)
        target = at.CLOSING * self.tol * scale * 0.1**self.tries
        known = ~torch.isinf(self.remainder)
        # A gradient of zero: conjugate gradients leave these problems alone.
        gradient = self.gradient.like(self.gradient.flat * ~self.done.unsqueeze(1))
        improved = self.model.apply(gradient)
        predicted = torch.where(known, self.remainder, 0.0) * _half_inner(gradient, improved).square()
        closing = known & (predicted <= target) & (target > 0) & ~self.done
        if stack.dtype != torch.float64 and bool((closing & self._rounded(target)).any()):
            fine = self._fine_gradient()
            gradient = fine.like(fine.flat * ~self.done.unsqueeze(1))
            improved = self.model.apply(gradient)

        def enough(residual, rest, first, gain):
            return self._enough(target, closing, residual, rest, first, gain)

        solution = solve(
            lambda v: stack.product(curvature, v),
            self.model.apply,
            gradient,
            improved,
            enough,
            _MOST_PRODUCTS,
        )
        self.products = solution.steps
        slopes = stack.slopes(solution.direction)
        slope = (solution.direction.flat * gradient.flat).sum(dim=1)
        length, after = self._searched(solution.direction, slopes, slope)
        self.work += (solution.steps + 1.0) * len(self.place) / len(self.solved.value)
        if not bool((length > 0).any()):
            return False
        self.solved.steps[self.place] += ~self.done
        full = length == 1.0
        self.point, self.gradient = after, stack.gradient(after)
        beyond = self.gradient.like(self.gradient.flat - solution.residual.flat)
        # About ½ ρᵀH⁻¹ρ of what the gradient there has beyond what the system left over.
        off = _half_inner(beyond, self.model.apply(beyond)).clamp(min=0)
        self.remainder = torch.where(full, off / (slope / 2).square().clamp(min=1e-300), math.inf)
        if bool((closing & full).any()):
            self._prove(closing & full, point.scores, slopes)
        return True

    def _enough(self, target, closing, residual, rest, first, gain):
        """Return which systems are solved as well as their quadratic models are true, or as a proof asks for."""
        unknown = torch.isinf(self.remainder)
        off = torch.where(unknown, 0.0, self.remainder) * gain.square()
        usual = (rest <= torch.maximum(at.TRUST * off, at.TIGHTEST**2 * first)) & (
            rest <= at.LOOSEST**2 * first
        )
        usual = torch.where(unknown, rest <= at.FORCING**2 * first, usual)
        left = residual.weight.square().sum(dim=(1, 2))
        return torch.where(closing, (rest <= target) & (left <= 2 * self.stack.l2 * target), usual)

    def _searched(self, direction, slopes, slope):
        """Return the length of each problem's step (0: none helps) and the StackPoint there."""
        stack, point = self.stack, self.point
        noise = 2 * torch.finfo(stack.dtype).eps * point.value.abs()
        length = (slope < 0).double()
        for _ in range(_TRIALS):
            coefficients = direction.like(point.coefficients.flat + length.unsqueeze(1) * direction.flat)
            spread = stack.rows.spread(length.to(slopes.dtype).unsqueeze(1))
            after = stack.point(coefficients, torch.addcmul(point.scores, slopes, spread))
            enough = point.value + _SUFFICIENT_DECREASE * length * slope + noise
            worse = ~(after.value <= enough) & (length > 0)
            if not bool(worse.any()):
                break
            length = torch.where(worse, torch.where(length < _SHORTEST, 0.0, length / 4), length)
        return length, after

    def _rounded(self, target):
        """Return which gradients may be off by more than a share of what a proof of `target` can bear: their sums are rounded."""
        stack = self.stack
        # By Cauchy and Schwarz on the terms of each sum; of random signs, as they are, its errors are far below that.
        size = stack.rows.total(self.point.residual.square()).sum(dim=1).sqrt() * stack.column_norms.norm(
            dim=1
        )
        # Parts that are added in float64 have errors of their own.
        share = math.sqrt(stack.rows.short / stack.rows.count)
        off = torch.finfo(stack.dtype).eps * share * size / stack.total_weight
        return (off.square() > at.ROUNDED * 2 * stack.l2 * target) | (self.tries > _TRUSTED)

    def _fine_gradient(self):
        """Return the gradient with sums over rows in float64: what rounding does to their terms averages out."""
        residual = self.point.residual.double()
        return self.stack.wide.gradient(dataclasses.replace(self.point, residual=residual))

    # ---- proofs -----------------------------------------------------------------------------------------------

    def _prove_as_they_are(self):
        """Prove those that look as if their start were good enough: by the gradient, with a strong penalty."""
        weak = self.gradient.weight.square().sum(dim=(1, 2)) / (2 * self.stack.l2)
        good = weak <= self.tol * self.point.value.abs()
        if bool(good.any()):
            self._prove(good, self.point.scores, torch.zeros_like(self.point.scores))

    def _prove(self, trial, scores, slopes):
        """Certify the problems of `trial` where they are now, by the step that began at these scores."""
        stack, axis = self.stack, 1 - self.stack.rows.axis
        index = trial.nonzero().squeeze(1)
        most = max(1, _WIDE_NUMBERS // (stack.rows.count * stack.outputs))
        for part in index.tensor_split(math.ceil(len(index) / most)):
            some = stack if len(part) == stack.problems else stack.some(part)
            rounded = self.point.coefficients.some(part).to(stack.dtype).to(torch.float64)
            z, t = (values.index_select(axis, part) for values in (scores, slopes))
            gap, value = gaps(some, rounded, z, t)
            where = self.place[part]
            self.solved.gap[where], self.solved.value[where] = gap, value
            self.solved.coefficients.flat[where] = rounded.flat
            self.solved.proven[where] = gap <= self.tol * value.abs()
        self.work += 2.0 * len(index) / len(self.solved.value)
        self.tries = self.tries + trial
        done = self.solved.proven[self.place]
        if self.tell is not None:
            self.tell(int((done & ~self.done).sum()))
        self.done = self.done | done

    def _shrink(self):
        """Leave the problems behind that are done, once they are many."""
        left = (~self.done).nonzero().squeeze(1)
        if len(left) > _MANY * len(self.done):
            return
        axis = 1 - self.stack.rows.axis
        self.stack, self.place = self.stack.some(left), self.place[left]
        point = self.point
        self.point = StackPoint(
            point.coefficients.some(left),
            point.scores.index_select(axis, left),
            point.value[left],
            point.residual.index_select(axis, left),
        )
        self.gradient = self.gradient.some(left)
        self.model = self.model and self.model.some(left)
        self.remainder, self.tries, self.done = self.remainder[left], self.tries[left], self.done[left]


def _half_inner(left, right):
    """Return half the inner product of each problem's coefficients."""
    return (left.flat * right.flat).sum(dim=1) / 2
