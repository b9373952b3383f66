"""partial_fit makes the very steps of the solver SGD, part by part, and says that it is approximate."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

import onelayer as ol
from exchange.saying import said
from instances import PROBLEMS, over
from onelayer.errors import DataError, ParameterError, SolverError

SGD = ol.solvers.SGD
R, L, S = ol.LinearRegression, ol.LogisticRegression, ol.SoftmaxRegression
X, Y = PROBLEMS["three classes"]()
X2, Y2 = PROBLEMS["two classes"]()
XR, YR = PROBLEMS["linear"]()
MODELS = {
    "linear": (R(alpha=0.1), XR, YR),
    "linear, two targets": (R(alpha=0.1), XR, np.stack([YR, -YR], axis=1)),
    "absolute": (R("absolute", alpha=0.1), XR, YR),
    "logistic": (L(), X2, Y2),
    "logistic, l1": (L(l1_ratio=0.5), X2, Y2),
    "logistic, class weights": (L(class_weight={0: 3.0, 1: 1.0}), X2, Y2),
    "softmax": (S(), X, Y),
    "softmax, text": (S(fit_intercept=False), X, np.array(["a", "b", "c"])[Y]),
}
DECAY = functools.partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.7)
STEPS = {
    "plain": SGD(0.1, batch_size=16),
    "momentum": SGD(0.1, batch_size=16, optimizer_options={"momentum": 0.9}),
    "adam": SGD(0.01, batch_size=7, optimizer=torch.optim.Adam),
    "scheduler": SGD(0.5, batch_size=16, scheduler=DECAY),
    "in order": SGD(0.1, batch_size=16, shuffle=False),
}


def classes_of(model, y):
    return {} if isinstance(model, R) else {"classes": np.unique(y)}


def epochs(solver, count):
    return SGD(**{**solver.parameters, "epochs": count})


@over("case", MODELS)
def test_one_call_is_one_epoch_of_a_fit(case):
    model, x, y = case
    model = copy.deepcopy(model).set_params(solver=epochs(STEPS["plain"], 1), random_state=0)
    weight = np.linspace(0.5, 2, len(y))
    fitted = copy.deepcopy(model).fit(x, y, weight)
    model.partial_fit(x, y, sample_weight=weight, **classes_of(model, y))
    assert np.allclose(model.coef_, fitted.coef_, rtol=1e-12)
    assert np.allclose(model.intercept_, fitted.intercept_, rtol=1e-12)
    assert model.result_.objective == pytest.approx(fitted.result_.objective)
    assert model.objective_record_["alpha"] == pytest.approx(fitted.objective_record_["alpha"])
    assert np.shape(model.coef_) == np.shape(fitted.coef_)


@over("case", MODELS)
def test_one_call_with_an_offset_is_one_epoch_of_a_fit_with_it(case):
    model, x, y = case
    model = copy.deepcopy(model).set_params(solver=epochs(STEPS["plain"], 1), random_state=0)
    offset = np.sin(np.arange(len(y)))
    outputs = len(np.atleast_2d(copy.deepcopy(model).fit(x, y).coef_))
    offset = offset if outputs == 1 else np.outer(offset, np.arange(outputs))
    fitted = copy.deepcopy(model).fit(x, y, offset=offset)
    model.partial_fit(x, y, offset=offset, **classes_of(model, y))
    assert np.allclose(model.coef_, fitted.coef_, rtol=1e-12)
    plain = copy.deepcopy(model).partial_fit(x, y, **classes_of(model, y))
    assert not np.allclose(plain.coef_, model.coef_)


@over("solver", STEPS)
def test_calls_are_epochs_of_one_optimizer(solver):
    # Without a penalty S plays no part, so a stream of the same rows is a fit of so many epochs.
    model = S(C=np.inf, solver=solver, random_state=3)
    fitted = S(C=np.inf, solver=epochs(solver, 4), random_state=3, tol=0).fit(X, Y)
    for _ in range(4):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    assert np.array_equal(model.coef_, fitted.coef_)
    assert [record.step for record in model.result_.trace] == [
        record.step for record in fitted.result_.trace[1:]
    ]


KEPT = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),  # noqa: S301
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@over("keep", KEPT)
def test_a_copy_goes_on_as_the_original(keep):
    model = S(solver=STEPS["momentum"], random_state=0).partial_fit(X[:30], Y[:30], classes=[0, 1, 2])
    other = keep(model)
    model.partial_fit(X[30:], Y[30:])
    assert not np.array_equal(model.coef_, other.coef_)
    other.partial_fit(X[30:], Y[30:])
    assert np.array_equal(model.coef_, other.coef_)
    assert model.t_ == other.t_ == 4


def test_against_a_loop_in_torch():
    """Parts that lack classes; the penalty's S grows; weights count against the mean weight seen so far."""
    parts = [slice(0, 20), slice(20, 45), slice(45, 60)]
    weight = np.linspace(0.5, 3, 60)
    order = np.argsort(Y)
    x, y = X[order], Y[order]
    model = S(C=2.0, solver=SGD(0.3, batch_size=10, shuffle=False, optimizer_options={"momentum": 0.5}))
    layer = torch.nn.Linear(4, 3, dtype=torch.float64)
    for part in layer.parameters():
        torch.nn.init.zeros_(part)
    optimizer, rows, total = torch.optim.SGD(layer.parameters(), lr=0.3, momentum=0.5), 0, 0.0
    for part in parts:
        model.partial_fit(x[part], y[part], sample_weight=weight[part], classes=[0, 1, 2])
        rows, total = rows + part.stop - part.start, total + weight[part].sum()
        for start in range(part.start, part.stop, 10):
            batch = slice(start, min(start + 10, part.stop))
            s = torch.from_numpy(weight[batch]) * rows / total
            losses = torch.nn.functional.cross_entropy(
                layer(torch.from_numpy(x[batch])), torch.from_numpy(y[batch]), reduction="none"
            )
            optimizer.zero_grad()
            ((s * losses).mean() + layer.weight.square().sum() / (2 * 2.0 * total)).backward()
            optimizer.step()
    assert np.allclose(model.coef_, layer.weight.detach().numpy(), rtol=1e-10)
    assert np.allclose(model.intercept_, layer.bias.detach().numpy(), rtol=1e-10)
    assert (model.n_seen_, model.t_, model.n_iter_) == (60, 2 + 3 + 2, 3)
    assert model.objective_record_["alpha"] == pytest.approx(1 / (2.0 * weight.sum()))


