"""Nothing outside changes by calling us: not torch's settings, not NumPy's, not the arguments."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import onelayer as ol
from instances import LOSSES, PROBLEMS, SOLVERS, over
from onelayer import solvers


def world():
    """What the library could change behind the user's back."""
    return {
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "torch's generator": torch.get_rng_state().numpy().tobytes(),
        "numpy's generator": pickle.dumps(np.random.get_state()),  # noqa: NPY002
        "threads": torch.get_num_threads(),
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")),
        "anomalies": torch.is_anomaly_enabled(),
        "checks of sparse tensors": torch.sparse.check_sparse_tensor_invariants.is_enabled(),
        "deterministic": (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.backends.cudnn.deterministic,
        ),
        "matmul precision": torch.get_float32_matmul_precision(),
        "tf32": (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32),
        "numpy errors": np.geterr(),
        # torch's optimisers load SymPy when they are first used, which adds a filter for warnings of its own.
        "filters of warnings": [
            entry for entry in warnings.filters if not entry[2].__module__.startswith("sympy")
        ],
        "print options": torch._tensor_str.PRINT_OPTS,
    }


@over("solver", SOLVERS)
@pytest.mark.parametrize("init", ["zeros", "normal"])
def test_a_fit_leaves_the_world_as_it_was(solver, init, tmp_path):
    X, y = PROBLEMS["three classes"]()
    before = world()
    # Without a seed whatever draws must draw from NumPy's generator, as in scikit-learn; nothing else may touch it.
    draws = init == "normal" or solver.name == "sgd"
    settings = {"random_state": 0} if draws else {}
    model = ol.SoftmaxRegression(solver=solver, init=init, tol=1e-3, **settings).fit(X, y)
    model.predict_proba(X)
    ol.certify(model, X, y)
    model.to_module()
    model.save(tmp_path)
    ol.load(tmp_path)
    assert world() == before


def test_nor_does_what_else_is_done_with_a_model():
    X, y = PROBLEMS["three classes"]()
    backbone = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
    loader = [(torch.from_numpy(X).float(), torch.from_numpy(y))]
    before = world()
    model = ol.SoftmaxRegression(solver=solvers.SGD(0.01), random_state=0)
    model.partial_fit(X, y, classes=range(3)).polish(X, y)
    ol.fit_head(backbone, loader, ol.SoftmaxRegression(), progress=False)
    ol.LinearRegression(alpha=0.1, l1_ratio=0.5).fit(X, y)
    ol.LinearRegression(alpha=0.1, device="cpu").fit(scipy.sparse.csr_array(X), y)
    ol.SoftmaxRegression.from_module(backbone, classes=range(3)).to_module()
    assert world() == before


@over("solver", SOLVERS)
def test_arguments_are_not_written_to(solver):
    X, y = PROBLEMS["two classes"]()
    weight, start = np.ones(len(y)), (np.full((1, 4), 0.1), np.zeros(1))
    arguments = X, y, weight, *start
    before = copy.deepcopy(arguments)
    for array in arguments:
        array.flags.writeable = False
    settings = {"init": start, "class_weight": {0: 1.0, 1: 2.0}, "tol": 1e-3}
    ol.LogisticRegression(solver=solver, **settings).fit(X, y, weight)
    for one, two in zip(arguments, before, strict=True):
        assert np.array_equal(one, two)
    assert settings["class_weight"] == {0: 1.0, 1: 2.0}


@over("solver", SOLVERS)
@pytest.mark.parametrize(
    "mode", [torch.no_grad, torch.enable_grad, torch.inference_mode], ids=lambda m: m.__name__
)
def test_any_grad_mode_gives_the_same_fit_and_no_graph(solver, mode):
    X, y = PROBLEMS["two classes"]()
    tensors = torch.from_numpy(X).requires_grad_(), torch.from_numpy(y)
    model = ol.LogisticRegression(solver=solver, tol=1e-3, random_state=0)
    expected = clone(model).fit(X, y).coef_
    with mode():
        model.fit(*tensors)
        scores = model.decision_function(tensors[0])
    assert np.array_equal(model.coef_.numpy(), expected)
    assert not model.coef_.requires_grad
    # Those of inference mode can be used in no graph at all, later on.
    assert not model.coef_.is_inference()
    assert not scores.requires_grad
    assert tensors[0].grad is None


@pytest.mark.parametrize("solver", ["auto", "lbfgs"])
def test_losses_are_differentiated_in_inference_mode_too(solver):
    X, y = PROBLEMS["linear"]()
    model = ol.LinearRegression(LOSSES["value only"], alpha=0.1, solver=solver)
    with warnings.catch_warnings():
        # A loss without a conjugate has no proof.
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = clone(model).fit(X, y).coef_
        with torch.inference_mode():
            model.fit(torch.tensor(X), torch.tensor(y), offset=torch.zeros(len(y), dtype=torch.float64))
    assert np.array_equal(model.coef_.numpy(), expected)


