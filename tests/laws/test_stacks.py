"""A stack of problems is the problems: values, gradients, Hessians, proofs and optima are those of each by itself."""

import dataclasses

import numpy as np
import pytest
import torch

from instances import over
from onelayer import losses
from onelayer.certificates import Certifier
from onelayer.certificates.tilt import Tilt
from onelayer.curvature import Hessian
from onelayer.designs import DenseDesign
from onelayer.objective import Objective
from onelayer.penalties import L2
from onelayer.solvers import Newton, minimize
from onelayer.stacks import Coefficients, OwnRows, ScaledRows, SharedRows, Stack, solve_stack
from onelayer.stacks import rows as rows_module
from onelayer.stacks.models import model_of
from onelayer.stacks.proofs import gaps

ROWS, FEATURES, PROBLEMS = 80, 5, 4
LOSSES = {
    "logistic": (losses.Logistic(), 1),
    "huber": (losses.Huber(0.7), 1),
    "squared": (losses.SquaredError(), 1),
    "cross-entropy of 3": (losses.CrossEntropy(), 3),
    "cross-entropy of 40": (losses.CrossEntropy(), 40),
}
KINDS = ("shared", "own", "scaled")
OPTIONS = {
    "plain": {},
    "weights": {"weights": True},
    "no intercept": {"free": False},
    "offset": {"offset": True},
}


@dataclasses.dataclass
class Case:
    """A stack, and the objectives of its problems."""

    stack: Stack
    objectives: list


