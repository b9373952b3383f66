"""Penalised fits: the bound is never below the true distance from the optimum, and tight where a fit ends.

The true distance comes from tests/exact.py, which shares nothing with the library and has three more digits.
"""

import dataclasses
import functools
import math
import warnings

import numpy as np
import pytest
import torch

import onelayer as ol
from exact import Exact
from onelayer.certificates import Certifier
from onelayer.designs import DenseDesign
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import make_penalty
from onelayer.solvers import minimize, resolve_solver

# What the distance itself, a float64 when it is compared, may be off by.
SAME = 1e-12
LOSSES = {
    "logistic": ol.losses.Logistic(),
    "cross-entropy": ol.losses.CrossEntropy(),
    "huber": ol.losses.Huber(),
    "squared": ol.losses.SquaredError(),
}
KINDS = [
    "logistic",
    "cross-entropy",
    "cross-entropy",
    "logistic",
    "huber",
    "cross-entropy",
    "logistic",
    "squared",
]


@dataclasses.dataclass
class Case:
    """A problem in NumPy, what it is in truth, and the tolerance of its fits."""

    exact: Exact
    dtype: torch.dtype
    alpha: float
    tol: float

    @functools.cached_property
    def objective(self):
        """The problem as the library sees it: X is shared, the rest in its arithmetic."""
        exact = self.exact
        y = torch.from_numpy(exact.y)
        return Objective(
            DenseDesign(torch.from_numpy(exact.X), self.dtype),
            y if exact.loss == "cross-entropy" else y.unsqueeze(1).to(self.dtype),
            LOSSES[exact.loss],
            make_penalty(self.alpha, 0.0),
            outputs=exact.outputs,
            sample_weight=None if exact.weight is None else torch.from_numpy(exact.weight).to(self.dtype),
            offset=None if exact.offset is None else torch.from_numpy(exact.offset).to(self.dtype),
            fit_intercept=exact.fit_intercept,
        )


def random_case(seed):
    """Anything: weights that are zero, offsets, 2 to 12 classes, columns of any size, classes all but separated."""
    rng = np.random.default_rng(seed)
    loss = KINDS[seed % len(KINDS)]
    # What float32 holds is the same number in float64, so the reference knows the problem of either arithmetic.
    dtype = torch.float32 if rng.random() < 0.4 else torch.float64
    exactly = np.float32 if dtype == torch.float32 else np.float64
    rows, features = int(rng.integers(8, 120)), int(rng.integers(1, 9))
    outputs = int(rng.integers(2, 13)) if loss == "cross-entropy" else 1
    outputs = min(outputs, rows)
    X = rng.normal(size=(rows, features)) + rng.normal(size=features) * rng.integers(0, 2)
    signal = X @ rng.normal(size=(features, outputs)) / np.sqrt(features)
    noise = 10 ** rng.uniform(-2, 0.7)
    if rng.random() < 0.4:
        X = X * 10.0 ** rng.uniform(-2.5, 2.5, size=features)
    X = X.astype(exactly)
    if loss == "cross-entropy":
        y = (signal + noise * rng.gumbel(size=signal.shape)).argmax(axis=1)
        y[:outputs] = np.arange(outputs)
    elif loss == "logistic":
        y = (signal + noise * rng.logistic(size=signal.shape) > 0)[:, 0].astype(float)
        y[:2] = 0, 1
    else:
        y = (3 * signal + noise * rng.standard_t(2, size=signal.shape))[:, 0].astype(exactly).astype(float)
    weight = offset = None
    if rng.random() < 0.5:
        weight = rng.uniform(0.1, 5, size=rows).astype(exactly).astype(float)
        weight[outputs + 1 :: 5] = 0
    if rng.random() < 0.3:
        offset = rng.normal(size=(rows, outputs)).astype(exactly).astype(float)
    alpha, tol = 10 ** rng.uniform(-8, 0), [1e-3, 1e-6, 1e-9][rng.integers(3)]
    fit_intercept = bool(rng.random() < 0.7)
    return Case(Exact(X, y, loss, outputs, weight, offset, alpha, fit_intercept), dtype, alpha, tol)


