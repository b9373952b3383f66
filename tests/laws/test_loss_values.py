"""Losses against numbers that others computed: torch's losses, NumPy's quantiles, Python's decimals."""

import decimal
from decimal import Decimal

import numpy as np
import pytest
import torch

from instances import LOSSES, draw, over
from onelayer import losses

FAR = [0.0, 1e-3, 1.0, 15.0, 40.0, 90.0, 700.0, 1e4]
SCORES = [*(-z for z in reversed(FAR)), *FAR]
# The rounding of the exponential's argument is what a float32 can do; 1e-13 leaves float64 a thousand roundings.
PRECISION = {torch.float32: 1e-6, torch.float64: 1e-13}
TYPES = pytest.mark.parametrize("dtype", list(PRECISION), ids=str)


def exact_logistic(z, y):
    """Value and derivative of log(1 + e^z) − yz, in 100 digits."""
    with decimal.localcontext() as context:
        context.prec = 100
        wrong = Decimal(z) if not y else -Decimal(z)
        return float((1 + wrong.exp()).ln()), float((1 if not y else -1) / (1 + (-wrong).exp()))


@TYPES
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("z", [z for z in SCORES if abs(z) <= 90])
def test_logistic_against_decimals(z, y, dtype):
    z = torch.tensor(z, dtype=dtype).item()
    value, gradient = exact_logistic(z, y)
    scores, target = torch.tensor([[z]], dtype=dtype), torch.tensor([[y]], dtype=dtype)
    loss = LOSSES["logistic"]
    # What lies below the smallest normal number of the type (e^−90 in float32) may go to zero.
    tiny = torch.finfo(dtype).tiny
    assert loss.value(scores, target).item() == pytest.approx(value, rel=PRECISION[dtype], abs=tiny)
    assert loss.gradient(scores, target).item() == pytest.approx(gradient, rel=PRECISION[dtype], abs=tiny)


@TYPES
@pytest.mark.parametrize("z", [-1e4, -700.0, 700.0, 1e4])
def test_logistic_at_scores_without_end(z, dtype):
    loss, scores = LOSSES["logistic"], torch.tensor([[z]], dtype=dtype)
    for y in (0.0, 1.0):
        target = torch.tensor([[y]], dtype=dtype)
        wrong = (z > 0) != bool(y)
        # Exactly |z| where the answer is wrong: the rest is e^−|z|.
        assert loss.value(scores, target).item() == pytest.approx(
            abs(z) if wrong else 0.0, rel=1e-7, abs=1e-300
        )
        assert loss.gradient(scores, target).item() == pytest.approx(
            (-1 if y else 1) if wrong else 0.0, abs=1e-300
        )
        assert loss.curvature_product(scores, target, torch.ones_like(scores)).item() == pytest.approx(
            0, abs=1e-300
        )


def exact_cross_entropy(row, y):
    with decimal.localcontext() as context:
        context.prec = 100
        powers = [Decimal(z).exp() for z in row]
        total = sum(powers)
        value = (1 + (total - powers[y]) / powers[y]).ln()
        p = [power / total for power in powers]
        p[y] = -sum(p[:y] + p[y + 1 :])
        return float(value), [float(part) for part in p]


ROWS = [
    [0.0, 0.0, 0.0],
    [40.0, 0.0, -40.0],
    [-40.0, 0.5, 0.25],
    [1e4, 1e4 - 3, 1e4 - 20],
    [-1e4, -1e4 + 1, -1e4 - 40],
    [30.0, 1e-3, 29.0],
]


@TYPES
@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("y", range(3))
def test_cross_entropy_against_decimals(row, y, dtype):
    scores = torch.tensor([row], dtype=dtype)
    value, gradient = exact_cross_entropy(scores[0].tolist(), y)
    ours, slope = LOSSES["cross-entropy"].value_and_gradient(scores, torch.tensor([y]))
    # Where the answer is right and sure the sum 1 + e^−40 has lost the small part: right to a rounding of 1.
    absolute = 2 * torch.finfo(dtype).eps
    assert ours.item() == pytest.approx(value, rel=PRECISION[dtype], abs=absolute)
    assert slope[0].tolist() == pytest.approx(gradient, rel=PRECISION[dtype], abs=torch.finfo(dtype).tiny)


@TYPES
def test_cross_entropy_keeps_the_digits_of_small_losses(dtype):
    """−log p of a right and sure answer is e^−40, not 0: log1p of the others, not the log of their sum with 1."""
    scores = torch.tensor([[40.0, 0.0, 0.0]], dtype=dtype)
    value, _ = exact_cross_entropy([40.0, 0.0, 0.0], 0)
    ours = LOSSES["cross-entropy"].value(scores, torch.tensor([0])).item()
    # abs=0: pytest's own absolute tolerance of 1e-12 would accept 0.
    assert ours == pytest.approx(value, rel=PRECISION[dtype], abs=0)


