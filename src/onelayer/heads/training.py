"""What keeps a module from being trained at all."""

import torch
from torch.nn.parameter import is_lazy

from onelayer.heads import wording
from onelayer.heads.looking import finite

__all__ = ["output", "parameters"]


def output(made):
    """Yield why what forward returned is nothing that a loss can take."""
    if made is None:
        yield "The module's forward returns None: end it with return and the scores."
    elif isinstance(made, (tuple, list, dict)):
        yield f"The module returns {wording.kind(made)} of {len(made)}: let forward return the scores alone."
    elif not isinstance(made, torch.Tensor):
        yield f"The module returns {wording.kind(made)}, not a tensor: let forward return the scores."
    elif made.layout != torch.strided:
        yield "The module returns a sparse tensor: let forward return its to_dense()."
    elif not made.numel():
        yield f"The module returns shape {wording.shape(made)}, no number: give its last layer outputs."
    elif not made.is_floating_point():
        yield (
            f"The module returns {wording.dtype_name(made.dtype)}, through which no gradient flows: return "
            "the scores, and take argmax or a threshold only to predict."
        )


def parameters(head):
    """Yield why no gradient, or no useful one, will reach a parameter that an optimizer has."""
    named = {name: p for name, p in head.module.named_parameters() if not is_lazy(p)}
    diverged = [name for name, parameter in named.items() if not bool(finite(parameter).all())]
    if diverged:
        yield (
            f"Parameter {diverged[0]!r} holds nan or infinity, as after a training that diverged: make the "
            "module anew and take a smaller learning rate."
        )
    yield from _reached(head, named)
    if head.y.requires_grad:
        yield "y has requires_grad=True, and targets are data: y.detach()."
    healthy = head.X is not None and not diverged and bool(finite(head.X).all())
    # A score of −∞ is how a class is masked.
    if healthy and bool((head.numbers.isnan() | head.numbers.isposinf()).any()):
        yield (
            "The output holds nan or infinity although X and the parameters do not: look for a log or a "
            "division in forward, and scale the columns of X."
        )


def _reached(head, named):
    leaves = _leaves(head.output)
    known = {id(parameter) for parameter in named.values()}
    hidden = [leaf for leaf in leaves if id(leaf) not in known]
    # The copy of a scripted module computes with the parameters of the original.
    scripted = any(isinstance(part, torch.jit.ScriptModule) for part in head.module.modules())
    if hidden and not scripted:
        yield (
            f"The output depends on a tensor of shape {wording.shape(hidden[0])} that is not in "
            "module.parameters(), so an optimizer leaves it as it is: nn.Parameter for a tensor, "
            "nn.ModuleList for a list of layers."
        )
    elif not named:
        yield "The module has no parameters, so nothing can be trained: give it a layer such as nn.Linear(…)."
    elif not any(parameter.requires_grad for parameter in named.values()):
        yield (
            f"All {len(named)} parameters of the module have requires_grad=False, so backward() raises: "
            "requires_grad_(True) for the layers that shall learn."
        )
    elif not leaves:
        yield (
            "The output depends on no parameter that can be trained: no .detach(), .data, .item(), "
            "torch.no_grad() or threshold may lie on the way to it."
        )


def _leaves(output):
    """Return the tensors to which a gradient of the output flows."""
    if output.grad_fn is None:
        return [output] if output.requires_grad else []
    waiting, seen, leaves = [output.grad_fn], set(), []
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name().endswith("AccumulateGrad"):
            leaves.append(node.variable)
        waiting += [before for before, _ in node.next_functions]
    return leaves
