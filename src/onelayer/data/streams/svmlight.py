"""Lines ``label index:value ...`` in one or many files, parsed piece by piece."""

import dataclasses
import io
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from onelayer.data.streams.base import Block, Source
from onelayer.data.streams.rebatch import rebatched
from onelayer.errors import DataError

__all__ = ["SvmlightSource"]

# text that is parsed at once
PIECE_BYTES = 1 << 22


@dataclasses.dataclass(frozen=True)
class _Piece:
    """Whole lines of a file, with the number of rows before them and in them."""

    path: pathlib.Path
    offset: int
    length: int
    before: int
    rows: int


class SvmlightSource(Source):
    """Compressed rows of text files, one file below the other.

    A first read counts the rows and looks at the first and last index of each line (they ascend): whether they count
    from 0 and how many features there are is for all files to say, not for each block.

    Parameters
    ----------
    files : sequence of Path
    features : int, optional
        How many features a model expects.
    labelled : bool, default=True
        Whether blocks get the labels.
    """

    sparse = True
    storage = "float64"

    def __init__(self, files: Sequence[pathlib.Path], features: int | None = None, labelled: bool = True):
        self._scan = _Scan()
        self._pieces = [piece for path in files for piece in self._scan.pieces(path)]
        if not self._scan.rows:
            raise DataError(f"{files[0]} holds no rows: write lines 'label index:value ...'.")
        self._zero_based = self._scan.lowest == 0
        found = max(self._scan.highest + self._zero_based, 1)
        if features is not None and found > features:
            raise DataError(
                f"{files[0]} has columns beyond the {features} of the model: give the columns of the fit."
            )
        self.rows, self.features = self._scan.rows, found if features is None else features
        self.has_target = labelled

    def read(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Block]:
        stop = self._scan.rows if stop is None else min(stop, self._scan.rows)
        needed = [
            piece for piece in self._pieces if piece.before < stop and piece.before + piece.rows > start
        ]
        before = needed[0].before if needed else 0
        yield from rebatched(map(self._parse, needed), size, start - before, stop - before)

    def _parse(self, piece):
        import scipy.sparse
        import sklearn.datasets

        with piece.path.open("rb") as file:
            file.seek(piece.offset)
            text = file.read(piece.length)
        try:
            X, y = sklearn.datasets.load_svmlight_file(
                io.BytesIO(text), n_features=self.features, zero_based=self._zero_based
            )
        except (ValueError, OverflowError) as error:
            raise _not_svmlight(piece.path, error) from error
        y = (y.astype(np.int64) if self._scan.whole else y) if self.has_target else None
        return Block(scipy.sparse.csr_array(X), y)


class _Scan:
    """What the first read of all files finds: rows, the lowest and highest index, and whether labels are whole."""

    def __init__(self):
        self.rows, self.lowest, self.highest, self.whole = 0, None, 0, True
        self._labels: set[bytes] = set()

    def pieces(self, path):
        offset = 0
        with path.open("rb") as file:
            while text := file.read(PIECE_BYTES):
                text += file.readline()
                before = self.rows
                try:
                    for line in text.split(b"\n"):
                        self._line(line)
                except ValueError as error:
                    raise _not_svmlight(path, error) from error
                if self.rows > before:
                    yield _Piece(path, offset, len(text), before, self.rows - before)
                offset += len(text)

    def _line(self, line):
        if b"#" in line:
            line = line[: line.index(b"#")]
        parts = line.split(None, 2)
        if not parts:
            return
        self.rows += 1
        if self.whole and parts[0] not in self._labels:
            label = float(parts[0])
            self.whole = label.is_integer() and abs(label) < 2**53
            # a target of many values would fill the memory; its texts are then looked at each time
            if len(self._labels) < 1000:
                self._labels.add(parts[0])
        first = 1
        if len(parts) > 1 and parts[1].startswith(b"qid:"):
            parts, first = line.split(None, 3), 2
        if len(parts) > first:
            low = int(parts[first].partition(b":")[0])
            self.lowest = low if self.lowest is None else min(low, self.lowest)
            last = line.rsplit(None, 1)[-1]
            self.highest = max(self.highest, int(last.partition(b":")[0]))


def _not_svmlight(path, error):
    return DataError(f"{path} is not svmlight text ({error}): write lines 'label index:value ...'.")
