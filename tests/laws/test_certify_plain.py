"""Certificates for coefficients from anywhere: plain arrays say the same as models, and both say the truth."""

import numpy as np
import pytest
import torch
from sklearn import linear_model
from sklearn.exceptions import NotFittedError

import onelayer as ol
from exact import Exact
from onelayer.errors import ParameterError


def data(count=2, rows=80, seed=0):
    """`count` classes, or numbers for 0; features that are not centred."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3)) * [1.0, 5.0, 0.2] + [0.5, -3.0, 0.0]
    signal = X / [1.0, 5.0, 0.2] @ rng.normal(size=(3, max(count, 1)))
    if not count:
        return X, signal[:, 0] + rng.standard_t(3, size=rows)
    y = (signal + rng.gumbel(size=signal.shape)).argmax(axis=1)
    y[:count] = np.arange(count)
    return X, y


def truth(X, y, count, l2, weight=None, fit_intercept=True, offset=None, loss=None):
    loss = loss or {0: "squared", 2: "logistic"}.get(count, "cross-entropy")
    target = y.astype(float) if count == 2 else y
    outputs = count if loss == "cross-entropy" else 1
    return Exact(X, target, loss, outputs, weight, offset, l2, fit_intercept)


def assert_true(certificate, exact, coef, intercept, tight=10.0):
    distance, value = exact.distance(coef, intercept), exact.value(coef, intercept)
    assert certificate.objective == pytest.approx(value, rel=1e-12)
    assert certificate.gap >= distance * (1 - 1e-12)
    assert certificate.gap <= tight * distance + 1e-14 * value
    assert certificate.relative_gap == pytest.approx(certificate.gap / value)


# ---- models of scikit-learn -----------------------------------------------------------------------------------

MODELS = {
    "plain": {},
    "weak": {"C": 1e4},
    "strong": {"C": 1e-3},
    "none": {"C": np.inf},
    "no intercept": {"fit_intercept": False},
    "balanced": {"class_weight": "balanced"},
    "by class": {"class_weight": {0: 2.0, 1: 0.5}},
    "newton": {"solver": "newton-cholesky"},
    "saga": {"solver": "saga"},
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("name", list(MODELS))
def test_logistic_regression_of_scikit_learn(name, count, weighted):
    settings = MODELS[name]
    X, y = data(count)
    given = (
        np.random.default_rng(1).integers(0, 3, size=len(y)).astype(float) if weighted else np.ones(len(y))
    )
    given[:count] = 1
    model = linear_model.LogisticRegression(**settings, tol=1e-5, max_iter=10_000, random_state=0)
    model.fit(X, y, given if weighted else None)
    factor = np.ones(count)
    if settings.get("class_weight") == "balanced":
        factor = given.sum() / (count * np.bincount(y, weights=given))
    elif settings.get("class_weight"):
        factor = np.array([settings["class_weight"].get(label, 1.0) for label in range(count)])
    weight = given * factor[y]
    l2 = 1 / (settings.get("C", 1.0) * weight.sum())
    exact = truth(X, y, count, l2, weight, settings.get("fit_intercept", True))
    certificate = ol.certify(model, X, y, given if weighted else None)
    assert_true(certificate, exact, model.coef_, model.intercept_)
    assert certificate.kind == ("self-concordance" if name == "none" else "tilted-point")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_ridge_and_least_squares_of_scikit_learn(weighted, fit_intercept):
    X, y = data(0)
    weight = np.random.default_rng(1).uniform(0, 3, size=len(y)) if weighted else None
    total = len(y) if weight is None else weight.sum()
    for model, l2 in (
        (linear_model.Ridge(alpha=4.0, fit_intercept=fit_intercept), 4.0 / total),
        (linear_model.LinearRegression(fit_intercept=fit_intercept), 0.0),
    ):
        model.fit(X, y, weight)
        exact = truth(X, y, 0, l2, weight, fit_intercept)
        assert_true(ol.certify(model, X, y, weight), exact, model.coef_, model.intercept_)
        model.coef_ = model.coef_ + 0.01
        certificate = ol.certify(model, X, y, weight)
        assert certificate.kind == "quadratic"
        assert_true(certificate, exact, model.coef_, model.intercept_, tight=1 + 1e-9)


def test_one_step_of_a_foreign_solver_is_told_apart_from_its_end():
    X, y = data(3)
    gaps = []
    for limit in (1, 3, 10, 1000):
        with pytest.warns() if limit < 1000 else np.errstate():
            model = linear_model.LogisticRegression(max_iter=limit, tol=1e-12).fit(X, y)
        gaps.append(ol.certify(model, X, y).relative_gap)
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 1e-2
    assert gaps[-1] < 1e-12


REFUSED = {
    "liblinear": (linear_model.LogisticRegression(solver="liblinear"), "also penalises the intercept"),
    "lasso by angles": (linear_model.LassoLars(), "no certificate is known for a LassoLars"),
    "huber of others": (linear_model.HuberRegressor(), "no certificate is known for a HuberRegressor"),
    "ridge classifier": (linear_model.RidgeClassifier(), "no certificate is known for a RidgeClassifier"),
}


@pytest.mark.parametrize(("model", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_a_model_with_another_objective_is_refused_with_the_reason(model, reason):
    X, y = data(2)
    with pytest.raises(ParameterError, match=reason):
        ol.certify(model.fit(X, y), X, y)


def test_a_model_that_is_not_fitted_says_so():
    X, y = data(2)
    for model in (linear_model.LogisticRegression(), linear_model.Ridge(), ol.LogisticRegression()):
        with pytest.raises(NotFittedError):
            ol.certify(model, X, y)


# ---- plain arrays ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 1e-6, 0.1])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("count", [2, 3])
def test_plain_coefficients_say_what_a_model_says(count, fit_intercept, alpha, weighted):
    X, y = data(count)
    weight = np.random.default_rng(1).uniform(0, 3, size=len(y)) if weighted else None
    total = len(y) if weight is None else weight.sum()
    C = 1 / (alpha * total) if alpha else np.inf
    model = ol.LogisticRegression(C=C, fit_intercept=fit_intercept, tol=1e-7).fit(X, y, weight)
    words = {"loss": "log", "alpha": alpha, "fit_intercept": fit_intercept}
    one, two = (
        ol.certify(model, X, y, weight),
        ol.certify((model.coef_, model.intercept_), X, y, weight, **words),
    )
    assert one.kind == two.kind
    assert two.objective == pytest.approx(one.objective, rel=1e-14)
    assert two.gap == pytest.approx(one.gap, rel=1e-4, abs=1e-14)
    exact = truth(X, y, count, alpha, weight, fit_intercept)
    assert_true(two, exact, model.coef_, model.intercept_)


@pytest.mark.parametrize("loss", ["squared", "huber", ol.losses.Huber(0.5), "absolute", "quantile"], ids=str)
def test_plain_coefficients_of_a_regression(loss):
    X, y = data(0)
    coef, intercept = np.array([0.3, 0.1, -1.0]), 0.7
    certificate = ol.certify((coef, intercept), X, y, loss=loss, alpha=0.05)
    model = ol.LinearRegression(loss, alpha=0.05)
    objective = model.objective(X, y)
    here = objective.zeros()
    here.weight.copy_(torch.from_numpy(coef))
    here.bias.fill_(intercept)
    assert certificate.objective == pytest.approx(objective.value(here), rel=1e-14)
    if loss in ("squared", "huber"):
        exact = truth(X, y, 0, 0.05, loss=loss)
        assert_true(certificate, exact, coef, intercept, tight=100.0)


FORMS = {
    "arrays": lambda coef, intercept: (coef, intercept),
    "lists": lambda coef, intercept: [coef.tolist(), intercept.tolist()],
    "tensors": lambda coef, intercept: (torch.from_numpy(coef), torch.from_numpy(intercept)),
    "a vector and a number": lambda coef, intercept: (coef[0], float(intercept[0])),
    "parameters of a module": lambda coef, intercept: (
        torch.nn.Parameter(torch.from_numpy(coef)),
        torch.nn.Parameter(torch.from_numpy(intercept)),
    ),
    "a column order": lambda coef, intercept: (np.asfortranarray(coef), intercept),
    "whole numbers": lambda coef, intercept: (np.round(coef).astype(int), np.round(intercept).astype(int)),
}


@pytest.mark.parametrize("form", list(FORMS))
def test_coefficients_come_in_any_form(form):
    X, y = data(2)
    coef, intercept = np.array([[1.0, -0.0, 2.0]]), np.array([-1.0])
    expected = ol.certify((coef, intercept), X, y, loss="log", alpha=0.01)
    for rows in (X, torch.from_numpy(X), X.tolist()):
        found = ol.certify(FORMS[form](coef, intercept), rows, y, loss="log", alpha=0.01)
        assert found.gap == pytest.approx(expected.gap, rel=1e-9)
        assert found.objective == pytest.approx(expected.objective, rel=1e-14)


def test_labels_may_have_names_and_rows_of_coefficients_are_in_their_order():
    X, y = data(3)
    model = linear_model.LogisticRegression().fit(X, y)
    names = np.array(["ant", "bee", "cow"])
    words = {"loss": "log", "alpha": 1 / len(y)}
    expected = ol.certify((model.coef_, model.intercept_), X, y, **words)
    assert ol.certify((model.coef_, model.intercept_), X, names[y], **words).gap == pytest.approx(
        expected.gap
    )
    turned = np.array(["cow", "bee", "ant"])[y]
    assert ol.certify((model.coef_[::-1].copy(), model.intercept_[::-1].copy()), X, turned, **words).gap == (
        pytest.approx(expected.gap, rel=1e-6)
    )


def test_two_rows_of_coefficients_are_softmax_and_one_is_logistic():
    X, y = data(2)
    coef, intercept = np.array([[0.3, 0.1, -0.4]]), np.array([0.2])
    one = ol.certify((coef, intercept), X, y, loss="log", alpha=0.02)
    # Two rows share what one carries: half of it each way, and half the penalty in all.
    two = ol.certify((np.r_[-coef, coef] / 2, np.r_[-intercept, intercept] / 2), X, y, loss="log", alpha=0.04)
    assert two.objective == pytest.approx(one.objective, rel=1e-12)
    assert two.gap == pytest.approx(one.gap, rel=1e-3)


@pytest.mark.parametrize("count", [2, 3])
def test_offsets(count):
    X, y = data(count)
    outputs = 1 if count == 2 else count
    rng = np.random.default_rng(3)
    offset = rng.normal(size=(len(y), outputs))
    coef, intercept = rng.normal(size=(outputs, 3)), rng.normal(size=outputs)
    exact = truth(X, y, count, 0.01, offset=offset)
    certificate = ol.certify((coef, intercept), X, y, offset=offset, loss="log", alpha=0.01)
    assert_true(certificate, exact, coef, intercept, tight=1e3)
    if outputs == 1:
        flat = ol.certify((coef, intercept), X, y, offset=offset[:, 0].tolist(), loss="log", alpha=0.01)
        assert flat.gap == certificate.gap


def test_an_intercept_that_is_not_free_is_an_offset():
    X, y = data(2)
    coef = np.array([[0.3, 0.1, -0.4]])
    words = {"loss": "log", "alpha": 0.02, "fit_intercept": False}
    held = ol.certify((coef, [0.8]), X, y, **words)
    known = ol.certify((coef, [0.0]), X, y, offset=np.full(len(y), 0.8), **words)
    assert held.gap == pytest.approx(known.gap, rel=1e-9)
    assert_true(
        held, truth(X, y, 2, 0.02, fit_intercept=False, offset=np.full(len(y), 0.8)), coef, 0.0, tight=1e3
    )


def test_an_l1_part():
    X, y = data(2)
    coef, intercept = np.array([[0.3, 0.0, -0.4]]), np.array([0.2])
    for ratio in (0.5, 1.0):
        model = ol.LogisticRegression(C=1 / (0.02 * len(y)), l1_ratio=ratio)
        objective = model.objective(X, y)
        here = objective.zeros()
        here.flat.copy_(torch.from_numpy(np.r_[coef[0], intercept]))
        certificate = ol.certify((coef, intercept), X, y, loss="log", alpha=0.02, l1_ratio=ratio)
        assert certificate.objective == pytest.approx(objective.value(here))
        best = model.set_params(tol=1e-12).fit(X, y).result_.objective
        assert certificate.gap == pytest.approx(certificate.objective - best, rel=1e-9)


def test_a_head_trained_by_torch():
    """What the library is for: a linear probe of somebody else's making, with its distance from the best one."""
    X, y = data(3)
    torch.manual_seed(0)
    head = torch.nn.Linear(3, 3).double()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.02, weight_decay=0.0)
    rows, target = torch.from_numpy(X), torch.from_numpy(y)
    gaps = []
    for _ in range(3):
        for _ in range(150):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(head(rows), target)
            (loss + 0.005 * head.weight.square().sum()).backward()
            optimizer.step()
        certificate = ol.certify((head.weight, head.bias), X, y, loss="log", alpha=0.01)
        weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()
        assert_true(certificate, truth(X, y, 3, 0.01), weight, bias)
        gaps.append(certificate.gap)
    assert gaps == sorted(gaps, reverse=True)


def test_nothing_that_is_given_is_changed():
    X, y = data(2)
    coef, intercept, weight = np.ones((1, 3)), np.ones(1), np.ones(len(y))
    copies = [part.copy() for part in (X, y, coef, intercept, weight)]
    ol.certify((coef, intercept), X, y, weight, loss="log", alpha=0.1)
    for before, after in zip(copies, (X, y, coef, intercept, weight), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8])
def test_narrow_features_are_certified_in_float64(dtype):
    X, y = data(2)
    X = (100 + 10 * X).clip(0, 255).astype(dtype)
    coef, intercept = np.array([[0.01, -0.002, 0.003]]), np.array([0.1])
    certificate = ol.certify((coef, intercept), X, y, loss="log", alpha=0.01)
    assert certificate.dtype == "float64"
    assert_true(certificate, truth(X.astype(float), y, 2, 0.01), coef, intercept, tight=1e3)
