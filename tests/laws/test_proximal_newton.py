"""Exact fits with an L1 part: the optimum, its zeros and its proof, whatever the data are like."""

import warnings

import numpy as np
import pytest
import torch
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

import onelayer as ol
from instances import PROBLEMS, LogCosh, over, regression
from onelayer.designs import DenseDesign
from onelayer.losses.curvature import ProductCurvature
from onelayer.objective import Objective
from onelayer.penalties import make_penalty
from onelayer.solvers import ProximalNewton, minimize
from onelayer.solvers.proximal_newton import models
from references import Problem, solve

LOSSES = {"squared": None, "huber": 1.35, "logistic": None, "cross-entropy": None}
OURS = {
    "squared": lambda _: ol.losses.SquaredError(),
    "huber": ol.losses.Huber,
    "logistic": lambda _: ol.losses.Logistic(),
    "cross-entropy": lambda _: ol.losses.CrossEntropy(),
}
SEEDS = range(48)


def random_problem(seed):
    """Few rows or many, weights that are zero, columns of any size and far from zero, weak penalties and strong ones."""
    rng = np.random.default_rng(seed)
    loss = list(LOSSES)[seed % len(LOSSES)]
    rows, features = int(rng.integers(8, 120)), int(rng.integers(1, 16))
    X = rng.normal(size=(rows, features)) + rng.normal(size=features) * rng.integers(0, 3)
    X *= 10.0 ** rng.uniform(-1, 1, size=features) if rng.random() < 0.4 else 1.0
    outputs = int(rng.integers(2, 6)) if loss == "cross-entropy" else 1
    signal = X @ (rng.normal(size=(features, outputs)) / X.std(axis=0)[:, None])
    noise = rng.uniform(0.3, 3) * np.sqrt(features)
    if loss == "cross-entropy":
        y = (signal + noise * rng.gumbel(size=signal.shape)).argmax(axis=1)
        y[:outputs] = np.arange(outputs)
    elif loss == "logistic":
        y = (signal + noise * rng.logistic(size=signal.shape) > 0).astype(float)
        y[:2, 0] = 0, 1
    else:
        y = signal + noise * rng.standard_t(2, size=signal.shape)
    weight = None
    if rng.random() < 0.5:
        weight = rng.uniform(0.1, 5, size=rows)
        weight[7::5] = 0
    alpha, ratio = 10 ** rng.uniform(-4, 0), [0.01, 0.5, 1.0][rng.integers(3)]
    strength = alpha * ratio, alpha * (1 - ratio)
    free = bool(rng.random() < 0.7)
    return Problem(X, y, loss, LOSSES[loss], outputs, weight, *strength, free), (alpha, ratio)


def objective_of(problem, strength):
    return Objective(
        DenseDesign(torch.from_numpy(problem.X)),
        torch.from_numpy(problem.y),
        OURS[problem.loss](problem.parameter),
        make_penalty(*strength),
        outputs=problem.outputs,
        sample_weight=None if problem.weight is None else torch.from_numpy(problem.weight),
        fit_intercept=problem.fit_intercept,
    )


def fitted(problem, strength, tol=1e-10):
    objective = objective_of(problem, strength)
    return minimize(ProximalNewton(), objective, objective.zeros(), tol=tol)


def theta_of(problem, outcome):
    weight, bias = outcome.parameters.weight.numpy(), outcome.parameters.bias.numpy()
    return np.c_[weight, bias] if problem.fit_intercept else weight


@pytest.mark.parametrize("seed", SEEDS)
def test_the_optimum_of_random_problems(seed):
    problem, strength = random_problem(seed)
    outcome = fitted(problem, strength)
    assert outcome.result.status == "converged", outcome.result.message
    theta = theta_of(problem, outcome)
    value = problem.value(theta)
    # The reference ends at some point: P there is not below the minimum.
    _, best, _ = solve(problem)
    assert value - best <= 1e-10 * abs(value)
    assert outcome.certificate.gap >= value - best - 1e-14 * abs(value)
    assert outcome.certificate.objective == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_optimum_meets_the_conditions_of_karush_kuhn_and_tucker(seed):
    problem, strength = random_problem(seed)
    outcome = fitted(problem, strength, tol=1e-11)
    theta = theta_of(problem, outcome)
    gradient = problem.parts(theta)[1]
    kink = problem.l1 * problem.penalised
    at_zero = np.maximum(np.abs(gradient) - kink, 0)
    push = np.where(theta == 0, at_zero, np.abs(gradient + kink * np.sign(theta)))
    # A coefficient alone could lower P by push²/2h, h its curvature, were it not near to its kink.
    curve = problem.size**2 + problem.l2
    gain = np.where((theta == 0) | (push < curve * np.abs(theta)) | (kink == 0), push**2 / (2 * curve), 0)
    assert gain.max() <= outcome.certificate.gap
    assert (np.abs(theta) > 1e-12 / problem.size)[theta != 0].all()


