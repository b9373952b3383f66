"""From any coefficients to the certified optimum, with an account of how far they were."""

import abc
import copy
import dataclasses
import math
import sys
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

from onelayer.errors import DataError, ParameterError
from onelayer.estimators.features import Features
from onelayer.estimators.labels import single_score
from onelayer.estimators.stream import forget
from onelayer.estimators.validation import as_array, as_tensor, check_lengths
from onelayer.modules import read_linear
from onelayer.parameters import Parameters

__all__ = ["PolishReport", "Polishing"]

_EPS = sys.float_info.epsilon
# Roundings that a mean of many float64 losses may be off by, in units of its own: sums are made pairwise.
_ROUNDINGS = 16


@dataclasses.dataclass(frozen=True)
class PolishReport:
    """How far the start of a ``polish`` was from the optimum, kept as ``est.polish_report_``.

    P(start) − min P lies between P(start) − P(end), as no point is below the minimum, and that plus the certified gap of
    the end. All values of P are computed in float64.

    Attributes
    ----------
    objective_start, objective_end : float
        P on the data of ``polish``.
    distance_lower, distance_upper : float
        The proven bounds on P(start) − min P; the upper one is ``inf`` where no certificate exists.
    relative : float
        ``distance_upper`` over the larger of abs(P(end)) and ε P₀, P₀ the value of the best constant model and ε the
        float64 rounding unit, as in ``certificate_.relative_gap``.
    relative_gap : float or None
        Of the end.
    score_start, score_end : float
        ``score`` on the data of ``polish``: accuracy or R².
    largest_change : float
        Of any probability of any row; for a regression of any prediction.
    kind : str
        "classifier" or "regressor".
    """

    objective_start: float
    objective_end: float
    distance_lower: float
    distance_upper: float
    relative: float
    relative_gap: float | None
    score_start: float
    score_end: float
    largest_change: float
    kind: str

    def __str__(self):
        if math.isfinite(self.distance_upper):
            low, high = f"{self.distance_lower:.4g}", f"{self.distance_upper:.4g}"
            far = low if low == high else f"between {low} and {high}"
            share = f", at most {self.relative:.2g} of it"
            end = f", which has a certified relative gap of {self.relative_gap:.2g}"
        else:
            far, share = f"at least {self.distance_lower:.4g}", ""
            end = ", of which nothing is proven"
        score, changed = ("accuracy", "probability") if self.kind == "classifier" else ("R²", "prediction")
        return (
            f"The start's objective {self.objective_start:.6g} was {far} above the smallest possible one{share}; the end's "
            f"is {self.objective_end:.6g}{end}. From start to end the {score} went from {self.score_start:.4g} to "
            f"{self.score_end:.4g}, and the largest change of a {changed} is {self.largest_change:.2g}."
        )


class Polishing(BaseEstimator, abc.ABC):
    """``polish`` of a linear model. Abstract."""

    fit_intercept: bool
    n_features_in_: int
    _callbacks: tuple
    _weight_and_bias: Any

    def polish(self, X, y, sample_weight=None, offset=None, *, init=None):
        """Start from any coefficients, end at the certified optimum, and report how far the start was.

        The solver is the exact one that ``solver="auto"`` takes, whatever `solver` is; the other parameters hold as in
        ``fit``. It is a fit: what it leaves (``coef_``, ``result_``, ``certificate_``) replaces what was there.

        Parameters
        ----------
        X, y, sample_weight, offset
            As for ``fit``; the optimum is that of P on these data.
        init : (weight, bias), torch.nn.Linear or fitted estimator, optional
            Where to start. Default: the model's own coefficients, from ``partial_fit``, ``from_module`` or a fit. Two
            outputs for two classes and one score for two rows are turned into each other, with the same probabilities.

        Returns
        -------
        self
            With ``polish_report_``, a :class:`~onelayer.estimators.PolishReport`: print it.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            There are no coefficients to start from.
        DataError, ParameterError, SolverError
            As ``fit``; or the classes or shapes of the start are not those of the data.

        Examples
        --------
        >>> import onelayer as ol
        >>> data = ol.data.load("iris")
        >>> sgd = ol.solvers.SGD(learning_rate=0.01, epochs=3)
        >>> model = ol.SoftmaxRegression(solver=sgd, random_state=0).fit(data.X, data.y)
        >>> print(model.polish(data.X, data.y).polish_report_)
        The start's objective ... above the smallest possible one, at most ... of it; the end's is ...
        >>> model.certificate_.relative_gap <= 1e-6
        True
        """
        weight, bias = self._start_of(init)
        model: Any = type(self)(**self.get_params(deep=False))
        model.solver, model.warm_start, model.n_init = "auto", False, 1
        with torch.inference_mode(False), torch.no_grad():
            objective, undo = self._measured(model, X, y, sample_weight, offset, init)
            weight, bias = _fitting(weight, bias, objective, undo)
            start = Parameters.of(weight, bias)
            model.init = weight, bias
            model.set_callbacks(*self._callbacks)
            model._fit(X, y, sample_weight, offset)
            began = copy.copy(model)
            began._set_parameters(start)
            values = _values(objective, undo, start, Parameters.of(*_pair(*model._weight_and_bias())))
        report = _report(began, model, *values, X, y, sample_weight, offset)
        forget(self)
        ours = self.get_params(deep=False)
        vars(self).update({name: found for name, found in vars(model).items() if name not in ours})
        self.polish_report_ = report
        return self

    def _start_of(self, init):
        """Return the start's weight and bias as float64 tensors, and check that they are numbers."""
        if init is None:
            check_is_fitted(self, "coef_")
            return _pair(*self._weight_and_bias())
        if isinstance(init, torch.nn.Module):
            part = read_linear(init)
            bias = part.weight.new_zeros(len(part.weight)) if part.bias is None else part.bias
            return _pair(part.weight, bias)
        if hasattr(init, "steps"):
            raise ParameterError(
                "init is a pipeline, whose last step knows other columns than X: give init=pipeline[-1] and "
                "X=pipeline[:-1].transform(X)."
            )
        if hasattr(init, "fit"):
            check_is_fitted(init, "coef_")
            return _pair(init.coef_, init.intercept_)
        try:
            weight, bias = init
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"init is {init!r}: give a pair (weight, bias), a torch.nn.Linear, or a fitted estimator."
            ) from error
        return _pair(weight, bias)

    def _measured(self, model, X, y, sample_weight, offset, init):
        """Return the objective of these data and its map to the features' coefficients; check that they are of one kind."""
        probe = copy.copy(model)
        source = self if init is None else init
        known = hasattr(source, "n_features_in_")
        if known:
            for name in ("n_features_in_", "feature_names_in_"):
                if hasattr(source, name):
                    setattr(probe, name, getattr(source, name))
        features = Features(probe, X, fitting=not known, device=probe.device)
        check_lengths(features.rows, y, sample_weight)
        objective, undo = probe._make_objective(features, y, sample_weight, offset)
        there, found = getattr(source, "classes_", None), getattr(probe, "classes_", None)
        if there is not None and found is not None and not np.array_equal(there, found):
            raise DataError(
                f"the start knows the classes {there.tolist()} and y holds {found.tolist()}: give rows of each of them and of "
                "no other."
            )
        return objective, undo


