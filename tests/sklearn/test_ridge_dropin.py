"""Ridge of onelayer.sklearn: the exact optimum under every solver's name, in scikit-learn's shapes and words."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
import sklearn.linear_model
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import onelayer
import onelayer.sklearn.proofs
import onelayer.sklearn.reduction
from onelayer.sklearn.ridge import Ridge

SOLVERS = ["auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"]

CONFIGURATIONS = [
    Ridge(),
    Ridge(alpha=0.0),
    Ridge(fit_intercept=False),
    Ridge(solver="lsqr", max_iter=500),
    Ridge(positive=True),
]
# scikit-learn's test_n_iter asks for n_iter_ = None where a direct solver was named, and its check for a number.
NAMED = [Ridge(solver="svd", fit_intercept=False), Ridge(solver="lbfgs", positive=True)]
CONTRADICTION = {
    "check_non_transformer_estimators_n_iter": "n_iter_ is None, as scikit-learn's test_n_iter demands"
}


@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learns_own_checks(estimator, check):
    _run(estimator, check)


@parametrize_with_checks(NAMED, expected_failed_checks=lambda estimator: CONTRADICTION)
def test_scikit_learns_own_checks_of_a_direct_solver_that_was_named(estimator, check):
    _run(estimator, check)


def _run(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        check(estimator)


def table(name):
    rng = np.random.default_rng(0)
    rows, columns = {"wide": (7, 15), "square": (9, 9)}.get(name, (40, 6))
    X = rng.normal(size=(rows, columns)) + 3
    if name == "dependent":
        X[:, 4] = X[:, 0] - 2 * X[:, 1]
    elif name == "constant column":
        X[:, 2] = 0.1
    return X, rng.normal(size=(rows, 3)), rng.uniform(0.1, 2.0, size=rows)


TABLES = ["tall", "wide", "square", "dependent", "constant column"]


def by_stacking(X, y, sample_weight, alpha, fit_intercept):
    """numpy's lstsq on centred data with the penalty as rows; the minimum norm for alpha = 0."""
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    center, level = np.zeros(X.shape[1]), np.zeros(y.shape[1:])
    if fit_intercept:
        center = X[0] + np.average(X - X[0], axis=0, weights=weight)
        level = np.average(y, axis=0, weights=weight)
    root = np.sqrt(weight)
    rows = np.concatenate([(X - center) * root[:, None], np.sqrt(alpha) * np.eye(X.shape[1])])
    right = np.concatenate([((y - level).T * root).T, np.zeros((X.shape[1], *y.shape[1:]))])
    coef = np.linalg.lstsq(rows, right, rcond=1e-10)[0].T
    return coef, level - coef @ center


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0, 1e8])
@pytest.mark.parametrize("name", TABLES)
def test_the_answer_is_numpys(name, alpha, weighted, fit_intercept):
    X, y, sample_weight = table(name)
    sample_weight = sample_weight if weighted else None
    with warnings.catch_warnings():
        # That of singular normal equations has a test of its own.
        warnings.simplefilter("ignore")
        model = Ridge(alpha, fit_intercept=fit_intercept).fit(X, y, sample_weight)
    coef, intercept = by_stacking(X, y, sample_weight, alpha, fit_intercept)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-8, atol=1e-10 / max(1.0, alpha))
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-8, atol=1e-10)
    assert model.certificate_.relative_gap < 1e-9
    assert model.result_.status == "converged"


@pytest.mark.parametrize("solver", SOLVERS)
def test_each_solvers_name_leads_to_the_same_optimum(solver):
    X, y, sample_weight = table("tall")
    model = Ridge(0.5, solver=solver).fit(X, y, sample_weight)
    np.testing.assert_allclose(model.coef_, by_stacking(X, y, sample_weight, 0.5, True)[0], rtol=1e-9)
    assert model.solver_ == ("cholesky" if solver == "auto" else solver)
    if solver in ("auto", "lsqr", "sag", "saga"):
        assert model.n_iter_.shape == (3,)
        assert model.n_iter_.dtype == np.int32
    else:
        assert model.n_iter_ is None


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("positive", [True, False])
def test_each_target_has_its_own_alpha(positive, fit_intercept):
    X, y, sample_weight = table("wide")
    alphas = np.array([2.0, 0.1, 2.0])
    parameters = {"positive": positive, "fit_intercept": fit_intercept}
    joint = Ridge(alphas, **parameters).fit(X, y, sample_weight)
    single = [Ridge(alpha, **parameters).fit(X, y[:, k], sample_weight) for k, alpha in enumerate(alphas)]
    np.testing.assert_allclose(joint.coef_, [model.coef_ for model in single], rtol=1e-9, atol=1e-12)
    if fit_intercept:
        np.testing.assert_allclose(joint.intercept_, [model.intercept_ for model in single], rtol=1e-9)
    total = sum(model.result_.objective for model in single)
    assert joint.result_.objective == pytest.approx(total)
    assert joint.certificate_.objective == pytest.approx(total)
    assert joint.result_.trace[-1].objective == pytest.approx(total)
    assert joint.certificate_.relative_gap < 1e-9


