"""The folds of a cross-validation: which rows are trained on, which are held out."""

import dataclasses
from typing import Any

import numpy as np

from onelayer.errors import DataError, OnelayerError
from onelayer.estimators.problem import Problem
from onelayer.estimators.validation import first_line
from onelayer.solvers.trail import Curve

__all__ = ["Fold"]


@dataclasses.dataclass
class Fold:
    """One split of the rows.

    Attributes
    ----------
    problem : Problem
        Of its training rows.
    test : array of int
        The rows that are held out.
    shared : bool
        Whether its problem is a part of the whole one, by weights of zero; else it has rows of its own.
    """

    problem: Problem
    test: np.ndarray
    shared: bool = True
    # What its last fit left behind, and how far its fits were from those of all rows.
    after: Any = None
    moved: Curve = dataclasses.field(default_factory=Curve)

    @classmethod
    def of(cls, number, whole, table, train, test):
        """Return the fold of a Table whose training rows are these."""
        y, classes = table.y, getattr(whole.model, "classes_", None)
        train, test = (_index(number, rows, table.rows) for rows in (train, test))
        if table.weight is not None:
            # Rows of no weight are rows that are not there.
            train = train[table.weight[train] > 0]
            if len(test) and not table.weight[test].any():
                raise DataError(f"fold {number} of cv holds out rows of weight zero only: use other folds.")
        if not len(train) or not len(test):
            part = "training" if not len(train) else "held-out"
            rows = "rows" if table.weight is None else "rows of positive weight"
            raise DataError(f"fold {number} of cv has no {part} {rows}: use fewer folds, or other groups.")
        if classes is not None and y.ndim == 1:
            present = np.isin(classes, y[train])
            if present.sum() < 2:
                raise DataError(
                    f"fold {number} of cv leaves only class {classes[present].tolist()[0]!r} to train on: use fewer folds, or "
                    "sklearn.model_selection.StratifiedKFold."
                )
            if not present.all():
                if table.X is None:
                    raise DataError(
                        f"fold {number} of cv has no row of class {classes[~present].tolist()[0]!r} to train on: use "
                        "sklearn.model_selection.StratifiedKFold, or rows in memory."
                    )
                return cls(_own_problem(whole, table, train, classes), test, shared=False)
        # A row that is drawn twice counts twice.
        counts = np.bincount(train, minlength=table.rows)
        try:
            return cls(whole.part(counts), test)
        except OnelayerError as error:
            raise DataError(f"fold {number} of cv cannot be fitted: {error}") from error


def _own_problem(whole, table, train, classes):
    """Return the problem of these rows with a copy of them, which may lack classes."""
    params = whole.model.get_params(deep=False)
    if classes is not None and table.y.ndim == 1:
        params["classes"] = classes
    return Problem(type(whole.model)(**params), *table.of_rows(train))


def _index(number, rows, count):
    """Return which rows a splitter means, by numbers or by a mask."""
    everything = np.arange(count)
    if isinstance(rows, slice):
        return everything[rows]
    rows = np.asarray(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iub"):
        raise DataError(
            f"fold {number} of cv names rows by {rows.dtype} of shape {rows.shape}: give whole numbers or a mask, one list each."
        )
    try:
        # An empty list is one of floats to NumPy.
        return everything[rows if rows.size else rows.astype(int)]
    except IndexError as error:
        raise DataError(
            f"fold {number} of cv names rows that are not there ({first_line(error)}): X has {count}."
        ) from error
