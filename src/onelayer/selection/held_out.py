"""The data of a cross-validation, and the scores of fits on the rows that their folds hold out."""

import numpy as np
import torch

from onelayer.errors import DataError
from onelayer.estimators.coded import Coded
from onelayer.estimators.validation import as_array, is_stream

__all__ = ["HeldOut", "Table", "take_rows"]


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
        self.weight = (
            None if sample_weight is None else as_array(sample_weight, "sample_weight").astype(float)
        )
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
        try:
            return self._scorer(knowing, test, *self._table.rest(test))
        except (TypeError, ValueError, IndexError) as error:
            if isinstance(self._scorer.scoring, str):
                # Those of scikit-learn look at nothing but the model's answers: what they say is about these.
                raise
            raise DataError(
                f"{self._scorer.name} cannot be asked for rows of a stream ({error}): use a scoring of scikit-learn's, by name."
            ) from error


def take_rows(X, index):
    """Return these rows of X, whatever it is."""
    if hasattr(X, "iloc"):
        return X.iloc[index]
    if hasattr(X, "tocsr"):
        return X.tocsr()[index]
    return X[torch.as_tensor(index, device=X.device)] if isinstance(X, torch.Tensor) else X[index]