def parameters_of(case, phi):
    weight, bias = case.exact.outer(phi)
    return Parameters.of(torch.from_numpy(weight), torch.from_numpy(bias))


def truth(case, parameters):
    """Return the true distance of these parameters, and the true P."""
    weight, bias = (part.double().numpy() for part in (parameters.weight, parameters.bias))
    distance, value = case.exact.distance(weight, bias), case.exact.value(weight, bias)
    assert case.exact.doubt <= 1e-17 * value, "the reference itself was not found"
    return distance, value


def fitted(case, solver, limit):
    objective = case.objective.counted_anew()
    solver = resolve_solver(solver, objective.loss, objective.penalty)
    return minimize(solver, objective, objective.zeros(), tol=case.tol, max_iter=limit)


def assert_true(certificate, distance, value):
    assert math.isfinite(certificate.gap)
    assert certificate.gap >= distance * (1 - SAME)
    assert certificate.objective == pytest.approx(value, rel=1e-11)
    assert certificate.relative_gap == pytest.approx(certificate.gap / value, rel=1e-10)


FITS = [*((seed, "newton") for seed in range(208)), *((seed, "lbfgs") for seed in range(1, 208, 3))]


@pytest.mark.parametrize(("seed", "solver"), FITS)
def test_a_fit_ends_with_a_bound_that_is_true_and_tight(seed, solver):
    """Tight: within a factor of ten, unless the distance is down to the rounding of P."""
    case = random_case(seed)
    outcome = fitted(case, solver, limit=40)
    distance, value = truth(case, outcome.parameters)
    assert_true(outcome.certificate, distance, value)
    converged = outcome.result.status == "converged"
    assert converged or solver == "lbfgs"
    if converged:
        assert outcome.certificate.relative_gap <= case.tol
        assert distance <= 1e-12 * value or outcome.certificate.gap <= 10 * distance


def places(case, rng):
    """The start, random places far from the optimum, places that close in on it, and itself in float64."""
    best = case.exact.optimum()
    size = np.abs(best).astype(float) + 1
    yield 0 * best
    for distance in (30.0, 1.0, 1e-1, 1e-2, 1e-4, 1e-6, 1e-8):
        yield best + distance * size * rng.normal(size=best.shape)
    yield best


@pytest.mark.parametrize("seed", range(1000, 1056))
def test_the_bound_is_true_anywhere_and_tight_near_the_optimum(seed):
    case = random_case(seed)
    certifier = Certifier(case.objective)
    assert certifier.obstacle is None
    for place in places(case, np.random.default_rng(seed)):
        parameters = parameters_of(case, place)
        certificate = certifier.certify(parameters, aim=0.0)
        distance, value = truth(case, parameters)
        assert_true(certificate, distance, value)
        if 1e-12 < distance / value < 1e-6:
            assert certificate.gap <= 1.5 * distance


