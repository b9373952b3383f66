"""A linear model as a torch module, and back."""

import dataclasses

import torch
from torch import nn

from onelayer.errors import ParameterError

__all__ = ["LinearPart", "as_coefficients", "linear_module", "read_linear"]

_ENDINGS = (nn.Softmax, nn.LogSoftmax, nn.Sigmoid)
_LEGAL = "a linear model is one Linear, with Flatten or Identity before it and Softmax, LogSoftmax or Sigmoid after it"


def linear_module(weight, bias):
    """Return an ``nn.Linear`` whose output are the scores z = W x + b.

    Parameters
    ----------
    weight : array or tensor of shape (outputs, features)
    bias : array or tensor of shape (outputs,)
    """
    # Ordinary tensors, in inference mode too, and where they are: torch's default device may be another.
    with torch.inference_mode(False), torch.no_grad():
        weight, bias = (
            part.clone(memory_format=torch.contiguous_format)
            if isinstance(part, torch.Tensor)
            else torch.tensor(part, device="cpu")
            for part in (weight, bias)
        )
    # Made without numbers: the default initialisation would draw from torch's global generator, which is not ours to
    # move. (torch.nn.utils.skip_init does so too, but loads a second's worth of modules that change warnings' filters.)
    module = torch.nn.Linear(weight.shape[1], weight.shape[0], device="meta", dtype=weight.dtype)
    module.weight, module.bias = torch.nn.Parameter(weight), torch.nn.Parameter(bias.to(weight))
    return module


@dataclasses.dataclass(frozen=True)
class LinearPart:
    """What a module computes, if that is z = W x + b.

    Attributes
    ----------
    weight : tensor of shape (outputs, features)
        A detached copy, in float32 or float64.
    bias : tensor of shape (outputs,) or None
    ending : str or None
        "Softmax", "LogSoftmax" or "Sigmoid", where the module puts one on its scores.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None
    ending: str | None = None


def read_linear(module):
    """Return the LinearPart of an ``nn.Linear``, or of an ``nn.Sequential`` with one.

    Raises
    ------
    ParameterError
        The module computes something else, or cannot be read; the message says which piece is in the way.
    """
    if not isinstance(module, nn.Module):
        raise ParameterError(
            f"module is a {type(module).__name__}: give a torch.nn.Linear, or a torch.nn.Sequential with one Linear."
        )
    pieces = [piece for piece in _pieces(module) if type(piece) is not nn.Identity]
    layers = [piece for piece in pieces if isinstance(piece, nn.Linear)]
    if type(module) is not nn.Sequential and not layers:
        raise ParameterError(f"module is a {type(module).__name__}, and {_LEGAL}: hand over that part.")
    if len(layers) != 1:
        count = "no Linear" if not layers else f"{len(layers)} Linear layers"
        raise ParameterError(
            f"module holds {count}, and {_LEGAL}: hand over the last layer, and keep what is before it as the backbone "
            "of onelayer.fit_head."
        )
    # A layer that is made on first use has no numbers yet, and shows it by its parameters' type.
    if nn.parameter.is_lazy(layers[0].weight) or layers[0].weight.is_meta:
        raise ParameterError(
            "module holds no numbers yet (it is lazy or on the device meta): run it once, or load it."
        )
    at = pieces.index(layers[0])
    for piece in pieces:
        _check_hooks(piece)
    for piece in pieces[:at]:
        if not (type(piece) is nn.Flatten and (piece.start_dim, piece.end_dim) == (1, -1)):
            raise ParameterError(
                f"module has {_shown(piece)} before its Linear, and {_LEGAL}: {_way(piece)}."
            )
    if len(pieces) > at + 2 or not all(type(piece) in _ENDINGS for piece in pieces[at + 1 :]):
        wrong = next((piece for piece in pieces[at + 1 :] if type(piece) not in _ENDINGS), pieces[-1])
        raise ParameterError(f"module has {_shown(wrong)} after its Linear, and {_LEGAL}: leave it out.")
    ending = pieces[at + 1] if len(pieces) > at + 1 else None
    dim = getattr(ending, "dim", None)
    if dim not in (None, 1, -1):
        raise ParameterError(
            f"module ends with {_shown(ending)}, which does not go over the outputs of a row: make it dim=1."
        )
    return _read(layers[0], type(ending).__name__ if ending is not None else None)


def _pieces(module):
    if type(module) is not nn.Sequential:
        return [module]
    _check_hooks(module)
    return [piece for part in module for piece in _pieces(part)]


def _shown(piece):
    return repr(piece) if "\n" not in repr(piece) else f"a {type(piece).__name__}"


def _way(piece):
    return (
        "make it Flatten()"
        if isinstance(piece, nn.Flatten)
        else "leave it out, and give X as it comes out of it"
    )


def _check_hooks(piece):
    if piece._forward_hooks or piece._forward_pre_hooks:
        raise ParameterError(
            f"module has hooks on its {type(piece).__name__}, which may change what it computes: remove them first."
        )


def _read(layer, ending):
    if type(layer).forward is not nn.Linear.forward:
        raise ParameterError(
            f"module is a {type(layer).__name__} with a forward of its own, so its weight does not say what it computes: "
            "give a torch.nn.Linear."
        )
    weight, bias = (as_coefficients(part, "module") for part in (layer.weight, layer.bias))
    if weight.numel() == 0:
        raise ParameterError(
            f"module is {_shown(layer)}: give a layer with at least one input and one output."
        )
    return LinearPart(weight, bias, ending)


def as_coefficients(values, name):
    """Return a copy that the estimators can compute with: float64 as it is, narrower ones exactly as float32."""
    if values is None:
        return None
    values = values.detach()
    if not values.is_floating_point():
        raise ParameterError(f"{name} has weights of dtype {values.dtype}: give real floating-point ones.")
    values = values.clone() if values.dtype in (torch.float32, torch.float64) else values.float()
    if not bool(torch.isfinite(values).all()):
        raise ParameterError(f"{name} has NaN or infinite weights: give finite ones.")
    return values
