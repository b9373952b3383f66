"""Blocks on their way to a device: the next one is copied while this one is computed with."""

import torch

from onelayer.designs.compressed import Compressed

__all__ = ["pinned", "sent"]


def pinned(X, device):
    """Return a block from where a GPU can fetch it by itself, if there is one that will."""
    if device.type != "cuda" or isinstance(X, Compressed) or not torch.cuda.is_available():
        return X
    return X.pin_memory()


def sent(blocks, device):
    """Yield pairs (rows, X) with X on the device.

    On a GPU the copy of the next block is under way, in a stream of its own, while the one that was yielded is used; two are on the
    device at a time.
    """
    if device.type != "cuda" or not torch.cuda.is_available():
        for rows, X in blocks:
            yield rows, X.to(device)
        return
    copies = torch.cuda.Stream(device)
    waiting = None
    for rows, X in blocks:
        with torch.cuda.stream(copies):
            # Compressed rows are not pinned: their copy waits for itself.
            there = X.to(device) if isinstance(X, Compressed) else X.to(device, non_blocking=True)
            ready = copies.record_event()
        if waiting is not None:
            yield _arrived(*waiting)
        waiting = rows, there, ready
    if waiting is not None:
        yield _arrived(*waiting)


def _arrived(rows, X, ready):
    """Let the products wait for a copy, and the memory of the copy for the products."""
    here = torch.cuda.current_stream((X.values if isinstance(X, Compressed) else X).device)
    here.wait_event(ready)
    for part in (X.starts, X.places, X.values) if isinstance(X, Compressed) else (X,):
        part.record_stream(here)
    return rows, X
