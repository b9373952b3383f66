"""Many fits for the price of a few: paths, cross-validation, batches."""

from onelayer.selection.path import path
from onelayer.selection.path_result import PathPoint, PathResult

__all__ = ["PathPoint", "PathResult", "path"]
