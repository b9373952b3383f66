"""The objective of scikit-learn's LogisticRegression as one of ours, and the way there and back for coefficients."""

import math
from typing import Any

import numpy as np
import torch
from scipy import sparse

from onelayer import estimators
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import make_penalty
from onelayer.sklearn.present_classes import PresentClasses
from onelayer.solvers import minimize, resolve_solver

__all__ = ["Problem"]

# What a bound of the relative gap may be asked for: in each arithmetic the coefficients' own rounding is in the way.
_TIGHTEST = {torch.float64: 1e-15, torch.float32: 1e-9}
_LOOSEST = 1e-10


class Problem:
    """C Σ s_i ℓ(y_i, z_i) + (1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁ for some rows.

    Parameters
    ----------
    X : array, sparse matrix or tensor of shape (n_samples, n_features)
        Validated.
    index : array of shape (n_samples,)
        The number of each row's class, all classes present.
    sample_weight : array of shape (n_samples,) or None
        With the class weights in it.
    asked : Asked
        The penalty.
    fit_intercept : bool
    penalised_column : float or None
        The value of a constant column that stands for the intercept and is penalised with the others, as in liblinear.
    """

    # None where a single class has a weight.
    objective: Any

    def __init__(self, X, index, sample_weight, asked, *, fit_intercept, penalised_column=None):
        self.column = penalised_column if fit_intercept else None
        self.free_intercept = fit_intercept and penalised_column is None
        self.copies = []
        n_classes = int(index.max()) + 1
        # Only a free intercept runs away from a class without weight.
        self.present = PresentClasses(index, sample_weight if self.free_intercept else None, n_classes)
        if not self.present.complete:
            X, index, sample_weight = (
                X[self.present.rows],
                self.present.index,
                sample_weight[self.present.rows],
            )
            self.copies.append("the rows of classes without any weight were left out in a copy of X")
        if self.column is not None:
            X = _with_column(X, self.column)
            self.copies.append("X was copied, with the column of the penalised intercept")
        self.objective = (
            None if self.present.single else self._objective(X, index, sample_weight, asked, n_classes)
        )
        self.X = X

    def _objective(self, X, index, sample_weight, asked, n_classes):
        model = estimators.LogisticRegression if n_classes == 2 else estimators.SoftmaxRegression
        # Only X and the labels are taken from there: ours refuse weights that scikit-learn takes.
        plain = model(fit_intercept=self.free_intercept).objective(X, index)
        total = float(plain.rows) if sample_weight is None else float(sample_weight.sum())
        if sample_weight is not None:
            # Only shares matter: with mean 1 no size of weights leaves the numbers of float32.
            share = sample_weight.astype(np.float64) * (plain.rows / total)
            sample_weight = torch.from_numpy(share).to(plain.design.device)
        alpha = 0.0 if math.isinf(asked.C) else 1.0 / (asked.C * total)
        return Objective(
            plain.design,
            plain.y,
            plain.loss,
            make_penalty(alpha, asked.l1_ratio),
            outputs=plain.outputs,
            sample_weight=sample_weight,
            fit_intercept=self.free_intercept,
        )

    def solve(self, start, *, tol, max_iter, callbacks=(), names=None):
        """Return the Outcome; `start` is a pair (coef, intercept) or None for zeros.

        scikit-learn's `tol` bounds a gradient, and a gap goes with its square; what is asked for here is never looser
        than 1e-10 of the objective.
        """
        if self.present.single:
            narrow = str(self.X.dtype).endswith("float32")
            return self.present.outcome(self.X.shape[1], torch.float32 if narrow else torch.float64)
        objective = self.objective
        aim = max(min(tol * tol, _LOOSEST), _TIGHTEST[objective.dtype])
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
