"""One forward pass on a copy of the module, so that the module stays as it is."""

import copy
import dataclasses
import traceback
import typing

import torch
from torch import nn

from onelayer.errors import ParameterError
from onelayer.heads import wording

__all__ = ["Run", "copied", "run"]


@dataclasses.dataclass(frozen=True)
class Run:
    """What came of a forward pass.

    Attributes
    ----------
    module : torch.nn.Module
        The copy that ran.
    output : object
        What it returned; None if it raised.
    error : Exception or None
    at : tuple of (str, torch.nn.Linear, tensor) or None
        Name, layer and input of the linear layer in which it was raised.
    """

    module: nn.Module
    output: typing.Any = None
    error: Exception | None = None
    at: tuple[str, nn.Linear, torch.Tensor] | None = None


def run(module, X):
    """Run a copy of `module` on a copy of X, in the mode (training or not) of each of its parts."""
    duplicate = copied(module)
    if isinstance(X, torch.Tensor):
        X = X.detach().clone()
    tensors = [*duplicate.parameters(), *duplicate.buffers(), *([X] if isinstance(X, torch.Tensor) else [])]
    devices = {tensor.device for tensor in tensors if tensor.is_cuda}
    with torch.random.fork_rng(devices=devices):
        try:
            return Run(duplicate, duplicate(X))
        # Forward is the user's code: it may raise anything, and that is a finding.
        except Exception as error:  # noqa: BLE001
            return Run(duplicate, error=error, at=_place(duplicate, error))


def copied(module):
    """Return a deep copy that shares with the module only tensors which torch cannot copy."""
    memo = {
        id(value): value
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
    try:
        return copy.deepcopy(module, memo)
    # What a module holds may refuse in any way: a lock, an open file, a generator.
    except Exception as error:
        raise ParameterError(
            f"{type(module).__name__} cannot be copied ({wording.message(error)}), and the check runs "
            "a copy to leave yours as it is: hand over the part that computes the scores."
        ) from error


def _place(module, error):
    """Find the linear layer that was running: the innermost frame of a forward method."""
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        layer, given = frame.f_locals.get("self"), frame.f_locals.get("input")
        if frame.f_code.co_name == "forward" and isinstance(layer, nn.Module):
            names = [name for name, part in module.named_modules() if part is layer]
            if isinstance(layer, nn.Linear) and isinstance(given, torch.Tensor) and names:
                return names[0], layer, given
            return None
    return None
