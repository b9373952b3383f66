"""A network that runs and is left as it was."""

import contextlib

import torch

from onelayer.errors import ParameterError

__all__ = ["frozen", "home_of"]


def home_of(backbone, device=None):
    """Return the device to run on: the given one, else that of the network's first tensor, else the CPU."""
    if device is None:
        return next((tensor.device for tensor in _tensors(backbone)), torch.device("cpu"))
    try:
        # Asked for a number: a device can be named that is not there.
        return torch.empty(1, device=device).device
    except (RuntimeError, AssertionError, TypeError, ValueError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".:")
        raise ParameterError(
            f"device is {device!r}, which torch cannot use here ({reason}): leave it out."
        ) from error


@contextlib.contextmanager
def frozen(backbone, device):
    """Put the network into evaluation mode on a device, without gradients; and back, whatever happens.

    A loader that shuffles draws from torch's generator, as does a network that drops out in evaluation: afterwards the
    generators of the CPU and of this device stand where they stood.
    """
    modes = [(part, part.training) for part in backbone.modules()]
    homes = {tensor.device for tensor in _tensors(backbone)}
    moves = bool(homes) and homes != {device}
    if moves and len(homes) > 1:
        raise ParameterError(
            f"backbone lies on {len(homes)} devices ({', '.join(sorted(map(str, homes)))}) and cannot be moved to {device} and "
            "back: leave device= out."
        )
    if torch.device("meta") in homes:
        raise ParameterError("backbone is on the device meta and holds no numbers: load it first.")
    try:
        if moves:
            backbone.to(device)
        backbone.eval()
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training
        if moves:
            backbone.to(next(iter(homes)))


def _tensors(backbone):
    yield from backbone.parameters()
    yield from backbone.buffers()
