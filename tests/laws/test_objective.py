"""Laws of the objective: one formula, whatever the loss, the penalty, the weights and the storage."""

import itertools

import numpy as np
import pytest
import torch

from instances import LOSSES, PENALTIES, draw, over
from onelayer.designs import DenseDesign
from onelayer.objective import Objective
from onelayer.parameters import Parameters

ROWS, FEATURES = 24, 3


def build(loss, penalty, *, fit_intercept=True, weighted=True, offset=True, dtype=torch.float64, seed=0):
    """An objective and a place to stand, away from kinks."""
    rng = np.random.default_rng(seed)
    X = torch.from_numpy(rng.normal(size=(ROWS, FEATURES)))
    scores, y = draw(loss, rows=ROWS, seed=seed)
    outputs = scores.shape[1]
    weight = torch.from_numpy(rng.uniform(0, 3, size=ROWS)).to(dtype) if weighted else None
    if weighted:
        weight[5] = 0
    objective = Objective(
        DenseDesign(X.to(dtype)),
        y.to(dtype) if y.is_floating_point() else y,
        loss,
        penalty,
        outputs=outputs,
        sample_weight=weight,
        offset=torch.from_numpy(rng.normal(size=(ROWS, outputs))).to(dtype) if offset else None,
        fit_intercept=fit_intercept,
    )
    bias = torch.from_numpy(rng.normal(size=outputs)) if fit_intercept else torch.zeros(outputs)
    start = Parameters.of(torch.from_numpy(rng.normal(size=(outputs, FEATURES))).to(dtype), bias.to(dtype))
    return objective, start


def naive(objective, parameters):
    """The formula, row by row."""
    W, b = parameters.weight, parameters.bias
    X = objective.design.X
    s = torch.ones(ROWS, dtype=W.dtype) if objective.sample_weight is None else objective.sample_weight
    o = torch.zeros(ROWS, len(b), dtype=W.dtype) if objective.offset is None else objective.offset
    total = sum(
        s[i] * objective.loss.value((W @ X[i] + b + o[i]).unsqueeze(0), objective.y[i : i + 1]).sum()
        for i in range(ROWS)
    )
    penalty = objective.penalty
    return total / s.sum() + penalty.l1 * W.abs().sum() + penalty.l2 / 2 * (W**2).sum()


def smooth_value(objective, parameters):
    return objective.value(parameters) - objective.penalty.kink.value(parameters.weight)


SETTINGS = list(itertools.product([True, False], repeat=3))


@over("penalty", PENALTIES)
@over("loss", LOSSES)
def test_value_is_the_formula(loss, penalty):
    for fit_intercept, weighted, offset in SETTINGS:
        objective, here = build(loss, penalty, fit_intercept=fit_intercept, weighted=weighted, offset=offset)
        expected = naive(objective, here).item()
        assert objective.value(here) == pytest.approx(expected, rel=1e-13)
        assert objective.point(here).value == pytest.approx(expected, rel=1e-13)
        assert isinstance(objective.value(here), float)


@over("penalty", PENALTIES)
@over("loss", LOSSES)
def test_gradient_is_autograds_of_the_formula(loss, penalty):
    for fit_intercept, weighted, offset in SETTINGS:
        objective, here = build(loss, penalty, fit_intercept=fit_intercept, weighted=weighted, offset=offset)
        flat = here.flat.clone().requires_grad_()
        there = here.like(flat)
        smooth = naive(objective, there) - penalty.l1 * there.weight.abs().sum()
        (expected,) = torch.autograd.grad(smooth, flat)
        gradient = objective.gradient(objective.point(here))
        torch.testing.assert_close(gradient.weight, here.like(expected).weight, rtol=1e-11, atol=1e-13)
        if fit_intercept:
            torch.testing.assert_close(gradient.bias, here.like(expected).bias, rtol=1e-11, atol=1e-13)
        else:
            assert (gradient.bias == 0).all()


@over("penalty", PENALTIES, lambda penalty: penalty.l1 or penalty.l2)
@over("loss", LOSSES, lambda loss: loss.smooth)
def test_gradient_is_the_central_difference(loss, penalty):
    objective, here = build(loss, penalty)
    gradient, h = objective.value_and_gradient(here)[1].flat, 1e-6
    for entry in range(0, len(here.flat), 2):
        move = torch.zeros_like(here.flat)
        move[entry] = h
        difference = smooth_value(objective, here.like(here.flat + move))
        difference -= smooth_value(objective, here.like(here.flat - move))
        assert gradient[entry].item() == pytest.approx(difference / (2 * h), abs=2e-8)


