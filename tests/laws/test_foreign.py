"""Agreement with scikit-learn, and certificates for what it fitted."""

import numpy as np
import pytest
from sklearn import linear_model

import onelayer as ol
from instances import PROBLEMS, regression
from onelayer.errors import DataError, ParameterError
from references import Problem, solve

TIGHT = {"tol": 1e-13, "max_iter": 5000}
SOLVERS = pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])


@SOLVERS
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("C", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("count", ["two classes", "three classes"])
def test_logistic_regression(count, C, fit_intercept, solver):
    X, y = PROBLEMS[count]()
    settings = {"C": C, "fit_intercept": fit_intercept}
    theirs = linear_model.LogisticRegression(solver=solver, tol=1e-12, max_iter=10_000, **settings).fit(X, y)
    ours = ol.LogisticRegression(**settings, **TIGHT).fit(X, y)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-5)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1, 1: 5, 2: 0.5}], ids=str)
def test_logistic_regression_with_weights_and_class_weights(class_weight):
    """ "balanced" counts sample weights, not rows."""
    X, y = PROBLEMS["three classes"]()
    weight = np.random.default_rng(0).uniform(0, 2, size=len(y))
    theirs = linear_model.LogisticRegression(tol=1e-12, max_iter=10_000, class_weight=class_weight)
    ours = ol.LogisticRegression(class_weight=class_weight, **TIGHT).fit(X, y, weight)
    np.testing.assert_allclose(ours.coef_, theirs.fit(X, y, weight).coef_, atol=1e-5)
    assert ol.certify(theirs, X, y, weight).relative_gap < 1e-8


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_and_least_squares(weighted, fit_intercept):
    X, y = regression()
    weight = np.random.default_rng(0).uniform(0, 2, size=len(y)) if weighted else None
    total = len(y) if weight is None else weight.sum()
    for theirs, alpha in [
        (linear_model.Ridge(alpha=3.0, fit_intercept=fit_intercept), 3.0 / total),
        (linear_model.LinearRegression(fit_intercept=fit_intercept), 0.0),
    ]:
        theirs.fit(X, y, weight)
        ours = ol.LinearRegression(alpha=alpha, fit_intercept=fit_intercept, **TIGHT).fit(X, y, weight)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)
        assert np.ndim(ours.intercept_) == np.ndim(theirs.intercept_)
        assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-6)


@pytest.mark.parametrize("tau", [0.3, 0.5])
def test_quantile_regression_lowers_to_the_optimum_of_the_linear_program(tau):
    X, y = regression(features=2)
    exact = linear_model.QuantileRegressor(quantile=tau, alpha=0.0).fit(X, y)
    loss = ol.losses.Quantile(tau)
    solver = ol.solvers.GradientDescent(0.02, steps=2000)
    model = ol.LinearRegression(loss, solver=solver, tol=0).fit(X, y)
    best = np.maximum((1 - tau) * (exact.predict(X) - y), -tau * (exact.predict(X) - y)).mean()
    # A fixed step of the subgradient method ends within about η ‖g‖² / 2 of the optimum.
    assert best - 1e-9 <= model.result_.objective <= best + 0.05


def test_lasso_and_elastic_net():
    X, y = regression()
    for ratio in (0.5, 1.0):
        theirs = linear_model.ElasticNet(alpha=0.3, l1_ratio=ratio, tol=1e-14, max_iter=100_000).fit(X, y)
        solver = ol.solvers.GradientDescent(0.5, steps=2000)
        ours = ol.LinearRegression(alpha=0.3, l1_ratio=ratio, solver=solver, tol=1e-12).fit(X, y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
        assert ((ours.coef_ == 0) == (theirs.coef_ == 0)).all()


# ---- certify(): a bound for coefficients that another library fitted -----------------------------------------


def reference(X, y, weight, *, alpha, fit_intercept, count):
    if count == 0:
        return Problem(X, y[:, None], "squared", None, 1, weight, 0.0, alpha, fit_intercept)
    if count == 2:
        return Problem(X, y[:, None].astype(float), "logistic", None, 1, weight, 0.0, alpha, fit_intercept)
    return Problem(X, y, "cross-entropy", None, count, weight, 0.0, alpha, fit_intercept)


def assert_certified(model, X, y, weight, problem, call=None):
    theta = np.c_[np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)]
    theta = theta if problem.fit_intercept else theta[:, :-1]
    certificate = ol.certify(model, X, y, weight if call is None else call)
    assert certificate.objective == pytest.approx(problem.value(theta), rel=1e-12)
    _, best, slope = solve(problem)
    assert slope < 1e-12
    distance = problem.value(theta) - best
    assert certificate.gap >= distance - 1e-13 * max(1, best)
    # At C ≥ 0.1 on 60 rows the gradient point is worth a factor of 1,000 or less.
    assert certificate.gap <= 1000 * distance + 1e-12
    return certificate


LOOSE = {"tol": 1e-2, "max_iter": 10_000}


