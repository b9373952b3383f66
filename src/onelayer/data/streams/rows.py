"""From batches of columns to rows: a block that is filled piece by piece, each value written once."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from onelayer.data.columns import is_text, labels, numbers, settle
from onelayer.data.encoder import Column, ColumnEncoder
from onelayer.data.streams.base import Block
from onelayer.data.streams.kinds import join
from onelayer.data.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RowEncoder", "storage_of_types"]


def storage_of_types(table: Table, columns: Sequence[Column]) -> str:
    """Return ``"float32"`` where that holds all values of a settled table's columns exactly, else ``"float64"``."""
    import pyarrow as pa

    narrow = {
        pa.float16(),
        pa.float32(),
        pa.int8(),
        pa.uint8(),
        pa.int16(),
        pa.uint16(),
        pa.bool_(),
        pa.null(),
    }
    fits = all(c.categories is not None or table.column(c.name).type in narrow for c in columns)
    return "float32" if fits else "float64"


@dataclasses.dataclass(frozen=True)
class RowEncoder:
    """How columns become the rows, targets and weights of a block.

    Attributes
    ----------
    columns : tuple of Column
    target, weight : str or None
        The names of these columns.
    text : tuple of str
        Columns that are to be text although their values are numbers.
    storage : str
    encoder : ColumnEncoder or None
        That knows whether labels are to be text.
    """

    columns: tuple[Column, ...]
    target: str | None
    weight: str | None
    text: tuple[str, ...]
    storage: str
    encoder: ColumnEncoder | None

    def block(self, size: int) -> "_Filling":
        """Return a block of this many rows, yet to be filled."""
        return _Filling(self, size)


class _Filling:
    def __init__(self, encoder, size):
        self.encoder, self.size, self.free = encoder, size, size
        widths = [len(column.feature_names) for column in encoder.columns]
        # zeros only where categories need them: each page of the block is then touched once
        one_hot = any(column.categories is not None for column in encoder.columns)
        self.X = (np.zeros if one_hot else np.empty)((size, sum(widths)), encoder.storage)
        self.starts = np.cumsum([0, *widths]).tolist()
        self.y, self.weight = [], []

    def add(self, table: Table) -> None:
        """Write the rows of a table below those that are there."""
        encoder, begin = self.encoder, self.size - self.free
        out = self.X[begin : begin + table.data.num_rows]
        slow = []
        for start, column in zip(self.starts, encoder.columns, strict=False):
            values = None if column.categories is not None else _plain_numbers(table.column(column.name))
            if values is None:
                slow.append((start, column))
            else:
                # several columns at once would need a second copy: this one writes at 2.5 GB/s
                out[:, start] = values
        names = [column.name for _, column in slow] + [
            name for name in (encoder.target, encoder.weight) if name
        ]
        if names:
            settled = settle(dataclasses.replace(table, data=table.data.select(names)), encoder.text)
            for start, column in slow:
                column.encode(settled, out[:, start : start + len(column.feature_names)])
            self._add_others(settled)
        self.free -= table.data.num_rows

    def _add_others(self, table):
        encoder = self.encoder
        if encoder.target is not None:
            if (
                encoder.encoder is not None
                and not encoder.encoder.text_target
                and is_text(table, encoder.target)
            ):
                # an error: the labels of the fit were numbers
                numbers(table, encoder.target)
            self.y.append(labels(table, encoder.target))
        if encoder.weight is not None:
            self.weight.append(numbers(table, encoder.weight))

    def finish(self) -> Block:
        """Return the block, once it is full."""
        return Block(self.X, join(self.y) if self.y else None, join(self.weight) if self.weight else None)


def _plain_numbers(column: "pa.ChunkedArray") -> np.ndarray | None:
    """Return a column as it lies in Arrow's memory, or None if something has to be done to it."""
    import pyarrow as pa

    kind = column.type
    if (
        not (pa.types.is_integer(kind) or pa.types.is_floating(kind))
        or column.null_count
        or column.num_chunks != 1
    ):
        return None
    return column.chunk(0).to_numpy()
