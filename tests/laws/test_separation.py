"""Laws of separation: found exactly where the definition finds it, with a direction that proves it."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import onelayer as ol
from instances import classes, over
from onelayer.designs import DenseDesign, StandardizedDesign
from onelayer.diagnosis import find_separation, recession, search_separation, separation
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import L1, L2, NoPenalty


@dataclasses.dataclass
class Data:
    """A classification as plain arrays; one output is the logistic loss, more are softmax."""

    X: np.ndarray
    y: np.ndarray
    outputs: int = 1
    fit_intercept: bool = True
    weight: np.ndarray | None = None
    offset: np.ndarray | None = None

    @property
    def rows(self):
        """The rows of the definition, and whose they are: A θ ≥ 0."""
        x = np.c_[self.X, np.ones(len(self.X))] if self.fit_intercept else self.X
        kept = range(len(x)) if self.weight is None else np.flatnonzero(self.weight > 0)
        if self.outputs == 1:
            return [(i, (2 * self.y[i] - 1) * x[i]) for i in kept]
        unit = np.eye(self.outputs)
        others = [(i, k) for i in kept for k in range(self.outputs) if k != self.y[i]]
        return [(i, np.outer(unit[self.y[i]] - unit[k], x[i]).ravel()) for i, k in others]

    def truth(self):
        """(kind, rows that gain) by a dense linear programme: the most margins that can be lifted to 1."""
        owner, A = zip(*self.rows, strict=True)
        A = np.array(A, dtype=float)
        A = A / np.maximum(np.abs(A).max(axis=0), 1e-300)
        lines, columns = A.shape
        answer = linprog(
            np.r_[np.zeros(columns), -np.ones(lines)],
            A_ub=np.c_[-A, np.eye(lines)],
            b_ub=np.zeros(lines),
            bounds=[(None, None)] * columns + [(0, 1)] * lines,
        )
        lifted = answer.x[columns:]
        assert ((lifted < 1e-6) | (lifted > 1 - 1e-6)).all()
        lifted = lifted > 0.5
        kind = "complete" if lifted.all() else "quasi-complete" if lifted.any() else None
        return kind, sorted({i for i, up in zip(owner, lifted, strict=True) if up})


def objective_of(data, dtype=torch.float64, design=None, penalty=None, loss=None):
    def tensor(values):
        return None if values is None else torch.from_numpy(np.asarray(values, dtype=float)).to(dtype)

    one = data.outputs == 1
    usual = ol.losses.Logistic() if one else ol.losses.CrossEntropy()
    return Objective(
        design or DenseDesign(torch.from_numpy(np.asarray(data.X, dtype=float)), dtype),
        tensor(data.y).unsqueeze(1) if one else torch.from_numpy(np.asarray(data.y, dtype=np.int64)),
        loss or usual,
        penalty or NoPenalty(),
        outputs=data.outputs,
        sample_weight=tensor(data.weight),
        offset=tensor(data.offset),
        fit_intercept=data.fit_intercept,
    )


def line(values, y, outputs=1, **rest):
    return Data(np.array(values, dtype=float)[:, None], np.array(y), outputs, **rest)


def dummy(outputs, gain=7, **rest):
    """Overlapping classes, and a column that is 1 in some rows of the last of them only."""
    X, y = classes(rows=80, features=3, count=max(outputs, 2))
    column = np.zeros(len(X))
    column[np.flatnonzero(y == y.max())[:gain]] = 1
    return Data(np.c_[X, column], y, outputs, **rest)


def apart(outputs, **rest):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(90, 4))
    return Data(X, (X @ rng.normal(size=(4, max(outputs, 2)))).argmax(axis=1), outputs, **rest)


def overlap(outputs, features=4, **rest):
    return Data(*classes(rows=90, features=features, count=max(outputs, 2)), outputs, **rest)


def scaled(data, factors):
    return dataclasses.replace(data, X=data.X * np.array(factors))


def widened(data, column):
    return dataclasses.replace(data, X=np.c_[data.X, column(data.X)])


def without(data, rows_of_weight):
    weight = np.zeros(len(data.X))
    weight[rows_of_weight] = 2.0
    return dataclasses.replace(data, weight=weight)


UNEVEN = (1e-8, 1e8, 1.0, 1e4)
CASES = {
    "one threshold": (line([1, 2, 3, 4], [0, 0, 1, 1]), "complete"),
    "one threshold, downwards": (line([1, 2, 3, 4], [1, 1, 0, 0]), "complete"),
    "a tie on the threshold": (line([1, 2, 2, 3], [0, 0, 1, 1]), "quasi-complete"),
    "crossed": (line([1, 2, 3, 4], [0, 1, 0, 1]), None),
    "two rows": (line([1, 2], [0, 1]), "complete"),
    "two equal rows": (line([1, 1], [0, 1]), None),
    "two rows, no intercept": (line([1, 2], [0, 1], fit_intercept=False), None),
    "no intercept, through zero": (line([-1, -2, 3], [0, 0, 1], fit_intercept=False), "complete"),
    "no intercept, zero row": (line([-1, 0, 3], [0, 1, 1], fit_intercept=False), "quasi-complete"),
    "one class": (line([1, 5, 2], [1, 1, 1]), "complete"),
    "exclusive or": (Data(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])), None),
    "three steps": (line([1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 2, 2], 3), "complete"),
    "three steps, two cross": (line([1, 2, 3, 4, 5, 6], [0, 0, 1, 2, 1, 2], 3), "quasi-complete"),
    "three that cross": (line([1, 2, 3, 4, 5, 6], [0, 1, 2, 0, 1, 2], 3), None),
    "a class without rows": (line([1, 2, 3, 4], [0, 1, 0, 1], 3), "quasi-complete"),
    "two classes, softmax": (line([1, 2, 2, 3], [0, 0, 1, 1], 2), "quasi-complete"),
    **{f"overlap, {k}": (overlap(k), None) for k in (1, 3, 4, 5)},
    **{f"dummy, {k}": (dummy(k), "quasi-complete") for k in (1, 3, 4, 5)},
    **{f"apart, {k}": (apart(k), "complete") for k in (1, 3, 4, 5)},
    "overlap, no intercept": (overlap(1, fit_intercept=False), None),
    "dummy, no intercept": (dummy(1, fit_intercept=False), "quasi-complete"),
    "dummy of one row": (dummy(3, gain=1), "quasi-complete"),
    "overlap taken away": (without(line([1, 2, 3, 4, 5], [0, 1, 0, 1, 1]), [0, 2, 3, 4]), "complete"),
    "overlap but for a tie taken away": (
        without(line([1, 2, 2, 3, 4, 5], [0, 1, 0, 0, 1, 1]), [0, 1, 2, 4, 5]),
        "quasi-complete",
    ),
    "uneven overlap": (scaled(overlap(1), UNEVEN), None),
    "uneven dummy": (scaled(dummy(3), UNEVEN), "quasi-complete"),
    "uneven apart": (scaled(apart(1), UNEVEN), "complete"),
    "uneven apart, no intercept": (scaled(apart(3, fit_intercept=False), UNEVEN), "complete"),
    "far from zero, dummy": (dataclasses.replace(dummy(1), X=dummy(1).X + 1e6), "quasi-complete"),
    "hardly numbers": (scaled(apart(1), (1e-200, 1e200, 1e-160, 1.0)), "complete"),
    "a column twice, overlap": (widened(overlap(1), lambda X: X[:, :1]), None),
    "a column twice, dummy": (widened(dummy(3), lambda X: X[:, :1]), "quasi-complete"),
    "a sum of columns, overlap": (widened(overlap(3), lambda X: X.sum(axis=1)), None),
    "a constant column, overlap": (widened(overlap(1), lambda X: np.full(len(X), 0.1)), None),
    "a constant column as intercept": (
        widened(line([1, 2, 2, 3], [0, 0, 1, 1], fit_intercept=False), lambda X: np.full(len(X), 0.1)),
        "quasi-complete",
    ),
    "a column of zeros, overlap": (widened(overlap(3), lambda X: np.zeros(len(X))), None),
    "offsets, overlap": (overlap(1, offset=np.linspace(-9, 9, 90)[:, None]), None),
    "offsets, apart": (apart(1, offset=np.linspace(-99, 99, 90)[:, None]), "complete"),
    "offsets, dummy": (dummy(3, offset=np.random.default_rng(0).normal(size=(80, 3))), "quasi-complete"),
}


def assert_proof(data, found, objective):
    """The direction is one: no margin falls, the named rows gain, and so P falls for ever."""
    weight, bias = (part.numpy() for part in (found.direction.weight, found.direction.bias))
    theta = np.c_[weight, bias] if data.fit_intercept else weight
    assert np.isfinite(theta).all()
    assert data.fit_intercept or not bias.any()
    assert found.direction.flat.dtype == torch.float64
    gains = {}
    for i, row in data.rows:
        terms = row.reshape(-1, theta.shape[1]) * theta
        margin, size = math.fsum(terms.ravel()), np.abs(terms).sum()
        # Twice: once for the search's own units, once for the way back to those of X.
        assert margin >= -2 * found.tolerance * size
        gains[i] = max(gains.get(i, 0.0), margin / max(size, 1e-300))
    moved = sorted(i for i, gain in gains.items() if gain > 1e-10)
    assert (found.moved, found.total) == (len(moved), len(gains))
    assert list(found.rows) == moved[:5]
    assert list(found.boundary) == sorted(set(gains) - set(moved))[:5]
    start = np.random.default_rng(0).normal(size=found.direction.flat.shape)
    start = found.direction.like(torch.from_numpy(start) / max(1.0, np.abs(data.X).max()))
    along = [0.0, 0.1, 1.0, 10.0, 100.0]
    values = [objective.value(start.like(start.flat + t * found.direction.flat)) for t in along]
    rounding = 1e-12 * max(abs(value) for value in values)
    assert all(after <= before + rounding for before, after in itertools.pairwise(values))
    assert values[-1] < values[0]
    if found.kind == "complete" and data.offset is None:
        start = objective.zeros()
        steep = 1e6 / max(min(gains.values()), 1e-3)
        assert objective.value(start.like(steep * found.direction.flat)) < 1e-3 * objective.value(start)


@over("case", CASES)
def test_separation_is_what_the_definition_says(case):
    data, kind = case
    objective = objective_of(data)
    search = search_separation(objective)
    assert objective.passes == 0
    assert search.undecided is None
    assert (search.separation and search.separation.kind) == kind
    if np.abs(data.X).max() < 1e100:
        true_kind, moved = data.truth()
        assert kind == true_kind
        assert kind is None or search.separation.moved == len(moved)
    if kind:
        assert_proof(data, search.separation, objective)


@over("case", CASES)
def test_iterates_change_nothing_but_the_way(case):
    data, kind = case
    objective = objective_of(data)
    rng = np.random.default_rng(3)
    flat = rng.normal(size=objective.zeros().flat.shape) / np.abs(data.X).max()
    iterates = [objective.zeros().like(torch.from_numpy(size * flat)) for size in (1.0, 30.0)]
    search = search_separation(objective, iterates[1], iterates[0])
    assert search.undecided is None
    assert (search.separation and search.separation.kind) == kind
    if kind:
        assert_proof(data, search.separation, objective)


@over("case", {name: case for name, case in CASES.items() if "far" not in name and "hardly" not in name})
@pytest.mark.parametrize("storage", [torch.float32, torch.float64])
def test_standardised_designs_and_other_arithmetic_have_the_same_separation(case, storage):
    data = case[0]
    exact = torch.from_numpy(np.asarray(data.X, dtype=float)).to(storage)
    narrow = dataclasses.replace(data, X=exact.double().numpy())
    objective = objective_of(narrow, torch.float32, design=DenseDesign(exact))
    found = find_separation(objective)
    assert (found and found.kind) == narrow.truth()[0]
    base = DenseDesign(exact)
    mean, scale = base.moments(torch.ones(len(exact)))
    mean = mean if data.fit_intercept else torch.zeros_like(mean)
    design = StandardizedDesign(base, mean, torch.where(scale > 0, scale, 1.0))
    found = find_separation(objective_of(narrow, base.dtype, design=design))
    assert (found and found.kind) == narrow.truth()[0]


def drawn(outputs):
    """Small whole numbers: ties on the boundary are the rule there."""
    small = st.integers(-2, 2)
    return st.integers(2, 12).flatmap(
        lambda rows: st.integers(1, 3).flatmap(
            lambda features: st.builds(
                lambda X, y, intercept, weight: Data(
                    np.array(X, dtype=float), np.array(y), outputs, intercept, np.array(weight, dtype=float)
                ),
                st.lists(st.lists(small, min_size=features, max_size=features), min_size=rows, max_size=rows),
                st.lists(st.integers(0, max(outputs, 2) - 1), min_size=rows, max_size=rows),
                st.booleans(),
                st.lists(st.sampled_from([0, 1, 1, 1, 3]), min_size=rows, max_size=rows).filter(any),
            )
        )
    )


@pytest.mark.parametrize("outputs", [1, 3, 4])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whole_numbers_of_any_kind(outputs, data):
    data = data.draw(drawn(outputs))
    kind, moved = data.truth()
    objective = objective_of(data)
    search = search_separation(objective)
    assert search.undecided is None
    assert (search.separation and search.separation.kind) == kind
    if kind:
        assert search.separation.moved == len(moved)
        assert_proof(data, search.separation, objective)


@pytest.mark.parametrize("distance", [1.0, 1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_data_that_overlap_by_a_little_are_not_separated(distance, outputs):
    x = np.array([-3.0, -2.0, distance, -distance, 2.0, 3.0, 7.0, 8.0])
    y = np.array([0, 0, 0, 1, 1, 1, 2, 2]) if outputs == 3 else np.array([0, 0, 0, 1, 1, 1, 1, 1])
    data = line(x, y, outputs)
    search = search_separation(objective_of(data))
    kind = None if outputs < 3 else "quasi-complete"
    assert (search.separation and search.separation.kind) == kind
    # HiGHS takes coefficients below 1e-9 for zero: what follows is seen, and said.
    assert search.undecided is None or distance < 1e-8
    mirrored = search_separation(objective_of(line(x * np.where(np.abs(x) == distance, -1, 1), y, outputs)))
    assert mirrored.separation.kind == "complete" or distance < 1e-8


def test_a_direction_of_one_column_names_it():
    data = dummy(3)
    found = find_separation(objective_of(data))
    assert found.columns == (3,)
    assert found.moved == 7
    assert found.rows == tuple(np.flatnonzero(data.X[:, 3])[:5])
    assert found.boundary == tuple(np.flatnonzero(data.X[:, 3] == 0)[:5])
    weight = found.direction.weight
    assert not weight[:, :3].any()
    torch.testing.assert_close(weight.sum(dim=0), torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "name", ["a column twice, dummy", "uneven dummy", "dummy, no intercept", "far from zero, dummy"]
)
def test_columns_that_change_nothing_are_not_named(name):
    assert find_separation(objective_of(CASES[name][0])).columns == (3,)
    constant = widened(CASES[name][0], lambda X: np.full(len(X), 0.1))
    assert find_separation(objective_of(dataclasses.replace(constant, fit_intercept=True))).columns == (3,)


def test_what_is_not_asked_for_is_not_found():
    data = apart(1)
    for penalty in (L2(1e-9), L1(1e-9)):
        assert search_separation(objective_of(data, penalty=penalty)) == separation.Search(None)
    regression = Data(data.X, data.X[:, :1], 1)
    design = DenseDesign(torch.from_numpy(data.X))
    objective = Objective(design, torch.from_numpy(regression.y), ol.losses.Huber(), NoPenalty(), outputs=1)
    assert find_separation(objective) is None


def test_losses_that_are_not_convex_are_separated_too():
    one, many = ol.losses.ProbabilitySquaredError(), ol.losses.ProbabilitySquaredError(ol.links.Softmax())
    assert find_separation(objective_of(dummy(1), loss=one)).kind == "quasi-complete"
    objective = objective_of(dummy(3), loss=many)
    search = search_separation(objective)
    assert search.separation is None
    assert "only complete separation" in search.undecided
    objective = objective_of(apart(3), loss=many)
    found = find_separation(objective_of(apart(3)))
    assert find_separation(objective, found.direction).kind == "complete"


# ---- what it costs, and where it ends -------------------------------------------------------------------------


def test_iterates_that_separate_need_no_linear_programme(monkeypatch):
    data = apart(3)
    direction = find_separation(objective_of(data)).direction
    monkeypatch.setattr(separation, "_decide", None)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=direction.flat.shape))
    shifted = Parameters.of(direction.weight + 5.0, direction.bias - 3.0)
    for parameters, previous in [
        (direction, None),
        (direction.like(1e-30 * direction.flat), None),
        (shifted, None),
        (direction.like(noise + 40 * direction.flat), direction.like(noise)),
        (direction.to(torch.float32), None),
    ]:
        found = find_separation(objective_of(data), parameters, previous)
        assert found.kind == "complete"
        assert_proof(data, found, objective_of(data))


def test_the_residuals_of_an_optimum_need_no_linear_programme(monkeypatch):
    cases = [overlap(1), overlap(3), overlap(5), overlap(1, offset=np.linspace(-3, 3, 90)[:, None])]
    cases += [widened(overlap(3), lambda X: X[:, :1]), overlap(1, fit_intercept=False)]
    cases += [dataclasses.replace(overlap(3), weight=np.arange(90.0) % 4)]
    monkeypatch.setattr(separation, "widest_direction", None)
    for data in cases:
        objective = objective_of(data)
        outcome = ol.solvers.minimize(
            ol.solvers.LBFGS(), objective, objective.zeros(), tol=1e-10, max_iter=60
        )
        assert search_separation(objective, outcome.parameters) == separation.Search(None)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("steps", [5, 30, 300])
def test_residuals_prove_no_overlap_where_there_is_none(outputs, steps):
    """The rows that drift off have residuals that vanish: a proof that hung on them would be wrong."""
    for data in (dummy(outputs), apart(outputs)):
        objective = objective_of(data)
        outcome = ol.solvers.minimize(
            ol.solvers.LBFGS(), objective, objective.zeros(), max_iter=steps, tol=1e-14
        )
        assert find_separation(objective, outcome.parameters) is not None


def test_what_is_too_large_or_takes_too_long_is_undecided(monkeypatch):
    objective = objective_of(dummy(1))
    search = search_separation(objective, seconds=0.0)
    assert search.separation is None
    assert search.undecided == "the linear programme was not solved within 0 s"
    monkeypatch.setattr(separation, "_MOST_UNKNOWNS", 4)
    search = search_separation(objective)
    assert search.separation is None
    assert search.undecided == "80 rows and 5 free coefficients are too many for the linear programme"


class Watched(DenseDesign):
    """A design that remembers how many rows were taken at once."""

    most = 0

    def take(self, index):
        Watched.most = max(Watched.most, len(index))
        return super().take(index)


def test_rows_become_numbers_in_blocks(monkeypatch):
    data = overlap(3, features=6)
    data = dataclasses.replace(data, X=np.tile(data.X, (40, 1)), y=np.tile(data.y, 40))
    monkeypatch.setattr("onelayer.diagnosis.cone._BLOCK_NUMBERS", 1000)
    design = Watched(torch.from_numpy(data.X))
    assert find_separation(objective_of(data, design=design)) is None
    assert Watched.most <= max(1000 // 7, recession._FIRST * 14 + 50)


def test_iterates_that_are_no_numbers_are_as_good_as_none():
    for flaw in (math.nan, math.inf, 1e300):
        for data, kind in (CASES["dummy, 3"], CASES["overlap, 1"]):
            objective = objective_of(data)
            zeros = objective.zeros()
            found = find_separation(objective, zeros.like(zeros.flat + flaw), zeros)
            assert (found and found.kind) == kind
