"""Strengths from the numbers of other libraries.

Each library minimises a loss, as a sum or a mean, plus a penalty; what differs is the ½ of a squared error, the sum or
the mean, what the number multiplies, and which rows of weights are penalised for two classes.
"""

from onelayer.errors import ParameterError
from onelayer.penalties.strength import Strength, checked

__all__ = ["from_glmnet", "from_sklearn", "from_spark", "from_statsmodels", "from_torch"]

# How alpha= of a scikit-learn model stands beside our losses: (of, loss, l1_ratio; None: its own argument).
_SKLEARN = {
    # ‖y − z‖² + alpha ‖w‖²: twice our sum.
    "Ridge": ("sum", "squared", 0.0),
    "Lasso": ("mean", "squared", 1.0),
    "ElasticNet": ("mean", "squared", None),
    "SGDRegressor": ("mean", None, None),
    "SGDClassifier": ("mean", "logistic", None),
}
_STATSMODELS = {"OLS": "squared", "GLM": "logistic", "Logit": "logistic"}
_FAMILIES = {
    "auto": "log", "binomial": "logistic", "multinomial": "cross-entropy", "gaussian": "squared",
}  # fmt: skip
# The loss of torch, ours, and how often ours it is; the means of the last three also run over the outputs.
_TORCH = {
    "BCEWithLogitsLoss": ("logistic", 1.0),
    "CrossEntropyLoss": ("cross-entropy", 1.0),
    "MSELoss": ("squared", 2.0),
    "HuberLoss": (None, 1.0),
    "L1Loss": (None, 1.0),
}


def from_sklearn(*, C=None, alpha=None, model=None, l1_ratio=None):
    """Return the strength of a scikit-learn model's penalty.

    ``C`` of LogisticRegression multiplies the sum of the losses: Σ s_i ℓ_i + (1/C) [(1 − l1_ratio)/2 ‖W‖² + …].
    ``alpha`` is another thing from model to model: Ridge minimises Σ (y − z)² + alpha ‖w‖², ElasticNet, Lasso and the
    SGD models the mean of ½ (y − z)² (or of their loss) + alpha [(1 − l1_ratio)/2 ‖w‖² + l1_ratio ‖w‖₁].

    Parameters
    ----------
    C : float, optional
        Of LogisticRegression, > 0; ``inf`` is no penalty. Give either this or `alpha`.
    alpha : float, optional
        Of the model that `model` names.
    model : {"Ridge", "ElasticNet", "Lasso", "SGDRegressor", "SGDClassifier"}, default "Ridge"
        Whose alpha. SGDClassifier with ``loss="log_loss"`` and two classes; SGDRegressor with any loss.
    l1_ratio : float, optional
        Default: that of our estimator.

    Returns
    -------
    Strength

    Raises
    ------
    ParameterError
        If a value is out of its range, or not exactly one of `C` and `alpha` is given.

    Examples
    --------
    >>> import onelayer as ol
    >>> ol.penalties.from_sklearn(C=10.0)
    Strength(amount=0.1, of='sum', l1_ratio=None, loss='log')
    >>> data = ol.data.load("diabetes")
    >>> ridge = ol.LinearRegression(alpha=ol.penalties.from_sklearn(alpha=2.0)).fit(data.X, data.y)
    >>> ridge.penalty_report_["Ridge"]
    {'alpha': 2.0}
    """
    if (C is None) == (alpha is None):
        raise ParameterError(f"C is {C!r} and alpha is {alpha!r}: give one of the two.")
    if C is not None:
        if model not in (None, "LogisticRegression"):
            raise ParameterError(
                f"model is {model!r}, which takes no C we know: leave it out, or give alpha=."
            )
        amount = 0.0 if float("inf") == C else 1.0 / checked("C", C, strict=True)
        return Strength(amount, "sum", l1_ratio, "log")
    of, loss, share = _SKLEARN[_one_of("model", model or "Ridge", _SKLEARN)]
    if share is not None and l1_ratio not in (None, share):
        raise ParameterError(f"l1_ratio is {l1_ratio!r}, and {model or 'Ridge'} has {share:g}: leave it out.")
    return Strength(checked("alpha", alpha), of, l1_ratio if share is None else share, loss)


def from_glmnet(lam, alpha=1.0, *, family="binomial", y_std=None):
    """Return the strength of glmnet's penalty: mean loss + lam [(1 − alpha)/2 ‖W‖² + alpha ‖W‖₁].

    glmnet standardises features unless told otherwise: give ``standardize=FALSE`` there or ``standardize=True`` here.
    For ``family="gaussian"`` it divides y by its standard deviation and then takes `lam` for what is left, so the L2
    part is weaker than the formula says, by that factor.

    Parameters
    ----------
    lam : float
        glmnet's lambda.
    alpha : float, default 1.0
        glmnet's alpha, our ``l1_ratio``; 1 is the lasso, as in glmnet.
    family : {"binomial", "multinomial", "gaussian"}, default "binomial"
    y_std : float, optional
        The standard deviation of y (dividing by n), needed for "gaussian" where alpha < 1.

    Returns
    -------
    Strength

    Raises
    ------
    ParameterError
        If a value is out of its range or `y_std` is missing.

    Examples
    --------
    >>> import onelayer as ol
    >>> ol.penalties.from_glmnet(lam=0.1, alpha=0.0)
    Strength(amount=0.1, of='mean', l1_ratio=0.0, loss='logistic')
    """
    _one_of("family", family, ("binomial", "multinomial", "gaussian"))
    return _family(("lam", lam), ("alpha", alpha), family, y_std)


