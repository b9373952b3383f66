"""The same seed, the same path: coefficients of the SGD drop-ins beside those of scikit-learn."""

import itertools
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import linear_model as peer
from sklearn.exceptions import ConvergenceWarning

from onelayer.sklearn import sgd as ours

# Rounded, so that hinges meet ties; a third of it is zero, so that CSR rows are short.
_DRAW = np.random.RandomState(0)
X = np.round(_DRAW.randn(40, 5), 1) * (_DRAW.rand(40, 5) < 0.7)
X[3] = 0.0
REAL = X @ _DRAW.randn(5) + 0.3 * _DRAW.randn(40)
TWO = np.where(REAL > 0, "yes", "no")
THREE = np.digitize(REAL, [-1.0, 1.0])
WEIGHT = _DRAW.rand(40)

LOSSES = list(peer.SGDClassifier.loss_functions)
PENALTIES = ["l2", "l1", "elasticnet", None]
SCHEDULES = ["optimal", "constant", "invscaling", "adaptive"]
STORAGES = {"dense": np.asarray, "csr": sp.csr_array}
SETTINGS = {"alpha": 0.01, "eta0": 0.05, "max_iter": 6, "tol": None, "random_state": 7}


def fitted(name, X, y, *, sample_weight=None, **settings):
    """Both models, after the same call."""
    models = [getattr(library, name)(**{**SETTINGS, **settings}) for library in (peer, ours)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [model.fit(X, y, sample_weight=sample_weight) for model in models]


def assert_same(theirs, mine, rtol=1e-11):
    assert (mine.n_iter_, mine.t_) == (theirs.n_iter_, theirs.t_)
    for name in ("coef_", "intercept_"):
        expected, got = getattr(theirs, name), getattr(mine, name)
        assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(
            got, expected, rtol=rtol, atol=rtol * np.abs(expected).max(), err_msg=str(mine)
        )


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_penalty_schedule_average_storage_and_order(loss, penalty):
    orders = [(False, True), (False, False), (True, False), (60, True)]
    for schedule, (average, shuffle), storage in itertools.product(SCHEDULES, orders, STORAGES):
        settings = {"learning_rate": schedule, "average": average, "shuffle": shuffle}
        data = STORAGES[storage](X)
        assert_same(*fitted("SGDClassifier", data, TWO, loss=loss, penalty=penalty, **settings))
        if loss in peer.SGDRegressor.loss_functions:
            assert_same(*fitted("SGDRegressor", data, REAL, loss=loss, penalty=penalty, **settings))


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("schedule", ["pa1", "pa2"])
@pytest.mark.parametrize(
    ("name", "y", "loss"), [("SGDClassifier", TWO, "hinge"), ("SGDRegressor", REAL, "epsilon_insensitive")]
)
def test_passive_aggressive_steps(name, y, loss, schedule, storage):
    for penalty, average in itertools.product(PENALTIES, [False, True]):
        settings = {"learning_rate": schedule, "penalty": penalty, "average": average, "tol": 1e-3}
        assert_same(*fitted(name, STORAGES[storage](X), y, loss=loss, **settings))


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("loss", ["hinge", "log_loss", "modified_huber"])
def test_more_classes_with_weights_and_probabilities(loss, storage):
    for average, early, class_weight in itertools.product([False, True], [False, True], [None, "balanced"]):
        settings = {"average": average, "early_stopping": early, "class_weight": class_weight, "tol": 1e-3}
        data = STORAGES[storage](X)
        theirs, mine = fitted(
            "SGDClassifier", data, THREE, loss=loss, sample_weight=WEIGHT, max_iter=40, **settings
        )
        assert_same(theirs, mine)
        np.testing.assert_array_equal(mine.predict(data), theirs.predict(data))
        if loss != "hinge":
            np.testing.assert_allclose(
                mine.predict_proba(data), theirs.predict_proba(data), rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(("name", "y"), [("SGDClassifier", TWO), ("SGDRegressor", REAL)])
def test_the_epoch_at_which_a_fit_stops(name, y, storage):
    """Objective, validation score, and the adaptive rate, which is divided by 5 before it stops."""
    for penalty, schedule, early, tol in itertools.product(
        PENALTIES, ["constant", "adaptive"], [False, True], [0.0, 1e-3]
    ):
        settings = {"penalty": penalty, "learning_rate": schedule, "early_stopping": early, "tol": tol}
        theirs, mine = fitted(name, STORAGES[storage](X), y, max_iter=80, n_iter_no_change=3, **settings)
        assert_same(theirs, mine, rtol=1e-9)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(("name", "y"), [("SGDClassifier", TWO), ("SGDRegressor", REAL)])
def test_float32_stays_and_follows_the_same_path(name, y, storage):
    data = STORAGES[storage](X.astype(np.float32))
    for penalty, average in itertools.product(PENALTIES, [False, True]):
        theirs, mine = fitted(name, data, y, penalty=penalty, average=average, max_iter=20)
        assert mine.coef_.dtype == np.float32
        assert_same(theirs, mine, rtol=1e-5)


@pytest.mark.parametrize("average", [False, True, 25])
@pytest.mark.parametrize("name", ["SGDClassifier", "SGDRegressor", "three classes"])
def test_partial_fit_in_pieces(name, average):
    y = {"SGDClassifier": TWO, "SGDRegressor": REAL}.get(name, THREE)
    kind = "SGDRegressor" if name == "SGDRegressor" else "SGDClassifier"
    extra = {} if kind == "SGDRegressor" else {"classes": np.unique(y)}
    theirs, mine = (
        getattr(library, kind)(**{**SETTINGS, "average": average, "penalty": "elasticnet"})
        for library in (peer, ours)
    )
    for start in range(0, 40, 10):
        for model in (theirs, mine):
            part = slice(start, start + 10)
            model.partial_fit(X[part], y[part], sample_weight=WEIGHT[part], **extra)
        assert_same(theirs, mine)


def test_pieces_without_shuffling_are_one_epoch():
    """The regressor's averages go on where they were."""
    for average in (False, True, 15):
        model = ours.SGDRegressor(**{**SETTINGS, "shuffle": False, "average": average})
        whole = ours.SGDRegressor(**{**SETTINGS, "shuffle": False, "average": average, "max_iter": 1}).fit(
            X, REAL
        )
        for start in range(0, 40, 8):
            model.partial_fit(X[start : start + 8], REAL[start : start + 8])
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-12)
        np.testing.assert_allclose(model.intercept_, whole.intercept_, rtol=1e-12)
        assert model.t_ == whole.t_


@pytest.mark.parametrize(("name", "y"), [("SGDClassifier", THREE), ("SGDRegressor", REAL)])
def test_warm_start_and_given_coefficients(name, y):
    warm = fitted(name, X, y, warm_start=True)
    for model in warm:
        model.set_params(alpha=0.1).fit(X, y)
    assert_same(*warm)
    coef, intercept = np.ones_like(warm[1].coef_), np.ones_like(warm[1].intercept_)
    given = [
        getattr(library, name)(**SETTINGS).fit(X, y, coef.copy(), intercept.copy())
        for library in (peer, ours)
    ]
    assert_same(*given)
    ours_again = getattr(ours, name)(**SETTINGS).fit(X, y, coef, intercept)
    np.testing.assert_array_equal(ours_again.coef_, given[1].coef_)
    assert (coef == 1).all(), "coef_init belongs to the caller"


def test_a_generator_of_the_user_moves_as_far_as_with_scikit_learn():
    for name, y in [("SGDClassifier", TWO), ("SGDClassifier", THREE), ("SGDRegressor", REAL)]:
        draws = []
        for library in (peer, ours):
            generator = np.random.RandomState(5)
            model = getattr(library, name)(**{**SETTINGS, "random_state": generator, "early_stopping": True})
            model.fit(X, y).fit(X, y)
            draws.append((generator.randint(2**31 - 1), model.coef_))
        assert draws[0][0] == draws[1][0]
        np.testing.assert_allclose(draws[1][1], draws[0][1], rtol=1e-11)


def test_averaged_recursion_written_out():
    """Not only what scikit-learn does, but what the formula says."""
    eta, alpha = 0.01, 0.1
    weights, intercept, sums, total = np.zeros(5), 0.0, np.zeros(5), 0.0
    for row, target in zip(X, REAL, strict=True):
        slope = row @ weights + intercept - target
        weights = (1 - eta * alpha) * weights - eta * slope * row
        intercept -= eta * slope
        sums, total = sums + weights, total + intercept
    model = ours.SGDRegressor(
        alpha=alpha, eta0=eta, learning_rate="constant", average=True, shuffle=False, max_iter=1, tol=None
    ).fit(X, REAL)
    np.testing.assert_allclose(model.coef_, sums / 40, rtol=1e-12)
    np.testing.assert_allclose(model.intercept_, total / 40, rtol=1e-12)
