"""Stop when a score on other data gets no better."""

import math

import numpy as np

from onelayer.callbacks.base import Callback
from onelayer.errors import DataError, ParameterError

__all__ = ["EarlyStopping"]


class EarlyStopping(Callback):
    """Ends the fit when the score on a validation set has not risen for `patience` iterations.

    The fit then ends FINISHED, with the gap that it reached. Stopping early is a way to regularise that depends on the
    solver and its steps; a penalty does the same in a way that has an optimum.

    Parameters
    ----------
    X, y
        The validation set.
    scoring : str or callable, optional
        A name from scikit-learn such as ``"neg_log_loss"``, or a function of (estimator, X, y); larger is better.
        Default: the estimator's ``score``, which is accuracy or R².
    patience : int, default 5
        Iterations (epochs, for SGD) without a better score.
    min_delta : float, default 0.0
        A score counts as better if it is higher by more than this.
    restore_best : bool, default False
        Whether the fit returns the coefficients of the best score, also where it ends for another reason. Else it
        returns what it returns without this callback.
    name : str, default "validation_score"
        Key under which the scores stand in ``record.metrics`` of the trace.

    Attributes
    ----------
    best_score : float
        Of the last fit; NaN never counts as better.
    best_iteration : int or None
        Where it was reached.

    Raises
    ------
    ParameterError
        If an argument is out of its range.
    DataError
        In the fit, if the validation set cannot be scored.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("digits")
    >>> stopper = ol.callbacks.EarlyStopping(
    ...     data.X[1500:], data.y[1500:], scoring="neg_log_loss", patience=3, restore_best=True
    ... )
    >>> solver = ol.solvers.SGD(0.01, batch_size=32, epochs=50)
    >>> model = ol.SoftmaxRegression(C=1e6, solver=solver, tol=0, random_state=0).set_callbacks(stopper)
    >>> model = model.fit(data.X[:1500], data.y[:1500])
    >>> model.n_iter_ == stopper.best_iteration + 3
    True
    >>> print(model.result_.message)
    Stopped by EarlyStopping(scoring='neg_log_loss', patience=3); the coefficients of iteration ... are kept, ...
    """

    def __init__(
        self, X, y, *, scoring=None, patience=5, min_delta=0.0, restore_best=False, name="validation_score"
    ):
        if not (isinstance(patience, int | np.integer) and patience >= 1):
            raise ParameterError(f"patience is {patience!r}: give a whole number of iterations ≥ 1.")
        if not (isinstance(min_delta, int | float | np.number) and 0 <= min_delta < math.inf):
            raise ParameterError(f"min_delta is {min_delta!r}: give a number ≥ 0.")
        self.X, self.y = X, y
        self.scoring, self.patience, self.min_delta = scoring, int(patience), float(min_delta)
        self.restore_best, self.name = restore_best, name
        self._score = _scorer(scoring)
        self.best_score, self.best_iteration = -math.inf, None

    def __repr__(self):
        scoring = "" if self.scoring is None else f"scoring={self.scoring!r}, "
        return f"EarlyStopping({scoring}patience={self.patience})"

    def on_fit_begin(self, start):
        if start.estimator is None:
            raise ParameterError(
                "EarlyStopping needs an estimator to score, and this fit has none: use set_callbacks."
            )
        self.best_score, self.best_iteration, self._since = -math.inf, None, 0

    def on_iteration(self, iterate):
        score = float(self._score(iterate.estimator(), self.X, self.y))
        iterate.record.metrics[self.name] = score
        if score > self.best_score + (self.min_delta if math.isfinite(self.best_score) else 0.0):
            self.best_score, self.best_iteration, self._since = score, iterate.record.iteration, 0
            if self.restore_best:
                iterate.keep()
        else:
            self._since += 1
        return self._since >= self.patience


def _scorer(scoring):
    if scoring is None:
        return lambda estimator, X, y: estimator.score(X, y)
    if callable(scoring):
        return scoring
    from sklearn.metrics import get_scorer

    try:
        scorer = get_scorer(scoring)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"scoring is {scoring!r}: give a name that sklearn.metrics.get_scorer_names() lists, or a function of "
            "(estimator, X, y)."
        ) from error
    scorer = _log_likelihood if scoring == "neg_log_loss" else scorer

    def score(estimator, X, y):
        try:
            return scorer(estimator, X, y)
        except ValueError as error:
            sentence = str(error).split("\n")[0].rstrip(".")
            raise DataError(
                f"the validation set of EarlyStopping cannot be scored by {scoring!r} ({sentence}): give one that can, or "
                "scoring as a function of (estimator, X, y)."
            ) from error

    return score


def _log_likelihood(estimator, X, y):
    """Return the mean logarithm of the probability of y, labels of the model's classes or rows of probabilities.

    Unlike scikit-learn's it knows the classes of the fit: a validation set need not hold all of them.
    """
    log_proba, y = (_as_array(values) for values in (estimator.predict_log_proba(X), y))
    classes = np.asarray(estimator.classes_)
    if y.ndim == 2 and y.shape[1] == len(classes):
        told = getattr(estimator, "classes", None)
        shares = y if told is None else y[:, np.argsort(_as_array(told))]
        # A class that the fit had no rows of has the logarithm minus infinity.
        return float(np.where(shares > 0, shares * log_proba, 0.0).sum(axis=1).mean())
    y = y.reshape(len(y), -1)
    if y.shape[1] > 1:
        raise ValueError(f"y has {y.shape[1]} columns and the fit has {len(classes)} classes")
    y = y[:, 0]
    known = np.isin(y, classes)
    if not known.all():
        raise ValueError(f"it holds the label {y[~known].tolist()[0]!r}, which is none of the fit's")
    return float(log_proba[np.arange(len(y)), np.searchsorted(classes, y)].mean())


def _as_array(values):
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
