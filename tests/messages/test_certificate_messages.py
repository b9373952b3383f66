"""What `certify` says about what it cannot judge: one sentence, the argument, its value and the way out."""

import math

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.pipeline import make_pipeline

import onelayer as ol
from onelayer.errors import DataError, OnelayerError, ParameterError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
TWO, THREE, NUMBERS = np.arange(40) % 2, np.arange(40) % 3, RNG.normal(size=40)
W, B = np.zeros((1, 3)), np.zeros(1)
LOG = {"loss": "log", "alpha": 0.1}


def said(action, *words, kind=(DataError, ParameterError)):
    with pytest.raises(kind) as caught:
        action()
    message = str(caught.value)
    assert isinstance(caught.value, OnelayerError)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in message, message
    assert message.endswith("."), message
    for word in words:
        assert word in message, message


COEFFICIENTS = {
    "no pair": (W, ["ndarray", "(coef, intercept)"]),
    "one": ((W,), ["tuple", "(coef, intercept)"]),
    "three": ((W, B, B), ["tuple", "(coef, intercept)"]),
    "nothing": (None, ["NoneType", "(coef, intercept)"]),
    "text": ((["a", "b", "c"], B), ["coef", "numbers"]),
    "text for the intercept": ((W, "a"), ["intercept", "numbers"]),
    "too wide": ((np.zeros((1, 4)), B), ["(1, 4)", "(1, 3)"]),
    "too narrow": ((np.zeros(2), B), ["(2,)", "(1, 3)"]),
    "turned": ((np.zeros((3, 1)), B), ["(3, 1)", "3)"]),
    "three dimensions": ((np.zeros((1, 2, 3)), B), ["(1, 2, 3)"]),
    "empty": ((np.zeros((0, 3)), B), ["(0, 3)", "(1, 3)"]),
    "too many intercepts": ((W, np.zeros(2)), ["intercept", "(2,)", "(1,)"]),
    "nan": ((W * math.nan, B), ["coef", "NaN"]),
    "infinite intercept": ((W, B + math.inf), ["intercept", "infinite"]),
}


@pytest.mark.parametrize(("given", "words"), COEFFICIENTS.values(), ids=list(COEFFICIENTS))
def test_coefficients(given, words):
    said(lambda: ol.certify(given, X, TWO, **LOG), *words)


def test_coefficients_of_other_classes():
    said(lambda: ol.certify((np.zeros((3, 3)), np.zeros(3)), X, TWO, **LOG), "(3, 3)", "(2, 3)")
    said(lambda: ol.certify((W, B), X, THREE, **LOG), "(1, 3)", "(3, 3)")
    said(lambda: ol.certify((np.zeros((3, 3)), np.zeros(2)), X, THREE, **LOG), "intercept", "(2,)", "(3,)")


WORDS = {
    "neither": ({}, ["loss=", "alpha="]),
    "no loss": ({"alpha": 0.1}, ["loss=", "alpha="]),
    "no alpha": ({"loss": "log"}, ["loss=", "alpha=", "0 for none"]),
    "alpha negative": ({"loss": "log", "alpha": -1}, ["alpha is -1", "≥ 0"]),
    "alpha nan": ({"loss": "log", "alpha": math.nan}, ["alpha is nan"]),
    "alpha text": ({"loss": "log", "alpha": "0.1"}, ["alpha is '0.1'"]),
    "l1_ratio": ({**LOG, "l1_ratio": 2}, ["l1_ratio is 2", "0", "1"]),
    "loss unknown": ({"loss": "hinge", "alpha": 0.1}, ["loss is 'hinge'", "'log'", "squared", "huber"]),
    "loss number": ({"loss": 3, "alpha": 0.1}, ["loss is 3", "'log'"]),
    "loss class": ({"loss": ol.losses.Huber, "alpha": 0.1}, ["loss is", "a Loss"]),
}


@pytest.mark.parametrize(("settings", "words"), WORDS.values(), ids=list(WORDS))
def test_words_for_plain_coefficients(settings, words):
    said(lambda: ol.certify((W, B), X, TWO, **settings), *words, kind=ParameterError)


def test_words_that_a_model_has_of_its_own():
    """Else somebody's alpha would be heard and forgotten."""
    for model in (linear_model.LogisticRegression(), ol.LogisticRegression()):
        model.fit(X, TWO)
        for words in (LOG, {"alpha": 3.0}, {"loss": "huber"}, {"fit_intercept": False}, {"l1_ratio": 0.5}):
            said(
                lambda m=model, w=words: ol.certify(m, X, TWO, **w), "plain coefficients", kind=ParameterError
            )


