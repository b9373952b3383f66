"""Slow and obvious: optima of P by NumPy alone, for the tests to measure by. Nothing here imports the library."""

import dataclasses

import numpy as np
from scipy.special import log_softmax, softmax


def _logistic(z, y):
    sign = 2 * y - 1
    p = 1 / (1 + np.exp(np.clip(sign * z, -700, 700)))
    return np.logaddexp(0, -sign * z)[:, 0], -sign * p, (p * (1 - p))[:, :, None]


def _cross_entropy(z, y):
    p = softmax(z, axis=1)
    hot = np.eye(z.shape[1])[y]
    return (
        -(log_softmax(z, axis=1) * hot).sum(axis=1),
        p - hot,
        p[:, :, None] * (np.eye(z.shape[1]) - p[:, None, :]),
    )


def _squared(z, y):
    return ((z - y) ** 2 / 2)[:, 0], z - y, np.ones((len(z), 1, 1))


def _huber(z, y, delta):
    r = z - y
    inside = np.abs(r) <= delta
    value = np.where(inside, r**2 / 2, delta * (np.abs(r) - delta / 2))
    return value[:, 0], np.clip(r, -delta, delta), inside.astype(float)[:, :, None]


def _pinball(z, y, tau):
    # Smooth nowhere; huber-like within 1e-7 of the kink, for the gradient only.
    r = z - y
    slope = np.clip(r / 1e-7, -1, 1) / 2 + (0.5 - tau)
    return np.maximum((1 - tau) * r, -tau * r)[:, 0], slope, np.full((len(z), 1, 1), 0.5)


FORMULAS = {
    "logistic": lambda z, y, _: _logistic(z, y),
    "cross-entropy": lambda z, y, _: _cross_entropy(z, y),
    "squared": lambda z, y, _: _squared(z, y),
    "huber": _huber,
    "quantile": _pinball,
    "absolute": lambda z, y, _: tuple(2 * part for part in _pinball(z, y, 0.5)),
}


@dataclasses.dataclass
class Problem:
    """P(W, b) as plain arrays; `y` has shape (n, 1), or (n,) for cross-entropy."""

    X: np.ndarray
    y: np.ndarray
    loss: str
    parameter: float | None = None
    outputs: int = 1
    weight: np.ndarray | None = None
    l1: float = 0.0
    l2: float = 0.0
    fit_intercept: bool = True

    def __post_init__(self):
        rows = len(self.X)
        s = np.ones(rows) if self.weight is None else self.weight
        self.share = s / s.sum()
        self.rows_with_one = np.c_[self.X, np.ones(rows)] if self.fit_intercept else self.X
        self.columns = self.rows_with_one.shape[1]
        self.size = np.sqrt(self.share @ self.rows_with_one**2) + 1e-300
        # One flag per entry of theta (outputs, columns): the intercept has no penalty.
        self.penalised = np.ones((self.outputs, self.columns))
        if self.fit_intercept:
            self.penalised[:, -1] = 0

    def zeros(self):
        return np.zeros((self.outputs, self.columns))

    def parts(self, theta):
        """Value, gradient (L1 left out of the gradient only) and scores' curvature at theta."""
        value, slope, bend = FORMULAS[self.loss](self.rows_with_one @ theta.T, self.y, self.parameter)
        weight = theta * self.penalised
        smooth = float(self.share @ value) + self.l2 / 2 * (weight**2).sum()
        gradient = (self.share[:, None] * slope).T @ self.rows_with_one + self.l2 * weight
        return smooth + self.l1 * np.abs(weight).sum(), gradient, bend

    def value(self, theta):
        return self.parts(theta)[0]

    def hessian(self, bend):
        rows = self.rows_with_one
        full = np.einsum("n,nkl,ni,nj->kilj", self.share, bend, rows, rows, optimize=True)
        size = self.outputs * self.columns
        return full.reshape(size, size) + self.l2 * np.diag(self.penalised.ravel())


def solve(problem, rounds=200):
    """Return (theta, P, slope) at the minimum: Newton steps in an orthant, proximal gradient steps where those fail.

    `slope` is the largest entry of the least subgradient, of columns in units of their size: what is left to gain.
    """
    theta = problem.zeros()
    for _ in range(rounds):
        trial = _newton_step(problem, theta)
        if trial is None and problem.l1:
            trial = _proximal_gradient(problem, theta, 100)
        if trial is None:
            break
        theta = trial
    return theta, problem.value(theta), np.abs(_push(problem, theta)).max()


def _push(problem, theta):
    """The least subgradient, of columns in units of their size."""
    gradient, kink = problem.parts(theta)[1], problem.l1 * problem.penalised
    at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - kink, 0)
    return np.where(theta == 0, at_zero, gradient + kink * np.sign(theta)) / problem.size


def _newton_step(problem, theta):
    """Damped Newton on the coefficients that are free: not zero, or zero and pushed away from it; None if it fails.

    Each keeps its sign, and becomes zero where it would change it (the orthant-wise step of OWL-QN).
    """
    value, _, bend = problem.parts(theta)
    kink, push = problem.l1 * problem.penalised, _push(problem, theta)
    free = ((theta != 0) | (push != 0)).ravel()
    signs = np.where(theta == 0, -np.sign(push), np.sign(theta))
    # In units of the columns: badly scaled ones must not look like a lack of rank.
    unit = np.broadcast_to(problem.size, theta.shape).ravel()[free]
    hessian = problem.hessian(bend)[np.ix_(free, free)] / unit / unit[:, None]
    for damping in (0.0, 1e-8, 1e-4, 1e-2, 1.0):
        step = np.zeros(theta.size)
        step[free] = (
            np.linalg.lstsq(hessian + damping * np.eye(len(unit)), push.ravel()[free], rcond=1e-15)[0] / unit
        )
        for length in (1.0, 0.5, 0.1, 0.01):
            trial = theta - length * step.reshape(theta.shape)
            trial = np.where((kink > 0) & (trial * signs < 0), 0.0, trial)
            change = problem.value(trial) - value
            # Near the minimum values are all rounding, and the gradient tells.
            gentler = np.abs(_push(problem, trial)).max() < 0.9 * np.abs(push).max()
            if change < -1e-14 * abs(value) or (change <= 1e-14 * abs(value) and gentler):
                return trial
    return None


def _proximal_gradient(problem, theta, steps):
    """FISTA, in units in which every column has size one; returns the best point on the way, or None."""
    # Curvature of every loss here is at most 1 per score (the smoothed kinks have their own, larger one).
    bound = problem.columns * {"quantile": 5e6, "absolute": 1e7}.get(problem.loss, 1.0)
    length = 1 / (bound * problem.size**2 + problem.l2)
    ahead, momentum = theta, 1.0
    best, least = None, problem.value(theta) * (1 - 1e-15)
    for _ in range(steps):
        new = ahead - length * problem.parts(ahead)[1]
        shrunk = np.sign(new) * np.maximum(np.abs(new) - length * problem.l1, 0)
        new = np.where(problem.penalised > 0, shrunk, new)
        value = problem.value(new)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * (new - theta)
        theta, momentum = new, following
        if value < least:
            best, least = new, value
    return best
