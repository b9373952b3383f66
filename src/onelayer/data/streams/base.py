"""What every source of blocks can do, and what the estimators know of it."""

import abc
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from onelayer.data.encoder import ColumnEncoder

__all__ = ["Block", "Source"]


# eq=False: comparing arrays field by field has no truth value. repr=False: the arrays would fill the screen.
@dataclasses.dataclass(eq=False, repr=False)
class Block:
    """Consecutive rows of a source. They may be a view of the user's arrays: do not write into them.

    Attributes
    ----------
    X : ndarray, torch.Tensor or scipy.sparse.csr_array of shape (n, features)
        Dense rows are contiguous, in the source's dtype: uint8, float16, bfloat16 (a tensor), float32 or float64.
    y : ndarray of shape (n,) or (n, targets), or None
        int64, float32, float64 or text. None where the source has no target.
    weight : ndarray of shape (n,), or None
        Sample weights as float64, where the source has some.
    """

    X: Any
    y: np.ndarray | None
    weight: np.ndarray | None = None

    def __len__(self):
        return self.X.shape[0]

    def __repr__(self):
        kind = str(self.X.dtype).removeprefix("torch.")
        return f"Block({len(self)} rows, {self.X.shape[1]} features, {kind})"


class Source(abc.ABC):
    """Rows that are read in blocks, in the same order in each pass.

    Attributes
    ----------
    features : int
        The number of columns of ``X``.
    storage : str
        The dtype of ``X`` by its name in torch: ``"float32"``.
    rows : int or None
        None where the number is only known once the source was read to its end.
    sparse : bool
        Whether blocks hold CSR matrices.
    seekable : bool
        Whether :meth:`take` works, and :meth:`read` starts anywhere at once. Parquet files skip whole row groups, and
        svmlight files a few MB at a time; batches are read from the beginning whatever the start.
    has_target, has_weight : bool
        Whether blocks hold ``y`` and ``weight``.
    overhead : int
        An estimate of the bytes that reading holds beside a block.
    feature_names : list of str or None
    encoder : ColumnEncoder or None
        How the columns of a table become ``X``.
    name, description : str
        Of a file its name without the ending; and a few words for people: ``"3 .npy files"``.
    """

    features: int
    storage: str
    rows: int | None = None
    sparse: bool = False
    seekable: bool = False
    has_target: bool = True
    has_weight: bool = False
    overhead: int = 0
    feature_names: list[str] | None = None
    encoder: "ColumnEncoder | None" = None
    name: str = "data"
    description: str = ""

    @property
    def dtype(self) -> "torch.dtype":
        """The dtype of ``X``."""
        import torch

        return getattr(torch, self.storage)

    @abc.abstractmethod
    def read(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Block]:
        """Yield the rows from ``start`` to ``stop`` in order, in blocks of ``size`` rows; the last may be shorter."""

    def take(self, index: np.ndarray) -> Block:
        """Return the rows of these numbers, which ascend; only where ``seekable``."""
        raise NotImplementedError(f"{type(self).__name__} has no random access: read it in order.")
