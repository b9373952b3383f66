"""Early stopping: which rows are held back, and the score that they give."""

from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

__all__ = ["held_out", "make_score"]


def held_out(model, y, weighted):
    """Return the mask of the rows that are kept for validation: none without early_stopping.

    Raises
    ------
    ValueError
        If they have no weight, or one of the two parts is empty.
    """
    mask = np.zeros(y.shape[0], dtype=bool)
    if not model.early_stopping:
        return mask
    splitter = StratifiedShuffleSplit if is_classifier(model) else ShuffleSplit
    splits = splitter(test_size=model.validation_fraction, random_state=model.random_state)
    train, kept = next(splits.split(np.zeros((y.shape[0], 1)), y))
    if not weighted[kept].any():
        raise ValueError(
            "The sample weights for validation set are all zero, consider using a different random state."
        )
    if train.size == 0 or kept.size == 0:
        raise ValueError(
            f"Splitting {y.shape[0]} samples into a train set and a validation set with validation_fraction="
            f"{model.validation_fraction!r} led to an empty set ({train.size} and {kept.size} samples). Please "
            "either change validation_fraction, increase number of samples, or disable early_stopping."
        )
    mask[kept] = True
    return mask


def make_score(model, X, y, sample_weight, mask, classes=None):
    """Return the function of (weights, intercept) that early stopping watches, None without early_stopping."""
    if not model.early_stopping:
        return None
    # A copy, so that ``score`` may be the user's own, and threads do not write into one model.
    judge: Any = clone(model)
    judge.t_ = 1.0
    if classes is not None:
        judge.classes_ = classes
    X, y, sample_weight = X[mask], y[mask], sample_weight[mask]

    def score(weights, intercept):
        judge.coef_, judge.intercept_ = weights.reshape(1, -1), np.atleast_1d(intercept)
        return judge.score(X, y, sample_weight)

    return score
