"""A torch module and an estimator hold the same coefficients, in both directions, to the last bit."""

import numpy as np
import pytest
import torch
from torch import nn

import onelayer as ol
from exchange.saying import said
from instances import over
from onelayer.errors import ParameterError

L, R, S = ol.LogisticRegression, ol.LinearRegression, ol.SoftmaxRegression
ROWS = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))


def linear(outputs, *, bias=True, dtype=torch.float32, seed=0):
    layer = nn.Linear(4, outputs, bias=bias, dtype=dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in layer.parameters():
            part.copy_(torch.randn(part.shape, generator=generator))
    return layer


MODULES = {
    "regression": (R, linear(1)),
    "regression, three targets": (R, linear(3)),
    "regression, float64": (R, linear(1, dtype=torch.float64)),
    "regression, no bias": (R, linear(2, bias=False)),
    "logistic, one score": (L, linear(1)),
    "logistic, sigmoid": (L, nn.Sequential(nn.Flatten(), linear(1), nn.Sigmoid())),
    "logistic, three": (L, nn.Sequential(nn.Identity(), nn.Flatten(), linear(3))),
    "softmax": (S, linear(3)),
    "softmax, two": (S, nn.Sequential(linear(2), nn.Softmax(dim=1))),
    "softmax, nested": (S, nn.Sequential(nn.Sequential(nn.Flatten(), linear(3)), nn.LogSoftmax(dim=-1))),
    "softmax, no bias": (S, linear(3, bias=False)),
}


def layer_of(module):
    return next(part for part in module.modules() if isinstance(part, nn.Linear))


@over("case", MODULES)
def test_the_round_trip_is_exact(case):
    kind, module = case
    layer, model = layer_of(module), kind.from_module(module)
    again = model.to_module()
    assert torch.equal(again.weight, layer.weight)
    assert torch.equal(again.bias, torch.zeros(len(layer.weight)) if layer.bias is None else layer.bias)
    rows = ROWS.to(layer.weight.dtype)
    assert torch.equal(again(rows), layer(rows))
    assert again.weight.dtype == layer.weight.dtype
    assert model.fit_intercept == (layer.bias is not None)
    assert model.n_features_in_ == 4
    state = model.state_dict()
    assert list(state) == ["weight", "bias"]
    assert not state["weight"].requires_grad
    assert torch.equal(state["weight"], layer.weight)
    fresh = kind(fit_intercept=model.fit_intercept).load_state_dict(layer.state_dict())
    assert torch.equal(fresh.to_module().weight, layer.weight)


@over("case", MODULES)
def test_it_predicts_what_the_module_says(case):
    kind, module = case
    layer, model = layer_of(module), kind.from_module(module)
    rows = ROWS.to(layer.weight.dtype)
    scores = layer(rows).detach()
    if kind is R:
        expected = scores if len(layer.weight) > 1 else scores[:, 0]
        torch.testing.assert_close(model.predict(rows), expected)
        return
    # Of two classes one number, as scikit-learn has it.
    one = {1: lambda: scores[:, 0], 2: lambda: scores[:, 1] - scores[:, 0]}.get(
        len(layer.weight), lambda: scores
    )()
    torch.testing.assert_close(model.decision_function(rows), one)
    if isinstance(module, nn.Sequential) and not isinstance(module[-1], nn.Linear):
        proba = module(rows).detach()
        proba = proba.exp() if isinstance(module[-1], nn.LogSoftmax) else proba
        torch.testing.assert_close(model.predict_proba(rows)[:, -proba.shape[1] :], proba)
    best = (scores[:, 0] > 0).long() if len(layer.weight) == 1 else scores.argmax(dim=1)
    assert torch.equal(model.predict(rows), best)


@over("case", MODULES)
def test_it_is_a_model_like_any_other(case, tmp_path):
    kind, module = case
    model = kind.from_module(module)
    assert model.certificate_ is None
    assert model.result_.status == "finished"
    assert "nothing was fitted" in model.result_.message
    model.save(tmp_path)
    again = ol.load(tmp_path)
    rows = ROWS.to(layer_of(module).weight.dtype).numpy()
    assert np.array_equal(again.predict(rows), model.predict(rows))
    assert np.array_equal(again.coef_, model.coef_.numpy())
    assert again.result_.message == model.result_.message


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32_exactly(dtype):
    layer = linear(3, dtype=dtype)
    model = S.from_module(layer)
    assert model.coef_.dtype == torch.float32
    assert torch.equal(model.coef_.to(dtype), layer.weight)


def test_it_holds_copies():
    layer = linear(3)
    model = S.from_module(layer)
    before = model.coef_.clone()
    with torch.no_grad():
        layer.weight.zero_()
    assert torch.equal(model.coef_, before)
    model.state_dict()["weight"].zero_()
    assert torch.equal(model.coef_, before)


def test_classes_are_sorted_and_the_outputs_with_them():
    layer = linear(3)
    model = L.from_module(layer, classes=["pear", "apple", "fig"])
    assert model.classes_.tolist() == ["apple", "fig", "pear"]
    order = layer(ROWS).argmax(dim=1)
    assert model.predict(ROWS).tolist() == [["pear", "apple", "fig"][index] for index in order]
    one = L.from_module(linear(1), classes=["yes", "no"])
    assert one.classes_.tolist() == ["no", "yes"]
    assert one.predict(ROWS).tolist() == [["yes", "no"][int(score > 0)] for score in linear(1)(ROWS)]


def test_two_outputs_become_one_score_where_that_is_exact():
    layer = linear(2)
    model = L.from_module(layer)
    # float32 rarely holds the difference of two of its numbers, float64 nearly always.
    assert model.coef_.dtype == torch.float64
    weight = layer.weight.detach().double()
    assert torch.equal(model.coef_, weight[1:] - weight[:1])
    expected = torch.softmax(layer(ROWS).double(), dim=1)
    torch.testing.assert_close(model.predict_proba(ROWS), expected, rtol=1e-5, atol=1e-6)
    whole = linear(2)
    with torch.no_grad():
        whole.weight.round_()
        whole.bias.round_()
    assert L.from_module(whole).coef_.dtype == torch.float32
    # 1 − 2⁻⁷⁰ is no number of float64.
    with torch.no_grad():
        whole.weight[0, 0], whole.weight[1, 0] = 2.0**-70, 1.0
    said(lambda: L.from_module(whole), "two outputs", "SoftmaxRegression", kind=ParameterError)
    assert torch.equal(S.from_module(whole).to_module().weight, whole.weight)


def test_a_warm_start_begins_there():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    y = (X @ rng.normal(size=(4, 3)) + rng.gumbel(size=(80, 3))).argmax(axis=1)
    best = S().fit(X, y)
    model = S.from_module(best.to_module(), warm_start=True, C=1.0).fit(X, y)
    assert model.result_.n_iter < best.result_.n_iter
    assert model.result_.status == "converged"


def test_loading_a_state_forgets_the_proof_and_keeps_the_kind():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 4)), np.array(["a", "b"] * 25)
    model = L().fit(X, y)
    layer = linear(1, dtype=torch.float64)
    assert model.load_state_dict(layer.state_dict()) is model
    assert model.certificate_ is None
    assert isinstance(model.coef_, np.ndarray)
    assert np.array_equal(model.coef_, layer.weight.detach().numpy())
    assert model.classes_.tolist() == ["a", "b"]


