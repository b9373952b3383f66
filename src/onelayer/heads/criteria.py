"""Which loss it is, and what torch asks of the targets of that loss."""

import dataclasses
import functools
import typing

import torch
from torch import nn
from torch.nn import functional

from onelayer.errors import ParameterError
from onelayer.heads import wording
from onelayer.heads.running import copied

__all__ = ["KNOWN", "Criterion", "recognise", "refusal"]


@dataclasses.dataclass(frozen=True)
class Criterion:
    """A loss as the rules see it.

    Attributes
    ----------
    name : str
        As the user wrote it: ``CrossEntropyLoss`` or ``cross_entropy``.
    family : str
        What it takes: "cross-entropy", "log-probabilities", "probabilities", "logits", "distance", "other".
    targets : str
        The dtypes of targets that torch accepts: "same" (as the output's), "floating", "not bool", "any".
        For the first two families the rules about class numbers and probabilities take its place.
    call : callable
    weight : tensor or None
        One weight per class.
    ignore_index : int
        The label that is left out.
    """

    name: str
    family: str
    targets: str
    call: typing.Any
    weight: torch.Tensor | None = None
    ignore_index: int = -100


# What torch accepts as dtype of the targets has no system: the tests ask torch row by row.
KNOWN = (
    (nn.CrossEntropyLoss, functional.cross_entropy, "cross-entropy", "any"),
    (nn.NLLLoss, functional.nll_loss, "log-probabilities", "any"),
    (nn.BCELoss, functional.binary_cross_entropy, "probabilities", "same"),
    (nn.BCEWithLogitsLoss, functional.binary_cross_entropy_with_logits, "logits", "floating"),
    (nn.MSELoss, functional.mse_loss, "distance", "any"),
    (nn.L1Loss, functional.l1_loss, "distance", "not bool"),
    (nn.HuberLoss, functional.huber_loss, "distance", "same"),
    (nn.SmoothL1Loss, functional.smooth_l1_loss, "distance", "any"),
)


def recognise(loss):
    """Return the criterion, and what is wrong with it as a list of sentences."""
    found = []
    if isinstance(loss, type) and any(loss is known for known, *_ in KNOWN):
        found.append(f"loss is the class {loss.__name__}, not an object of it: nn.{loss.__name__}().")
        loss = loss()
    if isinstance(loss, type) or not callable(loss):
        raise ParameterError(
            f"loss is {loss!r}; it takes an object such as nn.CrossEntropyLoss() or a function of output and "
            "y such as torch.nn.functional.cross_entropy."
        )
    function, options = loss, {}
    if isinstance(loss, functools.partial):
        function, options = loss.func, loss.keywords
    for known, in_functional, family, targets in KNOWN:
        # A subclass may compute something else (a focal loss): it counts as unknown.
        if type(loss) is known:
            options = vars(loss) | dict(loss.named_buffers())
        elif function is not in_functional:
            continue
        name = known.__name__ if type(loss) is known else in_functional.__name__
        # The weights of the other losses are not one per class.
        weight = options.get("weight") if family in ("cross-entropy", "log-probabilities") else None
        return Criterion(name, family, targets, loss, weight, options.get("ignore_index", -100)), found
    name = getattr(function, "__name__", type(loss).__name__)
    return Criterion("The loss" if name == "<lambda>" else name, "other", "any", loss), found


def refusal(criterion, output, y):
    """Return what torch says against this loss of this output, its value and its gradient; or None."""
    output = output.detach().clone().requires_grad_()
    call = copied(criterion.call) if isinstance(criterion.call, nn.Module) else criterion.call
    try:
        with torch.random.fork_rng(devices=[output.device] if output.is_cuda else []):
            value = call(output, y)
        if not isinstance(value, torch.Tensor):
            return f"{criterion.name} returns {wording.kind(value)}, not a tensor: backward() needs one."
        if not value.requires_grad:
            return (
                f"{criterion.name} does not depend on the output as far as autograd sees: no argmax, round, "
                "comparison, .item() or .detach() may lie between them."
            )
        torch.autograd.grad(value.sum(), output, allow_unused=True)
    # Whatever a loss raises is what the user would meet next.
    except Exception as error:  # noqa: BLE001
        return f"{criterion.name} fails on this output and y: {wording.message(error)}."
    if bool(value.detach().isnan().any()):
        return (
            f"{criterion.name} of this batch is nan although X, y and the scores are not: look at the loss's "
            "own arguments (weights that are all 0?)."
        )
    return None
