"""Newton's method reaches the optimum, whatever the loss, the data, their storage, and the way its systems are solved."""

import dataclasses
import warnings

import numpy as np
import pytest
import torch

import onelayer as ol
from exact import Exact
from instances import LogCosh
from onelayer.curvature import thresholds
from onelayer.curvature.models import kind_of
from onelayer.designs import DenseDesign
from onelayer.losses import Loss
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import make_penalty
from onelayer.result import Status
from onelayer.solvers import Newton, minimize

LOSSES = {
    "logistic": ol.losses.Logistic(),
    "cross-entropy": ol.losses.CrossEntropy(),
    "huber": ol.losses.Huber(),
    "squared": ol.losses.SquaredError(),
    "log-cosh": LogCosh(),
}

# Thresholds that send small problems down each of the ways that large ones go.
LARGE = {"DENSE_COEFFICIENTS": 0, "MIN_ROWS": 40, "SUBSET_ROWS": 30, "CHEAP": 0.0, "SAMPLE_OUTPUTS": 1}
PATHS = {
    "dense": {},
    "class blocks": LARGE,
    "kronecker": LARGE | {"BLOCKS_NUMBERS": 0, "BLOCKS_SHARE": 0.0},
    "diagonal": LARGE | {"FACTOR_FEATURES": 0},
}
KINDS = {"class blocks": "ClassBlocks", "kronecker": "Kronecker", "diagonal": "Diagonal"}
# One eigenbasis for all classes is for losses that have classes.
LOSS_BY_PATH = [
    (loss, path) for loss in LOSSES for path in PATHS if path != "kronecker" or loss == "cross-entropy"
]
over_ways = pytest.mark.parametrize(("loss", "path"), LOSS_BY_PATH)
over_paths = pytest.mark.parametrize("path", list(PATHS))


@pytest.fixture
def way(monkeypatch, path):
    for name, value in PATHS[path].items():
        monkeypatch.setattr(thresholds, name, value, raising=False)
    return path


def problem(loss, *, rows=320, features=5, l2=1e-3, fit_intercept=True, dtype=np.float64, seed=0, classes=4):
    """Weights, some of them zero, columns of different sizes, classes that overlap."""
    rng = np.random.default_rng(seed)
    outputs = classes if loss == "cross-entropy" else 1
    X = rng.normal(size=(rows, features)) @ (np.eye(features) + 0.5 * rng.normal(size=(features, features)))
    X = (X + rng.normal(size=features)).astype(dtype)
    signal = X @ rng.normal(size=(features, outputs)) / features
    if loss == "cross-entropy":
        y = (signal + rng.gumbel(size=signal.shape)).argmax(axis=1)
        y[:outputs] = np.arange(outputs)
    elif loss == "logistic":
        y = (signal + rng.logistic(size=signal.shape) > 0)[:, 0].astype(float)
    else:
        y = (signal + rng.standard_t(3, size=signal.shape))[:, 0].astype(dtype).astype(float)
    weight = rng.integers(0, 4, size=rows).astype(float)
    weight[: 2 * outputs] = 1
    return Exact(X, y, loss, outputs, weight, None, l2, fit_intercept)


def objective_of(exact, X=None):
    X = torch.from_numpy(np.ascontiguousarray(exact.X)) if X is None else X
    design = DenseDesign(X)
    y = torch.from_numpy(exact.y)
    return Objective(
        design,
        y if exact.loss == "cross-entropy" else y.unsqueeze(1).to(design.dtype),
        LOSSES[exact.loss],
        make_penalty(exact.l2, 0.0),
        outputs=exact.outputs,
        sample_weight=None if exact.weight is None else torch.from_numpy(exact.weight).to(design.dtype),
        offset=None if exact.offset is None else torch.from_numpy(exact.offset).to(design.dtype),
        fit_intercept=exact.fit_intercept,
    )


def solved(exact, tol=1e-12, X=None, **settings):
    objective = objective_of(exact, X)
    start = settings.pop("start", objective.zeros())
    return minimize(Newton(), objective, start, tol=tol, **{"max_iter": 200} | settings)


def coefficients(outcome):
    return (part.double().numpy() for part in (outcome.parameters.weight, outcome.parameters.bias))


