"""The Kullback-Leibler divergence of nearly equal distributions."""

import torch

__all__ = ["divergence_terms"]

# Below this a few terms of the series are exact to the last digit; above it the closed form loses two digits at most.
_SMALL = 0.02
_TERMS = {torch.float64: 9, torch.float32: 4}


def divergence_terms(q, log_p):
    """Return q log(q/p) − q + p ≥ 0, whose sum over classes is KL(q‖p): zero only where q = p, and never a difference.

    With r = q/p − 1 it is p r² (1/2 − r/6 + r²/12 − …). Near an optimum every r is small, and Σ q log(q/p), the form in
    the books, is what rounding leaves of terms that are r⁻² times as large as their sum.
    """
    p = log_p.exp()
    r = (q - p).div_(p)
    last = _TERMS[r.dtype]
    terms = torch.full_like(r, _coefficient(last))
    for k in range(last - 1, -1, -1):
        terms.mul_(r).add_(_coefficient(k))
    terms.mul_(r).mul_(r).mul_(p)
    # Near an optimum these are few, and logarithms cost more than all of the above.
    far = (~(r.abs() < _SMALL)).nonzero(as_tuple=True)
    if len(far[0]):
        terms[far] = _closed(q[far], p[far], r[far], log_p[far])
    return terms


def _coefficient(k):
    return (-1) ** k / ((k + 1) * (k + 2))


def _closed(q, p, r, log_p):
    # Where p underflows, or q is so much smaller that r rounds to −1, only the logarithms know the ratio.
    known = (p > torch.finfo(p.dtype).tiny) & (r > -0.5)
    ratio = torch.where(known, torch.special.xlog1py(q, r), torch.xlogy(q, q) - q * log_p)
    return (ratio - (q - p)).clamp_(min=0)
