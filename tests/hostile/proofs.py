"""Certificates of fitted models, held against their formulas in :mod:`hostile.formulas`."""

import numpy as np

from hostile.formulas import Formula, assert_certified
from hostile.plain import labels_of, numbers_of

__all__ = ["certificate_holds", "scale_certificate_holds"]

_EPS = {"float32": 2.0**-23, "float64": 2.0**-52}
_LONG = np.longdouble


def certificate_holds(model, case, *, alpha, l1_ratio=0.0, loss=None, penalised=0.0, nonnegative=False):
    """Assert that the certificate of a fitted model is true.

    Parameters
    ----------
    model : estimator
    case : Case
    alpha : callable
        From Σ s_i to the penalty's strength beside the mean loss.
    l1_ratio : float
    loss : str, optional
        Of a regression; classifiers have the log loss.
    penalised : float
        Of the square of the intercept, 0 for none.
    nonnegative : bool
        Whether W ≥ 0.
    """
    if model.certificate_ is None or not np.isfinite(model.certificate_.gap):
        return
    X = numbers_of(case.X)
    weight = _weight_of(model, case, len(X))
    W, b = _both(model, X.shape[1])
    y, loss = (numbers_of(case.y), loss) if loss else _one_hot(model, case.y, len(W))
    y, weight = _with_class_weight(model, y, weight)
    # A row of weight zero is no row, whatever it holds.
    kept = weight > 0
    formula = Formula(
        loss,
        X[kept],
        y.reshape(len(X), -1)[kept],
        weight[kept],
        alpha(float(weight.sum())),
        l1_ratio,
        offset=0.0 if case.offset is None else _column(case.offset, len(X), len(W))[kept],
        scale=_scales(X, weight) if case.settings.get("standardize") else 1.0,
        fit_intercept=bool(model.fit_intercept),
        penalised=penalised,
    )
    narrow = "float32" in str(W.dtype)
    eps = _EPS["float32" if narrow else "float64"]
    assert_certified(
        formula, W, b, model.certificate_.gap, np.random.default_rng(0), eps=eps, nonnegative=nonnegative
    )


def scale_certificate_holds(model, case):
    """Assert that no (w, b, σ) near by is better than the certificate of a HuberRegressor allows."""
    X, y, rng = numbers_of(case.X), numbers_of(case.y).reshape(-1).astype(_LONG), np.random.default_rng(0)
    weight = _weight_of(model, case, len(X))

    def total(w, b, sigma):
        with np.errstate(all="ignore"):
            t = np.abs(y - X @ w.astype(_LONG) - b) / _LONG(sigma)
            bent = np.where(t < model.epsilon, t**2, 2 * model.epsilon * t - _LONG(model.epsilon) ** 2)
            return (weight * (sigma + sigma * bent))[weight > 0].sum() + model.alpha * (
                w.astype(_LONG) ** 2
            ).sum()

    w, b, sigma = model.coef_, model.intercept_, model.scale_
    here = total(w, b, sigma)
    size = weight @ (np.abs(y) + np.abs(X) @ np.abs(w) + abs(b))
    for step in (1e-8, 1e-4, 1e-1):
        for _ in range(4):
            v = w * (1 + step * rng.normal(size=w.shape))
            c = b * (1 + step * rng.normal()) if model.fit_intercept else 0.0
            there = total(v, c, sigma * (1 + step * rng.uniform(-1, 1)))
            if not np.isfinite(there) or not np.isfinite(here):
                continue
            allowed = model.certificate_.gap + 64 * _EPS["float64"] * (
                here + 2 * min(model.epsilon, 1e3) * size
            )
            assert here - there <= allowed, (here, there, model.certificate_)


def _both(model, features):
    W, b = np.asarray(model.coef_), np.asarray(model.intercept_)
    W = W.reshape(-1, features)
    return W, np.broadcast_to(b.reshape(-1), len(W))


def _weight_of(model, case, rows):
    if case.sample_weight is None:
        return np.ones(rows)
    weight = numbers_of(case.sample_weight).astype(float)
    return np.broadcast_to(weight.reshape(-1), rows).astype(float)


def _one_hot(model, y, outputs):
    """Return y as the loss of this many scores takes it, and the name of that loss."""
    labels, classes = labels_of(y), np.asarray(model.classes_).tolist()
    shares = (
        numbers_of(y)
        if labels is None
        else np.array([[label == k for k in classes] for label in labels], float)
    )
    shares = shares / shares.sum(axis=1, keepdims=True)
    return (shares[:, 1:], "log") if outputs == 1 else (shares, "cross-entropy")


def _with_class_weight(model, y, weight):
    if getattr(model, "class_weight", None) != "balanced":
        return y, weight
    shares = y if y.shape[1] > 1 else np.hstack([1 - y, y])
    mass = weight @ shares
    factors = np.where(mass > 0, mass.sum() / (np.count_nonzero(mass) * np.where(mass > 0, mass, 1)), 0.0)
    spread = shares @ factors
    shares = shares * factors / np.where(spread > 0, spread, 1.0)[:, None]
    return (shares if y.shape[1] > 1 else shares[:, 1:]), weight * spread


def _column(offset, rows, outputs):
    return np.broadcast_to(numbers_of(offset).reshape(rows, -1), (rows, outputs)).astype(_LONG)


def _scales(X, weight):
    share = (weight / weight.sum())[:, None].astype(_LONG)
    mean = (share * X).sum(axis=0)
    scale = np.sqrt((share * (X - mean) ** 2).sum(axis=0))
    return np.where(scale <= 1e-13 * np.abs(mean), 1.0, scale)
