"""Labels, or rows of probabilities, as what a loss of classes compares scores with."""

import dataclasses
import math
import warnings

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import accuracy_score
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from onelayer.errors import DataError, ParameterError
from onelayer.estimators.coded import Coded
from onelayer.estimators.labels import label_array, positions
from onelayer.estimators.validation import as_array, check_lengths, require_finite

__all__ = ["ClassTargets", "encoded", "read_classes", "share_right"]

# What rows of probabilities may miss of one, each number rounded to float32 or float16.
_SLACK = {2: 2e-2, 4: 1e-5, 8: 1e-5}


@dataclasses.dataclass(frozen=True)
class ClassTargets:
    """What a classifier takes from y.

    Attributes
    ----------
    classes : array of shape (n_classes,)
        The labels, sorted.
    y : array
        The number of each row's class among those `present`, shape (n,); or their probabilities, shape (n, present).
    sample_weight : array of shape (n,) or None
        With the class weights in it.
    present : array of int or None
        Numbers of the classes that have rows, where some have none.
    factors : array or None
        The weight of each class that is present.
    """

    classes: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    present: np.ndarray | None = None
    factors: np.ndarray | None = None


def read_classes(y, sample_weight, *, classes=None, class_weight=None, absent=False):
    """Return the ClassTargets of labels of shape (n,), or of probabilities of shape (n, n_classes).

    Parameters
    ----------
    y : array-like or tensor
    sample_weight : array of shape (n,) or None
    classes : array-like, optional
        All labels that there are; default: those in y.
    class_weight : dict, "balanced" or None
    absent : bool
        Whether classes without rows are kept as if they had some: for parts of a stream.
    """
    labels = None if classes is None else np.sort(label_array(classes))
    coded = isinstance(y, Coded)
    y = y if coded else _array(y)
    soft = not coded and _is_soft(y)
    if coded:
        labels, target, mass = _of_codes(y, labels, sample_weight)
    elif soft:
        shares = _shares(y, classes, labels)
        labels = np.arange(y.shape[1]) if labels is None else labels
        mass = shares.sum(axis=0) if sample_weight is None else sample_weight @ shares
        target = shares
    else:
        y = _column(y)
        if labels is None:
            labels, target = _found(y)
        else:
            target = positions(labels, y)
        mass = np.bincount(target, weights=sample_weight, minlength=len(labels))
    present = None
    if not absent and not (mass > 0).all():
        _require_weight(labels, mass, told=soft or classes is not None)
        present = np.flatnonzero(mass > 0)
        target = target[:, present] if soft else np.searchsorted(present, target).clip(max=len(present) - 1)
        mass = mass[present]
    factors = None
    if class_weight is not None:
        own = labels if present is None else labels[present]
        factors = _factors(class_weight, labels, own, None if soft or coded else y, mass, sample_weight)
        spread = target @ factors if soft else factors[target]
        sample_weight = spread * (1.0 if sample_weight is None else sample_weight)
        if soft:
            target = target * factors / np.where(spread > 0, spread, 1.0)[:, None]
        if not absent and not (factors > 0).all():
            _require_weight(own, mass * factors, told=False)
    return ClassTargets(labels, target, sample_weight, present, factors)


def share_right(y, predicted, classes, *, told=None, sample_weight=None):
    """Return the share of rows whose label is the predicted one; of rows of probabilities, the mean probability of it.

    Parameters
    ----------
    y, predicted : array-like
        Labels of shape (n,); `y` also probabilities of shape (n, n_classes).
    classes : array of shape (n_classes,)
        Those of the model, sorted.
    told : array-like, optional
        The order of the columns of probabilities, if it is another one.
    sample_weight : array-like of shape (n,), optional
    """
    y, predicted = as_array(y), as_array(predicted)
    weight = None if sample_weight is None else as_array(sample_weight)
    if not _is_soft(y):
        return float(accuracy_score(y, predicted, sample_weight=weight))
    check_lengths(len(predicted), y, sample_weight)
    shares = _shares(_array(y), classes if told is None else told, classes)
    return float(np.average(shares[np.arange(len(y)), positions(classes, predicted)], weights=weight))


def _of_codes(y, labels, sample_weight):
    """Return labels, the number of each row's, and the weight of each label."""
    if labels is None:
        if len(y.labels) < 2:
            raise DataError(
                f"y holds one class only ({y.labels.tolist()[0]!r}): a classifier needs at least two classes."
            )
        return y.labels, y.codes, y.mass(sample_weight)
    place = positions(labels, y.labels).astype(np.int32)
    mass = np.zeros(len(labels))
    mass[place] = y.mass(sample_weight)
    return labels, place[y.codes], mass


