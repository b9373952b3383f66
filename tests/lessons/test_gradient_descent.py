"""The page on gradient descent: two halves, three kinds, three rules to stop by, and two local minima."""

import math

import pytest
import torch

from lessons.running import run, shown

NAME = "gradient-descent"
CONTROLS = {"rate_field": "0.3", "batch_size": 20, "passes": 10, "start_1": -1, "start_2": 2}
RULES = {"limit": 1000, "small_change": 1e-5, "small_gradient": 1e-3}


@pytest.fixture(scope="module")
def page():
    return run(NAME)


@pytest.fixture(scope="module")
def others():
    """Return the page with other controls, three times: each run moves several that do not touch each other."""
    changes = {
        1: {"rate_field": "1", "start_1": 3} | RULES | {"limit": 30, "start_a": 0.0, "n_init": 1},
        50: {"rate_field": "1e-4"} | RULES | {"start_a": 0.1},
        200: {"rate_field": "3/10", "start_2": -2} | RULES | {"small_change": 1e-8, "start_a": 1.8},
    }
    return {
        size: run(NAME, **(CONTROLS | {"batch_size": size, "passes": 2} | changes[size])) for size in changes
    }


def cross_entropy(names, theta):
    scores = names["X"] @ theta
    return torch.nn.functional.binary_cross_entropy_with_logits(scores, names["y"]).item()


def test_both_languages(monkeypatch, page):
    monkeypatch.setenv("ONELAYER_LANGUAGE", "zh")
    # Without a rate most of the page waits, its text does not.
    outputs, names = run(NAME, **(CONTROLS | {"rate_field": ""}))
    assert "小批量梯度下降" in shown(outputs)
    assert "这一格是空的" in shown(outputs)
    assert "theta" not in names
    assert "mini-batch* gradient descent" not in shown(outputs)
    assert "The four steps, from raw tensors" in shown(page[0])
    assert "小批量梯度下降" not in shown(page[0])


def test_the_halves_make_the_loss(page):
    _, names = page
    h, y = torch.sigmoid(names["X"] @ names["theta_0"]), names["y"]
    assert names["first_half"].item() == pytest.approx(-h[y == 1].log().sum().item() / 200, abs=1e-12)
    assert names["second_half"].item() == pytest.approx(-(1 - h[y == 0]).log().sum().item() / 200, abs=1e-12)
    wanted = cross_entropy(names, names["theta_0"])
    for way in ("by_hand", "by_torch", "by_onelayer"):
        assert float(names[way]) == pytest.approx(wanted, abs=1e-12)


def test_the_four_steps_are_batch_gradient_descent(page):
    _, names = page
    theta = names["theta_0"].clone().requires_grad_()
    optimizer = torch.optim.SGD([theta], lr=0.3)
    for _ in range(10):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(names["X"] @ theta, names["y"]).backward()
        optimizer.step()
    assert torch.allclose(names["theta"], theta.detach(), rtol=0, atol=1e-12)
    assert torch.equal(names["batch_path"][-1], names["theta"])


def test_the_three_kinds_agree_with_onelayer_and_torch(page):
    _, names = page
    assert [len(path) - 1 for _, path, _ in names["kinds"]] == [10, 2000, 100]
    assert max(names["distances"]) < 1e-12
    assert names["distance_of_torch"] < 1e-12
    ends = [path[-1] for _, path, _ in names["kinds"]]
    assert min((ends[i] - ends[j]).abs().max() for i, j in [(0, 1), (0, 2), (1, 2)]) > 0.1


