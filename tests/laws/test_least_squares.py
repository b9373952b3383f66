"""Laws of the closed form: the answer of numpy.linalg.lstsq, whatever the shape, the units and the rank; NIST's digits."""

import functools

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st

import nist
import onelayer as ol
from instances import DESIGNS, LOSSES, over
from onelayer.designs import DenseDesign, StandardizedDesign
from onelayer.losses import SquaredError
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import L1, L2, NoPenalty
from onelayer.solvers.least_squares import LeastSquares, dependent_columns_message
from onelayer.solvers.least_squares import solver as internals


def build(X, y, *, alpha=0.0, weight=None, offset=None, fit_intercept=True, dtype=torch.float64, design=None):
    y = torch.as_tensor(np.asarray(y, dtype=np.float64).reshape(len(X), -1)).to(dtype)

    def cast(values):
        return None if values is None else torch.as_tensor(values).to(dtype)

    return Objective(
        design or DenseDesign(torch.as_tensor(X), dtype),
        y,
        SquaredError(),
        L2(alpha) if alpha else NoPenalty(),
        outputs=y.shape[1],
        sample_weight=cast(weight),
        offset=cast(offset),
        fit_intercept=fit_intercept,
    )


def solved(X, y, **settings):
    """Return W, b and the state after one step from zero."""
    return step(build(X, y, **settings))


def step(objective, start=None):
    solver = LeastSquares()
    state = solver.step(objective, solver.init(objective, start or objective.zeros()))
    return state.parameters.weight.numpy(), state.parameters.bias.numpy(), state


def reference(X, y, *, alpha=0.0, weight=None, fit_intercept=True):
    """The shortest minimiser, by NumPy's singular values of the centred columns."""
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64).reshape(len(X), -1)
    s = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=np.float64)
    mean, middle = (np.average(part, axis=0, weights=s) * fit_intercept for part in (X, y))
    root = np.sqrt(s)[:, None]
    A, B = root * (X - mean), root * (y - middle)
    if alpha:
        A = np.r_[A, np.sqrt(alpha * s.sum()) * np.eye(X.shape[1])]
        B = np.r_[B, np.zeros((X.shape[1], y.shape[1]))]
    W = np.linalg.lstsq(A, B, rcond=1e-12)[0].T
    return W, middle - W @ mean


def ranks(X, weight=None, fit_intercept=True):
    """Rank, and the columns which do not raise it, by NumPy's singular values of columns of length one."""
    s = np.ones(len(X)) if weight is None else weight
    A = np.sqrt(s)[:, None] * (X - np.average(X, axis=0, weights=s) * fit_intercept)
    length = np.linalg.norm(A, axis=0)
    A = A / np.where(length > 1e-12 * np.abs(X).max(), length, np.inf)
    ranks = [np.linalg.matrix_rank(A[:, :stop], tol=1e-9) for stop in range(A.shape[1] + 1)]
    return ranks[-1], tuple(j for j in range(A.shape[1]) if ranks[j + 1] == ranks[j])


def assert_same(found, expected, rtol=1e-10):
    for one, two in zip(found[:2], expected[:2], strict=True):
        np.testing.assert_allclose(one, two, rtol=rtol, atol=rtol * (1e-3 + np.abs(two).max(initial=0)))


def normal(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def collinear():
    X = normal(40, 4)
    return np.c_[X[:, :2], X[:, 0] - 3 * X[:, 1], X[:, 2:], X @ [1.0, 2.0, 3.0, 4.0]]


def one_hot(rows=50, levels=5):
    return np.c_[np.eye(levels)[np.arange(rows) % levels], normal(rows, 2)]


MATRICES = {
    "tall": normal(60, 5),
    "one column": normal(20, 1),
    "one row": normal(1, 4),
    "one number": np.array([[3.0]]),
    "two rows": normal(2, 7),
    "square": normal(6, 6),
    "as many rows as unknowns": normal(6, 5),
    "fewer rows": normal(9, 30),
    "fewer rows, two of them equal": normal(8, 20)[[0, 1, 2, 2, 3, 4, 5, 6]],
    "a column twice": normal(30, 4)[:, [0, 1, 1, 2, 3, 0]],
    "collinear": collinear(),
    "one hot": one_hot(),
    "a constant column": np.c_[normal(30, 2), np.full(30, 7.1), normal(30, 1, seed=1)],
    "zeros": np.zeros((12, 3)),
    "a column of zeros": np.c_[normal(12, 2), np.zeros(12)],
    "whole numbers": np.random.default_rng(0).integers(-2, 3, size=(15, 12)).astype(float),
    "many rows": normal(9000, 3),
    "many rows, collinear": normal(9000, 3)[:, [0, 1, 2, 1]],
    "many columns, few independent": normal(400, 20) @ normal(20, 100, seed=1),
}
SETTINGS = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "ridge": {"alpha": 0.3},
    "weak ridge": {"alpha": 1e-6, "fit_intercept": False},
}