@pytest.mark.parametrize("tol", [1e-2, 1e-6])
@pytest.mark.parametrize("seed", range(16))
def test_the_bound_at_the_end_is_near_the_distance(seed, tol):
    """However early a fit ends: never below the distance, and at most some times of it (or rounding)."""
    problem, strength = random_problem(seed)
    early, late = fitted(problem, strength, tol), fitted(problem, strength, 1e-12)
    distance = early.certificate.objective - late.certificate.objective
    size = abs(early.certificate.objective)
    assert early.certificate.gap >= distance - 1e-14 * size
    assert early.certificate.gap <= 20 * (distance + late.certificate.gap) + 1e-11 * size


# ---- against scikit-learn -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.2, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_lasso_and_elastic_net(ratio, fit_intercept, weighted):
    X, y = regression(features=12)
    y = X[:, :3].sum(axis=1) + 0.1 * y
    weight = np.random.default_rng(0).uniform(0, 2, size=len(y)) if weighted else None
    settings = {"alpha": 0.4, "l1_ratio": ratio, "fit_intercept": fit_intercept}
    theirs = linear_model.ElasticNet(tol=1e-12, max_iter=100_000, **settings).fit(X, y, weight)
    ours = ol.LinearRegression(tol=1e-12, **settings).fit(X, y, weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)
    assert ours.result_.objective <= ol.certify(theirs, X, y, weight).objective * (1 + 1e-12)
    assert ((ours.coef_ == 0) == (theirs.coef_ == 0)).all()
    assert (ours.coef_ == 0).any()


@pytest.mark.parametrize("ratio", [0.5, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("count", ["two classes", "three classes"])
def test_sparse_logistic_regression(count, fit_intercept, ratio):
    X, y = PROBLEMS[count](features=8)
    settings = {"C": 0.3, "l1_ratio": ratio, "fit_intercept": fit_intercept}
    theirs = linear_model.LogisticRegression(
        solver="saga", tol=1e-9, max_iter=20_000, random_state=0, **settings
    )
    theirs.fit(X, y)
    ours = ol.LogisticRegression(tol=1e-11, **settings).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    assert ours.result_.objective <= ol.certify(theirs, X, y).objective * (1 + 1e-11)
    assert (ours.coef_ == 0).any()


def test_liblinear_without_an_intercept():
    X, y = PROBLEMS["two classes"](features=8)
    settings = {"C": 0.3, "l1_ratio": 1.0, "fit_intercept": False}
    theirs = linear_model.LogisticRegression(solver="liblinear", tol=1e-10, max_iter=10_000, **settings).fit(
        X, y
    )
    ours = ol.LogisticRegression(tol=1e-11, **settings).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)


FOREIGN = {
    "lasso": linear_model.Lasso(alpha=0.1),
    "elastic net": linear_model.ElasticNet(alpha=0.1, l1_ratio=0.3),
    "elastic net, no intercept": linear_model.ElasticNet(alpha=0.1, l1_ratio=0.3, fit_intercept=False),
    "saga": linear_model.LogisticRegression(C=0.3, l1_ratio=1.0, solver="saga", random_state=0),
    "saga, elastic net": linear_model.LogisticRegression(C=0.3, l1_ratio=0.5, solver="saga", random_state=0),
    "liblinear": linear_model.LogisticRegression(
        C=0.3, l1_ratio=1.0, solver="liblinear", fit_intercept=False
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@over("model", FOREIGN)
@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-6])
def test_what_is_proven_about_others_is_their_distance(model, tol):
    classes = isinstance(model, linear_model.LogisticRegression)
    X, y = PROBLEMS["two classes" if classes else "linear"](features=12)
    weight = np.random.default_rng(1).uniform(0.5, 2, size=len(y))
    model = model.set_params(tol=tol, max_iter=1000).fit(X, y, weight)
    common = {"l1_ratio": getattr(model, "l1_ratio", 1.0), "fit_intercept": model.fit_intercept, "tol": 1e-13}
    if classes:
        ours = ol.LogisticRegression(C=0.3, **common)
    else:
        ours = ol.LinearRegression(alpha=0.1, **common)
    best = ours.fit(X, y, weight).result_.objective
    certificate = ol.certify(model, X, y, weight)
    distance = certificate.objective - best
    assert certificate.gap >= distance - 1e-15
    assert certificate.gap <= 1.01 * distance + 1e-12


# ---- data that are hard ---------------------------------------------------------------------------------------


def wide():
    X, y = regression(rows=50, features=300, seed=1)
    return X, X[:, :3].sum(axis=1) + 0.3 * y


def correlated():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(100, 1)) + 0.05 * rng.normal(size=(100, 30))
    return X, X[:, :3].sum(axis=1) + rng.normal(size=100)