@pytest.mark.parametrize("size", [1, 50, 200])
def test_every_batch_size_agrees(size, others):
    _, names = others[size]
    assert len(names["mini_batch_path"]) - 1 == 2 * (200 // size)
    assert max(*names["distances"], names["distance_of_torch"]) < 1e-12
    like = {1: names["stochastic_path"], 200: names["batch_path"]}.get(size)
    if like is not None:
        assert torch.allclose(names["mini_batch_path"], like, rtol=0, atol=1e-12)


def test_stochastic_is_first_and_does_not_settle(page):
    above = [line.get_ydata() for line in page[1]["curves"].axes[0].lines]
    stochastic, mini_batch, batch = above
    assert stochastic[1] < mini_batch[1] < batch[1]
    assert (stochastic[1:] > stochastic.min() * 2).sum() >= 4
    assert (mini_batch[1:] < mini_batch[:-1]).all()


def test_the_paths_are_on_the_surface(page):
    _, names = page
    surface = names["surface"]
    assert surface.path_names == ["stochastic", "mini-batch", "batch"]
    assert surface.paths[2] == pytest.approx(names["batch_path"].numpy())
    assert surface.path_values[2][-1] == pytest.approx(cross_entropy(names, names["batch_path"][-1]))


def test_controls_move_the_walks(page, others):
    _, names = page
    for size, start, rate in ((1, [3, 2], 1), (50, [-1, 2], 1e-4), (200, [-1, -2], 0.3)):
        path = others[size][1]["batch_path"]
        assert path[0].tolist() == start
        slope = names["gradient"](path[0], names["everything"])
        assert torch.allclose(path[1], path[0] - rate * slope, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("typed", "words"), [("NaN", "“NaN” is not a number"), ("-1", "-1 is outside 1e-06 … 1000")]
)
def test_a_rate_that_is_no_rate_gets_a_sentence(typed, words):
    outputs, names = run(NAME, **(CONTROLS | {"rate_field": typed}))
    assert words in shown(outputs)
    assert "theta" not in names
    assert "by_hand" in names


def test_a_rate_that_is_too_large_is_named():
    outputs, names = run(NAME, **(CONTROLS | {"rate_field": "1000", "passes": 2}))
    assert names["batch_model"].result_.status == "diverged"
    assert "learning_rate=1000 is too large" in shown(outputs)
    assert math.isfinite(names["J"](names["theta"]))


@pytest.mark.parametrize(
    ("run_of", "which", "words"),
    [
        (20, "change", "objective changed by"),
        (1, "iterations", "max_iter=30"),
        (50, "change", "objective changed by"),
        (200, "gradient", "largest entry of the gradient is"),
    ],
)
def test_the_first_rule_that_is_fulfilled_stops(run_of, which, words, page, others):
    _, names = ({20: page} | others)[run_of]
    assert names["fired"] == which
    assert words in names["stopped"].result_.message
    assert names["stopped"].n_iter_ == len(names["values"]) - 1
    assert names["stopped"].result_.objective == pytest.approx(names["values"][-1], abs=1e-12)


def test_a_small_change_says_little_and_a_small_gradient_more(others):
    slow, small = others[50][1], others[200][1]
    assert len(slow["values"]) == 2
    assert slow["values"][-1] - slow["lowest"] > 0.5
    assert small["values"][-1] - small["lowest"] < 1e-4


def test_the_three_learning_rates(page):
    small, right, large = page[1]["trials"].values()
    assert "still lowered it" in small.message
    assert "raise learning_rate=0.01" in small.message
    assert right.message.startswith("All 50 steps were made, as asked;")
    assert right.objective - page[1]["lowest"] < 1e-3
    assert large.status == "diverged"
    assert "learning_rate=30 is too large" in large.message


def test_a_convex_loss_has_one_end(page):
    ends = torch.stack(page[1]["ends_of_corners"])
    assert (ends - ends[0]).abs().max() < 1e-4


@pytest.mark.parametrize(("run_of", "end"), [(50, 0.96), (200, 0.96), (1, -1.036)])
def test_the_start_chooses_the_valley(run_of, end, others):
    (place, value), (_, lowest), _ = others[run_of][1]["ends"]
    assert place == pytest.approx([end, 0], abs=1e-2)
    assert (value > lowest + 0.5) == (end > 0)


def test_squared_error_has_two_minima_and_cross_entropy_one(page):
    _, names = page
    assert max(names["ends_of_cross_entropy"]) - min(names["ends_of_cross_entropy"]) < 1e-4
    ends = names["several"].result_.starts
    assert len(ends) == 4
    assert max(ends) - min(ends) > 0.05
    assert names["several"].result_.objective == min(ends)
    assert "Best of 4 starts, which ended between" in names["several"].result_.message
    local, best = (way.objectives[-1] for way in names["two_ways"])
    assert [local, best] == pytest.approx([max(ends), min(ends)], abs=1e-4)


def test_one_start_may_end_in_the_local_minimum(page, others):
    assert others[1][1]["several"].result_.objective > page[1]["several"].result_.objective + 0.05


PASS = """
def one_pass(theta, X, y, rate, batches):
    first = theta
    for rows in batches:
        h = torch.sigmoid(X[rows] @ theta)
        step = X[rows].T @ (h - y[rows]) / len(rows)
        theta = theta - rate * step
    return theta
"""

WRONG = {
    "- rate": ("+ rate", "walks uphill"),
    " / len(rows)": ("", "sum over the batch"),
    "len(rows)": ("len(X)", "not by that of all rows"),
    "[rows]": ("", "looks at all rows"),
    "@ theta": ("@ first", "first θ"),
    "rate * step": ("step", "learning rate is missing"),
    "(h - y[rows])": ("((h - y[rows]) * h * (1 - h))", "belongs to squared error"),
}


@pytest.mark.parametrize(("piece", "wrong"), WRONG.items())
def test_wrong_answers_get_their_sentence(piece, wrong, page):
    mistake, words = wrong
    code = PASS.replace(piece, mistake)
    if piece == "[rows]":
        code = code.replace("len(rows)", "len(X)")
    verdict = page[1]["exercise"].check(code)
    assert (verdict.right, words in verdict.english) == (False, True), verdict.english
    assert verdict.chinese


def test_the_right_answer_is_right(page):
    assert page[1]["verdict"].right is None
    assert page[1]["exercise"].check(PASS).right
