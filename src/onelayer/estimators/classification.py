"""Logistic and softmax regression."""

from onelayer.estimators.classifier import Classifier

__all__ = ["LogisticRegression", "SoftmaxRegression"]


class LogisticRegression(Classifier):
    """Logistic regression: one score for two classes, softmax for more (as in scikit-learn).

    Minimises ``(1/S) Σ s_i [log(1 + exp(z_i)) − y_i z_i] + alpha [(1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁]``,
    z = W x + b, y in {0, 1}, alpha = 1/(C S), S = Σ s_i; for more classes the cross-entropy of
    :class:`SoftmaxRegression`. The intercept b is not penalised.

    Parameters
    ----------
    C : float or Strength, default 1.0
        Inverse strength of the penalty as in scikit-learn, > 0; ``inf`` means none. alpha = 1 / (C S). In the words of
        another library by ``onelayer.penalties.from_torch`` and others.
    l1_ratio : float, default 0.0
        Share of the L1 part; above 0 coefficients become exactly zero.
    loss : {"log", "probability-squared"} or Loss, default "log"
        The second is for teaching: not convex, so no certificate.
    fit_intercept : bool, default True
        Whether to fit b.
    class_weight : dict, "balanced" or None
        Factors on the sample weights by class, as in scikit-learn.
    prior_correction : bool, default False
        Take the log of the class weights off the intercepts after the fit: the probabilities are then those of the data as
        they are, not as if classes came in other shares.
    classes : array-like of shape (n_classes,), optional
        All labels that there are, for data that may lack some (a fold of a cross-validation): such a class gets
        probability 0. Default: the labels in y.
    solver : str or Solver, default "auto"
        "auto" (the certified optimum: ``onelayer.choose_solver`` tells how), "newton", "proximal-newton",
        "lbfgs", "gradient-descent", "sgd",
        or an object of ``onelayer.solvers``.
    tol : float, default 1e-6
        Certified relative gap at which the fit ends. 0: make all the steps that the solver was asked for.
    max_iter : int, optional
        Iterations of the solver; default no limit.
    time_limit : float, optional
        Seconds.
    init : {"zeros", "normal"}, float or (weight, bias), default "zeros"
        Where to start; "normal" draws W with standard deviation 0.01, a number s draws W and b with standard
        deviation s.
    n_init : int, default 1
        Fit from so many starts and keep the lowest objective, for losses that are not convex; after the first, W and
        b are drawn with standard deviation s, or 1. A certified optimum needs no further start.
    standardize : bool, default False
        Penalise the coefficients of standardised features; coefficients are given back for the original ones.
    warm_start : bool, default False
        Start from the coefficients of the last fit.
    random_state : int, RandomState or None
        For the start "normal" and the order of mini-batches.
    device : str or torch.device, optional
        Default: where X is.
    dtype : {"float32", "float64"}, optional
        Arithmetic; default float64 for float64 features, else float32.
    verbose : int, default 0
        1 shows a progress bar on standard error (2: the learning curve as it grows).

    Attributes
    ----------
    coef_ : array of shape (1, n_features), or (n_classes, n_features) for more than two classes
    intercept_ : array of shape (1,) or (n_classes,)
    classes_ : array of shape (n_classes,)
        The labels, sorted.
    result_ : Result
        Status, message, objective, passes, seconds, trace.
    certificate_ : Certificate or None
        The proven bound; None where none exists (``result_.message`` says why).
    n_iter_, n_features_in_ : int
    feature_names_in_ : array of str
        Only if X had column names.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("breast-cancer")
    >>> model = ol.LogisticRegression(standardize=True).fit(data.X, data.y)
    >>> round(model.score(data.X, data.y), 3), model.certificate_.relative_gap <= 1e-6
    (0.988, True)
    """

    def _outputs(self, classes):
        return 1 if classes == 2 else classes


class SoftmaxRegression(Classifier):
    """Softmax (multinomial logistic) regression: one row of weights for each class, also for two.

    Minimises ``(1/S) Σ s_i [log Σ_k exp(z_ik) − z_iy] + alpha [(1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁]``,
    z = W x + b, alpha = 1/(C S), S = Σ s_i. The intercept b is not penalised. For two classes it
    gives the probabilities of :class:`LogisticRegression` at twice its C: two rows of weights share what one carries.

    Parameters
    ----------
    C : float or Strength, default 1.0
        Inverse strength of the penalty as in scikit-learn, > 0; ``inf`` means none. alpha = 1 / (C S). In the words of
        another library by ``onelayer.penalties.from_torch`` and others.
    l1_ratio : float, default 0.0
        Share of the L1 part; above 0 coefficients become exactly zero.
    loss : {"log", "probability-squared"} or Loss, default "log"
        The second is for teaching: not convex, so no certificate.
    fit_intercept : bool, default True
        Whether to fit b.
    class_weight : dict, "balanced" or None
        Factors on the sample weights by class, as in scikit-learn.
    prior_correction : bool, default False
        Take the log of the class weights off the intercepts after the fit: the probabilities are then those of the data as
        they are, not as if classes came in other shares.
    classes : array-like of shape (n_classes,), optional
        All labels that there are, for data that may lack some (a fold of a cross-validation): such a class gets
        probability 0. Default: the labels in y.
    solver : str or Solver, default "auto"
        "auto" (the certified optimum: ``onelayer.choose_solver`` tells how), "newton", "proximal-newton",
        "lbfgs", "gradient-descent", "sgd",
        or an object of ``onelayer.solvers``.
    tol : float, default 1e-6
        Certified relative gap at which the fit ends. 0: make all the steps that the solver was asked for.
    max_iter : int, optional
        Iterations of the solver; default no limit.
    time_limit : float, optional
        Seconds.
    init : {"zeros", "normal"}, float or (weight, bias), default "zeros"
        Where to start; "normal" draws W with standard deviation 0.01, a number s draws W and b with standard
        deviation s.
    n_init : int, default 1
        Fit from so many starts and keep the lowest objective, for losses that are not convex; after the first, W and
        b are drawn with standard deviation s, or 1. A certified optimum needs no further start.
    standardize : bool, default False
        Penalise the coefficients of standardised features; coefficients are given back for the original ones.
    warm_start : bool, default False
        Start from the coefficients of the last fit.
    random_state : int, RandomState or None
        For the start "normal" and the order of mini-batches.
    device : str or torch.device, optional
        Default: where X is.
    dtype : {"float32", "float64"}, optional
        Arithmetic; default float64 for float64 features, else float32.
    verbose : int, default 0
        1 shows a progress bar on standard error (2: the learning curve as it grows).

    Attributes
    ----------
    coef_ : array of shape (n_classes, n_features)
    intercept_ : array of shape (n_classes,)
    classes_ : array of shape (n_classes,)
        The labels, sorted.
    result_ : Result
        Status, message, objective, passes, seconds, trace.
    certificate_ : Certificate or None
        The proven bound; None where none exists (``result_.message`` says why).
    n_iter_, n_features_in_ : int
    feature_names_in_ : array of str
        Only if X had column names.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("iris")
    >>> model = ol.SoftmaxRegression().fit(data.X, data.y)
    >>> round(model.score(data.X, data.y), 3), str(model.result_.status)
    (0.973, 'converged')
    """

    def _outputs(self, classes):
        return classes
