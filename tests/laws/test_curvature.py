"""Hessians as products, as matrices and as models: all of one P. Sampling that leaves sums what they are."""

import copy
import dataclasses
import unittest.mock

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

import onelayer as ol
from instances import LogCosh, over
from onelayer.curvature import (
    ClassBlocks,
    DenseHessian,
    Diagonal,
    Goal,
    Hessian,
    Kronecker,
    WideRows,
    system_for,
    thresholds,
)
from onelayer.curvature.conjugate_gradients import solve
from onelayer.curvature.factor import CentredFactor, spans_of, symmetric
from onelayer.curvature.heavy import HeavyColumns
from onelayer.curvature.sampling import by_curvature, jittered, systematic
from onelayer.designs import Compressed, DenseDesign, SparseDesign, StandardizedDesign
from onelayer.losses import Loss
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import make_penalty


class PlainCrossEntropy(Loss):
    """Cross-entropy as a newcomer writes it: everything but the value is autograd's."""

    name = "plain cross-entropy"
    targets = "class"
    shift_invariant = True

    def value(self, scores, y):
        return torch.nn.functional.cross_entropy(scores, y, reduction="none")


LOSSES = {
    "logistic": ol.losses.Logistic(),
    "cross-entropy": ol.losses.CrossEntropy(),
    "plain cross-entropy": PlainCrossEntropy(),
    "huber": ol.losses.Huber(),
    "squared": ol.losses.SquaredError(),
    "log-cosh": LogCosh(),
}
CLASSES = 3


def heavy_columns(objective, curvature, rows):
    """The model for sparse rows, with all features but one as heavy ones."""
    objective = copy.copy(objective)
    objective.design = sparse(objective.design)
    with unittest.mock.patch.object(thresholds, "HEAVY_FEATURES", objective.features - 1):
        return HeavyColumns(objective, curvature, rows)


def sparse(design):
    if isinstance(design, StandardizedDesign):
        return StandardizedDesign(sparse(design.base), design.mean, design.scale)
    rows = scipy.sparse.csr_array(design.dense(slice(None)).numpy())
    parts = (torch.from_numpy(part) for part in (rows.indptr, rows.indices, rows.data))
    return SparseDesign(Compressed(*parts, columns=design.features), design.dtype)


KINDS = {
    "class blocks": ClassBlocks,
    "kronecker": Kronecker,
    "diagonal": Diagonal,
    "heavy columns": heavy_columns,
}
over_losses = over("loss", LOSSES)
over_intercepts = pytest.mark.parametrize("fit_intercept", [True, False])
over_penalties = pytest.mark.parametrize("l2", [0.0, 0.05])


