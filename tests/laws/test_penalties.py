"""Laws of penalties: value, gradient, prox and conjugate belong to one function."""

import math

import pytest
import torch

from instances import PENALTIES, over
from onelayer.penalties import ElasticNet, make_penalty


def matrix(seed=0, rows=3, columns=5):
    weight = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    weight[0, :2] = 0
    return weight


def formula(penalty, weight):
    return penalty.l1 * weight.abs().sum().item() + penalty.l2 / 2 * (weight**2).sum().item()


def legal_dual(penalty, seed):
    """A V with a finite conjugate."""
    v = matrix(seed)
    return v if penalty.l2 else v.clamp(-penalty.l1, penalty.l1)


@over("penalty", PENALTIES)
def test_value_is_the_formula(penalty):
    weight = matrix()
    assert penalty.value(weight) == pytest.approx(formula(penalty, weight), rel=1e-15)
    assert isinstance(penalty.value(weight), float)
    assert penalty.value(torch.zeros(2, 2)) == 0


@over("penalty", PENALTIES)
def test_gradient_is_the_central_difference(penalty):
    weight, h = matrix(3), 1e-6
    gradient = penalty.gradient(weight)
    for i, j in [(0, 2), (1, 0), (2, 4)]:
        move = torch.zeros_like(weight)
        move[i, j] = h
        difference = (penalty.value(weight + move) - penalty.value(weight - move)) / (2 * h)
        assert gradient[i, j].item() == pytest.approx(difference, abs=1e-8)
    assert (gradient[weight == 0] == 0).all()


@over("penalty", PENALTIES)
@pytest.mark.parametrize("step", [0.01, 1.0, 30.0])
def test_prox_is_the_argmin(penalty, step):
    weight = matrix()

    def total(v):
        return penalty.value(v) + (v - weight).square().sum().item() / (2 * step)

    found = penalty.prox(weight, step)
    least = total(found)
    generator = torch.Generator().manual_seed(1)
    for size in (1e-6, 1e-3, 0.1, 1.0):
        for _ in range(20):
            move = size * torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
            assert total(found + move) >= least - 1e-14 * abs(least)
    # Strongly convex with 1/step: so far away nothing can be equal.
    assert total(found + 0.1) > least


@over("penalty", PENALTIES)
def test_prox_leaves_a_subgradient(penalty):
    """(W − prox) / step is a subgradient of the penalty at the prox: the optimality condition that defines it."""
    weight, step = matrix(2), 0.7
    found = penalty.prox(weight, step)
    pull = (weight - found) / step
    smooth = penalty.l2 * found
    kink = (pull - smooth).abs()
    assert (kink <= penalty.l1 + 1e-14).all()
    moved = found != 0
    torch.testing.assert_close(pull[moved], (smooth + penalty.l1 * found.sign())[moved], rtol=0, atol=1e-14)


@over("penalty", PENALTIES)
@pytest.mark.parametrize("seed", range(4))
def test_fenchel_young(penalty, seed):
    weight, v = matrix(seed), legal_dual(penalty, seed + 10)
    naive = penalty.value(weight) + penalty.conjugate(v) - (v * weight).sum().item()
    if not (penalty.l1 or penalty.l2):
        v, naive = torch.zeros_like(v), 0.0
    stable = penalty.fenchel_young(weight, v)
    assert stable >= 0
    assert stable == pytest.approx(naive, rel=1e-13, abs=1e-13)


@over("penalty", PENALTIES)
def test_fenchel_young_is_zero_at_the_gradient(penalty):
    weight = matrix()
    assert penalty.fenchel_young(weight, penalty.gradient(weight)) == pytest.approx(0, abs=1e-30)


