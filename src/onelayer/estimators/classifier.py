"""What logistic and softmax regression share: labels in, labels and probabilities out."""

import abc
import math

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from onelayer.abstention import Abstention
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.base import LinearModel
from onelayer.estimators.from_torch import ClassifierExchange
from onelayer.estimators.labels import positions
from onelayer.estimators.streaming import ClassifierStreaming
from onelayer.estimators.validation import as_number, require_finite
from onelayer.links import LogisticSigmoid, Softmax
from onelayer.losses import CrossEntropy, Logistic, Loss, ProbabilitySquaredError

__all__ = ["Classifier"]


class Classifier(ClassifierMixin, ClassifierExchange, ClassifierStreaming, LinearModel):
    """Labels in, labels and probabilities out. Abstract."""

    def __init__(
        self,
        C=1.0,
        *,
        l1_ratio=0.0,
        loss="log",
        fit_intercept=True,
        class_weight=None,
        solver="auto",
        tol=1e-6,
        max_iter=None,
        time_limit=None,
        init="zeros",
        n_init=1,
        standardize=False,
        warm_start=False,
        random_state=None,
        device=None,
        dtype=None,
        verbose=0,
    ):
        self.C = C
        self.l1_ratio = l1_ratio
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.time_limit = time_limit
        self.init = init
        self.n_init = n_init
        self.standardize = standardize
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    @abc.abstractmethod
    def _outputs(self, classes):
        """Return the number of scores for this many classes."""

    def fit(self, X, y, sample_weight=None):
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like or tensor of shape (n_samples, n_features)
        y : array-like or tensor of shape (n_samples,)
            Labels: strings, integers or booleans.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        DataError
            The data cannot be used: NaN, one class only, lengths that differ, negative weights.
        ParameterError, SolverError
            A parameter is out of range, or the solver cannot handle this loss or penalty.
        """
        return self._fit(X, y, sample_weight)

    def decision_function(self, X):
        """Return the scores z, shape (n_samples,) for two classes with one score, else (n_samples, n_classes)."""
        scores, as_tensor = self._scores(X)
        scores = scores.squeeze(1) if scores.shape[1] == 1 else scores
        return scores if as_tensor else scores.numpy()

    def predict_proba(self, X):
        """Return the probability of each class, shape (n_samples, n_classes), in the order of ``classes_``."""
        scores, as_tensor = self._scores(X)
        proba = _probabilities(scores)
        return proba if as_tensor else proba.numpy()

    def predict(self, X, *, abstain=None):
        """Return the most probable label of each row, or ``None`` where no label is probable enough.

        Parameters
        ----------
        X : array-like or tensor of shape (n_samples, n_features)
        abstain : (float, float) or float, optional
            Which rows are uncertain. A pair (lo, hi), for two classes: those with lo < p < hi, p the probability of the
            second one, ``classes_[1]``; p = lo and p = hi are answers. One number, for any number of classes: those
            whose largest probability is below it, for two classes the band (1 − a, a). Rows with a NaN among their
            probabilities are uncertain too. Default: every row gets a label.

        Returns
        -------
        array or tensor of shape (n_samples,)
            Labels with the dtype of ``classes_``. With `abstain` a NumPy array of dtype object, also for tensors, as no
            tensor can hold ``None``: the labels in it are Python's int, float, bool or str, as in ``classes_.tolist()``.

        Raises
        ------
        ParameterError
            `abstain` is not made of probabilities lo ≤ hi, or is a pair and there are more than two classes.

        Examples
        --------
        >>> import onelayer as ol
        >>> model = ol.LogisticRegression().fit([[1.0], [2.0], [3.0], [4.0]], ["fail", "fail", "pass", "pass"])
        >>> model.predict([[1.0], [2.5], [4.0]], abstain=(0.4, 0.6))
        array(['fail', None, 'pass'], dtype=object)
        """
        if abstain is not None:
            return self._predict_or_none(X, abstain)
        scores, as_tensor = self._scores(X)
        index = _most_probable(scores)
        if as_tensor and self.classes_.dtype.kind in "iufb":
            return torch.as_tensor(self.classes_, device=index.device)[index]
        return self.classes_[index.cpu().numpy()]

    def _predict_or_none(self, X, abstain):
        check_is_fitted(self, "coef_")
        abstention = Abstention.of(abstain, len(self.classes_))
        scores, _ = self._scores(X)
        labels = self.classes_.astype(object)[_most_probable(scores).cpu().numpy()]
        labels[abstention.uncertain(_probabilities(scores).cpu().numpy())] = None
        return labels

    def _targets(self, y, sample_weight):
        if isinstance(y, torch.Tensor):
            y = y.detach().cpu().numpy()
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1:
            raise DataError(f"y has shape {y.shape}: give one label per row, shape (n_samples,).")
        require_finite(y, "y")
        # Told by partial_fit: then a part of the data may lack some.
        known = getattr(self, "_known_classes", None)
        try:
            self.classes_, index = _encoded(y) if known is None else (known, None)
        except (TypeError, ValueError) as error:
            if y.dtype.kind == "f":
                raise DataError(
                    "y holds numbers that are not whole, so it is no class label: use LinearRegression, or turn y into "
                    "classes."
                ) from error
            raise DataError(
                "y mixes labels that cannot be sorted, or misses some: give all text or all numbers."
            ) from error
        if len(self.classes_) < 2:
            raise DataError(
                f"y holds one class only ({self.classes_.tolist()[0]!r}): a classifier needs at least two."
            )
        if index is None:
            index = positions(known, y)
        if self.class_weight is not None:
            sample_weight = self._with_class_weight(y, index, sample_weight)
        if sample_weight is not None and known is None:
            self._require_weight(np.bincount(index, weights=sample_weight))
        outputs = self._outputs(len(self.classes_))
        index = torch.from_numpy(index.astype(np.int64))
        return (
            self._loss(outputs),
            index if outputs > 1 else index.unsqueeze(1).float(),
            outputs,
            sample_weight,
        )

    def _require_weight(self, totals):
        """Refuse classes that weigh nothing: their intercepts would fall for ever."""
        if (totals > 0).all():
            return
        rest = self.classes_[totals > 0]
        if len(rest) == 1:
            raise DataError(
                f"y holds one class only ({rest.tolist()[0]!r}) in the rows of positive weight: a classifier needs two."
            )
        raise DataError(
            f"no row of class {self.classes_[totals == 0].tolist()[0]!r} has a positive weight: leave its rows out, or weigh them."
        )

    def _with_class_weight(self, y, index, sample_weight):
        try:
            factors = compute_class_weight(
                self.class_weight, classes=self.classes_, y=y, sample_weight=sample_weight
            )
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"class_weight is {self.class_weight!r}: give 'balanced', or a dict from label to factor."
            ) from error
        unknown = (
            set(self.class_weight) - set(self.classes_.tolist())
            if isinstance(self.class_weight, dict)
            else ()
        )
        if unknown or not (np.isfinite(factors).all() and (factors >= 0).all()):
            raise ParameterError(
                f"class_weight is {self.class_weight!r}: give a finite factor ≥ 0 for labels of y ({list(self.classes_)})."
            )
        return factors[index] * (1.0 if sample_weight is None else sample_weight)

    def _loss(self, outputs):
        one_score = outputs == 1
        if isinstance(self.loss, Loss):
            if self.loss.targets != ("binary" if one_score else "class"):
                raise ParameterError(
                    f"loss is {self.loss!r}, which does not fit {outputs} score{'s' if outputs > 1 else ''} per row: "
                    f"use {'Logistic()' if one_score else 'CrossEntropy()'}, or another estimator."
                )
            return self.loss
        if self.loss == "log":
            return Logistic() if one_score else CrossEntropy()
        if self.loss == "probability-squared":
            return ProbabilitySquaredError(LogisticSigmoid() if one_score else Softmax())
        raise ParameterError(f"loss is {self.loss!r}: give 'log', 'probability-squared', or a Loss.")

    def _alpha(self, total_weight):
        C = as_number("C", self.C, strict=True, infinite=True)
        return 0.0 if math.isinf(C) else 1.0 / (C * total_weight)

    def _keep(self, weight, bias):
        self.coef_, self.intercept_ = weight, bias


def _probabilities(scores):
    """Return the probability of each class, shape (n_samples, n_classes)."""
    if scores.shape[1] > 1:
        return Softmax().mean(scores)
    link = LogisticSigmoid()
    # 1 − p(1) is p(0) with the digits it should have when taken from the other side.
    return torch.cat([link.mean(-scores), link.mean(scores)], dim=1)


def _most_probable(scores):
    """Return the index of the most probable class of each row."""
    return (scores > 0).squeeze(1).long() if scores.shape[1] == 1 else scores.argmax(dim=1)


def _encoded(y):
    """Return the classes in their order and the number of each label's class."""
    if len(y) and y.dtype.kind in "iub" and np.can_cast(y.dtype, np.int64):
        whole = y.astype(np.int64)
        low = whole.min()
        # Counting takes a tenth of the time of sorting; few numbers over many rows are classes for sure.
        if int(whole.max()) - int(low) < len(y) // 2:
            whole -= low
            there = np.bincount(whole) > 0
            return (there.nonzero()[0] + low).astype(y.dtype), (there.cumsum() - 1)[whole]
    check_classification_targets(y)
    return np.unique(y, return_inverse=True)