def _pair(weight, bias):
    """Return a start as float64 tensors of shapes (outputs, features) and (outputs,)."""
    try:
        weight, bias = (as_tensor(part, torch.float64).detach() for part in (weight, bias))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ParameterError(f"init is not numeric ({error}): give numbers.") from error
    weight, bias = torch.atleast_2d(weight), bias.reshape(-1)
    if bias.numel() == 1 and not bool(bias.any()):
        # Without an intercept models store one 0 for all outputs.
        bias = bias.expand(len(weight))
    if weight.ndim != 2 or bias.numel() != len(weight):
        raise ParameterError(
            f"init has a weight of shape {tuple(weight.shape)} and a bias of shape {tuple(bias.shape)}: give (outputs, "
            "features) and (outputs,)."
        )
    if not bool(torch.isfinite(weight).all() and torch.isfinite(bias).all()):
        raise ParameterError("init has NaN or infinite values: give finite ones.")
    return weight, bias.to(weight.device)


def _fitting(weight, bias, objective, undo):
    """Return the start with as many outputs as the objective has."""
    given, needed = len(weight), undo.outputs(objective)
    if objective.loss.targets != "real" and (given, needed) == (2, 1):
        weight, bias = single_score(weight, bias)
    elif objective.loss.targets != "real" and (given, needed) == (1, 2):
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    if tuple(weight.shape) != (needed, objective.features):
        raise ParameterError(
            f"the start has a weight of shape {tuple(weight.shape)}, and these data need {(needed, objective.features)}: "
            "give the data it was made for."
        )
    if not objective.fit_intercept and bool(bias.any()):
        raise ParameterError(
            "the start has a bias that is not 0 and fit_intercept is False: set fit_intercept=True."
        )
    return weight, bias


def _values(objective, undo, start, end):
    """Return P at the start, P at the end and ε P₀, all in float64."""
    wide = objective.as_dtype(torch.float64)
    ends = (undo.to_solver(place.to(torch.float64, wide.design.device)) for place in (start, end))
    return (*(wide.value(place) for place in ends), _EPS * abs(wide.constant_value()))


def _report(start, end, value, reached, least, X, y, sample_weight, offset):
    """Return the PolishReport of two models, P there, and the least size that P is measured against."""
    certificate = end.certificate_
    proven = certificate.objective if certificate else reached
    slack = _ROUNDINGS * _EPS * (abs(value) + abs(proven))
    lower = max(value - min(reached, proven) - slack, 0.0)
    upper = max(value - proven, 0.0) + slack + certificate.gap if certificate else math.inf
    size = max(abs(proven), least)
    classifies = is_classifier(end)
    before, after = (
        as_array((model.predict_proba if classifies else model.predict)(X, offset=offset)).astype(np.float64)
        for model in (start, end)
    )
    return PolishReport(
        value,
        proven,
        lower,
        upper,
        upper / size if size else math.inf if upper else 0.0,
        certificate and certificate.relative_gap,
        _score(start, X, y, sample_weight, offset),
        _score(end, X, y, sample_weight, offset),
        float(np.abs(after - before).max()),
        "classifier" if classifies else "regressor",
    )


def _score(model, X, y, sample_weight, offset):
    # One number as weight stands for all rows.
    weight = None if sample_weight is None or np.ndim(as_array(sample_weight)) == 0 else sample_weight
    return model.score(X, y, weight, offset)
