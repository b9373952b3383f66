"""A patched LogisticRegressionCV: scikit-learn's search, fitted by ours."""

import inspect
import logging
import pickle
import types

import numpy as np
import pytest
import sklearn.linear_model._logistic as private
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.linear_model import LogisticRegressionCV
from sklearn.preprocessing import scale

import onelayer.sklearn as dropins
from onelayer.sklearn import logistic_path

X, Y = load_iris(return_X_y=True)
X = scale(X)
BOTH = X[Y != 0], Y[Y != 0]
KINDS = {"three": (X, Y), "two": BOTH, "names": (X, np.array(["b", "c", "a"])[Y])}
SEARCH = {"Cs": [0.1, 3.0], "cv": 3, "scoring": "neg_log_loss", "use_legacy_attributes": False}
SETTINGS = [
    {},
    {"fit_intercept": False},
    {"class_weight": "balanced"},
    {"solver": "liblinear", "intercept_scaling": 3.0},
    {"solver": "saga", "l1_ratios": (0.3, 1.0)},
    {"refit": False},
]
_PRIVATE = "_logistic_regression_path", "_log_reg_scoring_path"


@pytest.fixture(autouse=True)
def unpatched():
    yield
    dropins.unpatch()


def forbidden(*args, **kwargs):
    raise AssertionError("a solver of scikit-learn was called")


def forbid(monkeypatch):
    """Let every solver of scikit-learn's LogisticRegression fail."""
    for name in ("_newton_cg", "_fit_liblinear", "sag_solver", "NewtonCholeskySolver", "LinearModelLoss"):
        monkeypatch.setattr(private, name, forbidden)
    monkeypatch.setattr(private, "optimize", types.SimpleNamespace(minimize=forbidden))


def searched(settings, X, y, weight=None, **more):
    return LogisticRegressionCV(**{"l1_ratios": (0.0,)} | SEARCH | settings | more).fit(X, y, weight)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_search_ends_at_the_optima_and_no_solver_of_theirs_runs(monkeypatch, kind, settings):
    X, y = KINDS[kind]
    if settings.get("solver") == "liblinear" and kind != "two":
        X, y = X[Y != 0], y[Y != 0]
    weight = np.random.default_rng(0).integers(1, 3, len(y)).astype(float)
    slow = {"tol": 1e-8, "max_iter": 100_000}
    if "solver" not in settings:
        slow["solver"] = "newton-cholesky"
    theirs = searched(settings, X, y, weight, **slow)
    forbid(monkeypatch)
    with dropins.patch():
        ours = searched(settings, X, y, weight)
    assert ours.C_ == theirs.C_
    for name in ("coef_", "intercept_", "coefs_paths_", "scores_"):
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=2e-4, atol=2e-4)
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=2e-4)


def test_the_refit_is_as_good_as_our_own(monkeypatch):
    forbid(monkeypatch)
    with dropins.patch():
        search = searched({}, X, Y)
    alone = dropins.LogisticRegression(C=search.C_).fit(X, Y)
    assert_allclose(search.coef_, alone.coef_, rtol=1e-6)


def test_a_worker_process_comes_to_ours_too(monkeypatch):
    fold, rest = np.arange(0, 150, 2), np.arange(1, 150, 2)
    with dropins.patch():
        task = pickle.dumps(private._log_reg_scoring_path)
    # As in a process where nothing is swapped: what was sent is the name of a function of ours.
    forbid(monkeypatch)
    arguments = dict.fromkeys(("class_weight", "l1_ratio", "random_state", "score_params", "sample_weight"))
    arguments |= {"Cs": [1.0], "classes": np.unique(Y), "scoring": "accuracy", "penalty": "l2", "verbose": 0}
    arguments |= {"fit_intercept": True, "max_iter": 100, "tol": 1e-4, "solver": "lbfgs", "dual": False}
    arguments |= {"intercept_scaling": 1.0, "max_squared_sum": None}
    coefs = pickle.loads(task)(X, Y, fold, rest, **arguments)[0]  # noqa: S301
    alone = dropins.LogisticRegression().fit(X[fold], Y[fold])
    assert_allclose(coefs[0, :, :-1], alone.coef_, rtol=1e-6, atol=1e-9)
    assert private._log_reg_scoring_path is not logistic_path.scoring_path


