"""The formula for many problems of one shape.

P_m(W, b) = (1/S_m) Σ_i s_im ℓ(y_im, z_im) + α_m/2 ‖W_m‖²,    z_im = W_m x_im + b_m + o_im,    S_m = Σ_i s_im
"""

import dataclasses
import functools

import torch

from onelayer.losses.curvature import SoftmaxCurvature
from onelayer.stacks.coefficients import Coefficients

__all__ = ["Stack", "StackPoint"]


@dataclasses.dataclass(frozen=True)
class StackPoint:
    """Every P_m at one place.

    Attributes
    ----------
    coefficients : Coefficients
    scores : tensor of shape (*each, outputs)
    value : float64 tensor of shape (problems,)
    residual : tensor of shape (*each, outputs)
        s_im ∂ℓ/∂z_im.
    """

    coefficients: Coefficients
    scores: torch.Tensor
    value: torch.Tensor
    residual: torch.Tensor


class Stack:
    """Many problems with the same loss and shape, each with its own targets, weights and strength of the L2 penalty.

    A row of weight 0 is a row left out: a fold of a cross-validation is a problem, and shares X with the others.

    Parameters
    ----------
    rows : Rows
    y : tensor of shape `each`
        int64 numbers of classes where ``loss.per_class``, else real.
    loss : Loss
        Smooth and convex.
    l2 : float64 tensor of shape (problems,)
        α_m > 0.
    outputs : int
    sample_weight : tensor of shape `each`, optional
        s_im ≥ 0; default 1.
    offset : tensor of shape (*each, outputs), optional
    fit_intercept : bool
    """

    def __init__(self, rows, y, loss, l2, *, outputs, sample_weight=None, offset=None, fit_intercept=True):
        self.rows, self.loss, self.l2, self.outputs = rows, loss, l2, outputs
        self.y = y if loss.per_class else y.to(rows.dtype)
        self.sample_weight = None if sample_weight is None else sample_weight.to(rows.dtype)
        self.offset = None if offset is None else offset.to(rows.dtype)
        # As they were given: proofs are about these.
        self._given = y, sample_weight, offset
        self.fit_intercept, self.features = fit_intercept, rows.features
        count = torch.full((len(l2),), float(rows.count), dtype=torch.float64, device=rows.device)
        self.total_weight = count if sample_weight is None else rows.total(sample_weight)

    @property
    def problems(self):
        """How many."""
        return len(self.l2)

    @property
    def dtype(self):
        """The arithmetic of products and elementwise work; sums are float64."""
        return self.rows.dtype

    @functools.cached_property
    def column_norms(self):
        """At least (Σ_i s_i x_ij²)^½, shape (problems or 1, features)."""
        return self.rows.column_norms(self.sample_weight)

    def zeros(self):
        """Return W = 0, b = 0 for all of them."""
        size = self.outputs * (self.features + 1)
        flat = torch.zeros(self.problems, size, dtype=torch.float64, device=self.rows.device)
        return Coefficients(flat, self.outputs, self.features)

    # ---- what a loss takes: one row for each row of each problem ------------------------------------------------

    def flat(self, values):
        """Return (*each, outputs) as (rows × problems, outputs)."""
        return values.reshape(-1, self.outputs)

    @property
    def targets(self):
        """Return y as the loss takes it."""
        return self.y.reshape(-1) if self.loss.per_class else self.y.reshape(-1, 1)

    def each(self, values):
        """Return what a loss gave, (rows × problems, outputs), as (*each, outputs)."""
        return values.reshape(*self.y.shape, -1)

    def weighted(self, values):
        """Return values of shape (*each, …) times the weights."""
        return values if self.sample_weight is None else values * self.sample_weight.unsqueeze(-1)

    def mean(self, values):
        """Return the weighted mean of values of the shape `each` over the rows of each problem, in float64."""
        values = values.double()
        if self.sample_weight is not None:
            # A row of no weight counts for nothing, even where its loss is infinite.
            values = torch.where(self.sample_weight > 0, self.sample_weight * values, 0.0)
        return self.rows.total(values) / self.total_weight

    # ---- value, gradient, curvature ---------------------------------------------------------------------------

    def scores(self, coefficients):
        """Return all z."""
        scores = self.slopes(coefficients)
        return scores if self.offset is None else scores + self.offset

    def slopes(self, coefficients):
        """Return W x + b without the offset."""
        narrow = coefficients.to(self.dtype)
        return self.rows.scores(narrow.weight, narrow.bias)

    def point(self, coefficients, scores=None):
        """Evaluate every P_m."""
        scores = self.scores(coefficients) if scores is None else scores
        value, residual = self.loss.value_and_gradient(self.flat(scores), self.targets)
        value = self.mean(value.reshape(self.y.shape)) + self.penalty(coefficients)
        return StackPoint(coefficients, scores, value, self.weighted(self.each(residual)))

    def swept(self, coefficients, residual):
        """Return the point here, and the `adjoint` of a residual that does not depend on it, in one read of shared rows."""
        narrow = coefficients.to(self.dtype)
        scores, pulled = self.rows.swept(narrow.weight, narrow.bias, residual)
        scores = scores if self.offset is None else scores + self.offset
        return self.point(coefficients, scores), pulled / self.total_weight.view(-1, 1, 1).to(pulled.dtype)

    def penalty(self, coefficients):
        """Return α_m/2 ‖W_m‖²."""
        return self.l2 / 2 * coefficients.weight.double().square().sum(dim=(1, 2))

    def gradient(self, point):
        """Return the gradients, in float64."""
        return self._with_penalty(point.residual, point.coefficients)

    def product(self, curvature, direction):
        """Return the Hessians times directions, in float64."""
        slopes = self.slopes(direction)
        bent = self.weighted(self.each(curvature.product(self.flat(slopes))))
        return self._with_penalty(bent, direction)

    def curvature(self, point):
        """Return ∂²ℓ/∂z² of all rows of all problems, in the shape that `flat` gives."""
        return self.loss.curvature(self.flat(point.scores), self.targets)

    def mean_curvature(self, curvature):
        """Return (1/S) Σ_i s_i J_i of each problem, float64, shape (problems, outputs, outputs)."""
        if not isinstance(curvature, SoftmaxCurvature):
            each = curvature.matrices().reshape(*self.y.shape, -1)
            total = self.rows.total(self.weighted(each)) / self.total_weight.unsqueeze(1)
            return total.unflatten(1, (self.outputs, self.outputs))
        # As products: a matrix for each row would be as many numbers as the classes squared.
        p = self.each(curvature.p.T)
        left, right = (part.movedim(1 - self.rows.axis, 0) for part in (self.weighted(p), p))
        coupled = torch.bmm(left.mT, right).double()
        mass = self.rows.total(self.weighted(p))
        return (torch.diag_embed(mass) - coupled) / self.total_weight.view(-1, 1, 1)

    def adjoint(self, residual):
        """Return RᵀX / S of each problem, weights included in R."""
        return self.rows.adjoint(residual) / self.total_weight.view(-1, 1, 1).to(residual.dtype)

    def _with_penalty(self, residual, coefficients):
        weight = self.adjoint(residual).double() + self.l2.view(-1, 1, 1) * coefficients.weight
        bias = self.rows.total(residual) / self.total_weight.unsqueeze(1)
        return Coefficients.of(weight, bias if self.fit_intercept else torch.zeros_like(bias))

    # ---- other views ------------------------------------------------------------------------------------------

    def some(self, index):
        """Return the stack of some of the problems (a tensor of numbers)."""
        y, weight, offset = (
            part if part is None else part.index_select(1 - self.rows.axis, index) for part in self._given
        )
        part = self._other(self.rows.some(index), y, weight, offset, self.l2[index])
        # At least so large: for rows that are shared, those of all problems will do.
        norms = self.column_norms
        part.column_norms = norms if len(norms) == 1 else norms[index]
        return part

    def take(self, index):
        """Return the stack of these rows alone, each α_m as large beside the sum of its losses as it was."""
        y, weight, offset = (
            part if part is None else part.index_select(self.rows.axis, index) for part in self._given
        )
        part = self._other(self.rows.take(index), y, weight, offset, self.l2)
        part.l2 = self.l2 * (self.total_weight / part.total_weight)
        return part

    @functools.cached_property
    def wide(self):
        """The same problems in float64."""
        if self.dtype == torch.float64:
            return self
        wide = self._other(self.rows.as_dtype(torch.float64), *self._given, self.l2)
        wide.column_norms = self.column_norms
        return wide

    def _other(self, rows, y, weight, offset, l2):
        options = {"outputs": self.outputs, "fit_intercept": self.fit_intercept}
        return Stack(rows, y, self.loss, l2, sample_weight=weight, offset=offset, **options)
