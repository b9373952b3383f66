"""Invariances of fits: what must not change the answer does not."""

import numpy as np
import pytest

import onelayer as ol
from instances import PROBLEMS, SOLVERS, classes, over, regression

# A relative gap of 1e-13 is an error of about its square root in the coefficients: hence 1e-5 below.
TIGHT = {"tol": 1e-13, "max_iter": 5000}
MODELS = {
    "linear": (ol.LinearRegression(alpha=0.01, **TIGHT), "linear"),
    "least squares": (ol.LinearRegression(**TIGHT), "linear"),
    "huber": (ol.LinearRegression("huber", alpha=0.01, **TIGHT), "linear"),
    "logistic": (ol.LogisticRegression(**TIGHT), "two classes"),
    "logistic, no intercept": (ol.LogisticRegression(fit_intercept=False, **TIGHT), "two classes"),
    "softmax": (ol.SoftmaxRegression(**TIGHT), "three classes"),
    "multinomial": (ol.LogisticRegression(C=0.1, standardize=True, **TIGHT), "three classes"),
}


def fitted(model, X, y, weight=None, **changes):
    from sklearn.base import clone

    again = clone(model).set_params(**changes).fit(X, y, weight)
    assert again.result_.status == "converged"
    return again


def strength(model, total, other):
    """The settings that keep C or alpha in the formula when the total weight changes."""
    return {"C": model.C * total / other} if hasattr(model, "C") else {}


def assert_same(one, two, X, atol=1e-5):
    assert two.result_.objective == pytest.approx(one.result_.objective, rel=1e-12)
    scores = [m.decision_function(X) if hasattr(m, "classes_") else m.predict(X) for m in (one, two)]
    np.testing.assert_allclose(scores[0], scores[1], atol=atol, rtol=0)


def integer_weights(rows):
    return np.random.default_rng(3).integers(0, 4, size=rows)


@over("case", MODELS)
def test_weight_two_is_the_row_twice_and_weight_zero_is_no_row(case):
    model, (X, y) = case[0], PROBLEMS[case[1]]()
    weight = integer_weights(len(X))
    weighted = fitted(model, X, y, weight.astype(float))
    repeated = fitted(model, np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert_same(weighted, repeated, X)


@over("case", MODELS)
def test_the_order_of_rows_does_not_matter(case):
    model, (X, y) = case[0], PROBLEMS[case[1]]()
    order = np.random.default_rng(1).permutation(len(X))
    assert_same(fitted(model, X, y), fitted(model, X[order], y[order]), X)


@over("case", MODELS)
def test_the_order_of_columns_does_not_matter(case):
    model, (X, y) = case[0], PROBLEMS[case[1]]()
    order = [2, 0, 3, 1]
    one, two = fitted(model, X, y), fitted(model, X[:, order], y)
    np.testing.assert_allclose(one.coef_[..., order], two.coef_, atol=1e-5)


@over("case", {name: case for name, case in MODELS.items() if case[1] != "linear"})
def test_the_names_of_classes_do_not_matter(case):
    model, (X, y) = case[0], PROBLEMS[case[1]]()
    names = np.array(["wolf", "ant", "lion"])
    one, two = fitted(model, X, y), fitted(model, X, names[y])
    columns = [list(two.classes_).index(names[label]) for label in one.classes_]
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X)[:, columns], atol=1e-5)
    assert (names[one.predict(X)] == two.predict(X)).all()


@over("case", MODELS)
def test_all_weights_times_seven_is_c_by_seven(case):
    """α = 1/(C S): weights seven times as large need a C seven times as small for the same formula."""
    model, (X, y) = case[0], PROBLEMS[case[1]]()
    weight = np.random.default_rng(3).uniform(0.5, 2, size=len(X))
    heavy = fitted(model, X, y, 7 * weight, **strength(model, 1, 7))
    assert_same(fitted(model, X, y, weight), heavy, X)


@over("case", MODELS)
def test_the_data_twice_is_half_the_c(case):
    model, (X, y) = case[0], PROBLEMS[case[1]]()
    twice = fitted(model, np.r_[X, X], np.r_[y, y], **strength(model, 1, 2))
    assert_same(fitted(model, X, y), twice, X)


