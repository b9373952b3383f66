"""The drop-in LogisticRegression against scikit-learn's own: optimum, words, attributes."""

import contextlib
import os
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.utils.estimator_checks import parametrize_with_checks

import onelayer as ol
from onelayer.sklearn import LogisticRegression as Ours

SMOOTH = ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga")
ALL = (*SMOOTH, "liblinear")


def problem(classes, *, dtype=np.float64, seed=0):
    X, y = make_classification(
        120, 6, n_informative=5, n_redundant=0, n_classes=classes, flip_y=0.2, random_state=seed
    )
    return X.astype(dtype), y


def close(ours, theirs, tolerance=1e-6):
    assert_allclose(ours.coef_, theirs.coef_, rtol=tolerance, atol=tolerance)
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=tolerance, atol=tolerance)


@contextlib.contextmanager
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


# ---- the contract of an estimator -------------------------------------------------------------------------------


@parametrize_with_checks(
    [
        Ours(),
        Ours(solver="liblinear"),
        Ours(solver="newton-cholesky", class_weight="balanced", warm_start=True),
        Ours(solver="saga", l1_ratio=0.5, C=0.5),
    ]
)
def test_scikit_learn_finds_nothing_to_object(estimator, check):
    check(estimator)


# ---- the optimum ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["none", "sample", "class", "both"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_smooth_optimum_is_theirs_whatever_the_solver_is_called(classes, intercept, weights):
    X, y = problem(classes)
    sample = np.random.default_rng(1).integers(0, 4, len(y)) if weights in ("sample", "both") else None
    factors = {0: 0.5, 1: 2.0} if weights in ("class", "both") else None
    if factors and classes == 3:
        factors = "balanced"
    settings = {"C": 0.7, "fit_intercept": intercept, "class_weight": factors}
    theirs = Theirs(solver="newton-cholesky", tol=1e-12, **settings).fit(X, y, sample)
    for solver in SMOOTH:
        ours = Ours(solver=solver, tol=1e-6, **settings).fit(X, y, sample)
        close(ours, theirs)
        assert ours.certificate_.relative_gap <= 1e-12
        assert ours.n_iter_.shape == (1,)


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("scaling", [1, 20.0])
@pytest.mark.parametrize("intercept", [True, False])
def test_liblinear_penalises_the_intercept(intercept, scaling, dual):
    X, y = problem(2)
    settings = {"solver": "liblinear", "C": 0.3, "fit_intercept": intercept, "intercept_scaling": scaling}
    theirs = Theirs(tol=1e-13, max_iter=100_000, **settings).fit(X + 1, y)
    ours = Ours(dual=dual, tol=1e-6, **settings).fit(X + 1, y)
    close(ours, theirs)
    assert ours.intercept_.shape == (1,)


@pytest.mark.parametrize("l1_ratio", [1, 0.4])
@pytest.mark.parametrize("classes", [2, 3])
def test_l1_and_elastic_net_are_theirs(classes, l1_ratio):
    X, y = problem(classes)
    settings = {"solver": "saga", "C": 0.1, "l1_ratio": l1_ratio, "tol": 1e-10}
    theirs = Theirs(max_iter=20_000, random_state=0, **settings).fit(X, y)
    ours = Ours(**settings).fit(X, y)
    close(ours, theirs, 1e-5)
    assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)


