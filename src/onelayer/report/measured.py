"""The quality of a model on a stream, in one read, and some of its rows for the pictures."""

import dataclasses
import math

import numpy as np
import torch

from onelayer.abstention import Abstention
from onelayer.designs.reservoir import hashed
from onelayer.errors import DataError
from onelayer.estimators.blockwise import blocks_of, squares_of
from onelayer.estimators.gathering import processes_of, share_of
from onelayer.plots.inputs import as_array

__all__ = ["Measured", "measure"]

# Rows that pictures are drawn of.
_SAMPLE = 20_000
# Scores of two classes are counted in so many bins, of equal width in floating point: AUC is right to some 1e-4.
_BINS = 2**20
_TOTALS = ("rows", "accuracy", "log_loss", "brier", "uncertain", "decided")


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
    """Return the Measured of a fitted model on a stream with targets; of several processes each reads its share."""
    with processes_of(stream).shared() as group:
        share = share_of(stream, group)
        # Rows of other processes have other numbers, also where they do not know how many there are.
        sample = _Sample(_SAMPLE, 0 if share.total else group.rank << 40)
        parts = _seen(estimator, stream, sample, share)
        if hasattr(estimator, "classes_"):
            metrics, rows = _classification(estimator, parts, abstain, group)
        else:
            metrics, rows = _regression(estimator, parts, group)
        return Measured(metrics, rows, *_joined(group.everyones(sample.finish), _SAMPLE))


def _seen(estimator, stream, sample, share):
    for rows, block in blocks_of(estimator, stream, share):
        if block.y is None:
            raise DataError(
                f"{stream.name} has no target, which predictions are compared with: name its column."
            )
        sample.add(rows, block)
        yield block


def _classification(estimator, parts, abstain, group):
    classes = as_array(estimator.classes_)
    bounds = None if abstain is None else Abstention.of(abstain, len(classes))

    def own():
        total, counts = _counted(estimator, classes, parts, bounds)
        found = [torch.tensor(list(total.values()), dtype=torch.float64)]
        return found if counts is None else [*found, torch.from_numpy(counts).double()]

    sums, *counts = group.summed(own)
    total = dict(zip(_TOTALS, sums.tolist(), strict=True))
    rows = int(total["rows"])
    metrics = {"accuracy": total["accuracy"] / rows}
    if bounds is not None:
        metrics["uncertain"] = int(total["uncertain"])
        decided = rows - metrics["uncertain"]
        metrics["accuracy_decided"] = total["decided"] / decided if decided else math.nan
    metrics["log_loss"] = total["log_loss"] / rows
    metrics["brier"] = total["brier"] / rows / (2 if counts else 1)
    if counts:
        metrics["auc"] = _auc(*counts[0].numpy())
    return {name: value if isinstance(value, int) else float(value) for name, value in metrics.items()}, rows


def _counted(estimator, classes, parts, bounds):
    """Return the sums over the rows that metrics are made of, and how many rows of each class have each score."""
    total = dict.fromkeys(_TOTALS, 0.0)
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
    return total, counts


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


def _regression(estimator, parts, group):
    totals = [torch.zeros((), dtype=torch.float64) for _ in range(3)]

    def counted():
        for block in parts:
            y, predicted = (
                np.asarray(values, dtype=float).reshape(len(block), -1)
                for values in (block.y, as_array(estimator.predict(block.X)))
            )
            totals[0] = totals[0] + len(y)
            for place, distances in ((1, (y - predicted) ** 2), (2, np.abs(y - predicted))):
                totals[place] = totals[place] + torch.from_numpy(distances.sum(axis=0))
            yield y, predicted, None

    r2 = squares_of(counted(), group)
    outputs = np.atleast_1d(as_array(estimator.intercept_)).size
    rows, squares, distances = group.summed(
        lambda: [totals[0], *(total + torch.zeros(outputs, dtype=torch.float64) for total in totals[1:])]
    )
    # Of several targets the mean, as scikit-learn's.
    rmse, mae = (squares / rows).sqrt().mean(), (distances / rows).mean()
    return {"r2": r2, "rmse": rmse.item(), "mae": mae.item()}, int(rows)


class _Sample:
    """So many rows, those of the smallest draws: each row alike, whatever the blocks."""

    def __init__(self, count, start):
        self._count, self._start = count, start
        self._draws, self._X, self._y, self._most = np.zeros(0), [], [], 1.0

    def add(self, rows, block):
        draws = hashed(np.arange(rows.start, rows.stop) + self._start + 1)
        index = np.flatnonzero(draws < self._most)
        if not len(index):
            return
        self._X.append(as_array(block.X[index]) if not hasattr(block.X, "indptr") else block.X[index])
        self._y.append(np.asarray(block.y)[index])
        self._draws = np.concatenate([self._draws, draws[index]])
        if len(self._draws) > 2 * self._count:
            self._keep_smallest()

    def finish(self):
        """Return X, y and draws of the rows, or None where there were none."""
        if not self._X:
            return None
        self._keep_smallest()
        return self._X[0], self._y[0], self._draws

    def _keep_smallest(self):
        kept = np.sort(np.argsort(self._draws, kind="stable")[: self._count])
        self._X, self._y = [_stacked(self._X)[kept]], [np.concatenate(self._y)[kept]]
        self._draws = self._draws[kept]
        self._most = self._draws.max() if len(kept) == self._count else 1.0


def _stacked(parts):
    import scipy.sparse

    return scipy.sparse.vstack(parts, format="csr") if hasattr(parts[0], "indptr") else np.concatenate(parts)


def _joined(samples, count):
    """Return X and y of the rows of the smallest draws in the samples of all processes."""
    X, y, draws = zip(*(sample for sample in samples if sample is not None), strict=True)
    kept = np.sort(np.argsort(np.concatenate(draws), kind="stable")[:count])
    return _stacked(X)[kept], np.concatenate(y)[kept]
