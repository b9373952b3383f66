"""Newton's method for rows that are not in memory: one read a step."""

import copy
import dataclasses
import math
from typing import Any, ClassVar

import torch

from onelayer.certificates import SweptCertifier, shift_of
from onelayer.curvature import Goal, how_solved, system_for
from onelayer.curvature import thresholds as at
from onelayer.curvature.conjugate_gradients import solve
from onelayer.curvature.sketch import sketch_of
from onelayer.errors import SolverError
from onelayer.objective import curvature_sweep, sweep
from onelayer.parameters import Parameters
from onelayer.penalties import L2
from onelayer.result import Status
from onelayer.solvers.base import Solver, State, check_count
from onelayer.solvers.newton import Newton
from onelayer.solvers.two_loop import two_loop

__all__ = ["SketchedNewton"]

# Steps that are looked at in the same read, in case the full one does not lower P; none once steps have settled.
_LENGTHS = (1 / 64, 1 / 16, 1 / 4, 1 / 2)
_LEAST_LENGTH = 1e-9
_SUFFICIENT_DECREASE = 1e-4
# Squared residual that the systems of the sketch are solved to: better than the sketch is true of all rows.
_SYSTEM = 1e-6
# Steps that gain less than this share of P are taken in float64, with a proof at their end.
_FINE = 1e-3
_SKETCH_STEPS = 30
# Rows for each coefficient from which the optimum of a sample at the same α is the better start.
_ENOUGH_ROWS = 10
# Of tol, what is left where the sample is all there is.
_EXACT = 1e-2
# A step that is shorter than the model asks for, or is to gain more than this share of what the last one was to, is a slow
# one; after so many of them in a row products with the whole Hessian are worth a read each.
_SLOW, _PATIENCE = 0.3, 2
# Reduction of the preconditioned residual that these products are to bring, at the most of so many reads.
_FORCING, _MOST_READS = 0.1, 30


@dataclasses.dataclass
class _State(State):
    work: Any = None
    system: Any = None
    certifier: Any = None
    pairs: tuple = ()
    # What the last step was expected to gain.
    decrement: float = math.inf
    slow: int = 0
    fine: bool = False
    tol: float = 0.0
    returned: Any = None


