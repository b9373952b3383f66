"""Classes whose rows all have weight zero: they are left out of the fit, and get the limit that it would run to."""

import numpy as np
import torch

from onelayer.parameters import Parameters
from onelayer.result import Record, Result, Status
from onelayer.solvers import Outcome, State

__all__ = ["PresentClasses"]

# A probability of e^-40 vanishes beside 1 in float64.
_NEVER = 40.0


class PresentClasses:
    """Which classes have a weight, and how coefficients of these become coefficients of all.

    scikit-learn lets a class have no weight (a bootstrap sample given as weights may miss one). Its free intercept then
    falls for ever while its coefficients go to zero; stopping on the way, as scikit-learn does, gives an answer that
    depends on the solver.

    Parameters
    ----------
    index : array of shape (n_samples,)
    sample_weight : array of shape (n_samples,) or None
    n_classes : int
    leave_out : bool
        Whether classes without a weight have no part in the fit; else all have.

    Attributes
    ----------
    complete, single : bool
        Whether all classes have a weight; whether only one has.
    rows : array or slice
        The rows of the classes that have a weight.
    index : array
        The numbers of their classes, counted anew.
    """

    def __init__(self, index, sample_weight, n_classes, *, leave_out):
        self.n_classes = n_classes
        weights = np.bincount(index, weights=sample_weight, minlength=n_classes)
        self.classes = np.flatnonzero(weights > 0) if leave_out else np.arange(n_classes)
        self.complete, self.single = len(self.classes) == n_classes, len(self.classes) == 1
        self.rows = slice(None) if self.complete else np.flatnonzero(np.isin(index, self.classes))
        self.index = index if self.complete else np.searchsorted(self.classes, index[self.rows])

    def of(self, values):
        """Return the entries of the present classes, from coefficients or intercepts of all."""
        return values if self.complete else values[torch.from_numpy(self.classes)]

    def embedded(self, weight, bias, scores):
        """Return (weight, bias) of all classes; `scores` of the rows, or None where a single class has a weight."""
        if self.n_classes == 2:
            level = _NEVER if self.classes[0] == 1 else -_NEVER
            return torch.zeros_like(weight), torch.full_like(bias, level)
        kept = torch.from_numpy(self.classes).to(weight.device)
        whole, levels = weight.new_zeros(self.n_classes, weight.shape[1]), bias.new_zeros(self.n_classes)
        levels -= _NEVER
        if scores is not None:
            # Below the largest score of every row.
            levels += scores.amax(dim=1).min()
            whole[kept] = weight
        levels[kept] = 0.0 if scores is None else bias
        return whole, levels - levels.mean()

    def outcome(self, features, dtype):
        """Return the Outcome where a single class has a weight: nothing is left to fit."""
        message = (
            "Only one class has rows of positive weight: it is predicted for all, the intercept at its limit."
        )
        result = Result(Status.FINISHED, message, 0.0, 0.0, 0.0, 0, [Record(0, 0.0, 0.0, 0.0)], "none")
        zeros = Parameters.zeros(1, features, dtype=dtype, device="cpu")
        return Outcome(zeros, result, None, State(zeros, 0.0, None))
