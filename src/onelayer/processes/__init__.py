"""Processes that work on one fit, on one machine or on many: torch.distributed, with sentences where it fails."""

from onelayer.processes.group import ALONE, Group
from onelayer.processes.launch import join, launched

__all__ = ["ALONE", "Group", "join", "launched"]
