"""Predictions as a table that is written while it is made."""

import contextlib
import csv
import pathlib
import sys
import tempfile

from onelayer.errors import OutputError

__all__ = ["Table"]


class Table:
    """A CSV or Parquet file, or CSV on standard output, block by block; a file appears whole or not at all.

    Parameters
    ----------
    path : str or None
        None for standard output.
    classes : array or None
        The labels of a classifier: a column of them with gaps keeps their type.
    """

    def __init__(self, path, classes=None):
        self._path, self._classes = None if path is None else pathlib.Path(path), classes
        self._exits = contextlib.ExitStack()

    def __enter__(self):
        if self._path is None:
            self._writer = _Csv(sys.stdout)
            return self
        with self._telling():
            # In a folder of its own beside the file, so that it can be renamed, and goes with all that is in it.
            folder = tempfile.TemporaryDirectory(dir=self._path.parent, prefix=f".{self._path.name}.")
            self._part = pathlib.Path(self._exits.enter_context(folder)) / self._path.name
            if self._path.suffix.lower() == ".csv":
                self._writer = _Csv(
                    self._exits.enter_context(self._part.open("w", encoding="utf-8", newline=""))
                )
            else:
                self._writer = _Parquet(self._part, self._classes)
        return self

    def add(self, columns):
        """Write rows, given as arrays by the names of their columns."""
        with self._telling():
            self._writer.add(columns)

    def __exit__(self, kind, error, trace):
        with self._exits, self._telling():
            self._writer.close()
            if self._path is not None and kind is None:
                self._part.replace(self._path)

    @contextlib.contextmanager
    def _telling(self):
        try:
            yield
        except BrokenPipeError:
            # The reader of our output went away: that is no error.
            raise
        except OSError as error:
            place = "standard output" if self._path is None else self._path
            raise OutputError(
                f"cannot write {place}: {error.strerror or error}; choose another file."
            ) from error


class _Csv:
    def __init__(self, file):
        self._file, self._begun = file, False
        self._writer = csv.writer(file, lineterminator="\n")

    def add(self, columns):
        if not self._begun:
            self._writer.writerow(columns)
            self._begun = True
        self._writer.writerows(zip(*map(_cells, columns.values()), strict=True))

    def close(self):
        self._file.flush()


class _Parquet:
    def __init__(self, path, classes):
        self._path, self._classes, self._writer = path, classes, None

    def add(self, columns):
        import pyarrow as pa
        import pyarrow.parquet as pq

        known = None if self._classes is None else pa.array(self._classes).type
        table = pa.table(
            {
                name: pa.array(values, type=known if values.dtype == object else None)
                for name, values in columns.items()
            }
        )
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self):
        if self._writer is not None:
            self._writer.close()


def _cells(values):
    """Return a column as text: nothing for None, and for a float the shortest that reads back as the same number."""
    import numpy as np

    cells = []
    for value in values:
        if value is None:
            cells.append("")
        elif isinstance(value, float | np.floating):
            cells.append(np.format_float_positional(value, trim="0"))
        else:
            cells.append(str(value))
    return cells
