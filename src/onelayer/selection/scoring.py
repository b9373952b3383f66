"""Scores of fitted models on held-out rows."""

import copy
import functools

import numpy as np
from sklearn.metrics import check_scoring, get_scorer_names, log_loss

from onelayer.errors import ParameterError
from onelayer.estimators.validation import as_array

__all__ = ["Scorer"]


class Scorer:
    """A scoring of scikit-learn, with what it lacks for folds: labels that a fold has no rows of.

    Parameters
    ----------
    scoring : str or callable
    model : estimator
        Of the kind that will be scored.

    Attributes
    ----------
    name : str
        In words.
    """

    def __init__(self, scoring, model):
        self.scoring = scoring
        self.name = (
            scoring.replace("_", " ") if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
        )
        try:
            self._scorer = check_scoring(model, scoring)
        except (ValueError, TypeError) as error:
            known = ", ".join(name for name in get_scorer_names() if "log_loss" in name or "error" in name)
            raise ParameterError(
                f"scoring is {scoring!r}: give a name or a callable of scikit-learn, for example {known}."
            ) from error

    def __call__(self, model, X, y, sample_weight=None, offset=None):
        """Return the score, larger is better."""
        model = model if offset is None else _shifted(model, offset)
        if self.scoring == "neg_log_loss" and getattr(y, "ndim", 1) == 1:
            chances = as_array(model.predict_proba(X)).astype(float)
            # To the last digit of float64, which those of float32 do not sum to.
            chances /= chances.sum(axis=1, keepdims=True)
            return -log_loss(y, chances, labels=model.classes_, sample_weight=sample_weight)
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(self._scorer(model, X, y, **weight))

    def of_rows(self, model, X, y):
        """Return the score of each row, whose mean is the score: for standard errors.

        Raises
        ------
        ParameterError
            The scoring is no mean over rows that is known here.
        """
        y = as_array(y)
        if self.scoring == "neg_log_loss":
            chances = as_array(model.predict_log_proba(X)).astype(float)
            return chances[np.arange(len(y)), np.searchsorted(model.classes_, y)]
        predicted = as_array(model.predict(X))
        if self.scoring == "accuracy":
            return (predicted == y).astype(float)
        if self.scoring == "neg_mean_squared_error":
            return -((predicted - y) ** 2).reshape(len(y), -1).mean(axis=1)
        raise ParameterError(
            f"scoring is {self.scoring!r}, of which no standard error on one validation part is known: use 'neg_log_loss', "
            "'accuracy' or 'neg_mean_squared_error', folds, or rule='best'."
        )


def _shifted(model, offset):
    """Return the model with a known part of the scores of the rows that it will be asked for."""
    shifted = copy.copy(model)
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        if hasattr(model, name):
            setattr(shifted, name, _with_offset(getattr(model, name), offset))
    return shifted


def _with_offset(method, offset):
    # scikit-learn's scorers ask methods for their names, which a partial has not.
    @functools.wraps(method)
    def answer(X):
        return method(X, offset=offset)

    return answer
