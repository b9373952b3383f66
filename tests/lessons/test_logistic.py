"""The page on logistic regression: hours of study, an exam, and when to say "uncertain"."""

import numpy as np
import pytest
import torch
from scipy.special import expit

from lessons.running import run, shown

NAME = "logistic"
CONTROLS = {"rate": 0.01, "epochs": 1000, "start_w": 0, "start_b": 0}
WAYS = ["by_hand", "by_own_module", "by_sequential", "by_onelayer"]


@pytest.fixture(scope="module")
def page():
    return run(NAME)


@pytest.fixture(scope="module")
def other_page():
    """Other settings of the training, a wide band, no penalty, and students that a line separates."""
    settings = {"rate": 0.03, "epochs": 300, "start_w": -1.5, "start_b": 2}
    students = {"points": [[1, 0], [2, 0], [6, 1], [9, 1]]}
    return run(NAME, **settings, band=[0.2, 0.9], asked="2.5", strength=float("inf"), dots=students)


def loop_of_the_note(start=(0.0, 0.0), rate=0.01, epochs=1000):
    """Return (w, b) of the note's own loop: float32, a sum over the students, an epoch is one step."""
    x_data, y_data = torch.Tensor([[1.0], [2.0], [3.0]]), torch.Tensor([[0], [0], [1]])
    linear = torch.nn.Linear(1, 1)
    with torch.no_grad():
        linear.weight.fill_(start[0])
        linear.bias.fill_(start[1])
    criterion = torch.nn.BCELoss(reduction="sum")
    optimizer = torch.optim.SGD(linear.parameters(), lr=rate)
    for _ in range(epochs):
        loss = criterion(torch.sigmoid(linear(x_data)), y_data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return linear.weight.item(), linear.bias.item()


def test_the_page_says_its_things(page, monkeypatch):
    outputs, _ = page
    assert "Logistic regression" in shown(outputs)
    monkeypatch.setenv("ONELAYER_LANGUAGE", "zh")
    chinese = shown(run(NAME, **(CONTROLS | {"epochs": 10}))[0])
    assert "逻辑斯蒂回归" in chinese
    assert "不通过" in chinese
    assert "From raw tensors" not in chinese


@pytest.mark.parametrize("way", WAYS)
def test_every_way_ends_where_the_loop_of_the_note_does(way, page, other_page):
    assert page[1][way].numpy() == pytest.approx(loop_of_the_note(), abs=1e-5)
    assert other_page[1][way].numpy() == pytest.approx(loop_of_the_note((-1.5, 2), 0.03, 300), abs=1e-5)
    assert torch.allclose(page[1][way], page[1]["by_hand"], rtol=0, atol=1e-12)


def test_the_module_of_the_estimator_is_the_modules_of_torch(page):
    names = page[1]
    hours = torch.linspace(0, 10, 21, dtype=torch.float64).unsqueeze(1)
    with torch.no_grad():
        ours = names["module"](hours)
        assert torch.allclose(ours, names["own"](hours), rtol=0, atol=1e-12)
        assert torch.allclose(ours, names["sequential"](hours), rtol=0, atol=1e-12)
    assert torch.allclose(ours, names["model"].predict_proba(hours)[:, 1:], rtol=0, atol=1e-12)
    assert list(names["after_four"].values()) == pytest.approx([0.869820] * 5, abs=1e-5)


def test_the_curve_crosses_the_line_between_two_and_three_hours(page):
    w, b = page[1]["by_hand"].tolist()
    display = page[1]["decision"]
    assert display.crossings == pytest.approx([-b / w], abs=1e-6)
    assert 2 < display.crossings[0] < 3
    (hours,) = display.grid
    assert (hours[0], hours[-1]) == (0, 10)
    assert display.proba[:, 1] == pytest.approx(expit(w * hours + b), abs=1e-9)


@pytest.mark.parametrize("which", ["page", "other_page"])
def test_in_the_band_there_is_no_answer(which, request):
    _, names = request.getfixturevalue(which)
    low, high = names["band"].value
    w, b = names["by_hand"].tolist()
    ends = [(np.log(p / (1 - p)) - b) / w for p in (low, high)]
    assert names["decision"].bands == pytest.approx(np.array([ends]), abs=1e-6)
    p = expit(w * names["hours"][:, 0].numpy() + b)
    wanted = ["pass" if share >= high else "fail" if share <= low else None for share in p]
    assert names["answers"].tolist() == wanted
    assert None in wanted
    assert names["probabilities"].sum(dim=1).tolist() == pytest.approx([1] * 5)


def test_you_can_ask_for_your_own_hours(page, other_page):
    assert page[1]["answers"].tolist() == ["fail", "fail", None, "pass", "pass"]
    assert other_page[1]["hours"][-1].item() == 2.5


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("NaN", "not a number"),
        ("", "The field is empty"),
        ("25", "25 is outside 0 … 24"),
        ("four", "“four” is not"),
    ],
)
def test_hours_that_are_none_get_a_sentence(typed, words):
    outputs, names = run(NAME, **(CONTROLS | {"epochs": 10}), asked=typed, band=[0.4, 0.6])
    assert words in shown(outputs)
    assert "answers" not in names
    assert "moved" in names  # the rest of the page goes on