def test_classes_may_be_those_of_the_parameter():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.integers(0, 2, 30)
    model = ol.SoftmaxRegression(solver="sgd", classes=[0, 1, 2]).partial_fit(x, y)
    assert model.classes_.tolist() == [0, 1, 2]


def test_weights_count_row_by_row():
    heavy, light = (R(solver=SGD(0.1)).partial_fit(XR[:5], YR[:5]) for _ in range(2))
    heavy.partial_fit(XR[5:6], YR[5:6], sample_weight=[3.0])
    light.partial_fit(XR[5:6], YR[5:6])
    assert not np.allclose(heavy.coef_, light.coef_)


@over("case", MODELS)
def test_it_is_labelled_approximate_and_polish_finishes(case):
    model, x, y = case
    model = copy.deepcopy(model).set_params(solver=STEPS["plain"], random_state=0)
    for part in (slice(0, 25), slice(25, 60)):
        model.partial_fit(x[part], y[part], **classes_of(model, y))
    assert model.result_.status == "finished"
    assert model.result_.message.startswith("Approximate")
    assert "60 rows seen" in model.result_.message
    assert model.certificate_ is None
    if model.l1_ratio or model.get_params().get("loss") == "absolute":
        return
    model.polish(x, y)
    assert model.certificate_.relative_gap <= 1e-6
    assert model.polish_report_.distance_lower > 0
    assert not hasattr(model, "n_seen_")


def test_it_goes_on_from_a_fit_and_counts_its_rows():
    model = S().fit(X, Y)
    before = model.coef_
    model.partial_fit(X[:1], Y[:1])
    assert np.abs(model.coef_ - before).max() < 0.5
    assert model.n_seen_ == 61
    assert model.objective_record_["alpha"] == pytest.approx(1 / 61)
    assert model.t_ == 1
    assert model.fit(X, Y).certificate_.relative_gap <= 1e-6
    again = S.from_module(model.to_module()).partial_fit(X[:9], Y[:9])
    assert again.n_seen_ == 9


def test_saved_in_the_middle_of_a_stream(tmp_path):
    model = S(random_state=0).partial_fit(X[:30], Y[:30], classes=[0, 1, 2])
    model.save(tmp_path)
    again = ol.load(tmp_path)
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.partial_fit(X[30:], Y[30:]).n_seen_ == 60


