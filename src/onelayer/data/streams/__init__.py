"""Data that need not fit into memory, read in blocks of rows, again and again in the same order."""

from onelayer.data.streams.base import Block, Source
from onelayer.data.streams.stream import Stream, stream

__all__ = ["Block", "Source", "Stream", "stream"]
