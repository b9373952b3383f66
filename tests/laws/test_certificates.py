"""The one law of certificates: the proven gap is never below the true distance, and small at the optimum."""

import dataclasses
import math

import numpy as np
import pytest
import torch

import onelayer as ol
from onelayer.certificates import Certifier
from onelayer.certificates.tilt import Tilt, tilted
from onelayer.designs import DenseDesign
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import ElasticNet, make_penalty
from references import Problem, solve

SMOOTH = {"logistic": None, "cross-entropy": None, "squared": None, "huber": 1.35}
KINKED = {"absolute": None, "quantile": 0.3}
LOSSES = {
    "logistic": lambda _: ol.losses.Logistic(),
    "cross-entropy": lambda _: ol.losses.CrossEntropy(),
    "squared": lambda _: ol.losses.SquaredError(),
    "huber": ol.losses.Huber,
    "absolute": lambda _: ol.losses.AbsoluteError(),
    "quantile": ol.losses.Quantile,
}


SOLVED = set()


def random_problem(seed, losses):
    """Anything: few rows or many, weights that are zero, columns of any size, one class that is rare."""
    rng = np.random.default_rng(seed)
    loss = list(losses)[seed % len(losses)]
    rows, features = int(rng.integers(5, 200)), int(rng.integers(1, 21))
    X = rng.normal(size=(rows, features)) + rng.normal(size=features) * rng.integers(0, 2)
    X *= 10.0 ** rng.uniform(-2, 2, size=features) if rng.random() < 0.4 else 1.0
    outputs = int(rng.integers(2, 7)) if loss == "cross-entropy" else 1
    outputs = min(outputs, rows)
    signal = X @ (rng.normal(size=(features, outputs)) / X.std(axis=0)[:, None])
    noise = rng.uniform(0.1, 3) * np.sqrt(features)
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
    alpha, ratio = 10 ** rng.uniform(-6, 0), [0.0, 0.0, 0.5, 1.0][rng.integers(4)]
    penalty = ElasticNet(alpha, ratio)
    return Problem(
        X, y, loss, losses[loss], outputs, weight, penalty.l1, penalty.l2, bool(rng.random() < 0.7)
    ), (alpha, ratio)


def objective_of(problem, strength, dtype=torch.float64):
    y = torch.from_numpy(problem.y)
    return Objective(
        DenseDesign(torch.from_numpy(problem.X), dtype),
        y.to(dtype) if y.is_floating_point() else y,
        LOSSES[problem.loss](problem.parameter),
        make_penalty(*strength),
        outputs=problem.outputs,
        sample_weight=None if problem.weight is None else torch.from_numpy(problem.weight).to(dtype),
        fit_intercept=problem.fit_intercept,
    )


def parameters_of(problem, theta):
    theta = torch.from_numpy(theta)
    if problem.fit_intercept:
        return Parameters.of(theta[:, :-1], theta[:, -1])
    return Parameters.of(theta, torch.zeros(problem.outputs, dtype=theta.dtype))


def places(problem, theta, rng):
    """Random places, the start, and places that close in on the optimum."""
    size = np.abs(theta) + 1 / problem.size
    yield problem.zeros()
    yield 100 * size * rng.normal(size=theta.shape)
    for distance in (1.0, 1e-1, 1e-2, 1e-4, 1e-6, 1e-8):
        yield theta + distance * size * rng.normal(size=theta.shape)
    yield theta


def assert_bound(problem, strength, theta, best, seed):
    certifier = Certifier(objective_of(problem, strength))
    assert certifier.obstacle is None
    certificate = None
    for place in places(problem, theta, np.random.default_rng(seed)):
        certificate = certifier.certify(parameters_of(problem, place))
        value = problem.value(place)
        assert certificate.objective == pytest.approx(value, rel=1e-12)
        # `best` is not below the true minimum, so this can only ask too little; 1e-13 |P| is the rounding of P.
        assert certificate.gap >= value - best - 1e-13 * max(1.0, abs(value))
        assert not math.isnan(certificate.gap)
    return certificate


def rounding(problem):
    """What the proof must give away where G has to fit into a box whose walls are not far above its rounding."""
    if problem.l2 or not problem.l1:
        return 0.0
    return 4 * np.sqrt(len(problem.X)) * np.finfo(float).eps * problem.size.max() / problem.l1