@pytest.mark.parametrize("shape", [(30,), (30, 1), (30, 2)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("positive", [True, False])
def test_shapes_are_scikit_learns(shape, fit_intercept, positive):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=shape)
    parameters = {"fit_intercept": fit_intercept, "positive": positive}
    ours = Ridge(**parameters).fit(X, y)
    theirs = sklearn.linear_model.Ridge(**parameters).fit(X, y)
    for name in ("coef_", "intercept_"):
        assert np.shape(getattr(ours, name)) == np.shape(getattr(theirs, name))
    assert isinstance(ours.intercept_, type(theirs.intercept_))
    assert ours.predict(X).shape == theirs.predict(X).shape
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-4)


@pytest.mark.parametrize("exponent", [3, 10, 60])
def test_hostile_units_of_columns_and_targets(exponent):
    rng = np.random.default_rng(exponent)
    X = rng.normal(size=(40, 5)) * 10.0 ** rng.uniform(-exponent, exponent, size=5)
    y = rng.normal(size=40) * 10.0 ** rng.uniform(-exponent, exponent)
    model = Ridge(1.0).fit(X, y)
    size = np.sqrt(1.0 + np.square(X - X.mean(axis=0)).sum(axis=0))
    rows = np.concatenate([X - X.mean(axis=0), np.eye(5)]) / size
    expected = np.linalg.lstsq(rows, np.concatenate([y - y.mean(), np.zeros(5)]), rcond=None)[0] / size
    np.testing.assert_allclose(model.coef_ * size, expected * size, rtol=1e-8, atol=1e-9 * np.abs(y).max())
    assert model.certificate_.relative_gap < 1e-6


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_weights_of_zero_remove_rows_and_whole_weights_repeat_them(alpha):
    X, y, _ = table("tall")
    sample_weight = np.random.default_rng(1).integers(0, 4, size=len(X)).astype(float)
    X[sample_weight == 0] *= 1e6
    kept, count = sample_weight > 0, sample_weight[sample_weight > 0].astype(int)
    for positive in (False, True):
        model = Ridge(alpha, positive=positive)
        weighted = clone(model).fit(X, y, sample_weight).coef_
        removed = clone(model).fit(X[kept], y[kept], sample_weight[kept]).coef_
        repeated = clone(model).fit(X[kept].repeat(count, axis=0), y[kept].repeat(count, axis=0)).coef_
        np.testing.assert_allclose(weighted, removed, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
def test_float32_stays_float32(solver):
    X, y, sample_weight = table("tall")
    model = Ridge(solver=solver, positive=solver == "lbfgs")
    wide = clone(model).fit(X, y, sample_weight)
    narrow = model.fit(X.astype(np.float32), y.astype(np.float32), sample_weight)
    assert narrow.coef_.dtype == narrow.intercept_.dtype == np.float32
    assert narrow.predict(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(narrow.coef_, wide.coef_, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("positive", [True, False])
def test_no_argument_that_is_read_only_is_written_to(positive):
    X, y, sample_weight = table("tall")
    before = X.copy(), y.copy(), sample_weight.copy()
    for array in (X, y, sample_weight):
        array.setflags(write=False)
    Ridge(copy_X=False, positive=positive).fit(X, y, sample_weight)
    for array, same in zip((X, y, sample_weight), before, strict=True):
        np.testing.assert_array_equal(array, same)


# ---- positive=True ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1e-2, 10.0])
@pytest.mark.parametrize("name", TABLES)
def test_nonnegative_coefficients_meet_the_conditions_of_karush_kuhn_and_tucker(name, alpha, fit_intercept):
    X, y, sample_weight = table(name)
    model = Ridge(alpha, positive=True, fit_intercept=fit_intercept).fit(X, y, sample_weight)
    left = (model.predict(X) - y) * sample_weight[:, None]
    gradient = left.T @ X + alpha * model.coef_
    scale = np.linalg.norm(X) * np.linalg.norm(y)
    assert (model.coef_ >= 0).all()
    assert np.abs(gradient[model.coef_ > 0]).max(initial=0.0) < 1e-12 * scale
    assert gradient.min() > -1e-12 * scale
    assert model.certificate_.relative_gap < 1e-9
    assert (model.n_iter_ == model.result_.n_iter).all()
    assert model.solver_ == "lbfgs"
    # The proof is one: coefficients of another method are no better, and theirs is worse by no less than it says.
    theirs = sklearn.linear_model.Ridge(alpha, positive=True, fit_intercept=fit_intercept, tol=1e-8)
    theirs.fit(X, y, sample_weight)
    value = (np.square(theirs.predict(X) - y) * sample_weight[:, None]).sum()
    value = (value + alpha * np.square(theirs.coef_).sum()) / 2 / sample_weight.sum()
    assert model.certificate_.objective - model.certificate_.gap <= value * (1 + 1e-12)


def test_max_iter_stops_the_nonnegative_fit_with_a_bound_on_what_is_left():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 10)), rng.normal(size=50)
    exact = Ridge(positive=True).fit(X, y)
    with pytest.warns(ConvergenceWarning, match=r"lbfgs solver did not converge.*max_iter=1 and tol=0\.0001"):
        model = Ridge(positive=True, max_iter=1).fit(X, y)
    assert model.result_.status == "max_iter"
    left = model.result_.objective - exact.result_.objective
    assert 0 < left <= model.certificate_.gap * (1 + 1e-9)
    patient = Ridge(positive=True, max_iter=10_000).fit(X, y)
    np.testing.assert_array_equal(patient.coef_, exact.coef_)


# ---- max_iter: the steps of lsqr --------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("name", ["tall", "wide"])
def test_a_limit_on_iterations_ends_where_lsqr_does(name, steps, fit_intercept):
    X, y, sample_weight = table(name)
    parameters = {"solver": "lsqr", "max_iter": steps, "fit_intercept": fit_intercept}
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        ours = Ridge(np.array([0.1, 1.0, 10.0]), **parameters).fit(X, y, sample_weight)
    theirs = sklearn.linear_model.Ridge(np.array([0.1, 1.0, 10.0]), tol=0.0, **parameters)
    theirs.fit(X, y, sample_weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(ours.n_iter_, [steps] * 3)


@pytest.mark.parametrize("solver", ["lsqr", "sag", "saga", "sparse_cg"])
def test_a_limit_that_the_rank_makes_idle_is_no_limit(solver):
    X, y, sample_weight = table("tall")
    model = Ridge(0.5, solver=solver, max_iter=6).fit(X, y, sample_weight)
    np.testing.assert_allclose(model.coef_, by_stacking(X, y, sample_weight, 0.5, True)[0], rtol=1e-9)


def test_conjugate_gradients_end_before_the_limit_where_they_are_done():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 100))
    model = Ridge(50.0, solver="lsqr", max_iter=90, tol=1e-12).fit(X, X @ rng.normal(size=100))
    assert 5 < model.n_iter_[0] < 90
    assert model.certificate_.relative_gap <= 1e-12


