"""What the three estimators share: from validated data to a fitted, certified model."""

import abc
import copy
import dataclasses
import functools
import math
import warnings
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from onelayer.designs import StandardizedDesign
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.documentation import Documented
from onelayer.estimators.features import Features
from onelayer.estimators.gathering import processes_of
from onelayer.estimators.polishing import Polishing
from onelayer.estimators.saving import save
from onelayer.estimators.scaling import ClassMap, Scaling, Undo
from onelayer.estimators.sklearn_callbacks import relayed
from onelayer.estimators.starts import Starts, best_of
from onelayer.estimators.stream import forget
from onelayer.estimators.strengths import penalty_of
from onelayer.estimators.surveying import Surveyed
from onelayer.estimators.validation import (
    as_count,
    as_flag,
    as_number,
    as_offset,
    as_sample_weight,
    as_tensor,
    check_lengths,
    is_stream,
    resolve_dtype,
)
from onelayer.estimators.watching import Watched
from onelayer.losses import Loss
from onelayer.modules import linear_module
from onelayer.objective import Objective
from onelayer.penalties import PenaltyReport, make_penalty
from onelayer.processes import ALONE
from onelayer.result import Status
from onelayer.solvers import minimize, resolve_solver

__all__ = ["LinearModel", "Targets"]


@dataclasses.dataclass(frozen=True)
class Targets:
    """What an estimator makes of y.

    Attributes
    ----------
    loss : Loss
    y : tensor
        As the loss takes it, on the CPU.
    outputs : int
    sample_weight : array or None
        With weights of classes in it.
    classes : ClassMap or None
        Where the rows of coefficients are not those of the solver.
    """

    loss: Loss
    y: torch.Tensor
    outputs: int
    sample_weight: Any
    classes: ClassMap | None = None


