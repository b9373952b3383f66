"""Dual points: the gradient of the loss, made to satisfy the condition of a free intercept exactly."""

import math

import torch

__all__ = ["balanced", "profiled"]

_PROFILE_ROUNDS = 20


def profiled(wide, scores):
    """Return the scores with the best intercept for this W (approximately: what is left is repaired exactly)."""
    best, smallest = scores, math.inf
    # Of a squared error the first shift leaves nothing but rounding.
    for _ in range(2 if wide.loss.name == "squared" else _PROFILE_ROUNDS):
        excess = wide._bias_gradient(wide._weighted(wide.loss.gradient(scores, wide.y)))
        size = excess.abs().max().item()
        if not size < smallest:
            break
        best, smallest = scores, size
        if size == 0 or not wide.loss.smooth:
            break
        scores = scores - _newton_shift(wide, scores, excess)
    return best


def _newton_shift(wide, scores, excess):
    """Return H⁻¹ r for the intercept alone."""
    if not wide.loss.per_class:
        ones = torch.ones_like(scores)
        curvature = wide._bias_gradient(wide._weighted(wide.loss.curvature_product(scores, wide.y, ones)))
        return torch.where(curvature > 0, excess / curvature, 0.0)
    p = wide.loss.link.mean(scores)
    weighted = wide._weighted(p)
    hessian = torch.diag(weighted.sum(dim=0)) - weighted.T @ p
    # Adding 1 to all scores changes nothing: the direction of ones is filled in, the shift has no part in it.
    fill = hessian.diagonal().mean() / wide.outputs
    # Not torch.linalg.lstsq: on the CPU it reads pivots that nobody set, and its answers differ from call to call.
    return torch.linalg.pinv((hessian + fill) / wide.total_weight, hermitian=True) @ excess


def balanced(wide, dual):
    """Return a dual point with Σ_i s_i u_i = 0 exactly, mixed from `dual` and one at the edge of the domain."""
    excess = wide._weighted(dual).sum(dim=0)
    if wide.loss.per_class:
        return _balanced_classes(wide, dual, excess)
    low, high = (
        torch.as_tensor(end, dtype=dual.dtype, device=dual.device).expand_as(dual)
        for end in wide.loss.dual_interval(wide.y)
    )
    edge = torch.where(excess > 0, low, high)
    # Where the domain has no end on that side a plain shift stays inside it.
    endless = torch.isinf(edge).any(dim=0)
    edge = torch.where(endless, 0.0, edge)
    pull = wide._weighted(edge).sum(dim=0)
    share = torch.where(endless | (excess == 0), 0.0, excess / (excess - pull))
    mixed = (1 - share) * dual + share * edge
    moved = torch.where(endless, dual - excess / wide.total_weight, mixed)
    # Rounding may carry a value over the edge, where ℓ* is infinite.
    return moved.clamp_(low, high)


def _balanced_classes(wide, dual, excess):
    # q = (1 − θ) p + θ v with one constant row v of probabilities, θ as small as v ≥ 0 allows.
    mass = wide._weighted(wide.loss.dual_mean(dual, wide.y).clamp_(min=0)).sum(dim=0)
    share = (excess / mass).clamp(min=0).max()
    if share == 0:
        return dual
    row = (mass / wide.total_weight - excess / (share * wide.total_weight)).clamp(min=0)
    return wide.loss.mixed_dual(dual, wide.y, share, row / row.sum())
