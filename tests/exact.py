"""Optima of P, and distances from them, with more digits than float64 has. Nothing here imports the library.

`Exact` works in NumPy's long double (eighteen digits on x86; where it is float64 the references are that much coarser,
and say so by `doubt`). `FiftyDigits` works in mpmath, slowly.

A distance P(θ) − P(θ*) is never a difference of two values of P: it is a sum of Bregman distances, all of them ≥ 0.
"""

import dataclasses

import mpmath
import numpy as np
import scipy.linalg

__all__ = ["Exact", "FiftyDigits"]

Wide = np.longdouble


@dataclasses.dataclass
class Exact:
    """P(W, b) for the losses "logistic", "cross-entropy", "squared", "huber" and "log-cosh" (no distance for the last).

    Attributes
    ----------
    X : array of shape (n, p), of any dtype
    y : array of shape (n,): 0/1, class numbers, or any numbers
    outputs : int
        Classes for "cross-entropy", else 1.
    weight, offset : array of shape (n,) and (n, outputs), optional
    delta : float
        Huber's.
    doubt : float
        After `optimum`: the best value of P is at most this much below what `distance` measures from.
    """

    X: np.ndarray
    y: np.ndarray
    loss: str
    outputs: int = 1
    weight: np.ndarray | None = None
    offset: np.ndarray | None = None
    l2: float = 0.0
    fit_intercept: bool = True
    delta: float = 1.0

    def __post_init__(self):
        rows = len(self.X)
        s = np.ones(rows, Wide) if self.weight is None else self.weight.astype(Wide)
        self.share = s / s.sum()
        X = self.X.astype(Wide)
        # Centred and scaled: badly scaled columns must not cost the Newton steps below their digits.
        self.mean = self.share @ X if self.fit_intercept else np.zeros(X.shape[1], Wide)
        size = np.sqrt(self.share @ (X - self.mean) ** 2)
        self.size = np.where(size > 0, size, 1)
        columns = (X - self.mean) / self.size
        self.columns = np.c_[columns, np.ones(rows, Wide)] if self.fit_intercept else columns
        self.bowl = np.broadcast_to(Wide(self.l2) / self.size**2, (self.outputs, X.shape[1]))
        if self.fit_intercept:
            self.bowl = np.c_[self.bowl, np.zeros(self.outputs, Wide)]
        self.add = 0 if self.offset is None else self.offset.reshape(rows, -1).astype(Wide)
        self._best = None

    # ---- in terms of centred and scaled columns: phi of shape (outputs, columns) -------------------------------

    def inner(self, weight, bias):
        weight = np.atleast_2d(np.asarray(weight)).astype(Wide)
        phi = weight * self.size
        if not self.fit_intercept:
            return phi
        return np.c_[phi, np.reshape(bias, -1).astype(Wide) + weight @ self.mean]

    def outer(self, phi):
        """Return (weight, bias) in float64."""
        weight = phi[:, : len(self.size)] / self.size
        bias = phi[:, -1] - weight @ self.mean if self.fit_intercept else np.zeros(self.outputs)
        return weight.astype(float), bias.astype(float)

    def _parts(self, phi):
        """Value, gradient and each row's curvature (float64, outputs x outputs) at phi."""
        z = self.columns @ phi.T + self.add
        value, slope, bend = getattr(self, "_" + self.loss.replace("-", "_"))(z)
        gradient = (self.share[:, None] * slope).T @ self.columns + self.bowl * phi
        return self.share @ value + (self.bowl * phi**2).sum() / 2, gradient, bend

    def _logistic(self, z):
        sign = 2 * self.y[:, None].astype(Wide) - 1
        wrong = np.exp(-np.logaddexp(0, sign * z))
        return (
            np.logaddexp(0, -sign * z)[:, 0],
            -sign * wrong,
            (wrong * (1 - wrong))[:, :, None].astype(float),
        )

    def _cross_entropy(self, z):
        log_p = _log_softmax(z)
        p, hot = np.exp(log_p), np.eye(self.outputs)[self.y]
        # The true class gets what the others leave: 1 − p would have no digits where it is all but certain.
        others = np.where(hot > 0, 0, p)
        slope = others - hot * others.sum(axis=1, keepdims=True)
        q = p.astype(float)
        return -(log_p * hot).sum(axis=1), slope, q[:, :, None] * (np.eye(self.outputs) - q[:, None, :])

    def _squared(self, z):
        r = z - self.y[:, None]
        return (r**2 / 2)[:, 0], r, np.ones((len(z), 1, 1))

    def _huber(self, z):
        r = z - self.y[:, None]
        clipped = np.clip(r, -self.delta, self.delta)
        inside = (np.abs(r) <= self.delta).astype(float)[:, :, None]
        return (np.abs(clipped) * (np.abs(r) - np.abs(clipped) / 2))[:, 0], clipped, inside

    def _log_cosh(self, z):
        r = z - self.y[:, None]
        value = np.abs(r) + np.log1p(np.exp(-2 * np.abs(r))) - np.log(Wide(2))
        return value[:, 0], np.tanh(r), (1 / np.cosh(np.clip(r, -300, 300)) ** 2).astype(float)[:, :, None]

    def _hessian(self, bend):
        rows, share = self.columns.astype(float), self.share.astype(float)
        size = self.outputs * rows.shape[1]
        if self.outputs == 1:
            full = (rows * (share * bend[:, 0, 0])[:, None]).T @ rows
        else:
            left = (share[:, None, None] * bend)[:, :, None, :, None] * rows[:, None, :, None, None]
            full = (left.reshape(len(rows), -1).T @ rows).reshape(
                self.outputs, -1, self.outputs, rows.shape[1]
            )
            full = full.reshape(size, size)
        full = full + np.diag(self.bowl.astype(float).ravel())
        if self.loss == "cross-entropy":
            # The shift of all classes changes nothing but the penalty: filled in, so that the matrix has an inverse.
            fill = np.einsum("kiki->i", full.reshape(self.outputs, -1, self.outputs, rows.shape[1]))
            shift = np.kron(np.ones((self.outputs, self.outputs)), np.diag(fill)) / self.outputs**2
            full = full + shift
        return full

    def _step(self, bend, gradient, damping):
        hessian, flat = self._hessian(bend), gradient.ravel()
        # Small entries keep their digits only if they are not lost beside large ones.
        unit = float(np.abs(flat).max()) or 1.0
        right = (flat / unit).astype(float)
        # Columns have size one, and no second derivative of a loss is above one.
        hessian = hessian + damping * np.diag(1 + hessian.diagonal())
        try:
            step = scipy.linalg.cho_solve(scipy.linalg.cho_factor(hessian), right)
        except scipy.linalg.LinAlgError:
            step = np.linalg.lstsq(hessian, right, rcond=1e-14)[0]
        return step.astype(Wide).reshape(gradient.shape) * unit

    def optimum(self, rounds=300):
        """Return phi at the minimum, by Newton steps with gradients in long double."""
        if self._best is not None:
            return self._best
        phi = np.zeros((self.outputs, self.columns.shape[1]), Wide)
        value, gradient, bend = self._parts(phi)
        for _ in range(rounds):
            trial = self._better(phi, value, gradient, bend)
            if trial is None:
                break
            phi, value, gradient, bend = trial
        self._best, self._slope = phi, gradient
        self.doubt = abs(float((gradient * self._step(bend, gradient, 0.0)).sum())) / 2
        self.least = float(value)
        return phi

    def _better(self, phi, value, gradient, bend):
        noise = 4 * np.finfo(Wide).eps * abs(value)
        for damping in (0.0, 1e-9, 1e-6, 1e-3, 1e-1, 1.0):
            step = self._step(bend, gradient, damping)
            decrement = (gradient * step).sum() / 2
            length = 1.0
            while decrement > 0 and length > 1e-3:
                trial = phi - Wide(length) * step
                found = self._parts(trial)
                if found[0] < value - 1e-4 * length * decrement and value - found[0] > noise:
                    return trial, *found
                # Near the minimum values are all rounding, and the gradient tells.
                size, before = np.abs(found[1]).max(), np.abs(gradient).max()
                if found[0] <= value + noise and decrement <= 1e3 * noise and size < 0.5 * before:
                    return trial, *found
                length /= 2
            if self.loss != "huber" and decrement <= 1e3 * noise:
                return None
        return None

    # ---- what the tests ask ---------------------------------------------------------------------------------

    def value(self, weight, bias):
        """Return P(W, b)."""
        return float(self._parts(self.inner(weight, bias))[0])

    def distance(self, weight, bias):
        """Return P(W, b) − P at the optimum found, right to its leading digits however small it is."""
        best = self.optimum()
        move = self.inner(weight, bias) - best
        before, change = self.columns @ best.T + self.add, self.columns @ move.T
        bregman = self.share @ self._bregman(before, change)
        return float(bregman + (self.bowl * move**2).sum() / 2 + (self._slope * move).sum())

    def _bregman(self, z, d):
        """ℓ(z + d) − ℓ(z) − ⟨ℓ'(z), d⟩ for each row."""
        if self.loss == "squared":
            return (d**2 / 2)[:, 0]
        if self.loss == "huber":
            r = z - self.y[:, None]
            before, after = (np.clip(v, -self.delta, self.delta) for v in (r, r + d))
            both = (np.abs(r) <= self.delta) & (np.abs(r + d) <= self.delta)
            moved = np.where(both, d, after - before)
            return (moved**2 / 2 + moved * np.where(both, 0, r + d - after))[:, 0]
        if self.loss == "logistic":
            z, d = (np.c_[np.zeros(len(v), Wide), v] for v in (z, d))
        log_p = _log_softmax(z)
        p = np.exp(log_p)
        d = d - (p * d).sum(axis=1, keepdims=True)
        usual = np.log1p((p * _bent(np.minimum(d, 10_000))).sum(axis=1))
        return np.where(d.max(axis=1) < 10_000, usual, np.logaddexp.reduce(log_p + d, axis=1))