@pytest.mark.parametrize("alpha", [1e-2, 1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("loss", ["logistic", "cross-entropy"])
def test_the_tilt_is_tight_where_the_gradient_proves_nothing(loss, alpha):
    rng = np.random.default_rng(0)
    X, outputs = rng.normal(size=(60, 4)), 3 if loss == "cross-entropy" else 1
    y = np.arange(60) % 3 if outputs == 3 else (np.arange(60) % 2).astype(float)
    case = Case(Exact(X, y, loss, outputs, l2=alpha), torch.float64, alpha, 0.0)
    place = parameters_of(case, case.exact.optimum() + 1e-3 * rng.normal(size=(outputs, 5)))
    distance, value = truth(case, place)
    certifier = Certifier(case.objective)
    plain, tilted = certifier.certify(place), certifier.certify(place, aim=0.0)
    assert (plain.kind, tilted.kind) == ("gradient-point", "tilted-point")
    assert tilted.gap <= 1.01 * distance
    # ‖∇P‖²/2α against ½ ∇PᵀH⁻¹∇P; far out the bound is that P ≥ 0.
    assert plain.gap >= min(0.01 / alpha * distance, 0.5 * value)
    # One that is good enough for the aim is left alone.
    assert certifier.certify(place, aim=1.0).kind == "gradient-point"


@pytest.mark.parametrize("loss", ["logistic", "cross-entropy"])
@pytest.mark.parametrize("alpha", [1e-6, 1e-8])
def test_where_p_is_all_but_zero_the_bound_keeps_its_digits(loss, alpha):
    """Classes that are separated: P is 1e-5, and sums of q log q/p that cancel would be wrong by 1e-16."""
    rng = np.random.default_rng(5)
    for _ in range(12):
        X, outputs = rng.normal(size=(60, 3)), 3 if loss == "cross-entropy" else 1
        y = (X[:, :outputs]).argmax(axis=1) if outputs == 3 else (X[:, 0] > 0).astype(float)
        case = Case(Exact(X, y, loss, outputs, l2=alpha), torch.float64, alpha, 0.0)
        best = case.exact.optimum()
        certifier = Certifier(case.objective)
        for size in (1e-3, 1e-4, 1e-5):
            place = parameters_of(case, best * (1 + size * rng.normal(size=best.shape)))
            distance, value = truth(case, place)
            certificate = certifier.certify(place, aim=0.0)
            assert value < 1e-2
            assert_true(certificate, distance, value)


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
@pytest.mark.parametrize("seed", range(16))
def test_estimators_tell_the_truth_about_the_coefficients_they_return(seed, solver):
    """Through the front door: C, class weights, labels, float32 coefficients, standardised features."""
    rng = np.random.default_rng(seed)
    exactly = np.float32 if seed % 2 else np.float64
    count, standardize = 2 + seed % 4, seed % 3 == 0
    X = (rng.normal(size=(90, 4)) + 1).astype(exactly)
    y = (X @ rng.normal(size=(4, count)) + 0.7 * rng.gumbel(size=(90, count))).argmax(axis=1)
    y[:count] = np.arange(count)
    weight = rng.integers(0, 4, size=90).astype(float)
    weight[:count] = 1
    C, tol = 10 ** rng.uniform(-2, 5), [1e-3, 1e-6, 1e-9][seed % 3]
    settings = {"C": C, "tol": tol, "solver": solver, "standardize": standardize, "max_iter": 200}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ol.LogisticRegression(**settings).fit(X, np.array(list("wolfs"))[y], weight)
    names = list(model.classes_)
    labels = np.array([names.index("wolfs"[label]) for label in y])
    seen = X.astype(float)
    if standardize:
        mean = np.average(seen, axis=0, weights=weight)
        scale = np.sqrt(np.average((seen - mean) ** 2, axis=0, weights=weight))
        seen = (seen - mean) / scale
    outputs = 1 if count == 2 else count
    loss = "logistic" if count == 2 else "cross-entropy"
    target = labels.astype(float) if count == 2 else labels
    exact = Exact(seen, target, loss, outputs, weight, l2=1 / (C * weight.sum()))
    coef, intercept = model.coef_.astype(float), model.intercept_.astype(float)
    if standardize:
        intercept, coef = intercept + coef @ mean, coef * scale
    exact.optimum()
    distance, value = exact.distance(coef, intercept), exact.value(coef, intercept)
    certificate = model.certificate_
    # Undoing the standardisation rounds once more, in the dtype of the coefficients.
    noise = (1e3 * np.finfo(exactly).eps) ** 2 * value if standardize else 0.0
    assert certificate.gap >= distance * (1 - SAME) - noise
    if model.result_.status == "converged" and distance > 1e-12 * value + 10 * noise:
        assert certificate.gap <= 10 * distance
