"""One door for all data that need not fit into memory: a path, arrays or batches in, a Stream out."""

import numbers
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from onelayer.data.streams.base import Block, Source
from onelayer.data.streams.opening import Options, open_source
from onelayer.data.streams.sizes import parse_bytes, show_bytes
from onelayer.errors import DataError, DataTypeError, ParameterError

if TYPE_CHECKING:
    import torch

    from onelayer.data.encoder import ColumnEncoder

__all__ = ["Stream", "stream"]


class Stream:
    """Data that a fit reads in blocks of rows, as often as it needs, within a limit of memory.

    Made by :func:`stream`; pass it to ``fit``, ``predict`` or ``score`` in the place of ``X`` and ``y``.

    Parameters
    ----------
    source : Source
        What is read.
    memory_limit : int or str, optional
        The bytes that a fit may use, as a number or as a text such as ``"2 GB"``.
    shards : {"divide", "own"}, optional
        Which rows each of several processes has.
    """

    def __init__(self, source: Source, memory_limit: int | str | None = None, shards: str | None = None):
        self.source, self.shards = source, shards
        #: The number of rows as far as it is known without a read.
        self.counted = source.rows
        self.memory_limit = None if memory_limit is None else parse_bytes(memory_limit)

    @property
    def rows(self) -> int | None:
        """The number of rows, or None while it is unknown: of batches before they were read once."""
        return self.source.rows

    @property
    def features(self) -> int:
        """The number of features."""
        return self.source.features

    @property
    def feature_names(self) -> list[str] | None:
        """The names of the features, where the source has some."""
        return self.source.feature_names

    @property
    def dtype(self) -> "torch.dtype":
        """The dtype of the features."""
        return self.source.dtype

    @property
    def sparse(self) -> bool:
        """Whether the features come as CSR matrices."""
        return self.source.sparse

    @property
    def name(self) -> str:
        """The name of the file or folder, without its ending."""
        return self.source.name

    @property
    def encoder(self) -> "ColumnEncoder | None":
        """How the columns of a table became features."""
        return self.source.encoder

    @property
    def has_target(self) -> bool:
        """Whether there is a target."""
        return self.source.has_target

    def blocks(self, size: int) -> Iterator[Block]:
        """Yield all rows in order, in blocks of ``size`` rows; the last may be shorter.

        Raises
        ------
        ParameterError
            If ``size`` is no whole number above 0.
        """
        if not isinstance(size, numbers.Integral) or isinstance(size, bool) or size < 1:
            raise ParameterError(f"size={size!r} is no number of rows: give a whole number above 0.")
        return self.source.read(int(size))

    def __array__(self, dtype=None, copy=None):
        raise DataTypeError(
            f"{self.name} is a stream, which the estimators of onelayer read in blocks: for anything that needs the rows as an "
            "array load them, for example with onelayer.data.load."
        )

    def __repr__(self):
        rows = "rows not yet counted" if self.rows is None else f"{self.rows} rows"
        kind = ("sparse " if self.sparse else "") + self.source.storage
        limit = "" if self.memory_limit is None else f"; within {show_bytes(self.memory_limit)}"
        return f"Stream({self.name!r}: {rows}, {self.features} features, {kind}; {self.source.description}{limit})"


def stream(
    source: Any,
    target: str | int | bool | None = None,
    *,
    weight: Any = None,
    columns: str | Sequence[str] | None = None,
    categorical: str | Sequence[str] = (),
    features: int | None = None,
    encoder: "ColumnEncoder | None" = None,
    memory_limit: int | str | None = None,
    shards: str | None = None,
) -> Stream:
    """Open data that need not fit into memory, to be read in blocks of rows.

    Parameters
    ----------
    source : path, list of paths, tuple of arrays, or batches
        - ``.parquet``: a table. Text columns become one 0/1 feature per category.
        - ``.npy``: a 2-d array with the target as a column; or files ``X*.npy`` and ``y*.npy`` (and maybe
          ``weight*.npy``) that go by pairs: ``X_000.npy`` and ``y_000.npy``.
        - ``.npz``: arrays ``X``, ``y`` and maybe ``weight``, which are loaded, as such files cannot be read in parts.
        - ``.svm``, ``.libsvm``: text lines ``label index:value ...``.
        - A folder of files of one of these kinds, a pattern such as ``"part-*.npy"``, or a list of paths. They are
          taken as one, one below the other, in the order of their names, or of the list.
        - ``(X, y)`` or ``(X, y, weight)``: arrays, memory maps, tensors, a scipy.sparse matrix as X, or the paths (or
          folders, or lists of paths) of ``.npy`` files.
        - Batches ``(X, y)`` or ``(X, y, weight)``: a ``DataLoader`` that does not shuffle, a torch or Hugging Face
          dataset, a list, or a function that returns a new iterator each time it is called.
    target : str, int or False, optional
        The column to predict: a name in a table or in batches with names, an index in a ``.npy`` file. The default is
        the last one. ``False``: there is no target, as for ``predict``.
    weight : str, int or array, optional
        The column with sample weights, likewise; beside arrays an array of them.
    columns : sequence of str, optional
        The columns of a Parquet file, or of batches with names, that become features. The default is all others.
    categorical : sequence of str, optional
        Columns of a Parquet file to take as categories although their values are numbers.
    features : int, optional
        The number of features that a model expects. A ``.npy`` file with just that many columns has no target.
    encoder : ColumnEncoder, optional
        The ``encoder`` of an earlier table. Columns are then matched by name, and the target may be absent.
    memory_limit : int or str, optional
        The bytes that a fit may use, as a number or as a text such as ``"2 GB"``; of several processes each one.
    shards : {"divide", "own"}, optional
        For several processes (started by ``torchrun``, or joined by ``torch.distributed.init_process_group``) that call
        ``fit`` together: ``"divide"`` where all of them name the same data, of which each then reads its share;
        ``"own"`` where each names other rows, maybe none. A process alone has all rows. The default: other processes are
        not asked.

    Returns
    -------
    Stream

    Raises
    ------
    DataError
        If there is no such file, it cannot be read, or its parts do not go together; the message names what is at
        fault.
    ParameterError
        If `memory_limit` is no amount of memory, or `shards` none of its words.

    Examples
    --------
    >>> import numpy as np
    >>> from onelayer.data import stream
    >>> X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])
    >>> data = stream((X, y), memory_limit="1 GB")
    >>> data
    Stream('data': 6 rows, 2 features, float64; arrays; within 1 GB)
    >>> [len(block) for block in data.blocks(4)]
    [4, 2]
    """
    if shards not in (None, "divide", "own"):
        raise ParameterError(
            f"shards={shards!r} is not known: give 'divide' where all processes name the same data, 'own' where each names its "
            "rows, or None."
        )
    if isinstance(source, Stream):
        shards = source.shards if shards is None else shards
        memory_limit = source.memory_limit if memory_limit is None else memory_limit
        source = source.source
    if not isinstance(source, Source):
        if features is None and encoder is not None:
            features = len(encoder.feature_names)
        options = Options(
            target,
            weight,
            None if columns is None else _names(columns),
            _names(categorical),
            features,
            encoder,
            may_be_empty=shards == "own",
        )
        try:
            source = open_source(source, options)
        except OSError as error:
            raise DataError(
                f"{error.filename or source} cannot be read ({error.strerror or error}): check its permissions."
            ) from error
    return Stream(source, memory_limit, shards)


def _names(names):
    return (names,) if isinstance(names, str) else tuple(names)
