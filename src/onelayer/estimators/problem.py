"""The data of a fit, read once, to be solved under many penalties and on many parts of the rows."""

import contextlib
import copy

import torch

from onelayer.designs import StandardizedDesign
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.base import LinearModel
from onelayer.estimators.gathering import processes_of
from onelayer.estimators.rounding import as_returned
from onelayer.estimators.scaling import Scaling, Undo
from onelayer.estimators.validation import as_number, check_lengths
from onelayer.objective import Objective
from onelayer.penalties import make_penalty
from onelayer.solvers import minimize, resolve_solver

__all__ = ["Problem", "plain_arithmetic", "strength_name"]


def strength_name(estimator):
    """Return what an estimator calls the strength of its penalty: "C" or "alpha"."""
    if not isinstance(estimator, LinearModel):
        raise ParameterError(
            f"est is {estimator!r}: give a LinearRegression, LogisticRegression or SoftmaxRegression of onelayer."
        )
    return "C" if hasattr(estimator, "C") else "alpha"


@contextlib.contextmanager
def plain_arithmetic():
    """Have ordinary tensors without a graph, and products that autocast does not round, wherever X lies."""
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", enabled=False),
    ):
        yield


class Problem:
    """What an estimator makes of X and y, whatever its strength.

    Parameters
    ----------
    estimator : LinearRegression, LogisticRegression or SoftmaxRegression
        Left as it is.
    X, y, sample_weight, offset
        As for ``fit``.

    Attributes
    ----------
    objective : Objective
        Under the estimator's own penalty.
    total_weight : float
        S, in the units of the weights that were given.
    given : dict
        "y" (labels or numbers), "sample_weight" and "offset" of all rows, those of other processes included.
    """

    def __init__(self, estimator, X, y=None, sample_weight=None, offset=None):
        self.strength = strength_name(estimator)
        self.model = model = type(estimator)(**estimator.get_params(deep=False))
        self.tol = as_number("tol", model.tol)
        self.max_iter = None if model.max_iter is None else int(as_number("max_iter", model.max_iter, low=1))
        limit = getattr(model, "time_limit", None)
        self.time_limit = None if limit is None else as_number("time_limit", limit)
        self.group = processes_of(X)
        with self.working():
            features, y, sample_weight = self.model._read(X, y, sample_weight, self.group)
            offset = features.of_all(offset)
            check_lengths(features.rows, y, sample_weight)
            self.given = {"y": y, "sample_weight": sample_weight, "offset": offset}
            self.objective, self.undo = self.model._make_objective(features, y, sample_weight, offset)
        self.model._returns_tensors = features.is_tensor
        self.total_weight = self.model._total_weight
        self.l1_ratio = self.model.objective_record_["l1_ratio"]
        self.copies, self.counts = features.copies, features.counts
        # The estimator's own strength may be none at all, which other solvers handle.
        penalised = make_penalty(1.0, self.l1_ratio)
        objective = self.objective
        self.solver = resolve_solver(self.model.solver, objective.loss, penalised, objective.design)

    @contextlib.contextmanager
    def working(self):
        """Have ordinary tensors without a graph, and the errors of one process in all of them."""
        with self.group.shared(), plain_arithmetic():
            yield

    def alpha(self, strength):
        """Return α of the mean loss for a strength as the estimator calls it."""
        return 1 / (strength * self.total_weight) if self.strength == "C" else strength

    def strength_of(self, alpha):
        """Return the strength as the estimator calls it."""
        return 1 / (alpha * self.total_weight) if self.strength == "C" else alpha

    def at(self, alpha):
        """Return the Objective under another strength."""
        return self.objective.with_penalty(make_penalty(alpha, self.l1_ratio))

    def part(self, counts):
        """Return the problem with each row as often as these numbers say, by weights: X is shared."""
        objective, other = self.objective, copy.copy(self)
        # As they were given: proofs are about these.
        weight, device = objective._given["sample_weight"], objective.design.device
        weight = torch.as_tensor(1.0 if weight is None else weight, dtype=torch.float64, device=device)
        weight = weight * torch.as_tensor(counts, device=device)
        share = weight.sum().item() / objective.rows
        if not share > 0:
            raise DataError("none of these rows has a positive weight: leave out fewer of them.")
        weight = weight / share
        design = objective.design
        if self.undo.scaling is not None:
            # What is held out has no say in the scales either.
            scaling = Scaling.of(design.base, weight, centred=objective.fit_intercept)
            design = StandardizedDesign(design.base, scaling.mean, scaling.scale)
            other.undo = Undo(scaling, self.undo.classes)
        other.objective = Objective(
            design,
            objective._given["y"],
            objective.loss,
            objective.penalty,
            outputs=objective.outputs,
            sample_weight=weight,
            offset=objective._given["offset"],
            fit_intercept=objective.fit_intercept,
        )
        other.total_weight = self.total_weight * share
        return other

    def solve(self, alpha, start, after=None, *, tol=None, time_limit=None, callbacks=()):
        """Return (Objective, Outcome) at this strength, from these Parameters on.

        `after` is the Outcome of a problem that shares X, of which what is known of the data is used again.
        """
        objective = self.at(alpha)
        model = self.model
        limits = [limit for limit in (time_limit, self.time_limit) if limit is not None]
        outcome = minimize(
            self.solver,
            objective,
            start,
            tol=self.tol if tol is None else tol,
            max_iter=self.max_iter,
            time_limit=min(limits, default=None),
            callbacks=callbacks,
            names=getattr(model, "feature_names_in_", None),
            after=after,
        )
        return objective, as_returned(outcome, objective, self.undo, self.tol if tol is None else tol)

    def scores_of(self, model):
        """Return the scores of all rows under a fitted model, offsets left out: one read of X."""
        design = self.objective.design
        design = design.base if self.undo.scaling is not None else design
        weight, bias = (
            torch.as_tensor(part).to(design.device, design.dtype) for part in model._weight_and_bias()
        )
        return design.scores(weight, bias)

    def fitted(self, alpha, parameters, result=None, certificate=None):
        """Return an estimator with these Parameters of the solver, as ``fit`` leaves it."""
        model = copy.copy(self.model)
        setattr(model, self.strength, self.strength_of(alpha))
        # A strength in another library's words may have brought it.
        model.l1_ratio = self.l1_ratio
        model.objective_record_ = {**model.objective_record_, "alpha": float(alpha)}
        model._set_parameters(self.undo.to_features(parameters))
        model.result_, model.certificate_ = result, certificate
        if result is not None:
            result.copies, result.shards = self.copies, self.counts
            model.n_iter_ = result.n_iter
        return model
