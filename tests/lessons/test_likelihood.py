"""The lesson on likelihood: the note's flips, three ways to each number, and what it says of other input."""

import math

import numpy as np
import pytest
import torch

from lessons.running import run, shown


def flipped(text, first=0.5, second=0.2):
    return run("likelihood", typed=text, first=first, second=second)


@pytest.fixture(scope="module")
def page():
    return run("likelihood")


@pytest.fixture(scope="module")
def chinese():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONELAYER_LANGUAGE", "zh")
        yield shown(run("likelihood")[0])


def test_head_head_tail_under_two_candidates(page):
    _, names = page
    for way in ("by_hand", "by_torch", "by_onelayer"):
        assert names[way] == pytest.approx([0.125, 0.032], rel=1e-12), way
    assert names["believed"] == 0.5
    assert names["picture"].figure_ is not None


def test_the_logarithm_keeps_the_place_of_the_maximum(page):
    highest = page[1]["highest"]
    assert highest["likelihood"] == highest["log-likelihood"] == pytest.approx(2 / 3, abs=5e-4)


def test_the_negative_mean_log_likelihood_is_the_loss(page):
    wanted = {0.5: -math.log(0.125) / 3, 0.2: -math.log(0.032) / 3}
    for p, values in page[1]["cross_entropies"].items():
        assert values == pytest.approx([wanted[p]] * 3, rel=1e-12)


def test_three_ways_to_the_maximum(page):
    ways = page[1]["three_ways"]
    assert ways == pytest.approx(dict.fromkeys(("counted", "climbed", "fitted"), 2 / 3), abs=1e-7)


UNDERFLOW = {150: (0.5**150, 0.0), 1074: (5e-324, 0.0), 1075: (0.0, 0.0), 100: (0.5**100, 0.5**100)}


@pytest.mark.parametrize("many", UNDERFLOW)
def test_the_product_underflows_and_the_sum_does_not(many):
    _, names = run("likelihood", many=many)
    in_double, in_single = UNDERFLOW[many]
    assert names["underflow"]["product, float64"] == in_double
    assert names["underflow"]["product, float32"] == pytest.approx(in_single)
    assert names["underflow"]["sum of logs"] == pytest.approx(many * math.log(0.5))


FLIPS = {
    "t, t;H\tT": ([0, 0, 1, 0], 0.2),
    "1101": ([1, 1, 0, 1], 0.5),
    "正正 反": ([1, 1, 0], 0.5),
    "反，反、反": ([0, 0, 0], 0.2),
}


@pytest.mark.parametrize(("text", "wanted"), FLIPS.items(), ids=["letters", "digits", "chinese", "tails"])
def test_flips_as_people_type_them(text, wanted):
    flips, believed = wanted
    _, names = flipped(text)
    assert names["outcomes"] == flips
    assert names["believed"] == believed
    of_numpy = [np.prod(np.where(flips, p, 1 - p)) for p in (0.5, 0.2)]
    assert names["by_hand"] == pytest.approx(of_numpy, rel=1e-12)
    assert names["counted"] == np.mean(flips)


def test_candidates_change_the_verdict():
    outputs, names = flipped("H H T", 0.3, 0.66)
    assert names["believed"] == 0.66
    assert "p = 0.66" in shown(outputs)
    outputs, names = flipped("H T", 0.3, 0.7)
    assert names["believed"] is None
    assert "equally likely" in shown(outputs)


@pytest.mark.parametrize(("text", "edge"), [("H H H", 1), ("T", 0)])
def test_equal_flips_have_their_maximum_at_the_edge(text, edge):
    outputs, names = flipped(text)
    assert names["highest"]["likelihood"] == names["counted"] == edge
    assert abs(names["climbed"] - edge) < 1e-3
    assert names["three_ways"]["fitted"] is None
    assert "one class only" in names["refusal"]
    assert "lies at the edge" in shown(outputs)


def test_many_flips_are_compared_by_their_logarithms():
    text = "H" * 200
    outputs, names = flipped(text, 0.01, 0.02)
    assert names["by_hand"] == [0, 0.02**200]
    assert names["believed"] == 0.02
    assert "L underflowed to 0" in shown(outputs)


PROBLEMS = {
    "": "There is no flip",
    " , ": "There is no flip",
    "H x T": "“X” is neither H (head) nor T (tail)",
    "NaN": "“N” is neither",
    "0.5": "“.” is neither",
    "H" * 201: "201 flips are too many",
}


@pytest.mark.parametrize(("text", "words"), PROBLEMS.items(), ids=["none", "commas", "x", "nan", "p", "many"])
def test_other_input_is_told_in_a_sentence(text, words):
    outputs, names = flipped(text)
    assert words in shown(outputs)
    assert "by_hand" not in names


ANSWERS = {
    "2.28": (True, "Right."),
    "2.277": (True, "Right."),
    "0.44": (False, "Upside down"),
    "1.4": (False, "for one head"),
    "10.54": (False, "tails count too"),
    "0.00222": (False, "likelihood of 0.7 itself"),
    "0.823": (False, "difference of the logarithms. Its"),
    "0.357": (False, "to base 10"),
    "3": (False, "too large"),
    "NaN": (False, "not a number"),
    "": (None, "awaited"),
}


@pytest.mark.parametrize(("answer", "wanted"), ANSWERS.items(), ids=[text or "empty" for text in ANSWERS])
def test_the_exercise_says_what_is_wrong(page, answer, wanted):
    verdict = page[1]["exercise"].check(answer)
    assert (verdict.right, wanted[1] in verdict.english) == (wanted[0], True), verdict.english
    assert verdict.chinese


def test_the_exercise_on_plain_torch(page):
    flips = torch.tensor([1.0] * 7 + [0.0] * 3)
    logs = [torch.distributions.Bernoulli(torch.tensor(p)).log_prob(flips).sum() for p in (0.7, 0.5)]
    exercise = page[1]["exercise"]
    assert exercise.check((logs[0] - logs[1]).exp().item()).right


def test_both_languages(page, chinese):
    english = shown(page[0])
    assert "p = 0.50</strong> makes these flips more likely" in english
    assert "p = 0.50</strong> 使观测结果更可能出现" in chinese
    assert "3.906 times" in english
    assert "3.906 倍" in chinese
