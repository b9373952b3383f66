"""Batches of a loader, in whatever form they come, as x, y and weights."""

from collections.abc import Mapping

import torch

from onelayer.errors import DataError, ParameterError

__all__ = ["Batches", "moved"]


class Batches:
    """The batches of a loader.

    Parameters
    ----------
    loader : iterable
    keys : sequence of str or None
        Of x, y and perhaps weights, in batches that are dicts.
    name : str
        Of the argument, for messages.

    Attributes
    ----------
    rows : int or None
        How many there will be, if the loader knows: what is drawn (a sampler may leave rows out), else the data set's.
    """

    def __init__(self, loader, keys, name):
        if not hasattr(loader, "__iter__") or isinstance(loader, (torch.Tensor, str, Mapping)):
            raise ParameterError(
                f"{name} is a {type(loader).__name__}: give a DataLoader, or an iterable of batches (x, y)."
            )
        if keys is not None and (isinstance(keys, str) or len(keys) not in (2, 3)):
            raise ParameterError(f"keys is {keys!r}: give two or three, of x, y and the weights.")
        self.loader, self.keys, self.name = loader, keys, name
        self.rows = _rows(loader)

    def __iter__(self):
        """Yield x, y and weights (or None) of each batch."""
        count = None
        for number, batch in enumerate(self.loader):
            parts = self._parts(batch, number)
            if count is not None and len(parts) != count:
                raise DataError(
                    f"batch {number} of {self.name} has {len(parts)} parts and those before it {count}: give weights to all "
                    "batches or to none."
                )
            count = len(parts)
            yield parts[0], parts[1], parts[2] if count == 3 else None
        if count is None:
            raise DataError(
                f"{self.name} gave no batch: it is empty, drops its only batch (drop_last), or was read before."
            )

    def _parts(self, batch, number):
        if isinstance(batch, Mapping):
            return self._values(batch, number)
        if self.keys is not None:
            raise DataError(
                f"batch {number} of {self.name} is a {type(batch).__name__} and keys= is for dicts: leave keys out."
            )
        if not isinstance(batch, (tuple, list)) or len(batch) == 1:
            kind = "a tensor" if isinstance(batch, torch.Tensor) else f"a {type(batch).__name__}"
            kind = f"{kind} of length 1" if isinstance(batch, (tuple, list)) else kind
            raise DataError(
                f"batch {number} of {self.name} is {kind}, without labels: give batches (x, y), for example by "
                "TensorDataset(x, y)."
            )
        if len(batch) not in (2, 3):
            raise DataError(
                f"batch {number} of {self.name} has {len(batch)} parts: give (x, y) or (x, y, weight)."
            )
        return list(batch)

    def _values(self, batch, number):
        there = ", ".join(map(repr, batch))
        if self.keys is None:
            raise DataError(
                f"batch {number} of {self.name} is a dict with the keys {there}: say by keys=(x, y) which ones to take."
            )
        missing = [key for key in self.keys if key not in batch]
        if missing:
            raise DataError(
                f"batch {number} of {self.name} has no {missing[0]!r}, only {there}: give keys= that are there."
            )
        return [batch[key] for key in self.keys]


def _rows(loader):
    try:
        if getattr(loader, "batch_size", None) is not None and hasattr(loader, "sampler"):
            return len(loader.sampler)
        return len(loader.dataset)
    # Data sets that are iterators have no length, and say so by any of these.
    except (AttributeError, TypeError, NotImplementedError):
        return None


def moved(x, device):
    """Return x, or the tensors in x, on a device."""
    if isinstance(x, torch.Tensor):
        return x.to(device)
    if isinstance(x, Mapping):
        return {key: moved(part, device) for key, part in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(moved(part, device) for part in x))
    if isinstance(x, (tuple, list)):
        return type(x)(moved(part, device) for part in x)
    return x
