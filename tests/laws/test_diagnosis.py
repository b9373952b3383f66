"""Laws of the diagnosis: the cause is the one that was built in, the action cures it, and nothing is ever raised."""

import dataclasses
import math

import numpy as np
import pytest
import torch

import onelayer as ol
from instances import LOSSES, classes, draw, over, regression
from onelayer.designs import DenseDesign
from onelayer.diagnosis import (
    Diagnosis,
    diagnose,
    extrapolate,
    find_floors,
    find_nearness,
    find_obstacle,
    find_scales,
)
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import NoPenalty
from onelayer.result import Record, Status
from onelayer.solvers import LBFGS, GradientDescent, minimize

X, Y = classes(rows=200, features=4, count=2)
_, Y3 = classes(rows=200, features=4, count=3)
INF = float("inf")
SHORT = (Status.MAX_ITER, Status.TIME_LIMIT, Status.STALLED, Status.SEPARATED)
Logistic, Softmax, Linear = ol.LogisticRegression, ol.SoftmaxRegression, ol.LinearRegression


def dummy(y):
    """A column that is 1 in some rows of the last class only."""
    column = np.zeros(len(y))
    column[np.flatnonzero(y == y.max())[:9]] = 1
    return np.c_[X, column]


def apart(flipped=()):
    y = (X @ [1.0, -2.0, 0.5, 0.0] > 0).astype(int)
    y[list(flipped)] ^= 1
    return y


def fitted(model, X, y):
    """(diagnosis, result) of the fit that `model` makes; through the solver, for the solver's own coefficients."""
    objective = model.objective(X, y)
    settings = {name: getattr(model, name) for name in ("tol", "max_iter", "time_limit")}
    outcome = minimize(model.solver, objective, objective.zeros(), **settings)
    result, passes = outcome.result, objective.passes
    found = diagnose(
        objective,
        outcome.parameters,
        result.status,
        result.trace,
        model.tol,
        relative_gap=outcome.certificate and outcome.certificate.relative_gap,
        dtype_of_fit=result.dtype,
    )
    assert objective.passes == passes
    return found, result


SLOW = GradientDescent(0.5, steps=10**5)
# (model, X, y, cause, whether the action alone leads to a fit without a warning)
CASES = {
    "separated": (Logistic(INF, solver=LBFGS()), X, apart(), "separated", True),
    "separated, three iterations": (
        Logistic(INF, solver=LBFGS(), max_iter=3),
        X,
        apart(),
        "separated",
        False,
    ),
    "separated, no time": (Logistic(INF, solver=LBFGS(), time_limit=1e-9), X, apart(), "separated", False),
    "separated, softmax": (
        Softmax(INF, solver=LBFGS()),
        X,
        (X @ np.eye(4, 3)).argmax(axis=1),
        "separated",
        True,
    ),
    "quasi-separated": (Logistic(INF, solver=LBFGS(), max_iter=15), dummy(Y), Y, "separated", False),
    "quasi-separated, to the end": (Logistic(INF, solver=LBFGS()), dummy(Y), Y, "separated", True),
    "quasi-separated, float32": (
        Logistic(INF, solver=LBFGS(), dtype="float32"),
        dummy(Y),
        Y,
        "separated",
        True,
    ),
    "quasi-separated, softmax": (Softmax(INF, solver=LBFGS()), dummy(Y3), Y3, "separated", True),
    "quasi-separated, standardised": (
        Logistic(INF, solver=LBFGS(), standardize=True),
        dummy(Y),
        Y,
        "separated",
        True,
    ),
    "not convex": (Logistic(loss="probability-squared", solver=LBFGS()), X, Y, "no certificate", True),
    "tol below float64": (Logistic(solver=LBFGS(), tol=1e-18), X, Y, "precision", True),
    "tol below float32": (
        Logistic(solver=LBFGS(), tol=8e-16, dtype="float32"),
        *classes(rows=3000, features=40, count=2),
        "precision",
        True,
    ),
    "forty iterations": (Logistic(solver=SLOW, tol=1e-9, max_iter=60), X, Y, "budget", True),
    "no time": (Logistic(solver=LBFGS(), tol=1e-12, time_limit=1e-9), X, Y, "budget", True),
    "scales": (
        Logistic(solver=GradientDescent(steps=10**4), max_iter=500),
        X * [1e-4, 1.0, 1.0, 1e3],
        Y,
        "scales",
        True,
    ),
    "hardly penalised": (Logistic(1e12, solver=LBFGS(), max_iter=20), X, apart(), "nearly separated", False),
}


