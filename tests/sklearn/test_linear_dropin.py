"""LinearRegression of onelayer.sklearn: scikit-learn's answers where these are least squares, and its words."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
import sklearn.linear_model
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from onelayer.errors import RankWarning
from onelayer.sklearn.linear import LinearRegression

CONFIGURATIONS = [
    LinearRegression(),
    LinearRegression(fit_intercept=False),
    LinearRegression(positive=True),
    LinearRegression(tol=0.0, n_jobs=2),
]


@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        check(estimator)


def table(name, seed=0):
    rng = np.random.default_rng(seed)
    rows, columns = {"tall": (40, 6), "wide": (7, 15), "square": (9, 9)}.get(name, (40, 6))
    X = rng.normal(size=(rows, columns)) + 3
    if name == "dependent":
        X[:, 4] = X[:, 0] - 2 * X[:, 1]
    elif name == "constant column":
        X[:, 2] = 0.1
    elif name == "one column":
        X = X[:, :1]
    elif name == "one row":
        X = X[:1]
    elif name == "repeated rows":
        X[5:] = X[:35]
    return X, rng.normal(size=(len(X), 3)), rng.uniform(0.1, 2.0, size=len(X))


TABLES = ["tall", "wide", "square", "dependent", "constant column", "one column", "one row", "repeated rows"]


def minimum_norm(X, y, sample_weight, fit_intercept):
    """numpy's lstsq on centred, weighted data."""
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    X, y = X.astype(float), y.astype(float)
    center, level = np.zeros(X.shape[1]), np.zeros(y.shape[1:])
    if fit_intercept:
        center = X[0] + np.average(X - X[0], axis=0, weights=weight)
        level = np.average(y, axis=0, weights=weight)
    root = np.sqrt(weight)
    right = ((y - level).T * root).T
    coef = np.linalg.lstsq((X - center) * root[:, None], right, rcond=1e-10)[0].T
    return coef, level - coef @ center


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("targets", [None, 1, 3])
@pytest.mark.parametrize("name", TABLES)
def test_the_answer_is_numpys_and_its_shapes_are_scikit_learns(name, targets, weighted, fit_intercept):
    X, y, sample_weight = table(name)
    y = y[:, 0] if targets is None else y[:, :targets]
    sample_weight = sample_weight if weighted else None
    ours = LinearRegression(fit_intercept=fit_intercept).fit(X, y, sample_weight)
    coef, intercept = minimum_norm(X, y, sample_weight, fit_intercept)
    np.testing.assert_allclose(ours.coef_, coef, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.intercept_, intercept, rtol=1e-8, atol=1e-10)
    theirs = sklearn.linear_model.LinearRegression(fit_intercept=fit_intercept).fit(X, y, sample_weight)
    assert np.shape(ours.coef_) == np.shape(theirs.coef_)
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7, atol=1e-9)
    assert ours.predict(X).shape == y.shape
    if theirs.singular_[0] > 1e-12:
        assert ours.rank_ == theirs.rank_
    np.testing.assert_allclose(ours.singular_, theirs.singular_, atol=1e-10 * max(1, theirs.singular_[0]))
    assert ours.certificate_.relative_gap < 1e-9
    assert ours.result_.status == "converged"


def test_weights_of_zero_remove_rows_and_whole_weights_repeat_them():
    X, y, _ = table("tall")
    sample_weight = np.random.default_rng(1).integers(0, 4, size=len(X)).astype(float)
    X[sample_weight == 0] *= 1e6
    weighted = LinearRegression().fit(X, y, sample_weight)
    kept = sample_weight > 0
    count = sample_weight[kept].astype(int)
    for other in (
        LinearRegression().fit(X[kept], y[kept], sample_weight[kept]),
        LinearRegression().fit(X[kept].repeat(count, axis=0), y[kept].repeat(count, axis=0)),
    ):
        np.testing.assert_allclose(weighted.coef_, other.coef_, rtol=1e-9)
        np.testing.assert_allclose(weighted.intercept_, other.intercept_, rtol=1e-9)


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint8, np.float16, bool])
def test_kinds_of_numbers(kind):
    rng = np.random.default_rng(0)
    X = (10 * rng.random(size=(30, 4))).astype(kind)
    X = rng.random(size=(30, 4)) > 0.5 if kind is bool else X
    y = rng.normal(size=30)
    model = LinearRegression().fit(X, y)
    expected = np.float32 if kind is np.float32 else np.float64
    assert model.coef_.dtype == model.intercept_.dtype == model.singular_.dtype == expected
    coef, intercept = minimum_norm(X, y, None, True)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-5)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-5)
    if kind is np.float32:
        assert model.predict(X).dtype == np.float32


