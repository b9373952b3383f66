"""A part of a probe's data that is a stream: its rows are read a block at a time, its targets are kept."""

import dataclasses
from typing import Any

import numpy as np

from onelayer.errors import DataError, ParameterError
from onelayer.estimators.blockwise import blocks_of
from onelayer.estimators.coded import Coded
from onelayer.estimators.gathering import processes_of, rows_of_all, share_of
from onelayer.estimators.problem import plain_arithmetic
from onelayer.estimators.validation import as_array, is_stream
from onelayer.selection.held_out import scores_of
from onelayer.selection.splits import Part, parted

__all__ = ["StreamedPart", "part_of"]


@dataclasses.dataclass(frozen=True)
class StreamedPart(Part):
    """Rows of a stream with their targets, those of all processes.

    Attributes
    ----------
    name : {"train", "validation", "test"}
    X : Stream
    y : array
        One target for each row.
    beside : array or None
        Targets that were given beside the stream.
    """

    beside: Any = None
    streamed = True

    @classmethod
    def read(cls, name, stream, beside, est):
        """Read the targets, as an estimator of this kind takes them, and see that all of X is finite numbers: one read."""
        reader, group = type(est)(**est.get_params(deep=False)), processes_of(stream)
        with group.shared(), plain_arithmetic():
            _, y, weight = reader._read(stream, beside, None, group)
        if weight is not None:
            raise DataError(
                f"{name} holds the stream {stream.name!r} with weights, and a probe counts every row once: open it without weight=."
            )
        y = y.labels[y.codes] if isinstance(y, Coded) else y
        return cls(name, stream, _flat(y), beside)

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

    def ordered_like(self, train):
        if train.columns is not None and self.columns is not None and train.columns != self.columns:
            raise DataError(
                f"{self.name} is a stream with other columns than train, or in another order: give them as {train.columns[:5]} …"
            )
        return self

    def normalized(self):
        raise ParameterError(
            f"scaling is 'l2', and {self.name} is a stream, whose rows are taken as they are: write them with norm 1, and give "
            "scaling=None."
        )

    def measured(self, models, measure):
        group, found = processes_of(self.X), [[] for _ in models]
        with group.shared(), plain_arithmetic():
            share, count = share_of(self.X, group), 0
            for rows, block in blocks_of(models[0], self.X, share):
                y = _flat(as_array(block.y if self.beside is None else self.beside[rows]))
                for model, parts in zip(models, found, strict=True):
                    parts.append(measure(model, block.X, y))
                count += len(y)
            own = [np.concatenate(parts) if parts else None for parts in found]
            shapes = group.everyones(lambda: None if own[0] is None else own[0].shape[1:])
            # A process may have no rows.
            nothing = np.zeros((0, *next(shape for shape in shapes if shape is not None)))
            counts = group.everyones(lambda: count)
            return [rows_of_all(group, nothing if part is None else part, counts) for part in own]

    def scored(self, scorer, models):
        """Return the score of each model: in one read for all of them where the score is a mean over rows, else in one for each."""
        if scorer.is_mean:
            return [float(rows.mean()) for rows in self.measured(models, scorer.of_rows)]
        return scores_of(scorer, models, self.X, self.beside)


def part_of(name, given, est):
    """Return the Part that (X, y), a Dataset or a stream is."""
    X, y = (given, None) if is_stream(given) else parted(name, given)
    return StreamedPart.read(name, X, y, est) if is_stream(X) else Part.of(name, X, y)


def _flat(y):
    return y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
