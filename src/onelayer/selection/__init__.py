"""Many fits for the price of a few: paths, cross-validation, batches."""

from onelayer.selection.choosing import Choice
from onelayer.selection.estimators import LinearRegressionCV, LogisticRegressionCV, SoftmaxRegressionCV
from onelayer.selection.many import ManyResult, fit_many
from onelayer.selection.multilabel import MultilabelLogisticRegression
from onelayer.selection.path import path
from onelayer.selection.path_result import PathPoint, PathResult

__all__ = [
    "Choice",
    "LinearRegressionCV",
    "LogisticRegressionCV",
    "ManyResult",
    "MultilabelLogisticRegression",
    "PathPoint",
    "PathResult",
    "SoftmaxRegressionCV",
    "fit_many",
    "path",
]
