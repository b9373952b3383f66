"""Predictions and scores of streams: a block of rows at a time."""

import functools

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from onelayer.designs.ahead import ahead
from onelayer.designs.feed import tensor_of
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.gathering import Share, processes_of, share_of
from onelayer.estimators.memory import Budget
from onelayer.estimators.validation import as_array, is_stream
from onelayer.processes import ALONE

__all__ = ["blocks_of", "blockwise", "scored", "squares_of"]


def blockwise(method):
    """Return a method of X that takes a stream as well, and joins what it returns for its blocks."""

    @functools.wraps(method)
    def either(self, X, **options):
        if not is_stream(X):
            return method(self, X, **options)
        check_is_fitted(self, "coef_")
        found = [as_array(part, "X") for _, part in _applied(method, self, X, dict(options))]
        if found:
            return np.concatenate(found)
        # A process without rows has predictions without rows, of the same kind.
        options.pop("offset", None)
        return as_array(method(self, torch.zeros(1, X.features, dtype=X.dtype), **options))[:0]

    either.__doc__ = method.__doc__
    return either


def blocks_of(estimator, stream, share=None):
    """Yield slices of rows and the blocks of a stream (or of a Share of it), with X as `predict` takes it, read ahead."""
    check_is_fitted(estimator, "coef_")
    source = stream.source
    if source.features != estimator.n_features_in_:
        raise DataError(
            f"{stream.name} has {source.features} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input: give the columns of the fit."
        )
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and stream.feature_names is not None and list(names) != list(stream.feature_names):
        raise DataError(
            f"{stream.name} has other columns than those of the fit, or in another order: give them as {list(names)[:5]} …"
        )
    share = Share() if share is None else share
    start = share.start
    outputs = 1 if np.ndim(estimator.intercept_) == 0 else len(estimator.intercept_)
    budget = Budget.of(stream.memory_limit)
    size = budget.rows_of(stream, budget.first_rows(stream), outputs)
    for block in ahead(source.read(size, share.start, share.stop)):
        # A tensor, not an array: names were compared once, for all blocks.
        block.X = block.X if hasattr(block.X, "indptr") else tensor_of(block.X)
        yield slice(start, start + len(block)), block
        start += len(block)


def _applied(method, estimator, stream, options):
    offset = options.pop("offset", None)
    with processes_of(stream).shared() as group:
        share = share_of(stream, group)
    offset, rows = _Beside("offset", offset), slice(0, 0)
    for rows, block in blocks_of(estimator, stream, share):
        yield block, method(estimator, block.X, **options, **offset.of(rows))
    offset.require_end(rows.stop if share.total is None else share.total)


def scored(estimator, stream, y, sample_weight, offset, group=ALONE):
    """Yield (targets, predictions, weights or None) of the blocks of a stream, of several processes its own."""
    if y is not None and stream.has_target:
        raise ParameterError(f"y is given, and {stream.name} brings its targets: leave it out.")
    targets, offset = _Beside("y", y), _Beside("offset", offset)
    weights = _Beside("sample_weight", sample_weight)
    share, rows = share_of(stream, group), slice(0, 0)
    for rows, block in blocks_of(estimator, stream, share):
        known = targets.of(rows).get("y", block.y)
        if known is None:
            raise DataError(
                f"{stream.name} has no target, which a score compares with: name its column with target=."
            )
        weight = weights.of(rows).get("sample_weight", block.weight)
        yield known, as_array(estimator.predict(block.X, **offset.of(rows))), weight
    for beside in (targets, weights, offset):
        beside.require_end(rows.stop if share.total is None else share.total)


class _Beside:
    """An argument with an entry for each row of a stream."""

    def __init__(self, name, values):
        self._name = name
        self._values = None if values is None else as_array(values)

    def of(self, rows):
        """Return the entries of these rows by the argument's name; nothing where there are none."""
        if self._values is None:
            return {}
        if self._values.ndim == 0 or len(self._values) < rows.stop:
            raise DataError(
                f"{self._name} has shape {self._values.shape}, and the stream has more rows: give one per row."
            )
        return {self._name: self._values[rows]}

    def require_end(self, rows):
        """Refuse more entries than there were rows."""
        if self._values is not None and len(self._values) != rows:
            raise DataError(
                f"the stream has {rows:,} rows and {self._name} has {len(self._values):,} entries: give one per row."
            )


def squares_of(parts, group=ALONE):
    """Return R² of (targets, predictions, weights) that come in parts, of several processes to each its own.

    The spread of the targets is merged from that of the parts about their own means, so that none of it cancels.
    """

    def own():
        return functools.reduce(_merged, map(_squares, parts), _NOTHING)

    _, _, spread, left = functools.reduce(_merged, group.everyones(own))
    with np.errstate(divide="ignore", invalid="ignore"):
        # As scikit-learn: a target without spread is predicted rightly or not at all.
        ratio = np.where(spread > 0, 1 - left / spread, np.where(left > 0, 0.0, 1.0))
    return float(np.mean(ratio))


# Weight, mean and spread of targets, and the squares that predictions leave.
_NOTHING = (0.0, 0.0, 0.0, 0.0)


def _squares(part):
    y, predicted, weight = part
    y, predicted = (np.asarray(values, dtype=np.float64).reshape(len(y), -1) for values in (y, predicted))
    weight = np.ones(len(y)) if weight is None else weight
    own = weight.sum()
    if not own:
        return _NOTHING
    middle = weight @ y / own
    return own, middle, weight @ (y - middle) ** 2, weight @ (y - predicted) ** 2


def _merged(one, two):
    (first, mean, spread, left), (second, other, more, rest) = one, two
    total = first + second
    if not first or not second:
        return two if second else one
    apart = (other - mean) ** 2 * (first * second / total)
    return total, mean + (other - mean) * (second / total), spread + more + apart, left + rest