@over("settings", SETTINGS)
@over("X", MATRICES)
def test_it_is_numpys_answer(X, settings):
    y = normal(len(X), 2, seed=5)
    # A penalty that hardly counts leaves NumPy's answer with fewer digits than ours.
    rtol = 1e-6 if 0 < settings.get("alpha", 0) < 1e-3 else 1e-8
    assert_same(solved(X, y, **settings), reference(X, y, **settings), rtol=rtol)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.3])
@over("X", MATRICES)
def test_rank_and_dependent_columns(X, alpha, fit_intercept):
    state = solved(X, normal(len(X), 1, seed=5), alpha=alpha, fit_intercept=fit_intercept)[2]
    assert (state.rank, state.dependent) == ranks(X, fit_intercept=fit_intercept)


@over("X", MATRICES)
def test_the_state_is_a_minimum(X):
    objective = build(X, normal(len(X), 2, seed=5), alpha=0.01)
    state = step(objective)[2]
    assert state.value == pytest.approx(objective.value(state.parameters), rel=1e-12)
    assert state.gradient.flat.abs().max() <= 1e-11
    assert objective.gradient(objective.point(state.parameters)).flat.abs().max() <= 1e-11


@over("X", MATRICES)
def test_a_second_step_says_that_there_is_no_more(X):
    solver, objective = LeastSquares(), build(X, normal(len(X), 1, seed=5))
    state = solver.step(objective, solver.init(objective, objective.zeros()))
    assert state.halt is None
    for _ in range(3):
        state = solver.step(objective, state)
        if state.halt:
            break
    assert state.halt[0] == "stalled"
    assert_same(
        (state.parameters.weight.numpy(), state.parameters.bias.numpy()),
        reference(X, normal(len(X), 1, seed=5)),
        1e-8,
    )


@over("X", MATRICES)
def test_the_start_does_not_matter(X):
    y = normal(len(X), 2, seed=5)
    objective = build(X, y)
    start = Parameters.of(torch.ones(2, X.shape[1], dtype=torch.float64), torch.tensor([3.0, 4.0]).double())
    state = LeastSquares().init(objective, start)
    assert state.value == objective.value(start)
    assert_same(step(objective, start), step(objective), rtol=1e-12)


def test_without_an_intercept_b_stays_where_it_is():
    X, y = normal(30, 3), normal(30, 2, seed=1)
    objective = build(X, y, fit_intercept=False)
    start = Parameters.of(torch.zeros(2, 3).double(), torch.tensor([3.0, 4.0]).double())
    W, b, state = step(objective, start)
    assert_same((W, b), (reference(X, y - [3.0, 4.0], fit_intercept=False)[0], [3.0, 4.0]))
    assert state.gradient.bias.tolist() == [0, 0]


# ---- invariances ----------------------------------------------------------------------------------------------


@over("settings", SETTINGS)
@over("X", MATRICES)
def test_weight_two_is_the_row_twice_and_weight_zero_is_no_row(X, settings):
    y, weight = normal(len(X), 1, seed=5), np.random.default_rng(3).integers(0, 4, size=len(X))
    weight[0] = 1
    one = solved(X, y, weight=weight.astype(float), **settings)
    two = solved(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0), **settings)
    assert_same(one, two, rtol=1e-8)
    assert (one[2].rank, one[2].dependent) == (two[2].rank, two[2].dependent)


@over("X", MATRICES)
def test_the_order_of_rows_and_columns_does_not_matter(X):
    y, rng = normal(len(X), 1, seed=5), np.random.default_rng(1)
    rows, columns = rng.permutation(len(X)), rng.permutation(X.shape[1])
    W, b, state = solved(X, y)
    other = solved(X[rows][:, columns], y[rows])
    assert_same((W[:, columns], b), other, rtol=1e-8)
    assert other[2].rank == state.rank


@pytest.mark.parametrize("factor", [1e-200, 1e-30, 1e30, 1e150])
@over("X", MATRICES)
def test_one_unit_for_all_columns_does_not_matter(X, factor):
    y = normal(len(X), 1, seed=5)
    W, b, state = solved(X, y)
    other = solved(X * factor, y)
    assert_same((W, b), (other[0] * factor, other[1]), rtol=1e-8)
    assert (state.rank, state.dependent) == (other[2].rank, other[2].dependent)