@over("penalty", PENALTIES)
def test_fenchel_young_with_slack_bounds_every_v_that_near(penalty):
    weight, v, slack = matrix(), legal_dual(penalty, 4), 0.01
    if not penalty.l2:
        v = v * 0.9
    bound = penalty.fenchel_young(weight, v, slack)
    generator = torch.Generator().manual_seed(2)
    for _ in range(50):
        near = v + slack * (2 * torch.rand(v.shape, generator=generator, dtype=v.dtype) - 1)
        exact = penalty.fenchel_young(weight, near if penalty.l2 else near.clamp(-penalty.l1, penalty.l1))
        assert bound >= exact
    assert penalty.fenchel_young(weight, v, torch.full_like(v, slack)) == pytest.approx(bound)


@over("penalty", PENALTIES, lambda penalty: not penalty.l2)
def test_without_an_l2_part_the_conjugate_is_infinite_outside_the_box(penalty):
    outside = torch.full((2, 2), penalty.l1 + 1e-12, dtype=torch.float64)
    assert penalty.conjugate(outside) == math.inf
    assert penalty.fenchel_young(torch.ones_like(outside), outside) == math.inf
    assert penalty.conjugate(torch.full((2, 2), penalty.l1, dtype=torch.float64)) == 0


@over("penalty", PENALTIES, lambda penalty: penalty.l1 or penalty.l2)
def test_least_subgradient_is_zero_exactly_at_the_minimum(penalty):
    """Minimise ½‖W − T‖² + penalty by its prox; the smooth gradient there is W − T + l2 W."""
    target = matrix(1)
    at = penalty.prox(target, 1.0)
    smooth = at - target + penalty.smooth_part.gradient(at)
    torch.testing.assert_close(
        penalty.least_subgradient(at, smooth), torch.zeros_like(at), rtol=0, atol=1e-15
    )
    away = at + 0.05
    smooth = away - target + penalty.smooth_part.gradient(away)
    assert penalty.least_subgradient(away, smooth).abs().max() > 0.01


@over("penalty", PENALTIES)
def test_least_subgradient_is_the_smallest_of_all(penalty):
    weight, gradient = matrix(), matrix(8)
    least = penalty.least_subgradient(weight, gradient).abs()
    for share in torch.linspace(-1, 1, 21, dtype=torch.float64):
        sign = torch.where(weight == 0, share, weight.sign())
        assert (least <= (gradient + penalty.l1 * sign).abs() + 1e-15).all()


@over("penalty", PENALTIES)
def test_smooth_part_and_kink_make_the_whole(penalty):
    weight = matrix()
    parts = penalty.smooth_part, penalty.kink
    assert sum(part.value(weight) for part in parts) == pytest.approx(penalty.value(weight), rel=1e-15)
    torch.testing.assert_close(sum(part.gradient(weight) for part in parts), penalty.gradient(weight))
    assert parts[0].smooth
    assert penalty.smooth == (parts[1].value(weight) == 0)


@over("penalty", PENALTIES)
def test_dtype_is_kept_and_sums_are_wide(penalty):
    weight = torch.full((1, 2**20), 0.1)
    assert penalty.gradient(weight).dtype == penalty.prox(weight, 0.1).dtype == torch.float32
    assert penalty.value(weight) == pytest.approx(formula(penalty, weight.double()), rel=1e-7)


@over("penalty", PENALTIES)
def test_equal_settings_are_equal_penalties(penalty):
    again = eval(repr(penalty), vars(__import__("onelayer").penalties))
    assert again == penalty
    assert hash(again) == hash(penalty)


@pytest.mark.parametrize(
    ("alpha", "l1_ratio", "name"),
    [(0, 0.5, "none"), (1, 0, "l2"), (1, 1, "l1"), (1, 0.5, "elastic-net")],
)
def test_make_penalty_takes_the_simplest(alpha, l1_ratio, name):
    made, weight = make_penalty(alpha, l1_ratio), matrix()
    assert made.name == name
    assert made.value(weight) == pytest.approx(ElasticNet(alpha, l1_ratio).value(weight), rel=1e-15)
