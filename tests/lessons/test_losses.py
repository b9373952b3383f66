"""The lesson on losses: values and gradients in three ways, the outlier, and the note's cross-entropies."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from lessons.running import run, shown

NAMES = ("squared", "absolute", "Huber")


@pytest.fixture(scope="module")
def page():
    return run("losses")


@pytest.fixture(scope="module")
def chinese():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONELAYER_LANGUAGE", "zh")
        yield shown(run("losses")[0])


def test_values_by_hand(page):
    by_hand = page[1]["values_by_hand"]
    # r = 2, -3, -0.5, 0, 1.5 and delta = 1.
    assert by_hand["squared"].tolist() == [2, 4.5, 0.125, 0, 1.125]
    assert by_hand["absolute"].tolist() == [2, 3, 0.5, 0, 1.5]
    assert by_hand["Huber"].tolist() == [1.5, 2.5, 0.125, 0, 1]


@pytest.mark.parametrize(("delta", "residual"), [(1.0, 2.0), (0.3, -3.0), (3.0, 0.0), (2.0, 2.0)])
def test_the_three_ways_agree(delta, residual):
    _, names = run("losses", delta=delta, residual=residual)
    for name in NAMES:
        half = 0.5 if name == "squared" else 1
        by_hand = names["means_by_hand"][name]
        assert names["means_by_onelayer"][name] == pytest.approx(by_hand, rel=1e-14), name
        assert names["means_by_torch"][name] * half == pytest.approx(by_hand, rel=1e-14), name
        slopes = names["gradients_by_hand"][name]
        torch.testing.assert_close(names["gradients_by_onelayer"][name], slopes, rtol=0, atol=1e-14)
        torch.testing.assert_close(names["gradients_by_torch"][name] * half, slopes, rtol=0, atol=1e-14)
    assert names["gradients_by_hand"]["Huber"][0] == np.clip(residual, -delta, delta)


def test_mse_is_twice_the_squared_loss(page):
    assert page[1]["means_by_torch"]["squared"] == pytest.approx(2 * page[1]["means_by_hand"]["squared"])


def test_curves_are_the_raw_formulas():
    display = run("losses", delta=0.5, residual=1.0)[1]["curves"]
    r = display.x
    size = np.abs(r[2])
    wanted = [r[0] ** 2 / 2, np.abs(r[1]), np.where(size <= 0.5, size**2 / 2, 0.5 * (size - 0.25))]
    np.testing.assert_allclose(display.value, wanted, atol=1e-12)
    np.testing.assert_allclose(display.likelihood, np.exp(-np.array(wanted)), atol=1e-12)
    np.testing.assert_allclose(display.gradient, [r[0], np.sign(r[1]), r[2].clip(-0.5, 0.5)], atol=1e-12)


START = [[0.5, 1.4], [1.5, 1.5], [2.5, 2.4], [3.5, 3], [4.5, 3], [5.5, 3.9], [6.5, 3.9], [7.5, 5], [8.5, 0.5], [9.5, 5.5]]  # fmt: skip


def with_outlier(y, delta=1.0):
    points = [list(point) for point in START]
    points[8][1] = y
    return run("losses", dots={"points": points}, delta=delta, residual=1.0)


def best(loss, points):
    """Return the lowest mean loss of a line, by a search that knows nothing of gradients."""
    x, y = np.array(points).T
    found = [
        minimize(
            lambda v: loss(v[0] * x + v[1] - y).mean(),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 5000},
        ).fun
        for start in ([0.5, 1.0], [0.2, 2.0])
    ]
    return min(found)


def test_lines_are_the_best_ones(page):
    points = torch.tensor(START, dtype=torch.float64)
    raw = {
        "squared": lambda r: r**2 / 2,
        "absolute": abs,
        "Huber": lambda r: np.where(abs(r) <= 1, r**2 / 2, abs(r) - 0.5),
    }
    for name, line in page[1]["lines"].items():
        reached = raw[name]((line.predict(points[:, :1]) - points[:, 1]).numpy()).mean()
        # Subgradient steps of the absolute loss end near the optimum only.
        allowed = 5e-3 if name == "absolute" else 1e-6
        assert 0 <= reached - best(raw[name], START) + 1e-9 <= allowed, name


def test_squared_error_follows_the_outlier_and_the_others_do_not():
    near, far = (with_outlier(y)[1]["slopes"] for y in (5.0, 0.0))
    moved = {name: abs(near[name] - far[name]) for name in NAMES}
    assert moved["squared"] > 0.2
    assert moved["squared"] > 2 * moved["Huber"]
    assert moved["squared"] > 4 * moved["absolute"]


def test_delta_leads_from_absolute_to_squared():
    slopes = [with_outlier(0.5, delta)[1]["slopes"] for delta in (0.1, 1.0, 3.0)]
    assert abs(slopes[0]["Huber"] - slopes[0]["absolute"]) < 0.01
    assert slopes[0]["Huber"] > slopes[1]["Huber"] > slopes[2]["Huber"] > slopes[2]["squared"]


POINTS = {
    "none": ([], "0 of the 2 points that are needed"),
    "one": ([[1, 1]], "1 of the 2 points that are needed"),
    "outside": ([[1, 1], [2, 11]], "Row 2, y: 11 is outside 0 … 10"),
    "nan": ([[1, math.nan], [2, 1]], "Row 1, y"),
    "one above the other": ([[1, 1], [1, 2]], "All points have the same x"),
}


@pytest.mark.parametrize(("points", "words"), POINTS.values(), ids=POINTS)
def test_points_that_make_no_line_are_told_in_a_sentence(points, words):
    outputs, names = run("losses", dots={"points": points})
    assert words in shown(outputs)
    assert "slopes" not in names
    # The rest of the page does not depend on them.
    assert names["better"] == "B"


def test_points_on_a_line_are_fitted_without_a_complaint():
    points = [[x, 9.5] for x in range(10)]
    assert run("losses", dots={"points": points})[1]["slopes"] == pytest.approx(
        dict.fromkeys(NAMES, 0), abs=0.02
    )


def test_cross_entropies_of_the_note(page):
    outputs, names = page
    assert names["entropies"]["A"][0].item() == pytest.approx(0.301, abs=5e-4)
    assert names["entropies"]["B"][0].item() == pytest.approx(0.155, abs=5e-4)
    for model, natural in {"A": 0.693, "B": 0.357}.items():
        values = names["entropies"][model][1:]
        assert values.tolist() == pytest.approx([values[0].item()] * 3, rel=1e-12)
        assert values[0].item() == pytest.approx(natural, abs=5e-4)
        assert values[0] / names["entropies"][model][0] == pytest.approx(math.log(10))
    assert names["better"] == "B"
    assert "0.30103" in shown(outputs)
    assert "0.154902" in shown(outputs)


def entropies(truth="1, 0, 0", model_a="0.5, 0.2, 0.3", model_b="0.7, 0.1, 0.2"):
    return run("losses", truth=truth, model_a=model_a, model_b=model_b)


def test_cross_entropy_of_two_distributions():
    _, names = entropies("(1/4, 3/4)", "[0.5 0.5]", ".25,0.75")
    wanted = {"A": math.log(2), "B": -0.25 * math.log(0.25) - 0.75 * math.log(0.75)}
    for model, value in wanted.items():
        assert names["entropies"][model][1:].tolist() == pytest.approx([value] * 3, rel=1e-6)
    assert names["better"] == "B"


PROBLEMS = {
    "nan": ({"model_a": "NaN, 0.5, 0.5"}, "A: “NaN” is not a number"),
    "negative": ({"model_b": "-0.5, 1, 0.5"}, "B: -0.5 is outside 0 … 1"),
    "sum": ({"model_a": "0.5, 0.2, 0.2"}, "A: the probabilities sum to 0.9"),
    "sum of p": ({"truth": "1, 1, 0"}, "p: the probabilities sum to 2"),
    "empty": ({"truth": ""}, "p: The field is empty"),
    "count": ({"model_b": "0.5, 0.5"}, "B has 2 probabilities and p has 3"),
    "zero": ({"model_a": "1, 0, 0"}, "A has a probability of 0"),
    "words": ({"model_a": "half, half, 0"}, "A: “half” is not a number"),
}


@pytest.mark.parametrize(("fields", "words"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_no_distribution_is_told_in_a_sentence(fields, words):
    outputs, names = entropies(**fields)
    assert words in shown(outputs)
    assert "entropies" not in names
    assert "bce" in names


@pytest.mark.parametrize("confidence", [0.8, 0.01])
def test_sum_and_mean_of_bce(confidence):
    _, names = run("losses", confidence=confidence)
    total = -math.log(0.9) - math.log(0.7) - math.log(confidence)
    assert names["bce"]["sum"] == pytest.approx([total] * 3, rel=1e-12)
    assert names["bce"]["mean"] == pytest.approx([total / 3] * 3, rel=1e-12)


NEAR = "torch.where(r.abs() <= delta, {}, {})"
CODE = {
    NEAR.format("r**2 / 2", "delta * (r.abs() - delta / 2)"): (True, "Right."),
    "(c := r.abs().clamp(max=delta)) * (r.abs() - c / 2)": (True, "Right."),
    "torch.nn.functional.huber_loss(r, 0 * r, reduction='none', delta=delta)": (True, "Right."),
    NEAR.format("r**2", "delta * (r.abs() - delta / 2)"): (False, "the half is missing"),
    NEAR.format("r**2 / 2", "r.abs()"): (False, "a jump at δ"),
    NEAR.format("r**2 / 2", "r.abs() - delta / 2"): (False, "the factor δ is missing"),
    NEAR.format("r**2 / 2", "delta * (r - delta / 2)"): (False, "take |r|"),
    NEAR.format("r**2 / 2", "delta * (r.abs() - delta)"): (False, "Subtract δ/2"),
    "torch.where(r <= delta, r**2 / 2, delta * (r.abs() - delta / 2))": (False, "Compare |r| with δ"),
    "r.clamp(-delta, delta)": (False, "That is the gradient"),
    "torch.nn.functional.huber_loss(r, 0 * r, delta=delta)": (False, "That is the mean"),
    "r.abs()": (False, "should be"),
    "...": (None, "awaited"),
}


@pytest.mark.parametrize(("code", "wanted"), CODE.items(), ids=[str(i) for i in range(len(CODE))])
def test_the_exercise_says_what_is_wrong(page, code, wanted):
    verdict = page[1]["exercise"].check(f"def huber(r, delta):\n    return {code}\n")
    assert (verdict.right, wanted[1] in verdict.english) == (wanted[0], True), verdict.english
    assert verdict.chinese


def test_both_languages(page, chinese):
    assert "One point far away" in shown(page[0])
    assert "一个离群点" in chinese
    assert "0.154902" in chinese
