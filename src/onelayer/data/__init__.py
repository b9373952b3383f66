"""Named data sets and files, as arrays that are ready for an estimator, or as streams of blocks."""

from onelayer.data.dataset import Dataset
from onelayer.data.encoder import ColumnEncoder
from onelayer.data.loading import load
from onelayer.data.named import available
from onelayer.data.streams import Stream, stream

__all__ = ["ColumnEncoder", "Dataset", "Stream", "available", "load", "stream"]