def assert_optimal(exact, outcome, within):
    """P is at most `within` of itself above the optimum; where no bound is known for a loss, its gradient is zero."""
    weight, bias = coefficients(outcome)
    if exact.loss == "log-cosh":
        exact.optimum()
        assert outcome.result.status is Status.STALLED
        assert "gives no conjugate" in outcome.result.message
        assert exact.value(weight, bias) <= exact.least * (1 + max(within, 1e-14))
        return
    assert outcome.result.status is Status.CONVERGED, outcome.result.message
    distance = exact.distance(weight, bias)
    assert distance <= within * exact.value(weight, bias)
    assert distance <= outcome.certificate.gap * (1 + 1e-9)


# ---- the optimum -------------------------------------------------------------------------------------------


@over_ways
@pytest.mark.parametrize(("l2", "fit_intercept"), [(1e-3, True), (1e-2, False), (0.0, True)])
def test_every_smooth_loss_every_way(loss, path, way, l2, fit_intercept):
    exact = problem(loss, l2=l2, fit_intercept=fit_intercept)
    outcome = solved(exact)
    assert_optimal(exact, outcome, 1e-12)
    weight, bias = coefficients(outcome)
    there = exact.outer(exact.optimum())
    if loss == "cross-entropy":
        # Only what differs between classes is determined (of W too, where there is no penalty).
        weight, bias = weight - weight.mean(axis=0), bias - bias.mean()
        there = there[0] - there[0].mean(axis=0), there[1] - there[1].mean()
    np.testing.assert_allclose(weight, there[0], atol=1e-5)
    np.testing.assert_allclose(bias, there[1], atol=1e-5)


@over_ways
def test_float32_features_reach_what_float32_can_hold(loss, path, way):
    exact = problem(loss, dtype=np.float32)
    outcome = solved(exact, tol=1e-9)
    assert outcome.parameters.flat.dtype == torch.float32
    assert_optimal(exact, outcome, 1e-9)
    if path != "dense" and loss != "log-cosh":
        assert "last steps in float64" in outcome.result.dtype


@pytest.mark.parametrize(("path", "name"), KINDS.items())
def test_the_ways_are_those_that_they_are_called_after(path, name, way):
    objective = objective_of(problem("cross-entropy"))
    assert kind_of(objective).__name__ == name
    assert "conjugate gradients" in " ".join(Newton().explain(objective))
    assert "80 rows" in " ".join(Newton().explain(objective))


def test_small_problems_are_factorised():
    assert "the whole Hessian is factorised" in " ".join(Newton().explain(objective_of(problem("huber"))))


@over_paths
@pytest.mark.parametrize("l2", [1e-6, 1.0])
@pytest.mark.parametrize("classes", [2, 12])
def test_any_number_of_classes_and_any_strength(path, way, classes, l2):
    exact = problem("cross-entropy", rows=240, features=4, classes=classes, l2=l2, seed=classes)
    assert_optimal(exact, solved(exact, tol=1e-9), 1e-9)


# ---- invariances -------------------------------------------------------------------------------------------


@over_ways
def test_weight_two_is_the_row_twice_and_weight_zero_is_no_row(loss, path, way):
    weighted = problem(loss)
    times = weighted.weight.astype(int)
    repeated = dataclasses.replace(
        weighted, X=np.repeat(weighted.X, times, axis=0), y=np.repeat(weighted.y, times), weight=None
    )
    for exact in (weighted, repeated):
        assert_optimal(repeated, solved(exact), 2e-12)


@over_ways
def test_the_order_of_rows_and_columns_does_not_matter(loss, path, way):
    exact = problem(loss)
    rows, columns = np.random.default_rng(1).permutation(len(exact.X)), [2, 0, 4, 3, 1]
    other = dataclasses.replace(
        exact, X=exact.X[rows][:, columns], y=exact.y[rows], weight=exact.weight[rows]
    )
    assert_optimal(other, solved(other), 1e-12)
    one, two = (next(iter(coefficients(solved(each)))) for each in (exact, other))
    np.testing.assert_allclose(one[:, columns], two, atol=1e-5)


@over_paths
def test_the_order_of_classes_does_not_matter_and_their_sum_is_zero(path, way):
    exact = problem("cross-entropy")
    order = np.array([2, 0, 3, 1])
    other = dataclasses.replace(exact, y=order[exact.y])
    one, two = (list(coefficients(solved(each))) for each in (exact, other))
    for before, after in zip(one, two, strict=True):
        np.testing.assert_allclose(before, after[order], atol=1e-5)
    # A shift of all classes costs penalty and gains nothing; intercepts start at zero and keep their sum.
    for part in one:
        np.testing.assert_allclose(part.sum(axis=0), 0, atol=1e-9)


