"""Estimators that choose their own penalty."""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from onelayer.estimators import LinearRegression, LogisticRegression, SoftmaxRegression
from onelayer.selection.cross_validated import CrossValidated, Scored
from onelayer.selection.grids import default_alphas

__all__ = ["LinearRegressionCV", "LogisticRegressionCV", "SoftmaxRegressionCV"]


class _ClassifierCV(Scored, ClassifierMixin, CrossValidated):
    """What the two classifiers share. Abstract."""

    def __init__(
        self,
        Cs=10,
        *,
        cv=None,
        scoring="neg_log_loss",
        refit=True,
        rule="best",
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
        self.Cs = Cs
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.rule = rule
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

    @property
    def _grid(self):
        return self.Cs

    def _usual(self, whole, count):
        del whole
        return np.logspace(-4, 4, count).tolist()

    @property
    def classes_(self):
        """The labels, sorted."""
        return self._of_chosen("classes_")

    def predict_proba(self, X, **options):
        """Return the probability of each class."""
        return self._chosen().predict_proba(X, **options)

    def predict_log_proba(self, X, **options):
        """Return the logarithm of the probability of each class."""
        return self._chosen().predict_log_proba(X, **options)

    def decision_function(self, X, **options):
        """Return the scores."""
        return self._chosen().decision_function(X, **options)


class LogisticRegressionCV(_ClassifierCV):
    """LogisticRegression with the strength of its penalty chosen by cross-validation.

    Minimises the objective of :class:`LogisticRegression` for each C and each fold, and keeps the C of the best mean score.
    Every fit of every fold comes with its certificate. All fits share X: rows that are held out have weight zero, and are
    copied once, to be scored. They start from the fit of all rows at the same strength, which is also the one that is kept.

    Parameters
    ----------
    Cs : int or array-like of shape (n_strengths,), default 10
        A number n: ``np.logspace(-4, 4, n)``, as in scikit-learn. Else the values of C, in any order.
    cv : int, splitter or iterable of (train, test), optional
        As in scikit-learn. Default: five folds, stratified.
    scoring : str or callable, default "neg_log_loss"
        As in scikit-learn; ``score`` uses it too.
    refit : bool, default True
        False: coefficients are the mean of those that score best in each fold.
    rule : {"best", "one-standard-error"}, default "best"
        The best mean score, or the strongest penalty within one standard error of it. Ties go to the strongest penalty.
    l1_ratio : float, default 0.0
        Share of the L1 part.
    fit_intercept : bool, default True
        Whether to fit b.
    class_weight : dict, "balanced" or None
        Factors on the sample weights by class.
    solver, tol, max_iter, standardize, device, dtype
        As in :class:`LogisticRegression`.
    verbose : int, default 0
        1 shows a progress bar on standard error, with the time left.

    Attributes
    ----------
    C_ : float
        The strength that was chosen; with refit=False the mean of the folds' best.
    Cs_ : array of shape (n_strengths,)
        The grid.
    choice_ : Choice
        Its number, mean score and standard error, and the reason in words.
    scores_ : array of shape (n_folds, n_strengths)
        On the held-out rows.
    gaps_ : array of shape (n_folds, n_strengths)
        What is proven of each fit: its relative gap.
    coefs_paths_, intercepts_paths_ : array of shape (n_folds, n_strengths, …)
        The coefficients of each fit, as its estimator has them; mapped from a file where they are large.
    path_ : PathResult
        The fits of all rows along the grid.
    estimator_ : LogisticRegression
        The chosen one of these.
    coef_, intercept_, classes_, result_, certificate_, n_iter_, n_features_in_
        Of the chosen fit.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("breast-cancer")
    >>> model = ol.LogisticRegressionCV(standardize=True, cv=5).fit(data.X, data.y)
    >>> round(model.C_, 4), model.certificate_.relative_gap <= 1e-6, bool((model.gaps_ <= 1e-6).all())
    (0.3594, True, True)
    >>> print(model.choice_)
    C=0.3594 has the best mean neg log loss over 5 folds, -0.08086 ± 0.0069 (standard error).
    """

    _model = LogisticRegression


class SoftmaxRegressionCV(_ClassifierCV):
    """SoftmaxRegression with the strength of its penalty chosen by cross-validation.

    Minimises the objective of :class:`SoftmaxRegression` for each C and each fold, and keeps the C of the best mean score.
    Every fit of every fold comes with its certificate. All fits share X: rows that are held out have weight zero, and are
    copied once, to be scored. They start from the fit of all rows at the same strength, which is also the one that is kept.

    Parameters
    ----------
    Cs : int or array-like of shape (n_strengths,), default 10
        A number n: ``np.logspace(-4, 4, n)``, as in scikit-learn. Else the values of C, in any order.
    cv : int, splitter or iterable of (train, test), optional
        As in scikit-learn. Default: five folds, stratified.
    scoring : str or callable, default "neg_log_loss"
        As in scikit-learn; ``score`` uses it too.
    refit : bool, default True
        False: coefficients are the mean of those that score best in each fold.
    rule : {"best", "one-standard-error"}, default "best"
        The best mean score, or the strongest penalty within one standard error of it. Ties go to the strongest penalty.
    l1_ratio : float, default 0.0
        Share of the L1 part.
    fit_intercept : bool, default True
        Whether to fit b.
    class_weight : dict, "balanced" or None
        Factors on the sample weights by class.
    solver, tol, max_iter, standardize, device, dtype
        As in :class:`SoftmaxRegression`.
    verbose : int, default 0
        1 shows a progress bar on standard error, with the time left.

    Attributes
    ----------
    C_ : float
        The strength that was chosen; with refit=False the mean of the folds' best.
    Cs_ : array of shape (n_strengths,)
        The grid.
    choice_ : Choice
        Its number, mean score and standard error, and the reason in words.
    scores_ : array of shape (n_folds, n_strengths)
        On the held-out rows.
    gaps_ : array of shape (n_folds, n_strengths)
        What is proven of each fit: its relative gap.
    coefs_paths_, intercepts_paths_ : array of shape (n_folds, n_strengths, …)
        The coefficients of each fit, as its estimator has them; mapped from a file where they are large.
    path_ : PathResult
        The fits of all rows along the grid.
    estimator_ : SoftmaxRegression
        The chosen one of these.
    coef_, intercept_, classes_, result_, certificate_, n_iter_, n_features_in_
        Of the chosen fit.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("iris")
    >>> model = ol.SoftmaxRegressionCV([0.1, 1.0, 10.0], rule="one-standard-error").fit(data.X, data.y)
    >>> model.C_, model.scores_.shape
    (10.0, (5, 3))
    """

    _model = SoftmaxRegression


class LinearRegressionCV(RegressorMixin, CrossValidated):
    """LinearRegression with the strength of its penalty chosen by cross-validation.

    Minimises the objective of :class:`LinearRegression` for each alpha and each fold, and keeps the alpha of the best mean score.
    Every fit of every fold comes with its certificate. All fits share X: rows that are held out have weight zero, and are
    copied once, to be scored. They start from the fit of all rows at the same strength, which is also the one that is kept.

    Parameters
    ----------
    alphas : int or array-like of shape (n_strengths,), default 10
        A number n: so many, from weights of nearly zero to hardly any penalty (as in ``onelayer.path``). Else the values, in any order.
    cv : int, splitter or iterable of (train, test), optional
        As in scikit-learn. Default: five folds.
    scoring : str or callable, default "neg_mean_squared_error"
        As in scikit-learn. ``score`` is R² in any case.
    refit : bool, default True
        False: coefficients are the mean of those that score best in each fold.
    rule : {"best", "one-standard-error"}, default "best"
        The best mean score, or the strongest penalty within one standard error of it. Ties go to the strongest penalty.
    l1_ratio : float, default 0.0
        Share of the L1 part.
    loss : {"squared", "absolute", "huber", "quantile"} or Loss, default "squared"
        As in :class:`LinearRegression`.
    fit_intercept : bool, default True
        Whether to fit b.
    solver, tol, max_iter, standardize, device, dtype
        As in :class:`LinearRegression`.
    verbose : int, default 0
        1 shows a progress bar on standard error, with the time left.

    Attributes
    ----------
    alpha_ : float
        The strength that was chosen; with refit=False the mean of the folds' best.
    alphas_ : array of shape (n_strengths,)
        The grid.
    choice_ : Choice
        Its number, mean score and standard error, and the reason in words.
    scores_ : array of shape (n_folds, n_strengths)
        On the held-out rows.
    gaps_ : array of shape (n_folds, n_strengths)
        What is proven of each fit: its relative gap.
    coefs_paths_, intercepts_paths_ : array of shape (n_folds, n_strengths, …)
        The coefficients of each fit, as its estimator has them; mapped from a file where they are large.
    path_ : PathResult
        The fits of all rows along the grid.
    estimator_ : LinearRegression
        The chosen one of these.
    coef_, intercept_, result_, certificate_, n_iter_, n_features_in_
        Of the chosen fit.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("diabetes")
    >>> model = ol.LinearRegressionCV(standardize=True).fit(data.X, data.y)
    >>> round(model.score(data.X, data.y), 2)
    0.52
    """

    _model = LinearRegression

    def __init__(
        self,
        alphas=10,
        *,
        cv=None,
        scoring="neg_mean_squared_error",
        refit=True,
        rule="best",
        loss="squared",
        l1_ratio=0.0,
        fit_intercept=True,
        solver="auto",
        tol=1e-6,
        max_iter=None,
        standardize=False,
        random_state=None,
        device=None,
        dtype=None,
        verbose=0,
    ):
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.rule = rule
        self.loss = loss
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.standardize = standardize
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    def score(self, X, y=None, sample_weight=None, offset=None):
        """Return R² on these rows; a stream brings its own y."""
        return self._chosen().score(X, y, sample_weight, offset)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @property
    def _grid(self):
        return self.alphas

    def _usual(self, whole, count):
        return default_alphas(whole, count)
