"""A classifier that may say None says it where its probabilities are uncertain, and nowhere else."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import onelayer as ol
from onelayer.abstention import Abstention
from onelayer.errors import ParameterError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
NOISY = X @ [1.0, -1.0, 0.5] + 0.8 * RNG.normal(size=80)
TWO = (NOISY > 0).astype(int)
THREE = np.digitize(NOISY, [-0.7, 0.7])

LABELS = {
    "int": (np.array([3, 7]), int),
    "uint8": (np.array([0, 1], np.uint8), int),
    "str": (np.array(["no", "yes"]), str),
    "str in an object array": (np.array(["no", "yes"], object), str),
    "bool": (np.array([False, True]), bool),
    "whole float": (np.array([1.0, 2.0]), float),
}
TWO_CLASSES = {
    "logistic": ol.LogisticRegression().fit(X, TWO),
    "softmax": ol.SoftmaxRegression().fit(X, TWO),
    "float32": ol.LogisticRegression().fit(X.astype(np.float32), TWO),
}
MODELS = {
    **TWO_CLASSES,
    "logistic, three classes": ol.LogisticRegression().fit(X, THREE),
    "softmax, three classes": ol.SoftmaxRegression().fit(X, np.array(["a", "b", "c"])[THREE]),
}

probabilities = st.floats(0, 1)
bands = st.tuples(probabilities, probabilities).map(sorted)


def nones(labels):
    return np.array([label is None for label in labels])


def data_of(model):
    return X.astype(model.coef_.dtype)


@given(bands)
@pytest.mark.parametrize("name", TWO_CLASSES)
def test_none_where_p_is_strictly_inside_the_band(name, band):
    model = TWO_CLASSES[name]
    X = data_of(model)
    p = model.predict_proba(X)[:, 1]
    low, high = p.dtype.type(band)
    labels = model.predict(X, abstain=tuple(band))
    assert labels.dtype == object
    assert labels.shape == (80,)
    assert (nones(labels) == ((low < p) & (p < high))).all()
    decided = ~nones(labels)
    assert (labels[decided] == model.predict(X)[decided]).all()


@given(probabilities)
@pytest.mark.parametrize("name", MODELS)
def test_none_where_the_largest_probability_is_below_the_number(name, least):
    model = MODELS[name]
    X = data_of(model)
    top = model.predict_proba(X).max(axis=1)
    labels = model.predict(X, abstain=least)
    assert labels.dtype == object
    assert (nones(labels) == (top < top.dtype.type(least))).all()
    decided = ~nones(labels)
    assert (labels[decided] == model.predict(X)[decided]).all()


@given(bands, bands)
@pytest.mark.parametrize("name", TWO_CLASSES)
def test_a_wider_band_only_adds_nones(name, one, other):
    model = TWO_CLASSES[name]
    wide = min(one[0], other[0]), max(one[1], other[1])
    narrow_nones, wide_nones = (nones(model.predict(data_of(model), abstain=band)) for band in (one, wide))
    assert (narrow_nones <= wide_nones).all()


@given(probabilities, probabilities)
@pytest.mark.parametrize("name", MODELS)
def test_asking_for_more_only_adds_nones(name, one, other):
    model = MODELS[name]
    less, more = (nones(model.predict(data_of(model), abstain=a)) for a in sorted((one, other)))
    assert (less <= more).all()


@given(probabilities)
@pytest.mark.parametrize("name", TWO_CLASSES)
def test_a_band_without_width_gives_every_row_a_label(name, p):
    model = TWO_CLASSES[name]
    labels = model.predict(data_of(model), abstain=(p, p))
    assert labels.tolist() == model.predict(data_of(model)).tolist()


@pytest.mark.parametrize("name", TWO_CLASSES)
def test_the_ends_of_the_band_are_answers(name):
    model = TWO_CLASSES[name]
    X = data_of(model)
    p = model.predict_proba(X)[:, 1]
    inner = np.argsort(p)[20:60]
    ends = inner[[0, -1]]
    uncertain = nones(model.predict(X, abstain=tuple(p[ends])))
    assert not uncertain[ends].any()
    assert uncertain[inner[1:-1]].all()
    beyond = np.nextafter(p[ends], p.dtype.type([0, 1]))
    assert nones(model.predict(X, abstain=tuple(beyond)))[ends].all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_0_4_and_0_6_are_answers_in_the_dtype_of_the_probabilities(dtype):
    proba = np.array([[0.6, 0.4], [0.4, 0.6], [0.5, 0.5]], dtype)
    assert Abstention.of((0.4, 0.6), 2).uncertain(proba).tolist() == [False, False, True]
    assert Abstention.of(0.6, 2).uncertain(proba).tolist() == [False, False, True]


@given(st.floats(0.5, 1))
@pytest.mark.parametrize("name", TWO_CLASSES)
def test_for_two_classes_a_number_is_a_band_around_a_half(name, least):
    model = TWO_CLASSES[name]
    top = model.predict_proba(data_of(model)).max(axis=1)
    # At the ends 1 − a is rounded.
    assume((abs(top - least) > 1e-6).all())
    one, other = (model.predict(data_of(model), abstain=a) for a in (least, (1 - least, least)))
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize("estimator", [ol.LogisticRegression, ol.SoftmaxRegression])
@pytest.mark.parametrize("kind", LABELS)
def test_labels_keep_their_type(estimator, kind):
    classes, expected = LABELS[kind]
    model = estimator().fit(X, classes[TWO])
    labels = model.predict(X, abstain=(0.2, 0.8))
    assert 0 < nones(labels).sum() < 80
    assert {type(label) for label in labels} == {expected, type(None)}
    assert set(labels) - {None} == set(classes.tolist())


@pytest.mark.parametrize("name", MODELS)
def test_tensors_give_the_same_object_array(name):
    model = MODELS[name]
    labels = model.predict(torch.as_tensor(data_of(model)), abstain=0.7)
    assert isinstance(labels, np.ndarray)
    assert labels.tolist() == model.predict(data_of(model), abstain=0.7).tolist()
    assert nones(labels).any()


def test_a_model_fitted_on_tensors():
    model = ol.LogisticRegression().fit(torch.as_tensor(X), torch.as_tensor(TWO))
    labels = model.predict(torch.as_tensor(X), abstain=(0.4, 0.6))
    assert labels.tolist() == TWO_CLASSES["logistic"].predict(X, abstain=(0.4, 0.6)).tolist()


@pytest.mark.parametrize("abstain", [0.0, (0.5, 0.5), (0.4, 0.6)])
@pytest.mark.parametrize("estimator", [ol.LogisticRegression, ol.SoftmaxRegression])
def test_nobody_stands_for_a_probability_that_is_nan(estimator, abstain):
    model = estimator().fit(X, TWO)
    model.coef_ = np.full_like(model.coef_, np.nan)
    assert nones(model.predict(X, abstain=abstain)).all()
    assert model.predict(X).shape == (80,)


def test_without_abstain_all_is_as_before():
    model = TWO_CLASSES["logistic"]
    assert model.predict(X).dtype == model.classes_.dtype
    assert (model.predict(X, abstain=None) == model.predict(X)).all()
    assert "abstain" not in model.get_params()


def test_between_0_4_and_0_6_an_hour_of_study_decides_nothing():
    model = ol.LogisticRegression(C=10.0).fit([[1.0], [2.0], [3.0]], [0, 0, 1])
    hours = np.linspace(0, 10, 201)[:, None]
    labels, p = model.predict(hours, abstain=(0.4, 0.6)), model.predict_proba(hours)[:, 1]
    first, last = np.flatnonzero(nones(labels))[[0, -1]]
    assert 2 < hours[first, 0] < hours[last, 0] < 3
    assert labels.tolist() == [0] * first + [None] * (last - first + 1) + [1] * (200 - last)
    assert p[first - 1] <= 0.4 < p[first]
    assert p[last] < 0.6 <= p[last + 1]


def test_a_pipeline_hands_it_on():
    model = make_pipeline(StandardScaler(), ol.LogisticRegression()).fit(X, TWO)
    labels = model.predict(X, abstain=(0.4, 0.6))
    p = model.predict_proba(X)[:, 1]
    assert (nones(labels) == ((p > 0.4) & (p < 0.6))).all()


@pytest.mark.parametrize(
    "abstain", [0.6, np.float32(0.6), 1, 0, (0.4, 0.6), [0.4, 0.6], np.array([0.4, 0.6]), (0, 1)], ids=repr
)
def test_what_is_taken(abstain):
    assert TWO_CLASSES["logistic"].predict(X, abstain=abstain).dtype == object


BAD = {
    "reversed": (0.6, 0.4),
    "negative": (-0.1, 0.6),
    "above one": (0.4, 1.5),
    "NaN in a pair": (math.nan, 0.6),
    "NaN second": (0.4, math.nan),
    "infinite": (0.4, math.inf),
    "number above one": 60,
    "number below zero": -0.5,
    "NaN": math.nan,
    "three numbers": (0.2, 0.4, 0.6),
    "one in a list": [0.6],
    "none in a list": [],
    "nested": [[0.4, 0.6]],
    "ragged": [0.4, [0.6]],
    "text": "0.4,0.6",
    "text of two": "01",
    "a set": {0.4, 0.6},
    "bool": True,
    "bool in a pair": (False, True),
    "complex": 0.5 + 0j,
    "array of no dimension": np.array(0.6),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("name", ["logistic", "softmax, three classes"])
def test_what_is_refused(name, case):
    model = MODELS[name]
    with pytest.raises(ParameterError) as caught:
        model.predict(X, abstain=BAD[case])
    message = str(caught.value)
    assert message.startswith(f"abstain is {BAD[case]!r}: give a pair")
    assert "0 ≤ lo ≤ hi ≤ 1" in message
    assert "one number from 0 to 1" in message
    assert message.count("\n") == 0
    assert message.endswith(".")


@pytest.mark.parametrize("name", ["logistic, three classes", "softmax, three classes"])
def test_a_pair_for_three_classes_says_what_to_give(name):
    expected = r"abstain is \(0\.4, 0\.6\), a band .* there are 3 classes: give one number, .* 0\.6\.$"
    with pytest.raises(ParameterError, match=expected):
        MODELS[name].predict(X, abstain=(0.4, 0.6))


def test_other_refusals():
    with pytest.raises(NotFittedError):
        ol.LogisticRegression().predict(X, abstain=0.6)
    with pytest.raises(TypeError, match="abstain"):
        ol.LinearRegression().fit(X, NOISY).predict(X, abstain=0.6)
    with pytest.raises(TypeError, match="positional"):
        TWO_CLASSES["logistic"].predict(X, 0.6)