@over("case", CASES)
def test_the_cause_is_found_and_the_action_cures_it(case):
    model, X, y, cause, cured = case
    found, result = fitted(model, X, y)
    assert result.status in SHORT
    assert found.cause == cause
    assert found.message == str(found) == f"{found.sentence[:-1]}: set {found.action}."
    if not cured:
        return
    changed = eval(f"dict({found.action})", {})
    assert len(changed) == 1
    with_action = type(model)(**{**model.get_params(deep=False), **changed})
    # A warning is an error here.
    assert with_action.fit(X, y).result_.status.is_success


@pytest.mark.parametrize("status", list(Status))
def test_only_fits_that_ended_short_are_diagnosed(status):
    objective = Logistic().objective(X, Y)
    trace = [Record(0, 0.1, 1.0, 0.7, 0.1)]
    for given in (status, status.value):
        found = diagnose(objective, objective.zeros(), given, trace, 1e-6, relative_gap=0.5)
        assert (found is not None) == (status in SHORT)


FLAWED = {
    "no numbers": {"parameters": lambda zeros: zeros.like(zeros.flat * math.nan)},
    "infinite": {"parameters": lambda zeros: zeros.like(zeros.flat + math.inf)},
    "huge": {"parameters": lambda zeros: zeros.like(zeros.flat + 1e300)},
    "of another shape": {
        "parameters": lambda zeros: Parameters.zeros(2, 9, dtype=torch.float64, device="cpu")
    },
    "no parameters": {"parameters": lambda zeros: None},
    "no trace": {"trace": []},
    "a trace of NaN": {"trace": [Record(i, 0.1 * i, i, math.nan, math.nan) for i in range(20)]},
    "a trace of infinities": {
        "trace": [Record(i, 0.1 * i, i, math.inf, math.inf, math.inf) for i in range(20)]
    },
    "a trace of zeros": {"trace": [Record(i, 0.0, 0.0, 0.0, 0.0, 0.0) for i in range(20)]},
    "a trace of nothing": {"trace": [Record(i, 0.1 * i, i, 0.5) for i in range(20)]},
    "gap NaN": {"relative_gap": math.nan},
    "gap infinite": {"relative_gap": math.inf},
    "gap zero": {"relative_gap": 0.0},
    "tol zero": {"tol": 0.0},
    "tol tiny": {"tol": 5e-324},
    "tol NaN": {"tol": math.nan},
    "few names": {"names": ["a"]},
    "a dtype unheard of": {"dtype_of_fit": "float8"},
}


@over("flaw", FLAWED)
@pytest.mark.parametrize("status", SHORT)
@pytest.mark.parametrize("model", [Logistic(INF), Logistic(), Softmax(INF, dtype="float32")], ids=str)
def test_nothing_is_ever_raised(flaw, status, model):
    objective = model.objective(X * [1e-9, 1, 1, 1e9], Y)
    given = {"tol": 1e-14, "trace": [Record(i, 0.1 * i, i, 0.5, 1e-3) for i in range(20)], **flaw}
    make, trace, tol = given.pop("parameters", lambda zeros: zeros), given.pop("trace"), given.pop("tol")
    found = diagnose(objective, make(objective.zeros()), status, trace, tol, **given)
    assert isinstance(found, Diagnosis)
    assert "nan" not in found.message.lower()
    assert "inf" not in found.action
    assert "\n" not in found.message
    assert found.message.endswith(".")


