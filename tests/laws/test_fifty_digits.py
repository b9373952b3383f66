"""Three fixed problems and two more against optima to fifty digits: bounds, optima, and tests/exact.py itself."""

import functools

import mpmath
import numpy as np
import pytest
import torch

import onelayer as ol
from exact import Exact, FiftyDigits
from onelayer.certificates import Certifier
from onelayer.designs import DenseDesign
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import make_penalty

# Twelve rows, written down so that nobody's random numbers can change them.
X = np.array(
    [
        [0.5, -1.25],
        [1.5, 0.75],
        [-0.25, 2.0],
        [-1.75, -0.5],
        [2.25, 1.0],
        [0.125, 0.375],
        [-0.875, 1.5],
        [1.0, -2.5],
        [-2.0, 0.625],
        [0.75, 1.75],
        [-1.125, -1.0],
        [1.875, -0.125],
    ]
)
BINARY = np.array([1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0])
THREE = np.array([0, 2, 1, 0, 2, 1, 1, 0, 0, 2, 0, 2])
NUMBERS = np.array([0.3, 2.1, -1.4, -0.9, 9.5, 0.2, -0.6, 1.7, -2.2, -7.5, 0.4, 1.1])
WEIGHT = np.array([1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0, 1.0, 0.25, 1.0, 2.0, 1.0])

PROBLEMS = {
    "logistic, l2": {"y": BINARY, "loss": "logistic", "l2": 2.0**-10},
    "three classes, l2": {
        "y": THREE,
        "loss": "cross-entropy",
        "outputs": 3,
        "l2": 2.0**-16,
        "weight": WEIGHT,
    },
    "logistic": {"y": BINARY, "loss": "logistic"},
    "three classes, no intercept": {"y": BINARY + (X[:, 1] > 1), "loss": "cross-entropy", "outputs": 3},
    "huber": {"y": NUMBERS, "loss": "huber", "weight": WEIGHT},
}
PROBLEMS["three classes, no intercept"] |= {"fit_intercept": False}
LOSSES = {
    "logistic": ol.losses.Logistic(),
    "cross-entropy": ol.losses.CrossEntropy(),
    "huber": ol.losses.Huber(),
}
over_problems = pytest.mark.parametrize("name", list(PROBLEMS))


@functools.cache
def reference(name):
    return FiftyDigits(X, **PROBLEMS[name]).solve()


def objective_of(name):
    problem = {"outputs": 1, "l2": 0.0, "weight": None, "fit_intercept": True, **PROBLEMS[name]}
    y = torch.from_numpy(problem["y"])
    return Objective(
        DenseDesign(torch.from_numpy(X)),
        y if problem["loss"] == "cross-entropy" else y.double().unsqueeze(1),
        LOSSES[problem["loss"]],
        make_penalty(problem["l2"], 0.0),
        outputs=problem["outputs"],
        sample_weight=None if problem["weight"] is None else torch.from_numpy(problem["weight"]),
        fit_intercept=problem["fit_intercept"],
    )


def places(name):
    weight, bias = reference(name).coefficients()
    rng = np.random.default_rng(0)
    yield 0 * weight, 0 * bias
    for distance in (10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 0.0):
        moved = bias + distance * rng.normal(size=bias.shape) * np.any(bias)
        yield weight + distance * rng.normal(size=weight.shape), moved


@over_problems
def test_the_bound_is_not_below_the_distance_and_close_to_it(name):
    certifier, exact = Certifier(objective_of(name)), reference(name)
    near = 0
    for weight, bias in places(name):
        given = Parameters.of(torch.from_numpy(weight), torch.from_numpy(bias))
        certificate = certifier.certify(given, aim=0.0)
        distance, value = exact.distance(weight, bias), exact.value(exact.theta(weight, bias))
        relative = float(distance / value)
        if certificate is None:
            assert not PROBLEMS[name].get("l2")
            assert relative > 1e-4
            continue
        assert certificate.objective == pytest.approx(float(value), rel=1e-14)
        assert mpmath.mpf(certificate.gap) >= distance
        if 1e-12 < relative < 1e-4:
            near += 1
            # Self-concordance gives away its margin for the rounding of factors, the tilt next to nothing.
            assert certificate.gap <= (1.1 if certificate.kind == "self-concordance" else 1.01) * distance
        if relative < 1e-16:
            assert certificate.relative_gap < 1e-15
    assert near >= 3


@over_problems
def test_a_fit_finds_all_digits_that_float64_has(name):
    problem = {"l2": 0.0, "weight": None, "fit_intercept": True, **PROBLEMS[name]}
    settings = {"tol": 1e-14, "solver": "newton", "fit_intercept": problem["fit_intercept"]}
    if problem["loss"] == "huber":
        model = ol.LinearRegression("huber", **settings)
    else:
        total = 12 if problem["weight"] is None else problem["weight"].sum()
        C = 1 / (problem["l2"] * total) if problem["l2"] else np.inf
        model = ol.LogisticRegression(C=C, **settings)
    model.fit(X, problem["y"], problem["weight"])
    assert model.result_.status == "converged"
    weight, bias = reference(name).coefficients()
    if not problem["l2"] and problem["loss"] == "cross-entropy":
        # Without a penalty the classes are known up to a shift.
        weight = weight - weight.mean(axis=0) + model.coef_.mean(axis=0)
    if problem["loss"] == "cross-entropy":
        bias = bias - bias.mean() + model.intercept_.mean()
    np.testing.assert_allclose(model.coef_.reshape(weight.shape), weight, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(
        np.reshape(model.intercept_, -1), bias[: model.intercept_.size], rtol=1e-7, atol=1e-8
    )
    distance = reference(name).distance(model.coef_, model.intercept_)
    assert mpmath.mpf(model.certificate_.gap) >= distance


@over_problems
def test_the_faster_reference_agrees_with_the_slower_one(name):
    """tests/exact.py measures hundreds of problems; here it is measured itself."""
    problem = dict(PROBLEMS[name])
    if problem["loss"] == "logistic":
        problem["y"] = problem["y"].astype(float)
    exact = Exact(X, **problem)
    exact.optimum()
    assert exact.doubt <= 1e-30
    for weight, bias in places(name):
        truly = reference(name).distance(weight, bias)
        if truly > 1e-25:
            assert exact.distance(weight, bias) == pytest.approx(float(truly), rel=1e-8)
