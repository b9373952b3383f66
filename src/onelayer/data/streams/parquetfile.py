"""One Parquet file: what its footer says, and its rows in batches that need little memory."""

import contextlib
import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from onelayer.data.tables import Table, check_names, first_line, some
from onelayer.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ParquetPart"]

# pre_buffer would fetch whole row groups ahead, often all of a file. A buffer for each column lets Arrow read page after
# page. memory_map is a little faster still, but ends the process where someone cuts the file while it is read.
READING = {"pre_buffer": False, "buffer_size": 1 << 16}
# what Arrow holds of a column beside its dictionary: a page, as read and as decoded
PAGE_BYTES = 300_000


class ParquetPart:
    """A Parquet file that is opened anew for each read.

    Attributes
    ----------
    path : Path
    schema : pyarrow.Schema
        Without the row labels of pandas.
    names : list of str
    rows : int
    """

    def __init__(self, path: pathlib.Path):
        self.path = path
        with self._open() as file:
            schema = file.schema_arrow
            check_names(path, schema.names)
            # pandas stores its row labels as a last column, which would pass for the target
            self.names = [name for name in schema.names if not name.startswith("__index_level_")]
            import pyarrow as pa

            self.schema = pa.schema([schema.field(name) for name in self.names])
            groups = range(file.metadata.num_row_groups)
            self._ends = np.cumsum([0, *(file.metadata.row_group(group).num_rows for group in groups)])
        self.rows = int(self._ends[-1])

    def batches(
        self, names: Sequence[str], batch_rows: int, start: int, stop: int
    ) -> "Iterator[tuple[int, pa.RecordBatch]]":
        """Yield the rows ``start`` to ``stop`` of some columns, each batch with the number of its first row."""
        low = int(np.searchsorted(self._ends, start, side="right")) - 1
        high = int(np.searchsorted(self._ends, stop, side="left"))
        row = int(self._ends[low])
        with self._open() as file:
            found = file.iter_batches(batch_rows, row_groups=list(range(low, high)), columns=list(names))
            while True:
                with self._sound():
                    batch = next(found, None)
                    if batch is None:
                        break
                    # text that is not UTF-8 would only fail when it is looked at
                    batch.validate(full=any(map(_is_varying, batch.schema.types)))
                begin, end = max(start - row, 0), min(stop - row, batch.num_rows)
                if begin < end:
                    yield row + begin, batch.slice(begin, end - begin)
                row += batch.num_rows

    def table(self, batch: "pa.RecordBatch", first: int) -> Table:
        """Return a batch as a table that knows where its rows stand in the file."""
        import pyarrow as pa

        return Table(self.path, pa.Table.from_batches([batch]), first=first)

    def is_empty(self, name: str) -> bool:
        """Tell whether a column has no values."""
        return all(
            batch.column(0).null_count == len(batch)
            for _, batch in self.batches([name], 1 << 16, 0, self.rows)
        )

    def must_match(self, first: "ParquetPart", used: Sequence[str]) -> None:
        """Refuse this file if it has other columns than the first one, or other types of those that are used."""
        if odd := sorted(set(self.names) ^ set(first.names)):
            raise DataError(
                f"{self.path} and {first.path} have different columns ({some(odd)} only in one of them): write all files "
                "with the same columns."
            )
        for name in used:
            one, other = (_plain(part.schema.field(name).type) for part in (self, first))
            if one != other:
                raise DataError(
                    f"{self.path}: column {name!r} holds {one}, and in {first.path} {other}: write all files with the "
                    "same types."
                )

    def held(self, names: Sequence[str]) -> int:
        """Estimate the bytes that Arrow holds while it reads: a page and the dictionary of each column."""
        with self._open() as file:
            metadata, total = file.metadata, 0
            largest = max(
                range(metadata.num_row_groups), key=lambda g: metadata.row_group(g).num_rows, default=None
            )
            if largest is None:
                return 0
            group, wanted = metadata.row_group(largest), set(names)
            for number in range(group.num_columns):
                chunk = group.column(number)
                if chunk.path_in_schema in wanted:
                    dictionary = 0
                    if chunk.dictionary_page_offset is not None:
                        dictionary = max(chunk.data_page_offset - chunk.dictionary_page_offset, 0)
                    # compressed, uncompressed and decoded
                    total += min(3 * dictionary + PAGE_BYTES, 3 * chunk.total_uncompressed_size)
        return total

    def _open(self):
        from pyarrow import parquet

        with self._sound():
            return parquet.ParquetFile(self.path, **READING)

    @contextlib.contextmanager
    def _sound(self):
        import pyarrow as pa

        try:
            yield
        except (PermissionError, FileNotFoundError):
            raise
        # pyarrow reports damage as an OSError too
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{self.path} is not a sound Parquet file ({first_line(str(error))}): write it again."
            ) from error


def _plain(kind):
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_varying(kind):
    import pyarrow as pa

    kind = _plain(kind)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