FULL = {name: MATRICES[name] for name in ("tall", "one column", "many rows")}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@over("X", FULL)
def test_units_of_columns_do_not_matter(X, dtype):
    y = normal(len(X), 1, seed=5).astype(np.float32)
    # Powers of two, which a rounding to float32 does not see.
    unit = 2.0 ** np.resize([-100, 100, 0, -66, 66], X.shape[1])
    X = X.astype(np.float32)
    narrow = (X * unit).astype(np.float32)
    W, b, state = solved(narrow, y, dtype=dtype)
    assert_same((W * unit, b), reference(X, y), rtol=1e-8)
    assert state.rank == X.shape[1]


@pytest.mark.parametrize("alpha", [0.0, 1e-4])
@over("X", FULL)
def test_means_of_columns_do_not_matter(X, alpha):
    y = normal(len(X), 1, seed=5)
    # What is left of X beside such a mean.
    X = (X + 1e8) - 1e8
    shifted = solved(X + 1e8, y, alpha=alpha)
    np.testing.assert_allclose(shifted[0], solved(X, y, alpha=alpha)[0], rtol=1e-10)
    assert shifted[2].rank == X.shape[1]


def test_far_columns_of_rank_one_less():
    X = normal(200, 3) + 1e8
    X = np.c_[X, X[:, 0] + X[:, 1]]
    state = solved(X, normal(200, 1))[2]
    assert (state.rank, state.dependent) == (3, (3,))


@pytest.mark.parametrize("ratio", [1e-30, 1e-3, 1e3, 1e30])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_the_shortest_answer_prefers_the_large_column(ratio, order):
    X, y = normal(50, 2), normal(50, 1, seed=1)
    (plain,), _ = reference(X, y)
    W, _, state = solved(np.c_[X, ratio * X[:, 0]][:, order], y)
    expected = [plain[0] / (1 + ratio**2), plain[1], ratio * plain[0] / (1 + ratio**2)]
    np.testing.assert_allclose(W[0][np.argsort(order)], expected, rtol=1e-8, atol=1e-15 * np.abs(plain).max())
    assert state.rank == 2


def test_fewer_rows_and_columns_in_units_far_apart_still_fit():
    X, y = normal(5, 10) * np.repeat([1.0, 1e-30], [3, 7]), normal(5, 1)
    _, _, state = solved(X, y)
    assert state.rank == 4
    assert state.value < 1e-25


@hypothesis.given(st.data())
def test_hostile_shapes(data):
    rows, columns = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 8))
    entries = st.integers(-3, 3)
    X = np.array(data.draw(st.lists(entries, min_size=rows * columns, max_size=rows * columns)), dtype=float)
    X = X.reshape(rows, columns)
    y = np.array(data.draw(st.lists(entries, min_size=rows, max_size=rows)), dtype=float)
    settings = {
        "fit_intercept": data.draw(st.booleans()),
        "alpha": data.draw(st.sampled_from([0.0, 0.0, 1e-3, 10.0])),
        "weight": np.array(data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)), dtype=float),
    }
    hypothesis.assume(settings["weight"].sum() > 0)
    found = solved(X, y, **settings)
    assert_same(found, reference(X, y, **settings), rtol=1e-7)
    expected = ranks(X, settings["weight"], settings["fit_intercept"])
    assert (found[2].rank, found[2].dependent) == expected


@hypothesis.given(st.data())
def test_hostile_units(data):
    """However far apart units and means are: as good a fit as that of the columns in good units."""
    rows, columns = data.draw(st.integers(2, 12)), data.draw(st.integers(1, 5))
    X = normal(rows, columns, seed=data.draw(st.integers(0, 50)))
    y = normal(rows, 1, seed=1)
    unit = 2.0 ** np.array(data.draw(st.lists(st.integers(-400, 400), min_size=columns, max_size=columns)))
    W, b = reference(X, y)
    found = solved(X * unit, y)
    expected = ((X @ W.T + b - y) ** 2).mean() / 2
    assert found[2].value == pytest.approx(expected, rel=1e-9, abs=1e-15)
    if rows > columns + 1:
        np.testing.assert_allclose(found[0] * unit, W, rtol=1e-7, atol=1e-7)


# ---- storage, arithmetic, designs -----------------------------------------------------------------------------


