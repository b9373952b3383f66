"""CSV and Parquet files as named columns that know where each row stands in its file."""

import collections
import contextlib
import csv
import dataclasses
import pathlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from onelayer.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Table", "check_names", "first_line", "read_table", "some"]

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
# a row must fit into one block
BLOCK_BYTES = 1 << 24
# names quoted in a sentence
SHOWN = 10


def some(names: Sequence[str]) -> str:
    """Quote the first few names."""
    return ", ".join(repr(name) for name in names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns with names.

    Attributes
    ----------
    path : Path
        The file they come from, for the error sentences.
    data : pyarrow.Table
    untyped : bool
        Whether every value is still the text of a CSV file.
    first : int
        The row of the file that is the first one here.
    """

    path: pathlib.Path
    data: "pa.Table"
    untyped: bool = False
    first: int = 0

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the order of the file."""
        return self.data.column_names

    def column(self, name: str) -> "pa.ChunkedArray":
        """Return the values of a column."""
        return self.data.column(name)

    def place(self, row: int) -> str:
        """Say where row ``row`` (counted from 0) stands: ``row 3 (line 4)``."""
        return _place(self.path, self.first + row)


def read_table(path: pathlib.Path) -> Table:
    """Read a ``.csv`` file, as text, or a ``.parquet`` file, in its own types.

    Raises
    ------
    DataError
        If the file is damaged, has no rows, or has columns that are not told apart by their names.
    """
    table = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
    if table.data.num_rows == 0:
        raise DataError(f"{path} has a header and no rows: add rows of data.")
    return table


def _read_csv(path):
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    options = {
        # one thread: only then does a ragged row know its number
        "read_options": arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        "parse_options": arrow_csv.ParseOptions(newlines_in_values=True),
    }
    try:
        with arrow_csv.open_csv(path, **options) as reader:
            names = reader.schema.names
        check_names(path, names)
        convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=MISSING, strings_can_be_null=True
        )
        return Table(path, arrow_csv.read_csv(path, **options, convert_options=convert), untyped=True)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(_csv_fault(path, str(error))) from error


def _csv_fault(path, message):
    # not pyarrow's handler for such rows: it prints a traceback where one is not UTF-8
    if ragged := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message):
        row, expected, found = map(int, ragged.groups())
        # pyarrow counts the header as row 1
        return f"{path}: {_place(path, row - 2)} has {found} values for {expected} columns: correct it."
    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError as fault:
        byte, line = content[fault.start], content.count(b"\n", 0, fault.start) + 1
        return f"{path} is not UTF-8 text (byte 0x{byte:02x} in line {line}): save it as UTF-8."
    if not content.strip():
        return f"{path} is empty: it needs a header and rows of data."
    if "Empty CSV" in message:
        return f"{path} has a header and no rows: add rows of data."
    return f"{path} cannot be read as CSV ({first_line(message)}): check how it was written."


def _read_parquet(path):
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # not read_table: it would add columns for folders named "key=value"
        with parquet.ParquetFile(path) as file:
            check_names(path, file.schema_arrow.names)
            data = file.read()
        # text that is not UTF-8 would only fail when it is looked at
        data.validate(full=True)
    except PermissionError:
        raise
    # pyarrow reports damage as an OSError too
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is not a sound Parquet file ({first_line(str(error))}): write it again."
        ) from error
    # pandas stores its row labels as a last column, which would pass for the target
    row_labels = [name for name in data.column_names if name.startswith("__index_level_")]
    return Table(path, data.drop_columns(row_labels))


def first_line(message: str) -> str:
    """Return what a message of pyarrow's says first."""
    return message.partition("\n")[0].strip()


def check_names(path: pathlib.Path, names: Sequence[str]) -> None:
    """Raise DataError unless every column has a name of its own."""
    if "" in names:
        raise DataError(
            f"{path}: column {names.index('') + 1} has no name: "
            "name it, or leave it out if it only numbers the rows."
        )
    name, count = max(collections.Counter(names).items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        raise DataError(f"{path} has {count} columns named {name!r}: give each its own name.")


def _place(path, row):
    line = _line(path, row + 1) if path.suffix.lower() == ".csv" else None
    return f"row {row + 1}" + (f" (line {line})" if line else "")


def _line(path, record):
    """Return the line on which a record ends, which blank lines and breaks within quotes move."""
    with (
        contextlib.suppress(csv.Error),
        path.open(encoding="utf-8-sig", errors="replace", newline="") as file,
    ):
        reader = csv.reader(file)
        for count, _ in enumerate(filter(None, reader)):
            if count == record:
                return reader.line_num
    return None