def test_without_a_penalty_the_curve_grows_steeper_for_ever(page):
    names = page[1]
    assert np.all(np.diff(list(names["steepness"].values())) > 0)
    assert names["steepness"][300] > 8
    assert names["unpenalised"].result_.status == "separated"
    assert names["unpenalised"].certificate_ is None
    assert "grows for ever and no optimum exists" in shown(page[0])


def test_with_a_penalty_there_is_a_proven_optimum(page):
    from sklearn.linear_model import LogisticRegression

    penalised = page[1]["penalised"]
    peer = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit([[1], [2], [3]], [0, 0, 1])
    assert penalised.coef_.item() == pytest.approx(
        peer.coef_.item(), abs=penalised.certificate_.weight_radius
    )
    assert penalised.intercept_.item() == pytest.approx(peer.intercept_.item(), abs=3e-3)
    assert penalised.certificate_.relative_gap <= 1e-6
    assert "The certified relative gap is" in shown(page[0])


def test_students_that_move_take_the_curve_along(page, other_page):
    for _, names in (page, other_page):
        points = np.array(names["dots"].value["points"])
        assert names["studied"][:, 0] == pytest.approx(points[:, 0])
        assert names["results"] == ["pass" if result else "fail" for result in points[:, 1]]
        hours, curve = np.array(names["dots"].curve).T
        assert curve == pytest.approx(expit(names["steep"] * hours + names["shift"]), abs=1e-6)
        assert list(names["dots"].band) == names["band"].value
    assert page[1]["moved"].result_.status == "converged"
    assert other_page[1]["moved"].result_.status == "separated"
    assert page[1]["steep"] != pytest.approx(other_page[1]["steep"], abs=0.1)


BAD_POINTS = {
    "all fail": ([[1, 0], [2, 0], [3, 0]], "y holds one class only"),
    "all pass": ([[1, 1], [2, 1], [3, 1]], "y holds one class only"),
    "none": ([], "0 of the 2 points"),
    "outside": ([[1, 0], [12, 1]], "Row 2, hours: 12 is outside 0 … 10"),
    "NaN": ([[1, 0], [float("nan"), 1]], "Row 2, hours: “nan” is not a number"),
}


@pytest.mark.parametrize(("points", "words"), BAD_POINTS.values(), ids=BAD_POINTS)
def test_students_that_make_no_curve_get_a_sentence(points, words):
    outputs, names = run(NAME, **(CONTROLS | {"epochs": 10}), dots={"points": points})
    assert words in shown(outputs)
    assert "steep" not in names
    assert names["dots"].curve == []


def test_check_head_finds_the_mistakes(page):
    findings = page[1]["findings"]
    assert findings["right"] == []
    for name, words in {
        "sigmoid twice": "sigmoid itself",
        "no sigmoid": "scores",
        "shape of y": "one shape",
    }.items():
        assert len(findings[name]) == 1
        assert words in findings[name][0]
        assert findings[name][0] in shown(page[0])


WRONG = {
    "2.5": "There p is 0.5",
    "3.167": "as the score",
    "1.155": "left out b",
    "-1.345": "sign of b",
    "2.314": "not log p",
    "3.002": "base 10",
    "-3.655": "the sign is not",
    "5": "too large",
    "NaN": "not a number",
}


@pytest.mark.parametrize(("typed", "words"), WRONG.items())
def test_wrong_answers_get_their_sentence(typed, words, page):
    verdict = page[1]["exercise"].check(typed)
    assert (verdict.right, words in verdict.english) == (False, True), verdict.english
    assert verdict.chinese


def test_the_right_answer_has_the_probability(page):
    exercise = page[1]["exercise"]
    assert expit(1.2 * exercise.right - 3) == pytest.approx(0.8)
    assert page[1]["verdict"].right is None
    assert exercise.check("3.66").right
