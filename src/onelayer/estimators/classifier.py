"""What logistic and softmax regression share: labels in, labels and probabilities out."""

import abc
import math

import torch
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from onelayer.abstention import Abstention
from onelayer.errors import ParameterError
from onelayer.estimators.base import LinearModel, Targets
from onelayer.estimators.blockwise import blockwise, scored
from onelayer.estimators.from_torch import ClassifierExchange
from onelayer.estimators.gathering import processes_of
from onelayer.estimators.scaling import ClassMap
from onelayer.estimators.streaming import ClassifierStreaming
from onelayer.estimators.targets import log_shift, read_classes, share_right
from onelayer.estimators.validation import as_number, as_tensor, is_stream
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
        prior_correction=False,
        classes=None,
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
        self.prior_correction = prior_correction
        self.classes = classes
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

    def fit(self, X, y=None, sample_weight=None, offset=None, *, checkpoint=None):
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like, sparse matrix or tensor of shape (n_samples, n_features), or Stream
            A stream of :func:`onelayer.data.stream` brings its targets (and weights, if it has some), and is read a block of
            rows at a time.
        y : array-like or tensor of shape (n_samples,), or (n_samples, n_classes)
            Labels: strings, integers or booleans. Or soft labels: floats, each row the probabilities of the classes, in the
            order of `classes` (of 0, 1, … without it).
        sample_weight : array-like of shape (n_samples,), optional
            A weight of 0 is a row left out, one of k the row k times.
        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            A known part of the scores: z = W x + b + offset.
        checkpoint : str or path, optional
            A folder where the fit writes down where it stands after each iteration. Where it finds that there, of the same
            fit, it goes on from it, in one process or in another number of them than before.

        Returns
        -------
        self

        Raises
        ------
        DataError
            The data cannot be used: NaN, one class only, lengths that differ, negative weights.
        ParameterError, SolverError
            A parameter is out of range, or the solver cannot handle this loss or penalty, or the checkpoint is of another fit.
        OutputError, ModelFileError
            The checkpoint cannot be written, or is damaged.
        """
        return self._fit(X, y, sample_weight, offset, checkpoint)

    @blockwise
    def decision_function(self, X, *, offset=None):
        """Return the scores z, shape (n_samples, n_classes); for two classes z_1 − z_0, shape (n_samples,)."""
        scores, tensors = self._scores(X, offset)
        if scores.shape[1] <= 2:
            # What scikit-learn and its tools expect of two classes, however many scores the model has.
            scores = scores.squeeze(1) if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]
        return scores if tensors else scores.numpy()

    @blockwise
    def predict_proba(self, X, *, offset=None):
        """Return the probability of each class, shape (n_samples, n_classes), in the order of ``classes_``."""
        scores, tensors = self._scores(X, offset)
        proba = _probabilities(scores)
        return proba if tensors else proba.numpy()

    @blockwise
    def predict_log_proba(self, X, *, offset=None):
        """Return the logarithms of the probabilities, right also where a probability is too small to be a number."""
        scores, tensors = self._scores(X, offset)
        if scores.shape[1] == 1:
            scores = torch.cat([-scores, scores], dim=1)
            proba = torch.nn.functional.logsigmoid(scores)
        else:
            proba = torch.log_softmax(scores, dim=1)
        return proba if tensors else proba.numpy()

    def score(self, X, y=None, sample_weight=None, offset=None):
        """Return the share of rows whose label is predicted; for rows of probabilities, their mean probability of it.

        A stream brings its own y, and is read once.
        """
        if is_stream(X):
            with processes_of(X).shared() as group:
                parts = scored(self, X, y, sample_weight, offset, group)
                right, total = group.summed(lambda: self._right(parts))
                return (right / total).item()
        predicted = self.predict(X, offset=offset)
        return share_right(y, predicted, self.classes_, told=self.classes, sample_weight=sample_weight)

    @blockwise
    def predict(self, X, *, offset=None, abstain=None):
        """Return the most probable label of each row, or ``None`` where no label is probable enough.

        Parameters
        ----------
        X : array-like or tensor of shape (n_samples, n_features), or Stream
        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            A known part of the scores.
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
            return self._predict_or_none(X, offset, abstain)
        scores, tensors = self._scores(X, offset)
        index = _most_probable(scores)
        # NumPy's long doubles have no counterpart in torch.
        if tensors and self.classes_.dtype.kind in "iufb" and self.classes_.dtype.itemsize <= 8:
            native = self.classes_.astype(self.classes_.dtype.newbyteorder("="), copy=False)
            return as_tensor(native, device=index.device)[index]
        return self.classes_[index.cpu().numpy()]

    def _right(self, parts):
        """Return the weight of the rows whose label is predicted, and that of all rows."""
        right = total = 0.0
        for y, predicted, weight in parts:
            own = float(len(y)) if weight is None else float(weight.sum())
            if own:
                right += own * share_right(
                    y, predicted, self.classes_, told=self.classes, sample_weight=weight
                )
                total += own
        return [torch.tensor(value, dtype=torch.float64) for value in (right, total)]

    def _predict_or_none(self, X, offset, abstain):
        check_is_fitted(self, "coef_")
        abstention = Abstention.of(abstain, len(self.classes_))
        scores, _ = self._scores(X, offset)
        labels = self.classes_.astype(object)[_most_probable(scores).cpu().numpy()]
        labels[abstention.uncertain(_probabilities(scores).cpu().numpy())] = None
        return labels

    def _targets(self, y, sample_weight):
        # Told by partial_fit: then a part of the data may lack some, and they are fitted all the same.
        known = getattr(self, "_known_classes", None)
        read = read_classes(
            y,
            sample_weight,
            classes=self.classes if known is None else known,
            class_weight=self.class_weight,
            absent=known is not None,
        )
        self.classes_ = read.classes
        outputs = self._outputs(len(read.classes))
        # Two classes left of more still have a score each.
        seen = outputs if read.present is None or outputs == 1 else len(read.present)
        y = torch.from_numpy(read.y)
        # Labels in fewer bytes than eight are those of a stream: the objective widens them a block at a time.
        if seen == 1 and y.dtype in (torch.int64, torch.float64, torch.float32):
            y = (y[:, 1] if y.ndim == 2 else y).unsqueeze(1)
            y = y if y.is_floating_point() else y.double()
        return Targets(self._loss(seen), y, seen, read.sample_weight, self._map(read, outputs))

    def _map(self, read, outputs):
        shift = None
        if self.prior_correction and read.factors is not None:
            if self.loss != "log" or not self.fit_intercept:
                raise ParameterError(
                    "prior_correction=True moves the intercept of the log loss: it needs loss='log' and fit_intercept=True."
                )
            shift = torch.from_numpy(log_shift(read.factors, outputs))
        if read.present is None and shift is None:
            return None
        present = None if read.present is None else torch.from_numpy(read.present)
        return ClassMap(outputs, present, shift)

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
