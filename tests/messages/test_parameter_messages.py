"""What is said about arguments that cannot be used: one sentence, the argument, its value and the way out."""

import math

import numpy as np
import pytest
import torch

import onelayer as ol
from instances import PROBLEMS
from onelayer.errors import OnelayerError, ParameterError, SolverError

X, Y = PROBLEMS["two classes"]()
L, R, S = ol.LogisticRegression, ol.LinearRegression, ol.SoftmaxRegression
SGD, GD, LBFGS = ol.solvers.SGD, ol.solvers.GradientDescent, ol.solvers.LBFGS


def said(action, *words, kind=ParameterError):
    with pytest.raises(kind) as caught:
        action()
    message = str(caught.value)
    assert isinstance(caught.value, (OnelayerError, ValueError))
    assert "\n" not in message, message
    assert message.endswith("."), message
    for word in words:
        assert word in message, message


NUMBERS = {
    "C zero": (L(C=0), ["C is 0", "> 0"]),
    "C negative": (L(C=-1.5), ["C is -1.5", "> 0"]),
    "C nan": (L(C=math.nan), ["C is nan", "> 0"]),
    "C text": (L(C="1"), ["C is '1'"]),
    "C none": (L(C=None), ["C is None"]),
    "C bool": (L(C=True), ["C is True"]),
    "C list": (S(C=[1.0]), ["C is [1.0]"]),
    "alpha negative": (R(alpha=-1), ["alpha is -1", "≥ 0"]),
    "alpha infinite": (R(alpha=math.inf), ["alpha is inf", "≥ 0"]),
    "alpha nan": (R(alpha=math.nan), ["alpha is nan"]),
    "l1_ratio high": (R(alpha=1, l1_ratio=1.5), ["l1_ratio is 1.5", "0", "1"]),
    "l1_ratio negative": (L(l1_ratio=-0.5), ["l1_ratio is -0.5", "0", "1"]),
    "l1_ratio nan": (L(l1_ratio=math.nan), ["l1_ratio is nan"]),
    "tol negative": (L(tol=-1), ["tol is -1", "≥ 0"]),
    "tol nan": (L(tol=math.nan), ["tol is nan"]),
    "max_iter zero": (L(max_iter=0), ["max_iter is 0", "≥ 1"]),
    "max_iter text": (L(max_iter="many"), ["max_iter is 'many'"]),
    "time_limit negative": (L(time_limit=-1), ["time_limit is -1", "≥ 0"]),
    "random_state": (L(random_state="odd"), ["random_state is 'odd'"]),
}
CHOICES = {
    "solver": (
        L(solver="newton-raphson"),
        ["solver is 'newton-raphson'", "auto", "lbfgs", "gradient-descent", "sgd"],
    ),
    "solver class": (L(solver=SGD), ["solver is", "object"]),
    "solver number": (L(solver=3), ["solver is 3"]),
    "loss of classes": (L(loss="hinge"), ["loss is 'hinge'", "'log'"]),
    "loss of numbers": (R(loss="hinge"), ["loss is 'hinge'", "squared", "huber"]),
    "loss class": (R(loss=ol.losses.Huber), ["loss is", "a Loss"]),
    "loss list": (R(loss=["squared"]), ["loss is ['squared']"]),
    "loss of the other kind": (R(loss=ol.losses.Logistic()), ["Logistic()", "LogisticRegression"]),
    "loss of numbers for classes": (L(loss=ol.losses.Huber()), ["Huber", "Logistic()"]),
    "loss of one score": (S(loss=ol.losses.Logistic()), ["Logistic()", "2 scores", "CrossEntropy()"]),
    "loss of many scores": (L(loss=ol.losses.CrossEntropy()), ["CrossEntropy()", "1 score", "Logistic()"]),
    "init": (L(init="ones"), ["init is 'ones'", "'zeros'", "'normal'"]),
    "init negative": (L(init=-3), ["init is -3", "standard deviation", "pair"]),
    "init true": (L(init=True), ["init is True", "standard deviation"]),
    "n_init": (L(n_init=0), ["n_init is 0", "≥ 1"]),
    "n_init half": (L(n_init=1.5), ["n_init is 1.5", "whole number"]),
    "init of one": (L(init=(np.zeros(4),)), ["init", "pair"]),
    "init text": (L(init=("a", "b")), ["init"]),
    "init wide": (L(init=(np.zeros((1, 5)), np.zeros(1))), ["(1, 5)", "(1, 4)"]),
    "init many": (L(init=(np.zeros((2, 4)), np.zeros(2))), ["(2, 4)", "(1, 4)"]),
    "init bias": (S(init=(np.zeros((2, 4)), np.zeros(3))), ["(3,)", "(2,)"]),
    "init nan": (L(init=(np.full((1, 4), np.nan), np.zeros(1))), ["init", "NaN"]),
    "dtype half": (L(dtype="float16"), ["dtype is 'float16'", "'float32'", "'float64'"]),
    "dtype torch": (L(dtype=torch.bfloat16), ["dtype is torch.bfloat16"]),
    "dtype odd": (L(dtype="odd"), ["dtype is 'odd'"]),
    "dtype number": (L(dtype=3), ["dtype is 3"]),
    "device": (L(device="abacus"), ["device is 'abacus'"]),
    "device without float64": (L(device="mps"), ["device is 'mps'", "no float64", "give 'cpu'"]),
    "class_weight name": (L(class_weight="heavy"), ["class_weight is 'heavy'", "balanced"]),
    "class_weight missing": (L(class_weight={5: 1.0}), ["class_weight is {5: 1.0}"]),
    "class_weight negative": (L(class_weight={0: -1.0, 1: 2.0}, max_iter=20), ["class_weight", "-1"]),
    "class_weight nan": (L(class_weight={0: math.nan, 1: 2.0}), ["class_weight", "nan"]),
}