@over_ways
def test_without_a_penalty_the_units_of_columns_do_not_matter(loss, path, way):
    exact = problem(loss, l2=0.0)
    units = 10.0 ** np.array([-3.0, 2.0, 0.0, 1.0, -1.0])
    scaled = dataclasses.replace(exact, X=exact.X * units)
    assert_optimal(scaled, solved(scaled), 1e-12)


@over_ways
def test_offsets(loss, path, way):
    exact = problem(loss)
    rng = np.random.default_rng(2)
    offset = rng.normal(size=(len(exact.X), exact.outputs))
    assert_optimal(moved := dataclasses.replace(exact, offset=offset), solved(moved), 1e-12)


@over_paths
def test_an_offset_that_the_features_could_give_is_taken_off_the_coefficients(path, way):
    exact = problem("logistic", l2=0.0)
    shift = np.array([1.0, -2.0, 0.5, 0.0, 1.0])
    moved = dataclasses.replace(exact, offset=(exact.X @ shift + 3.0)[:, None])
    one, two = (list(coefficients(solved(each))) for each in (exact, moved))
    np.testing.assert_allclose(one[0] - shift, two[0], atol=1e-5)
    np.testing.assert_allclose(one[1] - 3.0, two[1], atol=1e-5)


# ---- the same data, the same bits ----------------------------------------------------------------------------


@over_paths
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ["logistic", "cross-entropy"])
def test_the_same_data_give_the_same_bits(loss, dtype, path, way):
    exact = problem(loss, dtype=dtype)
    first, second = (solved(exact, tol=1e-9) for _ in range(2))
    assert torch.equal(first.parameters.flat, second.parameters.flat)
    assert first.certificate == second.certificate
    assert first.result.passes == second.result.passes


@over_paths
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_the_data_lie_in_memory_does_not_matter(dtype, path, way):
    exact = problem("cross-entropy", dtype=dtype)
    fits = []
    for offset in (0, 1, 3):
        space = torch.empty(exact.X.size + offset, dtype=torch.from_numpy(exact.X).dtype)
        placed = space[offset:].view(exact.X.shape).copy_(torch.from_numpy(exact.X))
        fits.append(solved(exact, tol=1e-9, X=placed).parameters.flat)
    for other in fits[1:]:
        # The very bits, as far as we have seen; but that is up to the BLAS.
        torch.testing.assert_close(other, fits[0], rtol=1e-5, atol=1e-6)


# ---- data that are not nice ------------------------------------------------------------------------------------