def case(
    loss, outputs, kind="shared", weights=False, free=True, offset=False, dtype=torch.float64, rows=ROWS
):
    generator = torch.Generator().manual_seed(3)
    shape = (PROBLEMS, rows, FEATURES) if kind == "own" else (rows, FEATURES)
    X = torch.randn(shape, generator=generator, dtype=torch.float64) * torch.linspace(0.5, 2, FEATURES) + 1
    X = X.to(dtype).double()
    mean = torch.randn(PROBLEMS, FEATURES, generator=generator, dtype=torch.float64)
    scale = torch.rand(PROBLEMS, FEATURES, generator=generator, dtype=torch.float64) + 0.5
    y = torch.randn(PROBLEMS, rows, generator=generator, dtype=torch.float64)
    if loss.per_class:
        # Two rows in a row for each class: one of them is left whatever weights are zero below.
        y = (torch.arange(rows) // 2 + torch.arange(PROBLEMS).unsqueeze(1)) % outputs
    elif loss.targets == "binary":
        y = (y > 0.3).double()
    s = torch.rand(PROBLEMS, rows, generator=generator, dtype=torch.float64) if weights else None
    if s is not None:
        s[:, ::5] = 0.0
    o = torch.randn(PROBLEMS, rows, outputs, generator=generator, dtype=torch.float64) if offset else None
    l2 = torch.tensor([0.5, 0.05, 0.005, 0.02], dtype=torch.float64)
    axis = 1 if kind == "own" else 0
    data = OwnRows(X, dtype) if kind == "own" else SharedRows(DenseDesign(X, dtype))
    if kind == "scaled":
        data = ScaledRows(data, mean, scale)

    def laid(values):
        return None if values is None else values if axis else values.transpose(0, 1).contiguous()

    stack = Stack(
        data, laid(y), loss, l2, outputs=outputs, sample_weight=laid(s), offset=laid(o), fit_intercept=free
    )
    objectives = []
    for m in range(PROBLEMS):
        own = X[m] if kind == "own" else X
        own = (own - mean[m]) / scale[m] if kind == "scaled" else own
        target = y[m] if loss.per_class else y[m].unsqueeze(1)
        objectives.append(
            Objective(
                DenseDesign(own),
                target,
                loss,
                L2(l2[m].item()),
                outputs=outputs,
                sample_weight=None if s is None else s[m],
                offset=None if o is None else o[m],
                fit_intercept=free,
            )
        )
    return Case(stack, objectives)


def some_coefficients(stack, seed=0, size=0.3):
    flat = torch.randn(
        stack.zeros().flat.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    found = Coefficients(size * flat, stack.outputs, stack.features)
    if not stack.fit_intercept:
        found.bias.zero_()
    return found


@over("loss", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
@over("options", OPTIONS)
def test_values_gradients_and_hessians_are_those_of_each_problem(loss, kind, options):
    given = case(*loss, kind, **options)
    at, move = some_coefficients(given.stack), some_coefficients(given.stack, 1)
    point = given.stack.point(at)
    gradient = given.stack.gradient(point)
    image = given.stack.product(given.stack.curvature(point), move)
    mean = given.stack.mean_curvature(given.stack.curvature(point))
    for m, objective in enumerate(given.objectives):
        own = objective.point(at.one(m))
        assert point.value[m].item() == pytest.approx(own.value, rel=1e-12)
        torch.testing.assert_close(gradient.flat[m], objective.gradient(own).flat, rtol=1e-9, atol=1e-11)
        hessian = Hessian(objective, own)
        torch.testing.assert_close(image.flat[m], hessian.product(move.one(m)).flat, rtol=1e-9, atol=1e-11)
        weight = torch.ones(ROWS) if objective.sample_weight is None else objective.sample_weight
        expected = hessian.curvature.mean(weight.double()) / objective.total_weight
        torch.testing.assert_close(mean[m], expected, rtol=1e-9, atol=1e-12)


@over("loss", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
@over("options", OPTIONS)
def test_proofs_are_those_of_each_problem(loss, kind, options):
    given = case(*loss, kind, **options)
    at, move = some_coefficients(given.stack, size=0.05), some_coefficients(given.stack, 1, 0.01)
    scores, slopes = given.stack.scores(at), given.stack.slopes(move)
    there = at.like(at.flat + move.flat)
    gap, value = gaps(given.stack, there, scores, slopes)
    for m, objective in enumerate(given.objectives):
        z, t = (part.select(1 - given.stack.rows.axis, m) for part in (scores, slopes))
        tilt = Tilt(at.one(m), move.one(m), z, t, 0.0)
        certifier = Certifier(objective)
        certifier._quadratic = None
        expected = certifier.certify(there.one(m), tilt=tilt)
        assert value[m].item() == pytest.approx(expected.objective, rel=1e-12)
        # It may shrink a bad dual point, which the stack does not, and counts norms of rows a little closer.
        assert gap[m].item() >= expected.gap * (1 - 1e-6)
        if expected.gap < 0.01 * expected.objective:
            assert gap[m].item() == pytest.approx(expected.gap, rel=1e-3)


@over("loss", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
@over("options", OPTIONS)
def test_optima_are_those_of_each_problem(loss, kind, options):
    given = case(*loss, kind, **options)
    model = None
    if kind == "scaled":
        # Its factors are the caller's to give.
        model = Blocks(given)
    solved = solve_stack(given.stack, given.stack.zeros(), 1e-8, model=model)
    assert bool(solved.proven.all())
    assert bool((solved.gap <= 1e-8 * solved.value.abs()).all())
    for m, objective in enumerate(given.objectives):
        outcome = minimize(Newton(), objective, objective.zeros(), tol=1e-10)
        own = objective.value(solved.coefficients.one(m))
        assert own == pytest.approx(solved.value[m].item(), rel=1e-12)
        assert own - outcome.result.objective + outcome.certificate.gap >= -1e-15
        assert own - outcome.result.objective <= solved.gap[m].item() + 1e-15


class Blocks:
    """Exact inverses, one problem after the other."""

    def __init__(self, given):
        self._systems = []
        from onelayer.curvature import system_for

        for objective in given.objectives:
            system = system_for(objective)
            self._systems.append(system.at(system.objective.point(objective.zeros()), True, 1.0, False))

    def apply(self, gradient):
        found = []
        for m, system in enumerate(self._systems):
            apply = system.hessian.apply if system.exact else system.model.factors.apply
            found.append(apply(gradient.one(m)))
        return Coefficients.gathered(found)

    def some(self, index):
        other = object.__new__(Blocks)
        other._systems = [self._systems[m] for m in index.tolist()]
        return other

    def renewed(self, stack, point):
        return self


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", [True, False])
def test_some_problems_know_the_sizes_of_their_columns(kind, weights):
    stack = case(losses.Logistic(), 1, kind, weights=weights).stack
    index = torch.tensor([2, 0])
    norms, own = (
        stack.some(index).column_norms,
        stack.rows.some(index).column_norms(stack.some(index).sample_weight),
    )
    assert bool((norms >= own * (1 - 1e-12)).all())
    assert bool((norms <= 3 * own).all())


@pytest.mark.parametrize("kind", ["shared", "own"])
@over("loss", LOSSES)
def test_float32_ends_at_the_same_proven_gap(loss, kind):
    given = case(*loss, kind, dtype=torch.float32, weights=True)
    solved = solve_stack(given.stack, None, 1e-6)
    assert bool(solved.proven.all())
    for m, objective in enumerate(given.objectives):
        outcome = minimize(Newton(), objective, objective.zeros(), tol=1e-9)
        # What is proven is said of the coefficients as they are returned, rounded.
        returned = solved.coefficients.one(m)
        assert torch.equal(returned.flat, returned.flat.float().double())
        assert solved.value[m].item() == pytest.approx(objective.value(returned), rel=1e-12)
        own = objective.value(returned)
        assert own - outcome.result.objective <= 1e-6 * own + outcome.certificate.gap


def test_a_start_on_a_part_of_the_rows_ends_at_the_same_optimum():
    given = case(losses.Logistic(), 1, rows=9000, dtype=torch.float32)
    solved, plain = solve_stack(given.stack, None, 1e-6), solve_stack(given.stack, given.stack.zeros(), 1e-6)
    assert bool(solved.proven.all() and plain.proven.all())
    assert bool(((solved.value - plain.value).abs() <= solved.gap + plain.gap).all())


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_models_invert_the_hessians_they_are_made_of(kind):
    # At W = 0 every row has the same curvature, and then a shared basis is exact too.
    given = case(losses.CrossEntropy(), 3, kind)
    stack = given.stack
    point = stack.point(stack.zeros())
    model, curvature = model_of(stack, point), stack.curvature(point)
    gradient = stack.gradient(point)
    back = stack.product(curvature, model.apply(gradient))
    share = (back.flat * gradient.flat).sum(dim=1) / gradient.flat.square().sum(dim=1)
    if kind == "shared":
        torch.testing.assert_close(back.flat, gradient.flat, rtol=1e-4, atol=1e-5)
    assert bool((share > 0.3).all() and (share < 3).all())
    some = model.some(torch.tensor([2, 0])).apply(gradient.some(torch.tensor([2, 0])))
    torch.testing.assert_close(some.flat, model.apply(gradient).flat[[2, 0]])


def test_problems_leave_one_by_one_and_what_cannot_be_solved_is_said():
    given = case(losses.Logistic(), 1, "shared")
    told = []
    solved = solve_stack(given.stack, given.stack.zeros(), 1e-6, tell=told.append)
    assert sum(told) == PROBLEMS
    assert len(set(solved.steps.tolist())) > 1
    hopeless = solve_stack(given.stack, given.stack.zeros(), 1e-30)
    assert not bool(hopeless.proven.any())
    assert bool(torch.isinf(hopeless.gap).all())


@pytest.mark.parametrize("count", [1, 3, 97, 130, 4096])
@pytest.mark.parametrize("wide", [False, True])
def test_products_with_rows_of_their_own_are_those_of_each_problem(monkeypatch, count, wide):
    # Parts of rows, parts of problems, and what no equal parts can be made of.
    monkeypatch.setattr(rows_module, "_WIDE_BYTES", 8 * 2 * max(count, 1) * FEATURES)
    generator = torch.Generator().manual_seed(1)

    def drawn(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).float()

    X, W, b, R = drawn(5, count, FEATURES), drawn(5, 2, FEATURES), drawn(5, 2), drawn(5, count, 2)
    s = drawn(5, count).abs()
    rows = OwnRows(X)
    if wide:
        rows, W, b, R = rows.as_dtype(torch.float64), W.double(), b.double(), R.double()
    scores = torch.einsum("pij,pkj->pik", X.double(), W.double()) + b.double().unsqueeze(1)
    pulled = torch.einsum("pik,pij->pkj", R.double(), X.double())
    norms = torch.einsum("pi,pij->pj", s.double(), X.double().square()).sqrt()
    near = {"rtol": 1e-12, "atol": 1e-12} if wide else {"rtol": 1e-4, "atol": 1e-4}
    both = rows.swept(W, b, R)
    for found, true in zip((rows.scores(W, b), rows.adjoint(R), *both), (scores, pulled) * 2, strict=True):
        torch.testing.assert_close(found.double(), true, **near)
    assert bool((rows.column_norms(s) >= norms * (1 - 1e-12)).all())
    index = torch.tensor([3, 1])
    torch.testing.assert_close(rows.some(index).scores(W[index], b[index]), rows.scores(W, b)[index])
    some = torch.arange(0, count, 2)
    torch.testing.assert_close(rows.take(some).scores(W, b), rows.scores(W, b)[:, some])
    assert rows.count % max(rows.short, 1) == 0


def test_sums_in_parts_lose_fewer_digits():
    # Large terms that cancel: in one sum in float32 they are off by 0.2 to 0.9.
    R = torch.cat([torch.ones(1, 2048, 1), -torch.ones(1, 2048, 1)], dim=1)
    for seed in range(4):
        X = (torch.randn(1, 4096, 1, generator=torch.Generator().manual_seed(seed)) + 300).float()
        true = (R.double().mT @ X.double()).item()
        assert abs(OwnRows(X).adjoint(R).item() - true) <= 0.06


def test_a_bias_that_does_not_lie_in_one_piece_is_read_as_it_is():
    # torch's own fused product read it as if it did: every problem but the first had another one's intercept.
    from onelayer.designs import products

    X = torch.randn(5000, 8)
    weight, bias = torch.randn(3, 8), torch.randn(3, 9)[:, 4]
    assert not bias.is_contiguous()
    torch.testing.assert_close(products.scores(X, weight, bias), X @ weight.T + bias, rtol=1e-4, atol=1e-4)


class Plain(losses.CrossEntropy):
    """A loss of classes that gives products with its curvature, and nothing else of it."""

    def curvature(self, scores, y):
        return losses.Loss.curvature(self, scores, y)


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_a_loss_of_classes_that_gives_only_products(kind):
    plain, known = (case(loss, 3, kind, weights=True).stack for loss in (Plain(), losses.CrossEntropy()))
    point = known.point(some_coefficients(known))
    torch.testing.assert_close(
        plain.mean_curvature(plain.curvature(point)), known.mean_curvature(known.curvature(point))
    )
    assert bool(solve_stack(plain, plain.zeros(), 1e-6).proven.all())


def test_numbers_of_shapes():
    given = case(losses.CrossEntropy(), 3)
    assert len(some_coefficients(given.stack)) == PROBLEMS
    assert given.stack.problems == PROBLEMS
    np.testing.assert_array_equal(given.stack.total_weight, np.full(PROBLEMS, ROWS))
