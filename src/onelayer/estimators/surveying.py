"""The first read of a stream: targets and weights of all rows, a sample of them that stays, and whether all are numbers."""

import functools
from typing import Any

import numpy as np
import torch

from onelayer.designs import (
    ChunkedDesign,
    Compressed,
    DenseDesign,
    Feed,
    Fingerprint,
    Reservoir,
    ShardedDesign,
    SparseDesign,
)
from onelayer.errors import DataError
from onelayer.estimators.coded import Coded
from onelayer.estimators.gathering import (
    given_of_all,
    kept_of_all,
    no_rows,
    require_alike,
    rows_of_all,
    share_of,
    targets_of_all,
)
from onelayer.estimators.memory import Budget
from onelayer.estimators.row_arrays import RowArray
from onelayer.estimators.validation import first_line, on_device, require_finite
from onelayer.processes import ALONE

__all__ = ["Surveyed"]


class Surveyed:
    """A stream after its first read: what :class:`~onelayer.estimators.features.Features` is for data in memory.

    Parameters
    ----------
    estimator : BaseEstimator
        Keeps the number and names of features.
    stream : Stream
    y : array or None
        Targets that come beside the stream.
    device : torch.device or str, optional
    group : Group
        The processes that have rows of it.
    marked : bool
        Whether a fingerprint of the rows is taken.
    shrunk : int
        What the budget is divided by, because the whole of it was not there.

    Attributes
    ----------
    y : Coded, or array of shape (n,) or (n, targets)
    sample_weight : array of shape (n,) or None
    rows : int
        Of all processes, as `y` and `sample_weight`.
    counts : list of int
        Rows of each process.
    copies : list of str
    is_tensor : bool
        False: coefficients come back as arrays.
    """

    is_tensor = False

    def __init__(self, estimator, stream, y=None, device=None, group=ALONE, *, marked=False, shrunk=1):
        source = stream.source
        self.stream, self.copies, self.group = stream, [], group
        self._labelled = hasattr(type(estimator), "predict_proba")
        self._device = (
            torch.device("cpu")
            if device is None
            else on_device(device, lambda there: torch.empty(0, device=there).device)
        )
        self.budget = Budget.of(stream.memory_limit, self._device).shrunk(shrunk)
        if not stream.has_target and y is None:
            raise DataError(
                f"{stream.name} has no target, and y is None: name its column with target=, or give y."
            )
        if stream.has_target and y is not None:
            raise DataError(
                f"y is given beside {stream.name}, which has a target: open the stream with target=False."
            )
        estimator.n_features_in_ = source.features
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
        if stream.feature_names is not None:
            estimator.feature_names_in_ = np.asarray(stream.feature_names, dtype=object)
        first = self.budget.first_rows(stream)
        size = self.budget.rows_of(stream, first, self._outputs(first))
        require_alike(stream, group)
        self._share = share = share_of(stream, group)
        self._fingerprint: Any = Fingerprint(stream.features) if marked else None
        self.feed = Feed(
            source, size, share.start, share.stop, device=self._device, may_be_empty=group.size > 1
        )
        for callback in estimator._watchers(group):
            if hasattr(callback, "on_reading"):
                callback.on_reading(self.feed)
        if shrunk > 1:
            self.copies.append(
                f"memory ran out, so X is read in blocks of {size:,} rows, and the sample is {shrunk} times smaller"
            )
        self._gather(*self._read(None if y is None else np.asarray(y)))

    @property
    def rows(self):
        return sum(self.counts)

    @functools.cached_property
    def values(self):
        """No numbers, of the dtype and on the device of X."""
        return torch.empty(0, dtype=self.stream.dtype, device=self._device)

    def design(self, dtype):
        """Return the design of X with products in this dtype."""
        if self.group.size == 1:
            return ChunkedDesign(self.feed, dtype, self._kept.as_dtype(dtype))
        if self.feed.rows:
            own = ChunkedDesign(self.feed, dtype)
        else:
            nothing = no_rows(self.stream, self._device)
            sparse = self.stream.sparse
            own = SparseDesign(nothing, dtype, flips=False) if sparse else DenseDesign(nothing, dtype)
        return ShardedDesign(own, self.group, self.counts, self._kept.as_dtype(dtype))

    def of_all(self, values):
        """Return what was given with an entry for each row, for the rows of all processes."""
        if self.group.size == 1 or self.stream.shards == "divide":
            return values
        return given_of_all(self.group, values, self.counts)

    def _outputs(self, first):
        """Return how many scores a row seems to have, by the labels of the first rows."""
        if not self._labelled or first is None or first.y is None:
            return 1
        y = np.asarray(first.y)
        return y.shape[1] if y.ndim == 2 else len(set(y.tolist()))

    # ---- the first read ---------------------------------------------------------------------------------------

    def _read(self, given):
        """Return targets, weights and a sample of the rows of this process; None where it has no rows."""
        stream, feed = self.stream, self.feed
        # Each process holds the samples of all.
        room = min(self.group.everyones(lambda: self.budget.sample)) // self.group.size
        expected = stream.rows if feed.stop is None else feed.stop - feed.start
        reservoir = Reservoir(
            room,
            self.budget.per_output,
            expected,
            # Far from the rows of other processes, also where they do not know how many there are.
            start=self.group.rank << 40,
            among=self.group.size,
        )
        first = self._first_row()
        targets: Any = None
        weights = RowArray(np.float64) if stream.source.has_weight else None
        for rows, block, X in feed.first():
            self._require_finite(X, feed.start + rows.start)
            y = block.y if given is None else given[feed.start + rows.start : feed.start + rows.stop]
            if len(y) != rows.stop - rows.start:
                raise DataError(
                    f"y has {len(given):,} entries and {stream.name} has more rows: give one per row."
                )
            if targets is None:
                targets = _Labels() if self._labelled and not _soft(y) else _Numbers()
            reservoir.add(X, targets.add(y, feed.start + rows.start))
            if self._fingerprint is not None:
                self._fingerprint.add(X, first + rows.start)
            if weights is not None:
                weights.append(np.asarray(block.weight))
        whole = feed.rows if self._share.total is None else self._share.total
        if given is not None and len(given) != whole:
            raise DataError(
                f"y has {len(given):,} entries and {stream.name} has {whole:,} rows: give one per row."
            )
        weights = None if weights is None else weights.array()
        if targets is None:
            return None, weights, None
        return targets.finish(), weights, reservoir.finish(None, self._device)

    def _first_row(self):
        """Return the number of the first row of this process among all rows, as far as that is known before the read."""
        if self.group.size == 1 or self._share.total is not None:
            return self._share.start
        counts = self.group.everyones(lambda: self.stream.counted)
        known = None not in counts
        return sum(counts[: self.group.rank]) if known else self.group.rank << 40

    def fingerprint(self):
        """Return what tells the rows of all processes from others."""
        return self._fingerprint.value(self.group)

    def _gather(self, y, weights, kept):
        """Keep what all processes have read."""
        group = self.group
        self.counts = group.everyones(lambda: self.feed.rows)
        self.y = targets_of_all(group, y, self.counts)
        self.sample_weight = None if weights is None else rows_of_all(group, weights, self.counts)
        self._kept = kept_of_all(group, kept, self.counts, self.stream, self._device)

    def _require_finite(self, X, start):
        values = X.values if isinstance(X, Compressed) else X
        # A finite sum proves finite terms; that in float64 takes three times as long, and is asked if it is not.
        if not values.is_floating_point() or any(
            bool(torch.isfinite(values.sum(dtype=wide))) for wide in (None, torch.float64)
        ):
            return
        if isinstance(X, Compressed):
            bad = (~torch.isfinite(values)).nonzero().squeeze(1)
            if not len(bad):
                return
            row = start + int(torch.searchsorted(X.starts, bad[0], right=True)) - 1
            raise DataError(
                f"{self.stream.name} has a value that is NaN or infinite in row {row:,}, column {int(X.places[bad[0]])}: drop "
                "the row, or leave the entry out (it is then zero)."
            )
        finite = torch.isfinite(X)
        if bool(finite.all()):
            return
        row, column = (~finite).nonzero()[0].tolist()
        names = self.stream.feature_names
        raise DataError(
            f"{self.stream.name} has a value that is NaN or infinite in row {start + row:,}, column "
            f"{column if names is None else repr(names[column])} ({float(X[row, column])}): fill such values or drop these rows."
        )


