"""Saved models come back bit for bit, whatever they were fitted with and on; clones and pickles too."""

import functools
import math
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

import onelayer as ol
from instances import PROBLEMS
from onelayer.losses import CrossEntropy, Huber, ProbabilitySquaredError, Quantile

X, Y = PROBLEMS["three classes"]()
NAMES = np.array(["wolf", "Ätna 🌋", "NaN"])
LABELS = {
    "strings": NAMES[Y],
    "object strings": NAMES[Y].astype(object),
    "integers": Y,
    "small integers": Y.astype(np.int8) - 1,
    "booleans": Y > 0,
    "whole floats": Y.astype(float) * 10,
    "two strings": NAMES[Y % 2],
}
SGD, GD, LBFGS = ol.solvers.SGD, ol.solvers.GradientDescent, ol.solvers.LBFGS
APPROXIMATE = {"tol": 0, "random_state": 3}
MODELS = {
    "least squares": ol.LinearRegression(),
    "huber": ol.LinearRegression(Huber(1.5), alpha=0.1),
    "huber by name": ol.LinearRegression("huber", alpha=0.1, l1_ratio=0.0),
    "quantile": ol.LinearRegression(Quantile(0.2), alpha=0.1, solver=GD(0.1, steps=3), **APPROXIMATE),
    "logistic": ol.LogisticRegression(),
    "softmax": ol.SoftmaxRegression(C=2.5, standardize=True),
    "no penalty": ol.SoftmaxRegression(C=math.inf, solver=GD(0.1, steps=3), **APPROXIMATE),
    "float32": ol.LogisticRegression(dtype="float32", device="cpu"),
    "lbfgs": ol.LogisticRegression(solver=LBFGS(memory=7, precondition=False)),
    "gradient descent": ol.LogisticRegression(solver=GD(steps=4), **APPROXIMATE),
    "sgd": ol.LogisticRegression(solver=SGD(0.1, 16, 2), **APPROXIMATE),
    "adam": ol.LogisticRegression(
        solver=SGD(optimizer=torch.optim.Adam, optimizer_options={"weight_decay": 0.1}, epochs=2),
        **APPROXIMATE,
    ),
    "loss object": ol.SoftmaxRegression(loss=CrossEntropy(), class_weight="balanced"),
    "brier": ol.SoftmaxRegression(
        loss=ProbabilitySquaredError(ol.links.Softmax()), solver=GD(steps=3), **APPROXIMATE
    ),
    "elastic net": ol.SoftmaxRegression(l1_ratio=0.5, solver="gradient-descent", tol=1e-3, verbose=0),
}


def outputs(model, data=X):
    found = [model.predict(data)]
    if hasattr(model, "classes_"):
        found += [model.predict_proba(data), model.decision_function(data)]
    return found


def assert_equal_models(one, two):
    assert type(one) is type(two)
    assert one.get_params(deep=False) == two.get_params(deep=False)
    assert one.result_ == two.result_
    assert one.certificate_ == two.certificate_
    assert one.objective_record_ == two.objective_record_
    assert (one.n_iter_, one.n_features_in_) == (two.n_iter_, two.n_features_in_)
    for name in ("coef_", "intercept_", "classes_"):
        if hasattr(one, name):
            left, right = getattr(one, name), getattr(two, name)
            assert np.asarray(left).dtype == np.asarray(right).dtype
            assert np.array_equal(left, right)
    for left, right in zip(outputs(one), outputs(two), strict=True):
        assert left.dtype == right.dtype
        assert np.array_equal(left, right)


def there_and_back(model, folder):
    model.save(folder)
    return ol.load(folder)


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_every_model_comes_back(model, tmp_path):
    model = clone(model).fit(X, Y)
    again = there_and_back(model, tmp_path / "deep" / "folder")
    assert_equal_models(model, again)
    assert np.array_equal(clone(again).fit(X, Y).coef_, model.coef_)
    assert {path.name for path in (tmp_path / "deep" / "folder").iterdir()} == {
        "model.safetensors",
        "config.json",
    }


