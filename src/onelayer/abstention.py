"""When a classifier gives no answer: bounds on its probabilities."""

import dataclasses
import numbers

import numpy as np

from onelayer.errors import ParameterError

__all__ = ["Abstention"]


@dataclasses.dataclass(frozen=True)
class Abstention:
    """The rows whose answer is uncertain: lo < p < hi, or max_k p_k < least.

    Attributes
    ----------
    low : float or None
        lo, a bound on the probability p of the second of two classes; None where only the largest counts.
    high : float
        hi; or, where `low` is None, the least that the largest probability of a row must have.

    Examples
    --------
    >>> band = Abstention.of((0.4, 0.6), classes=2)
    >>> band.uncertain(np.array([[0.7, 0.3], [0.6, 0.4], [0.5, 0.5]]))
    array([False, False,  True])
    >>> Abstention.of(0.6, classes=3).uncertain(np.array([[0.6, 0.3, 0.1], [0.5, 0.3, 0.2]]))
    array([False,  True])
    """

    low: float | None
    high: float

    @classmethod
    def of(cls, abstain, classes, *, name="abstain"):
        """Read what a user passed as `abstain`.

        Parameters
        ----------
        abstain : float or pair of float
            The least top probability, or (lo, hi) for two classes.
        classes : int or None
            How many there are; None if that is not known yet.
        name : str
            What the user calls the argument.

        Raises
        ------
        ParameterError
            For anything but numbers with 0 ≤ lo ≤ hi ≤ 1, and for a pair where there are more than two classes.
        """
        # Not any iterable: a set has no order.
        is_pair = isinstance(abstain, tuple | list) or (isinstance(abstain, np.ndarray) and abstain.ndim == 1)
        bounds = list(abstain) if is_pair else [abstain]
        if len(bounds) != 1 + is_pair or not all(map(_is_probability, bounds)) or bounds[0] > bounds[-1]:
            raise ParameterError(
                f"{name} is {abstain!r}: give a pair of probabilities (lo, hi) with 0 ≤ lo ≤ hi ≤ 1, as in (0.4, 0.6), or "
                "one number from 0 to 1, the least top probability."
            )
        if is_pair and classes is not None and classes > 2:
            raise ParameterError(
                f"{name} is {abstain!r}, a band for the second of two classes, and there are {classes} classes: give one "
                "number, the least top probability, as in 0.6."
            )
        # Python's floats: NumPy then compares in the dtype of the probabilities, where float32(0.4) equals 0.4.
        return cls(float(bounds[0]) if is_pair else None, float(bounds[-1]))

    def uncertain(self, proba):
        """Return True for each row of `proba`, an array of shape (..., n_classes), that gets no answer.

        Rows with a NaN are uncertain whatever the bounds: nobody can stand for such an answer.
        """
        # Written as "not certain" because of NaN: every comparison with it is False.
        if self.low is None:
            return ~(proba.max(axis=-1) >= self.high)
        return ~((proba[..., 1] <= self.low) | (proba[..., 1] >= self.high))


def _is_probability(value):
    """Tell whether this is a number from 0 to 1; NaN is none, and True is an answer."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and 0 <= value <= 1
