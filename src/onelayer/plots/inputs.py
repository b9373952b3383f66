"""From what callers hold (tensors, frames, sparse rows, class names) to the arrays that displays keep."""

import math

import numpy as np

from onelayer.errors import DataError, ParameterError

__all__ = ["as_array", "as_images", "as_labels", "as_points", "as_sequence", "name_classes", "take_rows"]


def as_array(values):
    """Return `values` as a NumPy array; tensors on any device and sparse matrices included.

    Examples
    --------
    >>> as_array([1, 2])
    array([1, 2])
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        # NumPy has no bfloat16.
        values = values.float() if "bfloat16" in str(values.dtype) else values
    if hasattr(values, "toarray"):
        values = values.toarray()
    return np.asarray(values)


def take_rows(X, rows):
    """Return some rows of `X` as a dense array, without making all of `X` dense.

    Examples
    --------
    >>> take_rows(np.eye(3), [2])
    array([[0., 0., 1.]])
    """
    return as_array(X.iloc[rows] if hasattr(X, "iloc") else X[rows])


def as_images(rows, image_shape):
    """Return flat `rows` as images: (n, height, width), or (n, height, width, 3) where there are colours.

    Examples
    --------
    >>> as_images(np.zeros((5, 12)), (1, 3, 4)).shape
    (5, 3, 4)
    """
    rows, shape = as_array(rows), tuple(image_shape)
    pixels = int(np.prod(rows.shape[1:]))
    if len(shape) not in (2, 3) or math.prod(shape) != pixels:
        raise DataError(f"image_shape={shape} does not fit rows of {pixels} features; give (height, width).")
    images = rows.reshape(len(rows), *shape)
    if len(shape) == 3 and shape[0] in (1, 3) and shape[-1] not in (1, 3):
        images = np.moveaxis(images, 1, -1)
    return images[..., 0] if images.ndim == 4 and images.shape[-1] == 1 else images


def name_classes(classes, class_names=None):
    """Return one name per class, as text.

    `class_names` has one entry per class, in order; or, where whole-number labels are missing from `classes`, one
    per possible label.

    Examples
    --------
    >>> name_classes([0, 2], ["cat", "dog", "owl"])
    ['cat', 'owl']
    """
    classes = as_array(classes)
    if class_names is None or len(class_names) == len(classes):
        return [str(name) for name in (classes if class_names is None else class_names)]
    if classes.dtype.kind in "iu" and classes.min() >= 0 and classes.max() < len(class_names):
        return [str(class_names[label]) for label in classes]
    raise DataError(f"class_names has {len(class_names)} entries but there are {len(classes)} classes.")


def as_labels(y_true, y_pred):
    """Return true and predicted labels as arrays of one length, without the None of an abstaining model.

    Examples
    --------
    >>> as_labels([0, 1], [1, 1])
    (array([0, 1]), array([1, 1]))
    """
    y_true, y_pred = as_array(y_true), as_array(y_pred)
    if y_true.shape != y_pred.shape or y_true.ndim != 1:
        raise DataError(
            f"y_true has shape {y_true.shape} and y_pred {y_pred.shape}: give one label of each per row."
        )
    if y_pred.dtype == object and (uncertain := sum(label is None for label in y_pred)):
        raise DataError(
            f"y_pred has {uncertain} None, where the model abstained: leave these rows out, or predict without abstain."
        )
    return y_true, y_pred


def as_points(values, name):
    """Return `values` as a float array of at least one point, sorted.

    Examples
    --------
    >>> as_points([2, -1], "scores")
    array([-1.,  2.])
    """
    try:
        points = np.sort(as_array(values).astype(float).ravel())
    except (TypeError, ValueError):
        points = np.array([])
    # NaN is not below anything; a picture cannot hold the largest floats.
    if not points.size or not (np.abs(points) < 1e100).all():
        raise ParameterError(
            f"{name} has to be finite numbers, at least one: give for instance np.linspace(-5, 5)."
        )
    return points


def as_sequence(values, kind, name, example):
    """Return one or several instances of `kind` as a list.

    Examples
    --------
    >>> as_sequence(3, int, "counts", "3")
    [3]
    """
    values = [values] if isinstance(values, kind) else list(values) if np.iterable(values) else []
    if not values or not all(isinstance(value, kind) for value in values):
        raise ParameterError(
            f"{name} has to be one or several {kind.__name__} objects: give for instance {example}."
        )
    return values
