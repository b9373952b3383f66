"""Laws of losses: derivatives against autograd and finite differences, and every fact that a loss declares."""

import math

import pytest
import torch

from instances import LOSSES, draw, over


def away_from_kinks(loss, scores, y):
    """Move scores that lie near a kink of the loss or of its slope, where differences mean nothing."""
    if loss.targets != "real":
        return scores
    residual = scores - y
    kinks = [0.0, *(sign * getattr(loss, "delta", 0.0) for sign in (-1, 1))]
    near = torch.stack([(residual - kink).abs() < 1e-2 for kink in kinks]).any(dim=0)
    return torch.where(near, scores + 0.1, scores)


@over("loss", LOSSES)
def test_gradient_is_autograds(loss):
    scores, y = draw(loss)
    z = scores.clone().requires_grad_()
    (expected,) = torch.autograd.grad(loss.value(z, y).sum(), z)
    torch.testing.assert_close(loss.gradient(scores, y), expected, rtol=1e-12, atol=1e-14)


@over("loss", LOSSES)
def test_gradient_is_the_central_difference(loss):
    scores, y = draw(loss)
    scores, h = away_from_kinks(loss, scores, y), 1e-5
    gradient = loss.gradient(scores, y)
    for k in range(scores.shape[1]):
        move = torch.zeros_like(scores)
        move[:, k] = h
        difference = (loss.value(scores + move, y) - loss.value(scores - move, y)) / (2 * h)
        # Values up to 20 round to 2e-15, over 2h: 1e-10; truncation h² = 1e-10.
        torch.testing.assert_close(
            gradient[:, k], difference.reshape(len(scores), -1)[:, 0], rtol=0, atol=1e-9
        )


@over("loss", LOSSES)
def test_value_and_gradient_is_both(loss):
    scores, y = draw(loss)
    value, gradient = loss.value_and_gradient(scores, y)
    torch.testing.assert_close(value, loss.value(scores, y), rtol=1e-15, atol=1e-15)
    torch.testing.assert_close(gradient, loss.gradient(scores, y), rtol=1e-15, atol=1e-15)


@over("loss", LOSSES)
@pytest.mark.parametrize("piece", [1, 7, 20])
def test_many_scores_are_worked_through_in_pieces_with_the_same_bits(monkeypatch, loss, piece):
    scores, y = draw(loss)
    whole = loss.value_and_gradient(scores, y)
    monkeypatch.setattr("onelayer.losses.base._PIECE", piece)
    for found, expected in zip(loss.value_and_gradient(scores, y), whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)
        assert found.dtype == expected.dtype