class _Numbers:
    """Targets that are numbers."""

    def __init__(self):
        self._all, self._width = RowArray(np.float64), None

    def add(self, y, start):
        """Keep the targets of a block; there are no classes to tell."""
        del start
        y = np.asarray(y)
        if y.dtype.kind not in "biuf":
            raise DataError(f"y is not numeric (its dtype is {y.dtype}): linear regression needs numbers.")
        y = y.astype(np.float64)
        require_finite(y, "y")
        self._width = y.shape[1] if y.ndim == 2 else None
        self._all.append(y.ravel())

    def finish(self):
        """Return them all."""
        values = self._all.array()
        return values if self._width is None else values.reshape(-1, self._width)


class _Labels:
    """Labels, numbered in the order in which they come."""

    def __init__(self):
        self._numbers, self._codes = {}, RowArray(Coded.narrowest(1))

    def add(self, y, start):
        """Keep the labels of a block and return their numbers."""
        y = np.asarray(y)
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        if y.ndim != 1:
            raise DataError(f"y has shape {y.shape} in a block: give one label per row.")
        if y.dtype.kind == "f":
            if not np.isfinite(y).all():
                row = start + int(np.argmax(~np.isfinite(y)))
                raise DataError(f"y is NaN or infinite in row {row:,}: drop the row.")
            if (y != np.rint(y)).any():
                raise DataError(
                    "y is continuous, it holds numbers that are not whole, so it is no class label: use LinearRegression, or "
                    "turn y into classes."
                )
        try:
            labels, codes = np.unique(y, return_inverse=True)
        except TypeError as error:
            raise DataError(
                f"Unknown label type: y mixes labels that cannot be sorted ({first_line(error)}): give all text or all numbers."
            ) from error
        numbers = np.array([self._numbers.setdefault(label, len(self._numbers)) for label in labels.tolist()])
        numbers = numbers[codes]
        self._codes.append(numbers.astype(Coded.narrowest(len(self._numbers))))
        return numbers

    def finish(self):
        """Return them all as Coded, numbered in the order of the labels."""
        found = list(self._numbers)
        try:
            labels = np.array(sorted(found))
        except TypeError as error:
            raise DataError(
                "Unknown label type: y mixes labels that cannot be sorted: give all text or all numbers."
            ) from error
        rank = np.searchsorted(labels, np.array(found))
        codes = self._codes.array()
        rank = rank.astype(codes.dtype)
        for start in range(0, len(codes), 2**24):
            codes[start : start + 2**24] = rank[codes[start : start + 2**24]]
        return Coded(labels, codes)


def _soft(y):
    y = np.asarray(y)
    return y.ndim == 2 and y.shape[1] > 1
