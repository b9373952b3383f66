"""scikit-learn's validation for the drop-ins, where what NumPy and torch say of hopeless input becomes a ValueError."""

import contextlib

import numpy as np
from sklearn.utils import validation

from onelayer.estimators.compressing import sound
from onelayer.estimators.features import holds_dates
from onelayer.estimators.validation import LEAST_TOTAL, first_line

__all__ = ["as_value_errors", "check_sample_weight", "validate_data"]


def validate_data(estimator, X="no_validation", y="no_validation", **options):
    """Return what scikit-learn's function of this name returns.

    Raises
    ------
    ValueError, TypeError
        In scikit-learn's words; ValueError also for tensors that NumPy cannot read (with a gradient, on another device,
        sparse) and numbers too large for a float, and TypeError for dates in X, which scikit-learn turns into counts of
        some unit (a missing one into −9.2e18).
    """
    if holds_dates(X):
        raise TypeError(
            "X holds dates or durations, which are no numbers: convert them first, for example to days."
        )
    with as_value_errors("X or y"):
        return validation.validate_data(estimator, sound(X), y, **options)


def check_sample_weight(sample_weight, X, *, summed=True, **options):
    """Return what scikit-learn's function of this name returns; errors as in :func:`validate_data`.

    With `summed` a sum of weights that cannot be divided by is refused too.
    """
    with as_value_errors("sample_weight"):
        weight = validation._check_sample_weight(sample_weight, X, **options)
        total = float(np.asarray(weight, dtype=np.float64).sum())
    if summed and total and not LEAST_TOTAL <= total <= 1 / LEAST_TOTAL:
        raise ValueError(
            f"sample_weight sums to {total:g}, beyond the numbers that can be divided by: multiply all weights by a constant."
        )
    return weight


@contextlib.contextmanager
def as_value_errors(name):
    """Turn what NumPy and torch raise where no array of numbers can be made into a ValueError of one sentence."""
    try:
        # Sums that overflow on the way to finding out that all entries are finite.
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except (RuntimeError, OverflowError, AttributeError) as error:
        raise ValueError(f"{name} cannot be read as an array of numbers: {first_line(error)}.") from error