def objective_of(
    loss, *, l2=0.05, fit_intercept=True, rows=60, features=4, weighted=True, dtype=torch.float64, twice=()
):
    """Features that are not centred, weights some of which are zero; `twice` repeats columns."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(rows, features, generator=generator, dtype=torch.float64) + 1.5
    X = torch.cat([X, X[:, list(twice)]], dim=1)
    outputs = CLASSES if loss.per_class else 1
    if loss.per_class:
        y = torch.arange(rows) % outputs
    else:
        y = torch.randn(rows, 1, generator=generator, dtype=torch.float64)
        y = (y > 0).double() if loss.targets == "binary" else y
    weight = torch.arange(rows, dtype=torch.float64) % 4 if weighted else None
    return Objective(
        DenseDesign(X.to(dtype)),
        y if loss.per_class else y.to(dtype),
        loss,
        make_penalty(l2, 0.0),
        outputs=outputs,
        sample_weight=None if weight is None else weight.to(dtype),
        fit_intercept=fit_intercept,
    )


def somewhere(objective, seed=1, size=0.4):
    """Parameters, or a direction; without an intercept b is zero."""
    generator = torch.Generator().manual_seed(seed)
    start = objective.zeros().to(torch.float64)
    flat = size * torch.randn(start.flat.shape, generator=generator, dtype=torch.float64)
    moved = start.like(flat)
    return moved if objective.fit_intercept else Parameters.of(moved.weight, 0 * moved.bias)


def free(objective):
    """Which entries of the flat parameters may move."""
    start = objective.zeros()
    return torch.arange(len(start.flat)) < (
        len(start.flat) if objective.fit_intercept else start.weight.numel()
    )


def by_autograd(objective, parameters):
    """∂²P as a matrix, from the formula alone."""
    rows = objective.design.dense(slice(None)).double()
    s = (
        torch.ones(len(rows)).double()
        if objective.sample_weight is None
        else objective.sample_weight.double()
    )

    def value(flat):
        at = parameters.like(flat)
        z = rows @ at.weight.T + at.bias
        y = objective.y if objective.loss.per_class else objective.y.double()
        losses = objective.loss.value(z, y).reshape(len(rows), -1).sum(dim=1)
        return (s * losses).sum() / s.sum() + objective.penalty.l2 / 2 * at.weight.square().sum()

    matrix = torch.autograd.functional.hessian(value, parameters.flat)
    return matrix * free(objective) * free(objective).unsqueeze(1)


def shifts(objective):
    """The projection that takes the mean over the classes off, as a matrix on flat parameters."""
    size = len(objective.zeros().flat)
    if not objective.loss.shift_invariant:
        return torch.eye(size).double()
    like = objective.zeros().to(torch.float64)
    columns = []
    for unit in torch.eye(size).double():
        at = like.like(unit)
        columns.append(Parameters.of(at.weight - at.weight.mean(dim=0), at.bias - at.bias.mean()).flat)
    return torch.stack(columns, dim=1)


def as_matrix(apply, objective):
    like = objective.zeros().to(torch.float64)
    return torch.stack([apply(like.like(unit)).flat for unit in torch.eye(len(like.flat)).double()], dim=1)


# ---- products ---------------------------------------------------------------------------------------------------


@over_losses
@over_intercepts
@over_penalties
def test_a_product_is_the_change_of_the_gradient(loss, fit_intercept, l2):
    objective = objective_of(loss, l2=l2, fit_intercept=fit_intercept)
    parameters, direction, h = somewhere(objective), somewhere(objective, seed=2), 1e-6
    ahead, behind = (
        objective.gradient(objective.point(parameters.like(parameters.flat + step * direction.flat))).flat
        for step in (h, -h)
    )
    product = Hessian(objective, objective.point(parameters)).product(direction).flat
    torch.testing.assert_close(product, (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-8)


@over_losses
@over_intercepts
def test_products_are_autograds_hessian(loss, fit_intercept):
    objective = objective_of(loss, fit_intercept=fit_intercept)
    parameters = somewhere(objective)
    hessian = Hessian(objective, objective.point(parameters))
    allowed = free(objective)
    found = as_matrix(hessian.product, objective)[:, allowed]
    torch.testing.assert_close(found, by_autograd(objective, parameters)[:, allowed], rtol=1e-12, atol=1e-14)


@over_losses
def test_a_bend_is_a_quadratic_form_from_slopes(loss):
    objective = objective_of(loss)
    hessian = Hessian(objective, objective.point(somewhere(objective)))
    direction = somewhere(objective, seed=3)
    before = objective.passes
    slopes = objective.slopes(direction)
    bend = hessian.bend(direction, slopes)
    assert objective.passes - before == pytest.approx(0.5)
    assert bend == pytest.approx((direction.flat @ hessian.product(direction).flat).item(), rel=1e-12)


@over_losses
def test_a_sample_of_all_rows_is_the_whole(loss):
    objective = objective_of(loss)
    point, direction = objective.point(somewhere(objective)), somewhere(objective, seed=3)
    hessian = Hessian(objective, point)
    every = hessian.sampled(point, objective.rows)
    torch.testing.assert_close(every.product(direction).flat, hessian.product(direction).flat)


@pytest.mark.parametrize(
    "loss", [LOSSES["logistic"], LOSSES["cross-entropy"]], ids=["logistic", "cross-entropy"]
)
@pytest.mark.parametrize("weighted", [True, False])
def test_a_sample_is_about_the_whole(loss, weighted):
    objective = objective_of(loss, rows=8000, weighted=weighted)
    point, direction = objective.point(somewhere(objective)), somewhere(objective, seed=3)
    hessian = Hessian(objective, point)
    part = hessian.sampled(point, 2000)
    whole = (direction.flat @ hessian.product(direction).flat).item()
    assert (direction.flat @ part.product(direction).flat).item() == pytest.approx(whole, rel=0.1)
    assert part.objective.rows < 2100


# ---- the whole matrix --------------------------------------------------------------------------------------------


def dense_hessian(objective, parameters):
    curvature = objective.loss.curvature(objective.scores(parameters), objective.y)
    return DenseHessian(objective, WideRows(objective), curvature)


@over_losses
@over_intercepts
@over_penalties
def test_the_dense_hessian_inverts_autograds(loss, fit_intercept, l2):
    objective = objective_of(loss, l2=l2, fit_intercept=fit_intercept)
    parameters = somewhere(objective)
    dense, matrix = dense_hessian(objective, parameters), by_autograd(objective, parameters)
    gradient = parameters.like(matrix @ shifts(objective) @ somewhere(objective, seed=4).flat)
    solution = dense.apply(gradient)
    assert dense.full
    torch.testing.assert_close(matrix @ solution.flat, gradient.flat, rtol=1e-9, atol=1e-12)
    # Whatever it is made of: the same number by halves, by the inverse and by its diagonal.
    columns = dense.wide.reduced(gradient).unsqueeze(2)
    half = dense.half_solve(columns)
    assert half.square().sum().item() == pytest.approx((gradient.flat @ solution.flat).item(), rel=1e-9)
    if loss.shift_invariant:
        inverse, size = dense.inverse(), columns.numel()
        diagonal = inverse.reshape(size, size).diagonal()
        torch.testing.assert_close(dense.inverse_diagonal().reshape(-1), diagonal)
        torch.testing.assert_close(
            (inverse.reshape(size, size) @ columns.reshape(-1)), dense.solve(columns).reshape(-1)
        )


@over_losses
@over_intercepts
def test_rank_counts_columns_that_are_there_once(loss, fit_intercept):
    """Columns that repeat others are left out, a constant one beside an intercept, and shifts of all classes."""
    for twice in ((), (1,), (0, 2)):
        objective = objective_of(loss, l2=0.0, fit_intercept=fit_intercept, twice=twice)
        dense = dense_hessian(objective, somewhere(objective, size=0.05))
        outputs = CLASSES - 1 if loss.per_class else 1
        assert dense.rank == outputs * (4 + fit_intercept)
        assert dense.full == (not twice)
        assert (dense.flat_directions().shape[-1] > 0) == bool(twice)
        # A gradient lies in the range; the pseudo-inverse takes it back there.
        gradient = objective.gradient(objective.point(somewhere(objective, size=0.05)))
        matrix = by_autograd(objective, somewhere(objective, size=0.05))
        torch.testing.assert_close(matrix @ dense.apply(gradient).flat, gradient.flat, rtol=1e-8, atol=1e-11)


def test_directions_that_are_flat_move_no_score():
    objective = objective_of(LOSSES["cross-entropy"], l2=0.0, twice=(1, 1))
    dense = dense_hessian(objective, somewhere(objective))
    flat = dense.flat_directions()
    for column in range(flat.shape[-1]):
        direction = dense.wide.restored(flat[:, :, column])
        assert objective.slopes(direction).abs().max() <= 1e-12 * flat[:, :, column].abs().max()


def test_features_far_from_zero_keep_their_digits():
    """The same problem a million away."""
    near = objective_of(LOSSES["logistic"], l2=0.0)
    X = near.design.X + 2.0**20
    moved = Objective(
        DenseDesign(X), near.y, near.loss, near.penalty, outputs=1, sample_weight=near.sample_weight
    )
    place = somewhere(near)
    there = Parameters.of(place.weight, place.bias - 2.0**20 * place.weight.sum(dim=1))
    gradient = near.gradient(near.point(place))
    pulled = Parameters.of(gradient.weight + 2.0**20 * gradient.bias.unsqueeze(1), gradient.bias)
    one, two = dense_hessian(near, place).apply(gradient), dense_hessian(moved, there).apply(pulled)
    torch.testing.assert_close(two.weight, one.weight, rtol=1e-5, atol=1e-7)


def test_rows_in_blocks_are_the_rows_at_once(monkeypatch):
    objective = objective_of(LOSSES["cross-entropy"], rows=300)
    place = somewhere(objective)
    once = dense_hessian(objective, place)
    monkeypatch.setattr(thresholds, "WIDE_NUMBERS", 5 * 70)
    blocked = dense_hessian(objective, place)
    gradient = objective.gradient(objective.point(place))
    torch.testing.assert_close(blocked.apply(gradient).flat, once.apply(gradient).flat, rtol=1e-9, atol=1e-12)


# ---- models ------------------------------------------------------------------------------------------------------


def model_of(kind, objective, parameters, rows=None):
    point = objective.point(parameters)
    point = dataclasses.replace(point, scores=point.scores.to(objective.dtype))
    curvature = objective.loss.curvature(point.scores, objective.y)
    return KINDS[kind](objective, curvature, objective.rows if rows is None else rows)


@over_losses
@over_intercepts
@pytest.mark.parametrize("rows", [None, 30])
@pytest.mark.parametrize("kind", list(KINDS))
def test_models_are_symmetric_and_positive_but_for_shifts(loss, fit_intercept, rows, kind):
    objective = objective_of(loss, fit_intercept=fit_intercept, rows=200)
    matrix = as_matrix(model_of(kind, objective, somewhere(objective), rows).apply, objective)
    allowed = free(objective)
    matrix = matrix[allowed][:, allowed]
    torch.testing.assert_close(matrix, matrix.T, rtol=1e-9, atol=1e-9)
    values = torch.linalg.eigvalsh(matrix)
    flat = (4 + fit_intercept) if loss.shift_invariant else 0
    assert (values[:flat].abs() <= 1e-9 * values[-1]).all()
    assert (values[flat:] > 1e-6 * values[-1]).all()


@pytest.mark.parametrize(
    "loss", [LOSSES["logistic"], LOSSES["cross-entropy"]], ids=["logistic", "cross-entropy"]
)
@pytest.mark.parametrize("l2", [0.0, 0.05])
@pytest.mark.parametrize("kind", list(KINDS))
def test_models_stand_where_every_row_is_certain_and_none_has_curvature(loss, l2, kind):
    objective = objective_of(loss, l2=l2)
    place = somewhere(objective)
    model = model_of(kind, objective, place.like(1e7 * place.flat))
    matrix = as_matrix(model.apply, objective)
    assert torch.isfinite(matrix).all()
    torch.testing.assert_close(matrix, matrix.T)
    assert (torch.linalg.eigvalsh(matrix) >= -1e-9 * matrix.abs().max()).all()


@over("loss", LOSSES, lambda loss: not loss.per_class)
@over_intercepts
@over_penalties
def test_a_block_of_all_rows_is_the_hessian_of_one_score(loss, fit_intercept, l2):
    objective = objective_of(loss, l2=l2, fit_intercept=fit_intercept)
    place = somewhere(objective)
    model, matrix = model_of("class blocks", objective, place), by_autograd(objective, place)
    direction = somewhere(objective, seed=5)
    back = model.apply(direction.like(matrix @ direction.flat))
    torch.testing.assert_close(back.flat, direction.flat, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    "loss", [LOSSES["cross-entropy"], LOSSES["plain cross-entropy"]], ids=["ours", "plain"]
)
@over_intercepts
@over_penalties
def test_at_zero_one_eigenbasis_is_the_hessian_of_softmax(loss, fit_intercept, l2):
    objective = objective_of(loss, l2=l2, fit_intercept=fit_intercept)
    start = objective.zeros()
    model, matrix = model_of("kronecker", objective, start), by_autograd(objective, start)
    direction = start.like(shifts(objective) @ somewhere(objective, seed=5).flat)
    back = model.apply(direction.like(matrix @ direction.flat))
    torch.testing.assert_close(back.flat, direction.flat, rtol=1e-9, atol=1e-10)


@over("loss", LOSSES, lambda loss: not loss.per_class)
def test_the_diagonal_is_the_diagonal(loss):
    objective = objective_of(loss)
    place = somewhere(objective)
    model, matrix = model_of("diagonal", objective, place), by_autograd(objective, place)
    torch.testing.assert_close(as_matrix(model.apply, objective), torch.diag(1 / matrix.diagonal()))


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_model_of_some_rows_is_worth_its_price(kind):
    """As a preconditioner: the condition of M⁻¹H is small beside that of H."""
    objective = objective_of(LOSSES["logistic"], rows=4000, l2=1e-4)
    units = torch.tensor([1.0, 30.0, 0.1, 1e3]).double()
    scaled = StandardizedDesign(objective.design, 0 * units, 1 / units)
    objective.design = scaled
    place = Parameters.of(somewhere(objective).weight / units, somewhere(objective).bias)
    matrix = by_autograd(objective, place)
    whitened = as_matrix(model_of(kind, objective, place, 400).apply, objective) @ matrix
    values = torch.linalg.eigvals(whitened).real
    bare = torch.linalg.eigvalsh(matrix)
    most = {"class blocks": 2.0, "kronecker": 2.0, "diagonal": 100.0, "heavy columns": 10.0}[kind]
    assert values.max() / values.min() <= most
    assert bare.max() / bare.min() > 1e6


@pytest.mark.parametrize("kind", list(KINDS))
def test_models_draw_the_same_rows_every_time(kind):
    objective = objective_of(LOSSES["cross-entropy"], rows=400)
    place, gradient = somewhere(objective), somewhere(objective, seed=6)
    torch.manual_seed(1)
    first = model_of(kind, objective, place, 50).apply(gradient).flat
    torch.manual_seed(2)
    assert torch.equal(first, model_of(kind, objective, place, 50).apply(gradient).flat)


@over_intercepts
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    "loss", [LOSSES["logistic"], LOSSES["cross-entropy"]], ids=["logistic", "cross-entropy"]
)
def test_what_the_intercept_answers_for_is_taken_off(loss, fit_intercept, kind):
    """What a proof divides by α is left once b has moved; a residual of b alone leaves next to nothing."""
    objective = objective_of(loss, fit_intercept=fit_intercept)
    place = somewhere(objective)
    model, matrix = model_of(kind, objective, place), by_autograd(objective, place)
    only = Parameters.of(0 * place.weight, somewhere(objective, seed=7).bias)
    residual = place.like(matrix @ only.flat)
    left = model.eliminated(residual)
    if kind == "diagonal" or not fit_intercept:
        assert torch.equal(left, residual.weight)
    elif loss.per_class:
        assert left.norm() < 0.7 * residual.weight.norm()
    else:
        assert left.norm() < 1e-12 * residual.weight.norm()


@pytest.mark.parametrize("spans", [False, True], ids=["sizes of some rows", "spans of all"])
@pytest.mark.parametrize("part", [False, True], ids=["all rows", "some rows"])
@pytest.mark.parametrize("constant", [0.0, 1234.567, -3e-7, 5e20])
def test_a_factor_inverts_the_centred_gram_matrix(constant, part, spans):
    generator = torch.Generator().manual_seed(4)
    X = torch.randn(3000, 4, generator=generator) * torch.tensor([1.0, 1e-3, 50.0, 1.0]) + 7
    # Constant in the rows that are taken, and in all of them: either leaves α alone.
    X[:, 3] = constant
    X[::2, 0] = 1.5
    design, l2 = DenseDesign(X), 1e-12
    index = torch.arange(0, 3000, 2) if part else slice(None)
    h = torch.rand(1500 if part else 3000, generator=generator)
    kept = X.clone()
    factor = CentredFactor(design, index, h, l2, centred=True, spans=spans_of(design) if spans else None)
    inverse = factor.inverse().double()
    found = factor.scale.outer(factor.scale) * (inverse.T @ inverse)
    rows, weight = X[index].double(), h.double()
    rows = rows - (weight @ rows) / weight.sum()
    # Rounding of the mean is no spread.
    rows[:, rows.abs().amax(dim=0) <= 1e-5 * X[index].double().abs().amax(dim=0)] = 0
    true = torch.linalg.inv((rows * weight.unsqueeze(1)).T @ rows + l2 * torch.eye(4, dtype=torch.float64))
    size = true.diagonal().sqrt()
    torch.testing.assert_close(found / size.outer(size), true / size.outer(size), rtol=1e-3, atol=1e-3)
    assert torch.equal(X, kept)


@pytest.mark.parametrize("shape", [(5, 3), (40, 63), (40, 128), (7, 200), (3, 40, 130)])
def test_gram_matrices_are_put_together_of_strips(shape):
    rows = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(symmetric(rows), rows.mT @ rows)


# ---- sampling ------------------------------------------------------------------------------------------------------

shares = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=60)


@given(shares, st.integers(1, 80))
def test_systematic_sampling_keeps_sums(values, count):
    share = torch.tensor(values, dtype=torch.float64)
    index, factor = systematic(share, count)
    assert (index[1:] > index[:-1]).all()
    assert (factor >= 1).all()
    if count >= len(share):
        assert len(index) == len(share)
        assert (factor == 1).all()
        return
    assert abs(len(index) - count) <= 1
    # Those of large share are certain ...
    certain = factor == 1
    assert set((share * count > share.sum() * (1 + 1e-9)).nonzero().flatten().tolist()) <= set(
        index[certain].tolist()
    )
    # ... and for the others share times factor is one number, so that their sum is right to one row.
    rest = torch.ones(len(share), dtype=torch.bool)
    rest[index[certain]] = False
    drawn = ~certain
    products = share[index[drawn]] * factor[drawn]
    if len(products):
        torch.testing.assert_close(products, products[:1].expand_as(products), rtol=1e-6, atol=0.0)
        assert abs(products.sum() - share[rest].sum()) <= 1.6 * products[0]
    again, same = systematic(share, count)
    assert torch.equal(index, again)
    assert torch.equal(factor, same)


@given(shares.filter(any), st.integers(1, 80))
def test_jittered_rows_stand_for_all_shares(values, count):
    share = torch.tensor([0.0, *values, 0.0], dtype=torch.float64)
    index, factor = jittered(share, count)
    assert 1 <= len(index) <= count
    assert (index[1:] > index[:-1]).all()
    assert (share[index] > 0).all()
    torch.testing.assert_close((share[index] * factor).sum(), share.sum(), rtol=1e-9, atol=0.0)
    # One from each stretch: how often rows up to here were drawn is never off by more than one.
    drawn = torch.zeros_like(share).index_add_(0, index, share[index] * factor * (count / share.sum()))
    assert (drawn.cumsum(0) - share.cumsum(0) * (count / share.sum())).abs().max() <= 1 + 1e-9
    again, same = jittered(share, count)
    assert torch.equal(index, again)
    assert torch.equal(factor, same)


def test_jittered_rows_do_not_meet_a_stride():
    share = torch.ones(8000, dtype=torch.float64)
    index, factor = jittered(share, 1000)
    assert torch.bincount(index % 8, minlength=8).min() > 80
    assert (factor == 8).all()


@pytest.mark.parametrize("count", [100, 400])
def test_factors_add_up_to_all_rows(count):
    share = torch.rand(2000, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.2
    _, factor = systematic(share, count)
    assert factor.sum().item() == pytest.approx(2000, rel=0.05)


def test_rows_without_curvature_are_not_forgotten():
    h = torch.zeros(1000, dtype=torch.float64)
    h[:10] = 1.0
    index, factor = by_curvature(h, 100)
    assert set(range(10)) <= set(index.tolist())
    assert (factor[:10] == 1).all()
    assert 80 <= len(index) <= 101
    assert factor.sum().item() == pytest.approx(1000, rel=0.1)
    # No curvature anywhere: all rows alike.
    index, _ = by_curvature(torch.zeros(1000, dtype=torch.float64), 100)
    assert abs(len(index) - 100) <= 1


@pytest.mark.parametrize(
    "h", [[1e300] * 8, [1e-300] * 8, [0.0] * 8, [1e300, 0, 0, 0, 0, 0, 0, 1e-300]], ids=str
)
def test_curvature_of_any_size_can_be_sampled(h):
    index, factor = by_curvature(torch.tensor(h, dtype=torch.float64), 4)
    assert len(index) >= 1
    assert torch.isfinite(factor).all()


# ---- solving -------------------------------------------------------------------------------------------------------


def vector(values):
    return Parameters.of(torch.as_tensor(values, dtype=torch.float64).reshape(1, -1), torch.zeros(1).double())


def on_weights(matrix):
    return lambda parameters: Parameters.of(
        (matrix @ parameters.weight[0]).reshape(1, -1), torch.zeros(1).double()
    )


@given(st.integers(1, 12), st.integers(0, 10_000), st.floats(0, 4), st.booleans())
def test_conjugate_gradients_solve_positive_systems(size, seed, spread, preconditioned):
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(size, size)))
    matrix = torch.from_numpy(basis * 10 ** rng.uniform(0, spread, size=size) @ basis.T)
    model = torch.diag(1 / matrix.diagonal()) if preconditioned else torch.eye(size).double()
    gradient = vector(rng.normal(size=size))
    solution = solve(
        on_weights(matrix), on_weights(model), gradient, lambda _, rest, gain: rest < 1e-24 * gain, 500
    )
    residual = matrix @ solution.direction.weight[0] + gradient.weight[0]
    assert residual.norm() <= 1e-8 * gradient.flat.norm()
    torch.testing.assert_close(solution.residual.weight[0], residual, rtol=0, atol=1e-9)
    assert solution.direction.flat @ gradient.flat < 0


def test_conjugate_gradients_stop_when_told():
    matrix = torch.diag(torch.arange(1.0, 21.0)).double()
    gradient = vector(torch.ones(20))
    identity = on_weights(torch.eye(20).double())
    asked, gains = [], []

    first = gradient.flat.square().sum().item()

    def enough(residual, rest, gain):
        assert residual.flat.square().sum().item() / 2 == pytest.approx(rest, rel=1e-10)
        # The quadratic model falls from step to step.
        assert not gains or gain > gains[-1]
        gains.append(gain)
        asked.append(2 * rest / first)
        return asked[-1] < 1e-2

    solution = solve(on_weights(matrix), identity, gradient, enough, 100)
    assert solution.steps == len(asked) < 20
    assert solution.reduction == pytest.approx(asked[-1])
    assert asked[-1] < 1e-2
    assert gains[-1] == pytest.approx(-(solution.direction.flat @ gradient.flat).item() / 2)
    assert solution.expected == pytest.approx(first / 2)
    few = solve(on_weights(matrix), identity, gradient, lambda *_: False, 3)
    assert few.steps == 3
    # As many steps as there are different eigenvalues.
    twos = torch.diag(torch.tensor([1.0, 2.0]).repeat(10)).double()
    assert solve(on_weights(twos), identity, gradient, lambda _, rest, gain: rest < 1e-20, 100).steps == 2


def test_conjugate_gradients_descend_where_there_is_no_curvature():
    for matrix in (torch.zeros(3, 3).double(), -torch.eye(3).double()):
        identity = on_weights(torch.eye(3).double())
        solution = solve(on_weights(matrix), identity, vector([1.0, -2.0, 3.0]), lambda *_: False, 10)
        assert solution.direction.weight[0] @ torch.tensor([1.0, -2.0, 3.0]).double() < 0
    still = solve(identity, identity, vector([0.0, 0.0, 0.0]), lambda *_: False, 10)
    assert not still.direction.flat.any()
    assert still.steps == 0


@over_losses
@pytest.mark.parametrize("large", [False, True])
def test_systems_are_solved(monkeypatch, loss, large):
    if large:
        monkeypatch.setattr(thresholds, "DENSE_COEFFICIENTS", 0)
    objective = objective_of(loss, rows=200)
    place = somewhere(objective)
    point = objective.point(place)
    gradient = objective.gradient(point)
    gradient = gradient.like(shifts(objective) @ gradient.flat)
    system = system_for(objective).at(point, True, 20.0, False)
    assert system.exact is not large
    solution, _ = system.solve(gradient, Goal(0.0, target=1e-20))
    matrix = by_autograd(objective, place)
    torch.testing.assert_close(matrix @ solution.direction.flat, -gradient.flat, rtol=1e-6, atol=1e-9)
    gain = -(gradient.flat @ solution.direction.flat).item() / 2
    assert system.decrement(gradient) == pytest.approx(gain, rel=1e-9 if system.exact else 1.0)
