"""How good a fitted model is on rows, and how sure that is."""

import dataclasses

import numpy as np
from sklearn.base import is_classifier

from onelayer.estimators.validation import as_array
from onelayer.selection.intervals import Interval, bootstrap, wilson
from onelayer.selection.scoring import losses_of_rows

__all__ = ["Judgement", "judge"]

# The share of squares about any number that is rounding of those about the mean.
_ALIKE = 1e-12


@dataclasses.dataclass(frozen=True)
class Judgement:
    """How a model does on rows.

    Attributes
    ----------
    metric : {"accuracy", "R²"}
    score : float
    interval : Interval
    loss : float
        The mean log loss; for real targets the mean squared error.
    """

    metric: str
    score: float
    interval: Interval
    loss: float

    def __str__(self):
        return f"{self.metric} {self.score:.4f} ({self.interval})"


def judge(model, part, interval=None, level=0.95, seed=0):
    """Return the Judgement of a fitted model by a Part, with an interval of Wilson's or of the bootstrap."""
    if is_classifier(model):
        right, losses = part.measured([model], _answers)[0].T
        if interval == "bootstrap":
            found = bootstrap(right[:, None], lambda sums, rows: sums[:, 0] / rows, level, seed)
        else:
            found = wilson(right.mean(), part.rows, level)
        return Judgement("accuracy", float(right.mean()), found, float(losses.mean()))
    y = part.y.reshape(part.rows, -1).astype(float)
    squares = part.measured([model], _squares)[0]
    # About the mean, so that little cancels.
    y = y - y.mean(axis=0)
    terms = np.concatenate([squares, y, y**2], axis=1)

    def shares(sums, rows):
        # As in scikit-learn: the mean over targets.
        left, total, around = np.split(sums, 3, axis=1)
        spread = around - total**2 / np.asarray(rows).reshape(-1, 1)
        # Of targets that are all alike rounding would leave one.
        spread = np.where(spread > _ALIKE * around, spread, np.nan)
        return (1 - left / spread).mean(axis=1)

    score = float(shares(terms.sum(axis=0, keepdims=True), part.rows)[0])
    return Judgement("R²", score, bootstrap(terms, shares, level, seed), float(squares.mean()))


def _answers(model, X, y):
    """Return, for each row, whether its label is predicted, and its log loss."""
    right = as_array(model.predict(X)) == y
    return np.stack([right.astype(float), losses_of_rows(model, X, y)], axis=1)


def _squares(model, X, y):
    return (as_array(model.predict(X)).reshape(len(y), -1) - y.reshape(len(y), -1)) ** 2