def test_a_stream_may_begin_in_inference_mode():
    X, y = PROBLEMS["three classes"]()
    model = ol.SoftmaxRegression(
        solver=solvers.SGD(0.01, optimizer_options={"momentum": 0.9}), random_state=0
    )
    expected = clone(model).partial_fit(X, y, classes=range(3)).partial_fit(X, y).coef_
    with torch.inference_mode():
        model.partial_fit(torch.tensor(X), y, classes=range(3))
    assert np.array_equal(model.partial_fit(torch.tensor(X), y).coef_, expected)


@over("solver", SOLVERS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_autocast_rounds_nothing(solver, dtype):
    X, y = PROBLEMS["three classes"]()
    X = torch.from_numpy(X).float()
    model = ol.SoftmaxRegression(solver=solver, tol=1e-3, random_state=0)
    expected = clone(model).fit(X, y)
    with torch.autocast("cpu", dtype):
        model.fit(X, y)
        proof = ol.certify(model, X, y)
        scores = model.decision_function(X)
        again = clone(model).set_params(solver="sgd").partial_fit(X, y, classes=range(3))
        again.polish(X, y)
    assert np.array_equal(model.coef_, expected.coef_)
    assert model.certificate_ == expected.certificate_
    assert proof.gap == ol.certify(expected, X, y).gap
    assert np.array_equal(scores, expected.decision_function(X))
    assert again.polish_report_.relative_gap <= 1e-3
    rest = clone(model).set_params(solver="sgd").partial_fit(X, y, classes=range(3)).polish(X, y)
    assert np.array_equal(again.coef_, rest.coef_)
    assert again.polish_report_ == rest.polish_report_


def test_a_backbone_keeps_the_autocast_of_its_caller():
    """Half precision is the network's affair; the head has the arithmetic of its features."""
    X, y = PROBLEMS["two classes"]()
    backbone = torch.nn.Linear(4, 3)
    loader = [(torch.from_numpy(X).float(), torch.from_numpy(y))]
    with torch.autocast("cpu", torch.bfloat16):
        head = ol.fit_head(backbone, loader, progress=False)
    assert head.dtype == torch.bfloat16
    assert head.estimator.result_.dtype.startswith("float32")
    assert head.estimator.certificate_.relative_gap <= 1e-6


def test_a_start_may_come_from_a_layer():
    """Its tensors want gradients; the fit does not."""
    X, y = PROBLEMS["two classes"]()
    layer = torch.nn.Linear(4, 1)
    model = ol.LogisticRegression(init=(layer.weight, layer.bias), tol=1e-10).fit(X, y)
    np.testing.assert_allclose(model.coef_, ol.LogisticRegression(tol=1e-10).fit(X, y).coef_, atol=1e-4)
    assert layer.weight.grad is None


@pytest.mark.parametrize("default", [torch.float32, torch.float64, torch.float16], ids=str)
def test_the_default_dtype_does_not_change_the_fit(default):
    X, y = PROBLEMS["three classes"]()
    expected = ol.SoftmaxRegression(standardize=True).fit(X, y)
    huber = ol.LinearRegression(ol.losses.Huber(0.7), alpha=0.1).fit(X, y)
    torch.set_default_dtype(default)
    try:
        found = ol.SoftmaxRegression(standardize=True).fit(X, y)
        again = ol.LinearRegression(ol.losses.Huber(0.7), alpha=0.1).fit(X, y)
    finally:
        torch.set_default_dtype(torch.float32)
    assert np.array_equal(found.coef_, expected.coef_)
    assert found.certificate_ == expected.certificate_
    assert np.array_equal(again.coef_, huber.coef_)
    assert again.certificate_ == huber.certificate_


def test_to_module_gives_the_scores():
    X, y = PROBLEMS["three classes"]()
    for model in (
        ol.SoftmaxRegression(standardize=True).fit(X, y),
        ol.LogisticRegression(standardize=True).fit(X, y > 0),
        ol.LinearRegression().fit(X, X[:, :2] @ [[1.0, 2.0], [3.0, 4.0]] + X[:, 2:] ** 2),
    ):
        module = model.to_module()
        scores = module(torch.from_numpy(X)).detach().numpy()
        ours = model.decision_function(X) if hasattr(model, "classes_") else model.predict(X)
        np.testing.assert_allclose(scores.reshape(ours.shape), ours, atol=1e-13)
        module.weight.data.zero_()
        assert (np.asarray(model.coef_) != 0).all()