class Broken(ol.losses.Logistic):
    def value(self, scores, y):
        raise LookupError("mine")


def test_a_loss_that_fails_is_no_reason_to_lose_the_fit():
    objective = Logistic().objective(X, Y)
    objective.loss = Broken()
    trace = [Record(0, 0.1, 1.0, 0.7, 0.1)]
    found = diagnose(objective, objective.zeros(), "stalled", trace, 1e-20, relative_gap=3e-11)
    assert (found.cause, found.action) == ("unknown", "tol=3e-11")


@over("loss", LOSSES)
@pytest.mark.parametrize("status", SHORT)
def test_every_loss_has_a_diagnosis(loss, status):
    scores, y = draw(loss)
    design = DenseDesign(
        torch.randn(len(y), 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    )
    objective = Objective(design, y, loss, NoPenalty(), outputs=scores.shape[1])
    trace = [Record(i, 0.1 * i, i, 0.5, 0.9**i) for i in range(20)]
    for tol in (1e-6, 1e-20):
        found = diagnose(objective, objective.zeros(), status, trace, tol)
        assert found.cause != "unknown"
        assert eval(f"dict({found.action})", {})


# ---- scales ---------------------------------------------------------------------------------------------------


def test_scales_are_the_weighted_deviations_of_columns_that_vary():
    wide = np.c_[X * [1.0, 1e-5, 1e3, 1.0], np.full(len(X), 0.1), np.zeros(len(X))]
    weight = np.arange(200) % 3
    found = find_scales(Logistic().objective(wide, Y, weight))
    deviation = np.sqrt(np.cov(wide.T, fweights=weight, ddof=0).diagonal())
    assert (found.small, found.large, found.constant) == (1, 2, (4, 5))
    assert found.deviations == pytest.approx((deviation[1], deviation[2]), rel=1e-6)
    assert found.ratio == pytest.approx(deviation[2] / deviation[1], rel=1e-6)


@pytest.mark.parametrize(("dtype", "bearable"), [("float32", 50), ("float64", 8000)])
def test_scales_count_where_half_of_the_digits_are_gone(dtype, bearable):
    unit = (X - X.mean(axis=0)) / X.std(axis=0)
    for factor, found in ((bearable, False), (2 * bearable, True)):
        objective = Logistic(dtype=dtype).objective(unit * [1, 1, factor, 1], Y)
        assert (find_scales(objective) is not None) == found


def test_scales_without_an_intercept_are_sizes():
    far = X * 1e-6 + [0, 0, 0, 1e6]
    assert find_scales(Logistic(fit_intercept=False).objective(far, Y)).large == 3
    assert find_scales(Logistic().objective(far, Y)) is None


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_standardised_columns_have_no_scales(fit_intercept):
    model = Logistic(standardize=True, fit_intercept=fit_intercept, dtype="float32")
    assert find_scales(model.objective(X * [1e-9, 1, 1, 1e9], Y)) is None


# ---- precision ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [1e-2, 1.0, 1e4])
@pytest.mark.parametrize("kind", [Logistic, Softmax])
@pytest.mark.parametrize("shift", [0.0, 10.0])
def test_floors_are_what_rounding_costs(C, kind, shift):
    """Against the rounding itself: of the optimum, and of the gradient that float32 computes there."""
    wide, y = classes(rows=1000, features=15, count=3)
    y = y if kind is Softmax else (y > 0).astype(int)
    wide = (wide * np.logspace(-1, 1, 15) + shift).astype(np.float32).astype(float)
    objective = kind(C).objective(wide, y)
    best = minimize(LBFGS(), objective, objective.zeros(), tol=1e-12).parameters
    point, floors = objective.point(best), find_floors(objective, best)
    rounded = best.to(torch.float32)
    moved = best.like(rounded.to(torch.float64).flat - best.flat)
    rise = (moved.flat @ objective.curvature_product(point, moved).flat).item() / 2
    assert 0.1 < floors.coefficients * point.value / rise < 10
    narrow = kind(C, dtype="float32").objective(wide, y)
    exact = objective.gradient(objective.point(rounded.to(torch.float64))).flat
    error = best.like(narrow.gradient(narrow.point(rounded)).flat.double() - exact)
    if kind is Softmax:
        # A shift of all classes is held by the penalty alone, and hardly moves in any number of steps.
        error.weight[:], error.bias[:] = (
            error.weight - error.weight.mean(dim=0),
            error.bias - error.bias.mean(),
        )
    error = error.flat
    unit = torch.eye(len(error), dtype=torch.float64)
    hessian = torch.stack([objective.curvature_product(point, best.like(row)).flat for row in unit])
    hidden = (error @ torch.linalg.pinv(hessian, rtol=1e-10, hermitian=True) @ error).item() / 2
    assert 0.1 < (floors.coefficients + floors.gradient) * point.value / (rise + hidden) < 10


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fits_reach_the_floor(dtype):
    wide, y = classes(rows=1000, features=15, count=2)
    objective = Logistic(dtype=dtype).objective(wide, y)
    outcome = minimize(LBFGS(), objective, objective.zeros(), tol=1e-300)
    floor = find_floors(objective, outcome.parameters).of(outcome.result.dtype)
    assert floor / 10 < outcome.certificate.relative_gap < 10 * floor
    assert floor < 1e-15 if dtype == "float64" else 5e-16 < floor < 1e-13


def test_floors_come_without_chance():
    objective = Logistic().objective(X, Y)
    assert find_floors(objective, objective.zeros()) == find_floors(objective, objective.zeros())


# ---- budget ---------------------------------------------------------------------------------------------------


def trace_of(count, gap=None, norm=None, seconds=0.01):
    return [Record(i, seconds * i, float(i), 1.0, norm and norm(i), gap and gap(i)) for i in range(count)]


@pytest.mark.parametrize("rate", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("length", [30, 300])
def test_a_geometric_trace_is_continued(rate, length):
    reached, tol = rate ** (length - 1), rate ** (length + 49)
    for trace in (
        trace_of(length, norm=lambda i: math.sqrt(rate) ** i),
        trace_of(length, gap=lambda i: rate**i if i % 3 == 0 else None, norm=lambda i: 1.0),
    ):
        budget = extrapolate(trace, tol, reached)
        if rate ** min(length // 2, 100) > 0.5:
            # Too slow to be told from standing still.
            assert budget.iterations is None
            continue
        assert abs(budget.iterations - 50) <= 1
        assert budget.seconds == pytest.approx(0.01 * budget.iterations)
        assert budget.made == length - 1


def test_single_bad_steps_do_not_count():
    trace = trace_of(41, norm=lambda i: 0.5**i * (1000.0 if i in (25, 33, 40) else 1.0))
    assert abs(extrapolate(trace, 0.25**50, 0.25**40).iterations - 10) <= 1


def test_without_any_bound_the_gradient_is_the_goal():
    budget = extrapolate(trace_of(21, norm=lambda i: 0.5**i), 0.5**30)
    assert (budget.iterations, budget.what, budget.early, budget.affordable) == (10, "gradient", True, False)
    near = extrapolate(trace_of(21, norm=lambda i: 0.5**i), 1e-9, 0.01)
    assert (near.what, near.early, near.affordable) == ("gradient", False, True)


def test_kinks_leave_gradients_as_they_are():
    trace = trace_of(21, norm=lambda i: 0.5**i)
    assert extrapolate(trace, 1e-9, 0.01, smooth=False).iterations is None
    trace = trace_of(21, norm=lambda i: 1.0, gap=lambda i: 0.5**i)
    assert extrapolate(trace, 0.5**25, 0.5**20, smooth=False).iterations == 5


FLAT = {
    "flat": trace_of(40, norm=lambda i: 1.0),
    "noise": trace_of(40, norm=lambda i: 1.0 + 0.5 * (-1) ** i),
    "rising": trace_of(40, norm=lambda i: 1.1**i),
    "short": trace_of(3, norm=lambda i: 0.1**i),
    "one record": trace_of(1, norm=lambda i: 1.0),
    "no numbers": trace_of(40),
}


@over("trace", FLAT)
def test_what_cannot_be_measured_is_not_extrapolated(trace):
    budget = extrapolate(trace, 1e-9, 0.01)
    assert budget.iterations is budget.seconds is None
    assert not budget.affordable
    assert int(budget.action(False).removeprefix("max_iter=")) > trace[-1].iteration
    assert float(budget.action(True).removeprefix("time_limit=")) > trace[-1].seconds


# ---- nearly separated, and without a proof --------------------------------------------------------------------


def test_nearness_counts_rows_of_weight_on_the_wrong_side():
    y = apart([3, 5, 8])
    weight = np.ones(200)
    weight[8] = 0
    objective = Logistic(INF).objective(X, y, weight)
    there = objective.zeros().like(torch.tensor([20.0, -40.0, 10.0, 0.0, 0.0], dtype=torch.float64))
    found = find_nearness(objective, there)
    assert (found.wrong, found.total, found.rows) == (2, 199, (3, 5))
    assert found.margin > 7
    assert find_nearness(objective, there.like(there.flat / 10)) is None
    assert find_nearness(Logistic(INF).objective(X, apart(range(9))), there) is None


def test_nearness_of_classes_counts_the_closest_rival():
    y = (X @ np.eye(4, 3)).argmax(axis=1)
    y[[4, 6]] = (y[[4, 6]] + 1) % 3
    objective = Softmax(INF).objective(X, y)
    there = Parameters.of(50 * torch.eye(3, 4, dtype=torch.float64), torch.zeros(3, dtype=torch.float64))
    assert find_nearness(objective, there).rows == (4, 6)


UNPROVEN = {
    "logistic": (Logistic(INF, solver=LBFGS()), X, Y),
    "softmax": (Softmax(INF, solver=LBFGS()), X, Y3),
    "huber": (Linear("huber", solver=LBFGS()), *regression()),
    "no dual": (Logistic(), X, Y),
}


@over("case", UNPROVEN)
@pytest.mark.parametrize("status", ["stalled", "max_iter"])
def test_what_only_lacks_a_proof_says_how_to_get_one(case, status):
    model, X, y = case
    objective = model.objective(X, y)
    best = minimize(LBFGS(), objective, objective.zeros(), tol=1e-10).parameters
    norm = 1e-9 if status == "stalled" else 0.1
    trace = [Record(i, 0.1 * i, i, objective.value(best), norm) for i in range(9)]
    found = diagnose(objective, best, status, trace, 1e-6, obstacle="the moon is full")
    assert found.cause == ("no certificate" if status == "stalled" else "budget")
    if status == "stalled":
        assert "but the moon is full" in found.sentence
        changed = eval(f"dict({found.action})", {})
        proven = type(model)(**{**model.get_params(deep=False), **changed}).fit(X, y)
        assert proven.result_.status.is_success


def test_the_penalty_that_is_proposed_costs_a_millionth():
    for X_, y, model in ((X, Y, Logistic(INF)), (*regression(), Linear("huber"))):
        objective = model.objective(X_, y)
        best = minimize(LBFGS(), objective, objective.zeros()).parameters
        changed = eval(f"dict({find_obstacle(objective, best).action})", {})
        penalised = type(model)(**{**model.get_params(deep=False), **changed}).objective(X_, y)
        assert 0 < penalised.value(best) - objective.value(best) <= 1.1e-6 * objective.value(best)


def test_records_of_a_diagnosis_cannot_be_changed():
    found, _ = fitted(*CASES["separated"][:3])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.cause = "budget"
