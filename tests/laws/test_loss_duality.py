"""Laws of conjugates: Fenchel–Young, the ground that certificates stand on."""

import math

import pytest
import torch

from instances import LOSSES, draw, draw_dual, has_dual, over

DUAL = {name: loss for name, loss in LOSSES.items() if has_dual(loss)}


def columns(value):
    return value.reshape(len(value), -1).sum(dim=1)


def inner(u, z):
    return (u * z).sum(dim=1)


def test_every_convex_loss_of_the_library_has_a_conjugate():
    convex = {
        name for name, loss in LOSSES.items() if loss.convex and type(loss).__module__.startswith("onelayer")
    }
    assert convex == set(DUAL)


@over("loss", DUAL)
@pytest.mark.parametrize("seed", range(3))
def test_fenchel_young_inequality(loss, seed):
    scores, y = draw(loss, rows=500, seed=seed, spread=3)
    u = draw_dual(loss, y, seed)
    naive = columns(loss.value(scores, y) + loss.conjugate(u, y)) - inner(u, scores)
    assert torch.isfinite(naive).all()
    # Sums of terms of size 50.
    assert (naive >= -1e-13).all()
    stable = columns(loss.fenchel_young(scores, u, y))
    assert (stable >= 0).all()
    torch.testing.assert_close(stable, naive, rtol=1e-12, atol=1e-13)


@over("loss", DUAL)
def test_equality_at_the_gradient(loss):
    scores, y = draw(loss, rows=500, spread=3)
    u = loss.gradient(scores, y)
    naive = columns(loss.value(scores, y) + loss.conjugate(u, y)) - inner(u, scores)
    torch.testing.assert_close(naive, torch.zeros_like(naive), rtol=0, atol=1e-13)
    stable = columns(loss.fenchel_young(scores, u, y))
    assert (stable >= 0).all()
    assert (stable <= 1e-14).all()


@over("loss", DUAL)
def test_only_the_gradient_gives_equality(loss):
    """A tenth of the way from the gradient to the middle of the domain costs something, where the loss is smooth."""
    scores, y = draw(loss, rows=200)
    if not loss.smooth:
        pytest.skip("at a kink's flat sides the gradient sits at an end of the domain")
    u = 0.9 * loss.gradient(scores, y) + 0.1 * draw_dual(loss, y)
    assert columns(loss.fenchel_young(scores, u, y)).mean() > 1e-5


@over("loss", DUAL)
@pytest.mark.parametrize("spread", [60, 1e4])
def test_finite_at_the_gradient_of_scores_far_out(loss, spread):
    """The gradient lies in the domain, whatever rounding does to the sum of its row."""
    scores, y = draw(loss, rows=2000, spread=spread, count=10)
    u = loss.gradient(scores, y)
    assert torch.isfinite(loss.conjugate(u, y)).all()
    gap = columns(loss.fenchel_young(scores, u, y))
    assert torch.isfinite(gap).all()
    # KL at q = p: each of ten terms p·log p rounds by 1e-16 of itself, and log p reaches the spread.
    assert (gap <= 1e-15 * spread).all()


@over("loss", DUAL, lambda loss: loss.per_class)
def test_infinite_outside_the_simplex(loss):
    y = torch.tensor([0, 0, 0, 1])
    q = torch.tensor(
        [[1.2, -0.2, 0.0], [0.5, 0.6, -0.1], [0.5, 0.6, 0.2], [0.2, 0.2, 0.2]], dtype=torch.float64
    )
    u = q - torch.nn.functional.one_hot(y, 3)
    assert torch.isinf(loss.conjugate(u, y)).all()
    assert torch.isinf(loss.fenchel_young(torch.zeros(4, 3, dtype=torch.float64), u, y)).all()


@over("loss", DUAL, lambda loss: not loss.per_class)
def test_infinite_outside_the_dual_interval_and_finite_at_its_ends(loss):
    scores, y = draw(loss)
    low, high = (torch.as_tensor(end, dtype=torch.float64).expand_as(y) for end in loss.dual_interval(y))
    if math.isinf(low[0]):
        assert torch.isfinite(loss.conjugate(1e6 * scores, y)).all()
        return
    for end in (low, high):
        assert torch.isfinite(loss.conjugate(end, y)).all()
        assert torch.isfinite(loss.fenchel_young(scores, end, y)).all()
    for beyond in (low - 1e-9, high + 1e-9):
        assert torch.isinf(loss.conjugate(beyond, y)).all()
        assert torch.isinf(loss.fenchel_young(scores, beyond, y)).all()


@over("loss", DUAL, lambda loss: not loss.per_class)
def test_conjugate_is_the_supremum_on_a_grid(loss):
    _, y = draw(loss, rows=12)
    u = draw_dual(loss, y)
    z = torch.linspace(-60, 60, 240_001, dtype=torch.float64)
    best = (u * z - loss.value(z.expand(len(y), -1), y)).amax(dim=1, keepdim=True)
    conjugate = loss.conjugate(u, y)
    assert (best <= conjugate + 1e-12).all()
    # The grid misses the maximiser by 2.5e-4 at most: kinks (slopes up to 6 there) cost 1.5e-3.
    torch.testing.assert_close(best, conjugate, rtol=0, atol=1.5e-3)


@over("loss", DUAL)
def test_zero_is_a_legal_dual_point_and_the_conjugate_there_is_the_least_value(loss):
    """The shrinking of dual points in certificates relies on it."""
    scores, y = draw(loss, rows=50)
    least = columns(-loss.conjugate(torch.zeros_like(scores), y))
    if loss.per_class:
        pytest.skip("0 puts all mass on the true class; its value is checked in the next test")
    best = loss.value(torch.linspace(-40, 40, 8001, dtype=torch.float64).expand(len(y), -1), y).amin(dim=1)
    # The grid misses a kink at y by 5e-3 at most, the slope is at most 1.
    torch.testing.assert_close(least, best, rtol=0, atol=5e-3)


def test_cross_entropy_at_zero_and_at_the_uniform_point():
    loss, y = LOSSES["cross-entropy"], torch.tensor([2])
    zero = torch.zeros(1, 4, dtype=torch.float64)
    assert loss.conjugate(zero, y).item() == 0
    uniform = torch.full_like(zero, 0.25) - torch.nn.functional.one_hot(y, 4)
    assert loss.conjugate(uniform, y).item() == pytest.approx(-math.log(4), rel=1e-15)
