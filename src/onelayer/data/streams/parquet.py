"""Parquet files, one or many, as one table whose rows are read in blocks."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from onelayer.data.columns import is_text, settle, texts
from onelayer.data.encoder import MAX_CATEGORIES, Column, ColumnEncoder
from onelayer.data.streams.base import Block, Source
from onelayer.data.streams.parquetfile import ParquetPart
from onelayer.data.streams.rows import RowEncoder, storage_of_types
from onelayer.data.tables import Table, some
from onelayer.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ParquetSource"]

# Decoded values that wait to be written into a block: few enough for the cache, enough to pay for each call.
BATCH_BYTES = 1 << 23


class ParquetSource(Source):
    """The rows of Parquet files with the same columns, one file below the other.

    Parameters
    ----------
    files : sequence of Path
    target : str, False or None
        False: no target. None: the last column.
    weight : str, optional
        The column with sample weights.
    columns : sequence of str, optional
        The columns of the features; all others by default.
    categorical : sequence of str
        Columns to take as categories although their values are numbers.
    encoder : ColumnEncoder, optional
        The one of an earlier table.
    """

    def __init__(
        self,
        files: Sequence[pathlib.Path],
        target: Any = None,
        weight: str | None = None,
        columns: Sequence[str] | None = None,
        categorical: Sequence[str] = (),
        encoder: ColumnEncoder | None = None,
    ):
        self._parts = [ParquetPart(file) for file in files]
        self.rows = self._total = sum(part.rows for part in self._parts)
        if not self._total:
            raise DataError(f"{files[0]} has columns and no rows: add rows of data.")
        first = self._parts[0]
        self._check_names(first.names, target=target, weight=weight, columns=columns, categorical=categorical)
        if encoder is None:
            target, features = _roles(first, target, weight, columns)
            texts_among = (*categorical,)
        else:
            self._check_encoder(encoder, target, columns, categorical)
            target = None if target is False else encoder.target
            features = [column.name for column in encoder.columns]
            texts_among = tuple(column.name for column in encoder.columns if column.categories is not None)
            if encoder.text_target:
                texts_among += (encoder.target,)
            self._match(encoder, weight, columns)
            if target is not None and self._is_absent(target):
                target = None
        used = [name for name in (*features, target, weight) if name is not None]
        for part in self._parts[1:]:
            part.must_match(first, used)
        # without rows: for the refusal of times and the like, and for the types
        empty = settle(Table(first.path, first.schema.empty_table().select(used)), texts_among)
        if encoder is None:
            made = self._columns(empty, features, texts_among)
            if target is not None:
                self.encoder = ColumnEncoder(made, target, is_text(empty, target))
        else:
            made, self.encoder = encoder.columns, encoder
        self.storage = storage_of_types(empty, made)
        self._encoder = RowEncoder(made, target, weight, texts_among, self.storage, self.encoder)
        self._used = used
        self.feature_names = [name for column in made for name in column.feature_names]
        self.features = len(self.feature_names)
        self.has_target, self.has_weight = target is not None, weight is not None
        self.overhead = first.held(used)

    def read(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Block]:
        stop = self._total if stop is None else min(stop, self._total)
        most = max(BATCH_BYTES // (4 * len(self._used)), 1024)
        # equal pieces of a block: else each block would end in the middle of a batch
        batch_rows = -(-size // -(-size // most))
        left, block = stop - start, None
        for part, row, batch in self._batches(self._used, batch_rows, start, stop):
            begin = 0
            while begin < batch.num_rows:
                if block is None:
                    block = self._encoder.block(min(size, left))
                count = min(batch.num_rows - begin, block.free)
                block.add(part.table(batch.slice(begin, count), row + begin))
                begin += count
                if not block.free:
                    left -= block.size
                    yield block.finish()
                    block = None

    def _batches(
        self, names, batch_rows, start=0, stop=None
    ) -> "Iterator[tuple[ParquetPart, int, pa.RecordBatch]]":
        """Yield record batches with the file they are from and the number of their first row in it."""
        stop = self._total if stop is None else stop
        before = 0
        for part in self._parts:
            low, high = max(start - before, 0), min(stop - before, part.rows)
            if low < high:
                for row, batch in part.batches(names, batch_rows, low, high):
                    yield part, row, batch
            before += part.rows

    def _columns(self, empty, features, categorical) -> tuple[Column, ...]:
        """Return the columns with their categories, which are collected in one read of the text columns."""
        found: dict[str, set] = {name: set() for name in features if is_text(empty, name)}
        for part, row, batch in self._batches(list(found), 1 << 16) if found else ():
            table = settle(part.table(batch, row), categorical)
            for name, values in found.items():
                values.update(texts(table, name).unique().to_pylist())
                if len(values) > MAX_CATEGORIES:
                    raise DataError(
                        f"{part.path}: column {name!r} holds more than {MAX_CATEGORIES} different texts, and at most "
                        "so many categories become features: leave the column out or group its values."
                    )
        return tuple(Column(name, tuple(sorted(found[name])) if name in found else None) for name in features)

    def _check_names(self, names, *, target, weight, columns, categorical):
        given = [("target", target), ("weight", weight)]
        given += [("columns", name) for name in columns or ()]
        given += [("categorical", name) for name in categorical]
        for argument, name in given:
            if name is not None and name is not False and name not in names:
                raise DataError(
                    f"{argument}={name!r} is no column of {self._parts[0].path}: its columns are {some(names)}."
                )
        if columns is not None and len(set(columns)) < len(columns):
            name = next(name for name in columns if list(columns).count(name) > 1)
            raise DataError(f"columns names {name!r} twice: name each column once.")
        if weight is not None and weight == target:
            raise DataError(f"target={target!r} and weight={weight!r} are one column: give two.")

    def _check_encoder(self, encoder, target, columns, categorical):
        if categorical or target not in (None, False, encoder.target):
            raise DataError(
                f"target={target!r} and categorical={list(categorical)} are settled by the encoder, "
                f"whose target is {encoder.target!r}: leave them out."
            )
        known = {column.name for column in encoder.columns}
        if columns is not None and set(columns) - {encoder.target} != known:
            raise DataError(
                f"columns={list(columns)} are not those of the encoder ({some(sorted(known))}): leave columns out."
            )

    def _match(self, encoder, weight, columns):
        """Refuse tables that lack columns, or have unknown ones that nobody chose to leave out."""
        known = {column.name for column in encoder.columns} | {encoder.target}
        for part in self._parts:
            names = [name for name in part.names if name != weight and (columns is None or name in known)]
            encoder.match(Table(part.path, part.schema.empty_table().select(names)))

    def _is_absent(self, target):
        """Tell whether the target is no column, or wholly empty because it is yet to be predicted."""
        return target not in self._parts[0].names or all(part.is_empty(target) for part in self._parts)


def _roles(part, target, weight, columns):
    """Return the name of the target, or None, and those of the features."""
    names = [name for name in part.names if name != weight]
    if target is False:
        target = None
    elif target is None and names:
        target = names[-1]
    features = [name for name in (names if columns is None else columns) if name not in (target, weight)]
    if not features:
        raise DataError(
            f"{part.path} has no column beside the target {target!r}"
            + (f" and the weight {weight!r}" if weight else "")
            + ": add columns of features."
        )
    return target, features
