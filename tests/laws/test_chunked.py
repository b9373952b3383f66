"""Rows that are read anew for each product: the same answer as rows in memory, or an error."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import onelayer as ol
from instances import LOSSES, PROBLEMS, draw, over
from onelayer.certificates import Certifier, SweptCertifier, shift_of
from onelayer.data import stream
from onelayer.designs import ChunkedDesign, DenseDesign, Feed, Reservoir, chunked
from onelayer.designs.ahead import ahead
from onelayer.designs.feed import checksum
from onelayer.errors import DataError
from onelayer.estimators import memory
from onelayer.objective import Objective, curvature_sweep, sweep
from onelayer.parameters import Parameters
from onelayer.solvers import minimize
from processes.fits import ESTIMATORS, PENALTIES


@pytest.fixture
def small(monkeypatch):
    """Blocks of 7 rows of 4 numbers, and a sample of about 60 rows."""
    budget = memory.Budget(2**22, 60 * (4 * 8 + 80), 7 * 4 * 8, per_output=20)
    monkeypatch.setattr(memory.Budget, "of", staticmethod(lambda *_: budget))
    # A look at the first rows is not to be a read.
    monkeypatch.setattr(memory, "_PEEK", 8)


def surveyed(X, dtype=None, size=7, sample=100):
    """Return a ChunkedDesign of a matrix, read once, with about so many rows kept."""
    source = stream((X, np.zeros(X.shape[0])), None).source
    feed, reservoir = Feed(source, size), Reservoir(sample * X.shape[1] * 8)
    for _, _, rows in feed.first():
        reservoir.add(rows)
    kept = reservoir.finish(dtype, "cpu")
    return ChunkedDesign(feed, dtype, kept)


# ---- the same answer ----------------------------------------------------------------------------------------------


@over("penalty", PENALTIES)
@over("kind", ESTIMATORS)
def test_a_stream_has_the_optimum_of_the_rows_in_memory(small, kind, penalty):
    problem, estimator, loss = kind
    alpha, l1_ratio = penalty
    X, y = PROBLEMS[problem](rows=200)
    strength = {"alpha": alpha} if problem == "linear" else {"C": 1 / (alpha * len(y)) if alpha else np.inf}
    options = {"loss": loss, "l1_ratio": l1_ratio, "tol": 1e-13, **strength}
    streamed = estimator(**options).fit(stream((X, y)))
    loaded = estimator(**options).fit(X, y)
    assert streamed.result_.status.is_success
    assert streamed.result_.reads >= 2
    one, two = streamed.certificate_, loaded.certificate_
    assert one.relative_gap <= 1e-13
    rounding = 4 * np.finfo(float).eps * abs(two.objective)
    assert abs(one.objective - two.objective) <= one.gap + two.gap + rounding
    if alpha and l1_ratio < 1:
        l2 = alpha * (1 - l1_ratio)
        radius = sum(np.sqrt(2 * gap / l2) for gap in (one.gap, two.gap))
        assert np.linalg.norm(streamed.coef_ - loaded.coef_) <= radius


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
def test_narrow_storage_stays_narrow_and_gives_the_same_optimum(dtype, small):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 9, size=(300, 5)).astype(dtype)
    z = X.astype(float) @ rng.normal(size=5) + rng.logistic(size=300)
    y = (z > np.median(z)).astype(int)
    streamed = ol.LogisticRegression().fit(stream((X, y)))
    loaded = ol.LogisticRegression().fit(X, y)
    gaps = streamed.certificate_.gap + loaded.certificate_.gap
    assert abs(streamed.certificate_.objective - loaded.certificate_.objective) <= gaps
    assert streamed.coef_.dtype == np.float32


@pytest.mark.parametrize(
    "options", [{"standardize": True}, {"class_weight": "balanced"}, {"fit_intercept": False}]
)
def test_options_mean_what_they_mean_for_rows_in_memory(options, small):
    X, y = PROBLEMS["three classes"](rows=200)
    X = X * [1.0, 10.0, 0.1, 3.0]
    streamed = ol.SoftmaxRegression(tol=1e-12, **options).fit(stream((X, y)))
    loaded = ol.SoftmaxRegression(tol=1e-12, **options).fit(X, y)
    np.testing.assert_allclose(streamed.coef_, loaded.coef_, rtol=0, atol=1e-5)


def test_weights_labels_and_sparse_rows_are_those_of_the_stream(small):
    X, y = PROBLEMS["two classes"](rows=200)
    X[np.abs(X) < 0.5] = 0.0
    labels, weight = np.array(["no", "yes"])[y], np.arange(200.0) % 3
    streamed = ol.LogisticRegression(tol=1e-12).fit(stream((csr_array(X), labels, weight)))
    loaded = ol.LogisticRegression(tol=1e-12).fit(X, labels, weight)
    np.testing.assert_allclose(streamed.coef_, loaded.coef_, atol=1e-5)
    assert streamed.classes_.tolist() == ["no", "yes"]


def test_targets_beside_a_stream_and_offsets(small):
    X, y = PROBLEMS["two classes"](rows=200)
    offset = np.linspace(-1, 1, 200)
    streamed = ol.LogisticRegression(tol=1e-12).fit(stream(X, target=False), y, offset=offset)
    loaded = ol.LogisticRegression(tol=1e-12).fit(X, y, offset=offset)
    np.testing.assert_allclose(streamed.coef_, loaded.coef_, atol=1e-5)


def test_predictions_and_scores_of_a_stream_are_those_of_its_rows(small):
    X, y = PROBLEMS["three classes"](rows=200)
    model = ol.SoftmaxRegression().fit(X, y)
    source = stream((X, y))
    assert (model.predict(source) == model.predict(X)).all()
    for name in ("predict_proba", "decision_function", "predict_log_proba"):
        np.testing.assert_allclose(getattr(model, name)(source), getattr(model, name)(X), rtol=1e-12)
    assert model.predict(source, abstain=0.6).tolist() == model.predict(X, abstain=0.6).tolist()
    assert model.score(source) == pytest.approx(model.score(X, y), rel=1e-12)
    weight = np.arange(200.0)
    assert model.score(source, sample_weight=weight) == pytest.approx(model.score(X, y, weight), rel=1e-12)
    X, y = PROBLEMS["linear"](rows=200)
    line = ol.LinearRegression().fit(X, y)
    assert line.score(stream((X, y))) == pytest.approx(line.score(X, y), rel=1e-12)
    both = ol.LinearRegression().fit(X, np.stack([y, -2 * y + X[:, 0]], axis=1))
    two = np.stack([y, -2 * y + X[:, 0]], axis=1)
    assert both.score(stream((X, two))) == pytest.approx(both.score(X, two), rel=1e-12)


def test_a_sample_that_holds_everything_is_solved_in_memory_and_proven_in_two_reads_more():
    X, y = PROBLEMS["three classes"](rows=200)
    model = ol.SoftmaxRegression().fit(stream((X, y)))
    assert model.result_.reads == pytest.approx(3.0)


def test_the_same_stream_in_other_blocks_ends_at_the_same_place(small, monkeypatch):
    X, y = PROBLEMS["three classes"](rows=200)
    first = ol.SoftmaxRegression(tol=1e-12).fit(stream((X, y)))
    budget = memory.Budget(2**22, 60 * (4 * 8 + 80), 31 * 4 * 8, per_output=20)
    monkeypatch.setattr(memory.Budget, "of", staticmethod(lambda *_: budget))
    second = ol.SoftmaxRegression(tol=1e-12).fit(stream((X, y)))
    np.testing.assert_allclose(first.coef_, second.coef_, atol=1e-9)


# ---- one read -----------------------------------------------------------------------------------------------------


@over("loss", LOSSES)
def test_a_sweep_is_the_objective_along_a_line(loss):
    scores, y = draw(loss, rows=40, count=3)
    X = torch.randn(40, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    outputs = scores.shape[1]
    chunked = surveyed(X.numpy())
    objectives = [
        Objective(design, y, loss, ol.penalties.L2(0.1), outputs=outputs)
        for design in (chunked, DenseDesign(X))
    ]
    noise = torch.Generator().manual_seed(2)
    origin, direction = (
        Parameters.zeros(outputs, 5, dtype=torch.float64, device="cpu").like(
            torch.randn(6 * outputs, generator=noise, dtype=torch.float64)
        )
        for _ in range(2)
    )
    before = chunked.reads
    found = sweep(objectives[0], origin, direction, (0.25, 0.5))
    assert chunked.reads == before + 1
    whole = objectives[1]
    ray = whole.ray(whole.point(origin), direction)
    for length, value, slope in zip(found.lengths, found.values, found.slopes, strict=True):
        point, derivative = ray.at(length)
        assert value == pytest.approx(point.value, rel=1e-12)
        assert slope == pytest.approx(derivative, rel=1e-9, abs=1e-12)
    end = whole.point(found.end)
    torch.testing.assert_close(found.gradient.flat, whole.gradient(end).flat, rtol=1e-10, atol=1e-12)
    if loss.convex:
        bent = curvature_sweep(objectives[0], found.end, direction)
        torch.testing.assert_close(
            bent.flat, whole.curvature_product(end, direction).flat, rtol=1e-8, atol=1e-10
        )


def test_a_swept_certificate_is_true_and_nearly_that_of_rows_in_memory():
    X, y = PROBLEMS["three classes"](rows=200)
    optimum = ol.SoftmaxRegression(C=0.1, tol=1e-14).fit(X, y)
    objective = ol.SoftmaxRegression(C=0.1).objective(X, y)
    best = optimum.certificate_.objective
    generator = torch.Generator().manual_seed(0)
    place = Parameters.of(torch.from_numpy(optimum.coef_), torch.from_numpy(optimum.intercept_))
    for size in (1.0, 0.1, 1e-2, 1e-3, 1e-5):
        moved = place.like(
            place.flat + size * torch.randn(len(place.flat), generator=generator, dtype=torch.float64)
        )
        swept = SweptCertifier(objective).certify(moved, aim=1e-12)
        assert objective.value(moved) - best <= swept.gap
        usual = Certifier(objective).certify(moved)
        # Its intercept is repaired by a mixture, not by solving for the best one.
        assert swept.gap <= 3 * usual.gap + 1e-12


# ---- what may not happen ------------------------------------------------------------------------------------------


class Fickle:
    """Batches that change once they were read to their end."""

    def __init__(self, X, y, change):
        self.X, self.y, self.change, self.ended = X, y, change, False

    def __call__(self):
        X, y = self.X.copy(), self.y.copy()
        if self.ended:
            X, y = self.change(X, y)
        for start in range(0, len(X), 16):
            yield X[start : start + 16], y[start : start + 16]
        self.ended = True


CHANGES = {
    "one number": lambda X, y: (np.where(X[5, 1] == X, 0.5, X), y),
    "two rows in each other's place": lambda X, y: (
        X[[1, 0, *range(2, len(X))]],
        y[[1, 0, *range(2, len(X))]],
    ),
    "one label": lambda X, y: (X, np.where(np.arange(len(y)) == 9, 1 - y, y)),
    "fewer rows": lambda X, y: (X[:-1], y[:-1]),
    "more rows": lambda X, y: (np.concatenate([X, X[:1]]), np.concatenate([y, y[:1]])),
    "another order": lambda X, y: (X[::-1], y[::-1]),
}


@over("change", CHANGES)
def test_a_source_that_changes_between_reads_is_an_error(change, small):
    X, y = PROBLEMS["two classes"](rows=100)
    with pytest.raises(
        DataError, match=r"gave other rows than when it was read first .* must give the same rows"
    ):
        ol.LogisticRegression().fit(stream(Fickle(X, y, change)))


def test_a_failed_read_leaves_the_model_as_it_was(small):
    X, y = PROBLEMS["two classes"](rows=100)
    model = ol.LogisticRegression().fit(X, y)
    before = model.coef_.copy()
    with pytest.raises(DataError):
        model.fit(stream(Fickle(X, y, CHANGES["one number"])))
    assert (model.coef_ == before).all()


def test_solvers_that_draw_rows_are_refused_for_streams():
    X, y = PROBLEMS["two classes"](rows=100)
    with pytest.raises(ol.errors.SolverError, match=r"'sgd' draws its rows at random, .* partial_fit"):
        ol.LogisticRegression(solver="sgd").fit(stream((X, y)))


# ---- the parts ----------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 40),
    st.integers(1, 9),
    st.sampled_from([torch.uint8, torch.float16, torch.float32, torch.float64]),
    st.data(),
)
def test_a_checksum_sees_every_change(rows, features, dtype, data):
    X = (7 * torch.rand(rows, features, generator=torch.Generator().manual_seed(rows))).to(dtype)
    before = checksum(X)
    assert checksum(X.clone()) == before
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, features - 1))
    changed = X.clone()
    changed[row, column] += 1
    assert checksum(changed) != before
    other = data.draw(st.integers(0, rows - 1))
    if not torch.equal(X[row], X[other]):
        swapped = X.clone()
        swapped[[row, other]] = X[[other, row]]
        assert checksum(swapped) != before


@pytest.mark.parametrize("sample", [20, 200, 10**6])
def test_the_same_rows_stay_however_a_stream_is_cut(sample):
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(1000, 3)), (rng.random(1000) < 0.02).astype(int)
    kept = []
    for size in (1000, 7, 333):
        reservoir = Reservoir(sample * 24)
        for start in range(0, 1000, size):
            reservoir.add(torch.from_numpy(X[start : start + size]), labels[start : start + size])
        kept.append(reservoir.finish(None, "cpu"))
    for other in kept[1:]:
        assert torch.equal(kept[0].index, other.index)
        assert torch.equal(kept[0].factor, other.factor)
    index, factor = kept[0].index.numpy(), kept[0].factor.numpy()
    assert torch.equal(kept[0].design.dense(slice(None)), torch.from_numpy(X[index]))
    if sample >= 1000:
        assert (index == np.arange(1000)).all()
        assert (factor == 1).all()
    else:
        # Half of the sample is for the rare class.
        assert sample / 4 <= labels[index].sum() + 1e-9 or labels[index].sum() == labels.sum()
        assert factor.sum() == pytest.approx(1000, rel=5 / np.sqrt(sample))


def test_what_is_read_ahead_comes_in_order_and_ends_with_its_reader():
    assert list(ahead(range(50), depth=3)) == list(range(50))

    def failing():
        yield 1
        raise ValueError("the disk is gone")

    found = ahead(failing())
    assert next(found) == 1
    with pytest.raises(ValueError, match="the disk is gone"):
        next(found)
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    reader = ahead(endless())
    next(reader)
    reader.close()
    assert closed.is_set()
    assert not any(thread.name == "onelayer-reader" for thread in threading.enumerate())


def test_rows_of_a_source_that_can_seek_are_not_searched_for():
    X = np.random.default_rng(0).normal(size=(100, 3))
    design, index = surveyed(X, sample=10), torch.tensor([90, 3, 3, 41])
    before = design.feed.read_rows
    assert torch.equal(design.take(index).dense(slice(None)), torch.from_numpy(X)[index])
    assert design.feed.read_rows == before + 3


def test_slices_that_follow_each_other_are_one_read():
    X = np.random.default_rng(0).normal(size=(100, 3))
    design = surveyed(X)
    before = design.reads
    blocks = [design.block(slice(start, min(start + 11, 100))) for start in range(0, 100, 11)]
    assert torch.equal(torch.cat(blocks), torch.from_numpy(X))
    assert design.reads == before + 1


def test_a_buffer_that_is_filled_again_is_no_danger(small):
    X, y = PROBLEMS["two classes"](rows=200)
    buffer, labels = np.empty((20, X.shape[1])), np.empty(20, dtype=int)

    def refilled():
        for start in range(0, 200, 20):
            buffer[:], labels[:] = X[start : start + 20], y[start : start + 20]
            yield buffer, labels

    model, loaded = (
        ol.LogisticRegression(tol=1e-12).fit(stream(refilled)),
        ol.LogisticRegression(tol=1e-12).fit(X, y),
    )
    np.testing.assert_allclose(model.coef_, loaded.coef_, atol=1e-5)
    assert (model.predict(stream(refilled)) == loaded.predict(X)).all()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float32, torch.float64])
def test_parts_of_tensors_are_rows_too(small, dtype):
    X = (9 * torch.rand(201, 5, generator=torch.Generator().manual_seed(0))).to(dtype)[1:]
    y = torch.arange(200) % 2
    model = ol.LogisticRegression().fit(stream((X, y)))
    assert model.certificate_.relative_gap <= 1e-6


def test_a_bound_is_never_worth_less_than_that_no_loss_is_negative(small):
    X, y = PROBLEMS["two classes"](rows=200)
    with pytest.warns(ConvergenceWarning):
        model = ol.LogisticRegression(C=1e9, time_limit=1e-9).fit(stream((X, y)))
    assert model.certificate_.relative_gap <= 1 + 1e-9


def test_blocks_of_sparse_rows_are_sized_by_their_entries():
    wide = csr_array((np.ones(4000), (np.repeat(np.arange(2000), 2), np.arange(4000))), shape=(2000, 2**20))
    source, budget = stream((wide, np.arange(2000) % 2)), memory.Budget.of(10**8)
    assert budget.rows_of(source, budget.first_rows(source)) > 10_000


def test_no_more_first_rows_are_looked_at_than_a_block_holds():
    source, budget = stream((np.zeros((600, 5000)), np.arange(600) % 2)), memory.Budget.of(4_000_000)
    assert len(budget.first_rows(source)) * 5000 * 8 <= budget.block


def test_targets_beside_a_stream_are_scored_too(small):
    X, y = PROBLEMS["two classes"](rows=100)
    model = ol.LogisticRegression().fit(X, y)
    assert model.score(stream(X, target=False), y) == pytest.approx(model.score(X, y), rel=1e-12)
    with pytest.raises(ol.errors.ParameterError, match="brings its targets: leave it out"):
        model.score(stream((X, y)), y)


def test_a_file_that_goes_away_between_reads_is_one_sentence(small, tmp_path):
    X, y = PROBLEMS["two classes"](rows=100)
    path = tmp_path / "rows.npy"
    np.save(path, np.c_[X, y])

    class Gone(ol.callbacks.Callback):
        def on_fit_begin(self, start):
            path.unlink()

    source = stream(lambda: ((np.load(path)[:, :-1], np.load(path)[:, -1]) for _ in range(1)))
    with pytest.raises(DataError, match=r"rows.npy cannot be read any more .*: leave files where they are"):
        ol.LogisticRegression().set_callbacks(Gone()).fit(source)


# ---- what a review has found --------------------------------------------------------------------------------------

JUDGED = {name: LOSSES[name] for name in ("squared", "huber", "logistic", "cross-entropy")}


@pytest.mark.parametrize("weighted", [False, True])
@over("loss", JUDGED)
def test_no_swept_bound_is_below_the_distance(loss, weighted):
    rng = np.random.default_rng(3)
    for seed in range(12):
        rows = int(rng.integers(2, 25))
        scores, y = draw(loss, rows=rows, count=3, seed=seed)
        outputs, features = scores.shape[1], 3
        X = torch.from_numpy(rng.normal(size=(rows, features)) + rng.normal())
        weight = torch.from_numpy(rng.integers(0, 3, size=rows).astype(float)) if weighted else None
        if weighted:
            weight[0] = 1.0
        if loss.per_class:
            y[: min(rows, outputs)] = torch.arange(min(rows, outputs))
        objective = Objective(
            DenseDesign(X),
            y,
            loss,
            ol.penalties.L2(10.0 ** rng.integers(-3, 2)),
            outputs=outputs,
            sample_weight=weight,
            fit_intercept=bool(seed % 3),
        )
        best = minimize(ol.solvers.Newton(), objective, objective.zeros(), tol=1e-13)
        least = best.certificate.objective - best.certificate.gap
        certifier = SweptCertifier(objective)
        for size in (10.0, 1.0, 1e-2, 1e-5):
            noise = size * torch.from_numpy(rng.normal(size=len(best.parameters.flat)))
            place = best.parameters.like(best.parameters.flat + noise)
            if not objective.fit_intercept:
                place.bias.zero_()
            first = certifier.sweep(place)
            for shift in (None, shift_of(first), torch.full((outputs,), 0.3, dtype=torch.float64)):
                if shift is not None and not certifier.shifts:
                    continue
                gap = certifier.of(certifier.sweep(place, shift=shift), place).gap
                assert objective.value(place) - best.certificate.objective <= gap * (1 + 1e-9) + 1e-14
                assert objective.value(place) - least >= -1e-14


@pytest.mark.parametrize("centre", [30.0, 500.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huber_far_from_zero_is_found_as_in_memory(small, centre, dtype):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 4)).astype(dtype)
    y = X @ [1.0, -2.0, 0.5, 0.0] + centre + rng.standard_t(2, size=400)
    streamed = ol.LinearRegression("huber", alpha=0.1, max_iter=100).fit(stream((X, y)))
    loaded = ol.LinearRegression("huber", alpha=0.1).fit(X, y)
    assert streamed.result_.status == "converged"
    assert streamed.certificate_.objective == pytest.approx(loaded.certificate_.objective, rel=2e-6)


def test_a_warm_start_with_other_targets_moves_the_intercept(small):
    X, y = PROBLEMS["linear"](rows=200)
    model = ol.LinearRegression(alpha=0.1, standardize=True, warm_start=True).fit(stream((X, y)))
    before = model.intercept_
    model.fit(stream((X, y + 50)))
    assert model.intercept_ - before == pytest.approx(50, abs=1e-2)


def test_a_tolerance_out_of_reach_ends(small):
    X, y = PROBLEMS["two classes"](rows=200)
    for data, tol in ((X, 1e-17), (X.astype(np.float32), 1e-17)):
        with pytest.warns(ConvergenceWarning):
            model = ol.LogisticRegression(tol=tol, max_iter=200).fit(stream((data, y)))
        assert model.result_.status == "stalled"
        assert "standardize=True" in model.result_.message
        assert model.n_iter_ < 60


def test_blocks_without_weight_and_targets_without_spread(small):
    X, y = PROBLEMS["two classes"](rows=70)
    weight = np.r_[np.zeros(21), np.ones(49)]
    streamed = ol.LogisticRegression(standardize=True).fit(stream((X, y, weight)))
    assert streamed.result_.status == "converged"
    for value in (0.0, 3.3):
        line = ol.LinearRegression(alpha=0.1).fit(stream((X, np.full(70, value))))
        assert line.result_.status == "converged"
        assert line.intercept_ == pytest.approx(value, abs=1e-9)


def test_entries_of_the_same_place_are_added_up(small):
    X, y = PROBLEMS["two classes"](rows=200)
    rows, columns = np.repeat(np.arange(200), 8), np.tile([0, 0, 1, 1, 2, 2, 3, 3], 200)
    values = np.repeat(X.ravel() / 2, 2)
    twice = csr_array((values, columns, np.arange(0, 1601, 8)), shape=X.shape)
    assert not twice.has_canonical_format
    assert len(rows) == twice.nnz
    streamed = ol.LogisticRegression(standardize=True, tol=1e-12).fit(stream((twice, y)))
    loaded = ol.LogisticRegression(standardize=True, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(streamed.coef_, loaded.coef_, atol=1e-5)
    assert twice.nnz == 1600


def test_a_checksum_sees_entries_that_move_far():
    for dtype, rows in ((torch.float64, 2**19), (torch.float32, 2**20)):
        X = torch.zeros(rows, 1, dtype=dtype)
        X[5] = 1.0
        moved = torch.zeros_like(X)
        moved[5 + rows // 2] = 1.0
        assert checksum(X) != checksum(moved)


def test_arguments_beside_a_stream_have_its_length(small):
    X, y = PROBLEMS["two classes"](rows=60)
    model = ol.LogisticRegression().fit(X, y)
    for count in (59, 61):
        with pytest.raises(DataError, match=r"sample_weight has .* give one"):
            model.score(stream((X, y)), sample_weight=np.ones(count))
        with pytest.raises(DataError, match=r"offset has .* give one"):
            model.predict(stream((X, y)), offset=np.zeros(count))


def test_a_stream_is_certified_and_chosen_for(small):
    X, y = PROBLEMS["three classes"](rows=200)
    model = ol.SoftmaxRegression().fit(X, y)
    streamed, loaded = ol.certify(model, stream((X, y))), ol.certify(model, X, y)
    assert streamed.objective == pytest.approx(loaded.objective, rel=1e-12)
    # The gradient point, where rows in memory have that of a Newton step: looser, and true.
    assert 1e-12 < streamed.relative_gap <= 1e-3
    choice = ol.choose_solver(model, stream((X, y)))
    assert choice.name == "sketched-newton"
    assert "of 200 rows give the start" in str(choice)


MISPLACED = {
    "polish": lambda s, y: ol.LogisticRegression().fit(s).polish(s, y),
    "partial_fit": lambda s, y: ol.LogisticRegression(solver="sgd").partial_fit(s, y, classes=[0, 1]),
    "a pipeline": lambda s, y: make_pipeline(StandardScaler(), ol.LogisticRegression()).fit(s, y),
    "the device meta": lambda s, y: ol.LogisticRegression(device="meta").fit(s),
}


@over("use", MISPLACED)
def test_where_a_stream_cannot_be_used_one_sentence_says_so(use):
    X, y = PROBLEMS["two classes"](rows=60)
    with pytest.raises(
        (DataError, ol.errors.ParameterError), match=r"stream.*blocks|'meta', where nothing"
    ) as caught:
        use(stream((X, y)), y)
    assert "\n" not in str(caught.value)


# ---- no memory left -----------------------------------------------------------------------------------------------


def _short_of_memory(monkeypatch, rows, error):
    """Let products of more rows than this fail as they do where memory has run out."""
    usual = chunked.design_of

    def scarce(X, dtype):
        if len(X) > rows:
            raise error
        return usual(X, dtype)

    monkeypatch.setattr(chunked, "design_of", scarce)


OUT_OF_MEMORY = {
    "a GPU's": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "torch's": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    "NumPy's": MemoryError("Unable to allocate 9. GiB for an array"),
}  # fmt: skip


@over("error", OUT_OF_MEMORY)
def test_where_memory_runs_out_blocks_become_smaller_and_a_note_says_so(error, monkeypatch):
    X, y = PROBLEMS["two classes"](rows=3000)
    budget = memory.Budget(2**22, 4000 * (4 * 8 + 80), 500 * 4 * 8, per_output=20)
    monkeypatch.setattr(memory.Budget, "of", staticmethod(lambda *_: budget))
    whole = ol.LogisticRegression(tol=1e-12).fit(stream((X, y)))
    assert whole.result_.copies == []
    _short_of_memory(monkeypatch, 300, error)
    fitted = ol.LogisticRegression(tol=1e-12).fit(stream((X, y)))
    assert fitted.result_.copies == [
        "memory ran out, so X is read in blocks of 125 rows, and the sample is 4 times smaller"
    ]
    np.testing.assert_allclose(fitted.coef_, whole.coef_, atol=1e-5)


@over("error", OUT_OF_MEMORY)
def test_where_not_even_small_blocks_fit_a_sentence_says_so(error, monkeypatch, small):
    X, y = PROBLEMS["two classes"](rows=200)
    _short_of_memory(monkeypatch, 0, error)
    model = ol.LogisticRegression()
    with pytest.raises(
        DataError, match=r"main memory has no room for this fit \(.*\): give a smaller memory_limit, or a dev"
    ):
        model.fit(stream((X, y)))
    assert not hasattr(model, "coef_")
    monkeypatch.setattr(DenseDesign, "scores", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(DataError, match="open the data as a stream"):
        model.fit(X, y)


def test_other_errors_are_not_taken_for_it(monkeypatch, small):
    X, y = PROBLEMS["two classes"](rows=200)
    _short_of_memory(monkeypatch, 0, RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        ol.LogisticRegression().fit(stream((X, y)))
