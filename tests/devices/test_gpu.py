"""On a GPU: the same fits as on the CPU, made there, with the same optimum and about the same proof."""

import numpy as np
import pytest
import scipy.sparse
import torch

import onelayer as ol
from devices.fits import FITS, problem, stored

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU (torch.cuda.is_available())"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

_GPU = "cuda"
# How near coefficients come to those of the CPU: both are proven to about tol, in float32 no further than its rounding.
_ROOM = {torch.float64: 1e-5, torch.float32: 1e-3}


def require_same_optimum(found, expected):
    """Both values of P are proven to lie within their gaps of one and the same minimum."""
    one, two = found.certificate_, expected.certificate_
    assert abs(one.objective - two.objective) <= one.gap + two.gap
    # Proofs of the same kind, of places that differ by rounding: the same size, or both at the floor of the arithmetic.
    assert one.kind == two.kind
    assert one.relative_gap <= max(100 * two.relative_gap, 1e-6)


def require_on_gpu(*tensors):
    assert {tensor.device.type for tensor in tensors} == {"cuda"}
    assert not any(tensor.requires_grad for tensor in tensors)


@pytest.mark.parametrize("standardize", [False, True], ids=["", "standardized"])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", FITS)
def test_every_solver(name, dtype, sparse, standardize):
    X, targets = problem(rows=200, features=5)
    model, settings = FITS[name]
    y, here = targets[model], stored(X, dtype, sparse)
    there = here.to(_GPU)
    expected = model(**settings, standardize=standardize, random_state=0).fit(here, y)
    found = model(**settings, standardize=standardize, random_state=0).fit(
        there, torch.from_numpy(y).to(_GPU)
    )
    require_on_gpu(found.coef_, found.intercept_, found.predict(there))
    assert found.result_.device.startswith("cuda")
    assert found.result_.copies == expected.result_.copies
    assert found.coef_.dtype == expected.coef_.dtype == dtype
    require_same_optimum(found, expected)
    np.testing.assert_allclose(found.coef_.cpu(), expected.coef_, rtol=_ROOM[dtype], atol=_ROOM[dtype])
    if hasattr(found, "classes_"):
        require_on_gpu(found.predict_proba(there), found.decision_function(there))
        np.testing.assert_allclose(
            found.predict_proba(there).cpu(), expected.predict_proba(here), atol=_ROOM[dtype]
        )
    proof, other = (ol.certify(*given) for given in ((found, there, y), (expected, here, y)))
    assert abs(proof.objective - other.objective) <= proof.gap + other.gap


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.int64], ids=str)
@pytest.mark.parametrize("model", [ol.LinearRegression(alpha=0.1), ol.SoftmaxRegression()], ids=repr)
def test_any_storage(model, dtype):
    X, targets = problem(rows=200, features=5)
    here, y = stored(X, dtype, sparse=False), targets[type(model)]
    expected = type(model)(**model.get_params(deep=False)).fit(here, y)
    found = type(model)(**model.get_params(deep=False)).fit(here.to(_GPU), y)
    require_on_gpu(found.coef_, found.predict(here.to(_GPU)))
    assert found.coef_.dtype == expected.coef_.dtype
    require_same_optimum(found, expected)


# Data large enough for the ways that small ones do not take.
LARGE = {
    "a subset first, sampled curvature": (ol.SoftmaxRegression(), 20_000, 30),
    "conjugate gradients": (ol.SoftmaxRegression(C=10.0), 2_000, 100),
    "one score": (ol.LogisticRegression(), 5_000, 250),
    "narrow products": (ol.LinearRegression(), 20_000, 100),
    "fewer rows than columns": (ol.LinearRegression(alpha=0.1), 50, 200),
    "a working set": (ol.SoftmaxRegression(C=0.1, l1_ratio=0.5), 2_000, 50),
    "no penalty": (ol.LogisticRegression(C=np.inf), 2_000, 5),
    "robust": (ol.LinearRegression("huber", alpha=0.01), 2_000, 20),
}


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("way", LARGE)
def test_the_ways_of_large_data(way, sparse):
    model, rows, features = LARGE[way]
    X, targets = problem(rows, features)
    here, y = stored(X, torch.float32, sparse), targets[type(model)]
    expected = type(model)(**model.get_params(deep=False)).fit(here, y)
    found = type(model)(**model.get_params(deep=False)).fit(here.to(_GPU), y)
    require_on_gpu(found.coef_)
    assert found.result_.status == expected.result_.status
    one, two = found.certificate_, expected.certificate_
    assert abs(one.objective - two.objective) <= one.gap + two.gap


