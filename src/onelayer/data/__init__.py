"""Named data sets and files, as arrays that are ready for an estimator."""

from onelayer.data.dataset import Dataset
from onelayer.data.encoder import ColumnEncoder
from onelayer.data.loading import load
from onelayer.data.named import available

__all__ = ["ColumnEncoder", "Dataset", "available", "load"]