@pytest.mark.parametrize("copy_X", [True, False])
def test_no_argument_that_is_read_only_is_written_to(copy_X):
    X, y, sample_weight = table("tall")
    before = X.copy(), y.copy(), sample_weight.copy()
    for array in (X, y, sample_weight):
        array.setflags(write=False)
    LinearRegression(copy_X=copy_X).fit(X, y, sample_weight)
    LinearRegression(copy_X=copy_X, positive=True).fit(X, y, sample_weight)
    for array, same in zip((X, y, sample_weight), before, strict=True):
        np.testing.assert_array_equal(array, same)


# ---- tol: scikit-learn's threshold for singular values ----------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("tol", [1e-6, 1e-2, 0.5])
def test_tol_leaves_out_what_scikit_learns_tol_leaves_out(tol, fit_intercept):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 5)) * [1.0, 1e-1, 1e-3, 1e-5, 1e-9] + 2.0
    X[:, 4] -= 2.0
    y = rng.normal(size=(50, 2))
    theirs = sklearn.linear_model.LinearRegression(tol=tol, fit_intercept=fit_intercept).fit(X, y)
    with pytest.warns(RankWarning, match=f"at most tol={tol:g} times the largest.*tol=0 leaves nothing out"):
        ours = LinearRegression(tol=tol, fit_intercept=fit_intercept).fit(X, y)
    assert ours.rank_ == theirs.rank_ < 5
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6)
    # The certificate is about least squares, so it tells what was given away.
    exact, above_one = (
        LinearRegression(tol=tol, fit_intercept=fit_intercept).fit(X, y) for tol in (0.0, 2.0)
    )
    np.testing.assert_array_equal(exact.coef_, above_one.coef_)
    assert exact.rank_ == 5
    lost = ours.certificate_.objective - exact.certificate_.objective
    np.testing.assert_allclose(ours.certificate_.gap, lost, rtol=1e-4)
    assert ours.result_.objective == ours.certificate_.objective


def test_targets_that_a_constant_meets():
    X, _, _ = table("tall")
    for y in (np.zeros(40), np.full(40, 3.25)):
        model = LinearRegression().fit(X, y)
        np.testing.assert_allclose(model.coef_, 0.0, atol=1e-15)
        np.testing.assert_allclose(model.intercept_, y[0], rtol=1e-14)
        assert model.rank_ == 6
        assert model.certificate_.relative_gap == 0.0


@pytest.mark.parametrize("exponent", [1, 5, 10, 100])
def test_with_tol_zero_units_of_columns_do_not_matter(exponent):
    rng = np.random.default_rng(exponent)
    X, y = rng.normal(size=(40, 6)), rng.normal(size=40)
    units = 10.0 ** rng.uniform(-exponent, exponent, size=6)
    model = LinearRegression(tol=0.0).fit(X * units, y)
    coef, intercept = minimum_norm(X, y, None, True)
    np.testing.assert_allclose(model.coef_ * units, coef, rtol=1e-9)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-9)


# ---- positive=True ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["tall", "square", "one column", "constant column"])
def test_nonnegative_least_squares(name, weighted, fit_intercept):
    X, y, sample_weight = table(name)
    sample_weight = sample_weight if weighted else None
    ours = LinearRegression(positive=True, fit_intercept=fit_intercept).fit(X, y, sample_weight)
    theirs = sklearn.linear_model.LinearRegression(positive=True, fit_intercept=fit_intercept)
    theirs.fit(X, y, sample_weight)
    if name != "constant column":
        # There scikit-learn's coefficient is the rounding of the column's mean, divided by itself.
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-10)
    # Karush-Kuhn-Tucker: no gradient where a coefficient is positive, none downwards where it is zero.
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    left = (ours.predict(X) - y) * weight[:, None]
    gradient = left.T @ X
    scale = np.linalg.norm(y) * np.linalg.norm(X)
    assert (ours.coef_ >= 0).all()
    assert np.abs(gradient[ours.coef_ > 0]).max(initial=0.0) < 1e-12 * scale
    assert gradient.min() > -1e-12 * scale
    assert not fit_intercept or np.abs(left.sum(axis=0)).max() < 1e-12 * scale
    assert ours.certificate_.relative_gap < 1e-12


