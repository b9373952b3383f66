"""Where a stream of mini-batch steps stands, from one part of the data to the next."""

import copy
import dataclasses
import math
import time

import torch

from onelayer.result import Record, Result
from onelayer.solvers import SGD

__all__ = ["Stream", "forget"]

# Records of the trace that a stream without end keeps.
_TRACE = 1000


def forget(estimator):
    """Drop what partial_fit and polish left: it does not belong to coefficients from elsewhere."""
    for stale in ("polish_report_", "_stream", "n_seen_", "t_"):
        vars(estimator).pop(stale, None)


@dataclasses.dataclass(frozen=True)
class Stream:
    """What the next part goes on with, as plain data: an optimizer's tensors are views that no pickle keeps.

    Attributes
    ----------
    solver : SGD
    seed : int
    generator : tensor
        State of the generator that orders the rows.
    rows, updates, iterations : int
        Rows seen, steps and passes made.
    weight : float
        S, the weight of the rows seen.
    optimizer, scheduler : dict or None
        Their state_dicts.
    passes : float
    value : float
        P on the last part.
    trace : tuple of Record
    result : Result or None
        The account of the fit that this stream is the end of.
    """

    solver: SGD
    seed: int
    generator: torch.Tensor
    rows: int
    weight: float
    updates: int = 0
    iterations: int = 0
    optimizer: dict | None = None
    scheduler: dict | None = None
    passes: float = 0.0
    seconds: float = 0.0
    value: float = math.nan
    trace: tuple[Record, ...] = ()
    result: Result | None = None

    @classmethod
    def begin(cls, solver, seed, rows):
        """Return a stream before its first part, with so many rows seen by a fit before it."""
        return cls(solver, seed, torch.Generator("cpu").manual_seed(seed).get_state(), rows, float(rows))

    def with_rows(self, objective, weight):
        """Return the stream that has seen these rows, of this weight in sum, and weigh them in the objective.

        A fit divides weights by their mean. Here it is that of all rows seen so far: by that of each part, a stream of
        single rows would not see their weights at all.
        """
        rows = objective.rows
        stream = dataclasses.replace(self, rows=self.rows + rows, weight=self.weight + weight)
        factor = (weight / rows) * (stream.rows / stream.weight)
        if factor != 1:
            given = objective.sample_weight
            ones = torch.ones(rows, dtype=objective.dtype, device=objective.design.device)
            objective.sample_weight = factor * (ones if given is None else given)
            objective.total_weight = float(rows)
        return stream

    def passed(self, objective, start):
        """Return the Parameters after a pass over the objective's rows, None if they left the finite numbers; and the stream."""
        began, solver = time.perf_counter(), self.solver
        generator = torch.Generator("cpu")
        generator.set_state(self.generator)
        optimizer, scheduler, live = solver.prepare(start, objective.fit_intercept)
        if self.optimizer is not None:
            # torch takes the tensors of a state over as they are, and moves them.
            optimizer.load_state_dict(copy.deepcopy(self.optimizer))
        if self.scheduler is not None:
            scheduler.load_state_dict(copy.deepcopy(self.scheduler))
        with torch.autocast(objective.design.device.type, enabled=False):
            rate = solver.epoch(objective, live, optimizer, generator)
            value = objective.value(live)
        if scheduler:
            scheduler.step()
        finite = math.isfinite(value) and bool(torch.isfinite(live.flat).all())
        passes, seconds = self.passes + objective.passes, self.seconds + time.perf_counter() - began
        record = Record(self.iterations + 1, seconds, passes, value, step=rate)
        stream = dataclasses.replace(
            self,
            generator=generator.get_state(),
            updates=self.updates + math.ceil(objective.rows / solver.batch_size),
            iterations=self.iterations + 1,
            optimizer=optimizer.state_dict(),
            scheduler=scheduler.state_dict() if scheduler else None,
            passes=passes,
            seconds=seconds,
            value=value,
            trace=(*self.trace, record)[-_TRACE:],
        )
        return live if finite else None, stream

    def owned_by(self, result):
        """Return the stream whose coefficients are those of this account."""
        return dataclasses.replace(self, result=result)