def repeated():
    """Columns twice, constant ones, and zeros."""
    X, y = regression(rows=80, features=5, seed=3)
    return np.c_[X, X[:, :3], np.ones(80), np.zeros(80), -X[:, 0]], y


def off_centre():
    X, y = regression(rows=80, features=6, seed=4)
    return X + 1e3, y


DATA = {"wide": wide, "correlated": correlated, "repeated": repeated, "off centre": off_centre}


def cut(y, count):
    return np.searchsorted(np.quantile(y, np.arange(1, count) / count), y)


MODELS = {
    "squared": lambda alpha, **rest: ol.LinearRegression(alpha=alpha, **rest),
    "huber": lambda alpha, **rest: ol.LinearRegression("huber", alpha=alpha, **rest),
    "logistic": lambda alpha, **rest: ol.LogisticRegression(C=0.01 / alpha, **rest),
    "softmax": lambda alpha, **rest: ol.SoftmaxRegression(C=0.01 / alpha, **rest),
}


@over("data", DATA)
@over("make", MODELS)
@pytest.mark.parametrize(("alpha", "ratio"), [(0.1, 1.0), (1e-3, 1.0), (1e-6, 1.0), (0.1, 0.5), (1e-2, 1e-6)])
def test_hard_data_end_converged(data, make, alpha, ratio):
    X, y = data()
    if make in (MODELS["logistic"], MODELS["softmax"]):
        y = cut(y, 2 if make is MODELS["logistic"] else 3)
    model = make(alpha, l1_ratio=ratio, tol=1e-6).fit(X, y)
    assert model.result_.status == "converged"
    assert model.result_.solver == "proximal-newton"
    # A column of zeros, or of ones beside an intercept, is of no use to anybody.
    if data is repeated:
        assert (np.atleast_2d(model.coef_)[:, 8:10] == 0).all()


