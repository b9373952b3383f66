"""The drop-in LogisticRegressionCV: scikit-learn's search, fitted by ours."""

import pickle
import types
import warnings

import numpy as np
import pytest
import sklearn.linear_model._logistic as private
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV as Theirs
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import parametrize_with_checks

import onelayer.sklearn as dropins
from onelayer.selection import fitting
from onelayer.sklearn import logistic_cv

X, Y = load_iris(return_X_y=True)
X = scale(X)
BOTH = X[Y != 0], Y[Y != 0]
KINDS = {"three": (X, Y), "two": BOTH, "names": (X, np.array(["b", "c", "a"])[Y])}
SEARCH = {
    "Cs": [0.1, 3.0],
    "cv": 3,
    "l1_ratios": (0.0,),
    "scoring": "neg_log_loss",
    "use_legacy_attributes": False,
}
SETTINGS = [
    {},
    {"fit_intercept": False},
    {"class_weight": "balanced"},
    {"solver": "liblinear", "intercept_scaling": 1.0},
    {"solver": "saga", "l1_ratios": np.array([0.3, 1.0])},
    {"refit": False},
    {"refit": False, "solver": "saga", "l1_ratios": np.array([0.3, 1.0])},
    {"Cs": [3.0, 0.1, 3.0], "scoring": "accuracy"},
    {"Cs": [0.1, np.inf], "solver": "newton-cholesky", "class_weight": {1: 3.0}},
    {"scoring": None},
]
CONFIGURATIONS = [
    dropins.LogisticRegressionCV(**SEARCH),
    dropins.LogisticRegressionCV(
        **SEARCH | {"solver": "saga", "l1_ratios": (0.5,), "scoring": "accuracy", "refit": False}
    ),
]


@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        check(estimator)


def ours(settings, X=X, y=Y, weight=None, **more):
    return dropins.LogisticRegressionCV(**SEARCH | settings | more).fit(X, y, weight)


def theirs(settings, X=X, y=Y, weight=None, **more):
    slow = {"tol": 1e-8, "max_iter": 100_000}
    if "solver" not in settings:
        slow["solver"] = "newton-cholesky"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Theirs(**SEARCH | slow | settings | more).fit(X, y, weight)


def forbid(monkeypatch):
    """Let every solver of scikit-learn's LogisticRegression fail."""

    def forbidden(*args, **kwargs):
        raise AssertionError("a solver of scikit-learn was called")

    for name in ("_newton_cg", "_fit_liblinear", "sag_solver", "NewtonCholeskySolver", "LinearModelLoss"):
        monkeypatch.setattr(private, name, forbidden)
    monkeypatch.setattr(private, "optimize", types.SimpleNamespace(minimize=forbidden))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_search_ends_at_their_optima_and_no_solver_of_theirs_runs(monkeypatch, kind, settings):
    X, y = KINDS[kind]
    if settings.get("solver") == "liblinear" and kind != "two":
        X, y = X[Y != 0], y[Y != 0]
    if isinstance(settings.get("class_weight"), dict) and kind == "names":
        settings = settings | {"class_weight": {"b": 3.0}}
    weight = np.random.default_rng(0).integers(1, 3, len(y)).astype(float)
    expected = theirs(settings, X, y, weight)
    forbid(monkeypatch)
    with warnings.catch_warnings():
        # Without a penalty separated classes have no optimum, and ours say so.
        warnings.simplefilter("ignore" if np.inf in settings.get("Cs", ()) else "error")
        found = ours(settings, X, y, weight)
    assert found.n_iter_.shape == expected.n_iter_.shape
    if np.inf in settings.get("Cs", ()):
        # … and coefficients run away, each solver's as far as it goes: the first C alone is compared.
        paths, others = (one.coefs_paths_[:, :, 0] for one in (found, expected))
        assert_allclose(paths, others, rtol=2e-4, atol=2e-4)
        return
    assert (found.C_, found.l1_ratio_) == (expected.C_, expected.l1_ratio_)
    for name in ("coef_", "intercept_", "coefs_paths_", "scores_"):
        assert_allclose(getattr(found, name), getattr(expected, name), rtol=2e-4, atol=2e-4)
    assert_allclose(found.predict_proba(X), expected.predict_proba(X), atol=2e-4)
    assert (found.certificate_ is None) == (settings.get("refit") is False)


