"""The drop-ins of onelayer.sklearn under hostile input."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import sklearn.linear_model
from hypothesis import given

import onelayer.sklearn
from hostile.drawing import at_least_500, cases
from hostile.judging import fitted
from hostile.proofs import certificate_holds, scale_certificate_holds

_COMMON = {"fit_intercept": [True, False]}
_SGD = {
    **_COMMON,
    "penalty": ["l2", "l1", "elasticnet", None],
    "alpha": [1e-4, 1e-2],
    "average": [False, True, 3],
    "learning_rate": ["constant", "optimal", "adaptive", "invscaling"],
    "shuffle": [True, False],
    "tol": [None, 1e-3],
    "max_iter": [1, 3, 10],
    "random_state": [0, 1],
}
_ODD_SGD = {
    "alpha": [0.0, 1e-300, 1e300, -1.0, np.nan, np.inf, "1"],
    "epsilon": [0.0, 1e-300, 1e300, -1.0, np.nan],
    "eta0": [0.0, 1e-300, 1e300, 1.0, np.inf, -1.0],
    "power_t": [0.0, 1e3, -0.5, np.nan],
    "learning_rate": ["pa1", "pa2", "newton"],
    "early_stopping": [True],
    "validation_fraction": [0.5, 0.0, 1.0, 1e-9],
    "average": [10**6, 0, -1, np.nan],
    "l1_ratio": [0.0, 1.0, None, 2.0],
    "warm_start": [True],
    "n_iter_no_change": [1, 0],
    "max_iter": [0, 1.5],
    "tol": [np.inf, 0.0, -1.0],
    "random_state": [-1, "seed"],
}
_CLASSIFICATION = ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"]
_REGRESSION = ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]

SOUND = {
    "LogisticRegression": {
        **_COMMON,
        "C": [1.0, 1e-2, 1e2, np.inf],
        "l1_ratio": [0.0, 0.5, 1.0],
        "solver": ["lbfgs", "saga", "newton-cg", "newton-cholesky", "liblinear", "sag"],
        "class_weight": [None, "balanced"],
    },
    "LinearRegression": {**_COMMON, "positive": [False, True], "tol": [1e-6, 0.0, 1e-3]},
    "Ridge": {
        **_COMMON,
        "alpha": [1.0, 0.0, 1e-3],
        "solver": ["auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"],
        "positive": [False, False, True],
    },
    "HuberRegressor": {**_COMMON, "alpha": [1e-4, 0.0, 1.0], "epsilon": [1.35, 1.0, 3.0]},
    "SGDClassifier": {**_SGD, "loss": _CLASSIFICATION, "class_weight": [None, "balanced"]},
    "SGDRegressor": {**_SGD, "loss": _REGRESSION},
}
ODD = {
    "LogisticRegression": {
        "C": [1e-300, 1e-12, 1e12, 1e300, 0.0, -1.0, np.nan, "1"],
        "penalty": ["l1", "l2", "elasticnet", None, "l3"],
        "l1_ratio": [None, -0.1, 1e-300],
        "solver": ["adam", None],
        "dual": [True],
        "intercept_scaling": [1e-8, 1e8, 1e300, 0],
        "class_weight": [{0: 2.0}, {"no": 1.0, "yes": 0.0}, {0: -1.0}, {0: np.nan}, "even"],
        "tol": [0.0, 1e-12, 1.0, np.inf, np.nan, -1.0],
        "max_iter": [0, 1, 2, -1, 1.5],
        "n_jobs": [2],
        "warm_start": [True],
        "random_state": [-1],
    },
    "LinearRegression": {
        "tol": [1e-300, 1.0, 1e300, np.inf, -1.0, np.nan],
        "copy_X": [False, None],
        "n_jobs": [2, "all"],
    },
    "Ridge": {
        "alpha": [
            1e-300,
            1e-12,
            1e12,
            1e300,
            np.inf,
            -1.0,
            np.nan,
            "1",
            [1.0],
            [1.0, 0.0],
            [np.nan],
            [[1.0]],
            10**400,
        ],
        "max_iter": [1, 2, 10**6, 0, 1.5],
        "tol": [0.0, 1e-12, 1.0, np.inf, -1.0],
        "copy_X": [False],
        "solver": ["lbfgs", "adam"],
    },
    "HuberRegressor": {
        "epsilon": [1 + 1e-15, 1e6, 1e300, np.inf, 0.5, np.nan],
        "alpha": [1e-300, 1e12, 1e300, np.inf, -1.0],
        "max_iter": [0, 1, 2, -1],
        "tol": [0.0, 1.0, np.inf, -1.0],
        "warm_start": [True],
    },
    "SGDClassifier": {
        **_ODD_SGD,
        "loss": [*_REGRESSION, "log", None],
        "class_weight": [{0: 2.0}, {"no": 1.0, "yes": 0.0}, {0: -1.0}, {0: np.nan}, "even"],
    },
    "SGDRegressor": {**_ODD_SGD, "loss": ["hinge", None]},
}


def drawn(name, *, classes):
    strategy = cases(classes=classes, sound=SOUND[name], odd=ODD[name])
    return lambda test: at_least_500()(given(strategy)(test))


@pytest.fixture(scope="module")
def compiled():
    """The loops of SGD, whose first fits compile for seconds that are no hang."""
    for dtype in ("float32", "float64"):
        for table in (np.array, scipy.sparse.csr_matrix):
            onelayer.sklearn.SGDRegressor(max_iter=1, tol=None).fit(table(np.ones((2, 1), dtype)), [0.0, 1.0])


@drawn("LogisticRegression", classes=True)
def test_logistic_regression(case):
    model = fitted(onelayer.sklearn.LogisticRegression(**case.settings), case, own=False)
    if model is None or isinstance(model.class_weight, dict):
        return
    # liblinear's intercept is the coefficient of a constant column, penalised with the rest.
    penalised = model.solver == "liblinear" and model.fit_intercept
    C = np.inf if model.penalty is None else float(model.C)
    l1_ratio = {"l1": 1.0, "l2": 0.0, None: 0.0}.get(model.penalty, model.l1_ratio)
    certificate_holds(
        model,
        case,
        alpha=lambda total: 1 / (C * total),
        l1_ratio=float(l1_ratio or 0.0),
        penalised=1 / float(model.intercept_scaling) ** 2 if penalised else 0.0,
    )


@drawn("LinearRegression", classes=False)
def test_linear_regression(case):
    model = fitted(onelayer.sklearn.LinearRegression(**case.settings), case, own=False)
    if model is not None:
        certificate_holds(model, case, alpha=lambda total: 0.0, loss="squared", nonnegative=model.positive)


@drawn("Ridge", classes=False)
def test_ridge(case):
    model = fitted(onelayer.sklearn.Ridge(**case.settings), case, own=False)
    # A penalty for each target is a sum of problems: tests/sklearn/test_ridge_dropin.py.
    if model is not None and np.ndim(model.alpha) == 0:
        certificate_holds(
            model,
            case,
            alpha=lambda total: float(model.alpha) / total,
            loss="squared",
            nonnegative=model.positive,
        )


@drawn("HuberRegressor", classes=False)
def test_huber_regressor(case):
    model = fitted(onelayer.sklearn.HuberRegressor(**case.settings), case, own=False)
    if model is not None:
        scale_certificate_holds(model, case)


@pytest.mark.usefixtures("compiled")
@drawn("SGDClassifier", classes=True)
def test_sgd_classifier(case):
    model = fitted(onelayer.sklearn.SGDClassifier(**case.settings), case, own=False)
    assert_as_theirs(model, case)


@pytest.mark.usefixtures("compiled")
@drawn("SGDRegressor", classes=False)
def test_sgd_regressor(case):
    model = fitted(onelayer.sklearn.SGDRegressor(**case.settings), case, own=False)
    assert_as_theirs(model, case)


def assert_as_theirs(model, case):
    """A recursion has no certificate; with the same seed it is scikit-learn's, to the last bits."""
    if model is None or case.settings.get("random_state") is None:
        return
    theirs = getattr(sklearn.linear_model, type(model).__name__)(**case.settings)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            theirs.fit(case.X, case.y, sample_weight=case.sample_weight)
        except ValueError:
            # Theirs looks at the weights before the average of the last epoch: it may see them overflow one epoch earlier.
            return
    np.testing.assert_allclose(model.coef_, theirs.coef_, rtol=1e-4, atol=1e-6 * np.abs(theirs.coef_).max())
    np.testing.assert_allclose(model.intercept_, theirs.intercept_, rtol=1e-4, atol=1e-6)