@over("case", {name: case for name, case in MODELS.items() if case[1] != "linear"})
def test_class_weights_are_sample_weights(case):
    model, (X, y) = case[0], PROBLEMS[case[1]]()
    factors = {0: 0.5, 1: 2.0, 2: 3.0}
    weight = np.random.default_rng(3).uniform(0.5, 2, size=len(X))
    named = {label: factors[label] for label in np.unique(y)}
    one = fitted(model, X, y, weight, class_weight=named)
    two = fitted(model, X, y, weight * np.array([factors[label] for label in y]))
    assert_same(one, two, X)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_two_class_softmax_is_logistic_regression_at_twice_the_c(scale):
    """±w/2 in two rows costs half of what w costs in one: the same probabilities need half the C in the softmax."""
    X, y = PROBLEMS["two classes"]()
    logistic = fitted(ol.LogisticRegression(C=scale, **TIGHT), X, y)
    softmax = fitted(ol.SoftmaxRegression(C=scale / 2, **TIGHT), X, y)
    np.testing.assert_allclose(softmax.predict_proba(X), logistic.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(softmax.coef_[1] - softmax.coef_[0], logistic.coef_[0], atol=1e-5)
    np.testing.assert_allclose(softmax.coef_[0], -softmax.coef_[1], atol=1e-6)


def test_the_docstring_says_which_c_belongs_to_which():
    text = " ".join(ol.SoftmaxRegression.__doc__.split())
    assert "its C is twice" not in text


@over("case", MODELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_standardize_is_fitting_on_standardised_features(case, weighted):
    model, (X, y) = case[0], PROBLEMS[case[1]]()
    X = X * [1.0, 100.0, 0.01, 3.0] + [5.0, 0.0, 0.0, -20.0]
    weight = np.random.default_rng(3).uniform(0.5, 2, size=len(X)) if weighted else np.ones(len(X))
    mean = np.average(X, axis=0, weights=weight) if model.fit_intercept else np.zeros(4)
    deviation = np.sqrt(np.average((X - np.average(X, axis=0, weights=weight)) ** 2, axis=0, weights=weight))
    flown = fitted(model, X, y, weight, standardize=True)
    explicit = fitted(model, (X - mean) / deviation, y, weight, standardize=False)
    assert_same(explicit, explicit, X)
    assert flown.result_.objective == pytest.approx(explicit.result_.objective, rel=1e-12)
    np.testing.assert_allclose(flown.coef_ * deviation, explicit.coef_, atol=1e-5)
    back = np.asarray(explicit.intercept_) - (explicit.coef_ / deviation) @ mean
    np.testing.assert_allclose(flown.intercept_, back, atol=1e-4)


@pytest.mark.parametrize("constant", [0.0, 0.1, 5.0, 1e-8, 1e8])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_standardize_leaves_a_constant_column_alone(constant, fit_intercept):
    X, y = classes(count=2)
    X = np.c_[X, np.full(len(X), constant)]
    model = ol.LogisticRegression(standardize=True, fit_intercept=fit_intercept, max_iter=500).fit(X, y)
    assert model.result_.status == "converged"
    if fit_intercept:
        without = ol.LogisticRegression(standardize=True).fit(X[:, :-1], y)
        np.testing.assert_allclose(
            model.decision_function(X), without.decision_function(X[:, :-1]), atol=5e-3
        )


@over("solver", SOLVERS)
@over("case", {name: MODELS[name] for name in ("linear", "least squares", "logistic", "softmax")})
def test_every_solver_finds_the_optimum(solver, case):
    model, (X, y) = case[0], PROBLEMS[case[1]](features=3)
    if solver.name == "sketched-newton" and not getattr(model, "alpha", 1.0):
        pytest.skip("it needs a penalty")
    best = fitted(model, X, y)
    found = fitted(model, X, y, solver=solver, tol=1e-8)
    assert found.result_.objective <= best.result_.objective * (1 + 1e-8)
    assert found.result_.objective >= best.result_.objective * (1 - 1e-12)


@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_solvers_of_kinked_penalties_agree(ratio):
    X, y = regression(features=3)
    # Backtracking has a floor: below a gap of 3e-9 steps that are too long pass for rounding.
    settings = {"alpha": 0.3, "l1_ratio": ratio, "tol": 1e-8}
    found = [
        fitted(ol.LinearRegression(solver=SOLVERS[name], **settings), X, y).result_.objective
        for name in ("gradient descent", "gradient descent, fixed rate", "sgd, all rows")
    ]
    assert max(found) <= min(found) * (1 + 1e-8)


def test_a_multi_target_regression_is_one_regression_for_each():
    X, y = regression()
    Y = np.c_[y, -2 * y + X[:, 0] ** 2]
    both = fitted(ol.LinearRegression(alpha=0.1, **TIGHT), X, Y)
    for k in range(2):
        one = fitted(ol.LinearRegression(alpha=0.1, **TIGHT), X, Y[:, k])
        np.testing.assert_allclose(both.coef_[k], one.coef_, atol=1e-6)
        np.testing.assert_allclose(both.predict(X)[:, k], one.predict(X), atol=1e-6)


@over("case", MODELS)
def test_lists_arrays_tensors_and_frames_are_the_same_data(case):
    import pandas as pd
    import torch

    model, (X, y) = case[0], PROBLEMS[case[1]]()
    one = fitted(model, X, y)
    for other in (X.tolist(), pd.DataFrame(X), torch.from_numpy(X), np.asfortranarray(X)):
        two = fitted(model, other, y)
        np.testing.assert_array_equal(np.asarray(two.coef_), one.coef_)
        assert isinstance(two.coef_, torch.Tensor) == isinstance(other, torch.Tensor)