@pytest.mark.parametrize(
    "settings", [{}, {"l1_ratios": None}, {"solver": "saga", "l1_ratios": np.array([0.3, 1.0])}], ids=str
)
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:.*l1_ratios=None.*:FutureWarning")
def test_legacy_attributes_have_their_forms(kind, settings, refit, fit_intercept):
    X, y = KINDS[kind]
    settings = settings | {"refit": refit, "fit_intercept": fit_intercept, "use_legacy_attributes": True}
    found, expected = ours(settings, X, y), theirs(settings, X, y)
    for name in ("scores_", "coefs_paths_"):
        one, other = getattr(found, name), getattr(expected, name)
        assert list(one) == list(other)
        for label in other:
            assert_allclose(one[label], other[label], rtol=2e-4, atol=2e-4)
    for name in ("C_", "l1_ratio_", "l1_ratios_", "Cs_"):
        assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.n_iter_.shape == expected.n_iter_.shape


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("penalty", ["l1", "l2", "deprecated"])
def test_what_was_chosen_where_there_was_no_share_to_choose(penalty):
    settings = {"l1_ratios": None, "penalty": penalty, "solver": "saga"}
    found, expected = ours(settings), theirs(settings)
    assert found.l1_ratio_ == expected.l1_ratio_ == float(penalty == "l1")
    assert found.l1_ratios_.tolist() == expected.l1_ratios_.tolist() == [None]


def test_the_refit_is_as_good_as_our_own():
    search = ours({})
    alone = dropins.LogisticRegression(C=search.C_).fit(X, Y)
    assert_allclose(search.coef_, alone.coef_, rtol=1e-6)
    assert search.certificate_.relative_gap <= 1e-10


def test_a_column_that_stands_for_the_intercept_is_scaled_in_the_refit_too():
    # scikit-learn's own refit forgets intercept_scaling, and so fits another objective than its folds.
    search = ours({"solver": "liblinear", "intercept_scaling": 3.0}, *BOTH)
    alone = dropins.LogisticRegression(C=search.C_, solver="liblinear", intercept_scaling=3.0).fit(*BOTH)
    assert_allclose(search.coef_, alone.coef_, rtol=1e-5)
    assert_allclose(search.intercept_, alone.intercept_, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:'penalty' was deprecated:FutureWarning")
def test_a_share_that_its_penalty_does_not_have_is_told_of_and_left_out():
    with pytest.warns(
        UserWarning, match=r"l1_ratios parameter is only used when penalty is 'elasticnet'. Got"
    ):
        search = ours({"penalty": "l2", "l1_ratios": [0.5]})
    assert_allclose(search.coef_, ours({}).coef_, rtol=1e-6)


EVEN, ODD = np.arange(0, 150, 2), np.arange(1, 150, 2)
TWICE = np.concatenate([EVEN, EVEN[:30]])
SPLITS = {
    "a row drawn twice": [(TWICE, ODD), (ODD, EVEN)],
    "masks": [(np.isin(np.arange(150), EVEN), np.isin(np.arange(150), ODD))],
    "counted from the end": [(EVEN - 150, ODD - 150), (ODD, EVEN)],
    "without a class": [(EVEN[25:], ODD), (ODD, EVEN)],
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_folds_of_any_kind_are_those_rows_alone(split, fit_intercept):
    search = ours({"cv": SPLITS[split], "fit_intercept": fit_intercept})
    for fold, (train, test) in enumerate(SPLITS[split]):
        for place, C in enumerate(SEARCH["Cs"]):
            alone = dropins.LogisticRegression(C=C, fit_intercept=fit_intercept).fit(X[train], Y[train])
            paths = search.coefs_paths_[fold, 0, place]
            present = np.isin(search.classes_, alone.classes_)
            if present.all():
                assert_allclose(paths[:, :4], alone.coef_, rtol=1e-4, atol=1e-5)
            scores = X[test] @ paths[:, :4].T + (paths[:, 4] if fit_intercept else 0.0)
            if fit_intercept:
                # The limit: a class without rows is out of the race.
                assert (scores[:, ~present] < scores[:, present].max(axis=1, keepdims=True) - 20).all()


def test_a_class_without_weight_takes_no_part_anywhere():
    weight = (Y != 2).astype(float)
    search = ours({}, weight=weight)
    alone = dropins.LogisticRegression(C=search.C_).fit(X, Y, weight)
    assert_allclose(search.coef_, alone.coef_, rtol=1e-6, atol=1e-9)
    assert not search.coef_[2].any()


def test_equal_penalties_are_fitted_once_and_stand_in_both_places():
    search = ours({"Cs": [1.0, 0.1, 1.0]})
    assert_array_equal(search.coefs_paths_[:, :, 0], search.coefs_paths_[:, :, 2])
    assert search.Cs_.tolist() == [1.0, 0.1, 1.0]


def test_many_rows_of_two_classes_are_one_stacked_solve(monkeypatch):
    calls = []
    solve = fitting.solve_stack
    monkeypatch.setattr(fitting, "solve_stack", lambda *a, **k: calls.append(1) or solve(*a, **k))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 800))
    y = rng.random(3000) < 1 / (1 + np.exp(-X[:, 0]))
    search = ours({"Cs": [1e-4, 1e-3]}, X, y)
    assert calls
    alone = dropins.LogisticRegression(C=1e-3).fit(X[1000:], y[1000:])
    assert np.isfinite(search.scores_).all()
    assert search.coefs_paths_[0, 0, 1, 0, :800].shape == alone.coef_[0].shape


