"""The certificates of many problems: what :mod:`onelayer.certificates` proves for one, in products with all of them."""

import math

import torch

from onelayer.certificates.tilt import legal

__all__ = ["gaps"]

_EPS = torch.finfo(torch.float64).eps
# Rounding errors that a score may be off by, in units of itself.
_SCORE_ROUNDING = 8 * _EPS
_BALANCING = 8
# Numbers of one piece of what is computed entry by entry.
_PIECE = 2**16


def gaps(stack, coefficients, scores, slopes):
    """Return a bound on P_m − min P_m of each problem, and P_m itself, both float64 of shape (problems,).

    The dual point is the Newton-tilted one: u = ∂ℓ/∂z + J T at the scores z of the place where a Newton step began, with T
    = X d its slopes (zero for the plain gradient point).

    Parameters
    ----------
    stack : Stack
        In the arithmetic of the solver; what is proven is computed in float64.
    coefficients : Coefficients
        What is certified, float64 numbers.
    scores, slopes : tensor of shape (*each, outputs)
        z and T, in the arithmetic of the solver.
    """
    wide = stack.wide
    dual = _balanced(wide, _tilted(stack, scores, slopes))
    weighted = wide.weighted(dual)
    point, product = wide.swept(coefficients, weighted)
    losses = wide.mean(_divergence(wide, point.scores, dual))
    # The scores are rounded as well: to first order that moves a Bregman distance by the difference of gradients.
    pull = (point.residual - weighted).mul_(point.scores).abs_().sum(dim=-1)
    losses = losses + _SCORE_ROUNDING * wide.rows.total(pull) / wide.total_weight
    bowl = (wide.l2.view(-1, 1, 1) * point.coefficients.weight + product).abs() + _slack(wide, dual)
    penalties = bowl.square().sum(dim=(1, 2)) / (2 * wide.l2)
    gap = losses + penalties + _EPS * point.value.abs()
    return torch.where(torch.isfinite(gap) & torch.isfinite(point.value), gap, math.inf), point.value


def _divergence(wide, scores, dual):
    """Return ℓ(y, z) + ℓ*(u, y) − ⟨u, z⟩ of each row, shape `each`: piece by piece, which stays in the cache."""
    z, u, y = wide.flat(scores), wide.flat(dual), wide.targets
    size = max(1, _PIECE // wide.outputs) if z.device.type == "cpu" else len(z)
    parts = (slice(start, start + size) for start in range(0, len(z), size))
    terms = [wide.loss.fenchel_young(z[part], u[part], y[part]) for part in parts]
    return torch.cat(terms).reshape(wide.y.shape)


def _tilted(stack, scores, slopes):
    """Return the tilted dual point in float64, with the intercept's own equation solved to the last digit."""
    wide, loss = stack.wide, stack.loss
    # In the digits that scores have: what rounding does to u is far below what a step leaves.
    z, y = stack.flat(scores), stack.targets
    curvature, straight = loss.curvature(z, y), loss.gradient(z, y)
    straight = straight.add_(curvature.product(stack.flat(slopes).clone())).double()
    dual = wide.each(legal(loss, straight, wide.targets))
    if not wide.fit_intercept:
        return dual
    inverse, smallest = None, torch.full_like(wide.l2, math.inf)
    for _ in range(_BALANCING):
        excess = wide.rows.total(wide.weighted(dual))
        size = excess.abs().amax(dim=1)
        moving = (size > _EPS * wide.total_weight) & (size < smallest / 2)
        if not bool(moving.any()):
            break
        if inverse is None:
            inverse = torch.linalg.pinv(stack.mean_curvature(curvature), hermitian=True)
            inverse = inverse / wide.total_weight.view(-1, 1, 1)
        smallest = torch.where(moving, size, smallest)
        shift = (inverse @ excess.unsqueeze(2)).squeeze(2) * moving.unsqueeze(1)
        everywhere = stack.rows.spread(shift.to(slopes.dtype)).expand_as(slopes)
        straight -= curvature.product(stack.flat(everywhere).clone())
        dual = wide.each(legal(loss, straight, wide.targets))
    return dual


def _balanced(wide, dual):
    """Return dual points with Σ_i s_i u_i = 0, mixed from these and ones at the edge of the domain."""
    if not wide.fit_intercept:
        return dual
    rows, loss, y = wide.rows, wide.loss, wide.targets
    excess = rows.total(wide.weighted(dual))
    if loss.per_class:
        mean = wide.each(loss.dual_mean(wide.flat(dual), y).clamp(min=0))
        mass = rows.total(wide.weighted(mean))
        share = (excess / mass).clamp(min=0).amax(dim=1)
        size = share.clamp(min=1e-300).unsqueeze(1)
        row = (mass - excess / size).clamp(min=0) / wide.total_weight.unsqueeze(1)
        row = row / row.sum(dim=1, keepdim=True)
        many = [rows.spread(part).expand_as(dual[..., : part.shape[1]]) for part in (share.unsqueeze(1), row)]
        share_of_each, row_of_each = (part.reshape(-1, part.shape[-1]) for part in many)
        mixed = wide.each(loss.mixed_dual(wide.flat(dual), y, share_of_each, row_of_each))
        return torch.where(rows.spread(share.unsqueeze(1)) > 0, mixed, dual)
    low, high = (
        wide.each(torch.as_tensor(end, dtype=dual.dtype, device=dual.device).expand_as(wide.flat(dual)))
        for end in loss.dual_interval(y)
    )
    edge = torch.where(rows.spread(excess) > 0, low, high)
    endless = torch.isinf(edge).any(dim=rows.axis)
    edge = torch.where(rows.spread(endless), 0.0, edge)
    pull = rows.total(wide.weighted(edge))
    share = torch.where(endless | (excess == 0), 0.0, excess / (excess - pull))
    mixed = (1 - rows.spread(share)) * dual + rows.spread(share) * edge
    shift = excess / wide.total_weight.unsqueeze(1)
    moved = torch.where(rows.spread(endless), dual - rows.spread(shift), mixed)
    # Rounding may carry a value over the edge, where ℓ* is infinite.
    return moved.clamp_(low, high)


def _slack(wide, dual):
    """Return how far each entry of the adjoint may be off through rounding, by Cauchy and Schwarz on its sum."""
    size = wide.rows.total(wide.weighted(dual.square())).sqrt()
    norms = wide.column_norms
    factor = math.sqrt(wide.rows.count) * _EPS
    return factor * size.unsqueeze(2) * norms.unsqueeze(1) / wide.total_weight.view(-1, 1, 1)
