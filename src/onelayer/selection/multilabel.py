"""Any number of labels for each row."""

import warnings

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from onelayer.errors import DataError
from onelayer.estimators import LogisticRegression
from onelayer.estimators.batch import Batch
from onelayer.estimators.documentation import Documented
from onelayer.estimators.validation import as_array, check_lengths, is_stream, require_finite
from onelayer.links import LogisticSigmoid
from onelayer.modules import linear_module
from onelayer.selection.progress import Sweep

__all__ = ["MultilabelLogisticRegression"]

# The score of a label that all rows have, or none: its probability is then exactly 1 or 0.
_ALWAYS = 1e30
# Its errors speak of the estimator that was asked, which is not a LogisticRegression.
_OneLabel = type("MultilabelLogisticRegression", (LogisticRegression,), {})


class MultilabelLogisticRegression(ClassifierMixin, Documented, BaseEstimator):
    """A logistic regression for each label, all in one batched solve: rows may have several labels, or none.

    Minimises, for each label by itself, the objective of :class:`LogisticRegression`; each has its own certificate.

    Parameters
    ----------
    C, l1_ratio, fit_intercept, class_weight, solver, tol, max_iter, standardize, random_state, device, dtype
        Of every label, as in :class:`LogisticRegression`.
    verbose : int, default 0
        1 shows a progress bar on standard error, with the time left.

    Attributes
    ----------
    coef_ : array of shape (n_labels, n_features)
    intercept_ : array of shape (n_labels,)
        ±1e30 for a label that all rows have, or none.
    classes_ : array of shape (n_labels,)
        The numbers of the labels.
    gaps_ : array of shape (n_labels,)
        The relative gap that is proven for each; NaN where there was nothing to fit.
    certificates_ : list of Certificate or None
    results_ : list of Result or None
    n_iter_ : array of shape (n_labels,)
        Iterations of each fit.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only if X had column names.

    Examples
    --------
    >>> import numpy as np
    >>> import onelayer as ol
    >>> data = ol.data.load("digits")
    >>> Y = np.c_[data.y % 2 == 0, data.y > 4, data.y == 7]
    >>> model = ol.MultilabelLogisticRegression(C=0.01).fit(data.X, Y)
    >>> model.coef_.shape, bool((model.gaps_ <= 1e-6).all())
    ((3, 64), True)
    >>> model.predict(data.X[:2]).tolist()
    [[1, 0, 0], [0, 0, 0]]
    """

    def __init__(
        self,
        C=1.0,
        *,
        l1_ratio=0.0,
        fit_intercept=True,
        class_weight=None,
        solver="auto",
        tol=1e-6,
        max_iter=None,
        standardize=False,
        random_state=None,
        device=None,
        dtype=None,
        verbose=0,
    ):
        self.C = C
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.standardize = standardize
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X, y, sample_weight=None):
        """Fit a model for each label.

        Parameters
        ----------
        X : array-like, sparse matrix or tensor of shape (n_samples, n_features)
        y : array-like of shape (n_samples, n_labels)
            1 or True where a row has a label, else 0 or False.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        DataError
            X cannot be used, or y holds something else than 0 and 1.
        """
        if is_stream(X):
            raise DataError(
                f"X is the stream {X.name!r}, which this estimator cannot read: give rows in memory."
            )
        X = X if hasattr(X, "shape") else np.asarray(X)
        if len(X.shape) != 2:
            raise DataError(f"X has shape {tuple(X.shape)}: give (n_samples, n_features).")
        Y = _indicators(y)
        params = self.get_params(deep=False)
        params["verbose"] = 0
        batch = Batch(_OneLabel(**params), X, list(np.ascontiguousarray(Y.T)), sample_weight)
        with Sweep(type(self).__name__, Y.shape[1], show=self.verbose > 0) as sweep:
            entries = batch.fit(lambda count: sweep.done(count=count))
        if batch.interrupted:
            # Coefficients of some labels are no classifier.
            raise KeyboardInterrupt
        check_lengths(batch.rows, Y, sample_weight)
        _refuse_failed(entries, Y, batch.weight)
        self.n_features_in_ = batch.width
        if hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        if hasattr(batch.reader, "feature_names_in_"):
            self.feature_names_in_ = batch.reader.feature_names_in_
        self.classes_ = np.arange(Y.shape[1])
        self._keep(entries, Y, batch)
        return self

    def _keep(self, entries, Y, batch):
        labels, width = len(entries), batch.width
        known = next((entry.model for entry in entries if entry.model is not None), None)
        dtype = np.float64 if known is None else as_array(known.coef_).dtype
        coef, intercept = np.zeros((labels, width), dtype), np.zeros(labels, dtype)
        constant = []
        for label, entry in enumerate(entries):
            if entry.model is not None:
                coef[label], intercept[label] = (
                    as_array(entry.model.coef_)[0],
                    as_array(entry.model.intercept_)[0],
                )
                continue
            constant.append(label)
            intercept[label] = _ALWAYS if _seen(Y[:, label], batch.weight)[0] else -_ALWAYS
        self._tensors = batch.features.is_tensor
        if self._tensors:
            device = batch.features.values.device
            coef, intercept = (torch.from_numpy(part).to(device) for part in (coef, intercept))
        self.coef_, self.intercept_ = coef, intercept
        self.results_ = [entry.model and entry.model.result_ for entry in entries]
        self.certificates_ = [entry.model and entry.model.certificate_ for entry in entries]
        self.gaps_ = np.array(
            [np.nan if proof is None else proof.relative_gap for proof in self.certificates_], dtype=float
        )
        self.n_iter_ = np.array([result.n_iter if result else 0 for result in self.results_])
        self._warn(entries, constant)

    def _warn(self, entries, constant):
        told = []
        if constant:
            shown = ", ".join(map(str, constant[:5])) + (" …" if len(constant) > 5 else "")
            told.append(f"all rows have the same value of label {shown}: its probability is that value.")
        short = [
            label
            for label, entry in enumerate(entries)
            if entry.model is not None and not entry.status.is_success
        ]
        if short:
            told.append(
                f"{len(short)} of {len(entries)} labels ended without what was asked for, the first is label {short[0]}: "
                f"{entries[short[0]].message}"
            )
        if told:
            warnings.warn(f"{type(self).__name__}: {' '.join(told)}", ConvergenceWarning, stacklevel=4)

    def decision_function(self, X):
        """Return the score of each label, shape (n_samples, n_labels)."""
        check_is_fitted(self, "coef_")
        scores = self._model()._scores(X)[0]
        return scores if isinstance(X, torch.Tensor) else scores.cpu().numpy()

    def predict_proba(self, X):
        """Return the probability of each label, shape (n_samples, n_labels): rows need not sum to 1."""
        scores = self.decision_function(X)
        tensors = isinstance(scores, torch.Tensor)
        found = LogisticSigmoid().mean(scores if tensors else torch.from_numpy(scores))
        return found if tensors else found.numpy()

    def predict(self, X):
        """Return 1 where a label is more probable than not, else 0, shape (n_samples, n_labels)."""
        found = self.decision_function(X) > 0
        return found.long() if isinstance(found, torch.Tensor) else found.astype(int)

    def to_module(self):
        """Return a ``torch.nn.Linear`` whose outputs are the scores of the labels."""
        check_is_fitted(self, "coef_")
        return linear_module(self.coef_, self.intercept_)

    def _model(self):
        """Return an estimator whose scores are those of all labels."""
        model = _OneLabel()
        model.coef_, model.intercept_ = self.coef_, self.intercept_
        model.n_features_in_ = self.n_features_in_
        if hasattr(self, "feature_names_in_"):
            vars(model)["feature_names_in_"] = self.feature_names_in_
        return model


def _seen(y, weight):
    """Return the values of the rows that have a weight."""
    return y if weight is None else y[weight > 0]


def _refuse_failed(entries, Y, weight):
    """Raise what is wrong with a label that cannot be fitted, other than that it is constant."""
    for label, entry in enumerate(entries):
        if entry.model is None and len(np.unique(_seen(Y[:, label], weight))) > 1:
            raise DataError(f"label {label} cannot be fitted: {entry.message}")


def _indicators(Y):
    if hasattr(Y, "tocsr"):
        Y = Y.toarray()
    Y = as_array(Y)
    require_finite(Y, "y")
    if Y.ndim != 2 or 0 in Y.shape:
        raise DataError(
            f"y has shape {Y.shape}: give (n_samples, n_labels), 1 where a row has a label, else 0."
        )
    strange = ~np.isin(Y, (0, 1))
    if strange.any():
        row, label = np.argwhere(strange)[0]
        raise DataError(
            f"y holds {Y[row, label].item()!r} in row {row}, label {label}: give 0 and 1 (for classes that exclude each other use "
            "LogisticRegression)."
        )
    return Y.astype(np.int64)