@pytest.mark.parametrize(("model", "words"), [*NUMBERS.values(), *CHOICES.values()], ids=[*NUMBERS, *CHOICES])
def test_arguments_of_estimators(model, words):
    said(lambda: model.fit(X, Y), *words)


PROBLEMS_OF_SOLVERS = {
    "lbfgs, l1": (
        L(l1_ratio=0.5, solver="lbfgs"),
        ["'lbfgs'", "l1_ratio > 0", "'proximal-newton'", "'gradient-descent'", "l1_ratio=0"],
    ),
    "least squares, l1": (
        R(alpha=1, l1_ratio=1.0, solver="least-squares"),
        ["l1_ratio > 0", "'proximal-newton'"],
    ),
    "auto, absolute, l1": (
        R("absolute", alpha=1, l1_ratio=1.0),
        ["l1_ratio > 0", "use solver='gradient-descent' or 'sgd'"],
    ),
    "proximal Newton, no l1": (
        R(alpha=1, solver="proximal-newton"),
        ["'proximal-newton'", "l1_ratio or alpha is 0", "'newton'", "'auto'"],
    ),
    "proximal Newton, absolute": (
        R("absolute", alpha=1, l1_ratio=1.0, solver="proximal-newton"),
        ["'proximal-newton'", "absolute", "'sgd'", "huber"],
    ),
    "proximal Newton, not convex": (
        L(loss="probability-squared", l1_ratio=1.0, solver="proximal-newton"),
        ["'proximal-newton'", "convex", "'gradient-descent'"],
    ),
    "lbfgs, absolute": (R("absolute", solver="lbfgs"), ["'lbfgs'", "absolute", "'sgd'", "huber"]),
    "auto, quantile": (R("quantile"), ["quantile", "'sgd'"]),
    "backtracking, absolute": (
        R("absolute", solver="gradient-descent"),
        ["backtracking", "absolute", "learning_rate"],
    ),
    # The proximal step of length η after a step of momentum solves another problem: its zeros are for l1·(1 − β).
    "momentum, l1": (
        L(l1_ratio=1.0, solver=SGD(optimizer_options={"momentum": 0.5})),
        ["l1_ratio > 0", "momentum"],
    ),
    "adam, l1": (
        L(l1_ratio=1.0, solver=SGD(optimizer=torch.optim.Adam)),
        ["l1_ratio > 0", "Adam", "torch.optim.SGD"],
    ),
}


@pytest.mark.parametrize(("model", "words"), PROBLEMS_OF_SOLVERS.values(), ids=list(PROBLEMS_OF_SOLVERS))
def test_a_solver_that_cannot_says_who_can(model, words):
    said(lambda: model.fit(X, Y), *words, kind=SolverError)


SETTINGS = {
    "learning_rate zero": (lambda: SGD(0), ["learning_rate is 0", "> 0"]),
    "learning_rate nan": (lambda: SGD(math.nan), ["learning_rate is nan"]),
    "learning_rate text": (lambda: SGD("fast"), ["learning_rate is 'fast'"]),
    "batch_size": (lambda: SGD(batch_size=0), ["batch_size is 0", "≥ 1"]),
    "batch_size broken": (lambda: SGD(batch_size=2.5), ["batch_size is 2.5", "whole"]),
    "epochs": (lambda: SGD(epochs=-1), ["epochs is -1", "≥ 1"]),
    "optimizer name": (lambda: SGD(optimizer="adam"), ["optimizer is 'adam'", "torch.optim"]),
    "optimizer lbfgs": (lambda: SGD(optimizer=torch.optim.LBFGS), ["closure", "'lbfgs'"]),
    "gd rate": (lambda: GD(-1.0), ["learning_rate is -1.0", "None"]),
    "gd steps": (lambda: GD(steps=0), ["steps is 0", "≥ 1"]),
    "gd steps broken": (lambda: GD(steps=1.5), ["steps is 1.5", "whole"]),
    "memory": (lambda: LBFGS(memory=0), ["memory is 0", "≥ 1"]),
    "delta": (lambda: ol.losses.Huber(0), ["delta is 0", "> 0"]),
    "delta nan": (lambda: ol.losses.Huber(math.nan), ["delta is nan"]),
    "tau": (lambda: ol.losses.Quantile(1.0), ["tau is 1.0", "between 0 and 1"]),
    "tau nan": (lambda: ol.losses.Quantile(math.nan), ["tau is nan"]),
    "penalty": (lambda: ol.penalties.L2(-1), ["alpha is -1", "≥ 0"]),
    "penalty nan": (lambda: ol.penalties.L1(math.nan), ["alpha is nan"]),
    "penalty ratio": (lambda: ol.penalties.ElasticNet(1, 2), ["l1_ratio is 2"]),
}


@pytest.mark.parametrize(("action", "words"), SETTINGS.values(), ids=list(SETTINGS))
def test_arguments_of_parts(action, words):
    said(action, *words)


def test_a_warm_start_that_does_not_fit_says_what_to_do():
    model = L(warm_start=True).fit(X, Y)
    said(lambda: model.fit(X[:, :2], Y), "warm_start")
    model = L(warm_start=True).fit(X, Y)
    said(lambda: model.fit(X, np.arange(60) % 3), "warm_start")


def test_losses_without_a_conjugate_say_so():
    with pytest.raises(NotImplementedError, match="no conjugate"):
        ol.losses.ProbabilitySquaredError().conjugate(torch.zeros(1, 1), torch.zeros(1, 1))


def test_an_unknown_name_of_the_package():
    with pytest.raises(AttributeError, match="no attribute 'odd'"):
        _ = ol.odd