@TYPES
@over("loss", LOSSES)
def test_no_score_up_to_ten_thousand_makes_a_number_that_is_none(loss, dtype):
    scores = torch.tensor(SCORES, dtype=dtype)
    if loss.per_class:
        scores = torch.stack([scores, -scores, torch.zeros_like(scores)], dim=1)
        targets = [torch.full((len(scores),), k) for k in range(3)]
    else:
        scores = scores.unsqueeze(1)
        targets = [
            torch.full_like(scores, y) for y in ((0, 1) if loss.targets == "binary" else (-1e4, 0, 1e4))
        ]
    for y in targets:
        value, gradient = loss.value_and_gradient(scores, y)
        bent = loss.curvature_product(scores, y, torch.ones_like(scores))
        for part in (value, gradient, bent, loss.mean_curvature(scores, y)):
            assert part.dtype == dtype
            assert torch.isfinite(part).all()


@TYPES
@over("loss", LOSSES, lambda loss: loss.targets == "real")
def test_float32_is_right_to_its_last_digits(loss, dtype):
    scores, y = draw(loss, rows=200)
    expected = loss.value(scores.to(dtype).double(), y.to(dtype).double())
    found = loss.value(scores.to(dtype), y.to(dtype)).double()
    # A residual near zero is a difference of numbers of size 2, right to a rounding of those.
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_torchs_losses_are_ours():
    z, y = draw(LOSSES["squared"])
    close = {"rtol": 1e-14, "atol": 1e-15}
    none = {"reduction": "none"}
    torch.testing.assert_close(torch.nn.MSELoss(**none)(z, y) / 2, losses.SquaredError().value(z, y), **close)
    torch.testing.assert_close(torch.nn.L1Loss(**none)(z, y), losses.AbsoluteError().value(z, y), **close)
    for delta in (0.5, 1.0, 1.35):
        torchs = torch.nn.HuberLoss(delta=delta, **none)(z, y)
        torch.testing.assert_close(torchs, losses.Huber(delta).value(z, y), **close)
    z, y = draw(LOSSES["logistic"])
    torch.testing.assert_close(
        torch.nn.BCEWithLogitsLoss(**none)(z, y), losses.Logistic().value(z, y), **close
    )
    z, y = draw(LOSSES["cross-entropy"])
    torchs = torch.nn.CrossEntropyLoss(**none)(z, y)
    # Theirs is z_y minus a log-sum-exp, which rounds in units of the largest score.
    torch.testing.assert_close(torchs, losses.CrossEntropy().value(z, y), rtol=1e-14, atol=5e-15)


def test_the_quantile_loss_at_one_half_is_half_the_absolute_error():
    z, y = draw(LOSSES["squared"])
    torch.testing.assert_close(2 * losses.Quantile(0.5).value(z, y), losses.AbsoluteError().value(z, y))
    torch.testing.assert_close(2 * losses.Quantile(0.5).gradient(z, y), losses.AbsoluteError().gradient(z, y))


def test_two_class_cross_entropy_is_the_logistic_loss_of_the_difference():
    z, y = draw(LOSSES["cross-entropy"], count=2)
    y = y % 2
    expected = losses.Logistic().value(z[:, 1:] - z[:, :1], y.unsqueeze(1).double()).squeeze(1)
    torch.testing.assert_close(losses.CrossEntropy().value(z, y), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("rows", [1, 7, 40, 41])
def test_best_constants_that_numpy_knows(rows):
    _, y = draw(LOSSES["squared"], rows=rows)
    ones, array = torch.ones(rows, dtype=torch.float64), y[:, 0].numpy()

    def best(loss):
        return loss.best_constant(y, ones, 1).item()

    assert best(losses.SquaredError()) == pytest.approx(array.mean(), abs=1e-14)
    low, high = np.sort(array)[[(rows - 1) // 2, rows // 2]]
    assert low - 1e-12 <= best(losses.AbsoluteError()) <= high + 1e-12
    for tau in (0.3, 0.9):
        ends = [np.quantile(array, tau, method=method) for method in ("lower", "higher", "inverted_cdf")]
        assert min(ends) - 1e-12 <= best(losses.Quantile(tau)) <= max(ends) + 1e-12


@over("loss", LOSSES, lambda loss: not loss.per_class)
def test_best_constant_is_the_lowest_point_of_a_fine_grid(loss):
    _, y = draw(loss, rows=31)
    weight = torch.rand(31, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    weight[:3] = 0
    best = loss.best_constant(y, weight, 1)
    assert best.shape == (1,)
    assert best.dtype == torch.float64

    def total(z):
        return (weight.unsqueeze(1) * loss.value(z.expand(31, -1), y)).sum(dim=0)

    grid = total(torch.linspace(-12, 12, 24_001, dtype=torch.float64))
    assert total(best).item() <= grid.min().item() + 1e-12


@over("loss", LOSSES, lambda loss: loss.per_class)
def test_best_constant_of_classes_cannot_be_moved(loss):
    _, y = draw(loss, rows=31)
    weight = torch.rand(31, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    best = loss.best_constant(y, weight, 4)
    expected = torch.zeros(4, dtype=torch.float64).index_add_(0, y, weight) / weight.sum()
    torch.testing.assert_close(torch.softmax(best, dim=0), expected, rtol=1e-12, atol=0)
    slope = (weight.unsqueeze(1) * loss.gradient(best.expand(31, -1), y)).sum(dim=0)
    torch.testing.assert_close(slope, torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-13)
