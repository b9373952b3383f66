"""Whatever the data, a fit ends with an honest status or an error of one sentence; it neither hangs nor lies."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

import onelayer as ol

# Enough for every honest fit of twelve rows; a fit that needs more is stopped, which is a status too.
LIMITS = {"max_iter": 200, "time_limit": 5}
SIZES = [1e-300, 1e-160, 1e-30, 1e-8, 1.0, 1e8, 1e30, 1e160, 1e300]


@st.composite
def matrices(draw, rows=None):
    """Few rows, few columns, any size, constants, duplicates."""
    rows = rows or draw(st.integers(1, 12))
    features = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    X = rng.normal(size=(rows, features))
    for column in range(features):
        kind = draw(st.sampled_from(["plain", "plain", "constant", "zero", "twice", "huge", "whole"]))
        if kind == "constant":
            X[:, column] = draw(st.sampled_from([0.1, -7.0, 1e8, 1e-300]))
        elif kind == "zero":
            X[:, column] = 0
        elif kind == "twice":
            X[:, column] = X[:, 0]
        elif kind == "huge":
            X[:, column] *= draw(st.sampled_from(SIZES))
        elif kind == "whole":
            X[:, column] = np.round(X[:, column])
    if draw(st.booleans()) and rows > 1:
        X[-1] = X[0]
    return X


settings = st.fixed_dictionaries(
    {
        "fit_intercept": st.booleans(),
        "standardize": st.booleans(),
        "dtype": st.sampled_from([None, "float32", "float64"]),
        "solver": st.sampled_from(
            [
                "lbfgs",
                ol.solvers.LBFGS(precondition=False),
                ol.solvers.GradientDescent(steps=20),
                ol.solvers.GradientDescent(0.1, steps=20),
                ol.solvers.SGD(0.1, 4, 5),
            ]
        ),
    }
)


def assert_honest(model, X, y, weight=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.set_params(random_state=0, **LIMITS).fit(X, y, weight)
        except ValueError as error:
            # OnelayerError or not: a sentence for people.
            refusal = str(error)
        else:
            refusal = None
    if refusal is not None:
        assert refusal
        assert "\n" not in refusal
        return
    result, certificate = model.result_, model.certificate_
    assert "\n" not in result.message
    if not result.status.is_success:
        return
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    assert np.isfinite(result.objective)
    if result.status == "converged":
        assert certificate.relative_gap <= model.tol
        assert certificate.gap >= 0


@given(matrices(), settings, st.data())
def test_classifiers(X, options, data):
    y = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(X), max_size=len(X))))
    kind = data.draw(st.sampled_from([ol.LogisticRegression, ol.SoftmaxRegression]))
    C = data.draw(st.sampled_from([1e-6, 1.0, 1e6, np.inf]))
    assert_honest(kind(C=C, **options), X, y)


@given(matrices(), settings, st.data())
def test_regressions(X, options, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**20)))
    y = rng.normal(size=len(X)) * data.draw(st.sampled_from([0.0, *SIZES]))
    loss, alpha = (
        data.draw(st.sampled_from(["squared", "huber"])),
        data.draw(st.sampled_from([0.0, 1e-6, 1.0])),
    )
    assert_honest(ol.LinearRegression(loss, alpha=alpha, **options), X, y)


@given(matrices(rows=8), settings, st.data())
def test_weights(X, options, data):
    """Weights of any size, also of a class that weighs nothing."""
    y = np.arange(8) % 2
    weight = np.array(data.draw(st.lists(st.sampled_from([0.0, 1e-30, 1.0, 1e30]), min_size=8, max_size=8)))
    assert_honest(ol.LogisticRegression(**options), X, y, weight)
    assert_honest(ol.LinearRegression(alpha=0.1, **options), X, y, weight)


@pytest.mark.parametrize("size", SIZES)
def test_a_converged_regression_is_right_at_any_size_of_column(size):
    """P at the optimum does not depend on the unit of a column; a proof that says so must be true."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2))
    y = X @ [2.0, -1.0] + 0.1 * rng.normal(size=20)
    expected = ol.LinearRegression(tol=1e-12).fit(X, y).result_.objective
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = ol.LinearRegression(**LIMITS).fit(X * size, y)
    if model.result_.status == "converged":
        assert model.result_.objective == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("size", [1e160, 1e300])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_one_column_whose_squares_overflow(size, alpha):
    X = np.random.default_rng(0).normal(size=(8, 3)) * [1.0, 1.0, size]
    assert_honest(ol.LinearRegression(alpha=alpha), X, X[:, 0])
    assert_honest(ol.LinearRegression("huber", alpha=alpha), X, X[:, 0])
    assert_honest(ol.LogisticRegression(), X, X[:, 0] > 0)


# One class weighs nothing: the loss falls for ever, and no penalty holds the intercept.
@pytest.mark.parametrize("kind", [ol.LogisticRegression, ol.SoftmaxRegression])
@pytest.mark.parametrize("C", [1.0, np.inf])
def test_fits_without_an_optimum_end(kind, C):
    X = np.random.default_rng(0).normal(size=(12, 2))
    y = np.arange(12) % 2
    model = kind(C=C, time_limit=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(X, y, y.astype(float))
        except ValueError:
            # Refused: what it says is matched in tests/messages.
            return
    assert model.result_.status != "time_limit"
    assert not model.result_.status.is_success


@pytest.mark.parametrize("x", [[0, 0, 1, 1], [0, 1, 1, 2], [-1, 0, 0, 1]], ids=str)
def test_data_that_a_line_nearly_separates_end(x):
    """Quasi-separation: no optimum, and no line that separates strictly either."""
    model = ol.LogisticRegression(C=np.inf, time_limit=3)
    with pytest.warns(ConvergenceWarning):
        model.fit(
            np.array(x, dtype=float)[:, None], [0, 0, 1, 1] if x[0] == x[2] or x[1] == x[2] else [0, 1, 1, 1]
        )
    assert model.result_.status in ("stalled", "separated")


@pytest.mark.parametrize("target", [0.1, 0.0, 1e-300, 1e8])
@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_a_constant_target_is_met(loss, target):
    X = np.random.default_rng(0).normal(size=(12, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = ol.LinearRegression(loss, alpha=0.1, **LIMITS).fit(X, np.full(12, target))
    np.testing.assert_allclose(model.predict(X), target, rtol=1e-6, atol=1e-12)
    assert model.result_.status == "converged"