def fit(model, X, y, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model(**{"solver": "newton", "max_iter": 100} | settings).fit(X, y)


def assert_proven(model, within):
    assert model.result_.status == "converged", model.result_.message
    assert model.certificate_.relative_gap <= within


CLASSIFIERS = {"logistic": (ol.LogisticRegression, 2), "cross-entropy": (ol.SoftmaxRegression, 3)}
over_classifiers = pytest.mark.parametrize("kind", list(CLASSIFIERS))


def labelled(kind, rows=90, features=4, seed=0):
    rng = np.random.default_rng(seed)
    count = CLASSIFIERS[kind][1]
    X = rng.normal(size=(rows, features))
    y = (X[:, :count] + 1.5 * rng.gumbel(size=(rows, count))).argmax(axis=1)
    y[:count] = np.arange(count)
    return X, y


@over_classifiers
@over_paths
@pytest.mark.parametrize("size", [1e8, 1e15])
def test_columns_of_extreme_sizes(kind, path, way, size):
    """What is tiny does not matter at this C, what is huge is next to free; the others are fitted as if alone."""
    X, y = labelled(kind)
    model = fit(CLASSIFIERS[kind][0], np.c_[X[:, 0] / size, X[:, 1], X[:, 2] * size], y)
    # A proof divides the rounding of the huge column's sums by C: there may be none.
    assert model.result_.status == "converged" or size > 1e8
    assert np.isfinite(model.coef_).all()
    outputs, target = (1, y.astype(float)) if kind == "logistic" else (3, y)
    # The huge one at its best: a penalty of 1e-12 is none.
    alone = Exact(np.c_[X[:, 1], X[:, 2] * 1e6], target, kind, outputs, l2=1 / len(y))
    alone.optimum()
    assert model.result_.objective == pytest.approx(alone.least, rel=2e-6)


@over_classifiers
@over_paths
@pytest.mark.parametrize("C", [1.0, np.inf])
def test_constant_and_repeated_columns(kind, path, way, C):
    X, y = labelled(kind)
    wide = np.c_[X, X[:, 0], np.full(len(X), 7.0), np.zeros(len(X)), X[:, 1] - 2 * X[:, 2]]
    model = fit(CLASSIFIERS[kind][0], wide, y, C=C, tol=1e-8)
    assert_proven(model, 1e-8)
    if np.isinf(C):
        assert model.result_.objective == pytest.approx(
            fit(CLASSIFIERS[kind][0], X, y, C=C, tol=1e-10).result_.objective, rel=1e-7
        )
    else:
        # The penalty shares a weight between two equal columns alike.
        np.testing.assert_allclose(model.coef_[:, 0], model.coef_[:, 4], atol=1e-3)


@over_classifiers
@over_paths
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fewer_rows_than_columns(kind, path, way, dtype):
    X, y = labelled(kind, rows=30, features=80)
    assert_proven(fit(CLASSIFIERS[kind][0], X.astype(dtype), y), 1e-6)


@over_paths
def test_one_row(path, way):
    for model in (ol.LinearRegression, ol.SoftmaxRegression):
        regression = model is ol.LinearRegression
        settings = {"loss": "huber", "alpha": 0.1} if regression else {"C": 1.0}
        if regression:
            fitted = fit(model, [[2.0, 1.0]], [3.0], **settings)
            assert_proven(fitted, 1e-6)
            assert fitted.predict([[2.0, 1.0]]) == pytest.approx(3.0)
        fitted = fit(ol.LogisticRegression, [[2.0], [1.0]], [0, 1])
        assert_proven(fitted, 1e-6)


@over_classifiers
@over_paths
def test_whole_numbers_of_one_byte_do_not_overflow(kind, path, way):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, size=(300, 6)).astype(np.uint8)
    count = CLASSIFIERS[kind][1]
    y = (X[:, :count] / 100 + 1.5 * rng.gumbel(size=(300, count))).argmax(axis=1)
    model = fit(CLASSIFIERS[kind][0], X, y)
    assert_proven(model, 1e-6)
    wide = fit(CLASSIFIERS[kind][0], X.astype(np.float64), y, tol=1e-10)
    np.testing.assert_allclose(model.predict_proba(X), wide.predict_proba(X.astype(float)), atol=1e-3)
    assert model.result_.objective == pytest.approx(wide.result_.objective, rel=1.1e-6)


@over_classifiers
@over_paths
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_narrow_storage(kind, path, way, dtype):
    X, y = labelled(kind, rows=300)
    stored = torch.from_numpy(X).to(dtype)
    model = fit(CLASSIFIERS[kind][0], stored, torch.from_numpy(y), tol=1e-8)
    assert_proven(model, 1e-8)
    assert model.coef_.dtype == torch.float32
    outputs = 1 if kind == "logistic" else 3
    exact = Exact(stored.double().numpy(), y.astype(float) if outputs == 1 else y, kind, outputs, l2=1 / 300)
    distance = exact.distance(model.coef_.double().numpy(), model.intercept_.double().numpy())
    assert distance <= model.certificate_.gap


@over_paths
def test_a_class_of_one_row(path, way):
    X, y = labelled("cross-entropy", rows=300)
    y = np.where(y == 2, 1, y)
    y[7] = 2
    for C in (1.0, 1e4):
        assert_proven(fit(ol.SoftmaxRegression, X, y, C=C), 1e-6)


@over_classifiers
@over_paths
def test_classes_that_are_separated_have_an_optimum_with_a_penalty(kind, path, way):
    X, y = labelled(kind)
    y = X[:, : CLASSIFIERS[kind][1]].argmax(axis=1)
    assert_proven(fit(CLASSIFIERS[kind][0], X, y, C=1e6), 1e-6)


@over_classifiers
@over_paths
def test_separated_classes_without_a_penalty_are_named(kind, path, way):
    X, y = labelled(kind)
    y = X[:, : CLASSIFIERS[kind][1]].argmax(axis=1)
    model = fit(CLASSIFIERS[kind][0], X, y, C=np.inf)
    assert model.result_.status == "separated"
    assert model.certificate_ is None


@over_classifiers
@over_paths
@pytest.mark.parametrize("C", [1.0, np.inf])
def test_the_objective_that_is_told_is_that_of_the_coefficients(kind, path, way, C):
    """Whatever became of the fit: steps along rays add up scores, and a sum may lose its way."""
    X, y = labelled(kind)
    outputs, target = (1, y.astype(float)) if kind == "logistic" else (3, y)
    wide = np.c_[X, X[:, 0], np.full(len(X), 7.0)]
    for limit in (3, 40):
        model = fit(CLASSIFIERS[kind][0], wide, y, C=C, max_iter=limit, tol=1e-9)
        exact = Exact(wide, target, kind, outputs, l2=1 / (C * len(y)))
        told = model.result_.objective
        assert told == pytest.approx(exact.value(model.coef_, model.intercept_), rel=1e-9)


