"""The lesson on sigmoids: seven formulas against torch and the links, their properties, saturation, numerics."""

import math

import numpy as np
import pytest
import torch
from scipy import special

from lessons.running import run, shown

# The formulas once more, by another library and written in another way.
FAMILY = {
    "logistic": special.expit,
    "erf": lambda x: special.erf(np.sqrt(np.pi) / 2 * x),
    "algebraic": lambda x: np.sin(np.arctan(x)),
    "tanh": np.tanh,
    "arctan": lambda x: 2 / np.pi * np.arctan(np.pi / 2 * x),
    "Gudermann": lambda x: 2 / np.pi * np.arctan(np.sinh(np.pi / 2 * x)),
    "softsign": lambda x: np.sign(x) * (1 - 1 / (1 + abs(x))),
}


@pytest.fixture(scope="module")
def page():
    return run("sigmoids")


@pytest.fixture(scope="module")
def chinese():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONELAYER_LANGUAGE", "zh")
        yield shown(run("sigmoids")[0])


@pytest.mark.parametrize("x", [2.0, 0.0, -5.0, 0.3])
def test_the_ways_agree(x):
    _, names = run("sigmoids", where=x, which="tanh")
    wanted = {name: float(function(x)) for name, function in FAMILY.items()}
    assert names["by_hand"] == pytest.approx(wanted, rel=1e-13, abs=1e-15)
    assert names["by_onelayer"] == pytest.approx(wanted, rel=1e-13, abs=1e-15)
    for name, value in names["by_torch"].items():
        assert value == pytest.approx(wanted[name.removesuffix(", the module")], rel=1e-13, abs=1e-15), name


def test_both_forms_of_torch_are_there(page):
    by_torch = page[1]["by_torch"]
    assert (
        by_torch["logistic"] == by_torch["logistic, the module"] == torch.sigmoid(torch.tensor(2.0).double())
    )


@pytest.mark.parametrize("name", FAMILY)
def test_limits_monotone_saturating(page, name):
    left, right, step, at_zero, at_ten = page[1]["properties"][name]
    assert (left, right) == pytest.approx((0 if name == "logistic" else -1, 1), abs=2e-6)
    assert step > 0
    assert at_zero == (0.25 if name == "logistic" else 1)
    assert 0 < at_ten < 0.01 * at_zero
    h = 1e-5
    assert at_ten == pytest.approx(
        (FAMILY[name](10 + h) - FAMILY[name](10 - h)) / (2 * h), rel=1e-4, abs=1e-10
    )


def test_the_picture_shows_the_family_and_the_choice():
    outputs, names = run("sigmoids", where=-1.5, which="softsign")
    display = names["picture"]
    np.testing.assert_allclose(display.means, [function(display.scores) for function in FAMILY.values()])
    (dot,) = [line for line in display.ax_.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (-1.5, pytest.approx(-0.6))
    assert names["slope"] == pytest.approx(0.16)
    assert "has the value -0.6000 and the slope 0.16, which is 16.0%" in shown(outputs)


def test_saturation_of_the_logistic(page):
    derivatives = page[1]["derivatives"]
    wanted = [0.25, 0.104994, 0.00664806, 4.53958e-5]
    for way in ("formula", "torch", "onelayer"):
        assert derivatives[way][:4] == pytest.approx(wanted, rel=1e-5), way
    # At 40 the subtraction leaves nothing; the exact value is exp(-40) / (1 + exp(-40))².
    assert derivatives["formula"][4] == 0
    assert derivatives["onelayer"][4] == pytest.approx(math.exp(-40), rel=1e-12)


NUMERICS = {-1000: (0.0, 0.0, math.nan, -math.inf), 1000: (1.0, math.nan, 0.0, 0.0), 10: (1.0, 1.0, 0.0, 0.0)}


@pytest.mark.parametrize("score", NUMERICS)
def test_the_two_ways_to_write_it(score):
    _, names = run("sigmoids", extreme=score)
    numbers = names["numerics"]
    first, second, gradient, log = NUMERICS[score]
    near = {"abs": 5e-5, "nan_ok": True}
    assert numbers["1 / (1 + exp(-x))"] == pytest.approx(first, **near)
    assert numbers["exp(x) / (1 + exp(x))"] == pytest.approx(second, **near)
    assert numbers["gradient of the first"] == pytest.approx(gradient, **near)
    assert numbers["log of the first"] == pytest.approx(log, **near)
    for way in ("stable form", "torch.sigmoid"):
        assert numbers[way] == pytest.approx(special.expit(score), rel=1e-14), way
    for way in ("log by torch, LogSigmoid", "log by onelayer"):
        assert numbers[way] == pytest.approx(special.log_expit(score), rel=1e-12), way


CODE = {
    "2 * torch.sigmoid(2 * x) - 1": (True, "Right."),
    "torch.sigmoid(2 * x) - torch.sigmoid(-2 * x)": (True, "Right."),
    "torch.sigmoid(x)": (False, "logistic function itself"),
    "2 * torch.sigmoid(x) - 1": (False, "this is tanh(x/2)"),
    "2 * torch.sigmoid(x / 2) - 1": (False, "the other way round"),
    "2 * torch.sigmoid(2 * x)": (False, "The limits are 0 and 2"),
    "torch.sigmoid(2 * x) - 1": (False, "The limits are −1 and 0"),
    "torch.sigmoid(2 * x)": (False, "The limits are 0 and 1: stretch"),
    "x": (False, "should be"),
    "sigmoid(x)": (False, "NameError in line 2"),
    "...": (None, "awaited"),
}


@pytest.mark.parametrize(("code", "wanted"), CODE.items(), ids=[str(i) for i in range(len(CODE))])
def test_the_exercise_says_what_is_wrong(page, code, wanted):
    verdict = page[1]["exercise"].check(f"def tanh(x):\n    return {code}\n")
    assert (verdict.right, wanted[1] in verdict.english) == (wanted[0], True), verdict.english
    assert verdict.chinese


def test_both_languages(page, chinese):
    assert "the logistic sigmoid has the value 0.8808" in shown(page[0])
    assert "logistic 的值是 0.8808" in chinese
