"""The lesson on gradients: the note's numbers, three ways to the same gradient, and backpropagation by hand."""

import pytest

from lessons.running import run, shown


@pytest.fixture(scope="module")
def page():
    return run("gradients")


def test_the_gradient_of_the_note(page):
    _, names = page
    assert names["by_torch"] == [3, 6, 1, 1]
    assert names["by_formula"] == [3, 6, 1, 1]
    assert names["by_slopes"] == pytest.approx([3, 6, 1, 1], abs=1e-8)


@pytest.mark.parametrize("place", [(0, 0, 0), (-2, 4, 1.5), (1.3, -0.7, -2)])
def test_the_controls_move_the_place(place):
    a, b, x = place
    _, names = run("gradients", a=a, b=b, x=x)
    wanted = [3 * a**2 * x, 2 * b * x, x, 1]
    assert names["by_torch"] == pytest.approx(wanted, abs=1e-12)
    assert names["by_slopes"] == pytest.approx(wanted, abs=1e-7)


def test_backpropagation_by_hand_is_autograd(page):
    _, names = page
    assert set(names["distance"]) == {"V", "c", "w", "b"}
    assert max(names["distance"].values()) < 1e-12
    assert names["distance_of_last"] < 1e-12
    assert min(gradient.abs().max() for gradient in names["by_hand"].values()) > 1e-3


ANSWERS = {
    "def derivative(z, y):\n    p = torch.sigmoid(z)\n    return 2 * (p - y) * p * (1 - p)": (True, "Right."),
    "def derivative(z, y):\n    p = torch.sigmoid(z)\n    return 2 * (p - y)": (
        False,
        "That is the derivative by p.",
    ),
    "def derivative(z, y): return torch.sigmoid(z) - y": (False, "cross-entropy"),
    "def derivative(z, y): return z": (False, "should be"),
    "def derivative(z, y): return": (False, "returns nothing"),
}


@pytest.mark.parametrize(("code", "wanted"), ANSWERS.items(), ids=range(len(ANSWERS)))
def test_the_exercise(page, code, wanted):
    verdict = page[1]["exercise"].check(code)
    assert (verdict.right, wanted[1] in verdict.english) == (wanted[0], True), verdict.english


@pytest.mark.parametrize(("language", "words"), [("en", "from the last to the first"), ("zh", "链式法则")])
def test_both_languages(monkeypatch, language, words):
    monkeypatch.setenv("ONELAYER_LANGUAGE", language)
    text = shown(run("gradients")[0])
    assert words in text
    assert ("旋钮" in text) == (language == "zh")
