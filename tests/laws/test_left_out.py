"""Leave-one-out from one fit, against as many fits as there are rows."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine

import onelayer as ol
from instances import over
from onelayer.errors import DataError, ParameterError

IRIS, CANCER, DIABETES = (ol.data.load(name) for name in ("iris", "breast-cancer", "diabetes"))
DIGITS, WINE = ol.data.load("digits"), load_wine()


def scaled(X):
    return (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)


SETS = {
    "iris": (scaled(IRIS.X), IRIS.y),
    "wine": (scaled(WINE.data), WINE.target),
    "breast cancer": (scaled(CANCER.X), CANCER.y),
    "digits": (scaled(DIGITS.X[:300]), DIGITS.y[:300]),
    "diabetes above its median": (scaled(DIABETES.X), (DIABETES.y > 140).astype(int)),
}


def refits(model, X, y, **options):
    """The scores of each row by the fit of all others, the penalty as strong beside the sum of the losses."""
    found, params, rows = [], model.get_params(), np.arange(len(y))
    if "alpha" in params:
        params["alpha"] *= len(y) / (len(y) - 1)
    for row in rows:
        rest = rows != row
        given = {name: part[rest] for name, part in options.items()}
        alone = type(model)(**{**params, "tol": 1e-9}).fit(X[rest], y[rest], **given)
        found.append(
            alone.decision_function(X[[row]]) if hasattr(alone, "classes_") else alone.predict(X[[row]])
        )
    return np.concatenate(found)


def log_loss(scores, y):
    if scores.ndim == 1:
        return np.mean(np.logaddexp(0, -scores * np.where(y == np.unique(y)[1], 1, -1)))
    return np.mean(
        np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), np.searchsorted(np.unique(y), y)]
    )


@over("data", SETS)
def test_within_two_percent_of_the_true_log_loss(data):
    X, y = data
    model = ol.LogisticRegression(tol=1e-9).fit(X, y)
    truth = log_loss(refits(model, X, y), y)
    assert -model.loo_score(X, y) == pytest.approx(truth, rel=0.02)
    # More than the loss of the rows that were fitted says.
    assert -model.loo_score(X, y) > log_loss(model.decision_function(X), y)


EXACT = {
    "ridge": (ol.LinearRegression(alpha=0.01), {}),
    "no penalty": (ol.LinearRegression(), {}),
    "no intercept": (ol.LinearRegression(alpha=0.1, fit_intercept=False), {}),
}


@over("case", EXACT)
def test_squared_error_is_exact(case):
    model, _ = case
    X, y = DIABETES.X[:60], DIABETES.y[:60]
    model = type(model)(**model.get_params()).fit(X, y)
    np.testing.assert_allclose(model.loo_decision_function(X, y), refits(model, X, y), rtol=1e-6)
    squares = np.mean((model.loo_decision_function(X, y) - y) ** 2)
    assert -model.loo_score(X, y) == pytest.approx(squares)
    assert model.loo_score(X, y, scoring="r2") == pytest.approx(1 - squares / y.var())


def test_two_targets_are_two_problems():
    X, Y = DIABETES.X[:80], np.c_[DIABETES.y, DIABETES.y**2][:80]
    model = ol.LinearRegression(alpha=0.01).fit(X, Y)
    both = model.loo_decision_function(X, Y)
    one = ol.LinearRegression(alpha=0.01).fit(X, Y[:, 0])
    np.testing.assert_allclose(both[:, 0], one.loo_decision_function(X, Y[:, 0]), rtol=1e-8)


def test_huber_is_near():
    X, y = scaled(DIABETES.X[:80]), DIABETES.y[:80] / 50
    model = ol.LinearRegression("huber", alpha=0.1, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(model.loo_decision_function(X, y), refits(model, X, y), atol=0.1)


def test_softmax_of_two_is_logistic_of_half_its_strength():
    X, y = SETS["breast cancer"]
    one = ol.LogisticRegression(C=1.0, tol=1e-12).fit(X, y)
    two = ol.SoftmaxRegression(C=0.5, tol=1e-12).fit(X, y)
    assert two.loo_score(X, y) == pytest.approx(one.loo_score(X, y), rel=1e-4)
    scores = two.loo_decision_function(X, y)
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], one.loo_decision_function(X, y), atol=2e-3)


def test_rows_in_another_order_rows_of_no_weight_and_shifts_change_nothing():
    X, y = SETS["iris"]
    model = ol.SoftmaxRegression(tol=1e-11).fit(X, y)
    order = np.random.default_rng(0).permutation(len(y))
    assert model.loo_score(X[order], y[order]) == pytest.approx(model.loo_score(X, y), rel=1e-9)
    weight = np.r_[np.ones(150), np.zeros(3)]
    more = ol.SoftmaxRegression(tol=1e-11).fit(np.r_[X, X[:3] + 9], np.r_[y, y[:3]], sample_weight=weight)
    score = more.loo_score(np.r_[X, X[:3] + 9], np.r_[y, y[:3]], sample_weight=weight)
    assert score == pytest.approx(model.loo_score(X, y), rel=1e-4)
    moved = ol.SoftmaxRegression(tol=1e-11).fit(X + 3, y)
    assert moved.loo_score(X + 3, y) == pytest.approx(model.loo_score(X, y), rel=1e-4)


def test_accuracy_weights_offsets_standardisation_and_tensors():
    X, y = IRIS.X, IRIS.y
    model = ol.LogisticRegression(standardize=True, tol=1e-9).fit(X, y)
    truth = refits(model, X, y).argmax(axis=1) == y
    assert model.loo_score(X, y, scoring="accuracy") == pytest.approx(truth.mean(), abs=0.01)
    weight = np.random.default_rng(0).uniform(0.5, 2, 150)
    offset = np.random.default_rng(1).normal(size=(150, 3))
    model = ol.LogisticRegression(tol=1e-9).fit(X, y, sample_weight=weight, offset=offset)
    near = model.loo_decision_function(X, y, sample_weight=weight, offset=offset) - offset
    far = refits(model, X, y, sample_weight=weight, offset=offset)
    assert np.abs(near - far).max() < 0.2 * np.abs(far).max()
    tensors = torch.from_numpy(X), torch.from_numpy(y)
    assert isinstance(ol.LogisticRegression().fit(*tensors).loo_decision_function(*tensors), torch.Tensor)


WRONG = {
    "l1": (
        ol.LogisticRegression(l1_ratio=0.5),
        {},
        r"the penalty has an L1 part, so one Newton step says nothing",
    ),
    "kinks": (
        ol.LinearRegression("absolute", solver="sgd"),
        {},
        r"AbsoluteError\(\) is not smooth and convex, so",
    ),
    "scoring": (
        ol.LogisticRegression(),
        {"scoring": "r2"},
        r"scoring is 'r2': give 'neg_log_loss' or 'accuracy'\.",
    ),
    "theirs": (ol.LinearRegression(), {"scoring": "accuracy"}, r"give 'neg_mean_squared_error' or 'r2'\."),
}


@over("case", WRONG)
def test_what_it_cannot_say_is_refused(case):
    model, options, message = case
    model = type(model)(**model.get_params())
    model.fit(IRIS.X, IRIS.y)
    with pytest.raises(ParameterError, match=message):
        model.loo_score(IRIS.X, IRIS.y, **options)


def test_a_loss_of_classes_that_gives_only_products():
    class Plain(ol.losses.CrossEntropy):
        def curvature(self, scores, y):
            return ol.losses.Loss.curvature(self, scores, y)

    X, y = SETS["iris"]
    model = ol.SoftmaxRegression(tol=1e-9).fit(X, y)
    plain = ol.SoftmaxRegression(loss=Plain(), tol=1e-9).fit(X, y)
    assert plain.loo_score(X, y) == pytest.approx(model.loo_score(X, y), rel=1e-5)


def test_too_many_coefficients_and_streams_are_refused(monkeypatch):
    model = ol.SoftmaxRegression().fit(IRIS.X, IRIS.y)
    with pytest.raises(DataError, match="leave-one-out needs the rows in memory"):
        model.loo_score(ol.data.stream((IRIS.X, IRIS.y)), None)
    monkeypatch.setattr("onelayer.estimators.left_out._COEFFICIENTS", 3)
    with pytest.raises(
        ParameterError,
        match=r"needs the factor of a Hessian of 15 coefficients and .* use a cross-validation",
    ):
        model.loo_score(IRIS.X, IRIS.y)


def test_blocks_of_rows_are_one(monkeypatch):
    X, y = SETS["digits"]
    model = ol.SoftmaxRegression().fit(X, y)
    whole = model.loo_score(X, y)
    monkeypatch.setattr("onelayer.estimators.left_out._NUMBERS", 100_000)
    assert model.loo_score(X, y) == pytest.approx(whole, rel=1e-12)