@over("loss", LOSSES, lambda loss: loss.smooth)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_curvature_product_is_the_change_of_the_gradient(loss, fit_intercept):
    objective, here = build(loss, PENALTIES["elastic net"], fit_intercept=fit_intercept)
    rng = torch.Generator().manual_seed(4)
    move = here.like(torch.randn(here.flat.shape, generator=rng, dtype=torch.float64))
    if not fit_intercept:
        move.bias.zero_()
    h = 1e-6
    found = objective.curvature_product(objective.point(here), move).flat
    after, before = (
        objective.value_and_gradient(here.like(here.flat + sign * h * move.flat))[1].flat for sign in (1, -1)
    )
    # A residual within 1e-6 of huber's corner would cost more; none is there.
    torch.testing.assert_close(found, (after - before) / (2 * h), rtol=0, atol=1e-8)


@over("loss", LOSSES)
def test_a_ray_is_the_objective_along_a_line(loss):
    for name in ("none", "l2"):
        objective, here = build(loss, PENALTIES[name])
        generator = torch.Generator().manual_seed(4)
        move = here.like(torch.randn(here.flat.shape, generator=generator, dtype=torch.float64))
        ray = objective.ray(objective.point(here), move)
        for t in (0.0, 1e-3, 1.0, 30.0):
            point, slope = ray.at(t)
            there = here.like(here.flat + t * move.flat)
            value, gradient = objective.value_and_gradient(there)
            assert point.value == pytest.approx(value, rel=1e-12)
            assert slope == pytest.approx((gradient.flat @ move.flat).item(), rel=1e-10, abs=1e-12)
            assert ray.slope(point, t) == slope
            torch.testing.assert_close(point.parameters.flat, there.flat, rtol=0, atol=0)


@over("loss", LOSSES)
@pytest.mark.parametrize("weighted", [True, False])
def test_batches_of_equal_size_average_to_the_whole(loss, weighted):
    objective, here = build(loss, PENALTIES["l2"], weighted=weighted)
    value, gradient = objective.value_and_gradient(here)
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(0))
    parts = [objective.take(index).value_and_gradient(here) for index in order.split(6)]
    assert sum(part for part, _ in parts) / len(parts) == pytest.approx(value, rel=1e-13)
    mean = torch.stack([part.flat for _, part in parts]).mean(dim=0)
    torch.testing.assert_close(mean, gradient.flat, rtol=1e-12, atol=1e-14)


def test_passes_are_counted_in_full_gradients():
    objective, here = build(LOSSES["cross-entropy"], PENALTIES["l2"])
    point = objective.point(here)
    assert objective.passes == 0.5
    gradient = objective.gradient(point)
    assert objective.passes == 1.0
    objective.curvature_product(point, gradient)
    assert objective.passes == 2.0
    ray = objective.ray(point, gradient)
    for t in (0.1, 0.2, 0.3):
        ray.at(t)
    assert objective.passes == 2.5
    objective.take(torch.arange(6)).value_and_gradient(here)
    assert objective.passes == 2.75
    objective.as_dtype(torch.float32).scores(here.to(torch.float32))
    assert objective.passes == 3.25


@over("loss", LOSSES)
def test_other_arithmetic_is_the_same_objective_on_the_same_rows(loss):
    objective, here = build(loss, PENALTIES["l2"], dtype=torch.float32)
    wide = objective.as_dtype(torch.float64)
    assert wide.dtype == torch.float64
    assert wide.design.X.data_ptr() == objective.design.X.data_ptr()
    assert objective.as_dtype(torch.float32) is objective
    value = wide.value(here.to(torch.float64))
    assert objective.value(here) == pytest.approx(value, rel=1e-5)


@over("loss", LOSSES)
def test_the_best_constant_model_is_not_beaten_by_its_neighbours(loss):
    objective, here = build(loss, PENALTIES["l2"], offset=False)
    best, zero = objective.constant_value(), here.like(torch.zeros_like(here.flat))
    for shift in np.linspace(-3, 3, 61):
        for k in range(objective.outputs):
            moved = zero.clone()
            moved.bias[k] += shift
            assert objective.value(moved) >= best - 1e-12
    without = build(loss, PENALTIES["l2"], offset=False, fit_intercept=False)[0]
    assert without.constant_value() == pytest.approx(without.value(zero), rel=1e-14)


def test_weights_are_only_relative():
    objective, here = build(LOSSES["logistic"], PENALTIES["l2"])
    heavy = build(LOSSES["logistic"], PENALTIES["l2"])[0]
    heavy.sample_weight = objective.sample_weight * 1e6
    heavy.total_weight = objective.total_weight * 1e6
    assert heavy.value(here) == pytest.approx(objective.value(here), rel=1e-13)