def test_torch_is_left_as_it_was():
    layer = linear(3)
    state = torch.get_rng_state()
    model = S.from_module(layer)
    S().load_state_dict(model.state_dict())
    assert torch.equal(torch.get_rng_state(), state)
    assert layer.weight.requires_grad


class Own(nn.Module):
    def forward(self, x):
        return x


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def hooked():
    layer = linear(3)
    layer.register_forward_hook(lambda module, given, output: output + 1)
    return layer


def broken():
    layer = linear(3)
    with torch.no_grad():
        layer.weight[0, 0] = float("nan")
    return layer


WRONG = {
    "no module": (lambda: S.from_module(torch.zeros(3, 4)), ["module is a Tensor", "torch.nn.Linear"]),
    "own": (lambda: S.from_module(Own()), ["module is a Own", "one Linear"]),
    "no layer": (lambda: S.from_module(nn.Sequential(nn.Flatten())), ["no Linear"]),
    "two layers": (lambda: S.from_module(nn.Sequential(linear(4), linear(3))), ["2 Linear", "fit_head"]),
    "relu before": (
        lambda: S.from_module(nn.Sequential(nn.ReLU(), linear(3))),
        ["ReLU() before", "leave it out"],
    ),
    "flatten rows": (
        lambda: S.from_module(nn.Sequential(nn.Flatten(0), linear(3))),
        ["start_dim=0", "Flatten()"],
    ),
    "dropout after": (lambda: S.from_module(nn.Sequential(linear(3), nn.Dropout())), ["Dropout", "after"]),
    "two endings": (
        lambda: S.from_module(nn.Sequential(linear(3), nn.Softmax(1), nn.Softmax(1))),
        ["Softmax(dim=1) after", "leave it out"],
    ),
    "softmax of rows": (
        lambda: S.from_module(nn.Sequential(linear(3), nn.Softmax(dim=0))),
        ["dim=0", "dim=1"],
    ),
    "softmax of one": (
        lambda: L.from_module(nn.Sequential(linear(1), nn.Softmax(1))),
        ["constant", "Sigmoid"],
    ),
    "sigmoid of many": (
        lambda: L.from_module(nn.Sequential(linear(3), nn.Sigmoid())),
        ["3 outputs", "Sigmoid"],
    ),
    "regression of softmax": (
        lambda: R.from_module(nn.Sequential(linear(3), nn.Softmax(1))),
        ["Softmax", "Logistic"],
    ),
    "softmax of one score": (lambda: S.from_module(linear(1)), ["one output", "LogisticRegression"]),
    "forward": (lambda: S.from_module(Doubled(4, 3)), ["Doubled", "forward of its own"]),
    "hooks": (lambda: S.from_module(hooked()), ["hooks on its Linear"]),
    "nan": (lambda: S.from_module(broken()), ["NaN or infinite"]),
    "meta": (lambda: S.from_module(nn.Linear(4, 3, device="meta")), ["meta"]),
    "lazy": (lambda: S.from_module(nn.LazyLinear(3)), ["lazy"]),
    "complex": (lambda: S.from_module(nn.Linear(4, 3, dtype=torch.complex64)), ["complex64"]),
    "intercept": (lambda: S.from_module(linear(3), fit_intercept=False), ["fit_intercept is False", "bias"]),
    "few classes": (lambda: S.from_module(linear(3), classes=["a", "b"]), ["2 labels", "3 outputs"]),
    "double classes": (lambda: S.from_module(linear(3), classes=[0, 1, 1]), ["label twice"]),
    "mixed classes": (
        lambda: S.from_module(linear(2), classes=np.array([0, "a"], dtype=object)),
        ["cannot be sorted"],
    ),
    "classes of numbers": (
        lambda: R.from_module(linear(3), classes=[0, 1, 2]),
        ["classes=", "LinearRegression"],
    ),
    "state of a net": (
        lambda: S().load_state_dict(nn.Sequential(linear(3)).state_dict()),
        ["'0.weight'", "state_dict() of one torch.nn.Linear"],
    ),
    "no state": (lambda: S().load_state_dict(3), ["state is int"]),
    "no bias": (
        lambda: S().load_state_dict(linear(3, bias=False).state_dict()),
        ["no 'bias'", "fit_intercept=False"],
    ),
    "state shapes": (
        lambda: S().load_state_dict({"weight": torch.ones(3, 4), "bias": torch.ones(2)}),
        ["(2,)"],
    ),
    "other shape": (
        lambda: S.from_module(linear(3)).load_state_dict(linear(2).state_dict()),
        ["(2, 4)", "(3, 4)"],
    ),
    "whole numbers": (
        lambda: S().load_state_dict({"weight": torch.ones(3, 4).int(), "bias": torch.ones(3).int()}),
        ["state", "int32"],
    ),
    "classes again": (
        lambda: S.from_module(linear(3)).load_state_dict(linear(3).state_dict(), classes=[0, 1, 2]),
        ["classes="],
    ),
}


@over("case", WRONG)
def test_what_is_said(case):
    action, words = case
    said(action, *words, kind=ParameterError)
