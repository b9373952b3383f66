"""LinearRegression under hostile input."""

import numpy as np
from hypothesis import given

import onelayer as ol
from hostile.drawing import at_least_500, cases
from hostile.judging import fitted
from hostile.proofs import certificate_holds

SOUND = {
    "loss": ["squared", "huber", "squared"],
    "alpha": [0.1, 0.0, 1e-4],
    "l1_ratio": [0.0, 0.5, 1.0],
    "fit_intercept": [True, False],
    "standardize": [False, True],
}
ODD = {
    "loss": [
        "absolute",
        "quantile",
        ol.losses.Huber(1e-8),
        ol.losses.Huber(1e8),
        "hinge",
        None,
        ol.losses.Logistic(),
        3,
    ],
    "alpha": [
        1e-300,
        1e-12,
        1e6,
        1e300,
        np.inf,
        -1.0,
        np.nan,
        "1",
        None,
        True,
        np.float32(0.5),
        10**400,
        [1.0],
    ],
    "l1_ratio": [1e-300, -0.1, 1.5, np.nan, None, "0.5"],
    "solver": [
        "newton",
        "least-squares",
        "proximal-newton",
        "lbfgs",
        ol.solvers.GradientDescent(0.1, steps=5),
        "gradient-descent",
        ol.solvers.SGD(0.1, 2, 3),
        "sgd",
        "saga",
        None,
        1,
    ],
    "tol": [0.0, 1e-12, 1e-3, 1.0, -1.0, np.nan, np.inf, None, "small"],
    "max_iter": [1, 2, 1000, 0, -1, 2.5, np.inf, np.nan, "many"],
    "time_limit": [1e-9, 1.0, 0, -1, np.nan, "1s"],
    "init": [
        "normal",
        1.0,
        1e300,
        (np.zeros((1, 2)), np.zeros(1)),
        (np.full((1, 1), np.nan), [0.0]),
        "warm",
        None,
        -1.0,
        5,
        (1, 2, 3),
    ],
    "n_init": [2, 0, -1, 1.5, None, "2"],
    "random_state": [0, -1, "seed", 2**40, np.random.RandomState(0)],
    "device": ["cpu", "nowhere", "meta", 3],
    "dtype": ["float32", "float64", "float16", "int8", np.float32, 7],
    "standardize": [True, None, "yes"],
    "fit_intercept": [0, None, "no"],
    "warm_start": [True],
}


@at_least_500()
@given(cases(classes=False, sound=SOUND, odd=ODD, offset=True))
def test_linear_regression(case):
    model = fitted(ol.LinearRegression(**case.settings), case, own=True)
    name = case.settings.get("loss", "squared")
    if model is not None and isinstance(name, str):
        l1_ratio = float(case.settings.get("l1_ratio", 0.0))
        certificate_holds(model, case, alpha=lambda total: float(model.alpha), l1_ratio=l1_ratio, loss=name)