def _is_soft(y):
    return y.ndim == 2 and y.shape[1] > 1 and y.dtype.kind == "f"


def encoded(y):
    """Return the classes in their order and the number of each label's class."""
    if len(y) and y.dtype.kind in "iub" and np.can_cast(y.dtype, np.int64):
        whole = y.astype(np.int64)
        low = whole.min()
        # Counting takes a tenth of the time of sorting; few numbers over many rows are classes for sure.
        if int(whole.max()) - int(low) < len(y) // 2:
            whole -= low
            there = np.bincount(whole) > 0
            return (there.nonzero()[0] + low).astype(y.dtype), (there.cumsum() - 1)[whole]
    # It casts floats to integers to see whether they are whole; those that are too large for that are no labels.
    with np.errstate(invalid="ignore"):
        check_classification_targets(y)
    return np.unique(y, return_inverse=True)


def _array(y):
    y = as_array(y)
    if y.ndim not in (1, 2):
        raise DataError(f"y has shape {y.shape}: give one label per row, shape (n_samples,).")
    require_finite(y, "y")
    return y


def _column(y):
    if y.ndim == 1:
        return y
    if y.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), for "
            "example using ravel().",
            DataConversionWarning,
            stacklevel=2,
        )
        return y[:, 0]
    raise DataError(
        f"y has shape {y.shape}: give one label per row, shape (n_samples,), or a row of probabilities (floats) for each."
    )


def _found(y):
    try:
        labels, index = encoded(y)
    except (TypeError, ValueError) as error:
        if y.dtype.kind == "f":
            raise DataError(
                "y is continuous, it holds numbers that are not whole, so it is no class label: use LinearRegression, or "
                "turn y into classes."
            ) from error
        raise DataError(
            "Unknown label type: y mixes labels that cannot be sorted, or misses some; give all text or all numbers."
        ) from error
    if len(labels) < 2:
        raise DataError(
            f"y holds one class only ({labels.tolist()[0]!r}): a classifier needs at least two classes."
        )
    return labels, index


def _shares(y, classes, labels):
    """Return rows of probabilities in float64 that sum to one, in the order of the sorted labels."""
    shares = y.astype(np.float64)
    if labels is not None and len(labels) != shares.shape[1]:
        raise DataError(
            f"y has {shares.shape[1]} columns and classes has {len(labels)} labels: give one column for each class."
        )
    total = shares.sum(axis=1)
    wrong = (shares < 0).any(axis=1) | (np.abs(total - 1) > _SLACK.get(y.dtype.itemsize, 1e-5))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"row {row} of y is {np.round(shares[row], 4).tolist()[:6]}, which is no row of probabilities (it sums to "
            f"{total[row]:.4g}): give numbers ≥ 0 that sum to 1, or one label per row."
        )
    shares /= total[:, None]
    return shares if labels is None else shares[:, np.argsort(label_array(classes))]


def _require_weight(labels, mass, *, told):
    """Refuse classes that weigh nothing, unless they were told of: their intercepts would fall for ever."""
    rest = labels[mass > 0]
    if len(rest) == 1:
        raise DataError(
            f"y holds one class only ({rest.tolist()[0]!r}) in the rows of positive weight: a classifier needs two."
        )
    if not told:
        raise DataError(
            f"no row of class {labels[mass == 0].tolist()[0]!r} has a positive weight: leave its rows out, weigh them, or "
            "tell classes=."
        )


def _factors(class_weight, labels, own, y, mass, sample_weight):
    unknown = set(class_weight) - set(labels.tolist()) if isinstance(class_weight, dict) else ()
    try:
        if y is None and isinstance(class_weight, str) and class_weight == "balanced":
            factors = mass.sum() / (len(mass) * mass)
        elif y is None:
            # A row that is shared by several classes has no label to count.
            factors = compute_class_weight(class_weight, classes=own, y=own)
        else:
            factors = compute_class_weight(class_weight, classes=own, y=y, sample_weight=sample_weight)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"class_weight is {class_weight!r}: give 'balanced', or a dict from label to factor."
        ) from error
    if unknown or not (np.isfinite(factors).all() and (factors >= 0).all()):
        raise ParameterError(
            f"class_weight is {class_weight!r}: give a finite factor ≥ 0 for labels of y ({list(labels)})."
        )
    return factors


def log_shift(factors, outputs):
    """Return what weights of classes add to the intercepts: log w_k, less their mean; for one score log w_1 − log w_0."""
    logs = np.log(factors)
    return logs[1:] - logs[:1] if outputs == 1 else logs - math.fsum(logs) / len(logs)
