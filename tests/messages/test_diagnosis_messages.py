"""What is said about fits that ended short, word for word: the numbers measured, and the one argument to change."""

import numpy as np
import pytest
import torch

import onelayer as ol
from onelayer.diagnosis import diagnose
from onelayer.result import Record

INF = float("inf")
NAMES = ["height", "age", "smoker"]
L, S, R = ol.LogisticRegression, ol.SoftmaxRegression, ol.LinearRegression
# A grid on which the classes overlap.
GRID = np.array([[i, j, 0.0] for i in range(4) for j in range(5)])
MIXED = np.arange(20) % 2


def with_rows(rows, y):
    return np.r_[GRID, rows], np.r_[MIXED, y]


def steady(count, norm, value=0.5, gap=None):
    return [Record(i, 0.02 * i, 1.0 + i, value, norm(i), gap and gap(i)) for i in range(count)]


FLAT = steady(21, lambda i: 0.1)
FALLING = steady(21, lambda i: 0.5**i)
SMALL = steady(9, lambda i: 2e-9)
APART = np.array([[1.0, 5.0, 0.0], [2.0, 7.0, 1.0], [3.0, 6.0, 0.0], [4.0, 4.0, 1.0]])
SAID = {
    "a line": (
        (L(INF), APART, [0, 1, 1, 0], "max_iter", FLAT),
        {},
        (
            "A line separates the classes without error (all 4 rows), so without a penalty the coefficients grow for ever and "
            "no optimum exists: set C=1.0."
        ),
    ),
    "lines": (
        (S(INF), APART, [0, 1, 2, 0], "separated", FLAT),
        {},
        (
            "Linear scores separate the classes without error (all 4 rows), so without a penalty the coefficients grow for "
            "ever and no optimum exists: set C=1.0."
        ),
    ),
    "one column": (
        (L(INF), APART[:, 2:], [0, 1, 0, 1], "stalled", SMALL),
        {"names": ["smoker"]},
        (
            "Column 'smoker' alone separates the classes without error (all 4 rows), so without a penalty its coefficient "
            "grows for ever and no optimum exists: set C=1.0."
        ),
    ),
    "a dummy": (
        (L(INF), *with_rows([[1.0, 2, 1]] * 5, [1] * 5), "stalled", SMALL),
        {"names": NAMES},
        (
            "Column 'smoker' alone moves 5 of 25 rows (rows 20, 21, 22 and 2 more) ever further to their own side and none to "
            "the wrong one, so without a penalty no optimum exists: set C=1.0."
        ),
    ),
    "a dummy of one row": (
        (S(INF), *with_rows([[1.0, 2, -1]], [1]), "max_iter", FLAT),
        {},
        (
            "Column 2 alone moves 1 of 21 rows (row 20) ever further to their own side and none to the wrong one, so without "
            "a penalty no optimum exists: set C=1.0."
        ),
    ),
    "a dummy and a threshold": (
        (L(INF), np.array([[1.0], [2.0], [2.0], [3.0]]), [0, 0, 1, 1], "stalled", SMALL),
        {"names": ["age"]},
        (
            "Column 'age' alone moves 2 of 4 rows (rows 0 and 3) ever further to their own side and none to the wrong one, so "
            "without a penalty no optimum exists: set C=1.0."
        ),
    ),
    "no proof": (
        (L(INF), GRID[:, :2], MIXED, "stalled", SMALL),
        {"parameters": torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64)},
        (
            "The largest entry of the gradient is 2e-09, but without a penalty nothing is proven here; a penalty with C=1e4 "
            "takes 2e-07 of the objective here and gives a proof: set C=1e4."
        ),
    ),
    "not convex": (
        (L(loss="probability-squared"), GRID, MIXED, "stalled", SMALL),
        {"obstacle": "it is not convex"},
        "The largest entry of the gradient is 2e-09, but it is not convex: set loss='log'.",
    ),
    "float64's floor": (
        (L(), GRID, MIXED, "stalled", FLAT),
        {"tol": 1e-18, "relative_gap": 3e-16},
        "In float64 a relative gap of about 4e-16 can be reached here, and tol=1e-18 asks for less: set tol=9e-16.",
    ),
    "budget": (
        (L(), GRID, MIXED, "max_iter", FALLING),
        {"relative_gap": 1e-3},
        "5 more iterations (about 0.1 s) would do at the observed rate: set max_iter=27.",
    ),
    "budget of time": (
        (L(), GRID, MIXED, "time_limit", [*FALLING[:20], Record(20, 40.0, 21.0, 0.5, 0.5**20)]),
        {"relative_gap": 1e-3},
        "5 more iterations (about 22 s) would do at the observed rate: set time_limit=68.",
    ),
    "budget, one more": (
        (L(), GRID, MIXED, "max_iter", FALLING),
        {"relative_gap": 1.1e-6},
        "1 more iteration (about 0.02 s) would do at the observed rate: set max_iter=22.",
    ),
    "budget, early": (
        (L(), GRID, MIXED, "max_iter", FALLING),
        {"relative_gap": 0.9},
        "At least 10 more iterations (about 0.2 s) are needed at the observed rate: set max_iter=50.",
    ),
    "budget, flat": (
        (L(), GRID, MIXED, "max_iter", FLAT),
        {"relative_gap": 1e-3},
        "The gradient did not fall by half in the last 9 iterations: set max_iter=270.",
    ),
    "budget, flat gaps": (
        (L(), GRID, MIXED, "time_limit", steady(21, lambda i: 0.5**i, gap=lambda i: 0.01)),
        {"relative_gap": 1e-2},
        "The gap did not fall by half in the last 9 iterations: set time_limit=6.",
    ),
    "budget, short": (
        (L(), GRID, MIXED, "max_iter", FALLING[:2]),
        {"relative_gap": 1e-3},
        "1 iteration is too few to tell how many more it takes: set max_iter=130.",
    ),
    "scales": (
        (L(), GRID[:, :2] * [1e-3, 1e6], MIXED, "stalled", FLAT),
        {"relative_gap": 1e-3, "names": NAMES},
        (
            "Column 'age' has the standard deviation 1.4e+06 and column 'height' 0.0011, a ratio of 1.3e+09: set "
            "standardize=True."
        ),
    ),
    "scales, beside a constant": (
        (L(), GRID * [1e-3, 1e6, 1], MIXED, "max_iter", FLAT),
        {"relative_gap": 1e-3},
        (
            "Column 1 has the standard deviation 1.4e+06 and column 0 0.0011, a ratio of 1.3e+09 (column 2 is constant): set "
            "standardize=True."
        ),
    ),
    "scales without an intercept": (
        (R("huber", alpha=1e-3, fit_intercept=False), GRID[:, :2] * [1.0, 1e6], MIXED * 1.0, "stalled", FLAT),
        {"relative_gap": 1e-3},
        "Column 1 has the root mean square 2.4e+06 and column 0 1.9, a ratio of 1.3e+06: set standardize=True.",
    ),
    "unknown": (
        (L(), GRID, MIXED, "stalled", FLAT),
        {"relative_gap": 4.2e-5},
        "Neither precision nor the scales of columns explain the relative gap of 4.2e-05: set tol=5e-05.",
    ),
}


