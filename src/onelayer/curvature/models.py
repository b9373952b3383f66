"""Which model of the Hessian conjugate gradients are preconditioned with, and when it is made anew."""

import dataclasses
import math

import torch

from onelayer.curvature import thresholds as at
from onelayer.curvature.blocks import ClassBlocks
from onelayer.curvature.heavy import HeavyColumns
from onelayer.curvature.kronecker import Kronecker
from onelayer.curvature.preconditioners import Diagonal, Preconditioner
from onelayer.curvature.recycling import Pairs, Recycled

__all__ = ["Model", "kind_of"]


@dataclasses.dataclass(frozen=True)
class Model:
    """A preconditioner, the curvature it was made at, and how it has served since.

    Attributes
    ----------
    factors : Preconditioner
    trace : tensor of shape (n,)
        Of the curvature of each row when it was made.
    rows : int
        For each block.
    rate : float
        By how much a product lowers the logarithm of the squared residual.
    pairs : Pairs, optional
        What the last system has found out.
    shared : int
        How many problems a new model would serve.
    """

    factors: Preconditioner
    trace: torch.Tensor
    rows: int
    rate: float = at.USUAL_RATE
    pairs: Pairs | None = None
    shared: int = 1

    @property
    def preconditioner(self):
        """The factors, better informed by the last system."""
        return Recycled(self.factors, self.pairs) if self.pairs else self.factors

    @classmethod
    def first(cls, objective, curvature, settled=False):
        """Return a model to begin with: a rough one where the curvature will move with the next step."""
        per_feature = at.ROWS_PER_FEATURE if settled else at.ROUGH_ROWS_PER_FEATURE
        return cls._made(objective, curvature, per_feature, first=not settled)

    def current(self, objective, curvature, settled, ahead):
        """Return this model, or a new one where what lies ahead costs more with this than a new one would.

        Parameters
        ----------
        settled : bool
            Curvature that has settled deserves a better model than curvature that moves.
        ahead : float
            The logarithm of the factor by which squared residuals have still to fall.
        """
        per_feature = at.ROWS_PER_FEATURE if settled else at.ROUGH_ROWS_PER_FEATURE
        rows = _rows(objective, per_feature)
        if ahead / self.rate <= _price(objective, rows) / self.shared:
            return self
        moved = (curvature.trace() - self.trace).abs().sum().item()
        if rows <= at.FINER * self.rows and moved <= at.STALE * self.trace.sum().item():
            return self
        made = self._made(objective, curvature, per_feature)
        return dataclasses.replace(made, pairs=self.pairs, shared=self.shared)

    def under(self, l2):
        """Return the model of the same curvature plus another α.

        Without what the last system has found out: on a path it cost as much as it saved (NOTES.md).
        """
        return dataclasses.replace(self, factors=self.factors.under(l2), pairs=None, shared=at.SHARED)

    def after(self, solution):
        """Return the same model, with the rate that it has just shown."""
        fall = -math.log(max(solution.reduction, 1e-300)) if solution.reduction < 1 else 0.0
        rate = max(fall / max(solution.steps, 1), at.LEAST_RATE)
        return dataclasses.replace(self, rate=rate, pairs=solution.pairs)

    @classmethod
    def _made(cls, objective, curvature, per_feature, *, first=False):
        rows = _rows(objective, per_feature)
        kind = _kind(objective, rows, first)
        kept = rows if kind in (ClassBlocks, HeavyColumns) else 0
        return cls(kind(objective, curvature, rows), curvature.trace(), kept)


def kind_of(objective):
    """Return the class of preconditioner that suits the size of an objective."""
    features, outputs = objective.features, objective.outputs
    if objective.design.sparse and features > at.HEAVY_FROM:
        return HeavyColumns
    if features > at.FACTOR_FEATURES:
        return Diagonal
    numbers = outputs * features**2
    small = numbers <= max(at.BLOCKS_NUMBERS, at.BLOCKS_SHARE * objective.rows * features)
    return ClassBlocks if small or not objective.loss.shift_invariant else Kronecker


def _kind(objective, rows, first):
    kind = kind_of(objective)
    shared = kind is ClassBlocks and objective.loss.shift_invariant
    return Kronecker if first and shared and _price(objective, rows) > at.DEAR else kind


def _rows(objective, per_feature):
    if kind_of(objective) is HeavyColumns:
        return min(objective.rows, per_feature * at.HEAVY_FEATURES)
    cheap = at.CHEAP / (_price(objective, 1) - _price(objective, 0))
    rows = max(at.MIN_ROWS, per_feature * objective.features, cheap)
    return objective.rows if rows > at.ALL_ROWS * objective.rows else int(rows)


def _price(objective, rows):
    """Return what blocks of so many rows cost, in products with the Hessian."""
    if kind_of(objective) is HeavyColumns:
        return at.HEAVY_PRICE
    features = objective.features
    work = rows * (features + at.ROW_PRICE) + at.FACTOR_PRICE * features**2
    return at.GRAM_PRICE * min(1.0, objective.outputs / at.MANY_OUTPUTS) * work / (2 * objective.rows)