@over("make", DESIGNS)
@over("settings", SETTINGS)
def test_every_design(make, settings):
    X = np.random.default_rng(0).integers(0, 256, size=(300, 4)).astype(np.float64)
    design, y = make(X), normal(300, 2).astype(np.float32)
    full = X
    if isinstance(design, StandardizedDesign):
        full = (X - design.mean.numpy()) / design.scale.numpy()
    found = solved(X, y, dtype=design.dtype, design=design, **settings)
    assert_same(found, reference(full, y, **settings), rtol=1e-8)


@over("make", DESIGNS)
def test_a_block_is_the_entries(make):
    X = np.random.default_rng(0).integers(0, 256, size=(20, 6)).astype(np.float64)
    design = make(X)
    whole = design.scores(torch.eye(6, dtype=design.dtype))
    block = design.block(slice(3, 9), slice(2, 5))
    assert block.dtype == design.dtype
    torch.testing.assert_close(block, whole[3:9, 2:5])
    torch.testing.assert_close(design.block(slice(None)), whole)


WAYS = {
    "near zero": 0.0,
    "a mean that float32 has to be rid of": 100.0,
}


@pytest.mark.parametrize("weighted", [False, True])
@over("settings", SETTINGS)
@over("mean", WAYS)
def test_float32_products_give_the_float64_answer(monkeypatch, mean, settings, weighted):
    monkeypatch.setattr(internals, "_MANY", 0)
    X = (normal(20_000, 6) * [1, 2, 0.5, 3, 1, 1] + mean).astype(np.float32)
    y = (X @ np.arange(6)[:, None] + normal(20_000, 1, seed=1)).astype(np.float32)
    weight = np.random.default_rng(2).integers(0, 3, size=len(X)).astype(np.float32) if weighted else None
    found = solved(X, y, dtype=torch.float32, weight=weight, **settings)
    assert found[2].parameters.flat.dtype == torch.float64
    assert_same(found, reference(X, y, weight=weight, **settings), rtol=1e-8)


CORRELATED = {
    "hardly": 1.0,
    "too much for float32": 1e-3,
    "too much for a Gram matrix": 1e-7,
}


@over("apart", CORRELATED)
def test_the_more_columns_resemble_each_other_the_more_is_done(monkeypatch, apart):
    monkeypatch.setattr(internals, "_MANY", 0)
    X = np.c_[normal(3000, 1), normal(3000, 2, seed=1)]
    X[:, 2] = X[:, 0] + apart * X[:, 2]
    y = X.sum(axis=1) + normal(3000, 1, seed=2)[:, 0]
    for data, dtype in ((X, torch.float64), (X.astype(np.float32), torch.float32)):
        W, b, state = solved(data, y.astype(np.float32), dtype=dtype)
        assert state.rank == 3
        # Normal equations in longer numbers; what roundings of the scores leave of them.
        A, coefficients = np.c_[data, np.ones(3000)].astype(np.longdouble), np.r_[W[0], b]
        residual = y.astype(np.float32) - A @ coefficients
        rounding = 2.0**-52 * (np.abs(A).T @ (np.abs(A) @ np.abs(coefficients) + np.abs(residual)))
        assert (np.abs(A.T @ residual) <= rounding * (1000 if dtype == torch.float32 else 1)).all()


def test_a_sample_that_misleads_is_found_out(monkeypatch):
    """Columns that look constant, or small, in the sample of rows from which shift and scale are taken."""
    monkeypatch.setattr(internals, "_MANY", 0)
    X = normal(50_000, 4).astype(np.float32)
    X[:, 1] = 3.0
    X[7, 1] = 5.0
    X[11, 2] = 1e30
    X[:, 3] = 0
    X[13, 3] = 1e-30
    y = normal(50_000, 1, seed=1).astype(np.float32)
    unit = np.array([1, 1, 1e30, 1e-30])
    W, b, state = solved(X, y, dtype=torch.float32)
    assert_same((W * unit, b), reference(X / unit, y), rtol=1e-8)
    assert state.rank == 4


def test_rows_of_no_weight_may_hold_anything():
    X, y = normal(30, 3), normal(30, 1, seed=1)
    weight = np.ones(30)
    weight[[0, 5]] = 0
    wild = X.copy()
    wild[[0, 5]] = 1e200
    assert_same(solved(wild, y, weight=weight), solved(X, y, weight=weight), rtol=1e-12)


@over("settings", SETTINGS)
def test_offsets_are_taken_off_the_targets(settings):
    X, y, offset = normal(40, 3), normal(40, 2, seed=1), normal(40, 2, seed=2)
    assert_same(solved(X, y, offset=offset, **settings), solved(X, y - offset, **settings), rtol=1e-12)