DATA = {
    "no y": ({"y": None}, ["y is None"]),
    "short y": ({"y": TWO[:5]}, ["40 rows", "y has 5"]),
    "one class": ({"y": 0 * TWO}, ["one class"]),
    "numbers for classes": ({"y": NUMBERS}, ["whole", "LinearRegression"]),
    "X nan": ({"X": X * math.nan}, ["X has 120 values", "NaN"]),
    "X flat": ({"X": X[:, 0]}, ["1 dimension"]),
    "offset short": ({"offset": np.zeros(3)}, ["offset", "3", "40"]),
    "offset wide": ({"offset": np.zeros((40, 2))}, ["offset", "(40, 2)", "(40, 1)"]),
    "offset number": ({"offset": 1.0}, ["offset", "40"]),
    "offset text": ({"offset": ["a"] * 40}, ["offset", "numbers"]),
    "offset nan": ({"offset": np.full(40, math.nan)}, ["offset", "NaN"]),
    "weights short": ({"sample_weight": np.ones(4)}, ["sample_weight", "4", "40"]),
    "weights negative": ({"sample_weight": -np.ones(40)}, ["sample_weight", "-1", "≥ 0"]),
    "weights zero": ({"sample_weight": np.zeros(40)}, ["sample_weight", "zero for every row"]),
}


@pytest.mark.parametrize(("changes", "words"), DATA.values(), ids=list(DATA))
def test_data(changes, words):
    given = {"X": X, "y": TWO, **changes}
    said(lambda: ol.certify((W, B), given.pop("X"), given.pop("y"), **given, **LOG), *words)


NO_BOUND = {
    "absolute, no penalty": ("absolute", 0.0, W[0], ["AbsoluteError()", "without a penalty"]),
    "quantile, no penalty": ("quantile", 0.0, W[0], ["Quantile(tau=0.5)", "without a penalty"]),
    "huber, far away": ("huber", 0.0, W[0] + 50, ["without a penalty", "far from an optimum"]),
}


@pytest.mark.parametrize(("loss", "alpha", "coef", "words"), NO_BOUND.values(), ids=list(NO_BOUND))
def test_where_there_is_no_bound(loss, alpha, coef, words):
    said(lambda: ol.certify((coef, 0.0), X, NUMBERS, loss=loss, alpha=alpha), *words, kind=ParameterError)


def test_where_nothing_can_be_proven_about_classes():
    far = lambda: ol.certify((W + 50, B), X, TWO, loss="log", alpha=0)  # noqa: E731
    said(far, "these coefficients", "far from an optimum", "separated", kind=ParameterError)


def test_coefficients_too_large_for_float64():
    said(lambda: ol.certify((W + 1e308, B), 1e10 * X, TWO, **LOG), "not finite", kind=ParameterError)


MODELS = {
    "liblinear": (
        linear_model.LogisticRegression(solver="liblinear"),
        ["liblinear", "intercept", "solver='lbfgs'"],
    ),
    "other": (
        linear_model.Perceptron(),
        ["Perceptron", "LogisticRegression, Ridge, Lasso, ElasticNet or LinearRegression"],
    ),
    # Fitted, though it has no coef_ of its own.
    "pipeline": (make_pipeline(linear_model.LogisticRegression()), ["Pipeline", "LogisticRegression"]),
}


@pytest.mark.parametrize(("model", "words"), MODELS.values(), ids=list(MODELS))
def test_models(model, words):
    said(lambda: ol.certify(model.fit(X, TWO), X, TWO), *words, kind=ParameterError)


# ---- what a certificate itself says ---------------------------------------------------------------------------

BEST = linear_model.LogisticRegression(C=np.inf, fit_intercept=False).fit(X, TWO).coef_
SPOKEN = {
    "tilted-point": (W, TWO, LOG, ["tilted point", "within", "off by more than"]),
    "quadratic": (W[0], NUMBERS, {"loss": "squared", "alpha": 0.1}, ["exact", "quadratic", "within"]),
    "self-concordance": (BEST, TWO, {"loss": "log", "alpha": 0.0}, ["self-concordance", "a minimum exists"]),
    "tilted-point, l1": (W, TWO, {**LOG, "l1_ratio": 1.0}, ["tilted point"]),
    "gradient-point": (
        W[0],
        NUMBERS,
        {"loss": "absolute", "alpha": 0.1, "l1_ratio": 1.0},
        ["gradient point"],
    ),
}


@pytest.mark.parametrize(("coef", "y", "settings", "words"), SPOKEN.values(), ids=list(SPOKEN))
def test_a_certificate_is_a_sentence(coef, y, settings, words):
    certificate = ol.certify((coef, 0.0), X, y, **settings)
    text = str(certificate)
    assert "\n" not in text
    assert text.endswith(".")
    assert f"{certificate.gap:.2g}" in text
    assert f"{certificate.objective:.8g}" in text
    for word in [*words, "float64"]:
        assert word in text, text
    assert ("optimal weights" in text) == (certificate.weight_radius is not None)
    numbers = certificate.to_dict()
    assert numbers["kind"] == certificate.kind
    assert "reach" not in numbers


def test_softmax_with_intercepts_says_what_is_not_proven():
    certificate = ol.certify((np.zeros((3, 3)), np.zeros(3)), X, THREE, **LOG)
    assert "no bound for the intercept is proven" in str(certificate)
    assert "off by more than" not in str(certificate)
