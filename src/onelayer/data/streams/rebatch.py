"""Blocks of the size that is asked for, from pieces of any size."""

from collections.abc import Iterable, Iterator

from onelayer.data.streams.base import Block
from onelayer.data.streams.kinds import join

__all__ = ["rebatched"]


def rebatched(pieces: Iterable[Block], size: int, start: int = 0, stop: int | None = None) -> Iterator[Block]:
    """Yield the rows ``start`` to ``stop`` of all pieces in blocks of ``size`` rows; the last may be shorter."""
    waiting, have, row = [], 0, 0
    for piece in pieces:
        end = row + len(piece)
        low, high = max(start, row), end if stop is None else min(stop, end)
        while low < high:
            count = min(high - low, size - have)
            waiting.append(_cut(piece, low - row, low - row + count))
            low, have = low + count, have + count
            if have == size:
                yield _joined(waiting)
                waiting, have = [], 0
        row = end
        if stop is not None and row >= stop:
            break
    if waiting:
        yield _joined(waiting)


def _cut(block, start, stop):
    if start == 0 and stop == len(block):
        return block
    parts = (block.X, block.y, block.weight)
    return Block(*(None if part is None else part[start:stop] for part in parts))


def _joined(blocks):
    columns = zip(*((block.X, block.y, block.weight) for block in blocks), strict=True)
    return Block(*(None if parts[0] is None else join(list(parts)) for parts in columns))
