"""The page on linear regression: a hundred points, a line by hand, by torch, by onelayer, and the exact one."""

import math

import pytest
import torch

from lessons.running import run, shown

NAME = "linear-regression"
CONTROLS = {"learning_rate": 0.1, "steps": 200, "first_w": -1, "first_b": 6}


@pytest.fixture(scope="module")
def page():
    return run(NAME)


def lines(names):
    """Return (w, b) by hand, by torch, by onelayer, and exactly."""
    return torch.tensor([row[1:3] for row in names["answers"]], dtype=torch.float64)


def test_the_page_says_its_things(page, monkeypatch):
    outputs, _ = page
    assert "Linear regression by hand" in shown(outputs)
    monkeypatch.setenv("ONELAYER_LANGUAGE", "zh")
    chinese = shown(run(NAME)[0])
    assert "手写线性回归" in chinese
    assert "From raw tensors" not in chinese


def test_there_are_a_hundred_points_near_the_line(page):
    _, names = page
    assert len(names["x"]) == 100
    assert torch.allclose(lines(names)[3], torch.tensor([2.0, 1.0], dtype=torch.float64), atol=0.3)


def test_the_steps_are_those_of_plain_tensors(page):
    _, names = page
    x, y, (w, b) = names["x"], names["y"], (-1.0, 6.0)
    for place in names["path"][1:]:
        residual = w * x + b - y
        w, b = w - 0.1 * (residual @ x / 100).item(), b - 0.1 * (residual.sum() / 100).item()
        assert place == pytest.approx((w, b), abs=1e-10)
    assert len(names["path"]) == 201


def test_three_ways_to_one_line(page):
    by_hand, by_torch, by_onelayer, _ = lines(page[1])
    assert torch.allclose(by_torch, by_hand, rtol=0, atol=1e-12)
    assert torch.allclose(by_onelayer, by_hand, rtol=0, atol=1e-12)


def test_with_more_steps_they_arrive_at_the_exact_line(page):
    _, names = run(NAME, **(CONTROLS | {"steps": 1000}))
    *walked, exact = lines(names)
    assert all(torch.allclose(line, exact, rtol=0, atol=1e-5) for line in walked)
    design = torch.stack([names["x"], torch.ones_like(names["x"])], dim=1)
    assert torch.allclose(exact, torch.linalg.lstsq(design, names["y"]).solution, rtol=0, atol=1e-8)
    assert not torch.allclose(lines(page[1])[0], exact, rtol=0, atol=1e-3)
    assert names["exact"].certificate_.relative_gap <= 1e-6


def test_the_slider_shows_the_line_on_its_way(page):
    _, names = page
    _, later = run(NAME, step=150)
    for after, step in ((names, 5), (later, 150)):
        assert (after["w_now"], after["b_now"]) == after["path"][step]
        assert after["dots"].curve[0] == [0, after["b_now"]]
        distance = after["y"] - after["w_now"] * after["x"] - after["b_now"]
        assert after["loss_now"] == pytest.approx(distance.square().mean().item() / 2)
    assert later["loss_now"] < names["loss_now"]


def test_the_segments_go_from_the_points_to_the_line(page):
    _, names = page
    segments = names["picture"].axes[0].collections[0].get_segments()
    assert len(segments) == 100
    (x, y), (x_again, on_the_line) = segments[7]
    assert (x, y) == (names["x"][7], names["y"][7])
    assert (x_again, on_the_line) == pytest.approx((x, names["w_now"] * x + names["b_now"]))


def test_the_pictures_hold_the_way_of_the_fit(page):
    _, names = page
    assert names["curve"].objective[-1] == pytest.approx(names["answers"][0][3], abs=1e-10)
    assert names["curve"].objective.shape == (201,)
    assert names["surface"].paths[0][:, 0] == pytest.approx([w for w, _ in names["path"]], abs=1e-10)


@pytest.mark.parametrize("changed", [{"learning_rate": 0.01}, {"first_w": 4}, {"first_b": -2}, {"steps": 10}])
def test_controls_change_the_line(changed, page):
    _, names = run(NAME, **(CONTROLS | changed))
    assert (lines(names)[:3] - lines(page[1])[:3]).abs().amax(dim=1).gt(1e-3).all()
    assert torch.equal(lines(names)[3], lines(page[1])[3])


def test_a_point_that_is_dragged_takes_the_line_along(page):
    points = [list(point) for point in page[1]["dots"].points]
    points[0] = [4.0, -3.0]
    _, names = run(NAME, dots={"points": points})
    assert (names["x"][0], names["y"][0]) == (4.0, -3.0)
    assert lines(names)[3][0] < lines(page[1])[3][0]


def test_a_learning_rate_that_is_too_large_is_named(page):
    assert "every step lands higher" in shown(page[0])
    good, bad = page[1]["messages"]
    assert "All 100 steps were made" in good
    assert f"learning_rate={1.1 * page[1]['limit']:g} is too large" in bad
    outputs, names = run(NAME, **(CONTROLS | {"learning_rate": 1, "steps": 1000}), step=1000)
    assert names["model"].result_.status == "diverged"
    assert "learning_rate=1 is too large" in names["model"].result_.message
    assert math.isnan(names["answers"][0][1])
    assert "After 1000 steps the line has left every picture" in shown(outputs)
    assert "the best point that it has seen" in shown(outputs)


BAD_POINTS = {
    "none": ([], "0 of the 2 points"),
    "one": ([[1, 1]], "1 of the 2 points"),
    "outside": ([[1, 1], [9, 2]], "Row 2, x: 9 is outside 0 … 4"),
    "NaN": ([[1, 1], [2, float("nan")]], "Row 2, y: “nan” is not a number"),
    "one x": ([[1, 1], [1, 2]], "All points have the same x"),
}


@pytest.mark.parametrize(("points", "words"), BAD_POINTS.values(), ids=BAD_POINTS)
def test_points_that_make_no_line_get_a_sentence(points, words):
    outputs, names = run(NAME, dots={"points": points})
    assert words in shown(outputs)
    assert "answers" not in names


WRONG = {
    "(e * x).mean()": "not halved",
    "2 * (e * x).sum()": "divide by n",
    "-2 * (e * x).mean()": "sign is wrong",
    "2 * e.mean()": "derivative by b",
    "2 * e.mean() * x.mean()": "not the product of means",
    "2 * e * x": "one number for each point",
}


def attempt(code):
    return f"def derivative_by_w(x, y, w, b):\n    e = w * x + b - y\n    return {code}\n"


@pytest.mark.parametrize(("code", "words"), WRONG.items())
def test_wrong_answers_get_their_sentence(code, words, page):
    verdict = page[1]["exercise"].check(attempt(code))
    assert (verdict.right, words in verdict.english) == (False, True), verdict.english
    assert verdict.chinese


def test_the_right_answer_is_that_of_autograd(page):
    exercise = page[1]["exercise"]
    assert page[1]["verdict"].right is None
    assert exercise.check(attempt("2 * (e * x).mean()")).right
    x, y, w, b = exercise.cases[0]
    w = torch.tensor(w, requires_grad=True)
    torch.nn.MSELoss()(w * x + b, y).backward()
    assert exercise.right(x, y, w.item(), b).item() == pytest.approx(w.grad.item())
