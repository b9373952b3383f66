"""The data of a cross-validation, and the scores of fits on the rows that their folds hold out."""

import numpy as np
import torch

from onelayer.errors import DataError
from onelayer.estimators.coded import Coded
from onelayer.estimators.problem import Problem
from onelayer.estimators.validation import as_array, as_sample_weight, check_lengths, is_stream

__all__ = ["HeldOut", "Table", "refuse_rows", "scores_of", "take_rows"]


class Table:
    """X, and what there is for each of its rows; of a stream what its reads have told, of all processes.

    Parameters
    ----------
    whole : Problem
    X, y, sample_weight, offset
        As they were given.

    Attributes
    ----------
    X : array, sparse matrix, frame or tensor; None for a stream
    y, weight, offset : array or None
    rows : int
    """

    def __init__(self, whole, X, y, sample_weight, offset):
        self.rows = whole.objective.rows
        streamed = is_stream(X)
        self.X = None if streamed else X if hasattr(X, "shape") else np.asarray(X)
        if streamed:
            y, sample_weight, offset = (whole.given[name] for name in ("y", "sample_weight", "offset"))
            y = y.labels[y.codes] if isinstance(y, Coded) else y
        self.y = as_array(y)
        if hasattr(whole.model, "classes_") and self.y.ndim == 2 and self.y.shape[1] == 1:
            self.y = self.y.ravel()
        self.weight = as_sample_weight(sample_weight, self.rows)
        self.offset = None if offset is None else as_array(offset, "offset")

    def rest(self, index):
        """Return y, weights and offsets of some rows."""
        return tuple(None if part is None else part[index] for part in (self.y, self.weight, self.offset))

    def of_rows(self, index):
        """Return X, y, weights and offsets of some rows of a table in memory."""
        return take_rows(self.X, index), *self.rest(index)


class HeldOut:
    """Scores fitted models on the rows of each fold.

    Parameters
    ----------
    whole : Problem
    table : Table
    tests : list of arrays of int
        The rows that each fold holds out.
    scorer : Scorer
    """

    def __init__(self, whole, table, tests, scorer):
        self._whole, self._scorer, self._tests = whole, scorer, tests
        self._parts = None if table.X is None else [table.of_rows(test) for test in tests]
        self._table = table

    def score(self, fold, model):
        """Return the score of a model; of a stream in one read of it, by which the model is asked for rows by their numbers."""
        if self._parts is not None:
            return self._scorer(model, *self._parts[fold])
        test = self._tests[fold]
        knowing = model._answering(self._whole.scores_of(model))
        return self._scorer(knowing, test, *self._table.rest(test))


def scores_of(scorer, models, X, y=None, sample_weight=None, offset=None):
    """Return the scores of fitted models on these rows; of a stream each in one more read of it."""
    if not is_stream(X):
        X = X if hasattr(X, "shape") else np.asarray(X)
        check_lengths(X.shape[0], y, sample_weight)
        weight = as_sample_weight(sample_weight, X.shape[0])
        return [scorer(model, X, as_array(y), weight, offset) for model in models]
    refuse_rows(scorer)
    template = models[0]
    told = {"classes": template.classes_} if hasattr(template, "classes_") else {}
    whole = Problem(
        type(template)(**{**template.get_params(deep=False), **told}), X, y, sample_weight, offset
    )
    with whole.working():
        table = Table(whole, X, y, sample_weight, offset)
        rows = np.arange(table.rows)
        return [scorer(model._answering(whole.scores_of(model)), rows, *table.rest(rows)) for model in models]


def refuse_rows(scorer):
    """Refuse a scoring that would look at rows of a stream, which are not kept."""
    if scorer.looks_at_rows:
        raise DataError(
            f"scoring is the function {scorer.name!r}, which may look at rows, and those of a stream are not kept: give a name of "
            "scikit-learn's, or make_scorer of a metric."
        )


def take_rows(X, index):
    """Return these rows of X, whatever it is."""
    if hasattr(X, "iloc"):
        return X.iloc[index]
    if hasattr(X, "tocsr"):
        return X.tocsr()[index]
    return X[torch.as_tensor(index, device=X.device)] if isinstance(X, torch.Tensor) else X[index]
