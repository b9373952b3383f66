"""A fitted linear model as a torch module."""

import torch

__all__ = ["linear_module"]


def linear_module(weight, bias):
    """Return an ``nn.Linear`` whose output are the scores z = W x + b.

    Parameters
    ----------
    weight : array or tensor of shape (outputs, features)
    bias : array or tensor of shape (outputs,)
    """
    weight = torch.as_tensor(weight)
    # skip_init: the default initialisation would draw from torch's global generator, which is not ours to move.
    module = torch.nn.utils.skip_init(
        torch.nn.Linear, weight.shape[1], weight.shape[0], dtype=weight.dtype, device=weight.device
    )
    with torch.no_grad():
        module.weight.copy_(weight)
        module.bias.copy_(torch.as_tensor(bias))
    return module
