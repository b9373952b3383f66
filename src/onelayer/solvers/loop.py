"""The loop around every solver: counting, the trace, stopping, non-finite checks, interruption. Written once."""

import functools
import math
import time

import torch

from onelayer.result import Record, Status
from onelayer.solvers.base import State
from onelayer.solvers.ending import Outcome, conclude
from onelayer.solvers.events import Iterate, Start
from onelayer.solvers.gap_watch import GapWatch
from onelayer.solvers.separation_watch import SeparationWatch
from onelayer.stopping import MaxIterations, RelativeGap, TimeLimit

__all__ = ["Outcome", "minimize"]


def minimize(
    solver,
    objective,
    start,
    *,
    tol=1e-6,
    max_iter=None,
    time_limit=None,
    seed=0,
    callbacks=(),
    estimator=None,
    as_estimator=None,
    names=None,
    keeper=None,
    after=None,
):
    """Run a solver until a rule, the solver itself or the user stops it.

    Parameters
    ----------
    solver : Solver
    objective : Objective
    start : Parameters
    tol : float
        Certified relative gap to stop at; 0 asks for all the steps.
    max_iter, time_limit : int, float, optional
    seed : int
        For solvers that draw.
    callbacks : sequence of Callback
    estimator : estimator, optional
        On whose behalf, for callbacks.
    as_estimator : callable, optional
        Makes the fitted estimator of some Parameters, for callbacks.
    names : sequence of str, optional
        Of the features, for messages.
    keeper : object, optional
        With ``load()``, which returns what an earlier run has saved (or None), and ``store``, called after each iteration.
    after : Outcome, optional
        Of the same solver on an objective that shares X: what it learnt of that is used again. Its certifier, if it is not
        None, is of the same weights as well.

    Returns
    -------
    Outcome
    """
    run = _Run(solver, objective, tol, max_iter, time_limit, callbacks, as_estimator, names, keeper, after)
    # Inside torch.autocast products would be rounded to half precision: a fit has the arithmetic that it was asked for.
    with torch.autocast(objective.design.device.type, enabled=False):
        return run.go(start, seed, estimator)


