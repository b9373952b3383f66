"""The formula: the only place where weights, averages and the penalty meet.

P(W, b) = (1/S) Σ_i s_i ℓ(y_i, z_i) + penalty(W),    z_i = W x_i + b + o_i,    S = Σ_i s_i
"""

import copy
import dataclasses
import functools
from typing import Any

import torch

from onelayer.designs import DenseDesign, products
from onelayer.objective.constant import constant_value, tallied
from onelayer.objective.ray import Ray
from onelayer.parameters import Parameters

__all__ = ["Objective", "Point"]

# Numbers that elementwise work of many steps takes at a time: what stays in a core's cache; elsewhere, what may be held
# several times over.
_CACHED, _HELD = 2**16, 2**26


@dataclasses.dataclass
class Point:
    """P at one place, with everything that the next step can use again.

    Attributes
    ----------
    parameters : Parameters
    scores : tensor of shape (n, outputs)
    value : float
        P, summed in float64.
    residual : tensor of shape (n, outputs)
        s_i ∂ℓ/∂z_i: one product with X away from the gradient.
    """

    parameters: Parameters
    scores: torch.Tensor
    value: float
    residual: torch.Tensor


class Objective:
    """P(W, b) for one data set, loss and penalty.

    Parameters
    ----------
    design : Design
        X, with n rows and d features.
    y : tensor
        Shape (n, outputs), or (n,) int64 class indices where ``loss.per_class``; rows of probabilities are soft labels.
        Whole numbers in fewer bytes, shape (n,), are labels too: they are widened where they are used.
    loss : Loss
    penalty : Penalty
    outputs : int
        Rows of W: 1, the number of targets, or the number of classes.
    sample_weight : tensor of shape (n,), optional
        s_i ≥ 0; default 1.
    offset : tensor of shape (n, outputs), optional
        o_i; default 0. Like `y` and weights it may be finer than the design's dtype: it is rounded to that for products,
        and used as given by :meth:`as_dtype`.
    fit_intercept : bool
        Whether b is free; else it stays where it is.

    Attributes
    ----------
    passes : float
        Work done so far, in full gradients (each product with X is half of one).
    """

    def __init__(
        self, design, y, loss, penalty, *, outputs, sample_weight=None, offset=None, fit_intercept=True
    ):
        self.design, self.loss, self.penalty = design, loss, penalty
        self.outputs, self.features, self.rows = outputs, design.features, design.rows
        self.fit_intercept = fit_intercept
        # Proofs are about the numbers that were given, whatever the arithmetic of the products rounds them to.
        self._given: dict[str, Any] = {"y": y, "sample_weight": sample_weight, "offset": offset}
        self._compact = y.ndim == 1 and y.dtype in _COMPACT
        self._rounded = {name: _rounded(given, design.dtype) for name, given in self._given.items()}
        self.sample_weight, self.offset = self._rounded["sample_weight"], self._rounded["offset"]
        if not self._compact:
            self.y = self._rounded["y"]
        self.total_weight = (
            float(design.rows) if sample_weight is None else sample_weight.double().sum().item()
        )
        self._work = _Work(design.rows)

    @property
    def passes(self):
        return self._work.passes

    @functools.cached_property
    def y(self):
        """The targets as the loss takes them; set at once where nothing is to be widened."""
        return self.targets(slice(None))

    def targets(self, rows):
        """Return the targets of these rows (a slice or a tensor of numbers) as the loss takes them."""
        if not self._compact:
            return self.y[rows]
        y = self._given["y"][rows]
        return y.long() if self.loss.per_class else y.to(self.dtype).unsqueeze(1)

    @functools.cached_property
    def soft(self):
        """Whether targets of classes are probabilities, not labels."""
        if self.loss.targets == "real" or self._compact:
            return False
        return self.y.ndim == 2 and (self.loss.per_class or not bool(((self.y == 0) | (self.y == 1)).all()))

    @property
    def dtype(self):
        """The arithmetic of products and elementwise work; sums are float64."""
        return self.design.dtype

    @property
    def rounding_unit(self):
        """The relative size of one rounding error in this arithmetic."""
        return torch.finfo(self.dtype).eps

    def zeros(self):
        """Return W = 0, b = 0 of the right shape."""
        return Parameters.zeros(self.outputs, self.features, dtype=self.dtype, device=self.design.device)

    # ---- value, gradient, curvature ---------------------------------------------------------------------------

    def scores(self, parameters):
        """Return z = W x + b + o for all rows. Costs half a pass."""
        scores = self.slopes(parameters)
        return scores if self.offset is None else scores + self.offset

    def slopes(self, direction):
        """Return W x + b without the offset: how fast the scores change along a direction. Costs half a pass."""
        self._work.add(self.design.rows)
        # Solvers may keep finer parameters than the arithmetic of the products.
        narrow = direction.to(self.dtype)
        return self.design.scores(narrow.weight, narrow.bias)

    def point(self, parameters, scores=None):
        """Evaluate P here; `scores` if they are known already."""
        scores = self.scores(parameters) if scores is None else scores
        value, residual = self._loss(scores)
        return Point(parameters, scores, value + self.penalty.value(parameters.weight), residual)

    def value(self, parameters, scores=None):
        """Return P(W, b) as a Python float; `scores` if they are known already."""
        value = self.loss.value(self.scores(parameters) if scores is None else scores, self.y)
        return self._mean(value) + self.penalty.value(parameters.weight)

    def gradient(self, point):
        """Return the gradient of P without the penalty's L1 part. Costs half a pass."""
        weight = self.adjoint(point.residual).to(point.parameters.flat.dtype)
        weight += self.penalty.smooth_part.gradient(point.parameters.weight)
        return Parameters.of(weight, self._bias_gradient(point.residual).to(weight.dtype))

    def adjoint(self, residual):
        """Return RᵀX / S for R of shape (n, outputs), weights included in it. Costs half a pass."""
        self._work.add(self.design.rows)
        return self.design.adjoint(residual).div_(self.total_weight)

    def swept(self, parameters, residual):
        """Return `scores` and `adjoint` of a residual that does not depend on them, reading X once. Costs one pass."""
        self._work.add(2 * self.design.rows)
        narrow = parameters.to(self.dtype)
        scores, pulled = self.design.swept(narrow.weight, narrow.bias, residual)
        scores = scores if self.offset is None else scores + self.offset
        return scores, pulled.div_(self.total_weight)

    def value_and_gradient(self, parameters):
        """Return P and the gradient of its smooth part."""
        point = self.point(parameters)
        return point.value, self.gradient(point)

    def curvature_product(self, point, direction):
        """Return the Hessian of P (without the L1 part) times a direction. Costs one pass."""
        if not self.fit_intercept:
            direction = Parameters.of(direction.weight, torch.zeros_like(direction.bias))
        slopes = self.slopes(direction)
        bent = self._weighted(self.loss.curvature_product(point.scores, self.y, slopes))
        weight = self.adjoint(bent)
        weight += self.penalty.smooth_part.gradient(direction.weight)
        return Parameters.of(weight, self._bias_gradient(bent))

    def divergence(self, scores, dual):
        """Return the mean of ℓ(y, z) + ℓ*(u, y) − ⟨u, z⟩ ≥ 0 over all rows."""
        # Block by block: the many small steps of one such number stay in the cache.
        numbers = _CACHED if scores.device.type == "cpu" else _HELD
        size = max(1, numbers // self.outputs)
        parts = (slice(start, start + size) for start in range(0, self.rows, size))
        terms = [self.loss.fenchel_young(scores[part], dual[part], self.y[part]) for part in parts]
        return self._mean(torch.cat(terms))

    def weighted_gram(self, h, rows=None):
        """Return Σ h_i x_i x_iᵀ and Σ h_i x_i in float64, over some rows (h has their length) or all of them."""
        design = self.design if rows is None else self.design.take(rows)
        self._work.add(design.rows * self.features / self.outputs)
        return design.gram(h).double(), design.adjoint(h.unsqueeze(1)).squeeze(0).double()

    def ray(self, point, direction):
        """Return P along a direction; after half a pass every trial step is free of products with X."""
        return Ray(self, point, direction)

    # ---- other views of the same data -------------------------------------------------------------------------

    def take(self, index, design=None):
        """Return the mean loss of these rows (whose design may be known) plus the full penalty: an estimate of P without bias.

        The weights are divided by their mean over *all* rows, so that a batch of heavy rows counts for more. The
        work is booked here.
        """
        weight = self.sample_weight
        weight = None if weight is None else weight[index] * (self.rows / self.total_weight)
        part = Objective(
            self.design.take(index) if design is None else design,
            self.targets(index),
            self.loss,
            self.penalty,
            outputs=self.outputs,
            sample_weight=weight,
            offset=None if self.offset is None else self.offset[index],
            fit_intercept=self.fit_intercept,
        )
        part.total_weight = float(len(index))
        part._work = self._work
        return part

    def parts(self):
        """Yield slices of rows and the share of this objective that they have, in one read of X.

        Values, gradients and products of the shares (those of the loss; each has the whole penalty) add up to the whole's.
        The work is booked here.
        """
        for rows, design in self.design.parts():
            if design is self.design:
                yield rows, self
                return
            part = Objective(
                design,
                self._given["y"][rows] if self._compact else self.y[rows],
                self.loss,
                self.penalty,
                outputs=self.outputs,
                sample_weight=None if self.sample_weight is None else self.sample_weight[rows],
                offset=None if self.offset is None else self.offset[rows],
                fit_intercept=self.fit_intercept,
            )
            part.total_weight, part._work = self.total_weight, self._work
            yield rows, part

    def as_dtype(self, dtype, *, copy_rows=False, design=None):
        """Return the same objective in another arithmetic; its work is booked here.

        X is shared and converted block by block in each product, unless `copy_rows` asks for a copy that is converted
        once: for few rows that are read often. `design` has the rows in that arithmetic, if that was done before.
        """
        if dtype == self.dtype and not copy_rows and design is None:
            return self
        design = self.design.as_dtype(dtype) if design is None else design

        def finest(name):
            now = getattr(self, name)
            return self._given[name] if now is self._rounded[name] else now

        wide = Objective(
            DenseDesign(design.dense(slice(None)), dtype) if copy_rows else design,
            self._given["y"] if self._compact else finest("y"),
            self.loss,
            self.penalty,
            outputs=self.outputs,
            sample_weight=finest("sample_weight"),
            offset=finest("offset"),
            fit_intercept=self.fit_intercept,
        )
        wide._work = self._work
        return wide

    def counted_anew(self):
        """Return the same objective with its work counted from zero."""
        other = copy.copy(self)
        other._work = _Work(self.design.rows)
        return other

    def with_penalty(self, penalty):
        """Return the objective of the same data under another penalty, with its work counted from zero."""
        other = self.counted_anew()
        other.penalty = penalty
        return other

    def shares_data(self, other):
        """Return whether another objective has the same rows, targets and weights."""
        return self.design is other.design and self._given is other._given

    def under(self, objective):
        """Return this view of the data under the penalty of another objective, where its work is booked from now on."""
        other = copy.copy(self)
        other.penalty, other._work = objective.penalty, objective._work
        return other

    def constant_value(self):
        """Return P of the best constant model (W = 0; also b = 0 without an intercept): the yardstick of sizes."""
        return constant_value(tallied(self) if self._compact and self.offset is None else self)

    def zero_scores(self):
        """Return the scores of W = 0, b = 0: the offset alone."""
        scores = torch.zeros(self.rows, self.outputs, dtype=self.dtype, device=self.design.device)
        return scores if self.offset is None else scores + self.offset

    # ---- sums -------------------------------------------------------------------------------------------------

    def _loss(self, scores):
        value, residual = self.loss.value_and_gradient(scores, self.y)
        return self._mean(value), self._weighted(residual)

    def _weighted(self, residual):
        return residual if self.sample_weight is None else residual * self.sample_weight.unsqueeze(1)

    def _mean(self, value):
        value = value.double()
        if self.sample_weight is not None:
            weight = self.sample_weight.double().view(-1, *[1] * (value.ndim - 1))
            # A row of no weight counts for nothing, even where its loss is infinite.
            value = torch.where(weight > 0, weight * value, 0.0)
        return value.sum().item() / self.total_weight

    def _bias_gradient(self, residual):
        if not self.fit_intercept:
            return residual.new_zeros(self.outputs)
        return (products.sums(residual) / self.total_weight).to(residual.dtype)


# Labels in fewer bytes than a loss takes them in.
_COMPACT = (torch.uint8, torch.int8, torch.int16, torch.int32)


def _rounded(tensor, dtype):
    return tensor if tensor is None or not tensor.is_floating_point() else tensor.to(dtype)


class _Work:
    """Multiply-adds, counted in full gradients."""

    def __init__(self, rows):
        self._rows = rows
        self.passes = 0.0

    def add(self, rows):
        self.passes += 0.5 * rows / self._rows
