"""Many fits for the price of a few: paths, cross-validation, probes, batches."""

from onelayer.selection.choosing import Choice
from onelayer.selection.estimators import LinearRegressionCV, LogisticRegressionCV, SoftmaxRegressionCV
from onelayer.selection.intervals import Interval
from onelayer.selection.judging import Judgement
from onelayer.selection.many import ManyResult, fit_many
from onelayer.selection.multilabel import MultilabelLogisticRegression
from onelayer.selection.path import path
from onelayer.selection.path_result import PathPoint, PathResult
from onelayer.selection.probe import probe
from onelayer.selection.probe_result import ProbeResult

__all__ = [
    "Choice",
    "Interval",
    "Judgement",
    "LinearRegressionCV",
    "LogisticRegressionCV",
    "ManyResult",
    "MultilabelLogisticRegression",
    "PathPoint",
    "PathResult",
    "ProbeResult",
    "SoftmaxRegressionCV",
    "fit_many",
    "path",
    "probe",
]