@pytest.mark.parametrize("labels", LABELS.values(), ids=list(LABELS))
@pytest.mark.parametrize("kind", [ol.LogisticRegression, ol.SoftmaxRegression])
def test_every_label_comes_back(kind, labels, tmp_path):
    model = kind().fit(X, labels)
    assert_equal_models(model, there_and_back(model, tmp_path))
    assert set(model.predict(X)) <= set(labels)


def test_class_weights_keep_the_types_of_their_keys(tmp_path):
    for labels, weights in [(Y, {0: 1, 1: 2.5, 2: 1}), (NAMES[Y], dict.fromkeys(NAMES, 2.0))]:
        model = ol.LogisticRegression(class_weight=weights).fit(X, labels)
        assert there_and_back(model, tmp_path).class_weight == weights


def test_two_targets_and_column_names_come_back(tmp_path):
    import pandas as pd

    frame = pd.DataFrame(X, columns=["a", "b", "ç", "d"])
    for y in (X[:, 0], X[:, :1], X[:, :2]):
        model = ol.LinearRegression(alpha=0.1).fit(frame, y)
        again = there_and_back(model, tmp_path)
        assert list(again.feature_names_in_) == list(frame.columns)
        assert again.predict(frame).shape == y.shape
        assert np.array_equal(again.predict(frame), model.predict(frame))


def test_a_model_fitted_on_tensors_comes_back_for_arrays(tmp_path):
    model = ol.SoftmaxRegression().fit(torch.from_numpy(X), torch.from_numpy(Y))
    again = there_and_back(model, tmp_path)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(torch.from_numpy(X)).numpy())


def test_options_of_the_optimizer_come_back(tmp_path):
    solver = SGD(optimizer=torch.optim.Adam, optimizer_options={"betas": (0.8, 0.9)}, epochs=2)
    model = ol.LogisticRegression(solver=solver, **APPROXIMATE).fit(X, Y)
    assert_equal_models(model, there_and_back(model, tmp_path))


LOST = {
    "random_state": ol.LogisticRegression(random_state=np.random.RandomState(0)),
    "scheduler": ol.LogisticRegression(
        solver=SGD(epochs=2, scheduler=functools.partial(torch.optim.lr_scheduler.StepLR, step_size=1)),
        **APPROXIMATE,
    ),
    "stop": ol.LogisticRegression(solver=LBFGS(stop=ol.stopping.GradientNorm(1e-9))),
}


@pytest.mark.parametrize("name", LOST)
def test_what_cannot_be_saved_is_said_to_be_lost(name, tmp_path):
    model = clone(LOST[name]).fit(X, Y)
    model.save(tmp_path)
    with pytest.warns(UserWarning, match=f"{name}.*not saved"):
        again = ol.load(tmp_path)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("dtype", [torch.float64, np.float64, np.dtype("float32"), "float32"], ids=str)
def test_every_way_to_name_a_dtype_is_saved(dtype, tmp_path):
    model = ol.LogisticRegression(dtype=dtype).fit(X, Y)
    again = there_and_back(model, tmp_path)
    assert clone(again).fit(X, Y).coef_.dtype == model.coef_.dtype
    assert np.array_equal(again.coef_, model.coef_)


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_pickle_and_clone_and_repr(model):
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    assert not hasattr(fresh, "coef_")
    assert type(model).__name__ in repr(model)
    fitted = fresh.fit(X, Y)
    assert_equal_models(fitted, pickle.loads(pickle.dumps(fitted)))  # noqa: S301


def test_a_second_save_replaces_the_first(tmp_path):
    ol.LogisticRegression(C=1).fit(X, Y).save(tmp_path)
    model = ol.SoftmaxRegression(C=2).fit(X, NAMES[Y])
    assert_equal_models(model, there_and_back(model, tmp_path))


def test_an_unfitted_model_has_nothing_to_save(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        ol.LogisticRegression().save(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_arrays_among_the_arguments_come_back(tmp_path):
    init = (np.full((3, 4), 0.5), np.zeros(3))
    ol.SoftmaxRegression(init=init, classes=np.array([0, 1, 2])).fit(X, Y).save(tmp_path)
    again = ol.load(tmp_path)
    assert np.array_equal(again.init[0], init[0])
    assert again.classes == [0, 1, 2]
    assert again.fit(X, Y).result_.status == "converged"
