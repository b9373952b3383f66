"""What exercises and fields say of what a reader typed."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from onelayer.lessons import CodeExercise, NumberExercise, Speaker, read_number, read_points

NUMBER = NumberExercise(6, [(3, "That is b.", "这是 b。")])

NUMBERS = {
    "": (None, "awaited"),
    "6": (True, "Right."),
    " 6.0 ": (True, "Right."),
    "12/2": (True, "Right."),
    "3": (False, "That is b."),
    "-6": (False, "sign"),
    "−6": (False, "sign"),
    "5": (False, "too small"),
    "7": (False, "too large"),
    "NaN": (False, "not a number"),
    "inf": (False, "not a number"),
    "six": (False, "“six” is not a number"),
    "1/0": (False, "not a number"),
    "9" * 400: (False, "not a number"),
}


@pytest.mark.parametrize(("answer", "wanted"), NUMBERS.items(), ids=[text[:9] or "empty" for text in NUMBERS])
def test_number_exercises(answer, wanted):
    right, words = wanted
    verdict = NUMBER.check(answer)
    assert (verdict.right, words in verdict.english) == (right, True), verdict.english
    assert verdict.chinese


ZERO = NumberExercise(0)


@pytest.mark.parametrize(("answer", "right"), [("0", True), ("0.001", True), ("0.1", False), ("-0.1", False)])
def test_a_right_answer_of_zero(answer, right):
    assert ZERO.check(answer).right is right


SOFTMAX = CodeExercise(
    "softmax",
    lambda z: torch.softmax(z, dim=-1),
    [(torch.tensor([1.0, 2.0, 3.0]),), (torch.zeros(2, 3),)],
    [(torch.exp, "Divide by the sum.", "要除以总和。")],
    start="def softmax(z):\n    return ...\n",
)

CODE = {
    "": (None, "awaited"),
    SOFTMAX.start: (None, "awaited"),
    "def softmax(z): return torch.softmax(z, -1)": (True, "Right."),
    "def softmax(z):\n    e = torch.exp(z)\n    return e / e.sum(-1, keepdim=True)": (True, "Right."),
    "def softmax(z): return torch.exp(z)": (False, "Divide by the sum."),
    "def softmax(z): return z": (
        False,
        "softmax([1.0, 2.0, 3.0]) should be [0.09, 0.2447, 0.6652], and yours",
    ),
    "def softmax(z):\n    torch.exp(z)": (False, "returns nothing"),
    "def softmax(z): return 'text'": (False, "should be"),
    "def softmax(z): return z.sum()": (False, "should be"),
    "def soft(z): return z": (False, "no function softmax"),
    "softmax = 3": (False, "no function softmax"),
    "def softmax(z) return z": (False, "cannot read line 1"),
    "def softmax(z):\n    return y": (False, "NameError in line 2"),
    "def softmax(z, y): return z": (False, "TypeError"),
    "def softmax(z): return z @ torch.ones(7)": (False, "RuntimeError in line 1"),
    "def softmax(z):\n    while True: pass": (False, "does not come to an end"),
    "def softmax(z): return softmax(z)": (False, "RecursionError"),
    "import nothing_there": (False, "ModuleNotFoundError in line 1"),
    "raise ValueError": (False, "ValueError in line 1"),
}


@pytest.mark.parametrize(("code", "wanted"), CODE.items(), ids=[str(i) for i in range(len(CODE))])
def test_code_exercises(code, wanted):
    right, words = wanted
    verdict = SOFTMAX.check(code)
    assert (verdict.right, words in verdict.english) == (right, True), verdict.english
    assert verdict.chinese
    assert "\n" not in verdict.english


def test_an_answer_cannot_spoil_the_cases():
    assert SOFTMAX.check("def softmax(z):\n    z.zero_()\n    return z").right is False
    assert SOFTMAX.check("def softmax(z): return torch.softmax(z, -1)").right


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_as_it_is(number):
    assert read_number(repr(number)) == (number, None)
    assert read_number(number) == (number, None)


@given(st.text(max_size=30) | st.none() | st.booleans() | st.floats() | st.lists(st.integers(), max_size=2))
def test_a_field_gives_a_number_or_a_sentence(value):
    number, problem = read_number(value, -5, 5)
    if problem is None:
        assert -5 <= number <= 5
    else:
        assert number is None
        assert all(text and text == text.strip() for text in problem)


POINTS = {
    "all there": ([[1, 2], [3, 4]], None),
    "text": ([{"hours": "1", "passed": "0"}, {"hours": "2", "passed": 1}], None),
    "empty rows": ([{"hours": None, "passed": ""}, {"hours": 1, "passed": 0}, [5, 1]], None),
    "nan": ([{"hours": math.nan, "passed": 0}], "Row 1, hours"),
    "typed NaN": ([{"hours": "NaN", "passed": 0}], "Row 1, hours: “NaN” is not a number"),
    "half empty": (
        [{"hours": 1, "passed": 0}, {"hours": 1, "passed": None}],
        "Row 2, passed: The field is empty",
    ),
    "out of range": ([{"hours": 11, "passed": 0}], "Row 1, hours: 11 is outside 0 … 10"),
    "nothing": ([], "no point left"),
}


@pytest.mark.parametrize(("rows", "words"), POINTS.values(), ids=POINTS)
def test_points(rows, words):
    points, problem = read_points(rows, {"hours": (0, 10), "passed": (0, 10)})
    if words is None:
        assert problem is None
        assert np.isfinite(points).all()
        assert points.shape[1] == 2
    else:
        assert points is None
        assert words in problem[0]


@pytest.mark.parametrize(("language", "text"), [("English", "loss"), ("中文", "损失")])
def test_a_speaker_has_two_languages(language, text):
    say = Speaker(language)
    assert say.text("loss", "损失") == text
    assert text in say("loss", "损失").text
    assert text in say.problem("loss", "损失").text
    assert text in say.table([("a", "甲"), ("b", "乙")], [[("loss", "损失"), 0.5]]).text
