"""The page on cross-entropy: one bad start, two losses; what is left of the way is measured."""

import numpy as np
import pytest
import torch
from scipy.special import expit

from lessons.running import run, shown

NAME = "cross-entropy"
CONTROLS = {"start_w": -6, "start_b": 8, "rate": 1, "steps": 100}
FAR = {"start_w": 7, "start_b": -9, "rate": 0.3, "steps": 5}
LOSSES = ["cross-entropy", "squared error"]


@pytest.fixture(scope="module")
def page():
    return run(NAME)


@pytest.fixture(scope="module")
def far_page():
    """Another bad start, shorter steps, and starts drawn far away."""
    return run(NAME, **FAR, spread=10, starts=3)


@pytest.fixture(scope="module")
def near_page():
    """A good start, and starts drawn near by."""
    return run(NAME, **(CONTROLS | {"start_w": 0, "start_b": 0, "steps": 50}), spread=1, starts=3)


def slope(name, p, y):
    return p - y if name == "cross-entropy" else 2 * (p - y) * p * (1 - p)


def walk(name, x, y, start, steps, rate=1.0):
    """Return (w, b) after so many steps of gradient descent on the mean loss, in plain NumPy."""
    w, b = start
    for _ in range(steps):
        dz = slope(name, expit(w * x + b), y)
        w, b = w - rate * (dz * x).mean(), b - rate * dz.mean()
    return w, b


def value(name, x, y, w, b):
    z = w * x + b
    loss = np.logaddexp(0, z) - y * z if name == "cross-entropy" else (expit(z) - y) ** 2
    return loss.mean()


def data(names):
    return names["x"].numpy(), names["y"].numpy()


def test_the_page_says_its_things(page, monkeypatch):
    outputs, _ = page
    assert "Why cross-entropy" in shown(outputs)
    assert "Cross-entropy came under 0.05 in 13 steps. Squared error then has 0.95 of its way left" in shown(
        outputs
    )
    monkeypatch.setenv("ONELAYER_LANGUAGE", "zh")
    chinese = shown(run(NAME, **(CONTROLS | {"steps": 20}), spread=1, starts=1)[0])
    assert "为什么用交叉熵" in chinese
    assert "交叉熵用 13 步降到 0.05 以下" in chinese
    assert "From raw tensors" not in chinese


@pytest.mark.parametrize("name", LOSSES)
def test_three_ways_to_one_end(name, page, far_page):
    for names, settings in ((page[1], CONTROLS), (far_page[1], FAR)):
        start = settings["start_w"], settings["start_b"]
        end = walk(name, *data(names), start, settings["steps"], settings["rate"])
        for way in ("by_hand", "by_torch", "by_onelayer"):
            assert names[way][name].numpy() == pytest.approx(end, abs=1e-9), way


@pytest.mark.parametrize("losses", ["cross_entropies", "squared_errors"])
def test_the_losses_of_torch_agree_with_ours(losses, page):
    values = torch.stack(list(page[1][losses].values()))
    assert torch.allclose(values, values[-1].expand_as(values), rtol=1e-8)
    name = LOSSES[losses == "squared_errors"]
    assert values[-1].item() == pytest.approx(value(name, *data(page[1]), -6, 8), rel=1e-12)


def test_the_gradient_of_squared_error_vanishes_where_the_answer_is_worst(page):
    cross_entropy, squared = page[1]["sizes"]
    z = page[1]["table_z"].clone().requires_grad_()
    (torch.sigmoid(z) - 1).square().sum().backward()
    assert torch.allclose(squared, z.grad.abs(), rtol=1e-12)
    assert cross_entropy[0] > 0.9999
    assert squared[0] < 1e-4
    curves = page[1]["curves"]
    assert np.abs(curves.gradient[:, 0]) == pytest.approx([expit(6), 2 * expit(6) ** 2 * expit(-6)], rel=1e-6)


def test_the_lowest_values_are_the_lowest(page):
    from scipy.optimize import minimize

    x, y = data(page[1])
    for name in LOSSES:
        ends = [minimize(lambda at, n=name: value(n, x, y, *at), at).fun for at in [(1, 0), (3, 3), (-1, -1)]]
        assert page[1]["lowest"][name] == pytest.approx(min(ends), abs=1e-9)
    # Convex: every start ends in the one lowest place, where the gradient is zero.
    searched = page[1]["searched"]["cross-entropy"].result_
    assert np.ptp(searched.starts) < 1e-9
    assert len(searched.starts) == 12
    assert searched.trace[-1].gradient_norm < 1e-6


