"""Any fitted classifier, asked for its answers on a grid."""

import numbers

import numpy as np

from onelayer.abstention import Abstention
from onelayer.errors import DataError, ParameterError
from onelayer.plots.inputs import as_array

__all__ = ["Answers", "read_axes", "read_points"]

HALVINGS = 50


class Answers:
    """What a fitted classifier says about rows of features.

    Parameters
    ----------
    estimator : classifier
        With ``classes_`` and ``predict``, perhaps ``predict_proba``.
    X : array or frame
        Data like those that it was fitted to: where this is a frame, it is asked with frames.
    abstain : float or (float, float), optional
        As ``predict`` of our classifiers takes it.

    Attributes
    ----------
    classes : array of shape (classes,)
    has_proba : bool
    abstention : Abstention or None
    levels : tuple of float
        The probabilities at which it begins and ends, of the second of two classes; of more, of the most probable.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = Answers(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"]), [[0.0]])
    >>> model.index(["yes", "no"], 2)
    array([1, 0])
    >>> model.changes(np.array([0.0, 1.0]), model.most_probable).round(3)
    array([0.5])
    """

    def __init__(self, estimator, X, abstain=None):
        classes = getattr(estimator, "classes_", None)
        # Several targets give a list of arrays.
        if classes is None or isinstance(classes, list) or as_array(classes).ndim != 1:
            raise ParameterError(
                f"estimator is {estimator!r}, which has no classes_: give a fitted classifier of one target."
            )
        self.estimator, self.classes = estimator, as_array(classes)
        self.has_proba = hasattr(estimator, "predict_proba")
        self.abstention = None if abstain is None else Abstention.of(abstain, len(self.classes))
        self._frame = X if hasattr(X, "iloc") else None

    def ask(self, points):
        """Return predicted classes as indices, probabilities or None, and where the model abstains or None."""
        answers = self.estimator.predict(self._rows(points))
        predicted = self.index(answers, name="predict(X)").reshape(points.shape[:-1])
        if not self.has_proba:
            return predicted, None, None
        proba = self.proba(points)
        return predicted, proba, self._abstains(proba)

    def proba(self, points):
        """Return probabilities, shape (..., classes), of points of shape (..., features)."""
        proba = as_array(self.estimator.predict_proba(self._rows(points))).astype(float)
        if not np.isfinite(proba).all():
            raise DataError(
                "predict_proba gives numbers that are not finite, so there is nothing to draw: fit the model again with a "
                "smaller learning rate, or choose limits nearer to its data."
            )
        return proba.reshape(*points.shape[:-1], -1)

    def most_probable(self, points):
        """Return the index of the most probable class of each point."""
        return self.proba(points).argmax(axis=-1)

    def uncertain(self, points):
        """Tell for each point whether the model abstains."""
        return self._abstains(self.proba(points))

    def _abstains(self, proba):
        return (
            np.zeros(proba.shape[:-1], bool) if self.abstention is None else self.abstention.uncertain(proba)
        )

    @property
    def levels(self):
        """The probabilities to mark by a line."""
        if self.abstention is None:
            return ()
        low, high = self.abstention.low, self.abstention.high
        if low is None and len(self.classes) > 2:
            return (high,)
        # Of two probabilities the larger is at least a half.
        return (low, high) if low is not None else (min(1 - high, 0.5), max(high, 0.5))

    def changes(self, x, answer):
        """Return where between neighbours of `x`, values of one feature, `answer` of these points changes.

        Parameters
        ----------
        x : array of shape (points,)
        answer : callable
            Takes points of shape (n, 1), gives an array of shape (n,) that compares with ``==``.
        """
        answers = answer(x[:, None])
        (at,) = np.nonzero(answers[1:] != answers[:-1])
        low, high, left = x[at], x[at + 1], answers[at]
        for _ in range(HALVINGS if at.size else 0):
            middle = low + (high - low) / 2
            same = answer(middle[:, None]) == left
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return low + (high - low) / 2

    def index(self, labels, rows=None, *, name="y"):
        """Return the index in `classes` of each label."""
        labels = as_array(labels).ravel()
        if rows is not None and len(labels) != rows:
            raise DataError(f"{name} has {len(labels)} labels and X has {rows} rows: give one label per row.")
        places = {label: index for index, label in enumerate(self.classes.tolist())}
        found = [places.get(label, -1) for label in labels.tolist()]
        if -1 in found:
            label = labels.tolist()[found.index(-1)]
            raise DataError(
                f"{name} has the label {label!r}, which is none of the model's {len(places)} classes: give labels that "
                "it was fitted to."
            )
        return np.array(found, dtype=int)

    def _rows(self, points):
        """Return points as rows of what the model was fitted to."""
        rows = points.reshape(-1, points.shape[-1])
        return rows if self._frame is None else type(self._frame)(rows, columns=self._frame.columns)


def read_points(X):
    """Return rows of one or two features as a float array.

    Examples
    --------
    >>> read_points([[1], [2]])
    array([[1.],
           [2.]])
    """
    points = as_array(X)
    if points.ndim != 2:
        raise DataError(f"X has shape {points.shape}: give one row per sample, as X.reshape(-1, 1).")
    if points.shape[1] not in (1, 2):
        raise DataError(
            f"X has {points.shape[1]} features and a picture has room for one or two: choose columns, as X[:, [0, 1]], "
            "and fit the model to these."
        )
    try:
        points = points.astype(float)
    except (TypeError, ValueError) as error:
        raise DataError("X has entries that are no numbers: give one or two columns of numbers.") from error
    # NaN is not below anything; a picture cannot hold the largest floats.
    if not len(points) or not (np.abs(points) < 1e100).all():
        raise DataError(
            f"X has {len(points)} rows, and needs at least one, of finite numbers only: leave out rows with NaN."
        )
    return points


def read_axes(points, limits, resolution):
    """Return the values of each feature on the grid, a list of arrays.

    Examples
    --------
    >>> read_axes(np.zeros((5, 1)), (0, 10), 3)
    [array([ 0.,  5., 10.])]
    """
    if isinstance(resolution, bool) or not isinstance(resolution, numbers.Integral) or resolution < 2:
        raise ParameterError(f"grid_resolution is {resolution!r}: give a whole number from 2, as 200.")
    features = points.shape[1]
    if limits is None:
        low, high = points.min(axis=0), points.max(axis=0)
        # One point alone has room as well.
        room = np.where(high > low, 0.1 * (high - low), np.maximum(1.0, 0.1 * np.abs(high)))
        pairs = np.stack([low - room, high + room], axis=1)
    else:
        try:
            pairs = as_array(limits).astype(float).reshape(features, 2)
        except (TypeError, ValueError):
            pairs = np.full((1, 2), np.nan)
    if not (np.isfinite(pairs).all() and (pairs[:, 0] < pairs[:, 1]).all()):
        shape = "(low, high)" if features == 1 else "((low, high), (low, high))"
        raise ParameterError(f"limits is {limits!r}: give {shape}, finite, with low < high.")
    return [np.linspace(low, high, resolution) for low, high in pairs]
