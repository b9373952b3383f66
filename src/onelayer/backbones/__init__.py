"""A frozen network and an exact head on it."""

from onelayer.backbones.fitting import fit_head
from onelayer.backbones.outcome import FittedHead, ToDtype

__all__ = ["FittedHead", "ToDtype", "fit_head"]
