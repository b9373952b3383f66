"""Where no GPU is: fits of tensors that say they lie on one, and follow its rules (see elsewhere.py)."""

import functools

import numpy as np
import pytest
import scipy.sparse
import torch

import onelayer as ol
from devices.elsewhere import FAR, HOME, Elsewhere, place_of
from devices.fits import FITS, SWEEPS, problem, stored
from onelayer.estimators import memory

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def mode(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**40, 2**40))
    return Elsewhere()


def require_dtypes(mode, *allowed):
    """Nothing is made in a dtype but the arithmetic, the storage and float64."""
    assert mode.dtypes <= {*allowed, torch.float64}


@pytest.mark.parametrize(
    ("sparse", "standardize"), [(False, False), (True, True)], ids=["dense", "sparse, standardized"]
)
@pytest.mark.parametrize("name", FITS)
def test_all_stays_where_x_is_and_comes_out_there(name, sparse, standardize, mode):
    X, targets = problem()
    model, settings = FITS[name]
    model = model(**settings, standardize=standardize, random_state=0)
    y = targets[type(model)]
    here = type(model)(**model.get_params(deep=False)).fit(stored(X, torch.float32, sparse), y)
    there = mode.sent(stored(X, torch.float32, sparse))
    with mode:
        model.fit(there, y)
        found = [model.coef_, model.intercept_, model.predict(there)]
        if hasattr(model, "classes_"):
            found += [model.predict_proba(there), model.decision_function(there)]
    assert {place_of(tensor) for tensor in found} == {FAR}
    assert model.result_.device == str(FAR)
    require_dtypes(mode, torch.float32)
    # The ways of a GPU may differ from those of the CPU in the order of their sums.
    room = here.certificate_.gap + model.certificate_.gap
    assert abs(here.certificate_.objective - model.certificate_.objective) <= room
    np.testing.assert_allclose(model.coef_, here.coef_, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.uint8], ids=str)
@pytest.mark.parametrize("model", [ol.LinearRegression(alpha=0.1), ol.SoftmaxRegression()], ids=repr)
def test_any_storage(model, dtype, mode):
    X, targets = problem()
    there = mode.sent(stored(X, dtype, sparse=False))
    with mode:
        model.fit(there, targets[type(model)])
    assert place_of(model.coef_) == FAR
    require_dtypes(mode, dtype, torch.float64 if dtype == torch.float64 else torch.float32)


def large(model, rows, features, dtype=torch.float32, target=None, **settings):
    """A fit that takes the ways of large data."""
    X, targets = problem(rows, features)
    y = targets[model] if target is None else target(X)
    return model(**settings), stored(X, dtype, sparse=False), y


def wide(model, **settings):
    """More columns than a sparse model of the curvature takes in."""
    rng = np.random.default_rng(0)
    X = np.where(rng.random((60, 1200)) < 0.02, 1.0, 0.0)
    return model(**settings), stored(X, torch.float32, sparse=True), np.arange(60) % 3


def separated(X):
    return (X[:, 0] > 3) * 1


