"""The objective of scikit-learn's LogisticRegression as one of ours, and the way there and back for coefficients."""

import copy
import math
from typing import Any

import numpy as np
import torch
from scipy import sparse

from onelayer import estimators
from onelayer.losses import CrossEntropy, Logistic
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import make_penalty
from onelayer.sklearn.present_classes import PresentClasses
from onelayer.solvers import minimize, resolve_solver

__all__ = ["Problem", "relative_gap_for"]

# What a bound of the relative gap may be asked for: in each arithmetic the coefficients' own rounding is in the way.
_TIGHTEST = {torch.float64: 1e-15, torch.float32: 1e-9}
_LOOSEST = 1e-10


def relative_gap_for(tol, dtype):
    """Return the certified relative gap that a `tol` of scikit-learn's asks for.

    It bounds a gradient, and a gap goes with its square; what is asked for here is never looser than 1e-10 of the objective.
    """
    return max(min(tol * tol, _LOOSEST), _TIGHTEST[dtype])


class Problem:
    """C Σ s_i ℓ(y_i, z_i) + (1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁ for some rows.

    Parameters
    ----------
    X : array, sparse matrix or tensor of shape (n_samples, n_features)
        Validated.
    index : array of shape (n_samples,)
        The number of each row's class.
    sample_weight : array of shape (n_samples,) or None
        With the class weights in it.
    asked : Asked
        The penalty.
    fit_intercept : bool
    penalised_column : float or None
        The value of a constant column that stands for the intercept and is penalised with the others, as in liblinear.
    n_classes : int, optional
        Default: as many as there are in `index`. More for a fold that lacks some.
    """

    # None where a single class has a weight.
    objective: Any
    _design: Any
    _y: Any
    _outputs: int

    def __init__(
        self, X, index, sample_weight, asked, *, fit_intercept, penalised_column=None, n_classes=None
    ):
        self.column = penalised_column if fit_intercept else None
        self.free_intercept = fit_intercept and penalised_column is None
        self.copies = []
        n_classes = int(index.max()) + 1 if n_classes is None else n_classes
        # Only a free intercept runs away from a class without weight.
        self.present = PresentClasses(index, sample_weight, n_classes, leave_out=self.free_intercept)
        if not self.present.complete:
            X, index = X[self.present.rows], self.present.index
            sample_weight = None if sample_weight is None else sample_weight[self.present.rows]
            self.copies.append("the rows of classes without any weight were left out in a copy of X")
        if self.column is not None:
            X = _with_column(X, self.column)
            self.copies.append("X was copied, with the column of the penalised intercept")
        self._l1_ratio, self._sample_weight, self._total = asked.l1_ratio, None, float(X.shape[0])
        self.X = X
        if not self.present.single:
            self._of_rows(index, sample_weight, n_classes)
        self.objective = self._objective(asked.C)

    def _of_rows(self, index, sample_weight, n_classes):
        # Only X is read there: ours refuse weights that scikit-learn takes, and leave out classes without rows.
        plain = estimators.LinearRegression(fit_intercept=self.free_intercept)
        self._design = plain.objective(self.X, np.zeros(len(index))).design
        y, device = torch.from_numpy(index.astype(np.int64)), self._design.device
        self._y = (y.float().unsqueeze(1) if n_classes == 2 else y).to(device)
        self._outputs = 1 if n_classes == 2 else len(self.present.classes)
        if sample_weight is not None:
            self._total = float(sample_weight.sum())
            # Only shares matter: with mean 1 no size of weights leaves the numbers of float32.
            share = sample_weight.astype(np.float64) * (len(index) / self._total)
            self._sample_weight = torch.from_numpy(share).to(device)

    def _objective(self, C):
        if self.present.single:
            return None
        alpha = 0.0 if math.isinf(C) else 1.0 / (C * self._total)
        return Objective(
            self._design,
            self._y,
            Logistic() if self._outputs == 1 else CrossEntropy(),
            make_penalty(alpha, self._l1_ratio),
            outputs=self._outputs,
            sample_weight=self._sample_weight,
            fit_intercept=self.free_intercept,
        )

    def at(self, C):
        """Return the Problem of the same rows at another C; what is known of X is shared."""
        other = copy.copy(self)
        other.objective = other._objective(C)
        return other

    def solve(self, start, *, tol, max_iter, callbacks=(), names=None):
        """Return the Outcome; `start` is a pair (coef, intercept) or None for zeros, `tol` is scikit-learn's."""
        if self.present.single:
            narrow = str(self.X.dtype).endswith("float32")
            return self.present.outcome(self.X.shape[1], torch.float32 if narrow else torch.float64)
        objective = self.objective
        aim = relative_gap_for(tol, objective.dtype)
        solver = resolve_solver("auto", objective.loss, objective.penalty, objective.design)
        parameters = objective.zeros() if start is None else self._parameters(*start)
        outcome = minimize(
            solver, objective, parameters, tol=aim, max_iter=max_iter, callbacks=callbacks, names=names
        )
        outcome.result.copies = self.copies
        return outcome

    def coefficients(self, parameters):
        """Return (coef, intercept) as tensors of their own, shapes (outputs, n_features) and (outputs,)."""
        weight, bias = parameters.weight.clone(), parameters.bias.clone()
        if self.column is not None:
            return weight[:, :-1].clone(), self.column * weight[:, -1]
        if not self.present.complete:
            scores = None if self.present.single else self.objective.scores(parameters)
            return self.present.embedded(weight, bias, scores)
        if len(bias) > 1 and self.free_intercept:
            # A shift of all scores changes no probability; scikit-learn's solvers start from sum zero and stay there.
            bias -= bias.mean()
        return weight, bias

    def _parameters(self, weight, bias):
        weight, bias = (
            self.present.of(torch.as_tensor(part, dtype=torch.float64)) for part in (weight, bias)
        )
        return Parameters.of(weight, bias).to(self.objective.dtype, self.objective.design.device)


def _with_column(X, value):
    column = np.full((X.shape[0], 1), value, dtype=X.dtype)
    if sparse.issparse(X):
        return sparse.hstack([X, sparse.csr_array(column)], format="csr")
    return np.hstack([X, column])
