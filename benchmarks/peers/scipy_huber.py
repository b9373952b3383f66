"""scipy.optimize on the Huber objective at a fixed delta, written by hand in NumPy.

scikit-learn's HuberRegressor fits a scale along with the coefficients: another objective, so it is not here.
"""

from typing import ClassVar

import numpy as np

from peers.base import MANY, TIGHT, WIDE, Fitted, Peer, legs

__all__ = ["ScipyHuber", "ScipyRobust"]


class ScipyHuber(Peer):
    """``scipy.optimize.minimize``; coefficients in float64, products with X in the precision of X."""

    module: ClassVar = "scipy"
    distribution: ClassVar = "scipy"
    losses = frozenset({"huber"})

    def __init__(self, method):
        self.method = method
        self.name = f"scipy-{method.lower()}"

    def ladder(self, task):
        del task
        return legs(TIGHT, WIDE)

    def fit(self, task, X, y, setting):
        from scipy import optimize

        y = y.astype(X.dtype)
        n, d = X.shape

        def residual(w):
            return X @ w[:d].astype(X.dtype) + X.dtype.type(w[d]) - y

        def gradient_of(values, w):
            values = values.astype(X.dtype)
            slope = np.append((values @ X).astype(np.float64), values.sum(dtype=np.float64)) / n
            slope[:d] += task.alpha * w[:d]
            return slope

        def value_and_gradient(w):
            r = residual(w)
            clipped = np.clip(r, -task.delta, task.delta)
            value = (clipped * (r - clipped / 2)).sum(dtype=np.float64) / n
            return value + task.alpha / 2 * (w[:d] @ w[:d]), gradient_of(clipped, w)

        def curvature(w, v):
            inside = np.abs(residual(w)) <= task.delta
            return gradient_of(inside * (X @ v[:d].astype(X.dtype) + X.dtype.type(v[d])), v)

        tol, limit = setting.get("tol", 0.0), setting.get("max_iter", MANY)
        if self.method == "L-BFGS-B":
            options = {"gtol": tol, "ftol": 0.0, "maxiter": limit, "maxfun": 2 * MANY, "maxls": 50}
            found = optimize.minimize(
                value_and_gradient, np.zeros(d + 1), jac=True, method=self.method, options=options
            )
        else:
            options = {"xtol": tol, "maxiter": limit}
            found = optimize.minimize(
                value_and_gradient,
                np.zeros(d + 1),
                jac=True,
                hessp=curvature,
                method=self.method,
                options=options,
            )
        return Fitted(found.x[None, :d], found.x[d:], {"n_iter": int(found.nit)})


class ScipyRobust(Peer):
    """``scipy.optimize.least_squares`` with Huber's rho; the penalty as d more residuals, on which rho is the identity.

    scipy minimises ½ Σ δ² rho((r/δ)²), and rho(z) = z for z ≤ 1, 2√z − 1 beyond, is Huber's loss.
    """

    name = "scipy-least-squares"
    module: ClassVar = "scipy"
    distribution: ClassVar = "scipy"
    losses = frozenset({"huber"})
    note = "works on a dense float64 Jacobian"

    def ladder(self, task):
        del task
        return legs(WIDE)

    def fit(self, task, X, y, setting):
        from scipy import optimize

        n, d = X.shape
        jacobian = np.zeros((n + d, d + 1))
        jacobian[:n, :d], jacobian[:n, d] = X, 1.0
        jacobian[n:, :d] = np.sqrt(task.alpha * n) * np.eye(d)
        target = np.append(y.astype(np.float64), np.zeros(d))

        def rho(z):
            outside = z > 1
            outside[n:] = False
            root = np.sqrt(z[outside])
            value, slope, curvature = z.copy(), np.ones_like(z), np.zeros_like(z)
            value[outside] = 2 * root - 1
            slope[outside] = 1 / root
            curvature[outside] = -0.5 / (root * z[outside])
            return np.stack([value, slope, curvature])

        found = optimize.least_squares(
            lambda w: jacobian @ w - target,
            np.zeros(d + 1),
            # scipy scales the Jacobian in place.
            jac=lambda w: jacobian.copy(),
            loss=rho,
            f_scale=task.delta,
            x_scale="jac",
            ftol=None,
            xtol=None,
            # Below the rounding unit scipy takes no tolerance.
            gtol=max(setting.get("tol", 0.0) * n, 1e-15),
            max_nfev=setting.get("max_iter", MANY),
        )
        return Fitted(found.x[None, :d], found.x[d:], {"n_iter": int(found.nfev)})