WAYS = {
    "a subset first, then sampled curvature": functools.partial(large, ol.SoftmaxRegression, 9000, 8),
    "conjugate gradients": functools.partial(large, ol.SoftmaxRegression, 600, 90, tol=1e-9),
    "conjugate gradients, weakly penalised": functools.partial(
        large, ol.SoftmaxRegression, 600, 90, C=1e3, tol=1e-9
    ),
    "one score": functools.partial(large, ol.LogisticRegression, 900, 210),
    "heavy columns": functools.partial(wide, ol.SoftmaxRegression),
    "narrow products": functools.partial(large, ol.LinearRegression, 11000, 100),
    "fewer rows than columns": functools.partial(large, ol.LinearRegression, 20, 40, alpha=0.1),
    "dependent columns": functools.partial(
        large, ol.LinearRegression, 20, 40, dtype=torch.float64, alpha=1e-8
    ),
    "many in the working set": functools.partial(
        large, ol.LogisticRegression, 3000, 300, l1_ratio=0.1, C=1.0, tol=1e-4
    ),
    "no penalty": functools.partial(large, ol.LogisticRegression, 100, 3, C=np.inf),
    "no penalty, classes": functools.partial(large, ol.SoftmaxRegression, 100, 3, C=np.inf),
    "no penalty, squares": functools.partial(large, ol.LinearRegression, 100, 3),
    "robust": functools.partial(large, ol.LinearRegression, 100, 3, loss="huber"),
    "robust, penalised": functools.partial(large, ol.LinearRegression, 100, 3, loss="huber", alpha=0.1),
    "not convex": functools.partial(
        large,
        ol.LogisticRegression,
        100,
        3,
        loss="probability-squared",
        n_init=2,
        random_state=0,
        max_iter=20,
    ),
    "separated": functools.partial(large, ol.LogisticRegression, 100, 3, target=separated, C=np.inf),
    "cut short": functools.partial(large, ol.SoftmaxRegression, 100, 3, solver="lbfgs", max_iter=2),
    "without an intercept": functools.partial(
        large, ol.SoftmaxRegression, 100, 3, fit_intercept=False, class_weight="balanced"
    ),
    "with the classes' own odds": functools.partial(
        large, ol.SoftmaxRegression, 100, 3, class_weight="balanced", prior_correction=True, classes=range(4)
    ),
    "adam": functools.partial(
        large,
        ol.SoftmaxRegression,
        100,
        3,
        solver=ol.solvers.SGD(0.1, epochs=2, optimizer=torch.optim.Adam),
        random_state=0,
    ),
    "random start": functools.partial(large, ol.SoftmaxRegression, 100, 3, init="normal", random_state=0),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_the_solvers(way, mode):
    model, X, y = WAYS[way]()
    there = mode.sent(X)
    with mode:
        model.fit(there, y)
        model.score(there, y)
    assert place_of(model.coef_) == FAR
    require_dtypes(mode, X.dtype, torch.float32)


def test_what_goes_along_may_lie_on_either_side(mode):
    X, targets = problem()
    y, weight, offset = targets[ol.LinearRegression], 1.0 + np.arange(40) % 2, np.arange(40) % 3 - 1.0
    there = mode.sent(torch.from_numpy(X))
    expected = ol.LinearRegression(alpha=0.1).fit(X, y, weight, offset)
    start = expected.coef_[None], np.zeros(1)
    sent = [mode.sent(torch.from_numpy(part)) for part in (y, weight, offset)]
    for along in ((y, weight, offset), sent, [torch.from_numpy(part) for part in (y, weight, offset)]):
        with mode:
            model = ol.LinearRegression(alpha=0.1, init=start, warm_start=True).fit(there, *along)
            model.fit(there, *along).predict(there, offset=along[2])
            model.score(there, *along)
            proof = ol.certify(model, there, *along)
        np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-10)
        assert proof.relative_gap < 1e-9


@pytest.mark.parametrize("model", [ol.LogisticRegression, ol.SoftmaxRegression], ids=lambda c: c.__name__)
def test_what_else_is_done_with_a_model(model, mode, tmp_path):
    X, targets = problem()
    y = targets[model]
    there = mode.sent(torch.from_numpy(X).float())
    solver = ol.solvers.SGD(0.01, batch_size=8, optimizer_options={"momentum": 0.9})
    with mode:
        fitted = model(solver=solver, random_state=0)
        for part in (slice(0, 20), slice(20, 40)):
            fitted.partial_fit(there[part], torch.from_numpy(y)[part], classes=np.unique(y))
        fitted.polish(there, y)
        reach = ol.certify(fitted, there, y).reach.scores(there)
        fitted.save(tmp_path)
        labels = fitted.predict(there, abstain=0.6)
        report = str(fitted.polish_report_)
    assert place_of(fitted.coef_) == FAR
    assert reach is None or place_of(reach) == FAR
    assert "certified relative gap" in report
    assert len(labels) == 40
    np.testing.assert_array_equal(ol.load(tmp_path).coef_, fitted.coef_.cpu())