def said(case, tol=1e-6, parameters=None, **given):
    model, X, y, status, trace = case
    objective = model.objective(np.asarray(X), np.asarray(y))
    there = objective.zeros() if parameters is None else objective.zeros().like(parameters)
    return diagnose(objective, there, status, trace, tol, **given).message


@pytest.mark.parametrize("name", SAID)
def test_each_cause_has_its_sentence(name):
    case, given, sentence = SAID[name]
    assert said(case, **given) == sentence


def test_directions_of_several_columns_and_of_none():
    # The two columns tell the classes apart only together; of the third there is nothing to tell.
    X = np.array([[0.0, 1], [1, 0], [1, 1], [2, 0], [0, 0], [1, 2], [1, 1], [0, 2]])
    together = said((L(INF), X, [0, 0, 0, 0, 0, 1, 1, 1], "stalled", SMALL))
    assert together.startswith(
        "Columns 0 and 1 together move 6 of 8 rows (rows 0, 1, 3 and 3 more) ever further"
    )
    # Turned, so that the same direction takes all columns.
    turned = np.c_[X, X[:, :1], X[:, 1:]] @ np.array(
        [[1.0, 2, 3, 4], [1, -1, 2, 0], [0, 1, 1, 1], [5, 0, 1, 2]]
    )
    many = said((L(INF), turned, [0, 0, 0, 0, 0, 1, 1, 1], "stalled", SMALL))
    assert many.startswith(
        "One direction of the coefficients moves 6 of 8 rows (rows 0, 1, 3 and 3 more) ever further"
    )
    none = said((L(INF, fit_intercept=True), GRID[:, 2:], np.r_[0, MIXED[1:]], "stalled", SMALL))
    assert "separate" not in none
    objective = L(INF).objective(np.zeros((4, 1)), [0, 0, 0, 1])
    objective.sample_weight = torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    found = diagnose(objective, objective.zeros(), "stalled", SMALL, 1e-6)
    assert found.message.startswith("The intercept alone separates the classes without error (all 3 rows)")
    objective = S(INF).objective(GRID[:, 2:], np.r_[MIXED[:-1], 2])
    objective.sample_weight = torch.ones(20, dtype=torch.float64)
    objective.sample_weight[-1] = 0
    found = diagnose(objective, objective.zeros(), "stalled", SMALL, 1e-6)
    assert found.message.startswith(
        "The intercept alone moves 19 of 19 rows (rows 0, 1, 2 and 16 more) ever further"
    )


def test_float32_is_told_from_float64():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 30))
    y = (X @ rng.normal(size=30) + 3 * rng.logistic(size=2000) > 0).astype(int)
    model = L(dtype="float32")
    objective = model.objective(X, y)
    best = ol.solvers.minimize(ol.solvers.LBFGS(), objective, objective.zeros(), tol=1e-9).parameters
    given = {"relative_gap": 3e-15, "parameters": best.flat, "tol": 6e-16}
    sentence = said((model, X, y, "stalled", FLAT), dtype_of_fit="float32, last steps in float64", **given)
    assert sentence == (
        "In float32 a relative gap of about 1e-15 can be reached here, and tol=6e-16 asks for less; float64 reaches "
        "about 4e-16: set dtype='float64'."
    )


def test_nearly_separated_data_are_counted():
    x = np.arange(400.0)[:, None]
    y = (x[:, 0] >= 200).astype(int)
    y[[10, 20]] = 1
    steep = torch.tensor([0.2, -39.9], dtype=torch.float64)
    assert said((L(INF), x, y, "max_iter", FLAT), parameters=steep) == (
        "All but 2 of 400 rows are on the right side (wrong: rows 10 and 20), half of them by a score of 20 or more, so "
        "the optimum lies far out: set C=1.0."
    )
    y[[10, 20]] = 0
    assert said((L(1e9), x, y, "max_iter", FLAT), parameters=steep, relative_gap=0.9) == (
        "All 400 rows are on the right side, half of them by a score of 20 or more, so the optimum lies far out: set "
        "C=1e+07."
    )
