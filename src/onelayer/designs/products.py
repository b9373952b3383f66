"""The two products of a dense matrix, in the forms that were measured to be fast.

60,000 x 784 x 10, float32, two threads, milliseconds; one read of X at memory speed takes 9.4:

=====================================  ====  ==========================================
X @ W                                    20
F.linear(X, W)                           18
oneDNN's linear                          13  what `scores` uses where it is there
X.T @ R                                  35
R.T @ X                                  25
R.T @ X in row blocks, batched           19  what `adjoint` uses
=====================================  ====  ==========================================
"""

import torch
from torch.nn import functional

__all__ = ["adjoint", "scores", "sums"]

# Below this many rows a plain product is faster.
_MANY_ROWS = 4096
_BLOCK_ROWS = 512
# Numbers that are added in their own arithmetic before the rest is added in float64.
_SHORT = 16

# The operator that torch's own compiler puts in the place of F.linear on the CPU. It has no public name, so it is
# used only where it exists, and F.linear does the same otherwise.
_onednn = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
)


def scores(X, weight, bias):
    """Return X Wᵀ + b."""
    if _onednn is None or X.shape[0] < _MANY_ROWS or X.device.type != "cpu" or X.dtype != torch.float32:
        return functional.linear(X, weight, bias)
    # It reads a bias of any stride as if it lay in one piece.
    bias = None if bias is None else bias.contiguous()
    return _onednn(X, weight.contiguous(), bias, "none", [], "")


def adjoint(residual, X):
    """Return Rᵀ X as a sum over row blocks.

    One product RᵀX has a tiny result and a long inner axis, which BLAS does not split over threads; a batch of partial
    products it does.
    """
    rows = X.shape[0]
    if rows < _MANY_ROWS or X.device.type != "cpu":
        return residual.T @ X
    blocks = rows // _BLOCK_ROWS
    size = rows // blocks
    main = blocks * size
    # A view whether the residual lies row by row or class by class.
    left = residual.T[:, :main].view(-1, blocks, size).transpose(0, 1)
    total = torch.bmm(left, X[:main].view(blocks, size, -1)).sum(dim=0)
    return total if main == rows else total.addmm_(residual[main:].T, X[main:])


def sums(residual):
    """Return Σ_i r_i in float64.

    Torch converts one number at a time where a sum is to be finer than its terms: 1.3 ms for 20,000 x 51, of short sums
    0.2 ms.
    """
    rows = residual.shape[0]
    if rows < _MANY_ROWS or residual.dtype == torch.float64 or not residual.is_contiguous():
        return residual.sum(dim=0, dtype=torch.float64)
    main = rows - rows % _SHORT
    short = residual[:main].unflatten(0, (_SHORT, -1)).sum(dim=0)
    return short.double().sum(dim=0) + residual[main:].sum(dim=0, dtype=torch.float64)