def test_the_trace_of_an_endless_stream_is_bounded(monkeypatch):
    monkeypatch.setattr("onelayer.estimators.stream._TRACE", 10)
    model = R(solver=SGD(0.01))
    for _ in range(12):
        model.partial_fit(XR[:2], YR[:2])
    assert len(model.result_.trace) == 10
    assert model.result_.trace[-1].iteration == model.n_iter_ == 12


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_in_tensors_out(dtype):
    x, y = torch.from_numpy(X).to(dtype), torch.from_numpy(Y)
    model = S(random_state=0).partial_fit(x, y, classes=torch.arange(3)).partial_fit(x, y)
    arithmetic = torch.float64 if dtype == torch.float64 else torch.float32
    assert model.coef_.dtype == arithmetic
    assert model.predict(x).dtype == torch.int64
    assert model.predict_proba(x).dtype == arithmetic


def test_nothing_global_moves():
    state, mode = torch.get_rng_state(), torch.is_grad_enabled()
    numbers = pickle.dumps(np.random.get_state())  # noqa: NPY002
    S(random_state=0).partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled() == mode
    assert pickle.dumps(np.random.get_state()) == numbers  # noqa: NPY002


def test_a_rate_that_is_too_large_keeps_what_was_there():
    model = R(solver=SGD(0.1)).partial_fit(XR, YR)
    before = model.coef_
    model.set_params(solver=SGD(1e200, batch_size=1))
    with pytest.warns(ConvergenceWarning, match="left the finite numbers"):
        model.partial_fit(XR, YR)
    assert model.result_.status == "diverged"
    assert np.array_equal(model.coef_, before)
    assert model.set_params(solver=SGD(0.1)).partial_fit(XR, YR).result_.status == "finished"


FIRST = {
    "no classes": (
        S(),
        X,
        Y,
        {},
        ParameterError,
        ["classes must be passed on the first call to partial_fit."],
    ),
    "one class": (S(), X, Y, {"classes": [0]}, ParameterError, ["at least two"]),
    "unknown label": (S(), X, Y, {"classes": [0, 1]}, DataError, ["y holds 2 in row", "[0, 1]"]),
    "text for numbers": (S(), X, Y, {"classes": ["a", "b"]}, DataError, ["classes ['a', 'b']"]),
    "balanced": (
        S(class_weight="balanced"),
        X,
        Y,
        {"classes": [0, 1, 2]},
        ParameterError,
        ["'balanced' is not supported"],
    ),
    "adam and l1": (
        R(alpha=1, l1_ratio=1, solver=SGD(optimizer=torch.optim.Adam)),
        XR,
        YR,
        {},
        SolverError,
        ["l1_ratio > 0", "Adam"],
    ),
    "lengths": (R(), XR, YR[:3], {}, DataError, ["60 rows", "3 entries"]),
}


@over("case", FIRST)
def test_what_is_said_at_the_first_call(case):
    model, x, y, more, kind, words = case
    model = copy.deepcopy(model)
    said(lambda: model.partial_fit(x, y, **more), *words, kind=kind)
    assert not [name for name in vars(model) if name.endswith("_")]


ABSENT = {
    "solver": (L(solver="newton"), ["'newton'", "ol.solvers.SGD"]),
    "standardize": (R(standardize=True), ["standardize is True"]),
}


@over("case", ABSENT)
def test_what_cannot_stream_has_no_partial_fit_and_says_why(case):
    """Tools of scikit-learn look whether the method is there."""
    model, words = case
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as caught:
        _ = model.partial_fit
    assert isinstance(caught.value.__cause__, ParameterError)
    for word in words:
        assert word in str(caught.value.__cause__)


LATER = {
    "other classes": (
        lambda m: m.partial_fit(X, Y, classes=[0, 1]),
        ParameterError,
        "is not the same as on last call",
    ),
    "new label": (lambda m: m.partial_fit(X, Y + 1), DataError, "y holds 3"),
    "columns": (lambda m: m.partial_fit(X[:, :2], Y), DataError, "2 features"),
    "nan": (lambda m: m.partial_fit(np.full((2, 4), np.nan), [0, 1]), DataError, "NaN"),
}


@over("case", LATER)
def test_what_is_said_later_and_the_model_stays(case):
    action, kind, word = case
    model = S(random_state=0).partial_fit(X, Y, classes=[0, 1, 2])
    before, seen = model.coef_.copy(), model.n_seen_
    with pytest.raises(kind, match=word):
        action(model)
    assert np.array_equal(model.coef_, before)
    assert model.n_seen_ == seen
    assert not hasattr(model, "_known_classes")


def test_targets_stay_as_many():
    model = R().partial_fit(XR, YR)
    said(lambda: model.partial_fit(XR, np.stack([YR, YR], axis=1)), "2 targets", "1", kind=DataError)
