"""What can be wrong with X: found by looking for the change of X with which the module runs."""

import math

import numpy as np
import torch

from onelayer.heads import wording
from onelayer.heads.looking import finite
from onelayer.heads.running import run

__all__ = ["as_tensor", "forward", "not_finite", "unusable"]


_WITHOUT_NUMBERS = {
    "X": "each column must become numbers first, categories as one column of 0 and 1 per category",
    "y": "classes, y = np.unique(y, return_inverse=True) gives class numbers for names",
}


def as_tensor(name, thing, dtype=None):
    """Return `thing` as a tensor (None where that cannot be) and a list of sentences.

    Floating values take `dtype`.
    """
    if isinstance(thing, torch.Tensor):
        return thing, []
    try:
        array = np.array(thing)
        if array.dtype.kind in "USO":
            raise TypeError("text")
        tensor = torch.from_numpy(array)
    except (TypeError, ValueError, RuntimeError):
        what = f"{name} is {wording.kind(thing)}, and its values are not all numbers"
        return None, [f"{what}: {_WITHOUT_NUMBERS[name]}."]
    source = f"{name}.to_numpy()" if hasattr(thing, "to_numpy") else name
    way = f"torch.as_tensor({source})"
    if tensor.is_floating_point() and dtype is not None and tensor.dtype != dtype:
        tensor, way = tensor.to(dtype), f"torch.as_tensor({source}, dtype={dtype})"
    return tensor, [f"{name} is {wording.kind(thing)}, not a tensor: {way}."]


def unusable(name, tensor):
    """Yield why nothing can be said about the values of a tensor."""
    if tensor.is_nested:
        yield f"{name} is a nested tensor: {name}.to_padded_tensor(0.0)."
    elif tensor.is_meta:
        yield f"{name} is on the device meta and holds no numbers."
    elif tensor.ndim and not len(tensor):
        yield f"{name} has no rows, shape {wording.shape(tensor)}: look at the filter or split that made it."
    elif name == "y" and tensor.layout != torch.strided:
        yield "y is a sparse tensor: y.to_dense()."
    elif name == "y" and tensor.is_complex():
        dtype = wording.dtype_name(tensor.dtype)
        yield f"y has dtype {dtype}, and no loss takes complex numbers: y.real, or y.abs()."


def not_finite(name, tensor):
    """Yield where a tensor holds NaN or infinity."""
    bad = ~finite(tensor)
    if bool(bad.any()):
        where = tuple(bad.nonzero()[0].tolist())
        place = f"{name}{list(where)}" if where else name
        count = int(bad.reshape(len(bad), -1).any(1).sum()) if where else 1
        rows = f"{count} rows that hold" if count > 1 else "row that holds"
        yield (
            f"{place} is {wording.number(tensor[where])}, and then so is the loss or its gradient: fill such "
            f"values, or leave out the {rows} them."
        )