@pytest.mark.parametrize(
    "settings", [{}, {"C": 10.0}, {"fit_intercept": False}, {"class_weight": "balanced"}, {"C": 0.1}], ids=str
)
@pytest.mark.parametrize("count", [2, 3])
def test_certify_their_logistic_regression(count, settings):
    X, y = PROBLEMS["two classes" if count == 2 else "three classes"]()
    model = linear_model.LogisticRegression(**settings, **LOOSE).fit(X, y)
    weight = np.ones(len(y))
    if settings.get("class_weight"):
        weight = (len(y) / (count * np.bincount(y)))[y]
    alpha = 1 / (settings.get("C", 1.0) * weight.sum())
    problem = reference(
        X, y, weight, alpha=alpha, fit_intercept=settings.get("fit_intercept", True), count=count
    )
    certificate = assert_certified(model, X, y, None, problem)
    exact = linear_model.LogisticRegression(**settings, tol=1e-12, max_iter=10_000).fit(X, y)
    assert ol.certify(exact, X, y).relative_gap < min(1e-8, certificate.relative_gap)


def test_certify_liblinear_without_an_intercept():
    X, y = PROBLEMS["two classes"]()
    model = linear_model.LogisticRegression(solver="liblinear", fit_intercept=False, tol=1e-2).fit(X, y)
    problem = reference(X, y, np.ones(len(y)), alpha=1 / len(y), fit_intercept=False, count=2)
    assert_certified(model, X, y, None, problem)


@pytest.mark.parametrize("weighted", [False, True])
def test_certify_their_ridge(weighted):
    X, y = regression()
    weight = np.random.default_rng(0).uniform(0, 2, size=len(y)) if weighted else None
    total = len(y) if weight is None else weight.sum()
    problem = reference(X, y, weight, alpha=5.0 / total, fit_intercept=True, count=0)
    exact = linear_model.Ridge(alpha=5.0).fit(X, y, weight)
    assert assert_certified(exact, X, y, weight, problem).relative_gap < 1e-14
    exact.coef_ = exact.coef_ + 0.01
    assert assert_certified(exact, X, y, weight, problem).relative_gap > 1e-5


def test_certify_their_least_squares():
    X, y = regression()
    problem = reference(X, y, None, alpha=0.0, fit_intercept=True, count=0)
    model = linear_model.LinearRegression().fit(X, y)
    assert assert_certified(model, X, y, None, problem).kind == "quadratic"
    model.intercept_ += 0.1
    assert ol.certify(model, X, y).gap == pytest.approx(0.005, rel=1e-10)


def test_certify_ours_whatever_form_the_data_have():
    X, y = PROBLEMS["three classes"]()
    for settings in ({}, {"standardize": True}, {"dtype": "float32"}):
        model = ol.LogisticRegression(**settings).fit(X, y)
        # A Newton step for the proof's sake can only tighten it.
        assert ol.certify(model, X, y).relative_gap <= 1.2 * model.certificate_.relative_gap + 1e-10
    assert ol.certify(model, X.tolist(), y.tolist()).relative_gap <= 2e-6


def test_certify_with_an_offset():
    X, y = regression()
    offset = X @ [1.0, 2.0, 3.0, 4.0] + 5
    model = linear_model.LinearRegression().fit(X, y - offset)
    assert ol.certify(model, X, y, offset=offset).relative_gap < 1e-14
    assert ol.certify(model, X, y).relative_gap > 0.1


REFUSED = {
    "liblinear": (linear_model.LogisticRegression(solver="liblinear"), "penalises the intercept"),
    "lasso by angles": (linear_model.LassoLars(alpha=0.1), "LassoLars"),
    "positive lasso": (linear_model.Lasso(positive=True), "positive=True"),
    "positive": (linear_model.LinearRegression(positive=True), "positive=True"),
    "positive ridge": (linear_model.Ridge(positive=True), "positive=True"),
    "ridge of several alphas": (linear_model.Ridge(alpha=[1.0]), "alpha differs"),
    "no penalty": (linear_model.LogisticRegression(C=np.inf, tol=0.1), "without a penalty"),
    "not convex": (
        ol.LogisticRegression(loss="probability-squared", solver="gradient-descent", tol=0),
        "not convex",
    ),
}


@pytest.mark.parametrize(("model", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_refusals_say_why(model, reason):
    X, y = PROBLEMS["two classes"]()
    model.fit(X, y)
    with pytest.raises(ParameterError, match=reason) as caught:
        ol.certify(model, X, y)
    assert "\n" not in str(caught.value)


def test_data_of_another_fit_are_refused():
    X, y = PROBLEMS["three classes"]()
    model = ol.LogisticRegression().fit(X, y)
    for other in ((X[:, :2], y), (X, y % 2), (X, np.array(["a", "b", "c"])[y]), (X[:-1], y)):
        with pytest.raises(DataError) as caught:
            ol.certify(model, *other)
        assert "\n" not in str(caught.value)