@pytest.mark.parametrize("exponent", [4, 12, 100])
def test_nonnegative_coefficients_of_columns_in_any_units(exponent):
    rng = np.random.default_rng(exponent)
    X, y = rng.normal(size=(40, 8)), rng.normal(size=40)
    units = 10.0 ** rng.uniform(-exponent, exponent, size=8)
    plain = LinearRegression(positive=True).fit(X, y)
    scaled = LinearRegression(positive=True).fit(X * units, y)
    np.testing.assert_allclose(scaled.coef_ * units, plain.coef_, rtol=1e-9, atol=1e-12)
    assert scaled.certificate_.relative_gap < 1e-12


@pytest.mark.parametrize("name", ["wide", "dependent", "repeated rows"])
def test_a_nonnegative_fit_is_proven_also_where_columns_depend_on_each_other(name):
    X, y, _ = table(name)
    model = LinearRegression(positive=True).fit(np.concatenate([X, X[:, :2]], axis=1), y)
    assert model.certificate_.relative_gap < 1e-9
    assert model.result_.status == "converged"


# ---- words ------------------------------------------------------------------------------------------------------


BAD = [
    ({"tol": -1.0}, {}, ValueError, "The 'tol' parameter of LinearRegression must be a float in the range"),
    ({"fit_intercept": "no"}, {}, ValueError, "The 'fit_intercept' parameter of LinearRegression must be"),
    ({}, {"X": [[np.nan], [1.0]]}, ValueError, "Input X contains NaN"),
    ({}, {"y": [np.inf, 1.0]}, ValueError, "Input y contains infinity"),
    ({}, {"y": [1.0]}, ValueError, "Found input variables with inconsistent numbers of samples"),
    ({}, {"y": None}, ValueError, "requires y to be passed, but the target y is None"),
    ({}, {"X": [1.0, 2.0]}, ValueError, "Expected 2D array, got 1D array instead"),
    ({}, {"sample_weight": [[1.0, 1.0]]}, ValueError, "Sample weights must be 1D array or scalar"),
    ({}, {"sample_weight": [1.0, -1.0]}, ValueError, "Negative values in data passed to `sample_weight`"),
    ({}, {"sample_weight": [0.0, 0.0]}, ValueError, "Sample weights must contain at least one non-zero"),
    (
        {"positive": True},
        {"X": scipy.sparse.eye_array(2)},
        TypeError,
        "Sparse data was passed for X, but dense",
    ),
]


@pytest.mark.parametrize(("parameters", "data", "kind", "words"), BAD)
def test_errors_have_scikit_learns_words(parameters, data, kind, words):
    data = {"X": [[1.0], [2.0]], "y": [1.0, 2.0], **data}
    for model in (LinearRegression(**parameters), sklearn.linear_model.LinearRegression(**parameters)):
        with pytest.raises(kind, match=words):
            model.fit(**data)


def test_clones_and_pickles_keep_what_they_should():
    X, y, _ = table("tall")
    model = LinearRegression(tol=1e-3, fit_intercept=False).fit(X, y)
    assert clone(model).get_params() == model.get_params()
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.certificate_ == model.certificate_


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_sparse_formats(form, fit_intercept):
    X, y, sample_weight = table("tall")
    X = np.where(X > 3, X, 0.0)
    model = LinearRegression(fit_intercept=fit_intercept)
    dense = model.fit(X, y, sample_weight).coef_
    sparse = clone(model).fit(scipy.sparse.csr_array(X).asformat(form), y, sample_weight)
    np.testing.assert_allclose(sparse.coef_, dense, rtol=1e-8)
    np.testing.assert_allclose(sparse.predict(scipy.sparse.csr_array(X).asformat(form)), model.predict(X))


def test_singular_values_are_those_of_the_whole_matrix_where_it_is_read_in_blocks():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700_000, 3)).cumsum(axis=1)
    X += [0.0, 50.0, -1e3]
    model = LinearRegression().fit(X, X[:, 0] - X[:, 2])
    expected = scipy.linalg.svdvals(X - X.mean(axis=0))
    np.testing.assert_allclose(model.singular_, expected, rtol=1e-11)