REFUSALS = [
    ({"solver": "liblinear"}, "does not support multiclass"),
    ({"l1_ratios": (1.0,)}, "Solver lbfgs supports only 'l2' or None penalties, got l1"),
    ({"l1_ratios": (0.5,)}, "Solver lbfgs supports only 'l2' or None penalties, got elasticnet"),
    (
        {"l1_ratios": [0.5, 2.0], "solver": "saga"},
        "l1_ratios must be an array-like of numbers between 0 and 1",
    ),
    ({"class_weight": {7: 1.0}}, "class_weight dict must have the class labels as keys"),
    ({"dual": True}, "supports only dual=False"),
    ({"cv": 51}, "n_splits=51 cannot be greater than the number of members in each class"),
    ({"scoring": "best"}, "The 'scoring' parameter of LogisticRegressionCV must be"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSALS, ids=str)
def test_refusals_are_theirs(settings, message):
    for search in (dropins.LogisticRegressionCV, Theirs):
        with pytest.raises(ValueError, match=message):
            search(**SEARCH | settings).fit(X, Y)
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        ours({}, weight=-np.ones(len(Y)))
    with pytest.raises(ValueError, match="at least 2 classes"):
        ours({}, y=np.zeros(len(Y)))


def test_a_limit_warns_in_their_words():
    with pytest.warns(ConvergenceWarning, match=r"lbfgs failed to converge after 1 iteration"):
        search = ours({"Cs": [1e3], "max_iter": 1})
    assert (search.n_iter_ == 1).all()


def test_what_is_retired_warns_where_the_user_is():
    with pytest.warns(FutureWarning) as told:
        dropins.LogisticRegressionCV(Cs=[1.0], cv=2).fit(X, Y)
    assert {warning.filename for warning in told} == {__file__}
    words = " ".join(str(warning.message) for warning in told)
    for word in ("l1_ratios", "scoring", "use_legacy_attributes"):
        assert word in words


@pytest.mark.parametrize("verbose", [0, 1])
def test_verbose_asks_for_a_bar(monkeypatch, verbose):
    shown = []
    bar = logistic_cv.Sweep
    monkeypatch.setattr(logistic_cv, "Sweep", lambda *a, show: shown.append((*a, show)) or bar(*a, show=show))
    ours({"verbose": verbose})
    assert shown == [("LogisticRegressionCV", 8, bool(verbose))]


def test_patched_programs_get_it():
    with dropins.patch():
        from sklearn.linear_model import LogisticRegressionCV

        assert LogisticRegressionCV is dropins.LogisticRegressionCV
        model = pickle.loads(pickle.dumps(clone(LogisticRegressionCV(**SEARCH)).fit(X, Y)))  # noqa: S301
    assert model.score(X, Y) == ours({}).score(X, Y)
    assert private.LogisticRegressionCV is Theirs


def test_the_scores_are_those_of_the_scorer():
    data = load_breast_cancer()
    X, y = scale(data.data), data.target
    for scoring in ("roc_auc", "f1", "neg_brier_score", "accuracy"):
        found, expected = ours({"scoring": scoring}, X, y), theirs({"scoring": scoring}, X, y)
        assert_allclose(found.scores_, expected.scores_, atol=1e-4)
        assert found.score(X, y) == pytest.approx(expected.score(X, y), abs=1e-4)
