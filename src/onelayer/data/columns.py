"""Columns of a table: from the text of a CSV file to types, from types to NumPy arrays."""

import contextlib
import dataclasses
from collections.abc import Container
from typing import TYPE_CHECKING

import numpy as np

from onelayer.data.tables import Table
from onelayer.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["is_text", "labels", "numbers", "settle", "texts"]


def settle(table: Table, text: Container[str] = ()) -> Table:
    """Give every column one of the types that the functions below know: text, numbers or truth values.

    Parameters
    ----------
    table : Table
    text : container of str
        Columns that are to be text although their values are numbers.

    Raises
    ------
    DataError
        If only some values of a CSV column are numbers, or a Parquet column holds times or other types.
    """
    import pyarrow as pa

    typed = [_settle(table, name, name in text) for name in table.names]
    return dataclasses.replace(table, data=pa.table(typed, names=table.names), untyped=False)


def is_text(table: Table, name: str) -> bool:
    """Tell whether a settled column holds text."""
    import pyarrow as pa

    return pa.types.is_string(table.column(name).type)


def numbers(table: Table, name: str) -> np.ndarray:
    """Return a settled column as float64, with NaN where a value is missing; a text in it is an error."""
    import pyarrow as pa

    column = table.column(name)
    if is_text(table, name) and column.null_count < len(column):
        row, value = next((row, value) for row, value in enumerate(column.to_pylist()) if value is not None)
        raise _not_a_number(table, name, row, value)
    # safe=False: integers beyond 2**53 are rounded, as they would be when written with a point
    return column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy()


def texts(table: Table, name: str) -> "pa.ChunkedArray":
    """Return a settled text column; a missing value is an error."""
    _refuse_missing(table, name)
    return table.column(name)


def labels(table: Table, name: str) -> np.ndarray:
    """Return a settled target column: text as it is, integers and truth values as int64, else float64.

    A missing value is an error.
    """
    _refuse_missing(table, name)
    if is_text(table, name):
        return np.array(table.column(name).to_pylist(), dtype=str)
    values = table.column(name).to_numpy()
    if values.dtype.kind in "biu":
        # result_type: float64 for uint64, which does not fit into int64
        return values.astype(np.result_type(values.dtype, np.int64))
    return numbers(table, name)


def _refuse_missing(table, name):
    missing = table.column(name).is_null(nan_is_null=True).to_numpy()
    if missing.any():
        raise DataError(
            f"{table.path}: column {name!r} misses {missing.sum()} of {len(missing)} values, "
            f"the first in {table.place(int(missing.argmax()))}: fill them in or leave these rows out."
        )


def _settle(table, name, as_text):
    import pyarrow as pa

    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    is_string = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (is_string or is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise DataError(
            f"{table.path}: column {name!r} holds values of type {kind}: "
            "convert it to numbers or text, or leave it out."
        )
    if as_text or (is_string and not table.untyped):
        return column.cast(pa.string())
    return _parse(table, name) if table.untyped else column


def _parse(table, name):
    """Return a CSV column as integers, else floats, else, where no value is a number, as the text it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.call_function("utf8_trim_whitespace", [table.column(name)])
    with contextlib.suppress(pa.ArrowInvalid):
        # floats first: pyarrow reads 0x10 as an integer, but as no float
        floats = trimmed.cast(pa.float64())
        with contextlib.suppress(pa.ArrowInvalid):
            # "+1" is an integer for people and for svmlight, but not for pyarrow
            return pc.call_function("utf8_ltrim", [trimmed], pc.TrimOptions("+")).cast(pa.int64())
        return floats
    is_number = {value: value is None or _is_number(value) for value in trimmed.unique().to_pylist()}
    if any(found for value, found in is_number.items() if value is not None):
        row = next(row for row, value in enumerate(trimmed.to_pylist()) if not is_number[value])
        raise _not_a_number(table, name, row, table.column(name)[row].as_py())
    return table.column(name)


def _is_number(text):
    import pyarrow as pa

    try:
        pa.scalar(text).cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _not_a_number(table, name, row, value):
    return DataError(
        f"{table.path}: column {name!r} is numeric, but {table.place(row)} holds {value!r}: "
        f"correct the value, or declare the column categorical with --categorical {name}."
    )
