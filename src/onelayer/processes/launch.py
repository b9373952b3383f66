"""Joining the processes that ``torchrun`` has started."""

import atexit
import datetime
import os

import torch
import torch.distributed as dist

from onelayer.errors import ProcessError
from onelayer.processes.group import Group

__all__ = ["join", "launched"]

_ARRIVAL = datetime.timedelta(seconds=60)


def launched():
    """Return whether ``torchrun`` (or whoever sets the same variables) started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


def join():
    """Return the Group of all processes, joined now if ``torchrun`` started them and nobody did so yet."""
    if dist.is_available() and not dist.is_initialized() and launched():
        _join()
    return Group.current()


def _join():
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    cuda = torch.cuda.is_available() and dist.is_nccl_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
    try:
        dist.init_process_group(
            backend, store=_store(rank, size), rank=rank, world_size=size, timeout=_ARRIVAL
        )
    except (RuntimeError, dist.DistError, KeyError, ValueError) as error:
        raise ProcessError(
            f"process {rank} of {size} waited {_ARRIVAL.seconds} s and not all others arrived at "
            f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}: start as many as WORLD_SIZE says, each able to "
            "reach that address."
        ) from error
    # Whose threads are still there when the interpreter goes away ends in an abort.
    atexit.register(_leave)


def _leave():
    if dist.is_initialized():
        dist.destroy_process_group()


def _store(rank, size):
    """Return the store where processes find each other: after a restart not at the addresses of those that died.

    The one of init_process_group is shared by all attempts of torchrun, and half of all restarts fail with it
    (github.com/pytorch/pytorch/issues/135712).
    """
    # Whoever started the processes holds the store, if that is torchrun; else the first of them does.
    held = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    store = dist.TCPStore(
        os.environ["MASTER_ADDR"],
        int(os.environ["MASTER_PORT"]),
        size,
        is_master=not held and rank == 0,
        timeout=_ARRIVAL,
        wait_for_workers=False,
    )
    return dist.PrefixStore(f"onelayer/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