def _log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def _bent(t):
    """exp(t) − 1 − t."""
    series = np.ones_like(t)
    for k in range(24, 2, -1):
        series = 1 + np.clip(t, -1, 1) / k * series
    return np.where(np.abs(t) < 0.5, t**2 / 2 * series, np.expm1(t) - t)


class FiftyDigits:
    """P(W, b) in mpmath with fifty digits and some to spare: "logistic", "cross-entropy" or "huber".

    Parameters
    ----------
    X, y : lists of numbers (exactly as float64 holds them)
    loss : str
    outputs : int
    l2 : float
    fit_intercept : bool
    weight : list of numbers, optional
    delta : float
    """

    digits = 60

    def __init__(self, X, y, loss, outputs=1, l2=0.0, fit_intercept=True, weight=None, delta=1.0):
        weight = [1] * len(y) if weight is None else weight
        with mpmath.workdps(self.digits):
            self.rows = [[mpmath.mpf(float(v)) for v in row] + [mpmath.mpf(1)] * fit_intercept for row in X]
            self.share = [mpmath.mpf(float(s)) / mpmath.fsum(map(float, weight)) for s in weight]
            self.l2, self.delta = mpmath.mpf(l2), mpmath.mpf(delta)
            self.y = [mpmath.mpf(float(v)) for v in y] if loss == "huber" else [int(v) for v in y]
        self.loss, self.outputs, self.fit_intercept = loss, outputs, fit_intercept
        self.columns = len(self.rows[0])
        self.penalised = self.columns - fit_intercept

    def theta(self, weight, bias):
        """W and b as one column."""
        weight, bias = np.atleast_2d(weight), np.reshape(bias, -1)
        entries = []
        for k in range(self.outputs):
            entries += [*weight[k], bias[k]] if self.fit_intercept else list(weight[k])
        return mpmath.matrix([mpmath.mpf(float(v)) for v in entries])

    def _scores(self, theta, row):
        return [
            mpmath.fdot(row, theta[k * self.columns : (k + 1) * self.columns, 0]) for k in range(self.outputs)
        ]

    def _row(self, z, y):
        """Value, slope and curvature of one row's loss."""
        if self.loss == "huber":
            r = z[0] - y
            inside = abs(r) <= self.delta
            value = r**2 / 2 if inside else self.delta * (abs(r) - self.delta / 2)
            return value, [r if inside else self.delta * mpmath.sign(r)], [[mpmath.mpf(inside)]]
        scores, own = ([mpmath.mpf(0), *z], y) if self.loss == "logistic" else (z, y)
        total = mpmath.fsum(map(mpmath.exp, scores))
        p = [mpmath.exp(v) / total for v in scores]
        slope = [p[k] - (k == own) for k in range(len(p))]
        bend = [[p[k] * ((k == j) - p[j]) for j in range(len(p))] for k in range(len(p))]
        first = self.loss == "logistic"
        return mpmath.log(total) - scores[own], slope[first:], [line[first:] for line in bend[first:]]

    def value(self, theta):
        """Return P as an mpf."""
        with mpmath.workdps(self.digits):
            losses = [s * self._row(self._scores(theta, row), y)[0] for s, row, y in self._all()]
            return mpmath.fsum(losses) + self.l2 / 2 * mpmath.fsum(theta[i] ** 2 for i in self._weights())

    def distance(self, weight, bias):
        """Return P(W, b) − min P as an mpf."""
        with mpmath.workdps(self.digits):
            return self.value(self.theta(weight, bias)) - self.value(self.optimum)

    def solve(self):
        """Find the minimum by Newton's method; its gradient must vanish to fifty digits."""
        with mpmath.workdps(self.digits):
            theta = mpmath.zeros(self.outputs * self.columns, 1)
            for _ in range(60):
                gradient, hessian = self._derivatives(theta)
                if max(abs(v) for v in gradient) < mpmath.mpf(10) ** -52:
                    break
                step, length, before = mpmath.lu_solve(hessian, gradient), mpmath.mpf(1), self.value(theta)
                while self.value(theta - length * step) > before and length > 1e-6:
                    length /= 2
                theta -= length * step
            else:
                raise ArithmeticError("the reference itself was not found")
            self.optimum = theta
        return self

    def coefficients(self):
        """Return (weight, bias) of the optimum in float64."""
        theta = np.array([float(v) for v in self.optimum]).reshape(self.outputs, self.columns)
        return theta[:, : self.penalised], theta[:, -1] if self.fit_intercept else np.zeros(self.outputs)

    def _derivatives(self, theta):
        size = self.outputs * self.columns
        gradient, hessian = mpmath.zeros(size, 1), mpmath.zeros(size, size)
        for s, row, y in self._all():
            _, slope, bend = self._row(self._scores(theta, row), y)
            for k in range(self.outputs):
                for i, one in enumerate(row):
                    gradient[k * self.columns + i] += s * slope[k] * one
                    for j in range(self.outputs):
                        for m, two in enumerate(row):
                            hessian[k * self.columns + i, j * self.columns + m] += s * bend[k][j] * one * two
        for i in self._weights():
            gradient[i] += self.l2 * theta[i]
            hessian[i, i] += self.l2
        if self.loss == "cross-entropy":
            # Shifts of all classes: filled in, no step has a part in them.
            for i in range(self.columns):
                for k in range(self.outputs):
                    for j in range(self.outputs):
                        hessian[k * self.columns + i, j * self.columns + i] += 1
        return gradient, hessian

    def _weights(self):
        return [k * self.columns + i for k in range(self.outputs) for i in range(self.penalised)]

    def _all(self):
        return zip(self.share, self.rows, self.y, strict=True)