@over("X", MATRICES)
def test_many_outputs_are_one_problem_each(X):
    y = normal(len(X), 3, seed=5) * [1.0, 1e-12, 1e12]
    W, b, _ = solved(X, y)
    for k in range(3):
        one = solved(X, y[:, k])
        assert_same((W[k : k + 1], b[k : k + 1]), one, rtol=1e-9)


def test_same_data_same_bits():
    for X in MATRICES.values():
        y = normal(len(X), 1, seed=5)
        assert torch.equal(
            solved(X, y)[2].parameters.flat, solved(X.copy(order="K"), y.copy())[2].parameters.flat
        )


def test_it_is_a_solver_of_the_estimators():
    data = ol.data.load("diabetes")
    for settings in (
        {},
        {"alpha": 1e-3},
        {"standardize": True},
        {"dtype": "float32"},
        {"fit_intercept": False},
    ):
        model = ol.LinearRegression(solver=LeastSquares(), **settings).fit(data.X, data.y)
        other = ol.LinearRegression(solver="lbfgs", tol=1e-12, **settings).fit(data.X, data.y)
        assert model.result_.status == "converged"
        assert model.result_.n_iter == 1
        np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-3, atol=1e-3 * np.abs(other.coef_).max())
        assert model.result_.objective <= other.result_.objective * (1 + 1e-10)


# ---- digits ---------------------------------------------------------------------------------------------------


# What the float64 data have to give: y and X are rounded, which costs Filip half of the digits.
DIGITS = {
    "Norris": 13.5,
    "Pontius": 13.0,
    "NoInt1": 14.5,
    "NoInt2": 15.0,
    "Filip": 7.0,
    "Longley": 14.0,
    "Wampler1": 15.0,
    "Wampler2": 13.0,
    "Wampler3": 15.0,
    "Wampler4": 15.0,
    "Wampler5": 15.0,
}


@over("reference", nist.SETS)
def test_the_certified_values_are_those_of_the_data(reference):
    for printed, value in zip(reference.certified, nist.exact(reference), strict=True):
        assert float(printed) == pytest.approx(float(value), rel=1e-14)


@pytest.mark.parametrize("name", DIGITS)
def test_nist(name):
    reference = nist.SETS[name]
    X, y = reference.arrays()
    W, b, state = solved(X, y, fit_intercept=reference.intercept)
    found = np.r_[b, W[0]] if reference.intercept else W[0]
    assert state.rank == X.shape[1]
    assert nist.digits(found, reference.certified) >= DIGITS[name]


# ---- what it says ---------------------------------------------------------------------------------------------


@over("loss", LOSSES, where=lambda loss: loss.name != "squared")
def test_other_losses_are_sent_to_who_can(loss):
    who = "lbfgs" if loss.smooth else "sgd"
    with pytest.raises(ol.errors.SolverError, match=rf"'least-squares'.*use solver='{who}'"):
        LeastSquares().check(loss, NoPenalty())


def test_a_kinked_penalty_is_sent_to_who_can():
    with pytest.raises(ol.errors.SolverError, match=r"'least-squares' needs a smooth penalty.*'sgd'"):
        LeastSquares().check(SquaredError(), L1(0.1))
    LeastSquares().check(SquaredError(), L2(0.1))


def test_it_explains_itself():
    def explain(X, **settings):
        return " ".join(LeastSquares().explain(build(X, X[:, :1], **settings)))

    assert "space of the rows" in explain(normal(3, 5))
    assert "float64 products" in explain(normal(5, 3))
    assert "float64 products" in explain(normal(5, 3), dtype=torch.float32)
    assert "float32 products" in explain(normal(30_000, 60), dtype=torch.float32)


def test_dependent_columns_are_named():
    message = functools.partial(dependent_columns_message, rank=8, features=10)
    assert message(["x3", "x7"]) == (
        "2 of 10 columns are linear combinations of others ('x3', 'x7'): the coefficients are the shortest of the "
        "infinitely many optimal ones; drop those columns for unique ones."
    )
    assert "(3, 7)" in message([3, np.int64(7)])
    assert dependent_columns_message([4], 9, 10).startswith(
        "1 of 10 columns is a linear combination of others (4)"
    )
    many = dependent_columns_message(range(3, 20), 3, 20)
    assert "(3, 4, 5, 6, 7 and 12 more)" in many
    assert dependent_columns_message([], 3, 3) == ""