@over("make", MODELS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_penalty_that_leaves_nothing_is_proven_at_once(make, fit_intercept):
    X, y = regression(features=6)
    y = y if make in (MODELS["squared"], MODELS["huber"]) else cut(y, 3 if make is MODELS["softmax"] else 2)
    objective = make(1.0, l1_ratio=1.0, fit_intercept=fit_intercept).objective(X, y)
    objective.penalty = make_penalty(1e-9, 1.0)
    start = ProximalNewton().init(objective, objective.zeros())
    largest = start.gradient.weight.abs().max().item()
    for factor in (1.0 + 1e-12, 10.0):
        objective.penalty = make_penalty(largest * factor, 1.0)
        outcome = minimize(ProximalNewton(), objective, objective.zeros(), tol=1e-10)
        assert (outcome.result.status, outcome.result.n_iter) == ("converged", 0)
        assert not outcome.parameters.weight.any()
    objective.penalty = make_penalty(largest * 0.99, 1.0)
    assert minimize(ProximalNewton(), objective, objective.zeros()).parameters.weight.any()


@pytest.mark.parametrize("C", [1.0, 1e4, 1e8, 1e10])
@over("kind", {"logistic": ol.LogisticRegression, "softmax": ol.SoftmaxRegression})
def test_separated_classes_have_an_optimum(kind, C):
    X, y = np.linspace(-2, 2, 20)[:, None], (np.arange(20) >= 10).astype(int)
    with warnings.catch_warnings():
        # Where P is 1e-9 the last digits depend on the machine's arithmetic.
        warnings.simplefilter("ignore" if C > 1e8 else "error", ConvergenceWarning)
        model = kind(C=C, l1_ratio=1.0, tol=1e-8).fit(X, y)
    assert model.result_.status == "converged" or C > 1e8
    assert model.certificate_.relative_gap <= (1e-8 if C <= 1e8 else 1e-3)
    assert model.score(X, y) == 1.0


def test_two_class_softmax_is_logistic_regression():
    """|w₁| + |w₂| is least, for a difference that is given, at the size of the difference: the same problem."""
    X, y = PROBLEMS["two classes"](features=6)
    one = ol.LogisticRegression(C=0.5, l1_ratio=1.0, tol=1e-11).fit(X, y)
    two = ol.SoftmaxRegression(C=0.5, l1_ratio=1.0, tol=1e-11).fit(X, y)
    assert one.result_.objective == pytest.approx(two.result_.objective, rel=1e-10)
    np.testing.assert_allclose(two.coef_[1] - two.coef_[0], one.coef_[0], atol=1e-6)


# ---- invariances ----------------------------------------------------------------------------------------------

FITS = {
    "squared": (lambda **rest: ol.LinearRegression(alpha=0.1, l1_ratio=0.9, tol=1e-12, **rest), "linear"),
    "huber": (
        lambda **rest: ol.LinearRegression("huber", alpha=0.1, l1_ratio=0.9, tol=1e-12, **rest),
        "linear",
    ),
    "logistic": (lambda **rest: ol.LogisticRegression(C=0.3, l1_ratio=0.9, tol=1e-12, **rest), "two classes"),
    "softmax": (
        lambda **rest: ol.LogisticRegression(C=0.3, l1_ratio=0.9, tol=1e-12, **rest),
        "three classes",
    ),
}


@over("case", FITS)
def test_order_of_rows_and_columns_does_not_matter(case):
    make, problem = case
    X, y = PROBLEMS[problem](features=8)
    rows, columns = (np.random.default_rng(0).permutation(count) for count in X.shape)
    straight, mixed = make().fit(X, y), make().fit(X[rows][:, columns], y[rows])
    np.testing.assert_allclose(mixed.coef_, straight.coef_[..., columns], atol=1e-7)


@over("case", FITS)
def test_weights_count_rows(case):
    make, problem = case
    X, y = PROBLEMS[problem](features=8)
    weight = np.random.default_rng(0).integers(0, 3, size=len(y)).astype(float)
    weight[:3] = 1
    copies = np.repeat(np.arange(len(y)), weight.astype(int))
    weighted, copied = make().fit(X, y, weight), make().fit(X[copies], y[copies])
    np.testing.assert_allclose(weighted.coef_, copied.coef_, atol=1e-7)


@over("case", FITS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_standardised_features_forget_their_units(case, fit_intercept):
    make, problem = case
    X, y = PROBLEMS[problem](features=8)
    unit = 10.0 ** np.linspace(-3, 3, 8)
    shift = 5.0 * fit_intercept
    settings = {"standardize": True, "fit_intercept": fit_intercept}
    plain, scaled = make(**settings).fit(X, y), make(**settings).fit(X * unit + shift, y)
    assert scaled.result_.status == "converged"
    np.testing.assert_allclose(scaled.coef_ * unit, plain.coef_, atol=1e-6)
    assert ((scaled.coef_ == 0) == (plain.coef_ == 0)).all()


def test_an_offset_is_part_of_the_scores():
    X, y = regression(features=6)
    offset = X @ np.arange(6.0)
    settings = {"alpha": 0.1, "l1_ratio": 1.0, "tol": 1e-12}
    objective = ol.LinearRegression(**settings).objective(X, y)
    shifted = Objective(
        objective.design,
        objective.y,
        objective.loss,
        objective.penalty,
        outputs=1,
        offset=torch.from_numpy(offset[:, None]),
    )
    outcome = minimize(ProximalNewton(), shifted, shifted.zeros(), tol=1e-12)
    known = ol.LinearRegression(**settings).fit(X, y - offset)
    np.testing.assert_allclose(outcome.parameters.weight[0], known.coef_, atol=1e-9)


@pytest.mark.parametrize("start", ["zeros", "normal", 3.0])
def test_the_start_does_not_matter(start):
    X, y = PROBLEMS["three classes"](features=8)
    model = ol.LogisticRegression(C=0.3, l1_ratio=0.9, tol=1e-12, init=start, random_state=0).fit(X, y)
    straight = ol.LogisticRegression(C=0.3, l1_ratio=0.9, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coef_, straight.coef_, atol=1e-6)


def test_a_warm_start_at_the_optimum_is_the_end():
    X, y = PROBLEMS["two classes"](features=8)
    model = ol.LogisticRegression(C=0.3, l1_ratio=1.0, warm_start=True).fit(X, y)
    assert model.fit(X, y).n_iter_ == 0


# ---- arithmetic, forms, endings -------------------------------------------------------------------------------


@over("case", FITS)
def test_the_two_forms_of_a_model_lead_to_the_same_optimum(case, monkeypatch):
    make, problem = case
    X, y = PROBLEMS[problem](rows=100, features=20)
    by_matrix = make().fit(X, y)
    monkeypatch.setattr(models, "_SMALL", 0)
    monkeypatch.setattr(models, "_LARGE", 0)
    monkeypatch.setattr(models, "GramModel", None)
    by_rows = make().fit(X, y)
    assert by_rows.result_.status == "converged"
    np.testing.assert_allclose(by_rows.coef_, by_matrix.coef_, atol=1e-7)


@over("case", FITS)
def test_float32_features(case):
    make, problem = case
    X, y = PROBLEMS[problem](features=8)
    narrow = make().set_params(tol=1e-9).fit(X.astype(np.float32), y)
    exact = make().fit(X.astype(np.float32).astype(np.float64), y)
    assert narrow.coef_.dtype == np.float32
    assert narrow.result_.status == "converged"
    np.testing.assert_allclose(narrow.coef_, exact.coef_, atol=1e-5)
    assert ((narrow.coef_ == 0) == (exact.coef_ == 0)).all()


def test_several_targets():
    X, y = regression(features=8)
    Y = np.c_[y, y**2, np.sin(y)]
    settings = {"alpha": 0.1, "l1_ratio": 0.9, "tol": 1e-12}
    together = ol.LinearRegression(**settings).fit(X, Y)
    alone = [ol.LinearRegression(**settings).fit(X, column).coef_ for column in Y.T]
    np.testing.assert_allclose(together.coef_, alone, atol=1e-5)


class Products(ol.losses.CrossEntropy):
    """Cross-entropy as a newcomer would write it: its curvature is known by products only."""

    def curvature(self, scores, y):
        return ProductCurvature(lambda v: self.curvature_product(scores, y, v), scores)


def test_a_loss_that_gives_only_products():
    X, y = PROBLEMS["three classes"](features=6)
    plain = ol.SoftmaxRegression(C=0.3, l1_ratio=0.9, tol=1e-11)
    products = ol.SoftmaxRegression(C=0.3, l1_ratio=0.9, tol=1e-11, loss=Products())
    np.testing.assert_allclose(products.fit(X, y).coef_, plain.fit(X, y).coef_, atol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_loss_without_a_dual_reaches_its_optimum_unproven():
    X, y = regression(features=6)
    model = ol.LinearRegression(LogCosh(), alpha=0.3, l1_ratio=1.0).fit(X, y)
    assert model.certificate_ is None
    assert model.result_.trace[-1].gradient_norm < 1e-6
    assert (model.coef_ == 0).any()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_endings_have_names():
    X, y = PROBLEMS["two classes"](features=8)
    settings = {"C": 3.0, "l1_ratio": 1.0}
    assert ol.LogisticRegression(**settings, tol=1e-300).fit(X, y).result_.status == "stalled"
    assert ol.LogisticRegression(**settings, tol=0).fit(X, y).result_.status == "finished"
    short = ol.LogisticRegression(**settings, tol=1e-12, max_iter=1).fit(X, y)
    assert (short.result_.status, short.n_iter_) == ("max_iter", 1)
    assert short.certificate_.gap > 0
    rule = ol.stopping.MaxIterations(2)
    stopped = ol.LogisticRegression(**settings, solver=ProximalNewton(stop=rule), tol=1e-12).fit(X, y)
    assert stopped.n_iter_ == 2


def test_auto_takes_it_and_says_why():
    X, y = regression(features=6)
    choice = ol.choose_solver(ol.LinearRegression(alpha=0.1, l1_ratio=0.5), X, y)
    assert choice.name == "proximal-newton"
    assert "exact zeros" in str(choice)
    assert "6 coefficients" in str(choice)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_floor_of_the_arithmetic_ends_a_fit():
    """Columns far from zero under a very weak penalty: rounding leaves the gradient no rest, and no proof."""
    X, y = off_centre()
    model = ol.LinearRegression("huber", alpha=1e-6, l1_ratio=1.0, tol=1e-12).fit(1e2 * X, y)
    assert model.result_.status == "stalled"
    assert model.n_iter_ < 60
    assert model.certificate_.relative_gap < 1e-2
