"""LogisticRegressionCV with scikit-learn's signature, fitted by our engines."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, metadata_routing
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_method_params, check_is_fitted

from onelayer.selection.progress import Sweep
from onelayer.sklearn.logistic import NARROW, LogisticRegression
from onelayer.sklearn.logistic_arguments import row_weights
from onelayer.sklearn.logistic_path import Rows, fit_paths
from onelayer.sklearn.logistic_search import (
    FoldScorer,
    checked_grid,
    checked_weights,
    shares_of,
    told_scoring,
    wants_legacy,
)
from onelayer.sklearn.validation import validate_data

__all__ = ["LogisticRegressionCV"]


class LogisticRegressionCV(LogisticRegression):
    """scikit-learn's LogisticRegressionCV, every fit at the certified optimum.

    Minimises the objective of :class:`LogisticRegression` for each C and each share of the L1 part on each fold, and fits all
    rows at the pair of the best mean score. Folds that have all classes share X: rows that are held out have weight zero.

    Parameters
    ----------
    Cs : int or array-like of shape (n_cs,), default 10
        A number n: ``np.logspace(-4, 4, n)``. Else the values of C.
    l1_ratios : array-like of shape (n_l1_ratios,), default None
        Shares of the L1 part, from 0 to 1; None is retired by scikit-learn and means 0.
    fit_intercept : bool, default True
        Whether to fit b.
    cv : int, splitter or iterable of (train, test), optional
        Default: five folds, stratified.
    dual : bool, default False
        As in :class:`LogisticRegression`.
    penalty : {"l1", "l2", "elasticnet"}, default "deprecated"
        Retired by scikit-learn in favour of `l1_ratios`.
    scoring : str, callable or None, default None
        None: accuracy. scikit-learn 1.11 will take "neg_log_loss" by default.
    solver, tol, max_iter
        As in :class:`LogisticRegression`.
    class_weight : dict, "balanced" or None
        Factors on the sample weights by class; those of "balanced" are those of all rows.
    n_jobs : int or None
        Accepted; folds share what they know instead, and torch's threads do the work.
    verbose : int, default 0
        Above 0: a progress bar on standard error, with the time left.
    refit : bool, default True
        False: coefficients are the mean of those that score best in each fold.
    intercept_scaling : float, default 1.0
        Of solver="liblinear".
    random_state : int, RandomState or None
        Accepted; nothing is drawn.
    use_legacy_attributes : bool, default True
        Whether attributes are those that scikit-learn had before 1.8.

    Attributes
    ----------
    coef_, intercept_, classes_, n_features_in_, feature_names_in_
        As in :class:`LogisticRegression`.
    Cs_ : array of shape (n_cs,)
    l1_ratios_ : array of shape (n_l1_ratios,)
    C_, l1_ratio_ : float
        What was chosen. Legacy: an array with an entry for each row of `coef_`.
    coefs_paths_ : array of shape (n_folds, n_l1_ratios, n_cs, n_outputs, n_features + intercept)
        Legacy: for each class an array of shape (n_folds, n_cs, n_l1_ratios, n_features + intercept).
    scores_ : array of shape (n_folds, n_l1_ratios, n_cs)
        Legacy: for each class an array of shape (n_folds, n_cs, n_l1_ratios).
    n_iter_ : array of int of shape (n_folds, n_l1_ratios, n_cs)
        Legacy: of shape (1, n_folds, n_cs, n_l1_ratios). Where `l1_ratios` is None legacy attributes lack its dimension.
    result_, certificate_
        Of the fit of all rows; None with refit=False.

    Examples
    --------
    >>> import onelayer as ol
    >>> from onelayer.sklearn import LogisticRegressionCV
    >>> data = ol.data.load("iris")
    >>> search = LogisticRegressionCV(l1_ratios=(0,), scoring="neg_log_loss", use_legacy_attributes=False)
    >>> round(search.fit(data.X, data.y).C_, 2), search.scores_.shape, search.certificate_.relative_gap <= 1e-10
    (166.81, (5, 1, 10), True)
    """

    # It is routed to the scorer, or nowhere.
    __metadata_request__score: ClassVar[dict] = {"sample_weight": metadata_routing.UNUSED}
    _parameter_constraints: ClassVar[dict] = {
        **{
            name: allowed
            for name, allowed in LogisticRegression._parameter_constraints.items()
            if name not in ("C", "warm_start", "l1_ratio")
        },
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "l1_ratios": ["array-like", None, Hidden(StrOptions({"warn"}))],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None, Hidden(StrOptions({"warn"}))],
        "refit": ["boolean"],
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), Hidden(StrOptions({"deprecated"}))],
        "use_legacy_attributes": ["boolean", Hidden(StrOptions({"warn"}))],
    }

    def __init__(
        self,
        *,
        Cs=10,
        l1_ratios="warn",
        fit_intercept=True,
        cv=None,
        dual=False,
        penalty="deprecated",
        scoring="warn",
        solver="lbfgs",
        tol=1e-4,
        max_iter=100,
        class_weight=None,
        n_jobs=None,
        verbose=0,
        refit=True,
        intercept_scaling=1.0,
        random_state=None,
        use_legacy_attributes="warn",
    ):
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Fit all folds, choose, and fit all rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), optional
            Not negative.
        **params : dict
            For the splitter and the scorer, with scikit-learn's metadata routing.

        Returns
        -------
        self
        """
        _raise_for_params(params, self, "fit")
        penalty, ratios = shares_of(self)
        scoring, legacy = told_scoring(self), wants_legacy(self)
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=np.float64,
            order="C",
            accept_large_sparse=self.solver not in NARROW,
        )
        with np.errstate(invalid="ignore"):
            check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        self._refuse(X, self.classes_)
        routed = self._routed("fit", sample_weight, params)
        folds = list(check_cv(self.cv, y, classifier=True).split(X, y, **routed.splitter.split))
        rows = Rows(
            X,
            index,
            row_weights(
                checked_weights(self.class_weight, self.classes_), self.classes_, index, sample_weight
            ),
            n_classes=len(self.classes_),
            fit_intercept=self.fit_intercept,
            penalised_column=self.intercept_scaling if self.solver == "liblinear" else None,
            solver=self.solver,
            tol=self.tol,
            max_iter=self.max_iter,
        )
        if not folds:
            raise ValueError(f"cv={self.cv!r} gives no folds: give at least one split of the rows.")
        self.Cs_ = np.logspace(-4, 4, self.Cs) if isinstance(self.Cs, Integral) else checked_grid(self.Cs)
        self.l1_ratios_ = np.asarray([None] if ratios is None else ratios)
        train = [np.arange(len(y))[part] for part, _ in folds]
        shares = [
            float(one) if penalty == "elasticnet" else {"l1": 1.0, "l2": 0.0}[penalty]
            for one in self.l1_ratios_
        ]
        count = len(self.Cs_) * (len(folds) + 1) * len(shares)
        with Sweep(type(self).__name__, count, show=self.verbose > 0) as sweep:
            tell = lambda done: sweep.done(count=done)  # noqa: E731
            fits = [fit_paths(rows, train, self.Cs_, share, tell) for share in shares]
        paths, n_iter, refits = zip(*fits, strict=True)
        self.coefs_paths_, self.n_iter_ = np.stack(paths, axis=1), np.stack(n_iter, axis=1)
        self.scores_ = self._scored(scoring, X, y, [np.arange(len(y))[part] for _, part in folds], routed)
        self._choose(penalty, refits)
        if legacy:
            self._as_before(dropped=ratios is None)
        elif ratios is None:
            self.l1_ratio_ = 1.0 if penalty == "l1" else 0.0
        return self

    def _routed(self, method, sample_weight, params):
        if _routing_enabled():
            return process_routing(self, method, **({"sample_weight": sample_weight} | params))
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return Bunch(splitter=Bunch(split={}), scorer=Bunch(score=given | params))

    def _scored(self, scoring, X, y, held_out, routed):
        model = LogisticRegression(solver=self.solver)
        model.classes_ = self.classes_
        scorer = FoldScorer(scoring, model)
        scores = np.empty(self.coefs_paths_.shape[:3])
        for fold, test in enumerate(held_out):
            part, labels = X[test], y[test]
            params = _check_method_params(X=X, params=routed.scorer.score, indices=test)
            for place in np.ndindex(scores.shape[1:]):
                scores[(fold, *place)] = scorer(self.coefs_paths_[(fold, *place)], part, labels, params)
        return scores

    def _choose(self, penalty, refits):
        """Set the coefficients, and what was chosen, from the scores."""
        self.result_ = self.certificate_ = None
        # Ties go to the first C, as there; shares come last.
        scores = np.swapaxes(self.scores_, 1, 2)
        if self.refit:
            total = scores.sum(axis=0)
            place, share = np.unravel_index(np.argmax(total), total.shape)
            coefs, self.result_, self.certificate_ = refits[share](int(place))
            self.C_, self.l1_ratio_ = float(self.Cs_[place]), self.l1_ratios_[share]
        else:
            best = np.argmax(scores.reshape(len(scores), -1), axis=1)
            places, chosen = np.unravel_index(best, scores.shape[1:])
            coefs = np.mean(self.coefs_paths_[np.arange(len(scores)), chosen, places], axis=0)
            self.C_ = float(np.mean(self.Cs_[places]))
            self.l1_ratio_ = float(np.mean(self.l1_ratios_[chosen])) if penalty == "elasticnet" else 0.0
        if self.l1_ratio_ is not None:
            self.l1_ratio_ = float(self.l1_ratio_)
        features = self.n_features_in_
        self.coef_ = coefs[:, :features]
        self.intercept_ = coefs[:, features] if self.fit_intercept else np.zeros(len(coefs))

    def _as_before(self, dropped):
        """Give the attributes the forms that they had before scikit-learn 1.8, which repeat scores for each class."""
        outputs = len(self.coef_)
        self.C_, self.l1_ratio_ = np.full(outputs, self.C_), np.array([self.l1_ratio_] * outputs)
        # Folds, C, shares; shares left out where there was nothing to choose.
        keep = (Ellipsis, 0) if dropped else Ellipsis
        self.n_iter_ = np.swapaxes(self.n_iter_, 1, 2)[None][keep]
        scores = np.swapaxes(self.scores_, 1, 2)[keep]
        labels = self.classes_[1:] if outputs == 1 else self.classes_
        paths = np.moveaxis(self.coefs_paths_, 3, 0)
        paths = np.swapaxes(paths, 2, 3)
        self.scores_ = {label: scores.copy() for label in labels}
        self.coefs_paths_ = {
            label: path[:, :, 0] if dropped else path for label, path in zip(labels, paths, strict=True)
        }

    def score(self, X, y, sample_weight=None, **params):
        """Return the score of `scoring` (accuracy by default) on these rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
        **params : dict
            For the scorer, with scikit-learn's metadata routing.

        Returns
        -------
        float
        """
        _raise_for_params(params, self, "score")
        check_is_fitted(self)
        if _routing_enabled():
            given = {} if sample_weight is None else {"sample_weight": sample_weight}
            routed = process_routing(self, "score", **given, **params)
        else:
            routed = self._routed("score", sample_weight, {})
        return self._get_scorer()(self, X, y, **routed.scorer.score)

    def get_metadata_routing(self):
        """Return what is passed on to the splitter and the scorer, as a ``MetadataRouter`` of scikit-learn."""
        scored = MethodMapping().add(caller="score", callee="score").add(caller="fit", callee="score")
        split = MethodMapping().add(caller="fit", callee="split")
        router = MetadataRouter(owner=self).add_self_request(self).add(splitter=self.cv, method_mapping=split)
        return router.add(scorer=self._get_scorer(), method_mapping=scored)

    def _get_scorer(self):
        default = self.scoring is None or (isinstance(self.scoring, str) and self.scoring == "warn")
        return get_scorer("accuracy" if default else self.scoring)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = False
        return tags
