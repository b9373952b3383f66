"""Scores of fitted models on held-out rows."""

import contextlib
import copy
import functools
import math

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring, log_loss

from onelayer.errors import DataError, ParameterError
from onelayer.estimators.validation import as_array, first_line

__all__ = ["Scorer", "losses_of_rows", "scoring_name"]

# What is often chosen by, for classifiers and for others.
_USUAL = {
    True: "'neg_log_loss', 'accuracy', 'roc_auc_ovr' or 'f1_macro'",
    False: "'neg_mean_squared_error', 'neg_mean_absolute_error' or 'r2'",
}
# Means over rows whose terms are known here, of classifiers and of others.
_MEANS = {True: ("neg_log_loss", "accuracy"), False: ("neg_mean_squared_error",)}


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
        self.scoring, classifier = scoring, is_classifier(model)
        self._means = _MEANS[classifier]
        self.name = scoring_name(scoring, classifier)
        try:
            if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
                raise TypeError("neither a name nor a callable")
            self._scorer = check_scoring(model, scoring)
        except (ValueError, TypeError) as error:
            raise ParameterError(
                f"scoring is {scoring!r}: give one name or callable of scikit-learn, for example {_USUAL[classifier]}."
            ) from error

    @property
    def looks_at_rows(self):
        """Whether it is a function of one's own, which may look at X and not only at what the model answers."""
        return callable(self.scoring) and not hasattr(self.scoring, "_score_func")

    @property
    def is_mean(self):
        """Whether it is known to be the mean of scores of rows, those of :meth:`of_rows`."""
        return isinstance(self.scoring, str) and self.scoring in self._means

    def __call__(self, model, X, y, sample_weight=None, offset=None):
        """Return the score, larger is better."""
        tensors = isinstance(X, torch.Tensor)
        if tensors or offset is not None:
            model, y = _view(model, offset), as_array(y)
        labels = hasattr(model, "classes_") and getattr(y, "ndim", 1) == 1
        if self.scoring == "neg_log_loss" and labels:
            chances = as_array(model.predict_proba(X)).astype(float)
            # To the last digit of float64, which those of float32 do not sum to.
            chances /= chances.sum(axis=1, keepdims=True)
            with _as_data_error():
                return -log_loss(y, chances, labels=model.classes_, sample_weight=sample_weight)
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        try:
            return float(self._scorer(model, X, y, **weight))
        except DataError:
            # It is X that is wrong.
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise ParameterError(
                f"scoring by {self.name} fails here ({first_line(error)}): choose another scoring, for example "
                f"{_USUAL[is_classifier(model)]}."
            ) from error

    def require_mean(self):
        """Refuse a scoring that is no mean over rows that is known here."""
        if not self.is_mean:
            raise ParameterError(
                f"scoring is {self.scoring!r}, of which no standard error on one validation part is known: use "
                f"{' or '.join(map(repr, self._means))}, folds, or rule='best'."
            )

    def of_rows(self, model, X, y):
        """Return the score of each row, whose mean is the score: for standard errors."""
        self.require_mean()
        y = as_array(y)
        if self.scoring == "neg_log_loss":
            return -losses_of_rows(model, X, y)
        predicted = as_array(model.predict(X))
        if self.scoring == "accuracy":
            return (predicted == y).astype(float)
        return -((predicted.reshape(len(y), -1) - y.reshape(len(y), -1)) ** 2).mean(axis=1)


def losses_of_rows(model, X, y):
    """Return the log loss of each row; as scikit-learn counts them, to whom no row costs more than −log ε."""
    most = -math.log(np.finfo(float).eps)
    chances = as_array(model.predict_log_proba(X)).astype(float)
    return (-chances[np.arange(len(y)), np.searchsorted(model.classes_, y)]).clip(max=most)


@contextlib.contextmanager
def _as_data_error():
    """Say what is wrong with rows as errors of the data."""
    try:
        yield
    except ValueError as error:
        raise DataError(f"these rows have no log loss: {first_line(error)}.") from error


def _view(model, offset):
    """Return the model with answers in arrays, as scikit-learn's scorers want them, and a known part of its scores."""
    view = copy.copy(model)
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        if hasattr(model, name):
            setattr(view, name, _answering(getattr(model, name), offset))
    return view


def _answering(method, offset):
    # scikit-learn's scorers ask methods for their names, which a partial has not.
    @functools.wraps(method)
    def answer(X, **options):
        known = {} if offset is None else {"offset": offset}
        return as_array(method(X, **{**options, **known}))

    return answer


def scoring_name(scoring, classifier):
    """Return what is measured, in words."""
    if scoring is None:
        return "accuracy" if classifier else "R²"
    measure = getattr(scoring, "_score_func", scoring)
    name = measure if isinstance(measure, str) else getattr(measure, "__name__", "score")
    return ("neg " if getattr(scoring, "_sign", 1) < 0 else "") + name.replace("_", " ")