def test_numpy_in_numpy_out_with_the_work_on_the_gpu():
    X, targets = problem(rows=200, features=5)
    y = targets[ol.SoftmaxRegression]
    expected = ol.SoftmaxRegression().fit(X, y)
    found = ol.SoftmaxRegression(device=_GPU).fit(X, y)
    for part in (found.coef_, found.intercept_, found.predict(X), found.predict_proba(X)):
        assert isinstance(part, np.ndarray)
    assert found.result_.device.startswith("cuda")
    assert found.result_.copies == ["X was copied from cpu to cuda:0"]
    require_same_optimum(found, expected)


def test_what_goes_along_may_lie_on_either_side():
    X, targets = problem(rows=200, features=5)
    y, weight, offset = targets[ol.LinearRegression], 1.0 + np.arange(200) % 2, np.arange(200) % 3 - 1.0
    there = torch.from_numpy(X).to(_GPU)
    expected = ol.LinearRegression(alpha=0.1).fit(X, y, weight, offset)
    tensors = [torch.from_numpy(part) for part in (y, weight, offset)]
    for along in ((y, weight, offset), tensors, [part.to(_GPU).requires_grad_() for part in tensors]):
        model = ol.LinearRegression(alpha=0.1, warm_start=True).fit(there, *along)
        model.fit(there, *along)
        assert model.score(there, *along) == pytest.approx(expected.score(X, y, weight, offset))
        require_on_gpu(model.predict(there, offset=along[2]))
        np.testing.assert_allclose(model.coef_.cpu(), expected.coef_, atol=1e-8)
        assert ol.certify(model, there, *along).relative_gap < 1e-9


def test_what_else_is_done_with_a_model(tmp_path):
    X, targets = problem(rows=200, features=5)
    y, there = targets[ol.SoftmaxRegression], torch.from_numpy(X).float().to(_GPU)
    solver = ol.solvers.SGD(0.01, batch_size=32, optimizer_options={"momentum": 0.9})
    model = ol.SoftmaxRegression(solver=solver, random_state=0)
    for part in (slice(0, 100), slice(100, 200)):
        model.partial_fit(there[part], y[part], classes=range(3))
    require_on_gpu(model.coef_)
    model.polish(there, y)
    assert model.polish_report_.relative_gap <= 1e-6
    module = model.to_module()
    require_on_gpu(model.coef_, module.weight.detach())
    torch.testing.assert_close(module(there).detach(), model.decision_function(there))
    again = ol.SoftmaxRegression.from_module(module, classes=range(3))
    again.polish(there, y)
    model.save(tmp_path)
    np.testing.assert_allclose(ol.load(tmp_path).predict_proba(X), model.predict_proba(X), atol=1e-6)
    assert len(model.predict(there, abstain=0.6)) == 200
    loader = [(torch.from_numpy(X).float(), torch.from_numpy(y))]
    head = ol.fit_head(torch.nn.Flatten(), loader, ol.SoftmaxRegression(), device=_GPU, progress=False)
    require_on_gpu(head.estimator.coef_)


def test_nothing_global_is_moved():
    X, targets = problem(rows=200, features=5)
    there, y = torch.from_numpy(X).float().to(_GPU), targets[ol.SoftmaxRegression]

    def world():
        return (
            torch.cuda.get_rng_state().tolist(),
            torch.cuda.current_device(),
            torch.backends.cuda.matmul.allow_tf32,
            torch.backends.cudnn.allow_tf32,
            torch.get_float32_matmul_precision(),
        )

    before = world()
    for name in FITS:
        model, settings = FITS[name]
        model(**settings, random_state=0).fit(there, targets[model])
    ol.SoftmaxRegression(init="normal", random_state=0).fit(there, y)
    assert world() == before


def test_autocast_rounds_nothing():
    X, targets = problem(rows=200, features=5)
    there, y = torch.from_numpy(X).float().to(_GPU), targets[ol.SoftmaxRegression]
    expected = ol.SoftmaxRegression().fit(there, y)
    with torch.autocast("cuda", torch.float16):
        found = ol.SoftmaxRegression().fit(there, y)
        proba = found.predict_proba(there)
    torch.testing.assert_close(found.coef_, expected.coef_)
    torch.testing.assert_close(proba, expected.predict_proba(there))


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_a_stream_is_sent_block_by_block(l1_ratio, sparse):
    X, targets = problem(rows=20_000, features=20)
    y = targets[ol.SoftmaxRegression]
    rows = scipy.sparse.csr_array(X) if sparse else X
    expected = ol.SoftmaxRegression(l1_ratio=l1_ratio).fit(rows, y)
    data = ol.data.stream((rows, y), memory_limit="4 MB")
    found = ol.SoftmaxRegression(l1_ratio=l1_ratio, device=_GPU).fit(data)
    assert found.result_.device.startswith("cuda")
    assert found.result_.reads >= 2
    gaps = found.certificate_.gap + expected.certificate_.gap
    assert abs(found.certificate_.objective - expected.certificate_.objective) <= gaps