@pytest.mark.parametrize("solver", ["sag", "saga"])
def test_words_of_an_early_end(solver):
    X, y, _ = table("tall")
    words = "The max_iter was reached which means the coef_ did not converge"
    with pytest.warns(ConvergenceWarning, match=words):
        Ridge(solver=solver, max_iter=2).fit(X, y)
    with pytest.warns(ConvergenceWarning, match=words):
        sklearn.linear_model.Ridge(solver=solver, max_iter=2, tol=1e-9).fit(X, y)


# ---- without a penalty ------------------------------------------------------------------------------------------


def test_singular_normal_equations_are_said_to_be_so():
    X, y, _ = table("dependent")
    with pytest.warns(scipy.linalg.LinAlgWarning, match="X has rank 5 of 6, and alpha=0"):
        model = Ridge(0.0).fit(X, y)
    assert model.solver_ == "svd"
    X, y, _ = table("wide")
    with pytest.warns(UserWarning, match="Singular matrix in solving dual problem. Using least-squares"):
        Ridge(0.0).fit(X, y)
    # A row for each dimension: nothing is singular there.
    assert Ridge(0.0, fit_intercept=False).fit(X, y).solver_ == "cholesky"
    assert Ridge(0.0, solver="svd").fit(X, y).solver_ == "svd"


def test_more_columns_than_the_estimators_have_proofs_for():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 1100)), rng.normal(size=30)
    with pytest.warns(UserWarning, match="Singular matrix"):
        model = Ridge(0.0).fit(X, y)
    assert model.result_.status == "converged"
    np.testing.assert_allclose(model.coef_, by_stacking(X, y, None, 0.0, True)[0], rtol=1e-7, atol=1e-12)
    off = (model.coef_ + 1e-3, model.intercept_)
    coarse = onelayer.sklearn.proofs.certificate_by_projection(
        onelayer.sklearn.reduction.Reduction.of(X, y[:, None], None, fit_intercept=True),
        off[0][None],
        np.array([off[1]]),
    )
    value = np.square(y - X @ off[0] - off[1]).mean() / 2
    assert coarse.objective == pytest.approx(value)
    # Thirty points in so many dimensions are met exactly.
    assert coarse.gap == pytest.approx(value)