@pytest.mark.parametrize("name", SWEEPS)
def test_sweeps_stay_where_x_is(name, mode):
    X, targets = problem()
    y = targets[ol.SoftmaxRegression]
    expected = SWEEPS[name](X, y, lambda one, other: np.stack([one, other]))
    with mode:
        found = SWEEPS[name](mode.sent(torch.from_numpy(X)), y, lambda one, other: torch.stack([one, other]))
    for one, two in zip(found, expected, strict=True):
        one = one.cpu() if isinstance(one, torch.Tensor) else one
        np.testing.assert_allclose(one, two, atol=1e-8)


def test_a_device_may_be_asked_for(mode):
    """NumPy in, NumPy out, the work on the GPU; a model of the GPU predicts where it is asked."""
    X, targets = problem()
    y = targets[ol.SoftmaxRegression]
    with mode:
        model = ol.SoftmaxRegression(device="cuda:0").fit(X, y)
        assert isinstance(model.coef_, np.ndarray)
        assert isinstance(model.predict_proba(X), np.ndarray)
        assert model.result_.device == "cuda:0"
        assert model.result_.copies == ["X was copied from cpu to cuda:0"]
        there = ol.SoftmaxRegression().fit(mode.sent(torch.from_numpy(X)), y)
        assert place_of(there.predict_proba(torch.from_numpy(X))) == HOME
        assert isinstance(there.predict_proba(X), np.ndarray)


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    "model",
    [ol.SoftmaxRegression(), ol.LinearRegression(alpha=0.1), ol.SoftmaxRegression(l1_ratio=0.5)],
    ids=repr,
)
def test_a_stream_is_sent_block_by_block(model, sparse, mode, monkeypatch):
    """Blocks are read here and computed with there; of all rows the GPU holds what every fit does, without X."""
    X, targets = problem(rows=300)
    y = targets[type(model)]
    budget = memory.Budget(2**22, 60 * (4 * 8 + 80), 7 * 4 * 8, per_output=20)
    monkeypatch.setattr(memory.Budget, "of", staticmethod(lambda *_: budget))
    rows = scipy.sparse.csr_array(X) if sparse else X
    here = type(model)(**model.get_params()).fit(X, y)
    model = type(model)(**model.get_params() | {"device": "cuda:0"})
    with mode:
        model.fit(ol.data.stream((rows, y)))
    assert model.result_.device == "cuda:0"
    room = here.certificate_.gap + model.certificate_.gap
    assert abs(here.certificate_.objective - model.certificate_.objective) <= room
    assert isinstance(model.coef_, np.ndarray)


FOUL = {
    "one that forgets the device": lambda far: far + torch.zeros(3),
    "one that asks NumPy": lambda far: far.numpy(),
    "NumPy by the back door": lambda far: np.asarray(far),
    "an array beside a tensor": lambda far: far * np.ones(3),
    "a number of the GPU beside the host": lambda far: torch.zeros(3) * far[0],
    "a generator of the host": lambda far: torch.rand(3, generator=torch.Generator("cpu"), device=far.device),
    "an entry that was sent home": lambda far: far @ far.cpu(),
}


@pytest.mark.parametrize("foul", FOUL)
def test_the_rules_are_kept(foul, mode):
    """A test that nothing can fail is none."""
    far = mode.sent(torch.arange(3.0))
    with mode, pytest.raises(AssertionError):
        FOUL[foul](far)


def test_what_is_allowed(mode):
    far = mode.sent(torch.arange(3.0))
    with mode:
        assert far.device == FAR
        assert place_of(far * 2 + torch.tensor(1.0)) == FAR
        assert place_of(far[torch.tensor([0, 1])]) == FAR
        assert place_of(far.cpu()) == HOME
        assert place_of(far) == FAR
        assert place_of(torch.zeros(3, device=far.device) + far) == FAR
        assert far.tolist() == [0.0, 1.0, 2.0]
        assert float(far.sum()) == 3.0
