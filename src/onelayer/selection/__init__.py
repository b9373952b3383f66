"""Many fits for the price of a few: paths, cross-validation, batches."""

from onelayer.selection.many import ManyResult, fit_many
from onelayer.selection.path import path
from onelayer.selection.path_result import PathPoint, PathResult

__all__ = ["ManyResult", "PathPoint", "PathResult", "fit_many", "path"]
