"""Commands that torchrun starts several times: which of the processes speaks."""

import os

__all__ = ["rank_of_several"]


def rank_of_several():
    """Return the number of this process among those that torchrun started, 0 where it is alone; without asking torch."""
    return int(os.environ.get("RANK", "0")) if int(os.environ.get("WORLD_SIZE", "1")) > 1 else 0
