"""Displays in scikit-learn's manner: arrays kept public, ``from_estimator``, ``plot(ax=None)``.

A display computes in its classmethods, keeps the arrays it will draw, and draws in :meth:`plot`, which returns the
display with ``figure_`` and ``ax_`` set. Fitted models are used by what they offer (``coef_``, ``classes_``,
``result_``, ``predict``, ``predict_proba``), so any scikit-learn model will do. A new display is one file and one
line here.
"""

from onelayer.plots.confusion import ConfusionDisplay
from onelayer.plots.decision import DecisionDisplay
from onelayer.plots.learning_curve import LearningCurveDisplay
from onelayer.plots.likelihood import LikelihoodDisplay
from onelayer.plots.loss_curves import LossCurvesDisplay
from onelayer.plots.loss_surface import LossSurfaceDisplay
from onelayer.plots.path import PathDisplay
from onelayer.plots.predictions import PredictionsDisplay
from onelayer.plots.reliability import ReliabilityDisplay
from onelayer.plots.sigmoid import SigmoidDisplay
from onelayer.plots.validation import ValidationDisplay
from onelayer.plots.weights import WeightsDisplay

__all__ = [
    "ConfusionDisplay",
    "DecisionDisplay",
    "LearningCurveDisplay",
    "LikelihoodDisplay",
    "LossCurvesDisplay",
    "LossSurfaceDisplay",
    "PathDisplay",
    "PredictionsDisplay",
    "ReliabilityDisplay",
    "SigmoidDisplay",
    "ValidationDisplay",
    "WeightsDisplay",
]
