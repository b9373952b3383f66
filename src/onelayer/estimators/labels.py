"""Labels that are told before the data are seen, and two rows of coefficients as one."""

import numpy as np
import torch

from onelayer.errors import DataError, ParameterError

__all__ = ["folded", "label_array", "positions", "single_score"]


def label_array(classes):
    """Return labels as an array of shape (n_classes,), or say why they cannot be classes."""
    if isinstance(classes, torch.Tensor):
        classes = classes.detach().cpu().numpy()
    try:
        labels = np.asarray(classes)
        unique = np.unique(labels)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"classes is {classes!r}, which cannot be sorted: give all text or all numbers."
        ) from error
    if labels.ndim != 1 or labels.dtype.kind not in "biufUO":
        raise ParameterError(f"classes is {classes!r}: give a list of labels.")
    if len(unique) != len(labels):
        raise ParameterError(f"classes is {labels.tolist()}, with a label twice: give each one once.")
    if len(labels) < 2:
        raise ParameterError(f"classes is {labels.tolist()}: a classifier needs at least two.")
    return labels


def positions(classes, y):
    """Return the number of each label's class among sorted `classes`."""
    try:
        index = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        unknown = classes[index] != y
    except TypeError as error:
        raise DataError(
            f"y holds labels that cannot be compared with the classes {classes.tolist()}: give labels of these."
        ) from error
    if np.any(unknown):
        row = int(np.argmax(unknown))
        raise DataError(
            f"y holds {y.tolist()[row]!r} in row {row}, which is not among the classes {classes.tolist()}: give all "
            "classes at the first call."
        )
    return index


def single_score(weight, bias):
    """Return the difference of two rows in float64: one score with the same probabilities."""
    weight = weight.double()
    return weight[1:] - weight[:1], None if bias is None else bias.double().diff()


def folded(weight, bias, name):
    """Return one row with the same probabilities as two, or refuse where the difference is not a number of this arithmetic.

    In the dtype of `weight` where that holds the difference, else in float64: a difference that is rounded would be
    another model, if only a little.
    """
    exact = _is_difference(weight) and (bias is None or _is_difference(bias.unsqueeze(1)))
    if not exact:
        raise ParameterError(
            f"{name} has two outputs whose difference, the one score of LogisticRegression, no float64 holds exactly: use "
            "SoftmaxRegression, which keeps both."
        )
    one, shift = single_score(weight, bias)
    fine = one if shift is None else torch.cat([one.flatten(), shift])
    if not bool((fine.to(weight.dtype).double() == fine).all()):
        return one, shift
    return one.to(weight.dtype), None if shift is None else shift.to(weight.dtype)


def _is_difference(rows):
    """Return whether row 1 minus row 0 is exact in float64, by the rounding error of the subtraction (Knuth's TwoSum)."""
    low, high = rows.double()
    total = high - low
    back = total - high
    error = (high - (total - back)) + (-low - back)
    return bool((error == 0).all() and torch.isfinite(total).all())