def shares(names, name, start, steps):
    """Return (P − P*) / (P₀ − P*) of plain gradient descent."""
    x, y = data(names)
    lowest = names["lowest"][name]
    height = value(name, x, y, *walk(name, x, y, start, steps)) - lowest
    return height / (value(name, x, y, *start) - lowest)


def test_the_shares_on_the_page_are_those_of_plain_descent(page):
    names = page[1]
    assert names["arrived"] == 13
    for name in LOSSES:
        for steps in (0, 13, 100):
            assert names["left"][name][steps] == pytest.approx(shares(names, name, (-6, 8), steps), abs=1e-9)


NEIGHBOURS = [(w, b) for w in (-7, -6, -5) for b in (7, 8, 9)]


@pytest.mark.parametrize("start", NEIGHBOURS, ids=str)
def test_from_a_bad_start_only_cross_entropy_arrives(start, page):
    names = page[1]
    steps = next(k for k in range(200) if shares(names, "cross-entropy", start, k) < 0.05)
    assert shares(names, "squared error", start, steps) > 0.5
    assert shares(names, "squared error", start, 10 * steps) > 0.3


def test_the_page_says_so_at_another_learning_rate():
    outputs, names = run(NAME, **(CONTROLS | {"rate": 2}))
    left, arrived = names["left"], names["arrived"]
    assert left["cross-entropy"][arrived] < 0.05 <= left["cross-entropy"][arrived - 1]
    assert left["squared error"][arrived] > 0.5
    assert f"in {arrived} steps" in shown(outputs)
    assert "more than half" in shown(outputs)


def test_the_page_is_honest_about_other_starts(far_page, near_page):
    assert far_page[1]["arrived"] is None
    assert "give it more of them" in shown(far_page[0])
    names = near_page[1]
    assert names["left"]["squared error"][names["arrived"]] < 0.5
    assert "on its way, too" in shown(near_page[0])


def test_the_plains_are_as_long_as_the_page_says(page):
    x, y = data(page[1])
    arrives = page[1]["lowest"]["squared error"] + 0.05 * (
        value("squared error", x, y, -6, 8) - page[1]["lowest"]["squared error"]
    )
    assert value("squared error", x, y, *walk("squared error", x, y, (-6, 8), 17_000)) > arrives
    assert value("squared error", x, y, *walk("squared error", x, y, (-6, 8), 19_000)) < arrives
    sooner, later = (walk("squared error", x, y, (0, 9), steps) for steps in (20_000, 40_000))
    assert sooner[0] > 5
    assert later[0] > sooner[0] + 1
    assert value("squared error", x, y, *later) > 0.19


def test_the_surfaces_hold_the_ways(page):
    x, y = data(page[1])
    for name in LOSSES:
        surface = page[1]["surfaces"][name]
        assert surface.paths[0][13] == pytest.approx(walk(name, x, y, (-6, 8), 13))
        assert surface.values[3, 5] == pytest.approx(value(name, x, y, surface.first[5], surface.second[3]))
    assert [axes.get_title() for axes in page[1]["picture"].axes[:2]] == LOSSES


def test_several_starts_are_a_matter_of_luck(page, far_page, near_page):
    names = page[1]
    assert names["near"]["cross-entropy"] == 6
    assert 0 < names["near"]["squared error"] < 6
    assert names["several"]["squared error"].result_.passes == 6 * 101
    assert far_page[1]["near"]["squared error"] == 0
    assert len(far_page[1]["ends"]["squared error"]) == 3
    assert near_page[1]["near"] == {"cross-entropy": 3, "squared error": 3}


WRONG = {
    "56.6": "factor of 2",
    "0.0353": "other way round",
    "27.8": "left out 1 − p",
    "0.982": "cross-entropy alone",
    "0.0347": "other way round",
    "-28.3": "the sign is not",
    "12": "too small",
    "NaN": "not a number",
}


@pytest.mark.parametrize(("typed", "words"), WRONG.items())
def test_wrong_answers_get_their_sentence(typed, words, page):
    verdict = page[1]["exercise"].check(typed)
    assert (verdict.right, words in verdict.english) == (False, True), verdict.english
    assert verdict.chinese


def test_the_right_answer_is_that_of_autograd(page):
    z = torch.tensor(-4.0, dtype=torch.float64, requires_grad=True)
    (ours,) = torch.autograd.grad(torch.nn.functional.softplus(-z), z)
    (squared,) = torch.autograd.grad((torch.sigmoid(z) - 1).square(), z)
    assert page[1]["exercise"].right == pytest.approx((ours / squared).item())
    assert page[1]["verdict"].right is None
    assert page[1]["exercise"].check("28.3").right
