"""From the dtypes of users to those of blocks, for features, targets and weights."""

import mmap
import sys
from typing import Any

import numpy as np

from onelayer.errors import DataError, DataTypeError

__all__ = ["as_features", "as_targets", "as_weights", "is_mapped", "is_tensor", "join", "storage_of"]

KEPT = ("uint8", "float16", "bfloat16", "float32", "float64")
# whole numbers that float32 holds exactly
SMALL = ("bool", "int8", "int16", "uint16")


def is_tensor(values: Any) -> bool:
    """Tell whether these are a torch tensor, without an import of torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def is_mapped(values: np.ndarray) -> bool:
    """Tell whether an array shows the pages of a file."""
    base: Any = values
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    return base is not None


def storage_of(dtype: Any, what: str, *, sparse: bool = False) -> str:
    """Return the name of the dtype in which blocks of these values come.

    Parameters
    ----------
    dtype : numpy or torch dtype
    what : str
        Whose it is, for the sentence of the error.
    sparse : bool, default=False
        Compressed rows are floats of at least 32 bits.
    """
    name = str(dtype).removeprefix("torch.") if not isinstance(dtype, np.dtype) else dtype.name
    if getattr(dtype, "kind", "f") in "OUSTVMm":
        raise DataTypeError(f"{what} has dtype {dtype}: give numbers, and texts as columns of 0 and 1.")
    if "complex" in name or name.startswith(("q", "float8", "float4")):
        raise DataError(f"{what} has dtype {name}: give real numbers of another type.")
    if name in KEPT and not (sparse and name in ("uint8", "float16", "bfloat16")):
        return name
    return "float32" if name in SMALL or name in KEPT else "float64"


def as_features(values: Any, storage: str) -> Any:
    """Return rows as a block holds them: contiguous, of this dtype, and no longer the pages of a file."""
    if is_tensor(values):
        import torch

        return values.detach().to(getattr(torch, storage)).contiguous()
    if not isinstance(values, np.ndarray):
        return values.astype(storage, copy=False)
    # a memory map is copied, so that no later use of the block waits for a disk
    if is_mapped(values):
        return np.array(values, dtype=storage, order="C", subok=False)
    return np.ascontiguousarray(values, dtype=storage)


def as_targets(values: Any, what: str = "y") -> np.ndarray:
    """Return targets as int64, float32, float64 or text, of shape (n,) or (n, targets)."""
    y = as_numpy(values)
    if y.ndim not in (1, 2) or y.dtype.kind not in "biufUOT":
        raise DataError(
            f"{what} has shape {y.shape} and dtype {y.dtype}: give one number or text for each row, or several numbers."
        )
    if y.dtype.kind in "biu":
        # result_type: float64 for uint64, which does not fit into int64
        wide = np.float64 if y.ndim == 2 else np.result_type(y.dtype, np.int64)
    elif y.dtype.kind == "f":
        wide = np.float32 if y.dtype.name == "float32" else np.float64
    else:
        wide = y.dtype
    return np.array(y, dtype=wide) if is_mapped(y) else y.astype(wide, copy=False)


def as_weights(values: Any, what: str = "weight") -> np.ndarray:
    """Return sample weights as float64 of shape (n,)."""
    weight = as_numpy(values)
    if weight.ndim != 1 or weight.dtype.kind not in "biuf":
        raise DataError(
            f"{what} has shape {weight.shape} and dtype {weight.dtype}: give one number for each row."
        )
    return np.array(weight, dtype=np.float64)


def as_numpy(values: Any) -> np.ndarray:
    """Return an array of tensors, arrays, lists and single numbers."""
    if is_tensor(values):
        values = values.detach().cpu()
        # NumPy knows no bfloat16
        return (values.double() if str(values.dtype) == "torch.bfloat16" else values).numpy()
    return np.asarray(values)


def join(pieces: list) -> Any:
    """Return pieces one below the other; a single one as it is."""
    if len(pieces) == 1:
        return pieces[0]
    if is_tensor(pieces[0]):
        import torch

        return torch.cat(pieces)
    if isinstance(pieces[0], np.ndarray):
        return np.concatenate([np.asarray(piece) for piece in pieces])
    import scipy.sparse

    return scipy.sparse.csr_array(scipy.sparse.vstack(pieces, format="csr"))