@over("loss", LOSSES)
def test_curvature_product_is_the_change_of_the_gradient(loss):
    scores, y = draw(loss)
    scores, h = away_from_kinks(loss, scores, y), 1e-5
    v = torch.randn(scores.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    difference = (loss.gradient(scores + h * v, y) - loss.gradient(scores - h * v, y)) / (2 * h)
    torch.testing.assert_close(loss.curvature_product(scores, y, v), difference, rtol=0, atol=1e-8)


@over("loss", LOSSES, lambda loss: loss.smooth)
def test_curvature_product_is_autograds(loss):
    scores, y = draw(loss)
    v = torch.randn(scores.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    z = scores.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss.value(z, y).sum(), z, create_graph=True)
    (expected,) = torch.autograd.grad((gradient * v).sum(), z)
    torch.testing.assert_close(loss.curvature_product(scores, y, v), expected, rtol=1e-10, atol=1e-13)


@over("loss", LOSSES)
def test_mean_curvature_is_the_mean_eigenvalue(loss):
    scores, y = draw(loss)
    trace = torch.zeros(len(scores), dtype=torch.float64)
    for k in range(scores.shape[1]):
        unit = torch.zeros_like(scores)
        unit[:, k] = 1
        trace += loss.curvature_product(scores, y, unit)[:, k]
    mean = loss.mean_curvature(scores, y)
    assert mean.shape == (len(scores),)
    torch.testing.assert_close(mean, trace / scores.shape[1], rtol=1e-12, atol=1e-15)


@over("loss", LOSSES)
def test_value_is_not_negative(loss):
    scores, y = draw(loss, rows=500, spread=20)
    assert (loss.value(scores, y) >= 0).all()
    assert (loss.value(scores.float(), y.float() if y.is_floating_point() else y) >= 0).all()


@over("loss", LOSSES, lambda loss: loss.targets == "real")
def test_a_perfect_prediction_costs_nothing(loss):
    _, y = draw(loss)
    torch.testing.assert_close(loss.value(y.clone(), y), torch.zeros_like(y), rtol=0, atol=1e-15)


@over("loss", LOSSES)
def test_shapes_and_dtypes_follow_the_scores(loss):
    for dtype in (torch.float32, torch.float64):
        scores, y = draw(loss)
        scores, y = scores.to(dtype), y.to(dtype) if y.is_floating_point() else y
        value, gradient = loss.value_and_gradient(scores, y)
        assert value.shape == ((len(y),) if loss.per_class else scores.shape)
        assert gradient.shape == loss.curvature_product(scores, y, scores).shape == scores.shape
        assert {value.dtype, gradient.dtype, loss.curvature_product(scores, y, scores).dtype} == {dtype}
        assert loss.mean_curvature(scores, y).dtype == dtype


def chords(loss):
    """Pairs of score rows with the same target."""
    one, y = draw(loss, rows=2000, seed=1, spread=4)
    two, _ = draw(loss, rows=2000, seed=2, spread=4)
    return one, two, y


@over("loss", LOSSES)
def test_declared_convexity(loss):
    one, two, y = chords(loss)
    middle = loss.value((one + two) / 2, y).reshape(len(y), -1)
    ends = (loss.value(one, y) + loss.value(two, y)).reshape(len(y), -1) / 2
    rising = ((loss.gradient(one, y) - loss.gradient(two, y)) * (one - two)).sum(dim=1)
    # 1e-13 is rounding of values of size 100 or less.
    convex = bool((middle <= ends + 1e-13).all()) and bool((rising >= -1e-13).all())
    assert convex == loss.convex


@over("loss", LOSSES)
def test_declared_curvature_bound_holds_and_is_not_generous(loss):
    """‖∇ℓ(a) − ∇ℓ(b)‖ ≤ bound ‖a − b‖ everywhere, and no bound half as large would do."""
    one, two, y = chords(loss)
    near = one + 1e-3 * (two - one)
    rate = (loss.gradient(one, y) - loss.gradient(near, y)).norm(dim=1) / (one - near).norm(dim=1)
    # Differences of gradients of size 1 over distances of 1e-3 are right to 1e-12.
    assert (rate <= loss.curvature_bound + 1e-9).all()
    if math.isfinite(loss.curvature_bound):
        assert rate.max() > loss.curvature_bound / 2


@over("loss", LOSSES)
def test_declared_smoothness(loss):
    """A smooth loss has a gradient without jumps; the others jump at a residual of 0."""
    _, y = draw(loss)
    h = 1e-7
    if loss.targets != "real":
        assert loss.smooth
        return
    jump = (loss.gradient(y + h, y) - loss.gradient(y - h, y)).abs()
    assert (jump < 1e-6).all() == loss.smooth


def test_the_names_of_losses_differ():
    names = {type(loss): loss.name for loss in LOSSES.values()}
    assert len(set(names.values())) == len(names)


@over("loss", LOSSES)
def test_equal_settings_are_equal_losses(loss):
    settings = dict(loss.parameters)
    if "link" in settings:
        settings["link"] = loss.link
    again = type(loss)(**settings)
    assert again == loss
    assert hash(again) == hash(loss)
    assert repr(again) == repr(loss)
    assert type(loss).__name__ in repr(loss)


@over("loss", LOSSES)
def test_nothing_is_written_into_the_arguments(loss):
    scores, y = draw(loss)
    before = scores.clone(), y.clone()
    loss.value_and_gradient(scores, y)
    loss.curvature_product(scores, y, torch.ones_like(scores))
    loss.mean_curvature(scores, y)
    assert torch.equal(scores, before[0])
    assert torch.equal(y, before[1])


@pytest.mark.parametrize("name", ["value only", "brier arctan", "huber"])
def test_gradients_do_not_depend_on_the_grad_mode(name):
    loss = LOSSES[name]
    scores, y = draw(loss)
    expected = loss.gradient(scores, y)
    with torch.no_grad():
        assert torch.equal(loss.gradient(scores, y), expected)
    assert not expected.requires_grad
