"""The drop-in HuberRegressor beside scikit-learn's own."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
import sklearn.linear_model
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from onelayer.result import Status
from onelayer.sklearn.huber import HuberRegressor


@parametrize_with_checks([HuberRegressor(), HuberRegressor(epsilon=1.0, alpha=0.0, fit_intercept=False)])
def test_every_check_of_scikit_learn(estimator, check):
    check(estimator)


def table(rows=60, columns=5, seed=0):
    X, y = make_regression(rows, columns, noise=2.0, random_state=seed)
    far = np.random.RandomState(seed).randint(0, rows, rows // 10)
    X[far] = 2 * np.random.RandomState(seed + 1).normal(size=(len(far), columns))
    return X, y


def peer(**options):
    return sklearn.linear_model.HuberRegressor(**{"max_iter": 10000, "tol": 1e-10} | options)


OPTIONS = [
    {},
    {"alpha": 10.0},
    {"alpha": 0.0},
    {"epsilon": 1.1},
    {"epsilon": 30.0},
    {"fit_intercept": False},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_peer_has_no_lower_objective_and_nearly_the_same_coefficients(options, weighted):
    from sklearn.linear_model._huber import _huber_loss_and_gradient as loss

    X, y = table()
    weight = np.random.RandomState(3).uniform(0, 2, len(y)) if weighted else np.ones(len(y))
    ours, theirs = HuberRegressor(**options).fit(X, y, weight), peer(**options).fit(X, y, weight)

    def value(model):
        end = [model.intercept_, model.scale_] if model.fit_intercept else [model.scale_]
        return loss(np.append(model.coef_, end), X, y, model.epsilon, model.alpha, weight)[0]

    assert value(ours) == pytest.approx(ours.certificate_.objective, rel=1e-12)
    assert value(ours) <= value(theirs) * (1 + 1e-14)
    assert ours.certificate_.relative_gap <= 1e-12
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3, atol=1e-3)
    assert ours.scale_ == pytest.approx(theirs.scale_, rel=1e-3)
    np.testing.assert_array_equal(ours.outliers_, theirs.outliers_)
    np.testing.assert_allclose(ours.predict(X), X @ ours.coef_ + ours.intercept_)


def test_attributes_have_the_peers_shapes_and_types():
    X, y = table()
    frame = pd.DataFrame(X, columns=list("abcde"))
    ours, theirs = HuberRegressor().fit(frame, y), peer().fit(frame, y)
    for name in vars(theirs):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert np.shape(mine) == np.shape(other), name
        assert getattr(mine, "dtype", type(mine)) == getattr(other, "dtype", type(mine)), name
    assert list(ours.feature_names_in_) == list("abcde")
    assert ours.get_params().keys() == theirs.get_params().keys()
    assert HuberRegressor().get_params() == sklearn.linear_model.HuberRegressor().get_params()
    assert ours.__sklearn_tags__() == theirs.__sklearn_tags__()
    assert HuberRegressor(fit_intercept=False).fit(X, y).intercept_ == 0.0


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_array"])
@pytest.mark.parametrize("wide", [False, True])
def test_sparse_matrices_give_what_dense_ones_do(kind, wide):
    X, y = table(30, 40) if wide else table()
    X[np.abs(X) < 0.7] = 0
    sparse = getattr(scipy.sparse, kind)(X)
    before = sparse.copy()
    weight = np.arange(len(y)) % 3.0
    options = {"alpha": 1.0}
    dense, model = (HuberRegressor(**options).fit(part, y, weight) for part in (X, sparse))
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(model.predict(sparse), dense.predict(X), rtol=1e-8, atol=1e-8)
    np.testing.assert_array_equal(model.outliers_, dense.outliers_)
    assert (sparse != before).nnz == 0


def test_a_sparse_matrix_with_wide_indices_and_double_entries():
    X, y = table()
    X[np.abs(X) < 0.7] = 0
    wide = scipy.sparse.csr_array(X)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    coo = scipy.sparse.coo_array(X)
    twice = scipy.sparse.csr_array(
        scipy.sparse.csr_matrix(
            (np.r_[coo.data / 2, coo.data / 2], (np.r_[coo.row, coo.row], np.r_[coo.col, coo.col]))
        )
    )
    dense = HuberRegressor().fit(X, y)
    for matrix in (wide, twice):
        np.testing.assert_allclose(HuberRegressor().fit(matrix, y).coef_, dense.coef_, rtol=1e-9)


def test_weight_zero_is_a_row_removed_and_weight_k_is_k_rows():
    X, y = table()
    weight = np.arange(len(y)) % 4
    y[weight == 0] = 1e6
    model = HuberRegressor().fit(X, y, sample_weight=weight)
    copies = HuberRegressor().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(model.coef_, copies.coef_, rtol=1e-10)
    assert model.scale_ == pytest.approx(copies.scale_, rel=1e-10)
    assert model.certificate_.objective == pytest.approx(copies.certificate_.objective, rel=1e-12)
    # Outliers are told for every row that was given.
    assert model.outliers_.shape == y.shape
    assert model.outliers_[weight == 0].all()


@pytest.mark.parametrize("kind", ["plain", "absolute", "interpolated", "wide"])
def test_a_warm_start_at_the_optimum_keeps_it(kind):
    X, y = table(12, 30) if kind in ("interpolated", "wide") else table()
    options = {"absolute": {"epsilon": 1.0}, "wide": {"alpha": 100.0}}.get(kind, {})
    model = HuberRegressor(warm_start=True, **options).fit(X, y)
    coefficients, intercept, scale = model.coef_.copy(), model.intercept_, model.scale_
    model.fit(X, y)
    assert model.n_iter_ == 0
    np.testing.assert_array_equal(model.coef_, coefficients)
    assert (model.intercept_, model.scale_) == (intercept, scale)
    assert model.result_.status is Status.CONVERGED


def test_max_iter_stops_warns_and_a_warm_start_goes_on():
    X, y = table()
    whole = HuberRegressor().fit(X, y)
    assert whole.n_iter_ > 2
    model = HuberRegressor(max_iter=1, warm_start=True)
    with pytest.warns(
        ConvergenceWarning,
        match=r"failed to converge after 1 iteration\(s\): Stopped at max_iter(.|\n)*"
        r"Increase the number of iterations to improve the convergence \(max_iter=1\)",
    ) as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__
    assert model.n_iter_ == 1
    assert model.result_.status is Status.MAX_ITER
    assert model.certificate_.gap >= model.certificate_.objective - whole.certificate_.objective > 0
    model.set_params(max_iter=100).fit(X, y)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-9)


def test_no_iteration_returns_the_start():
    X, y = table()
    with pytest.warns(ConvergenceWarning, match="after 0 iteration"):
        ours = HuberRegressor(max_iter=0).fit(X, y)
    assert not ours.coef_.any()
    assert (ours.intercept_, ours.n_iter_, ours.scale_) == (0.0, 0, 1.0)


def test_a_fit_that_has_nothing_to_move_has_its_best_scale():
    ours = HuberRegressor(fit_intercept=False).fit(np.zeros((2, 1)), [0.64, 0.1])
    # 2σ + 2·1.35·0.64 − 1.35²σ + 0.1²/σ, the first row being outside.
    assert ours.scale_ == pytest.approx(0.1 / np.sqrt(2 - 1.35**2))
    assert ours.certificate_.gap <= 1e-15


def test_a_warm_start_without_an_intercept_has_none():
    X, y = table()
    model = HuberRegressor(warm_start=True, fit_intercept=False).fit(X, y)
    model.fit(2 * X, y)
    assert model.intercept_ == 0.0
    np.testing.assert_allclose(
        model.coef_, HuberRegressor(fit_intercept=False).fit(2 * X, y).coef_, rtol=1e-8
    )


def test_a_warm_start_with_other_features_says_so():
    X, y = table()
    model = HuberRegressor(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="X has 2 features, but the coefficients to start from"):
        model.fit(X[:, :2], y)


BAD = {
    "epsilon": ({"epsilon": 0.9}, {}),
    "epsilon as text": ({"epsilon": "1"}, {}),
    "max_iter": ({"max_iter": -1}, {}),
    "max_iter as float": ({"max_iter": 1.5}, {}),
    "alpha": ({"alpha": -1.0}, {}),
    "tol": ({"tol": -1.0}, {}),
    "warm_start": ({"warm_start": "yes"}, {}),
    "fit_intercept": ({"fit_intercept": None}, {}),
    "NaN": ({}, {"X": np.full((3, 2), np.nan)}),
    "NaN in y": ({}, {"y": [1.0, np.nan, 2.0]}),
    "1-d": ({}, {"X": np.ones(3)}),
    "2-d y": ({}, {"y": np.ones((3, 2))}),
    "lengths": ({}, {"y": np.ones(4)}),
    "weights' length": ({}, {"sample_weight": np.ones(4)}),
    "weights 2-d": ({}, {"sample_weight": np.ones((3, 1))}),
    "no weight": ({}, {"sample_weight": np.zeros(3)}),
    "text": ({}, {"X": np.array([["a", "b"]] * 3)}),
    "complex": ({}, {"X": np.ones((3, 2)) * 1j}),
    "empty": ({}, {"X": np.ones((0, 2)), "y": np.ones(0)}),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_have_the_peers_words(name):
    options, data = BAD[name]
    data = {"X": np.arange(6.0).reshape(3, 2), "y": np.arange(3.0)} | data
    with pytest.raises((ValueError, TypeError)) as theirs:
        sklearn.linear_model.HuberRegressor(**options).fit(**data)
    with pytest.raises(type(theirs.value)) as ours:
        HuberRegressor(**options).fit(**data)
    assert str(ours.value) == str(theirs.value)


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        HuberRegressor().fit([[1.0], [2.0]], [1.0, 2.0], sample_weight=[1.0, -1.0])


def test_errors_of_predict_have_the_peers_words():
    X, y = table()
    for wrong in (X[:, :2], X[0]):
        with pytest.raises(ValueError, match=r".") as theirs:
            peer().fit(X, y).predict(wrong)
        with pytest.raises(ValueError, match=r".") as ours:
            HuberRegressor().fit(X, y).predict(wrong)
        assert str(ours.value) == str(theirs.value)
    with pytest.raises(NotFittedError, match="This HuberRegressor instance is not fitted yet"):
        HuberRegressor().predict(X)


@pytest.mark.parametrize("factor", [1e-250, 1e-30, 1e30, 1e250])
def test_units_of_features_do_not_matter(factor):
    X, y = table()
    plain, scaled = (HuberRegressor(alpha=0.0).fit(part, y) for part in (X, X * factor))
    np.testing.assert_allclose(scaled.coef_ * factor, plain.coef_, rtol=1e-8)
    assert scaled.scale_ == pytest.approx(plain.scale_, rel=1e-9)


@pytest.mark.parametrize("rows", [60, 4])
def test_columns_far_from_zero(rows):
    X, y = table(60, 5)
    X, y = X[:rows], y[:rows]
    plain, far = (HuberRegressor(alpha=1e-3).fit(part, y) for part in (X, X + 2e5))
    np.testing.assert_allclose(far.coef_, plain.coef_, rtol=1e-7, atol=1e-8)
    assert far.certificate_.gap <= 1e-10 * np.abs(y).sum()
    coefficients = far.coef_.copy()
    far.set_params(warm_start=True).fit(X + 2e5, y)
    np.testing.assert_allclose(far.coef_, coefficients, rtol=1e-9, atol=1e-10)


def test_memory_that_is_read_only_or_runs_backwards():
    X, y = table()
    expected = HuberRegressor().fit(X, y).coef_
    frozen = X.copy()
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for same in (frozen, np.asfortranarray(X), X[::-1].copy()[::-1], np.hstack([X, X])[:, :5]):
            np.testing.assert_allclose(HuberRegressor().fit(same, y).coef_, expected, rtol=1e-10)
    narrow = HuberRegressor().fit(X.astype(np.float32), y)
    assert narrow.coef_.dtype == np.float64
    np.testing.assert_allclose(narrow.coef_, expected, rtol=1e-4)


def test_data_on_a_line_say_that_there_is_no_scale():
    X, _ = table()
    y = X @ np.arange(1.0, 6.0) + 2
    y[:5] += 100
    model = HuberRegressor().fit(X, y)
    np.testing.assert_allclose(model.coef_, np.arange(1.0, 6.0), rtol=1e-6)
    assert 0 < model.scale_ < 1e-11
    assert "least at scale 0" in model.result_.message
    np.testing.assert_array_equal(np.flatnonzero(model.outliers_), np.arange(5))


def test_it_is_a_part_of_pipelines_searches_and_copies():
    X, y = table()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), HuberRegressor()), {"huberregressor__alpha": [1e-4, 1.0, 1e3]}
    )
    search.fit(X, y)
    assert search.best_params_["huberregressor__alpha"] < 1e3
    model = search.best_estimator_[-1]
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(again.coef_, model.coef_)
    assert again.certificate_ == model.certificate_
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    assert not hasattr(fresh, "coef_")


def test_weights_are_routed():
    X, y = table()
    weight = np.random.RandomState(0).uniform(0.1, 2, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        model = HuberRegressor().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        routed = cross_validate(model, X, y, params={"sample_weight": weight}, cv=3, return_estimator=True)
    part = np.arange(20, 60)
    np.testing.assert_allclose(
        routed["estimator"][0].coef_, HuberRegressor().fit(X[part], y[part], weight[part]).coef_, rtol=1e-9
    )


def test_the_account_can_be_read():
    X, y = table()
    model = HuberRegressor().fit(X, y)
    values = [record.objective for record in model.result_.trace]
    assert len(values) == model.n_iter_ + 1
    assert values[0] > values[-1] == pytest.approx(model.certificate_.objective, rel=1e-12)
    assert model.result_.trace[-1].gradient_norm < 1e-8 * model.result_.trace[0].gradient_norm
    assert model.result_.passes > model.n_iter_
    assert "duality gap of Huber's regression with its scale" in str(model.certificate_)