@pytest.mark.parametrize("seed", range(72))
def test_gap_is_never_below_the_distance_and_small_at_the_optimum(seed):
    problem, strength = random_problem(seed, SMOOTH)
    theta, best, slope = solve(problem)
    at_optimum = assert_bound(problem, strength, theta, best, seed)
    if slope <= 1e-12:
        assert at_optimum.relative_gap <= 1e-9 + rounding(problem)
        SOLVED.add(seed)


def test_the_reference_solved_nearly_all_of_them():
    """Else the law above would be about nothing."""
    assert len(SOLVED) >= 60


@pytest.mark.parametrize("seed", range(24))
def test_gap_is_never_below_the_distance_for_losses_with_kinks(seed):
    problem, strength = random_problem(seed, KINKED)
    problem = dataclasses.replace(problem, X=problem.X[:, :3])
    theta, best, _ = solve(problem, rounds=20)
    assert_bound(problem, strength, theta, best, seed)


@pytest.mark.parametrize("features", [2, 40])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_without_a_penalty(features, fit_intercept):
    """Also with fewer rows than columns, and with a column twice: the Hessian has no inverse there."""
    rng = np.random.default_rng(features)
    X = rng.normal(size=(30, features)) * 10.0 ** rng.uniform(-3, 3, size=features)
    X[:, -1] = X[:, 0]
    problem = Problem(X, X[:, :1] + rng.normal(size=(30, 1)), "squared", fit_intercept=fit_intercept)
    scale = np.sqrt((problem.rows_with_one**2).mean(axis=0))
    theta = np.linalg.lstsq(problem.rows_with_one / scale, problem.y, rcond=None)[0].T / scale
    best = problem.value(theta)
    certificate = assert_bound(problem, (0.0, 0.0), theta, best, features)
    assert certificate.kind == "quadratic"
    # Either the optimum is zero (fewer rows), and then so is the gap, or it is certified.
    assert certificate.gap <= 1e-9 * max(best, 1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_quadratic_bound_is_the_distance_itself(seed):
    rng = np.random.default_rng(seed)
    problem = Problem(rng.normal(size=(40, 4)), rng.normal(size=(40, 1)), "squared", l2=0.1)
    theta, best, _ = solve(problem)
    place = theta + rng.normal(size=theta.shape)
    gap = Certifier(objective_of(problem, (0.1, 0.0))).certify(parameters_of(problem, place)).gap
    assert gap == pytest.approx(problem.value(place) - best, rel=1e-10)


@pytest.mark.parametrize("loss", ["logistic", "cross-entropy", "huber"])
def test_the_gap_falls_with_the_distance(loss):
    """Where the penalty is not tiny the bound is a small multiple of the distance, not just some large number."""
    problem, _ = random_problem(list(SMOOTH).index(loss) + 4 * 10, SMOOTH)
    problem = dataclasses.replace(problem, X=problem.X / problem.X.std(axis=0), l1=0.0, l2=1.0)
    theta, best, _ = solve(problem)
    certifier = Certifier(objective_of(problem, (1.0, 0.0)))
    for distance in (1e-1, 1e-2, 1e-3):
        place = theta + distance * np.random.default_rng(0).normal(size=theta.shape)
        gap = certifier.certify(parameters_of(problem, place)).gap
        # The condition number of these problems is below 100.
        assert gap <= 200 * (problem.value(place) - best)


@pytest.mark.parametrize("loss", list(SMOOTH))
def test_narrow_arithmetic_does_not_weaken_the_proof(loss):
    problem, strength = random_problem(list(SMOOTH).index(loss), SMOOTH)
    theta, _, _ = solve(problem)
    place = parameters_of(problem, theta + 1e-3)
    wide = Certifier(objective_of(problem, strength)).certify(place)
    problem.y = problem.y.astype(np.float32).astype(problem.y.dtype)
    narrow = Certifier(objective_of(problem, strength, torch.float32)).certify(place)
    # The weights and targets were rounded to float32 before; X was not.
    assert narrow.dtype == "float64"
    assert narrow.gap == pytest.approx(wide.gap, rel=1e-3)


def test_two_class_softmax_is_certified_on_its_flat_direction():
    """A constant added to both rows' intercepts changes nothing, and must not matter."""
    X, y = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 2
    problem = Problem(X, y, "cross-entropy", outputs=2, l2=0.01)
    theta, best, _ = solve(problem)
    for shift in (0.0, 1e3):
        moved = theta + np.array([0, 0, 0, shift])
        certificate = Certifier(objective_of(problem, (0.01, 0.0))).certify(parameters_of(problem, moved))
        assert certificate.gap >= problem.value(moved) - best - 1e-13
        assert certificate.relative_gap <= 1e-9


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-30, 1e30])
def test_columns_of_any_size_are_not_forgotten(size):
    """Squares of 1e-160 are zero in float64: such a column must not be taken for one that does not matter."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 1))
    y = 3 * X + 0.01 * rng.normal(size=(20, 1))
    unit = Problem(X, y, "squared", fit_intercept=False)
    best = solve(unit)[1]
    certificate = Certifier(
        objective_of(Problem(X * size, y, "squared", fit_intercept=False), (0.0, 0.0))
    ).certify(Parameters.zeros(1, 1, dtype=torch.float64, device="cpu"))
    if certificate is not None:
        assert certificate.gap >= unit.value(unit.zeros()) - best - 1e-13


def test_what_has_no_bound_says_so():
    X, y = torch.randn(10, 2, dtype=torch.float64), torch.ones(10, 1, dtype=torch.float64)
    for loss, penalty, reason in [
        (ol.losses.ProbabilitySquaredError(), (1.0, 0.0), "not convex"),
        (ol.losses.AbsoluteError(), (0.0, 0.0), "without a penalty"),
    ]:
        certifier = Certifier(Objective(DenseDesign(X), y, loss, make_penalty(*penalty), outputs=1))
        assert reason in certifier.obstacle
        assert certifier.certify(Parameters.zeros(1, 2, dtype=torch.float64, device="cpu")) is None


def test_a_certificate_speaks_in_numbers():
    certificate = ol.LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, 1.5, 2.0]).certificate_
    text = str(certificate)
    assert "\n" not in text
    assert f"{certificate.gap:.2g}" in text
    assert "float64" in text


STEPS = {
    "logistic": (ol.losses.Logistic(), torch.arange(40).unsqueeze(1) % 3 == 0, 1),
    "cross-entropy": (ol.losses.CrossEntropy(), torch.arange(40) % 3, 3),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("loss", STEPS)
def test_a_tilted_dual_point_meets_the_condition_of_a_free_intercept_before_it_is_mixed(
    loss, weighted, dtype
):
    loss, y, outputs = STEPS[loss]
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(40, 4, generator=generator, dtype=torch.float64) + 1
    weight = torch.linspace(0.5, 2, 40, dtype=torch.float64) if weighted else None
    y = y if loss.per_class else y.double()
    objective = Objective(
        DenseDesign(X), y, loss, make_penalty(0.1, 0.0), outputs=outputs, sample_weight=weight
    )
    base, move = (
        Parameters(0.1 * torch.randn(5 * outputs, generator=generator, dtype=torch.float64), outputs, 4)
        for _ in range(2)
    )
    # In the digits of the solver, whatever these are.
    scores, slopes = objective.scores(base).to(dtype), objective.slopes(move).to(dtype)
    dual, _ = tilted(objective, Tilt(base, move, scores, slopes, 0.0))
    excess = objective._weighted(dual).sum(dim=0)
    assert dual.dtype == torch.float64
    assert excess.abs().max() <= 1e-13 * objective.total_weight


@pytest.mark.parametrize("loss", STEPS)
def test_a_certifier_that_follows_another_proves_the_same(loss):
    loss, y, outputs = STEPS[loss]
    X = torch.randn(40, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = y if loss.per_class else y.double()
    strong, weak = (
        Objective(DenseDesign(X), y, loss, make_penalty(alpha, 0.0), outputs=outputs) for alpha in (1.0, 1e-3)
    )
    here = Parameters(torch.linspace(-0.1, 0.1, 5 * outputs, dtype=torch.float64), outputs, 4)
    before = Certifier(strong.with_penalty(make_penalty(1.0, 0.0)))
    before.certify(here)
    after = Certifier(strong.with_penalty(weak.penalty), before)
    assert after.certify(here) == Certifier(weak).certify(here)
    torch.testing.assert_close(after._fenchel.column_norms, Certifier(weak)._fenchel.column_norms)
