"""A proof that data are not separated, from coefficients near the optimum: no linear programme is needed then."""

import numpy as np

__all__ = ["proves_overlap"]

# Beyond this margin a probability is below 2e-9, and the proof would hang on the last digits of float64.
_LARGEST_MARGIN = 20.0
# How much of any probability the correction may take.
_TILT = 0.9
# What may be left of the condition, beside the absolute values of its terms.
_REST = 1e-12
_CUTOFF = 1e-12
# rows · unknowns²: above this the matrix of the Newton step takes longer than the linear programme.
_MOST_PRODUCTS = 2 * 10**10


def proves_overlap(cone, scores, weight):
    """Return whether the residuals at these scores prove that the data are not separated.

    By Stiemke's lemma no θ has A θ ≥ 0, A θ ≠ 0 if and only if λᵀA = 0 for some λ > 0. The residuals λ = s (1 − p) of
    a minimum satisfy that; those of a point near it do so after one Newton step, as long as every one of them stays
    positive: s p_k becomes s p_k (1 − t_k), with t_k = v_k − Σ_l p_l v_l and v the change of scores by the step.

    Parameters
    ----------
    cone : Cone
    scores : array of shape (rows, outputs)
        Of the rows of the cone, offsets included.
    weight : array of shape (rows,)
        Positive.
    """
    if len(scores) * cone.unknowns**2 > _MOST_PRODUCTS:
        return False
    p = _probabilities(cone, scores)
    if not (np.isfinite(p).all() and p.min(initial=1.0) > np.exp(-_LARGEST_MARGIN)):
        return False
    classes = np.arange(p.shape[1])
    residual = p - (classes == cone.y[:, None])
    # The last class is the rest: its score is kept.
    free, width = p.shape[1] - 1, cone.width
    gradient, terms = np.zeros((free, width)), np.zeros((free, width))
    hessian = np.zeros((free, width, free, width))
    weight = weight / weight.sum()
    for part, numbers in cone.blocks():
        own, each = weight[part, None] * residual[part, :-1], weight[part]
        gradient += own.T @ numbers
        terms += np.abs(own).T @ np.abs(numbers)
        for k in range(free):
            for m in range(k + 1):
                bend = each * p[part, k] * ((k == m) - p[part, m])
                block = (numbers * bend[:, None]).T @ numbers
                hessian[k, :, m, :] += block
                if m < k:
                    hessian[m, :, k, :] += block
    hessian = hessian.reshape(free * width, free * width)
    size = np.sqrt(np.maximum(np.diag(hessian), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(hessian / size / size[:, None])
    kept = values > _CUTOFF * values[-1]
    inverse = vectors[:, kept] / values[kept] @ vectors[:, kept].T / size / size[:, None]
    step = inverse @ gradient.ravel()
    # Twice: the second time takes away the rounding of the first.
    step += inverse @ (gradient.ravel() - hessian @ step)
    rest = gradient.ravel() - hessian @ step
    if (np.abs(rest) > _REST * terms.ravel()).any():
        return False
    return bool(_largest_tilt(cone, p, step.reshape(free, width)) < _TILT)


def _probabilities(cone, scores):
    """Return the probability of each class, with two columns (class 0 last) where there is one score."""
    if not cone.per_class:
        scores = np.hstack([np.zeros_like(scores), scores])
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _largest_tilt(cone, p, step):
    largest = 0.0
    for part, numbers in cone.blocks():
        change = np.zeros_like(p[part])
        change[:, :-1] = numbers @ step.T
        tilt = change - (p[part] * change).sum(axis=1, keepdims=True)
        largest = max(largest, tilt.max())
    return largest
