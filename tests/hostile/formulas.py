"""The objectives, written down once more in NumPy's widest numbers: certificates are held against these."""

import dataclasses
from typing import Any

import numpy as np
import scipy.optimize

__all__ = ["Formula", "assert_certified"]

_LONG = np.longdouble


def _squared(z, y):
    return (z - y) ** 2 / 2, z - y


def _huber(z, y, delta=1.0):
    r = np.abs(z - y)
    return np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)), np.clip(z - y, -delta, delta)


def _pinball(z, y):
    return np.abs(z - y) / 2, np.sign(z - y) / 2


def _absolute(z, y):
    return np.abs(z - y), np.sign(z - y)


def _logistic(z, y):
    # Of each side on its own: log(1 + e^z) − z has no digits left where z is large.
    return y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z), 1 / (
        1 + np.exp(-np.clip(z, -11000, 11000))
    ) - y


def _cross_entropy(z, y):
    apart = z[:, None, :] - z[:, :, None]
    apart[:, range(z.shape[1]), range(z.shape[1])] = -np.inf
    mass = np.exp(z - z.max(axis=1, keepdims=True))
    losses = np.logaddexp(0, np.logaddexp.reduce(apart, axis=2))
    return np.where(y > 0, y * losses, 0).sum(axis=1), mass / mass.sum(axis=1, keepdims=True) - y


LOSSES = {
    "squared": _squared,
    "huber": _huber,
    "absolute": _absolute,
    "quantile": _pinball,
    "log": _logistic,
    "cross-entropy": _cross_entropy,
}


@dataclasses.dataclass
class Formula:
    """P(W, b) = (1/S) Σ s_i ℓ(y_i, z_i) + α [(1 − ρ)/2 ‖V‖² + ρ ‖V‖₁], z = W x + b + o and V = W · scale."""

    loss: str
    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    alpha: float
    l1_ratio: float = 0.0
    offset: Any = 0.0
    scale: Any = 1.0
    fit_intercept: bool = True
    # Where the intercept is penalised: by this factor on its square.
    penalised: float = 0.0

    def __post_init__(self):
        self.X, self.y = (
            np.asarray(self.X, dtype=_LONG),
            np.asarray(self.y, dtype=_LONG).reshape(len(self.X), -1),
        )
        weight = np.ones(len(self.X)) if self.sample_weight is None else np.asarray(self.sample_weight)
        weight = weight.astype(_LONG)
        self.shares = (weight / weight.sum())[:, None]

    def __call__(self, W, b):
        """Return P, and what it would change by if W, b and the scores were rounded: times the rounding unit."""
        W, b = np.asarray(W, dtype=_LONG), np.asarray(b, dtype=_LONG)
        with np.errstate(all="ignore"):
            total, slope = self._value_and_slope(W, b)
            size = (
                np.abs(self.X) @ np.abs(W).T + np.abs(b) + np.abs(self.offset) + np.abs(self.y) * (slope != 0)
            )
            return total, (np.abs(slope) * size).sum() + np.abs(total)

    def value_and_gradient(self, W, b):
        """Return P and its gradient, W first; where P has corners, one of its subgradients."""
        with np.errstate(all="ignore"):
            total, slope = self._value_and_slope(np.asarray(W, dtype=_LONG), np.asarray(b, dtype=_LONG))
            left, right = (1 - self.l1_ratio) * self.scale**2, self.l1_ratio * self.scale
            by_weight = slope.T @ self.X + self.alpha * (left * W + right * np.sign(W))
            by_bias = slope.sum(axis=0) + self.alpha * (1 - self.l1_ratio) * self.penalised * b
        return total, np.concatenate([by_weight.ravel(), by_bias])

    def _value_and_slope(self, W, b):
        value, slope = LOSSES[self.loss](self.X @ W.T + b + self.offset, self.y)
        V = W * self.scale
        penalty = (1 - self.l1_ratio) / 2 * ((V**2).sum() + self.penalised * (b**2).sum())
        penalty += self.l1_ratio * (np.abs(V).sum() + self.penalised * np.abs(b).sum())
        total = (self.shares * value.reshape(len(value), -1)).sum()
        return total + (self.alpha * penalty if self.alpha else 0), self.shares * slope


def assert_certified(formula, W, b, gap, rng, *, eps, nonnegative=False, references=True):
    """Assert that no point near by, and none that SciPy finds, is more than `gap` below (W, b)."""
    W, b = np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    here, noise = formula(W, b)
    if not np.isfinite(here) or not np.isfinite(noise):
        return
    allowed = _LONG(gap) + 64 * _LONG(eps) * noise
    for V, c in _others(formula, W, b, rng, references and not nonnegative):
        if nonnegative and (V < 0).any():
            continue
        there, _ = formula(V, c if formula.fit_intercept else np.zeros_like(c))
        assert not here - there > allowed, f"P is {here!r} with gap {gap!r}, but {there!r} at {V}, {c}"


def _others(formula, W, b, rng, references):
    yield np.zeros_like(W), np.zeros_like(b)
    yield np.zeros_like(W), b
    yield W, b + 1e-3
    for factor in (1.01, 0.99, 0.5):
        yield factor * W, b
    for size in (1e-6, 1e-3, 1e-1):
        yield W * (1 + size * rng.normal(size=W.shape)), b * (1 + size * rng.normal(size=b.shape))
        yield W + size * rng.normal(size=W.shape), b + size * rng.normal(size=b.shape)
    largest = float(np.abs(formula.X).max(initial=0.0))
    if not (references and 1e-3 < largest < 1e3 and np.abs(formula.y).max() < 1e3):
        return

    def split(point):
        return point[: W.size].reshape(W.shape), point[W.size :] * formula.fit_intercept

    def objective(point):
        value, gradient = formula.value_and_gradient(*split(point))
        return float(value), gradient.astype(float)

    start = np.zeros(W.size + b.size)
    with np.errstate(all="ignore"):
        yield split(
            scipy.optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x
        )
