"""Errors about callbacks and strengths: each names the argument, its value and the way out."""

import importlib.util

import pytest

import onelayer as ol
from instances import PROBLEMS, regression
from onelayer.callbacks import EarlyStopping, MLflow, TensorBoard
from onelayer.errors import ParameterError
from onelayer.penalties import Strength, from_glmnet, from_sklearn, from_spark, from_statsmodels, from_torch
from onelayer.solvers import minimize

X, Y = PROBLEMS["two classes"]()

WRONG = {
    "patience": (lambda: EarlyStopping(X, Y, patience=0), "patience is 0: give a whole number"),
    "min_delta": (lambda: EarlyStopping(X, Y, min_delta=-1), "min_delta is -1: give a number ≥ 0"),
    "scoring": (lambda: EarlyStopping(X, Y, scoring="odd"), "scoring is 'odd': give a name that sklearn"),
    "every": (lambda: MLflow(every=-1), "every is -1: give a number of seconds"),
    "model": (lambda: MLflow(model=""), "model is '': give the name of a folder, or None"),
    "amount": (lambda: Strength(-1.0), "amount is -1.0: give a number ≥ 0"),
    "amount, text": (lambda: Strength("1"), "amount is '1': give a number ≥ 0"),
    "of": (lambda: Strength(1.0, "all"), "of is 'all': give 'mean' or 'sum'"),
    "l1_ratio": (lambda: Strength(1.0, l1_ratio=2), "l1_ratio is 2: give a number from 0 to 1"),
    "loss": (lambda: Strength(1.0, loss="odd"), "loss is 'odd': give one of 'squared', 'log'"),
    "both": (lambda: from_sklearn(C=1.0, alpha=1.0), "C is 1.0 and alpha is 1.0: give one of the two"),
    "neither": (lambda: from_sklearn(), "C is None and alpha is None: give one of the two"),
    "C": (lambda: from_sklearn(C=0), "C is 0: give a number > 0"),
    "C of Ridge": (lambda: from_sklearn(C=1.0, model="Ridge"), "model is 'Ridge', which takes no C"),
    "alpha": (lambda: from_sklearn(alpha=-1), "alpha is -1: give a number ≥ 0"),
    "no model": (lambda: from_sklearn(alpha=1, model="SVC"), "model is 'SVC': give one of 'Ridge', 'Lasso'"),
    "odd model": (lambda: from_sklearn(alpha=1, model=[1]), r"model is \[1\]: give one of 'Ridge'"),
    "Ridge's": (
        lambda: from_sklearn(alpha=1, l1_ratio=0.5),
        "l1_ratio is 0.5, and Ridge has 0: leave it out",
    ),
    "lam": (lambda: from_glmnet(-1), "lam is -1: give a number ≥ 0"),
    "mix": (lambda: from_glmnet(1, 1.5), "alpha is 1.5: give a number from 0 to 1"),
    "family": (lambda: from_glmnet(1, family="cox"), "family is 'cox': give one of 'binomial'"),
    "y_std": (
        lambda: from_glmnet(1, 0.5, family="gaussian"),
        "y_std is missing: .* alpha < 1 .* y_std=y.std()",
    ),
    "y_std 0": (lambda: from_spark(1, family="gaussian", y_std=0), "y_std is 0: give a number > 0"),
    "regParam": (lambda: from_spark(None), "regParam is None: give a number ≥ 0"),
    "statsmodels": (lambda: from_statsmodels(1, "RLM"), "model is 'RLM': give one of 'OLS', 'GLM', 'Logit'"),
    "Logit": (lambda: from_statsmodels(1, "Logit", L1_wt=0.5), "L1_wt is 0.5, and Logit knows the L1"),
    "torch": (lambda: from_torch(1, loss="NLLLoss"), "loss is 'NLLLoss': give one of 'BCEWithLogitsLoss'"),
    "reduction": (lambda: from_torch(1, reduction="none"), "reduction is 'none': give one of 'mean', 'sum'"),
    "n": (lambda: from_torch(1, reduction="sum", n=0), "n is 0: give a number ≥ 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_arguments(case):
    call, words = WRONG[case]
    with pytest.raises(ParameterError, match=words) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")


def test_a_strength_for_another_loss():
    model = ol.LinearRegression(alpha=from_torch(0.1))
    with pytest.raises(ParameterError, match="the loss of this fit is 'squared': translate it for that"):
        model.fit(*regression())
    model = ol.LogisticRegression(C=from_sklearn(alpha=1.0))
    with pytest.raises(ParameterError, match=r"C is Strength.*the loss of this fit is 'logistic'"):
        model.fit(X, Y)


def test_two_ratios():
    model = ol.LogisticRegression(C=from_glmnet(0.1, 0.5), l1_ratio=0.2, solver="gradient-descent")
    with pytest.raises(
        ParameterError, match=r"l1_ratio is 0.2, and C brings its own, 0.5: leave l1_ratio out"
    ):
        model.fit(X, Y)


@pytest.mark.parametrize(("callback", "package"), [(MLflow, "mlflow"), (TensorBoard, "tensorboard")])
def test_a_package_that_is_missing(callback, package, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else found(name, *rest)
    )
    with pytest.raises(ParameterError, match=r"not installed: pip install 'onelayer\[tracking\]'\.$"):
        callback()


def test_early_stopping_needs_an_estimator():
    objective = ol.LogisticRegression().objective(X, Y)
    with pytest.raises(ParameterError, match="needs an estimator to score"):
        minimize(ol.solvers.LBFGS(), objective, objective.zeros(), callbacks=[EarlyStopping(X, Y)])