class SketchedNewton(Solver):
    """Newton steps with the Hessian of the rows that are in memory and the gradient of all rows.

    Minimises P(W, b) of the estimator for smooth convex losses with an L2 penalty. For data that do not fit into memory: a
    sample of the rows that does, drawn in the first read, gives the start (its optimum at the same C) and a model of the
    curvature. Each step then costs one read, which gives the objective at several step lengths, the gradient, and the
    certificate.

    Parameters
    ----------
    memory : int, default 10
        Pairs of steps and gradient changes that teach the model what the sample does not know.
    stop : Rule, optional
        An extra rule from ``onelayer.stopping``, beside the estimator's `tol`, `max_iter` and `time_limit`.

    Notes
    -----
    With m of n rows in memory and p coefficients that matter, a step leaves about p/m of the gap. No array has a number for
    each row: memory is that of the sample and of a block of rows, however many there are. The direction is that of L-BFGS
    whose first metric is the Newton system of the sample, solved by preconditioned conjugate gradients in memory: where the
    sample is a poor model (rare features) the pairs make up for it, and where they do not, conjugate gradients with the
    Hessian of all rows follow, one read for each product, preconditioned by the sample's.

    References
    ----------
    R. Byrd, G. Chin, W. Neveitt, J. Nocedal, "On the use of stochastic Hessian information in optimization methods for
    machine learning", SIAM J. Optim. 21 (2011). O. Shamir, N. Srebro, T. Zhang, "Communication-efficient distributed
    optimization using an approximate Newton-type method", ICML 2014.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("digits")
    >>> model = ol.SoftmaxRegression(solver=ol.solvers.SketchedNewton()).fit(data.X, data.y)
    >>> model.result_.status, model.certificate_.relative_gap <= 1e-6
    (<Status.CONVERGED: 'converged'>, True)
    """

    name: ClassVar = "sketched-newton"
    proves: ClassVar = True

    def __init__(self, memory=10, *, stop=None):
        check_count("memory", memory)
        self.memory, self.stop = int(memory), stop

    @property
    def parameters(self):
        return {"memory": self.memory, "stop": self.stop}

    def check(self, loss, penalty):
        super().check(loss, penalty)
        if not SweptCertifier.serves(loss, penalty):
            raise SolverError(
                f"solver {self.name!r} needs a smooth convex loss (log, huber, squared) and an L2 penalty without an L1 part, and this "
                f"is {loss!r} with {penalty!r}: use solver='auto'."
            )

    def explain(self, objective):
        sketch = sketch_of(objective)
        rows = f"{sketch.rows:,} of {objective.rows:,} rows"
        return [
            f"{rows} give the start and the curvature, each step reads all of them once",
            how_solved(sketch),
        ]

    def init(self, objective, parameters, *, seed=0, tol=0.0):
        del seed
        sketch = sketch_of(objective)
        start, move = parameters.to(torch.float64), None
        if not bool(start.flat.any()):
            start = _constant(sketch, start)
            end = _optimum(objective, sketch, start, tol)
            move = start.like(end.flat - start.flat)
        found = sweep(objective, start, move, (0.0, *_LENGTHS) if move else ())
        best = min(range(len(found.lengths)), key=lambda place: found.values[place])
        if move is not None and best != len(found.lengths) - 1:
            # The sample was fitted too well.
            found = sweep(objective, start, start.like(found.lengths[best] * move.flat))
        return _State(
            found.end,
            found.value,
            found.gradient,
            work=objective,
            system=system_for(sketch),
            certifier=SweptCertifier(objective),
            tol=tol,
            returned=objective.dtype,
        )

    def saved(self, state):
        arrays = {"parameters": state.parameters.flat, "gradient": state.gradient.flat}
        for name, place in (("moves", 0), ("changes", 1)):
            if state.pairs:
                arrays[name] = torch.stack([pair[place] for pair in state.pairs])
        numbers = {name: getattr(state, name) for name in ("value", "step", "decrement", "slow", "fine")}
        return arrays, numbers

    def resumed(self, objective, arrays, numbers, *, seed=0, tol=0.0):
        del seed
        arrays = {name: array.to(objective.design.device) for name, array in arrays.items()}
        moves, changes = (arrays.get(name, ()) for name in ("moves", "changes"))
        like = objective.zeros().to(torch.float64).like
        return _State(
            like(arrays["parameters"]),
            gradient=like(arrays["gradient"]),
            work=objective,
            system=system_for(sketch_of(objective)),
            certifier=SweptCertifier(objective),
            pairs=tuple(
                (move, change, 1 / (move @ change).item())
                for move, change in zip(moves, changes, strict=True)
            ),
            tol=tol,
            returned=objective.dtype,
            **numbers,
        )

    def step(self, objective, state):
        system = state.system
        point = system.objective.point(state.parameters)
        scale = max(abs(state.value), torch.finfo(torch.float64).tiny)
        settled = state.decrement < at.SETTLED * scale
        system = system.at(point, settled, math.inf if settled else at.TWO_SYSTEMS, False)
        state = dataclasses.replace(state, system=system)
        for direction in self._directions(state, point):
            slope = (direction.flat @ state.gradient.flat).item()
            if slope < 0:
                moved = self._moved(state, direction, slope, scale)
                if moved is not None:
                    return moved
        if not state.fine:
            return self.step(objective, dataclasses.replace(state, fine=True))
        why = (
            "no step lowers the objective any more in float64 (columns far from zero cost a stream's proof its digits: "
            "standardize=True or dtype='float64' keep them)"
        )
        return dataclasses.replace(state, halt=(Status.STALLED, why))

    def _moved(self, state, direction, slope, scale):
        """Return the state after a step along a direction, or None where no length of it lowers P."""
        fine = state.fine or -slope / 2 < _FINE * scale
        lengths = () if fine and state.step == 1.0 else _LENGTHS
        if fine and not state.fine:
            # Values in finer arithmetic are compared with one of their own kind.
            lengths = (0.0, *lengths)
        found, length = _read(state, direction, lengths, fine), 1.0
        if lengths and lengths[0] == 0.0:
            state = dataclasses.replace(state, value=found.values[0])
        while not _enough(found, -1, state, slope, fine):
            good = [
                place
                for place in range(len(lengths))
                if lengths[place] and _enough(found, place, state, slope, fine)
            ]
            if good:
                ratio = lengths[min(good, key=lambda place: found.values[place])]
                lengths = ()
            else:
                # Not even the shortest of them: from there on down.
                ratio, lengths = _LENGTHS[0], _LENGTHS
            length, slope, direction = ratio * length, ratio * slope, direction.like(ratio * direction.flat)
            if length < _LEAST_LENGTH:
                return None
            found = _read(state, direction, lengths, fine)
        if fine and not _helps(found, state):
            return None
        return self._advance(state, found, direction, length, slope, fine)

    def _advance(self, state, found, direction, length, slope, fine):
        slow = length < 1 or -slope / 2 > _SLOW * state.decrement
        change = found.gradient.flat - state.gradient.flat
        curvature = (change @ direction.flat).item()
        pairs = state.pairs
        if curvature > 1e-10 * change.norm().item() * direction.flat.norm().item():
            pairs = (*pairs, (direction.flat, change, 1 / curvature))[-self.memory :]
        return dataclasses.replace(
            state,
            parameters=found.end,
            value=found.value,
            gradient=found.gradient,
            step=length,
            pairs=pairs,
            decrement=-slope / 2,
            slow=state.slow + 1 if slow or state.slow >= _PATIENCE else 0,
            fine=fine,
            proof=_proof(state, found) if fine else None,
        )

    def _directions(self, state, point):
        """Yield directions to try: by the sketch and what the pairs add to it, by all rows, by curvature that does not die."""
        system, gradient = state.system, state.gradient

        def applied(flat):
            # Far below what the sketch differs from all rows, so that this is one linear map, as the pairs suppose.
            right = gradient.like(flat)
            goal = Goal(0.0, target=_SYSTEM * system.decrement(right))
            return -system.solve(right, goal)[0].direction.flat

        if state.slow < _PATIENCE:
            yield gradient.like(-two_loop(gradient.flat, state.pairs, applied))
        work = state.certifier.wide if state.fine else state.work
        first = (gradient.flat @ applied(gradient.flat)).item() / 2

        def enough(residual, rest, gain):
            del residual, gain
            return rest <= _FORCING**2 * first

        solution = solve(
            lambda direction: curvature_sweep(work, state.parameters, direction),
            lambda residual: gradient.like(applied(residual.flat)),
            gradient,
            enough,
            _MOST_READS,
        )
        yield solution.direction
        system = state.system.majorised(point)
        yield system.solve(gradient, Goal(0.0, target=_SYSTEM * system.decrement(gradient)))[0].direction


