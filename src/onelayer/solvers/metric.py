"""A cheap model of the curvature, to measure steps by."""

import torch

__all__ = ["CurvatureMetric"]

# Cholesky is features³/3 and its application features² per score: beyond this the plain metric is the better deal.
_MAX_FEATURES = 2048
_ROWS_PER_FEATURE = 10
_MIN_ROWS = 1000
# Keeps the factorisation alive where columns depend on each other and no penalty helps.
_JITTER = 1e-10


class CurvatureMetric:
    """The inverse of I ⊗ (1/S) Σ_i s_i h_i x̃_i x̃_iᵀ + α, h_i the mean curvature of row i over its scores.

    One Cholesky factor serves all outputs: the coupling between classes is left to the L-BFGS pairs. The intercept is
    eliminated (columns are centred by their curvature-weighted mean), so features far from zero do no harm. Rows are
    taken at even strides, not at random: same data, same bits.

    On digits (C=1) L-BFGS to a relative gap of 1e-6 took 3647 iterations without it, 336 with plain covariances and
    the right constant, 131 with curvature weights.
    """

    def __init__(self, factor, mean, total, outputs):
        self._factor, self._mean, self._total, self._outputs = factor, mean, total, outputs

    @classmethod
    def at(cls, objective, point):
        """Return the metric at a point, or None where none can be made (too many features, no curvature left)."""
        features = objective.features
        if features > _MAX_FEATURES:
            return None
        stride = max(1, objective.rows // max(_ROWS_PER_FEATURE * features, _MIN_ROWS))
        rows = torch.arange(0, objective.rows, stride, device=objective.design.device)
        h = objective.loss.mean_curvature(point.scores[rows], objective.y[rows]).clamp(min=0)
        if objective.sample_weight is not None:
            h = h * objective.sample_weight[rows]
        h = h * (objective.rows / (len(rows) * objective.total_weight))
        total = h.sum(dtype=torch.float64)
        if not total > torch.finfo(torch.float64).tiny:
            return None
        gram, sums = objective.weighted_gram(h, rows)
        mean = sums / total if objective.fit_intercept else torch.zeros_like(sums)
        gram -= total * mean.outer(mean)
        gram.diagonal().add_(
            objective.penalty.smooth_part.l2 + _JITTER * gram.diagonal().max().clamp(min=1e-300)
        )
        factor, failed = torch.linalg.cholesky_ex(gram)
        return None if failed.item() else cls(factor, mean, total, objective.outputs)

    def apply(self, flat):
        """Return the metric's inverse times a flat gradient (float64)."""
        features = len(self._mean)
        weight = flat[: self._outputs * features].view(self._outputs, features)
        bias = flat[self._outputs * features :]
        # In terms of b' = b + W·mean the two blocks separate.
        moved = torch.cholesky_solve((weight - bias.unsqueeze(1) * self._mean).T, self._factor).T
        return torch.cat([moved.reshape(-1), bias / self._total - moved @ self._mean])
