"""Numbers, weights and lengths as they should be, or one clear sentence on what is wrong with them."""

import math
import reprlib
import warnings

import numpy as np
import torch

from onelayer.errors import DataError, ParameterError

__all__ = [
    "LEAST_TOTAL",
    "as_array",
    "as_count",
    "as_flag",
    "as_float64",
    "as_number",
    "as_offset",
    "as_sample_weight",
    "as_tensor",
    "check_lengths",
    "first_line",
    "is_stream",
    "on_device",
    "require_finite",
    "resolve_dtype",
]

# Sums of weights of this size and its inverse can be divided by without leaving float64.
LEAST_TOTAL = 1e-300
_ARITHMETIC = {"float32": torch.float32, "float64": torch.float64}


def is_stream(X):
    """Return whether X is a stream of ``onelayer.data.stream``."""
    return hasattr(X, "source") and hasattr(X, "blocks") and hasattr(X, "memory_limit")


def on_device(device, move):
    """Return what `move` makes of a device, or raise ParameterError where torch cannot compute or has no room there."""
    if str(device).startswith("meta"):
        raise ParameterError(f"device is {device!r}, where nothing is computed: give 'cpu' or leave it out.")
    if str(device).startswith("mps"):
        raise ParameterError(
            f"device is {device!r}, which has no float64 numbers, in which sums and proofs are made: give 'cpu' or leave it out."
        )
    try:
        return move(device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ParameterError(
            f"device is {device!r}, which torch cannot use here ({first_line(error)}): give 'cpu' or leave it out."
        ) from error


def first_line(error):
    """Return what an error says first, as a part of another sentence."""
    return str(error).strip().split("\n")[0].rstrip(".:")


def as_array(values, name="y"):
    """Return a NumPy array of tensors (on any device), lists or arrays; DataError for what holds no real dense values."""
    if hasattr(values, "tocsr") and hasattr(values, "nnz"):
        raise DataError(f"{name} is a sparse matrix: give a dense array, such as {name}.toarray().ravel().")
    if isinstance(values, torch.Tensor):
        values = _of_tensor(values, name)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{name} is no array of values ({first_line(error)}): give one entry per row."
        ) from error
    if array.dtype.kind in "US" and isinstance(values, (list, tuple)):
        # NumPy writes numbers among text as text.
        array = np.asarray(values, dtype=object) if _is_mixed(values) else array
    if array.dtype.kind == "c":
        raise DataError(f"{name} is complex ({array.dtype}): give real values.")
    return array


def as_float64(values, name, way_out):
    """Return a float64 NumPy array of real numbers, or raise DataError."""
    array = as_array(values, name)
    why = f"its dtype is {array.dtype}"
    # A date is a count of some unit since some day, which nobody means.
    if array.dtype.kind not in "mMV":
        try:
            with np.errstate(over="ignore"):
                return array.astype(np.float64, copy=False)
        except (TypeError, ValueError, OverflowError) as error:
            why = first_line(error)
    raise DataError(f"{name} is not numeric ({why}): {way_out}.")


def _is_mixed(values):
    text = [isinstance(value, (str, np.ndarray, list, tuple)) for value in values]
    return not all(text) and not all(isinstance(value, bytes) for value in values)


def _of_tensor(values, name):
    if values.layout != torch.strided or values.is_quantized or values.is_meta:
        kind = "on the device 'meta', without values" if values.is_meta else "sparse, nested or quantized"
        raise DataError(f"{name} is a tensor that is {kind}: give a plain tensor.")
    values = values.detach().cpu()
    if values.is_floating_point() and (values.dtype == torch.bfloat16 or values.dtype.itemsize < 2):
        # NumPy has no such numbers; float32 holds them all.
        values = values.float()
    return values.resolve_conj().resolve_neg().numpy()


def _length(values):
    """Return the number of rows, or None for what has none."""
    try:
        shape = getattr(values, "shape", None)
        if shape is None and hasattr(values, "__array__") and not hasattr(values, "__len__"):
            shape = np.asarray(values).shape
        return int(shape[0]) if isinstance(shape, tuple) else len(values)
    except (TypeError, IndexError):
        return None


def as_tensor(values, dtype=None, device=None):
    """Return these numbers as a tensor where they lie, or on a device; it shares their memory if it can.

    Also that of a read-only array (we never write to X), and whatever torch's default device is.
    """
    if device is None:
        device = values.device if isinstance(values, torch.Tensor) else "cpu"
    if isinstance(values, np.ndarray) and any(stride < 0 for stride in values.strides):
        # torch knows no steps backwards.
        values = np.ascontiguousarray(values)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.as_tensor(values, dtype=dtype, device=device)