class _Run:
    """One run of the loop."""

    state: State
    best: State
    best_norm: float | None

    def __init__(
        self, solver, objective, tol, max_iter, time_limit, callbacks, as_estimator, names, keeper, after
    ):
        self.after = after
        self.solver, self.objective, self.tol = solver, objective, tol
        self.group = objective.design.group
        self.max_iter, self.time_limit = max_iter, time_limit
        self.callbacks, self.as_estimator = callbacks, as_estimator
        self.names = names
        self.separation = SeparationWatch(objective, solver)
        self.watch = GapWatch(objective, tol, solver_proves=solver.proves, before=after and after.certifier)
        self.trace = []
        self.kept, self.keeper = None, keeper
        rules = [RelativeGap(tol), solver.stop]
        rules += [MaxIterations(max_iter) if max_iter is not None else None]
        self.rule = functools.reduce(lambda one, two: one | two, [rule for rule in rules if rule is not None])
        # Seconds of earlier runs of the same fit.
        self.spent = 0.0

    def go(self, start, seed, estimator):
        self.began = time.perf_counter()
        fitted, told = None, []
        try:
            account = self._account(estimator)
            for callback in self.callbacks:
                # One that fails to begin may have opened something: it is told of the end as well.
                told.append(callback)
                callback.on_fit_begin(account)
            try:
                outcome = self._iterate(start, seed)
            except KeyboardInterrupt:
                # Of several processes the others know nothing of it.
                if not self.trace or self.group.size > 1:
                    raise
                outcome = Status.INTERRUPTED, "interrupted by the user; the best iterate so far is kept"
            fitted = conclude(self, *outcome)
        finally:
            for callback in told:
                callback.on_fit_end(fitted and fitted.result)
        return fitted

    def _account(self, estimator):
        objective = self.objective
        return Start(
            estimator,
            self.solver,
            objective.loss,
            objective.penalty,
            objective.rows,
            objective.features,
            objective.outputs,
            self.tol,
            self.max_iter,
            self.time_limit,
            self._steps,
            str(objective.design.device),
            str(objective.dtype).removeprefix("torch."),
        )

    @property
    def _steps(self):
        asked = [count for count in (self.solver.steps, self.max_iter) if count is not None]
        return min(asked) if asked else None

    def _iterate(self, start, seed):
        earlier = self.keeper and self.keeper.load()
        if earlier:
            self._go_on(earlier, seed)
        else:
            options = {"seed": seed, "tol": self.tol}
            if self.after:
                self.state = self.solver.follow(self.objective, start, self.after.state, **options)
            else:
                self.state = self.solver.init(self.objective, start, **options)
            self.best = self.state
            self._record(0)
        while True:
            # Of several processes the first one's clock and callbacks decide.
            outcome = self.group.agreed(self._outcome()) or self._hopeless()
            if outcome:
                return outcome
            self.state = self.solver.step(self.objective, self.state)
            if self.state.halt:
                return self.state.halt
            self._record(self.trace[-1].iteration + 1)

    def _go_on(self, earlier, seed):
        """Begin where an earlier run was ended: after its last iteration, with what it cost so far."""
        self.state = self.best = self.solver.resumed(
            self.objective, earlier.arrays, earlier.numbers, seed=seed, tol=self.tol
        )
        *self.trace, last = earlier.trace
        self.began -= last.seconds
        self.objective._work.passes += earlier.passes
        # Its limit of time is that of this run.
        self.spent = last.seconds
        self._record(last.iteration)

    def _record(self, iteration):
        state = self.state
        norm = self._gradient_norm(state)
        record = Record(
            iteration,
            time.perf_counter() - self.began,
            self.objective.passes,
            state.value,
            norm,
            None,
            state.step,
        )
        if math.isfinite(state.value):
            if self._is_better(state, norm):
                self.best, self.best_norm = state, norm
            certificate = self.watch.look(state, iteration)
            record.relative_gap = certificate and certificate.relative_gap
            record.passes, record.seconds = self.objective.passes, time.perf_counter() - self.began
        self.trace.append(record)
        if self.keeper and math.isfinite(state.value):
            self.keeper.store(*self.solver.saved(state), self.trace, self.objective)
        parameters = state.parameters.to(self.objective.dtype)
        make = functools.partial(self.as_estimator, parameters) if self.as_estimator else None
        iterate = Iterate(
            record, parameters, self._steps, make, functools.partial(self._keep, state, iteration)
        )
        before = self.kept
        self.stop_asked = [callback for callback in self.callbacks if callback.on_iteration(iterate)]
        if self.group.size > 1 and self.group.agreed(self.kept is not before) != (self.kept is not before):
            self.kept = before if self.kept is not before else (state, iteration)

    def _keep(self, state, iteration):
        if math.isfinite(state.value):
            self.kept = state, iteration

    def _gradient_norm(self, state):
        if state.gradient is None:
            return None
        if not self.objective.penalty.l1:
            return state.gradient.flat.abs().max().item()
        weight = self.objective.penalty.least_subgradient(state.parameters.weight, state.gradient.weight)
        return max(weight.abs().max().item(), state.gradient.bias.abs().max().item())

    def _is_better(self, state, norm):
        if state is self.best or not math.isfinite(self.best.value):
            return True
        noise = 2 * self.objective.rounding_unit * abs(self.best.value)
        gain = self.best.value - state.value
        return gain > noise or (
            gain >= -noise and (norm is None or self.best_norm is None or norm < self.best_norm)
        )

    def _outcome(self):
        state, solver = self.state, self.solver
        if not math.isfinite(state.value) and self.trace[-1].iteration == 0:
            return Status.DIVERGED, "the objective is not finite at the start: begin nearer to zero (init)"
        if not math.isfinite(state.value):
            return Status.DIVERGED, (
                f"the objective is not finite after {self.trace[-1].iteration} {solver.step_noun}: "
                + solver.explain_divergence()
            )
        outcome = self.rule.check(self.trace)
        if not outcome and self.time_limit is not None:
            outcome = TimeLimit(self.time_limit + self.spent).check(self.trace)
        made_all = solver.steps is not None and self.trace[-1].iteration >= solver.steps
        if (made_all or outcome) and self._ended_above_its_start():
            return Status.DIVERGED, (
                f"the objective rose from {self.trace[0].objective:.3g} to {state.value:.3g}: "
                + solver.explain_divergence()
            )
        if outcome:
            return outcome
        if made_all:
            remark = solver.remark(self.trace)
            why = f"all {solver.steps} {solver.step_noun} were made, as asked"
            return Status.FINISHED, f"{why} ({remark})" if remark else why
        if self.stop_asked:
            return Status.FINISHED, f"stopped by {self.stop_asked[0]!r}"
        return None

    def _hopeless(self):
        """Return why no more steps will prove anything, if that is so; of several processes all look at the same numbers."""
        state, solver = self.state, self.solver
        if self.separation.found(state, self.trace):
            return Status.SEPARATED, "no optimum exists"
        if (
            not solver.approximate
            and self.watch.obstacle
            and (self.trace[-1].gradient_norm or 0.0) <= self._small_gradient()
        ):
            return Status.STALLED, (
                f"the largest entry of the gradient is {self.trace[-1].gradient_norm:.2g}, but {self.watch.obstacle}"
            )
        return None

    def _ended_above_its_start(self):
        start, end = self.trace[0].objective, self.state.value
        # A start near the optimum may be left by a little: that is small beside the best constant model.
        size = max(abs(start), self.watch.certifier.constant_value)
        return end - start > (self.solver.divergence_factor(self.objective) - 1) * size

    def _small_gradient(self):
        return self.tol * max(abs(self.state.value), self.objective.rounding_unit)
