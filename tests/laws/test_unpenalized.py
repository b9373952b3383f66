"""Fits without a penalty: self-concordance, projected points and the quadratic form, against the true distance."""

import math

import numpy as np
import pytest
import torch

import onelayer as ol
from exact import Exact
from onelayer.certificates import Certifier
from onelayer.designs import DenseDesign
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import NoPenalty
from onelayer.solvers import minimize, resolve_solver

LOSSES = {
    "logistic": (ol.losses.Logistic(), "self-concordance"),
    "cross-entropy": (ol.losses.CrossEntropy(), "self-concordance"),
    "huber": (ol.losses.Huber(), "projected-point"),
    "squared": (ol.losses.SquaredError(), "quadratic"),
}


def random_problem(seed):
    """Classes that overlap, weights that are zero, offsets, badly scaled columns."""
    rng = np.random.default_rng(seed)
    loss = list(LOSSES)[seed % len(LOSSES)]
    features = int(rng.integers(1, 6))
    outputs = int(rng.integers(2, 6)) if loss == "cross-entropy" else 1
    rows = int(rng.integers(12, 40)) * max(outputs, 2)
    X = rng.normal(size=(rows, features)) + rng.normal(size=features) * rng.integers(0, 2)
    signal = X @ rng.normal(size=(features, outputs)) / np.sqrt(features)
    noise = rng.uniform(0.7, 3)
    if rng.random() < 0.4:
        X = X * 10.0 ** rng.uniform(-3, 3, size=features)
    if loss == "cross-entropy":
        y = (signal + noise * rng.gumbel(size=signal.shape)).argmax(axis=1)
        # Each place twice, with two labels: no direction separates the classes.
        y[rows // 2 :] = (y[: rows - rows // 2] + rng.integers(1, outputs, size=rows - rows // 2)) % outputs
        X[rows // 2 :] = X[: rows - rows // 2]
        y[:outputs] = np.arange(outputs)
    elif loss == "logistic":
        y = (signal + noise * rng.logistic(size=signal.shape) > 0)[:, 0].astype(float)
        y[rows // 2 :], X[rows // 2 :] = 1 - y[: rows - rows // 2], X[: rows - rows // 2]
    else:
        y = (3 * signal + noise * rng.standard_t(2, size=signal.shape))[:, 0]
    weight = offset = None
    if rng.random() < 0.5:
        weight = rng.uniform(0.1, 5, size=rows)
        weight[outputs + 1 : rows // 3 : 5] = 0
    if rng.random() < 0.3:
        offset = rng.normal(size=(rows, outputs))
    return Exact(X, y, loss, outputs, weight, offset, 0.0, bool(rng.random() < 0.7))


def objective_of(exact):
    y = torch.from_numpy(exact.y)
    return Objective(
        DenseDesign(torch.from_numpy(exact.X)),
        y if exact.loss == "cross-entropy" else y.unsqueeze(1),
        LOSSES[exact.loss][0],
        NoPenalty(),
        outputs=exact.outputs,
        sample_weight=None if exact.weight is None else torch.from_numpy(exact.weight),
        offset=None if exact.offset is None else torch.from_numpy(exact.offset),
        fit_intercept=exact.fit_intercept,
    )


def parameters_of(exact, phi):
    weight, bias = exact.outer(phi)
    return Parameters.of(torch.from_numpy(weight), torch.from_numpy(bias))


def truth(exact, parameters):
    """Return the true distance of these parameters, and the true P."""
    weight, bias = parameters.weight.numpy(), parameters.bias.numpy()
    distance, value = exact.distance(weight, bias), exact.value(weight, bias)
    assert exact.doubt <= 1e-17 * value, "the reference itself was not found"
    return distance, value


# Of the distance: what the float64 numbers that are compared may be off by.
SAME = 1e-12


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
@pytest.mark.parametrize("seed", range(80))
def test_a_fit_ends_with_a_bound_that_is_true_and_tight(seed, solver):
    exact = random_problem(seed)
    objective = objective_of(exact)
    tol = [1e-3, 1e-6, 1e-9][seed // 4 % 3]
    solver = resolve_solver(solver, objective.loss, objective.penalty)
    outcome = minimize(solver, objective, objective.zeros(), tol=tol, max_iter=300)
    assert outcome.result.status == "converged"
    certificate = outcome.certificate
    assert certificate.kind == LOSSES[exact.loss][1]
    assert certificate.weight_radius is None
    distance, value = truth(exact, outcome.parameters)
    assert certificate.relative_gap <= tol
    assert certificate.gap >= distance * (1 - SAME)
    assert distance <= 1e-12 * value or certificate.gap <= 10 * distance


@pytest.mark.parametrize("seed", range(100, 160))
def test_the_bound_is_true_wherever_there_is_one_and_tight_near_the_optimum(seed):
    exact = random_problem(seed)
    best = exact.optimum()
    certifier = Certifier(objective_of(exact))
    assert certifier.obstacle is None
    rng, size = np.random.default_rng(seed), np.abs(best).astype(float) + 1
    for step in (30.0, 1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 0.0):
        parameters = parameters_of(exact, best + step * size * rng.normal(size=best.shape))
        certificate = certifier.certify(parameters)
        distance, value = truth(exact, parameters)
        if certificate is None:
            # Far away nothing is proven; near the optimum something must be.
            assert step >= (1e-3 if exact.loss == "huber" else 1e-2)
            continue
        assert certificate.gap >= distance * (1 - SAME)
        assert math.isfinite(certificate.gap)
        if 1e-12 < distance / value < 1e-4:
            assert certificate.gap <= 1.5 * distance


def test_the_quadratic_form_is_the_distance_itself():
    for seed in range(3, 40, 4):
        exact = random_problem(seed)
        certifier = Certifier(objective_of(exact))
        for step in (1.0, 1e-2, 1e-4):
            parameters = parameters_of(exact, exact.optimum() + step)
            distance, value = truth(exact, parameters)
            assert certifier.certify(parameters).gap == pytest.approx(distance, rel=1e-7, abs=1e-15 * value)


# ---- no optimum, no proof ----------------------------------------------------------------------------------


def separated(kind, rows=40):
    """Classes that a plane separates: strictly, but for ties on the plane, or one class from the others only."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(rows, 2))
    y = (X[:, 0] > 0).astype(int)
    if kind == "ties":
        X = np.r_[X, [[0.0, 0.3], [0.0, 0.3]]]
        y = np.r_[y, [0, 1]]
    if kind == "one class of three":
        y = np.where(X[:, 0] > 0, 2, rng.integers(0, 2, size=rows))
    return X, y


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", ["strictly", "ties", "one class of three"])
def test_without_an_optimum_nothing_is_ever_proven(kind, fit_intercept):
    X, y = separated(kind)
    classes = y.max() + 1
    outputs = 1 if classes == 2 else classes
    design = DenseDesign(torch.from_numpy(X))
    target = torch.from_numpy(y) if outputs > 1 else torch.from_numpy(y).double().unsqueeze(1)
    loss = ol.losses.CrossEntropy() if outputs > 1 else ol.losses.Logistic()
    objective = Objective(design, target, loss, NoPenalty(), outputs=outputs, fit_intercept=fit_intercept)
    certifier, solver = Certifier(objective), resolve_solver("newton", loss, NoPenalty())
    # All the way down: the coefficients grow, the gradient vanishes, and in the end the curvature does too.
    state = solver.init(objective, objective.zeros(), tol=0.0)
    for _ in range(60):
        assert certifier.certify(state.parameters) is None
        state = solver.step(objective, state)
        if state.halt:
            break
    for size in (10.0, 1e2, 1e3, 1e4, 1e6):
        direction = torch.zeros(outputs, 2, dtype=torch.float64)
        direction[-1, 0] = size
        assert certifier.certify(Parameters.of(direction, torch.zeros(outputs).double())) is None


# ---- columns that depend on each other ------------------------------------------------------------------------


@pytest.mark.parametrize("loss", list(LOSSES))
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_columns_that_repeat_each_other_do_not_hinder_a_proof(loss, fit_intercept):
    """The same column twice, a sum of two, a constant, a column of zeros: the optimum is an affine space."""
    seed = next(s for s in range(list(LOSSES).index(loss), 400, 4) if random_problem(s).X.shape[1] > 1)
    plain = random_problem(seed)
    plain = Exact(plain.X[:, :2], plain.y, loss, plain.outputs, plain.weight, fit_intercept=fit_intercept)
    X = plain.X
    more = np.c_[X, X[:, 0], X[:, 0] + X[:, 1], np.zeros(len(X))]
    more = np.c_[more, np.full(len(X), 3.0)] if fit_intercept else more
    wide = Exact(more, plain.y, loss, plain.outputs, plain.weight, fit_intercept=fit_intercept)
    certifier = Certifier(objective_of(wide))
    best, rng = plain.optimum(), np.random.default_rng(seed)
    for step in (1e-2, 1e-4):
        weight, bias = plain.outer(best + step * rng.normal(size=best.shape))
        distance = plain.distance(weight, bias)
        padded = np.zeros((plain.outputs, more.shape[1]))
        padded[:, :2] = weight
        # Along the flat directions nothing changes.
        padded[:, 0] += 5
        padded[:, 2] -= 5
        certificate = certifier.certify(Parameters.of(torch.from_numpy(padded), torch.from_numpy(bias)))
        assert certificate is not None
        assert distance * (1 - 1e-9) <= certificate.gap <= 2 * distance + 1e-13


@pytest.mark.parametrize("apart", [1e-4, 1e-6, 1e-7, 3e-8, 1e-8, 1e-9, 1e-11])
@pytest.mark.parametrize("loss", ["logistic", "huber", "squared"])
def test_columns_that_all_but_repeat_each_other_are_not_taken_for_the_same(loss, apart):
    """The small difference of two columns explains y: whoever drops that direction calls a bad fit an optimum."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=40), rng.normal(size=40)
    X = np.c_[one, one + apart * other]
    y = other + 0.5 * rng.logistic(size=40)
    y = (y > 0).astype(float) if loss == "logistic" else y
    # What float64 made of the difference, exactly; P in these terms is the same function.
    apart_columns = np.c_[one, X[:, 1] - one]
    truly = Exact(apart_columns, y, loss)
    without = Exact(one[:, None], y, loss)
    weight, bias = without.outer(without.optimum())
    distance = truly.distance(np.c_[weight, 0.0], bias)
    assert distance > 0.1 * truly.value(np.c_[weight, 0.0], bias)
    given = Parameters.of(torch.from_numpy(np.c_[weight, 0.0]), torch.from_numpy(bias))
    certificate = Certifier(objective_of(Exact(X, y, loss))).certify(given)
    assert certificate is None or certificate.gap >= distance * (1 - 1e-6)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e8, 1e10])
@pytest.mark.parametrize("loss", ["logistic", "huber", "squared"])
def test_columns_far_from_zero_keep_their_digits(loss, far):
    """Times in seconds since 1970: all but constant beside their size, and yet they explain y."""
    rng = np.random.default_rng(1)
    column = np.round(rng.normal(size=60), 3)
    X = np.c_[far + column, rng.normal(size=60)]
    y = 2 * column + rng.logistic(size=60)
    y = (y > 0).astype(float) if loss == "logistic" else y
    truly = Exact(np.c_[X[:, 0] - far, X[:, 1]], y, loss)
    best, certifier = truly.optimum(), Certifier(objective_of(Exact(X, y, loss)))
    without = Exact(X[:, 1:], y, loss)
    weight, bias = without.outer(without.optimum())
    ignorant = np.c_[0.0, weight], bias
    near = truly.outer(best + 1e-3)
    for weight, bias in (ignorant, near):
        # b + w far rounds: what is judged are the numbers that are left.
        given = bias - weight[:, 0] * far
        distance = truly.distance(weight, given + weight[:, 0].astype(np.longdouble) * far)
        certificate = certifier.certify(Parameters.of(torch.from_numpy(weight), torch.from_numpy(given)))
        # The scores of the library, x · w + b, are themselves no better than this.
        noise = 60 * (np.finfo(float).eps * far) ** 2
        assert certificate is None or certificate.gap >= distance * (1 - 1e-5) - noise


# ---- what has no bound says so -----------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["logistic", "cross-entropy"])
def test_too_large_for_a_hessian_is_an_obstacle(monkeypatch, loss):
    from onelayer.certificates import unpenalized

    exact = random_problem(list(LOSSES).index(loss))
    monkeypatch.setattr(unpenalized, "_COEFFICIENTS", 1)
    certifier = Certifier(objective_of(exact))
    assert "too large" in certifier.obstacle
    assert certifier.certify(parameters_of(exact, exact.optimum())) is None


def test_the_message_says_that_a_minimum_exists():
    exact = random_problem(0)
    certificate = Certifier(objective_of(exact)).certify(parameters_of(exact, exact.optimum()))
    assert "a minimum exists" in certificate.message
    assert "optimal weights" not in certificate.message
    assert certificate.to_dict()["kind"] == "self-concordance"