def require_finite(array, name, feature_names=None):
    """Raise DataError that says how many values are NaN or infinite, and where the first one is."""
    is_tensor = isinstance(array, torch.Tensor)
    if (is_tensor and not array.is_floating_point()) or (not is_tensor and array.dtype.kind != "f"):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        # A finite sum proves finite terms, and needs no copy.
        total = (
            array.double().sum().item() if is_tensor and array.device.type == "mps" else float(array.sum())
        )
    if math.isfinite(total):
        return
    bad = ~(torch.isfinite(array).cpu().numpy() if is_tensor else np.isfinite(array))
    count = int(bad.sum())
    if not count:
        return
    where = tuple(int(index) for index in np.argwhere(bad)[0])
    place = f"row {where[0]}"
    if len(where) > 1:
        place += f", column {where[1] if feature_names is None else repr(str(feature_names[where[1]]))}"
    value = float(array[where])
    noun = "value that is" if count == 1 else "values that are"
    first = "in" if count == 1 else "the first in"
    raise DataError(
        f"{name} has {count} {noun} NaN or infinite, {first} {place} ({value}): fill them (for example with "
        "sklearn.impute.SimpleImputer) or drop the rows."
    )


def check_lengths(rows, y, sample_weight=None):
    """Raise DataError unless there is one target (and one weight) per row."""
    if y is None:
        raise DataError("a fit requires y to be passed, but the target y is None: give one target per row.")
    for name, other in (("y", y), ("sample_weight", sample_weight)):
        if other is None:
            continue
        length = _length(other)
        # One number as weight stands for all rows.
        if length is None and name != "y":
            continue
        if length is None or isinstance(other, (str, dict, set)):
            raise DataError(f"{name} is {reprlib.repr(other)}: give one target per row.")
        if rows != length:
            raise DataError(f"X has {rows} rows and {name} has {length} entries: give one per row.")


def as_sample_weight(sample_weight, rows):
    """Return the weights as a float64 array, or None for none."""
    if sample_weight is None:
        return None
    weight = as_float64(sample_weight, "sample_weight", "give one number ≥ 0 per row")
    if weight.ndim == 0:
        weight = np.full(rows, weight)
    if weight.shape != (rows,):
        raise DataError(f"sample_weight has shape {weight.shape}: give one number per row, shape ({rows},).")
    require_finite(weight, "sample_weight")
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise DataError(
            f"sample_weight has the negative value {weight[row]:g} in row {row}: weights must be ≥ 0."
        )
    if not weight.any():
        raise DataError("sample_weight is zero for every row: give at least one row a positive weight.")
    with np.errstate(over="ignore"):
        total = float(weight.sum())
    if not LEAST_TOTAL <= total <= 1 / LEAST_TOTAL:
        raise DataError(
            f"sample_weight sums to {total:g}, beyond the numbers that can be divided by: multiply all weights by a "
            "constant (C is about their sum)."
        )
    return weight


def as_offset(offset, rows, outputs, device):
    """Return a known part of the scores as a float64 tensor of shape (rows, outputs), or None for none."""
    if offset is None:
        return None
    # A tensor stays where it is, which may be where X is.
    plain = isinstance(offset, torch.Tensor) and offset.layout is torch.strided
    if not plain or offset.is_meta or offset.is_complex():
        offset = as_float64(offset, "offset", "give numbers")
    offset = as_tensor(offset)
    offset = offset.detach().to(device, torch.float64)
    if not bool(torch.isfinite(offset).all()):
        raise DataError("offset holds NaN or infinite values: give finite ones.")
    if tuple(offset.shape) not in {(rows, outputs), (rows,) if outputs == 1 else (rows, outputs)}:
        raise DataError(
            f"offset has shape {tuple(offset.shape)}, and these data need ({rows}, {outputs}): give one number for each score."
        )
    return offset.reshape(rows, outputs)


def as_number(name, value, *, low=0.0, strict=False, infinite=False):
    """Return a parameter as a float, or raise ParameterError with its legal range."""
    legal = isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and np.isreal(value)
    if legal:
        try:
            number = float(value)
        except OverflowError:
            number = math.nan
        legal = (number > low if strict else number >= low) and (infinite or math.isfinite(number))
    if not legal:
        end = " (inf is allowed)" if infinite else ""
        raise ParameterError(
            f"{name} is {reprlib.repr(value)}: give a number {'>' if strict else '≥'} {low:g}{end}."
        )
    return float(value)


def as_flag(name, value):
    """Return a parameter as a bool, or raise ParameterError."""
    if not isinstance(value, (bool, np.bool_)) and not (isinstance(value, int) and value in (0, 1)):
        raise ParameterError(f"{name} is {reprlib.repr(value)}: give True or False.")
    return bool(value)


def as_count(name, value):
    """Return a parameter as a whole number ≥ 1, or raise ParameterError."""
    if as_number(name, value, low=1) != int(value):
        raise ParameterError(f"{name} is {value!r}: give a whole number ≥ 1.")
    return int(value)


def resolve_dtype(dtype, X):
    """Return the arithmetic: what was asked for, else float64 for float64 features and float32 for all others."""
    if dtype is None:
        return torch.float64 if X.dtype == torch.float64 else torch.float32
    if isinstance(dtype, torch.dtype):
        name = str(dtype).removeprefix("torch.")
    else:
        name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
    if name not in _ARITHMETIC:
        raise ParameterError(f"dtype is {dtype!r}: arithmetic is 'float32' or 'float64' (or None: as X).")
    return _ARITHMETIC[name]
