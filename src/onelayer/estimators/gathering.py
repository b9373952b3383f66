"""What several processes know of a stream together, after each has read its own rows once."""

import dataclasses

import numpy as np
import torch

from onelayer.designs import Compressed, DenseDesign, Kept, SparseDesign
from onelayer.errors import DataError
from onelayer.estimators.coded import Coded
from onelayer.estimators.row_arrays import RowArray
from onelayer.estimators.validation import is_stream
from onelayer.processes import ALONE, join

__all__ = [
    "Share",
    "given_of_all",
    "kept_of_all",
    "no_rows",
    "processes_of",
    "require_alike",
    "rows_of_all",
    "share_of",
    "targets_of_all",
]

# Bytes that are sent at a time.
_AT_ONCE = 2**24
_COUNTING = 2**14


@dataclasses.dataclass(frozen=True)
class Share:
    """The rows that one process reads.

    Attributes
    ----------
    start, stop : int
        The first one, and the one after the last (None: to the end).
    total : int or None
        Of the rows that are divided, how many there are.
    """

    start: int = 0
    stop: int | None = None
    total: int | None = None


def processes_of(X):
    """Return the Group that works on X together: all processes for a stream that says so, else this one alone."""
    return join() if is_stream(X) and X.shards else ALONE


def share_of(stream, group):
    """Return the Share of this process."""
    if group.size == 1 or stream.shards == "own":
        return Share()
    rows = group.agreed(stream.rows)
    if rows is None:
        # Only a read can tell. The first process alone knows it afterwards, so that it is asked always.
        rows = group.everyones(lambda: 0 if group.rank else sum(map(len, stream.blocks(_COUNTING))))[0]
    return Share(rows * group.rank // group.size, rows * (group.rank + 1) // group.size, rows)


def require_alike(stream, group):
    """Refuse shards that are not of one table."""
    source = stream.source
    facts = {
        "features": source.features,
        "dtype": str(stream.dtype).removeprefix("torch."),
        "sparse rows": source.sparse,
        "weights": source.has_weight,
        "columns": None if stream.feature_names is None else list(stream.feature_names),
    }
    for rank, others in enumerate(group.everyones(lambda: facts)):
        for name, fact in facts.items():
            if others[name] != fact:
                raise DataError(
                    f"{stream.name} has {name} {fact!r} in process {group.rank} and {others[name]!r} in process {rank}: give all "
                    "of them rows of one table."
                )


def rows_of_all(group, own, counts):
    """Return the entries of all processes as one array: those of this one, and how many each has."""
    if group.size == 1:
        return own
    found = RowArray(own.dtype)
    width = int(np.prod(own.shape[1:], dtype=int))
    step = max(1, _AT_ONCE // (own.dtype.itemsize * width))
    for rank, count in enumerate(counts):
        for start in range(0, count, step):
            size = min(step, count - start)
            piece = np.empty((size, *own.shape[1:]), own.dtype)
            if rank == group.rank:
                piece[:] = own[start : start + size]
            found.append(group.sent(torch.from_numpy(piece), rank).numpy().ravel())
    return found.array().reshape(-1, *own.shape[1:])


def given_of_all(group, values, counts):
    """Return numbers that were given for each row, or for all of them at once, for the rows of all processes."""
    values = None if values is None else np.asarray(values, dtype=np.float64)
    shapes = group.everyones(lambda: None if values is None else values.shape)
    if all(shape is None for shape in shapes):
        return None
    if all(shape == () for shape in shapes):
        return values
    wrong = [
        rank
        for rank, (shape, count) in enumerate(zip(shapes, counts, strict=True))
        if not shape or shape[0] != count or shape[1:] != (shapes[0] or ())[1:]
    ]
    if wrong:
        shown = "nothing" if shapes[wrong[0]] is None else f"shape {shapes[wrong[0]]}"
        raise DataError(
            f"process {wrong[0]} gave {shown} as weights or offsets of its {counts[wrong[0]]:,} rows: give one for each row in all "
            "processes."
        )
    return rows_of_all(group, np.ascontiguousarray(values), counts)


def targets_of_all(group, own, counts):
    """Return the targets of all rows: Coded or an array, from those of this process (None where it has no rows)."""
    coded = isinstance(own, Coded)
    kinds = group.everyones(lambda: None if own is None else (coded, own.labels if coded else own.shape[1:]))
    known = [kind for kind in kinds if kind is not None]
    if not known:
        raise DataError(f"none of the {group.size} processes has a row: give data with at least one.")
    if len({kind[1].dtype.kind in "OUT" if kind[0] else None for kind in known}) > 1:
        raise DataError(
            "y holds labels of different kinds in different processes: give all text or all numbers."
        )
    if not known[0][0]:
        if len({kind[1] for kind in known}) > 1:
            raise DataError("y has another number of columns in another process: give as many in each.")
        return rows_of_all(group, np.zeros((0, *known[0][1])) if own is None else own, counts)
    labels = np.unique(np.concatenate([kind[1] for kind in known]))
    dtype = Coded.narrowest(len(labels))
    if own is None:
        return Coded(labels, rows_of_all(group, np.zeros(0, dtype), counts))
    places = np.searchsorted(labels, own.labels).astype(dtype)
    return Coded(labels, rows_of_all(group, places[own.codes], counts))


def kept_of_all(group, kept, counts, stream, device):
    """Return the rows that the processes keep, with all of them: those of this one, or None."""
    if group.size == 1:
        return kept
    matrix = no_rows(stream, device) if kept is None else _matrix(kept.design)
    index = torch.zeros(0, dtype=torch.long, device=device) if kept is None else kept.index
    factor = torch.zeros(0, dtype=torch.float64, device=device) if kept is None else kept.factor
    many = group.everyones(lambda: len(index))
    index = group.rows(index + sum(counts[: group.rank]), many)
    factor = group.rows(factor, many)
    if not isinstance(matrix, Compressed):
        return Kept(index, factor, DenseDesign(group.rows(matrix, many)))
    entries = group.everyones(lambda: len(matrix.values))
    sizes = group.rows(matrix.starts.diff().long(), many)
    starts = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
    # Of one kind everywhere, also where a process has none.
    places, values = (group.rows(part, entries) for part in (matrix.places.long(), matrix.values))
    return Kept(index, factor, SparseDesign(Compressed(starts, places, values, matrix.columns), flips=False))


def _matrix(design):
    return design.matrix if isinstance(design, SparseDesign) else design.X


def no_rows(stream, device):
    """Return no rows of what a stream has."""
    if not stream.sparse:
        return torch.empty(0, stream.features, dtype=stream.dtype, device=device)
    empty = torch.zeros(0, dtype=torch.long), torch.empty(0, dtype=stream.dtype)
    return Compressed(torch.zeros(1, dtype=torch.long), *empty, stream.features).to(device)