def test_liblinear_with_l1_penalises_the_intercept_too():
    X, y = problem(2)
    settings = {"solver": "liblinear", "C": 0.1, "l1_ratio": 1, "tol": 1e-10}
    close(Ours(**settings).fit(X, y), Theirs(max_iter=100_000, **settings).fit(X, y), 1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_without_a_penalty(classes):
    X, y = problem(classes)
    theirs = Theirs(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(X, y)
    ours = Ours(C=np.inf).fit(X, y)
    close(ours, theirs)
    assert abs(ours.coef_.sum(axis=0)).max() < 1e-10 or classes == 2


def test_the_certificate_is_one_of_the_documented_objective():
    X, y = problem(3)
    model = Ours(C=0.4).fit(X, y)
    again = ol.certify((model.coef_, model.intercept_), X, y, loss="log", alpha=1 / (0.4 * len(y)))
    assert again.relative_gap <= 1e-10
    assert ol.certify(model, X, y).relative_gap == pytest.approx(again.relative_gap, rel=0.1)


# ---- stopping, and going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ALL)
def test_max_iter_stops_and_says_so_in_their_words(solver):
    X, y = problem(2)
    settings = {"solver": solver, "tol": 1e-14, "random_state": 0}
    with pytest.warns(ConvergenceWarning) as told:
        model = Ours(max_iter=1, **settings).fit(X, y)
    with pytest.warns(ConvergenceWarning) as expected:
        Theirs(max_iter=1, **settings).fit(X, y)
    sentence = re.split(r" after | at ", str(expected[0].message))[0].splitlines()[0]
    assert sentence in str(told[0].message)
    assert "certified relative gap" in str(told[0].message)
    assert told[0].filename == __file__
    assert_array_equal(model.n_iter_, [1])
    assert np.isfinite(model.coef_).all()
    done = Ours(solver=solver).fit(X, y)
    assert abs(model.coef_ - done.coef_).max() > 1e-4


@pytest.mark.parametrize("classes", [2, 3])
def test_a_warm_start_goes_on_where_the_last_fit_stopped(classes):
    X, y = problem(classes)
    whole = Ours().fit(X, y)
    model = Ours(warm_start=True, max_iter=1)
    for steps in range(1, 4):
        with quiet():
            model.fit(X, y)
            at_once = Ours(max_iter=steps).fit(X, y)
        close(model, at_once, 1e-9)
    close(model.set_params(max_iter=50).fit(X, y), whole, 1e-6)
    assert model.n_iter_[0] < whole.n_iter_[0]


def test_no_iteration_at_all_leaves_zeros():
    X, y = problem(2)
    with pytest.warns(ConvergenceWarning):
        model = Ours(max_iter=0).fit(X, y)
    assert not model.coef_.any()
    assert_array_equal(model.predict_proba(X), np.full((len(y), 2), 0.5))


def test_a_warm_start_of_another_shape_is_refused_in_their_words():
    X, y = problem(3)
    for kind in (Ours, Theirs):
        model = kind(warm_start=True).fit(X, y)
        with pytest.raises(
            ValueError, match=re.escape("Initialization coef is of shape (3, 7), expected shape")
        ):
            model.fit(X[:, :4], y)


# ---- words ------------------------------------------------------------------------------------------------------

ARGUMENTS = [
    {"solver": "lbfgs", "l1_ratio": 1},
    {"solver": "sag", "l1_ratio": 0.5},
    {"solver": "liblinear", "l1_ratio": 0.5},
    {"solver": "newton-cg", "dual": True},
    {"solver": "liblinear", "C": np.inf},
    {"solver": "liblinear", "l1_ratio": 1, "dual": True},
    {"penalty": "elasticnet", "l1_ratio": None, "solver": "saga"},
    {"penalty": "l2"},
    {"penalty": None, "C": 3},
    {"penalty": "l2", "l1_ratio": 0.5},
    {"l1_ratio": None},
    {"n_jobs": 2},
    {"C": 0},
    {"C": -1.0},
    {"C": "1"},
    {"l1_ratio": 1.5},
    {"tol": -1},
    {"max_iter": -1},
    {"max_iter": 1.5},
    {"solver": "newton"},
    {"penalty": "none"},
    {"class_weight": "equal"},
    {"class_weight": {5: 1.0}},
    {"intercept_scaling": 0},
    {"random_state": "a"},
    {"fit_intercept": 2},
]


def _said(model, *data):
    """Return what a fit warned of and raised: (category, text) of each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(*data)
            raised = None
        except (ValueError, TypeError) as error:
            raised = (type(error).__mro__, str(error))
    return [(warning.category, str(warning.message), warning.filename) for warning in caught], raised


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_arguments_are_judged_in_their_words(arguments):
    X, y = problem(2)
    (told, raised), (expected, error) = _said(Ours(**arguments), X, y), _said(Theirs(**arguments), X, y)
    assert [warning[:2] for warning in told] == [warning[:2] for warning in expected]
    assert all(warning[2] == __file__ for warning in told)
    assert bool(raised) == bool(error)
    if error:
        # The order of alternatives is that of a set.
        assert sorted(re.findall(r"[^\s{},]+", raised[1])) == sorted(re.findall(r"[^\s{},]+", error[1]))
        assert error[0][0] in raised[0]


X0, Y0 = problem(2)
DATA = {
    "NaN": (np.where(X0 > 1, np.nan, X0), Y0),
    "inf": (np.where(X0 > 1, np.inf, X0), Y0),
    "one class": (X0, np.zeros(len(Y0))),
    "regression": (X0, X0[:, 0]),
    "lengths": (X0, Y0[:-1]),
    "one dimension": (X0[0], Y0),
    "no rows": (X0[:0], Y0[:0]),
    "no y": (X0, None),
    "weights": (X0, Y0, np.ones(3)),
    "weights in two dimensions": (X0, Y0, np.ones((len(Y0), 2))),
    "weights all zero": (X0, Y0, np.zeros(len(Y0))),
    "NaN weights": (X0, Y0, np.full(len(Y0), np.nan)),
    "NaN labels": (X0, np.where(Y0 > 0, np.nan, 0.0)),
    "text": (X0.astype(str).astype(object) + "a", Y0),
    "complex": (X0 + 1j, Y0),
}


@pytest.mark.parametrize("name", DATA)
def test_data_are_refused_in_their_words(name):
    told, raised = _said(Ours(), *DATA[name])
    expected, error = _said(Theirs(), *DATA[name])
    assert error is not None
    assert raised[1].replace("onelayer", "") == error[1]
    assert error[0][0] in raised[0]
    assert len(told) == len(expected)


@pytest.mark.parametrize("y", [np.arange(120) % 3, np.zeros(120)], ids=["three classes", "one class"])
def test_liblinear_refuses_other_than_two_classes(y):
    (_, raised), (_, error) = (_said(kind(solver="liblinear"), X0, y) for kind in (Ours, Theirs))
    assert raised[1].startswith(error[1])
    assert "Only binary classification is supported" in raised[1]


def test_negative_weights_are_refused():
    # scikit-learn minimises what then has no minimum.
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        Ours().fit(X0, Y0, np.linspace(-1, 1, len(Y0)))


# ---- what comes in and out --------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["lbfgs", "liblinear"])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array, np.asfortranarray])
def test_formats_give_the_same_and_stay_as_they_are(form, solver):
    X, y = problem(2)
    X[abs(X) < 0.5] = 0.0
    given, before = form(X), form(X)
    model = Ours(solver=solver).fit(given, y)
    close(model, Ours(solver=solver).fit(X, y), 1e-7)
    assert_allclose(model.predict_proba(given), model.predict_proba(X), rtol=1e-12)
    assert not abs(given - before).max()


def test_read_only_memory_is_enough():
    X, y = problem(3)
    weight = np.ones(len(y))
    for array in (X, y, weight):
        array.flags.writeable = False
    model = Ours(class_weight="balanced").fit(X, y, weight)
    model.coef_[:] = 0
    model.intercept_[:] = 0
    assert not model.decision_function(X).any()


@pytest.mark.parametrize(
    ("solver", "dtype"), [("lbfgs", np.float32), ("saga", np.float32), ("liblinear", np.float64)]
)
def test_float32_stays_float32_as_theirs(solver, dtype):
    X, y = problem(2, dtype=np.float32)
    for kind in (Ours, Theirs):
        model = kind(solver=solver, tol=1e-6, max_iter=1000).fit(X, y)
        assert model.coef_.dtype == model.intercept_.dtype == dtype
    close(Ours(solver=solver).fit(X, y), Ours(solver=solver).fit(X.astype(np.float64), y), 1e-5)


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [-1, 7], [0.0, 1.0]], ids=str)
def test_labels_come_back_as_they_are(labels):
    X, y = problem(2)
    y = np.array(labels)[y]
    ours, theirs = (kind(tol=1e-8).fit(X, y) for kind in (Ours, Theirs))
    assert_array_equal(ours.classes_, theirs.classes_)
    assert ours.predict(X).dtype == theirs.predict(X).dtype
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-5, atol=1e-9)


def test_sparse_coefficients_and_back():
    X, y = problem(3)
    model = Ours().fit(X, y)
    scores = model.decision_function(X)
    assert sparse.issparse(model.sparsify().coef_)
    assert_allclose(model.decision_function(sparse.csr_array(X)), scores)
    # scikit-learn needs densify() first.
    assert model.set_params(warm_start=True).fit(X, y).n_iter_[0] <= 1
    assert_allclose(model.densify().decision_function(X), scores, rtol=1e-5, atol=1e-6)


TENSORS = """
import numpy as np, torch
from sklearn import config_context
from sklearn.datasets import load_iris
from onelayer.sklearn import LogisticRegression

X, y = load_iris(return_X_y=True)
for dtype in (torch.float32, torch.float64):
    with config_context(array_api_dispatch=True):
        given = torch.tensor(X, dtype=dtype)
        model = LogisticRegression(warm_start=True).fit(given, torch.tensor(y)).fit(given, torch.tensor(y))
        proba, labels = model.predict_proba(given), model.predict(given)
    assert {array.dtype for array in (model.coef_, model.intercept_, proba)} == {dtype}
    assert isinstance(labels, torch.Tensor)
    assert np.abs(model.coef_.numpy() - LogisticRegression().fit(X, y).coef_).max() < 1e-4
"""


def test_tensors_under_array_api_dispatch():
    # SciPy looks at this variable once, when it is imported.
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    run = subprocess.run([sys.executable, "-c", TENSORS], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_verbose_leaves_standard_output_alone(capsys):
    Ours(verbose=1).fit(*problem(2))
    assert not capsys.readouterr().out


# ---- classes without a weight ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_class_without_weight_gets_its_limit(dtype):
    X, y = problem(4, dtype=dtype)
    model = Ours(class_weight={0: 1.0, 1: 0.0, 2: 2.0, 3: 0.0}).fit(X, y)
    kept = np.isin(y, [0, 2])
    assert_array_equal(np.unique(model.predict(X)), [0, 2])
    assert model.predict_proba(X[kept])[:, [1, 3]].max() < 1e-7
    assert not model.coef_[[1, 3]].any()
    assert model.coef_.dtype == model.intercept_.dtype == dtype
    only = ol.SoftmaxRegression(class_weight={0: 1.0, 2: 2.0}, tol=1e-10).fit(X[kept], y[kept])
    assert_allclose(model.coef_[[0, 2]], only.coef_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_single_class_with_weight_is_predicted_for_all(classes):
    X, y = problem(classes)
    model = Ours().fit(X, y, (y == 1).astype(float))
    assert_array_equal(np.unique(model.predict(X)), [1])
    assert model.predict_proba(X)[:, 1].min() > 1 - 1e-12