def test_what_is_swapped_is_listed_and_put_back():
    before = [getattr(private, name) for name in _PRIVATE]
    swaps = dropins.patch(["LogisticRegression"])
    assert {f"sklearn.linear_model._logistic.{name}" for name in _PRIVATE} <= set(
        swaps.places["LogisticRegression"]
    )
    assert private._logistic_regression_path is logistic_path.logistic_regression_path
    dropins.unpatch()
    assert [getattr(private, name) for name in _PRIVATE] == before


def test_the_signature_is_the_one_of_the_installed_version_and_another_is_left_alone(monkeypatch, caplog):
    parameters = inspect.signature(private._logistic_regression_path).parameters
    assert list(inspect.signature(logistic_path.logistic_regression_path).parameters.values()) == list(
        parameters.values()
    )

    def another(X, y, *, strength):
        """Stand for the function of a later version."""

    monkeypatch.setitem(logistic_path._theirs, _PRIVATE[0], another)
    with caplog.at_level(logging.WARNING, logger="onelayer.sklearn"), dropins.patch() as swaps:
        assert not any("_logistic_regression_path" in place for place in swaps.places["LogisticRegression"])
        assert private._logistic_regression_path is not logistic_path.logistic_regression_path
    assert "LogisticRegressionCV keeps scikit-learn's solvers" in caplog.text


def test_an_object_that_was_made_before_keeps_its_own_code():
    before, after = Theirs(max_iter=1000), Theirs(max_iter=1000).fit(X, Y)
    with dropins.patch():
        before.fit(X, Y)
    np.testing.assert_array_equal(before.coef_, after.coef_)
    np.testing.assert_array_equal(before.n_iter_, after.n_iter_)


def path(y, labels, **settings):
    return logistic_path.logistic_regression_path(X, y, classes=labels, **settings)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_fold_may_lack_a_class(fit_intercept):
    labels = np.array([0, 1, 2, 3])
    coefs, Cs, n_iter = path(Y, labels, Cs=[1.0, 10.0], fit_intercept=fit_intercept, tol=1e-8)
    assert coefs.shape == (2, 4, 4 + fit_intercept)
    assert Cs.tolist() == [1.0, 10.0]
    assert n_iter.dtype == np.int32
    if fit_intercept:
        # The limit: the class is out of the race.
        alone = dropins.LogisticRegression().fit(X, Y)
        scores = coefs[0, :, :-1] @ X.T + coefs[0, :, -1:]
        assert (scores[3] < scores[:3].max(axis=0) - 30).all()
        assert_allclose(coefs[0, :3, :-1], alone.coef_, atol=1e-5)
    else:
        theirs = private._logistic_regression_path(
            X, Y, classes=labels, Cs=[1.0], fit_intercept=False, solver="newton-cg", tol=1e-10
        )[0]
        assert_allclose(coefs[0], theirs[0], atol=1e-5)


REFUSALS = [
    ({"coef": np.ones((3, 4))}, r"Initialization coef is of shape \(3, 4\), expected shape \(3, 5\)"),
    ({"labels": [0, 1]}, None),
    ({"labels": [0, 1, 5]}, r"y contains previously unseen labels: \[2\]"),
    ({"solver": "liblinear"}, "does not support multiclass"),
    ({"solver": "liblinear", "labels": [3, 4]}, "contains only one class"),
    ({"penalty": "l1"}, "Solver lbfgs supports only 'l2' or None penalties"),
    ({"penalty": "elasticnet", "solver": "saga"}, "l1_ratio must be specified"),
    ({"sample_weight": -np.ones(len(Y))}, "Negative values in data passed to `sample_weight`"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSALS, ids=str)
def test_refusals(settings, message):
    settings = {"labels": [0, 1, 2]} | settings
    labels = settings.pop("labels")
    if message is None:
        # Of two classes, all that is not the second is the first, as there.
        assert path(Y, labels, Cs=2, **settings)[0].shape == (2, 5)
        return
    with pytest.raises(ValueError, match=message):
        path(Y, labels, **settings)


def test_a_limit_warns_in_their_words_and_verbose_asks_for_a_bar():
    with pytest.warns(ConvergenceWarning, match=r"lbfgs failed to converge after 1 iteration"):
        _, _, n_iter = path(Y, [0, 1, 2], Cs=[1e3], max_iter=1)
    assert n_iter.tolist() == [1]
    assert [bar.label for bar in logistic_path._progress(1, 0.5)] == ["LogisticRegression at C=0.5"]
    assert not logistic_path._progress(0, 0.5)