def forward(module, X, rows):
    """Run the module; return the run, the X that it ran on (None if it did not), and a list of sentences.

    What runs is right. Where X does not, it is made a tensor, moved, cast and reshaped, in this order, until
    the module runs: so a sentence names a change that was tried. Where no change helps, the sentence is about
    the layer that failed, or it is torch's.
    """
    first = run(module, X)
    if first.error is None and (isinstance(X, torch.Tensor) or isinstance(first.output, torch.Tensor)):
        return first, X, []
    weights = [parameter for parameter in first.module.parameters() if parameter.is_floating_point()]
    dtype = weights[0].dtype if weights else None
    tensor, found = as_tensor("X", X, dtype)
    if tensor is None:
        listed = isinstance(X, (list, tuple)) or hasattr(X, "__array__")
        return first, None, found if listed else [_failed(first, wording.kind(X))]
    if weights and all(tensor.device != parameter.device for parameter in weights):
        device = weights[0].device
        found.append(
            f"X is on {tensor.device} and the module's parameters are on {device}: X.to('{device}')."
        )
        tensor = tensor.to(device)
    stages = [(found, tensor)]
    if weights and tensor.dtype != dtype and not tensor.is_complex():
        said = (
            f"X has dtype {wording.dtype_name(tensor.dtype)} and the module's parameters have "
            f"{wording.dtype_name(dtype)}: {wording.cast('X', dtype)}."
        )
        stages.append(([*found, said], tensor.to(dtype)))
    runs = [run(module, candidate) for _, candidate in stages]
    for (said, candidate), attempt in zip(stages, runs, strict=True):
        if attempt.error is None:
            return attempt, candidate, said
    for said, candidate in stages:
        for why, changed in _reshaped(candidate, rows):
            attempt = run(module, changed)
            if isinstance(attempt.output, torch.Tensor) and attempt.output.shape[:1] == changed.shape[:1]:
                return attempt, changed, [*said, why]
    # Two faults, one of them the dtype, or one fault that is not: torch names dtypes as types.
    about = str(runs[0].error)
    stage = -1 if "type" in about or "not implemented for" in about else 0
    said, candidate = stages[stage]
    return runs[stage], None, [*said, _failure(runs[stage], candidate)]


def _reshaped(X, rows):
    """Yield (sentence, X in another shape): the shapes that are usually meant."""
    size = tuple(X.shape)
    was = f"X has shape {size}"
    if X.ndim == 1:
        column = f"{was}, numbers without columns: X.unsqueeze(1), or X.view(-1, 1), makes them one column."
        yield column, X.unsqueeze(1)
        yield f"{was}, one sample without its batch: X.unsqueeze(0).", X.unsqueeze(0)
    if X.ndim > 2:
        flat = X.flatten(1)
        yield f"{was} and the module takes rows of {flat.shape[1]} numbers: put nn.Flatten() first.", flat
    if X.ndim == 2 and size[0] != rows == size[1]:
        yield f"{was} and y has {rows} rows: samples belong in the rows, X.T.", X.T
    if X.ndim == 3:
        yield f"{was}, images without a channel: X.unsqueeze(1).", X.unsqueeze(1)
    if X.ndim == 4:
        yield f"{was}, with the channels last, not second: X.permute(0, 3, 1, 2).", X.permute(0, 3, 1, 2)
    for channels in (1, 3) if X.ndim == 2 else ():
        side = math.isqrt(size[1] // channels)
        if side > 1 and channels * side**2 == size[1]:
            images = X.reshape(-1, channels, side, side)
            yield f"{was} and the module takes images: X.reshape(-1, {channels}, {side}, {side}).", images


def _failure(attempt, X):
    if attempt.at is None or attempt.at[2].ndim == 0 or attempt.at[2].shape[-1] == attempt.at[1].in_features:
        return _failed(attempt, f"shape {wording.shape(X)}")
    name, layer, given = attempt.at
    place = f"layer {name!r}, {layer}," if name else f"the module, {layer},"
    if given.ndim > 2:
        row = math.prod(given.shape[1:])
        if row == layer.in_features:
            return f"The {place} gets shape {wording.shape(given)}: put nn.Flatten() before it."
        return (
            f"{place[0].upper()}{place[1:]} takes {layer.in_features} numbers per row and gets shape "
            f"{wording.shape(given)}: nn.Flatten() and nn.Linear({row}, {layer.out_features})."
        )
    wide = given.shape[-1]
    what = f"X has {wide} columns"
    if given.shape != X.shape:
        what = f"The layer before gives {wide} numbers per row"
    return f"{what} and {place} takes {layer.in_features}: nn.Linear({wide}, {layer.out_features})."


def _failed(attempt, on):
    if attempt.error is None:
        return f"The module returns {wording.kind(attempt.output)} for X, {on}: hand it a tensor."
    return f"The module fails on X, {on}: {wording.message(attempt.error)}."
