"""A part of a probe's data that is a stream: its rows are read a block at a time, its targets are kept."""

import dataclasses
from typing import Any

import numpy as np
import scipy.sparse
import torch

from onelayer.designs import Compressed
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.coded import Coded
from onelayer.estimators.gathering import processes_of, rows_of_all
from onelayer.estimators.problem import plain_arithmetic
from onelayer.estimators.validation import is_stream
from onelayer.selection.splits import Part, parted

__all__ = ["StreamedPart", "part_of"]


@dataclasses.dataclass(frozen=True)
class StreamedPart(Part):
    """Rows of a stream with their targets, those of all processes.

    Attributes
    ----------
    name : {"train", "validation", "test"}
    X : Stream
    y : Coded, or array of shape (n,) or (n, targets)
    beside : array or None
        Targets that were given beside the stream.
    feed : Feed
        The rows of this process, which are compared in each read with those of the first one.
    counts : list of int
        Rows of each process.
    """

    beside: Any
    feed: Any
    counts: list[int]
    streamed = True

    @classmethod
    def read(cls, name, stream, beside, est):
        """Read the targets, as an estimator of this kind takes them, and see that all of X is finite numbers: one read."""
        reader, group = type(est)(**est.get_params(deep=False)), processes_of(stream)
        with group.shared(), plain_arithmetic():
            features, y, weight = reader._read(stream, beside, None, group)
        if weight is not None:
            raise DataError(
                f"{name} holds the stream {stream.name!r} with weights, and a probe counts every row once: open it without weight=."
            )
        if not isinstance(y, Coded) and y.ndim == 2 and y.shape[1] == 1:
            y = y.ravel()
        return cls(name, stream, y, beside, features.feed, features.counts)

    @property
    def rows(self):
        return len(self.y)

    @property
    def width(self):
        return self.X.features

    @property
    def columns(self):
        return self.X.feature_names

    @property
    def data(self):
        return self.X, self.beside

    @property
    def labels(self):
        return self.y.labels if isinstance(self.y, Coded) else np.unique(self.y)

    def row_of(self, labels):
        if isinstance(self.y, Coded):
            return int(np.argmax(np.isin(self.y.codes, np.flatnonzero(np.isin(self.y.labels, labels)))))
        return super().row_of(labels)

    def ordered_like(self, train):
        if train.columns is not None and self.columns is not None and train.columns != self.columns:
            raise DataError(
                f"{self.name} is a stream with other columns than train, or in another order: give them as {train.columns[:5]} …"
            )
        return self

    def require_finite(self, est):
        """Have nothing to refuse: the first read has seen all rows."""

    def normalized(self):
        raise ParameterError(
            f"scaling is 'l2', and {self.name} is a stream, whose rows are taken as they are: write them with norm 1, and give "
            "scaling=None."
        )

    def measured(self, models, measure):
        group, found = processes_of(self.X), [[] for _ in models]
        with group.shared(), plain_arithmetic():
            first = sum(self.counts[: group.rank])
            for rows, X in self.feed.blocks():
                X, y = _table(X), self._targets(slice(first + rows.start, first + rows.stop))
                for model, parts in zip(models, found, strict=True):
                    parts.append(measure(model, X, y))
            own = [np.concatenate(parts) if parts else None for parts in found]
            shapes = group.everyones(lambda: None if own[0] is None else own[0].shape[1:])
            # A process may have no rows.
            nothing = np.zeros((0, *next(shape for shape in shapes if shape is not None)))
            return [rows_of_all(group, nothing if part is None else part, self.counts) for part in own]

    def scored(self, scorer, models):
        """Return the score of each model: in one read for all of them where the score is a mean over rows, else in one for each."""
        if scorer.is_mean:
            return [float(rows.mean()) for rows in self.measured(models, scorer.of_rows)]
        everyone = np.arange(self.rows)
        y = self._targets(slice(None))
        return [scorer(self._known(model), everyone, y) for model in models]

    def _known(self, model):
        """Return the model with its scores of all rows, to be asked for them by number."""
        (scores,) = self.measured([model], lambda model, X, y: model._scores(X)[0].cpu().numpy())
        return model._answering(torch.from_numpy(scores))

    def _targets(self, rows):
        return self.y.labels[self.y.codes[rows]] if isinstance(self.y, Coded) else self.y[rows]


def part_of(name, given, est):
    """Return the Part that (X, y), a Dataset or a stream is."""
    X, y = (given, None) if is_stream(given) else parted(name, given)
    return StreamedPart.read(name, X, y, est) if is_stream(X) else Part.of(name, X, y)


def _table(X):
    """Return a block as `predict` takes it."""
    if not isinstance(X, Compressed):
        return X
    parts = (part.cpu().numpy() for part in (X.values, X.places, X.starts))
    return scipy.sparse.csr_array(tuple(parts), shape=(X.rows, X.columns))
