"""Losses compare scores with targets, per sample. They never see features, weights or averages."""

from onelayer.losses.base import Loss
from onelayer.losses.classification import CrossEntropy, Logistic, ProbabilitySquaredError
from onelayer.losses.regression import AbsoluteError, Huber, Quantile, SquaredError

__all__ = [
    "AbsoluteError",
    "CrossEntropy",
    "Huber",
    "Logistic",
    "Loss",
    "ProbabilitySquaredError",
    "Quantile",
    "SquaredError",
]
