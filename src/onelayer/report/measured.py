"""The quality of a model on a stream, in one read, and some of its rows for the pictures."""

import dataclasses
import math

import numpy as np

from onelayer.abstention import Abstention
from onelayer.designs.reservoir import hashed
from onelayer.errors import DataError
from onelayer.estimators.blockwise import blocks_of, squares_of
from onelayer.plots.inputs import as_array

__all__ = ["Measured", "measure"]

# Rows that pictures are drawn of.
_SAMPLE = 20_000
# Scores of two classes are counted in so many bins, of equal width in floating point: AUC is right to some 1e-4.
_BINS = 2**20


@dataclasses.dataclass
class Measured:
    """What one read of a stream has shown.

    Attributes
    ----------
    metrics : dict of str to float
        As :func:`~onelayer.report.metrics.evaluate` returns them; ``auc`` is right to 1e-4.
    rows : int
    X, y : array-like
        A sample of at most 20,000 rows, alike for all.
    """

    metrics: dict
    rows: int
    X: object
    y: np.ndarray


def measure(estimator, stream, *, abstain=None):
    """Return the Measured of a fitted model on a stream with targets."""
    sample = _Sample()
    parts = _seen(estimator, stream, sample)
    if hasattr(estimator, "classes_"):
        metrics, rows = _classification(estimator, parts, abstain)
    else:
        metrics, rows = _regression(estimator, parts)
    return Measured(metrics, rows, *sample.finish())


def _seen(estimator, stream, sample):
    for rows, block in blocks_of(estimator, stream):
        if block.y is None:
            raise DataError(
                f"{stream.name} has no target, which predictions are compared with: name its column."
            )
        sample.add(rows, block)
        yield block


def _classification(estimator, parts, abstain):
    classes = as_array(estimator.classes_)
    bounds = None if abstain is None else Abstention.of(abstain, len(classes))
    total = dict.fromkeys(("rows", "accuracy", "log_loss", "brier", "uncertain", "decided"), 0.0)
    counts = np.zeros((2, _BINS), dtype=np.int64) if len(classes) == 2 else None
    for block in parts:
        y = np.asarray(block.y)
        codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
        if (classes[codes] != y).any():
            unseen = y[classes[codes] != y].tolist()[0]
            raise DataError(f"y has the label {unseen!r}, which the model does not know.")
        proba = as_array(estimator.predict_proba(block.X)).astype(float)
        proba /= proba.sum(axis=1, keepdims=True)
        own = proba[np.arange(len(codes)), codes]
        right = proba.argmax(axis=1) == codes
        total["rows"] += len(codes)
        total["accuracy"] += right.sum()
        total["log_loss"] -= np.log(np.maximum(own, np.finfo(float).tiny)).sum()
        total["brier"] += ((proba**2).sum(axis=1) - 2 * own + 1).sum()
        if bounds is not None:
            uncertain = bounds.uncertain(proba)
            total["uncertain"] += uncertain.sum()
            total["decided"] += right[~uncertain].sum()
        if counts is not None:
            bins = _bins(as_array(estimator.decision_function(block.X)))
            for label in (0, 1):
                counts[label] += np.bincount(bins[codes == label], minlength=_BINS)
    rows = int(total["rows"])
    metrics = {"accuracy": total["accuracy"] / rows}
    if bounds is not None:
        metrics["uncertain"] = int(total["uncertain"])
        decided = rows - metrics["uncertain"]
        metrics["accuracy_decided"] = total["decided"] / decided if decided else math.nan
    metrics["log_loss"] = total["log_loss"] / rows
    metrics["brier"] = total["brier"] / rows / (2 if counts is not None else 1)
    if counts is not None:
        metrics["auc"] = _auc(*counts)
    return {name: value if isinstance(value, int) else float(value) for name, value in metrics.items()}, rows


def _bins(scores):
    """Return the bin of each score: its leading bits, in an order in which larger scores have larger ones."""
    bits = np.asarray(scores, dtype=np.float32).view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (ordered >> np.uint32(32 - int(math.log2(_BINS)))).astype(np.int64)


def _auc(negative, positive):
    if not (negative.sum() and positive.sum()):
        return math.nan
    below = negative.cumsum() - negative
    return float((positive @ (below + negative / 2)) / (negative.sum() * positive.sum()))


def _regression(estimator, parts):
    rows, squares, distances = 0, 0.0, 0.0

    def counted():
        nonlocal rows, squares, distances
        for block in parts:
            y, predicted = (
                np.asarray(values, dtype=float).reshape(len(block), -1)
                for values in (block.y, as_array(estimator.predict(block.X)))
            )
            rows += len(y)
            squares = squares + ((y - predicted) ** 2).sum(axis=0)
            distances = distances + np.abs(y - predicted).sum(axis=0)
            yield y, predicted, None

    r2 = squares_of(counted())
    # Of several targets the mean, as scikit-learn's.
    rmse, mae = np.mean(np.sqrt(squares / rows)), np.mean(distances / rows)
    return {"r2": r2, "rmse": float(rmse), "mae": float(mae)}, rows


class _Sample:
    """Rows of the smallest draws: each row alike, whatever the blocks."""

    def __init__(self):
        self._draws, self._X, self._y, self._most = np.zeros(0), [], [], 1.0

    def add(self, rows, block):
        draws = hashed(np.arange(rows.start, rows.stop) + 1)
        index = np.flatnonzero(draws < self._most)
        if not len(index):
            return
        self._X.append(as_array(block.X[index]) if not hasattr(block.X, "indptr") else block.X[index])
        self._y.append(np.asarray(block.y)[index])
        self._draws = np.concatenate([self._draws, draws[index]])
        if len(self._draws) > 2 * _SAMPLE:
            self._keep_smallest()

    def finish(self):
        self._keep_smallest()
        return self._X[0], self._y[0]

    def _keep_smallest(self):
        import scipy.sparse

        kept = np.sort(np.argsort(self._draws, kind="stable")[:_SAMPLE])
        stacked = (
            scipy.sparse.vstack(self._X, format="csr")
            if hasattr(self._X[0], "indptr")
            else np.concatenate(self._X)
        )
        self._X, self._y = [stacked[kept]], [np.concatenate(self._y)[kept]]
        self._draws = self._draws[kept]
        self._most = self._draws.max() if len(kept) == _SAMPLE else 1.0
