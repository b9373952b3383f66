"""What the three estimators share: from validated data to a fitted, certified model."""

import abc
import copy
import dataclasses
import math
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from onelayer.estimators.documentation import Documented
from onelayer.estimators.features import Features
from onelayer.estimators.fitting import Fitting
from onelayer.estimators.gathering import processes_of
from onelayer.estimators.left_out import LeftOut
from onelayer.estimators.polishing import Polishing
from onelayer.estimators.saving import save
from onelayer.estimators.scaling import ClassMap
from onelayer.estimators.validation import (
    as_offset,
    as_tensor,
    check_lengths,
)
from onelayer.estimators.watching import Watched
from onelayer.losses import Loss
from onelayer.modules import linear_module
from onelayer.penalties import PenaltyReport

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


class LinearModel(Fitting, Polishing, LeftOut, Watched, Documented, BaseEstimator, abc.ABC):
    """Scores z = W x + b, fitted by minimising P(W, b). Abstract; the three public estimators are final."""

    # Set by the final classes' constructors, beside what a fit asks for.
    l1_ratio: float
    warm_start: bool
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

    def _answering(self, scores):
        """Return a copy that is asked for rows by their numbers and answers from scores that are known for all of them."""
        model = copy.copy(self)

        def known(X, offset=None):
            found = scores[torch.as_tensor(X, device=scores.device)]
            offset = as_offset(offset, *found.shape, found.device)
            return found if offset is None else found + offset.to(found), False

        model._scores = known
        return model

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
        with processes_of(X).shared() as group:
            features, y, sample_weight = twin._read(X, y, sample_weight, group)
            offset = features.of_all(offset)
            check_lengths(features.rows, y, sample_weight)
            return twin._make_objective(features, y, sample_weight, offset)[0]

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
