"""Proofs of least squares by the triangle of the data, where the estimators have none."""

import numpy as np
import scipy.linalg

from onelayer.certificates import Certificate

__all__ = ["certificate_by_projection", "relative_gap"]

_EPS = float(np.finfo(float).eps)
# As in the certificates: a residual of so many roundings of its target is no residual.
_ROUNDINGS = 32


def certificate_by_projection(reduction, weight, bias):
    """Return the exact distance of W and b from least squares without a penalty: what of the residual X can reach.

    ``P(W, b) − min P = (1/2S) ‖U Uᵀ (T − R Wᵀ)‖² + ½ ‖b − ȳ + W x̄‖²``, the columns of U an orthonormal basis of the
    columns of R. The estimators' own proofs ask for the Hessian, and stop at a thousand features.
    """
    residual = reduction.right - reduction.matrix @ weight.T
    size = np.linalg.norm(reduction.matrix, axis=0)
    basis, triangle, _ = scipy.linalg.qr(
        reduction.matrix / np.where(size > 0, size, 1.0), mode="economic", pivoting=True
    )
    distance = np.abs(np.diag(triangle))
    basis = basis[:, : len(distance)][:, distance > max(reduction.matrix.shape) * _EPS]
    off = np.zeros(len(weight))
    if reduction.fit_intercept:
        off = bias - reduction.level + weight @ reduction.center
    shift = np.square(off).sum() / 2
    gap = float(np.square(basis.T @ residual).sum() / 2 / reduction.total + shift)
    value = float(np.square(residual).sum() / 2 / reduction.total + shift)
    return Certificate(gap, relative_gap(gap, value, reduction), value, "quadratic")


def relative_gap(gap, value, reduction):
    """Return gap / max(P, ε P₀), or 0 where P is no more than the rounding of the targets."""
    constant = np.square(reduction.right).sum() / 2 / reduction.total
    zero = constant + np.square(reduction.level).sum() / 2
    if value <= (_ROUNDINGS * _EPS) ** 2 * zero:
        return 0.0
    return gap / max(value, _EPS * constant)
