"""What is global in torch and not ours to look at: the default device, and which algorithms it may take."""

import numpy as np
import pytest
import torch

import onelayer as ol
from devices.fits import FITS, SWEEPS, problem, stored

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(name, sparse, standardize=False):
    """Return a fitted model and what it says about its own rows."""
    X, targets = problem()
    model, settings = FITS[name]
    X, y = stored(X, torch.float32, sparse), targets[model]
    fitted = model(**settings, standardize=standardize, random_state=0).fit(X, y)
    found = [fitted.coef_, fitted.predict(X)]
    if hasattr(fitted, "classes_"):
        found.append(fitted.predict_proba(X))
    proof = ol.certify(fitted, X, y)
    return found, proof


def require_same(found, expected, name):
    # Coordinate descent is compiled to add up in any order.
    room = 1e-6 if "proximal" in name else 0.0
    for one, two in zip(found[0], expected[0], strict=True):
        np.testing.assert_allclose(one, two, rtol=room, atol=room)
    assert found[1].gap == pytest.approx(expected[1].gap, rel=1e-2 if room else 0, abs=room)


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("name", FITS)
def test_a_default_device_changes_nothing(name, sparse):
    """On "meta" a tensor has no numbers: whatever is made without a device ends the fit."""
    expected = fitted(name, sparse, standardize=sparse)
    with torch.device("meta"):
        found = fitted(name, sparse, standardize=sparse)
    require_same(found, expected, name)


def test_what_else_is_done_with_a_model_knows_no_default_device(tmp_path):
    X, targets = problem()
    y = targets[ol.SoftmaxRegression]
    start = np.full((3, 3), 0.1), np.zeros(3)
    solver = ol.solvers.SGD(0.01, batch_size=8, optimizer_options={"momentum": 0.9})
    layer = torch.nn.Linear(3, 3)
    backbone = torch.nn.Flatten()
    loader = [(torch.from_numpy(X), torch.from_numpy(y))]
    with torch.device("meta"):
        model = ol.SoftmaxRegression(solver=solver, random_state=0).partial_fit(X, y, classes=range(3))
        model.partial_fit(X, y).polish(X, y)
        ol.SoftmaxRegression(init=start).fit(X, y, 1.0 + y, np.zeros((40, 3)))
        ol.SoftmaxRegression(init="normal", n_init=2, random_state=0).fit(X, y)
        ol.SoftmaxRegression.from_module(layer, classes=range(3)).polish(X, y)
        head = ol.fit_head(backbone, loader, ol.SoftmaxRegression(), progress=False)
        reach = ol.certify(model, X, y).reach.scores(X)
        module = model.to_module()
        model.save(tmp_path)
        again = ol.load(tmp_path)
        assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert {module.weight.device.type, head.estimator.coef_.device.type} == {"cpu"}
    assert reach is None or reach.device.type == "cpu"


@pytest.mark.parametrize("name", FITS)
def test_deterministic_algorithms_are_enough(name):
    """And no number is read that was not written: torch then fills what it allocates with NaN."""
    sparse = "auto" in name
    expected = fitted(name, sparse)
    torch.use_deterministic_algorithms(True)
    try:
        found = fitted(name, sparse)
    finally:
        torch.use_deterministic_algorithms(False)
    require_same(found, expected, name)


@pytest.mark.parametrize("name", SWEEPS)
def test_sweeps_know_no_default_device_and_no_autocast(name):
    X, targets = problem()
    y = targets[ol.SoftmaxRegression]

    def both(one, other):
        return np.stack([one, other])

    expected = SWEEPS[name](X.astype(np.float32), y, both)
    with torch.device("meta"):
        elsewhere = SWEEPS[name](X.astype(np.float32), y, both)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = SWEEPS[name](X.astype(np.float32), y, both)
    for found in (elsewhere, rounded):
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, two)
