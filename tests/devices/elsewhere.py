"""A GPU that is not there: tensors on the CPU that say they lie on "cuda:0", and rules that hold there.

Tensors are told from those of the host by a mark, and what comes of them carries it on. As on a GPU, nothing may mix
both, NumPy sees those of the host only, and a factory without a device makes one of the host. The parts of the library
that ask for the type of a device take their ways for a GPU.
"""

import collections.abc

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

FAR, HOME = torch.device("cuda", 0), torch.device("cpu")

_DEVICE = torch.Tensor.device.__get__
_MADE_ANYWHERE = {"tensor", "as_tensor", "asarray", "scalar_tensor", "to"}
# An index, and what a slice is filled with, may come from the host.
_CROSSING = {"__getitem__", "__setitem__", "copy_"}
_SEEN_BY_NUMPY = {"numpy", "__array__"}
_MOVING = {"to", "cpu", "as_tensor"}


class Elsewhere(TorchFunctionMode):
    """While it is entered, tensors that were :meth:`sent` lie on a GPU.

    Attributes
    ----------
    dtypes : set of torch.dtype
        Of all floating tensors with a shape that were made on the GPU.
    """

    def __init__(self):
        super().__init__()
        self.dtypes = set()

    @staticmethod
    def sent(tensor):
        """Return a tensor that lies on the GPU."""
        return _marked(tensor.detach().clone(), FAR)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if func == _DEVICE:
            return place_of(args[0])
        if name in _SEEN_BY_NUMPY and place_of(args[0]) == FAR:
            raise AssertionError(f"{name}() of a tensor on the GPU: NumPy sees the host's memory only")
        given = list(_tensors((args, kwargs)))
        asked = [part for part in (*args, *kwargs.values()) if _is_device(part)]
        where = _home_or_far(asked[0]) if asked else None
        if where is None:
            where = HOME if name == "cpu" else self._common(name, args, given)
        elif name not in _MADE_ANYWHERE and not name.endswith("_like") and not name.startswith("new_"):
            self._common(name, args, given, where)
        if where == FAR and isinstance(kwargs.get("generator"), torch.Generator):
            raise AssertionError(f"{name}() on the GPU with a generator of the CPU")
        args, kwargs = _at_home(args), _at_home(kwargs)
        found = func(*args, **kwargs)
        if name in _MOVING and found is args[0] and place_of(found) != where:
            # There is one memory only, and torch sees nothing to copy.
            found = found.clone()
        for tensor in _tensors(found):
            _marked(tensor, where)
            if where == FAR and tensor.is_floating_point() and tensor.ndim:
                self.dtypes.add(tensor.dtype)
        return found

    @staticmethod
    def _common(name, args, given, made=None):
        """Return where these tensors lie, and see to it that it is one place; single numbers of the host may go along."""
        if name == "to" and len(args) > 1 and isinstance(args[1], torch.Tensor):
            return place_of(args[1])
        if name in _CROSSING:
            return place_of(args[0])
        places = {place_of(tensor) for tensor in given if tensor.ndim}
        places |= {made} if made else set()
        places = places or {place_of(tensor) for tensor in given}
        if len(places) > 1:
            raise AssertionError(
                f"{name}() of tensors in two places: {[(place_of(t).type, tuple(t.shape)) for t in given]}"
            )
        where = places.pop() if places else HOME
        lone = [t for t in given if not t.ndim and place_of(t) == FAR]
        if where == HOME and lone and any(t.ndim for t in given):
            raise AssertionError(f"{name}() of a tensor of the host and a number on the GPU")
        if where == FAR and any(isinstance(part, np.ndarray) and part.ndim for part in args):
            raise AssertionError(f"{name}() of a tensor on the GPU and a NumPy array")
        return where


def place_of(tensor):
    """Return where a tensor lies."""
    return FAR if tensor.__dict__.get("_far", False) else HOME


def _marked(tensor, where):
    tensor._far = where == FAR
    return tensor


def _is_device(part):
    return isinstance(part, torch.device) or (isinstance(part, str) and part.split(":")[0] in ("cpu", "cuda"))


def _home_or_far(device):
    return FAR if torch.device(device).type == "cuda" else HOME


def _at_home(parts):
    """Return arguments with every device the one that there is."""
    if isinstance(parts, dict):
        return {key: HOME if _is_device(part) else part for key, part in parts.items()}
    return tuple(HOME if _is_device(part) else part for part in parts)


def _tensors(parts):
    if isinstance(parts, torch.Tensor):
        yield parts
    elif isinstance(parts, collections.abc.Mapping):
        yield from _tensors(list(parts.values()))
    elif isinstance(parts, (list, tuple)):
        for part in parts:
            yield from _tensors(part)
