"""How sentences name things: dtypes, shapes, lists of values, and what another exception said."""

import numpy as np
import torch

__all__ = ["cast", "dtype_name", "few", "kind", "message", "number", "shape"]


def dtype_name(dtype):
    """Return ``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def cast(name, dtype):
    """Return the code that gives the tensor `name` this dtype."""
    method = {torch.float32: "float", torch.float64: "double", torch.int64: "long"}.get(dtype)
    return f"{name}.{method}()" if method else f"{name}.to({dtype})"


def shape(tensor):
    """Return the shape as Python writes a tuple."""
    return str(tuple(tensor.shape))


def number(value):
    """Return a number in few digits, whole ones without a point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{float(value):.4g}"


def few(values):
    """Return the first values of a list of numbers."""
    shown = ", ".join(number(value) for value in values[:5])
    return shown + (", …" if len(values) > 5 else "")


def kind(thing):
    """Return what a thing is, with its article: ``a list``, ``a NumPy array``."""
    if isinstance(thing, np.ndarray):
        return "a NumPy array"
    if thing is None:
        return "None"
    name = type(thing).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def message(error):
    """Return the first line of what an exception says, without its full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300].rstrip('.:')}" if lines else type(error).__name__