def from_spark(regParam, elasticNetParam=0.0, *, family="auto", y_std=None):
    """Return the strength of the penalty of Spark ML's LogisticRegression or LinearRegression.

    The formula is glmnet's (:func:`from_glmnet`), the standard deviation of y in LinearRegression too. Spark
    penalises standardised features unless ``standardization=False`` is set there.

    Parameters
    ----------
    regParam : float
    elasticNetParam : float, default 0.0
    family : {"auto", "binomial", "multinomial", "gaussian"}, default "auto"
        As in LogisticRegression: "auto" is one row of weights for two classes, else one per class. "gaussian" for
        LinearRegression.
    y_std : float, optional
        The standard deviation of y, needed for "gaussian" where elasticNetParam < 1.

    Returns
    -------
    Strength

    Raises
    ------
    ParameterError
        If a value is out of its range or `y_std` is missing.

    Examples
    --------
    >>> import onelayer as ol
    >>> ol.penalties.from_spark(regParam=0.1)
    Strength(amount=0.1, of='mean', l1_ratio=0.0, loss='log')
    """
    return _family(("regParam", regParam), ("elasticNetParam", elasticNetParam), family, y_std)


def from_statsmodels(alpha, model="OLS", *, L1_wt=1.0):
    """Return the strength of the penalty of statsmodels' ``fit_regularized``.

    OLS: ‖y − z‖²/(2n) + alpha [(1 − L1_wt)/2 ‖w‖² + L1_wt ‖w‖₁], a mean; GLM with the Binomial family: the same beside
    the mean negative log-likelihood; Logit: alpha ‖w‖₁ beside the sum of it. statsmodels penalises the constant too,
    unless alpha is an array with a zero in its place.

    Parameters
    ----------
    alpha : float
    model : {"OLS", "GLM", "Logit"}, default "OLS"
    L1_wt : float, default 1.0
        As there; 1 is the lasso, and the only value for Logit.

    Returns
    -------
    Strength

    Raises
    ------
    ParameterError
        If a value is out of its range.

    Examples
    --------
    >>> import onelayer as ol
    >>> ol.penalties.from_statsmodels(alpha=2.0, model="Logit")
    Strength(amount=2.0, of='sum', l1_ratio=1.0, loss='logistic')
    """
    loss = _STATSMODELS[_one_of("model", model, _STATSMODELS)]
    if model == "Logit" and L1_wt != 1.0:
        raise ParameterError(f"L1_wt is {L1_wt!r}, and Logit knows the L1 penalty only: give model='GLM'.")
    return Strength(
        checked("alpha", alpha),
        "sum" if model == "Logit" else "mean",
        checked("L1_wt", L1_wt, high=1.0),
        loss,
    )


def from_torch(weight_decay, *, reduction="mean", n=None, loss="CrossEntropyLoss", outputs=None):
    """Return the strength of ``weight_decay`` of torch.optim's SGD or Adam: loss + weight_decay/2 ‖W‖².

    They add ``weight_decay · w`` to the gradient of whatever loss is given, so a sum of losses is penalised less than
    their mean. The bias decays too, unless it stands in a parameter group of its own without decay; here it never
    does. AdamW's decay is decoupled from the gradient and minimises nothing of the kind.

    Parameters
    ----------
    weight_decay : float
    reduction : {"mean", "sum"}, default "mean"
        Of the loss.
    n : int, optional
        For "sum": the rows that are summed, which is the batch size where there are batches. Default: all rows of the
        fit. A mean does not depend on it.
    loss : {"CrossEntropyLoss", "BCEWithLogitsLoss", "MSELoss", "HuberLoss", "L1Loss"}, default "CrossEntropyLoss"
        MSELoss is twice our squared error.
    outputs : int, optional
        Targets of a regression: the mean of MSELoss, HuberLoss and L1Loss runs over them too. Default: as many as the fit has.

    Returns
    -------
    Strength

    Raises
    ------
    ParameterError
        If a value is out of its range.

    Examples
    --------
    >>> import onelayer as ol
    >>> ol.penalties.from_torch(weight_decay=1e-3)
    Strength(amount=0.001, of='mean', l1_ratio=0.0, loss='cross-entropy')
    >>> ol.penalties.from_torch(weight_decay=0.5, reduction="sum", n=1000).alpha(total_weight=1000)
    0.0005
    """
    ours, times = _TORCH[_one_of("loss", loss, _TORCH)]
    _one_of("reduction", reduction, ("mean", "sum"))
    amount = checked("weight_decay", weight_decay) / times
    if reduction == "mean":
        averaged = loss not in ("CrossEntropyLoss", "BCEWithLogitsLoss")
        if averaged and outputs is not None:
            amount *= checked("outputs", outputs, low=1.0)
        return Strength(amount, "mean", 0.0, ours, over_targets=averaged and outputs is None)
    if n is None:
        return Strength(amount, "sum", 0.0, ours)
    return Strength(amount / checked("n", n, low=1.0), "mean", 0.0, ours)


def _family(strength, share, family, y_std):
    loss = _FAMILIES[_one_of("family", family, _FAMILIES)]
    amount, l1_ratio = checked(*strength), checked(*share, high=1.0)
    if loss != "squared" or l1_ratio == 1.0 or not amount:
        return Strength(amount, "mean", l1_ratio, loss)
    if y_std is None:
        raise ParameterError(
            f"y_std is missing: for family='gaussian' and {share[0]} < 1 the L2 part is divided by the standard "
            "deviation of y, so give y_std=y.std()."
        )
    l1, l2 = amount * l1_ratio, amount * (1 - l1_ratio) / checked("y_std", y_std, strict=True)
    return Strength(l1 + l2, "mean", l1 / (l1 + l2), loss)


def _one_of(name, value, legal):
    if not isinstance(value, str) or value not in legal:
        raise ParameterError(f"{name} is {value!r}: give one of {', '.join(map(repr, legal))}.")
    return value
