"""polish ends at the optimum from wherever it starts, and what it reports of the start is true."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import onelayer as ol
from exchange.saying import said
from instances import PROBLEMS, over
from onelayer.errors import DataError, ParameterError

SGD = ol.solvers.SGD
R, L, S = ol.LinearRegression, ol.LogisticRegression, ol.SoftmaxRegression
MODELS = {
    "linear": (R(alpha=0.1), "linear"),
    "linear, no penalty": (R(), "linear"),
    "huber": (R("huber", alpha=0.1), "linear"),
    "logistic": (L(), "two classes"),
    "logistic, class weights": (L(class_weight={0: 3.0}, fit_intercept=False), "two classes"),
    "logistic, standardised": (L(C=0.1, standardize=True), "two classes"),
    "softmax": (S(), "three classes"),
    "softmax, float32": (S(dtype="float32"), "three classes"),
}
# From a model that a few epochs of SGD have brought somewhere: init, and the coefficients that it means.
STARTS = {
    "itself": lambda model: (None, model),
    "pair": lambda model: ((model.coef_ + 1, model.intercept_), model),
    "module": lambda model: (model.to_module(), model),
    "estimator": lambda model: (copy.deepcopy(model), model),
}


def rough(model, X, y, epochs=3):
    settings = {"solver": SGD(0.05, batch_size=16, epochs=epochs), "random_state": 0, "tol": 0}
    return copy.deepcopy(model).set_params(**settings).fit(X, y).set_params(tol=1e-6)


def value(model, weight, bias, X, y, sample_weight):
    """P by its formula, in NumPy."""
    weight, bias, s = np.atleast_2d(weight).astype(float), np.ravel(bias).astype(float), sample_weight
    z = X @ weight.T + bias
    if isinstance(model, R):
        r = np.abs(z[:, 0] - y)
        loss = np.where(r <= 1, r**2 / 2, r - 0.5) if model.loss == "huber" else r**2 / 2
    else:
        factors = model.class_weight or {}
        s = s * np.array([factors.get(label, 1.0) for label in y])
        z = np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z
        loss = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]
    alpha = model.alpha if isinstance(model, R) else 1 / (model.C * s.sum())
    if model.standardize:
        mean = s @ X / s.sum()
        weight = weight * np.sqrt(s @ (X - mean) ** 2 / s.sum())
    return s @ loss / s.sum() + alpha / 2 * (weight**2).sum()


@over("start", STARTS)
@over("case", MODELS)
def test_it_ends_at_the_optimum_and_the_start_is_measured(case, start):
    model, problem = case
    X, y = PROBLEMS[problem]()
    weight = np.linspace(0.5, 2, len(y))
    begun = rough(model, X, y)
    init, place = start(begun)
    coefficients = init if isinstance(init, tuple) else (place.coef_, place.intercept_)
    expected = value(model, *coefficients, X, y, weight)
    assert begun.polish(X, y, weight, init=init) is begun
    report = begun.polish_report_
    assert begun.result_.status == "converged"
    assert begun.result_.solver in ("newton", "least-squares")
    assert report.objective_start == pytest.approx(expected, rel=1e-12)
    assert report.objective_end == begun.certificate_.objective
    assert begun.certificate_.relative_gap == report.relative_gap <= 1e-6
    assert report.relative == pytest.approx(report.distance_upper / report.objective_end)
    # The smallest possible P, far more exactly than was asked for.
    exact = copy.deepcopy(model).set_params(tol=1e-13, dtype="float64").fit(X, y, weight)
    distance = expected - value(model, exact.coef_, exact.intercept_, X, y, weight)
    slack = 1e-12 * expected
    assert report.distance_lower - slack <= distance <= report.distance_upper + slack
    assert 0 < report.distance_upper - report.distance_lower <= 1.1e-6 * report.objective_end
    assert np.allclose(begun.coef_, exact.coef_, atol=1e-2)


def test_the_report_tells_scores_and_the_largest_change():
    X, y = PROBLEMS["three classes"]()
    model = rough(S(), X, y, epochs=1)
    before, score = model.predict_proba(X), model.score(X, y)
    report = model.polish(X, y).polish_report_
    assert report.largest_change == pytest.approx(np.abs(model.predict_proba(X) - before).max())
    assert (report.score_start, report.score_end) == (score, model.score(X, y))
    text = str(report)
    for words in (
        "The start's objective",
        "above the smallest",
        "certified relative gap",
        "accuracy went",
        "probability",
    ):
        assert words in text
    X, y = PROBLEMS["linear"]()
    line = rough(R(), X, y, epochs=1)
    before, score = line.predict(X), line.score(X, y)
    report = line.polish(X, y).polish_report_
    assert report.largest_change == pytest.approx(np.abs(line.predict(X) - before).max())
    assert (report.score_start, report.score_end) == pytest.approx((score, line.score(X, y)))
    assert "R² went" in str(report)
    assert "change of a prediction" in str(report)
    with pytest.raises(AttributeError):
        report.relative = 0.0
    assert pickle.loads(pickle.dumps(line)).polish_report_ == report  # noqa: S301


def test_offsets_and_rows_of_probabilities():
    rng = np.random.default_rng(3)
    X, offset = rng.normal(size=(90, 4)), rng.normal(size=(90, 3))
    y = rng.dirichlet(np.ones(3), 90)
    model = S(solver=SGD(0.1, batch_size=16, epochs=2), random_state=0).fit(X, y, offset=offset)
    before, score = model.predict_proba(X, offset=offset), model.score(X, y, offset=offset)
    report = model.polish(X, y, offset=offset).polish_report_
    exact = S().fit(X, y, offset=offset)
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=1e-3)
    after = model.predict_proba(X, offset=offset)
    assert report.largest_change == pytest.approx(np.abs(after - before).max())
    assert report.score_start == score
    assert report.score_end == pytest.approx(y[np.arange(90), after.argmax(axis=1)].mean())


@pytest.mark.parametrize("solver", ["auto", "lbfgs"])
def test_a_start_so_far_off_that_no_row_has_curvature(solver):
    """An SGD on columns that were not scaled leaves such coefficients."""
    data = ol.data.load("breast-cancer")
    rough = linear_model.SGDClassifier(loss="log_loss", random_state=0).fit(data.X, data.y)
    assert np.abs(rough.coef_).max() > 1000
    model = L(standardize=True).polish(data.X, data.y, init=rough)
    assert model.result_.n_iter < 50
    assert model.polish_report_.objective_start > 1e3
    warm = L(standardize=True, solver=solver, init=(rough.coef_, rough.intercept_), max_iter=200)
    assert warm.fit(data.X, data.y).result_.status == "converged"
    assert warm.result_.objective == pytest.approx(model.result_.objective, rel=2e-6)


def test_a_pipeline_is_no_start():
    data = ol.data.load("breast-cancer")
    line = make_pipeline(StandardScaler(), linear_model.SGDClassifier(loss="log_loss")).fit(data.X, data.y)
    with pytest.raises(
        ParameterError, match=r"init is a pipeline, .*: give init=pipeline\[-1\] and X=pipeline"
    ):
        L().polish(data.X, data.y, init=line)


def test_a_start_at_the_optimum_is_found_to_be_there():
    X, y = PROBLEMS["two classes"]()
    model = L(tol=1e-12).fit(X, y)
    report = model.polish(X, y).polish_report_
    assert report.distance_lower == 0
    assert 0 < report.distance_upper <= 1e-11
    assert report.largest_change < 1e-5


def test_starts_of_another_form():
    X, y = PROBLEMS["two classes"]()
    one, two = L().fit(X, y), S(C=0.5).fit(X, y)
    # Two rows of weights at half the C have the probabilities of one score, and P is the same but for its scale.
    assert copy.deepcopy(one).polish(X, y, init=two).polish_report_.relative < 1e-5
    assert copy.deepcopy(one).polish(X, y, init=two.to_module()).polish_report_.relative < 1e-5
    assert copy.deepcopy(two).polish(X, y, init=one).polish_report_.relative < 1e-5
    theirs = linear_model.LogisticRegression(tol=1e-3).fit(X, y)
    report = L().polish(X, y, init=theirs).polish_report_
    assert 0 < report.distance_upper < 1e-2
    ridge = linear_model.Ridge(alpha=6.0, fit_intercept=False).fit(*PROBLEMS["linear"]())
    model = R(alpha=6 / 60, fit_intercept=False).polish(*PROBLEMS["linear"](), init=ridge)
    assert model.polish_report_.relative < 1e-6


def test_a_fit_forgets_the_report():
    X, y = PROBLEMS["two classes"]()
    model = L().fit(X, y).polish(X, y)
    assert hasattr(model, "polish_report_")
    assert not hasattr(model.fit(X, y), "polish_report_")


def test_without_a_proof_the_start_is_bounded_from_below():
    X, y = PROBLEMS["two classes"]()
    model = rough(L(loss="probability-squared", tol=1e-3), X, y)
    with pytest.warns(ConvergenceWarning, match="not convex"):
        model.polish(X, y)
    report = model.polish_report_
    assert report.distance_upper == report.relative == math.inf
    assert report.relative_gap is None
    assert report.distance_lower == pytest.approx(report.objective_start - report.objective_end)
    assert "at least" in str(report)
    assert "nothing is proven" in str(report)


def test_tensors_in_tensors_out():
    X, y = (torch.from_numpy(part) for part in PROBLEMS["three classes"]())
    model = rough(S(), X.float(), y).polish(X.float(), y)
    assert model.coef_.dtype == torch.float32
    assert model.predict(X.float()).dtype == torch.int64


def test_callbacks_watch_it():
    X, y = PROBLEMS["two classes"]()
    path = ol.callbacks.Iterates()
    model = L().fit(X, y).set_callbacks(path)
    model.polish(X, y, init=(np.ones((1, 4)), [0.5]))
    assert path.parameters[0].tolist() == [1, 1, 1, 1, 0.5]


X, Y = PROBLEMS["three classes"]()
FITTED = S().fit(X, Y)
WRONG = {
    "other classes": (lambda m: m.polish(X, Y + 1), DataError, ["[0, 1, 2]", "[1, 2, 3]"]),
    "a class missing": (lambda m: m.polish(X[Y < 2], Y[Y < 2]), DataError, ["[0, 1, 2]", "[0, 1]"]),
    "other columns": (lambda m: m.polish(X[:, :3], Y), DataError, ["3 features", "4"]),
    "shape": (
        lambda m: m.polish(X, Y, init=(np.ones((2, 4)), np.ones(2))),
        ParameterError,
        ["(2, 4)", "(3, 4)"],
    ),
    "bias": (
        lambda m: m.polish(X, Y, init=(np.ones((3, 4)), np.ones(2))),
        ParameterError,
        ["(2,)", "(outputs,)"],
    ),
    "nan": (lambda m: m.polish(X, Y, init=(np.full((3, 4), np.nan), np.ones(3))), ParameterError, ["NaN"]),
    "text": (lambda m: m.polish(X, Y, init=("a", "b")), ParameterError, ["not numeric"]),
    "number": (lambda m: m.polish(X, Y, init=3), ParameterError, ["init is 3", "torch.nn.Linear"]),
    "module": (lambda m: m.polish(X, Y, init=torch.nn.ReLU()), ParameterError, ["ReLU"]),
    "intercept": (
        lambda m: m.set_params(fit_intercept=False).polish(X, Y, init=FITTED),
        ParameterError,
        ["fit_intercept is False"],
    ),
}


@over("case", WRONG)
def test_what_is_said_and_the_model_stays(case):
    action, kind, words = case
    model = copy.deepcopy(FITTED)
    before = copy.deepcopy({name: part for name, part in vars(model).items() if name.endswith("_")})
    said(lambda: action(model), *words, kind=kind)
    assert {name for name in vars(model) if name.endswith("_")} == set(before)
    assert np.array_equal(model.coef_, before["coef_"])
    assert model.result_ == before["result_"]


def test_there_must_be_a_start():
    with pytest.raises(NotFittedError):
        S().polish(X, Y)