# ---- starts and limits -----------------------------------------------------------------------------------------


@over_ways
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_a_start_far_away(loss, path, way, size):
    exact = problem(loss)
    rng = np.random.default_rng(3)
    weight = torch.from_numpy(size * rng.normal(size=(exact.outputs, 5)))
    start = Parameters.of(weight, torch.from_numpy(size * rng.normal(size=exact.outputs)))
    assert_optimal(exact, solved(exact, tol=1e-9, start=start), 1e-9)


@over_classifiers
def test_init_is_where_the_fit_starts(kind):
    X, y = labelled(kind)
    model = CLASSIFIERS[kind][0]
    first = fit(model, X, y, tol=1e-9)
    again = fit(model, X, y, tol=1e-6, init=(first.coef_, first.intercept_))
    assert again.result_.n_iter == 0
    assert_proven(again, 1e-9)
    np.testing.assert_allclose(again.coef_, first.coef_, rtol=1e-12)
    far = fit(model, X, y, tol=1e-9, init=(50 * np.ones_like(first.coef_), -first.intercept_ + 9))
    assert_proven(far, 1e-9)
    np.testing.assert_allclose(far.coef_, first.coef_, atol=1e-3)


@over_classifiers
@over_paths
def test_limits_end_a_fit_with_a_true_bound(kind, path, way):
    X, y = labelled(kind, rows=300)
    outputs = 1 if kind == "logistic" else 3
    exact = Exact(X, y.astype(float) if outputs == 1 else y, kind, outputs, l2=1 / 300)
    for limit, status in (({"max_iter": 1}, "max_iter"), ({"time_limit": 1e-9}, "time_limit")):
        model = fit(CLASSIFIERS[kind][0], X, y, tol=1e-13, **limit)
        assert model.result_.status == status
        assert model.result_.n_iter <= 1
        assert model.certificate_.gap >= exact.distance(model.coef_, model.intercept_)


@over_classifiers
@over_paths
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tol_zero_ends_at_the_floor_of_the_arithmetic(kind, path, way, dtype):
    X, y = labelled(kind, rows=300)
    model = fit(CLASSIFIERS[kind][0], X.astype(dtype), y, tol=0)
    assert model.result_.status == "finished"
    assert model.result_.n_iter < 100
    # Coefficients of seven digits are off by 1e-7 of themselves, P by its square.
    assert model.certificate_.relative_gap <= (1e-12 if dtype == np.float32 else 1e-15)


@over_classifiers
@over_paths
def test_more_than_float32_can_hold_is_reached_or_admitted(kind, path, way):
    X, y = labelled(kind, rows=300)
    model = fit(CLASSIFIERS[kind][0], X.astype(np.float32), y, tol=1e-14)
    gap = model.certificate_.relative_gap
    assert gap <= 1e-12
    if gap <= 1e-14:
        assert model.result_.status == "converged"
    else:
        assert model.result_.status == "stalled"
        assert "1e-14" in model.result_.message


class PlainCrossEntropy(Loss):
    """Cross-entropy as a newcomer writes it: everything but the value is autograd's."""

    name = "plain cross-entropy"
    targets = "class"
    shift_invariant = True

    def value(self, scores, y):
        return torch.nn.functional.cross_entropy(scores, y, reduction="none")


@over_paths
@pytest.mark.parametrize("l2", [1e-3, 0.0])
def test_a_loss_of_classes_that_gives_nothing_but_its_value(path, way, l2):
    exact = problem("cross-entropy", l2=l2)
    objective = objective_of(exact)
    objective.loss = PlainCrossEntropy()
    outcome = minimize(Newton(), objective, objective.zeros(), tol=1e-9, max_iter=60)
    assert outcome.result.status is Status.STALLED
    assert "gives no conjugate" in outcome.result.message
    weight, bias = coefficients(outcome)
    assert exact.distance(weight, bias) <= 1e-9 * exact.value(weight, bias)


def test_a_loss_that_is_not_convex_is_refused():
    X, y = labelled("logistic")
    with pytest.raises(ol.errors.SolverError, match=r"needs a convex loss.*use solver='lbfgs'"):
        ol.LogisticRegression(loss="probability-squared", solver="newton").fit(X, y)