# ---- words ------------------------------------------------------------------------------------------------------


BAD = [
    ({"alpha": -1.0}, {}, ValueError, "The 'alpha' parameter of Ridge must be a float in the range"),
    ({"solver": "qr"}, {}, ValueError, "The 'solver' parameter of Ridge must be a str among"),
    ({"max_iter": 0}, {}, ValueError, "The 'max_iter' parameter of Ridge must be an int in the range"),
    (
        {"alpha": [1.0, 2.0]},
        {},
        ValueError,
        "Number of targets and number of penalties do not corr.*: 2 != 1",
    ),
    ({"solver": "lbfgs"}, {}, ValueError, "'lbfgs' solver can be used only when positive=True"),
    ({"solver": "svd", "positive": True}, {}, ValueError, "solver='svd' does not support positive fitting"),
    ({}, {"X": [[np.nan], [1.0]]}, ValueError, "Input X contains NaN"),
    ({}, {"sample_weight": [[1.0, 1.0]]}, ValueError, "Sample weights must be 1D array or scalar"),
    ({}, {"sample_weight": [0.0, 0.0]}, ValueError, "Sample weights must contain at least one non-zero"),
    (
        {"solver": "saga"},
        {"X": scipy.sparse.csr_array(np.eye(2))},
        ValueError,
        "solver='saga' does not support fitting the intercept on sparse data",
    ),
    (
        {"solver": "svd", "fit_intercept": False},
        {"X": scipy.sparse.csr_array(np.eye(2))},
        TypeError,
        "SVD solver does not support sparse inputs currently",
    ),
]


@pytest.mark.parametrize(("parameters", "data", "kind", "words"), BAD)
def test_errors_have_scikit_learns_words(parameters, data, kind, words):
    data = {"X": [[1.0], [2.0]], "y": [1.0, 2.0], **data}
    for model in (Ridge(**parameters), sklearn.linear_model.Ridge(**parameters)):
        with pytest.raises(kind, match=words):
            model.fit(**data)


@pytest.mark.parametrize("alpha", [[1.0, -1.0], [np.inf, 1.0]])
def test_alphas_that_scikit_learn_lets_through_are_refused(alpha):
    with pytest.raises(ValueError, match=r"alpha is .*: give finite numbers ≥ 0"):
        Ridge(alpha).fit([[1.0], [2.0]], [[1.0, 2.0], [2.0, 1.0]])


def test_clones_pickles_and_a_grid():
    X, y, _ = table("tall")
    model = Ridge(np.array([1.0, 2.0, 3.0])).fit(X, y)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(clone(model).alpha, model.alpha)
    grid = GridSearchCV(Ridge(), {"alpha": [0.1, 10.0], "solver": ["svd", "lsqr"]}).fit(X, y)
    assert grid.best_params_["alpha"] == 10.0


# ---- sparse -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok"])
@pytest.mark.parametrize("solver", ["auto", "lsqr", "sag", "sparse_cg", "lbfgs"])
def test_sparse_formats(solver, form):
    X, y, sample_weight = table("tall")
    X = np.where(X > 3, X, 0.0)
    model = Ridge(solver=solver, positive=solver == "lbfgs")
    dense = model.fit(X, y, sample_weight).coef_
    sparse = clone(model).fit(scipy.sparse.csr_array(X).asformat(form), y, sample_weight)
    np.testing.assert_allclose(sparse.coef_, dense, rtol=1e-8)
    assert sparse.solver_ == {"auto": "sparse_cg", "sag": "sparse_cg"}.get(solver, solver)


def test_nonnegative_fit_of_a_sparse_matrix():
    X, y, sample_weight = table("tall")
    X = np.where(X > 3, X, 0.0)
    dense = Ridge(positive=True).fit(X, y, sample_weight)
    sparse = Ridge(positive=True).fit(scipy.sparse.csc_array(X), y, sample_weight)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-12)


def test_sag_warns_of_sparse_intercepts_as_scikit_learn_does():
    X = scipy.sparse.csr_array(np.eye(4))
    for model in (Ridge(solver="sag", tol=1e-3), sklearn.linear_model.Ridge(solver="sag", tol=1e-3)):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            model.fit(X, [0.0, 1.0, 2.0, 4.0])
        assert any('"sag" solver requires many iterations' in str(one.message) for one in seen)