def _helps(found, state):
    """Return whether a step lowered P by more than rounding, or made the gradient smaller."""
    noise = 2 * torch.finfo(torch.float64).eps * abs(state.value)
    return (
        found.value < state.value - noise or found.gradient.flat.abs().max() < state.gradient.flat.abs().max()
    )


def _constant(sketch, zeros):
    """Return the best constant model of the sketch: W = 0, and b as good as it can be."""
    if not sketch.fit_intercept:
        return zeros
    bias = sketch.loss.best_constant(sketch.y, sketch.sample_weight, sketch.outputs)
    return Parameters.of(zeros.weight, bias.to(zeros.bias))


def _optimum(objective, sketch, start, tol):
    """Return the optimum of the sketch at the same C, as exactly as it can be that of all rows."""
    solver, count = Newton(), sketch.rows
    # The same rows, not a copy of them.
    part = copy.copy(sketch)
    coefficients = len(start.flat)
    # At the same C (that is α n/m) where the sample is so small that at the same α it would be fitted too well.
    small = min(1.0, _ENOUGH_ROWS * coefficients / count)
    part.penalty = L2(objective.penalty.l2 * (1 + small * (objective.rows / count - 1)))
    # How far the optimum of a sample is from that of all rows, on average; nothing where it is all rows.
    error = coefficients / (2 * count) if count < objective.rows else _EXACT * tol
    inner = solver.init(part, start, tol=0.0)
    for _ in range(_SKETCH_STEPS):
        inner = solver.step(part, inner)
        if inner.halt or (
            inner.step == 1.0 and inner.decrement < min(error, at.SUBSET_ACCURACY) * abs(inner.value)
        ):
            break
    return inner.parameters.to(torch.float64)


def _read(state, direction, lengths, fine):
    if fine:
        return state.certifier.sweep(state.parameters, direction, lengths)
    return sweep(state.work, state.parameters, direction, lengths)


def _enough(found, place, state, slope, fine):
    """Return whether a step lowers P as a step should, up to rounding."""
    unit = torch.finfo(torch.float64 if fine else state.work.dtype).eps
    noise = 2 * unit * abs(state.value)
    return found.values[place] <= state.value + _SUFFICIENT_DECREASE * found.lengths[place] * slope + noise


def _proof(state, found):
    """Return the certificate of the end of a sweep; a second read makes it where only the intercept stands in its way."""
    certifier = state.certifier
    returned = found.end.to(state.returned)
    proof = certifier.of(found, returned)
    if proof.relative_gap <= state.tol or not certifier.shifts:
        return proof
    gap = certifier.relative(certifier.estimate(found.end, found.gradient), found.value)
    if gap > state.tol / 2:
        return proof
    better = certifier.of(certifier.sweep(found.end, shift=shift_of(found)), returned)
    return better if better.gap < proof.gap else proof