class LinearModel(Polishing, Watched, Documented, BaseEstimator, abc.ABC):
    """Scores z = W x + b, fitted by minimising P(W, b). Abstract; the three public estimators are final."""

    # Set by the final classes' constructors.
    l1_ratio: float
    fit_intercept: bool
    solver: Any
    tol: float
    max_iter: int | None
    time_limit: float | None
    init: Any
    n_init: int
    standardize: bool
    warm_start: bool
    random_state: Any
    device: Any
    dtype: Any
    verbose: int
    # Set by fit.
    coef_: Any
    intercept_: Any
    n_features_in_: int

    @abc.abstractmethod
    def _targets(self, y, sample_weight):
        """Return the Targets, and keep what predictions need of y."""

    @abc.abstractmethod
    def _alpha(self, total_weight):
        """Return the penalty's strength for the mean loss, where it is given as a number."""

    @abc.abstractmethod
    def _keep(self, weight, bias):
        """Set coef_ and intercept_ from arrays of shape (outputs, features) and (outputs,)."""

    def _learn(self, state):
        """Keep what else the solver found out."""
        del state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ---- fitting ----------------------------------------------------------------------------------------------

    def _fit(self, X, y, sample_weight, offset=None):
        before = dict(vars(self))
        try:
            # Ordinary tensors, also for callers in inference mode, whose tensors no loss could be differentiated with.
            with (
                relayed(self, X, y, sample_weight=sample_weight, offset=offset),
                torch.inference_mode(False),
                torch.no_grad(),
            ):
                return self._fit_or_raise(X, y, sample_weight, offset)
        except BaseException:
            # A fit that fails leaves the model as it was.
            vars(self).clear()
            vars(self).update(before)
            self._tell_of_end(None)
            raise

    def _fit_or_raise(self, X, y, sample_weight, offset):
        with processes_of(X).shared() as group:
            return self._fit_shared(X, y, sample_weight, offset, group)

    def _fit_shared(self, X, y, sample_weight, offset, group):
        features, y, sample_weight = self._read(X, y, sample_weight, group)
        offset = features.of_all(offset)
        self._log_copies(features.copies)
        check_lengths(features.rows, y, sample_weight)
        previous = self._previous_parameters()
        objective, undo = self._make_objective(features, y, sample_weight, offset)
        solver = resolve_solver(self.solver, objective.loss, objective.penalty, objective.design)
        # Drawn only if it is used: random_state=None moves NumPy's global generator, as in scikit-learn.
        generator = self._random_state()
        starts = Starts(self.init, previous, as_count("n_init", self.n_init))
        seed = int(generator.randint(2**31 - 1)) if solver.draws or starts.draws else 0
        seed = group.agreed(seed)
        self._returns_tensors = features.is_tensor
        fit = functools.partial(self._minimize, solver, seed, undo)
        time_limit = None if self.time_limit is None else as_number("time_limit", self.time_limit)
        outcome = best_of(objective, starts.of(objective, undo, seed), fit, time_limit)
        found = undo.to_features(outcome.parameters)
        # A fit that diverged says so itself, and with it where it began.
        diverged = outcome.result.status is Status.DIVERGED
        if not diverged and not bool(torch.isfinite(found.flat).all()):
            raise DataError(
                f"the fitted coefficients leave the numbers of {str(found.flat.dtype).removeprefix('torch.')}: bring the "
                "columns of X, and y, to sizes nearer to 1 first, or start nearer to zero (init)."
            )
        self._set_parameters(found)
        self.result_, self.certificate_ = outcome.result, outcome.certificate
        self.result_.copies, self.result_.reads = features.copies, objective.design.reads
        self.result_.shards = features.counts
        self.n_iter_ = self.result_.n_iter
        forget(self)
        self._learn(outcome.state)
        self._tell_of_end(self)
        if not self.result_.status.is_success:
            warnings.warn(f"{type(self).__name__}: {self.result_.message}", ConvergenceWarning, stacklevel=5)
        return self

    def _read(self, X, y, sample_weight, group=ALONE):
        """Return what is known of X, the targets and the weights; a stream brings all three."""
        if not is_stream(X):
            return Features(self, X, fitting=True, device=self.device), y, sample_weight
        features = Surveyed(self, X, y, self.device, group)
        if features.sample_weight is not None and sample_weight is not None:
            raise DataError(
                f"sample_weight is given, and {X.name} brings its own: open the stream without weight=."
            )
        given = features.of_all(sample_weight)
        return features, features.y, features.sample_weight if given is None else given

    def _random_state(self):
        try:
            return check_random_state(self.random_state)
        except ValueError as error:
            raise ParameterError(
                f"random_state is {self.random_state!r}: give a whole number, a numpy RandomState, or None."
            ) from error

    def _make_objective(self, features, y, sample_weight, offset=None):
        """Return the objective and the map between the solver's coefficients and those of the features."""
        dtype, device = resolve_dtype(self.dtype, features.values), features.values.device
        fit_intercept = as_flag("fit_intercept", self.fit_intercept)
        standardize = as_flag("standardize", self.standardize)
        sample_weight = as_sample_weight(sample_weight, features.rows)
        targets = self._targets(y, sample_weight)
        loss, outputs, sample_weight = targets.loss, targets.outputs, targets.sample_weight
        total = float(features.rows) if sample_weight is None else float(sample_weight.sum())
        self._total_weight = total
        alpha, l1_ratio = penalty_of(self, total, loss, outputs)
        penalty = make_penalty(alpha, l1_ratio)
        if sample_weight is not None:
            # Only shares matter: with mean 1 no size of weights leaves the numbers of float32.
            sample_weight = torch.from_numpy(sample_weight * (len(sample_weight) / total)).to(device)
        design = features.design(dtype)
        scaling = None
        if standardize:
            scaling = Scaling.of(design, sample_weight, centred=fit_intercept)
            design = StandardizedDesign(design, scaling.mean, scaling.scale)
        offset = as_offset(offset, features.rows, outputs, device)
        objective = Objective(
            design,
            targets.y.to(device),
            loss,
            penalty,
            outputs=outputs,
            sample_weight=sample_weight,
            offset=offset,
            fit_intercept=fit_intercept,
        )
        self.objective_record_ = {
            "loss": loss.name,
            "loss_parameter": loss.parameters,
            "alpha": float(alpha),
            "l1_ratio": float(l1_ratio),
            "total_weight": total,
            "fit_intercept": fit_intercept,
            "standardize": standardize,
            "n_samples": objective.rows,
            "n_features": objective.features,
            "n_outputs": outputs,
        }
        return objective, Undo(scaling, targets.classes)

    def _minimize(self, solver, seed, undo, objective, start, time_limit):
        return minimize(
            solver,
            objective,
            start,
            tol=as_number("tol", self.tol),
            max_iter=None if self.max_iter is None else int(as_number("max_iter", self.max_iter, low=1)),
            time_limit=time_limit,
            seed=seed,
            callbacks=self._watchers(objective.design.group),
            estimator=self,
            as_estimator=functools.partial(self._at, undo=undo),
            names=getattr(self, "feature_names_in_", None),
        )

    def _previous_parameters(self):
        if not (self.warm_start and hasattr(self, "coef_")):
            return None
        return self._weight_and_bias()

    def _at(self, parameters, undo):
        """Return a fitted copy of this estimator with other coefficients, for callbacks."""
        model = copy.copy(self)
        model._set_parameters(undo.to_features(parameters))
        return model

    # ---- fitted coefficients ----------------------------------------------------------------------------------

    def _set_parameters(self, parameters):
        weight, bias = parameters.weight.clone(), parameters.bias.clone()
        if not self._returns_tensors:
            weight, bias = weight.cpu().numpy(), bias.cpu().numpy()
        self._keep(weight, bias)

    def _weight_and_bias(self):
        """Return W and b, shapes (outputs, features) and (outputs,), as they are kept (arrays or tensors)."""
        weight, bias = self.coef_, self.intercept_
        if not isinstance(weight, torch.Tensor):
            weight, bias = np.asarray(weight), np.asarray(bias)
        return weight.reshape(-1, self.n_features_in_), bias.reshape(-1)

    def _scores(self, X, offset=None):
        """Return z as a tensor of shape (n_samples, outputs), and whether the user passed tensors."""
        check_is_fitted(self, "coef_")
        features = Features(self, X, fitting=False)
        device = features.values.device
        weight, bias = (as_tensor(part, device=device) for part in self._weight_and_bias())
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            scores = features.design(weight.dtype).scores(weight, bias)
        offset = as_offset(offset, *scores.shape, scores.device)
        return scores if offset is None else scores + offset.to(scores), features.is_tensor

    def objective(self, X, y=None, sample_weight=None, offset=None):
        """Return the :class:`~onelayer.objective.Objective` that ``fit`` would minimise on these data.

        For surfaces, gradients and solvers of one's own; this estimator is left as it is. With ``standardize=True``
        its W and b are those of the standardised features, where the solver works too.

        Examples
        --------
        >>> import onelayer as ol
        >>> objective = ol.LogisticRegression().objective([[1.0], [2.0], [3.0]], [0, 0, 1])
        >>> round(objective.value(objective.zeros()), 6)
        0.693147
        """
        twin = type(self)(**self.get_params(deep=False))
        features, y, sample_weight = twin._read(X, y, sample_weight, processes_of(X))
        check_lengths(features.rows, y, sample_weight)
        return twin._make_objective(features, y, sample_weight, features.of_all(offset))[0]

    @property
    def penalty_report_(self):
        """The fitted penalty in the words of scikit-learn, glmnet, statsmodels, Spark and torch.

        A :class:`~onelayer.penalties.PenaltyReport`.
        """
        check_is_fitted(self, "coef_")
        if math.isnan(self.objective_record_["alpha"]):
            raise AttributeError(
                "there is no penalty to report: these coefficients come from a module, not from a fit."
            )
        return PenaltyReport.of(self.objective_record_)

    def to_module(self):
        """Return a ``torch.nn.Linear`` whose output are the scores of this model, any standardisation folded in."""
        check_is_fitted(self, "coef_")
        return linear_module(*self._weight_and_bias())

    def save(self, folder):
        """Write ``model.safetensors`` and ``config.json`` into a folder, for ``onelayer.load``."""
        check_is_fitted(self, "coef_")
        save(self, folder)
