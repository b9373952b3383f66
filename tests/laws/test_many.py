"""Many problems in one call are their single fits, and those that cannot be fitted do not end the others."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.exceptions import ConvergenceWarning

import onelayer as ol
from instances import over
from onelayer.errors import DataError, ParameterError

IRIS, CANCER, DIABETES = (ol.data.load(name) for name in ("iris", "breast-cancer", "diabetes"))
DIGITS = ol.data.load("digits")
ONE_HOT = DIGITS.y[:, None] == np.arange(10)
LEVELS = np.stack([IRIS.y, IRIS.y[::-1], (IRIS.y + 1) % 3], axis=1)

CASES = {
    "one against the rest": (ol.LogisticRegression(C=0.1), DIGITS.X, ONE_HOT),
    "three classes each": (ol.LogisticRegression(), IRIS.X, LEVELS),
    "mixed": (ol.LogisticRegression(), IRIS.X, [IRIS.y, IRIS.y == 0, IRIS.y == 1]),
    "softmax of two": (ol.SoftmaxRegression(), IRIS.X, [IRIS.y == 0, IRIS.y == 1]),
    "standardised": (ol.LogisticRegression(standardize=True), CANCER.X, CANCER.y[:, None] == [0, 1]),
    "class weights": (ol.LogisticRegression(class_weight="balanced"), DIGITS.X, ONE_HOT),
    "no intercept": (ol.LogisticRegression(fit_intercept=False), DIGITS.X, ONE_HOT),
    "float32": (ol.LogisticRegression(), DIGITS.X.astype(np.float32), ONE_HOT),
    "sparse": (ol.LogisticRegression(), scipy.sparse.csr_array(DIGITS.X), ONE_HOT),
    "ridge": (ol.LinearRegression(alpha=0.1), DIABETES.X, np.c_[DIABETES.y, DIABETES.y**2]),
    "huber": (ol.LinearRegression("huber", alpha=0.1), DIABETES.X, np.c_[DIABETES.y, DIABETES.y / 10]),
    "l1, one by one": (ol.LogisticRegression(l1_ratio=1.0, C=0.1), DIGITS.X, ONE_HOT[:, :3]),
    "no penalty, one by one": (ol.LinearRegression(), DIABETES.X, np.c_[DIABETES.y, DIABETES.y**2]),
    "asked for another solver": (ol.LogisticRegression(solver="lbfgs"), IRIS.X, [IRIS.y == 0, IRIS.y == 1]),
}


def require_the_same(found, alone, tol):
    apart = abs(found.result_.objective - alone.result_.objective)
    assert apart <= found.certificate_.gap + alone.certificate_.gap + 4e-16 * abs(alone.result_.objective)
    assert found.certificate_.relative_gap <= tol
    assert np.shape(found.coef_) == np.shape(alone.coef_)
    assert np.shape(found.intercept_) == np.shape(alone.intercept_)
    assert found.get_params() == alone.get_params()


@over("case", CASES)
def test_each_problem_is_its_single_fit_to_their_certificates(case):
    est, X, Y = case
    found = ol.fit_many(X, Y, est)
    targets = Y if isinstance(Y, list) else list(Y.T)
    assert len(found) == len(targets)
    assert not found.failed
    for place, y in enumerate(targets):
        alone = type(est)(**est.get_params()).fit(X, y)
        require_the_same(found[place], alone, est.tol)
        # The certificate is of the coefficients that are returned.
        again = ol.certify(found[place], X, y)
        assert again.objective == pytest.approx(found.objective[place], rel=1e-6)
        prediction = found[place].predict(X)
        assert np.mean(prediction == alone.predict(X)) > 0.99 or np.allclose(
            prediction, alone.predict(X), rtol=1e-3
        )


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("kind", [ol.LogisticRegression, ol.SoftmaxRegression])
@pytest.mark.parametrize("same", [False, True])
def test_problems_with_an_X_each(kind, standardize, same):
    generator = np.random.default_rng(0)
    X = np.stack([IRIS.X @ generator.normal(size=(4, 4)) + k for k in range(5)])
    Y = IRIS.y if same else np.stack([np.roll(IRIS.y, k) for k in range(5)])
    est = kind(standardize=standardize)
    found = ol.fit_many(X, Y, est)
    assert found.coef.shape == (5, 3, 4)
    for place in range(5):
        alone = kind(standardize=standardize).fit(X[place], Y if same else Y[place])
        require_the_same(found[place], alone, 1e-6)


def test_weights_are_of_all_problems():
    weight = np.random.default_rng(0).integers(0, 3, len(IRIS.y)).astype(float)
    est = ol.LogisticRegression(tol=1e-9)
    found = ol.fit_many(IRIS.X, [IRIS.y == 0, IRIS.y == 1], est, sample_weight=weight)
    rows = np.repeat(np.arange(150), weight.astype(int))
    repeated = ol.fit_many(IRIS.X[rows], [IRIS.y[rows] == 0, IRIS.y[rows] == 1], est)
    np.testing.assert_allclose(found.coef, repeated.coef, atol=1e-4)


def test_large_batches_are_solved_in_parts(monkeypatch):
    monkeypatch.setattr("onelayer.estimators.batch._SHARED_NUMBERS", 4000)
    monkeypatch.setattr("onelayer.stacks.newton._WIDE_NUMBERS", 4000)
    parts = ol.fit_many(DIGITS.X, ONE_HOT, ol.LogisticRegression(C=0.1))
    monkeypatch.undo()
    whole = ol.fit_many(DIGITS.X, ONE_HOT, ol.LogisticRegression(C=0.1))
    assert (abs(parts.objective - whole.objective) <= parts.gap + whole.gap).all()


def test_tensors_in_tensors_out():
    X, Y = torch.from_numpy(IRIS.X).float(), torch.from_numpy(LEVELS)
    found = ol.fit_many(X, Y)
    assert isinstance(found.coef, torch.Tensor)
    assert found.coef.dtype == torch.float32
    stacked = ol.fit_many(torch.stack([X, 2 * X]), torch.from_numpy(IRIS.y))
    assert stacked.coef.shape == (2, 3, 4)


def test_problems_that_cannot_be_fitted_are_named_and_the_others_finish():
    Y = [IRIS.y, np.zeros(150), np.where(np.arange(150) == 3, np.nan, IRIS.y), IRIS.y == 1]
    with pytest.warns(
        ConvergenceWarning,
        match=r"fit_many: 2 of 4 problems could not be fitted \(problem 1: y holds one class only \(0\.0\): .* problem 2: y has "
        r"1 value that is NaN or infinite, in row 3",
    ):
        found = ol.fit_many(IRIS.X, Y)
    assert sorted(found.failed) == [1, 2]
    assert [status and str(status) for status in found.status] == ["converged", None, None, "converged"]
    assert found[3].score(IRIS.X, IRIS.y == 1) > 0.6
    assert np.isnan(found.relative_gap[1])
    assert found.relative_gap[3] <= 1e-6
    with pytest.raises(ParameterError, match=r"problem 1 could not be fitted: y holds one class only"):
        found[1]
    with pytest.raises(
        DataError,
        match=r"the problems have coef_ of different shapes \(\(1, 4\), \(3, 4\)\): take them one by",
    ):
        _ = found.coef


def test_separated_classes_without_a_penalty_are_named():
    with pytest.warns(
        ConvergenceWarning,
        match=r"fit_many: 1 of 2 problems ended without what was asked for, the first is problem 0: ",
    ):
        found = ol.fit_many(IRIS.X, [IRIS.y == 0, IRIS.y == 1], ol.LogisticRegression(C=np.inf))
    assert [str(status) for status in found.status] == ["separated", "converged"]


def test_nothing_could_be_fitted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = ol.fit_many(IRIS.X, [np.zeros(150)])
    assert repr(found).startswith("ManyResult(1 problems, 1 failed")
    with pytest.raises(DataError, match="no problem could be fitted"):
        _ = found.coef


WRONG = {
    "one target": (
        IRIS.X,
        IRIS.y,
        r"Y has shape \(150,\) and X 150 rows: give \(150, n_problems\), one column for each",
    ),
    "rows": (IRIS.X, np.zeros((3, 2)), r"Y has shape \(3, 2\) and X 150 rows"),
    "own rows": (
        np.zeros((2, 9, 3)),
        np.zeros((3, 9)),
        r"Y has shape \(3, 9\) and X \(2, 9, 3\): give \(2, 9\), one row for",
    ),
    "empty": (
        np.zeros((0, 3)),
        np.zeros((0, 2)),
        r"X has shape \(0, 3\): give \(n_samples, n_features\), or",
    ),
    "four axes": (np.zeros((2, 2, 2, 2)), np.zeros(2), r"X has shape \(2, 2, 2, 2\)"),
}


@over("case", WRONG)
def test_shapes_that_do_not_fit_are_refused_in_one_sentence(case):
    X, Y, message = case
    with pytest.raises(DataError, match=message):
        ol.fit_many(X, Y)


def test_streams_and_strangers_are_refused():
    with pytest.raises(DataError, match="which fit_many cannot read"):
        ol.fit_many(ol.data.stream((IRIS.X, IRIS.y)), LEVELS)
    with pytest.raises(ParameterError, match="est is 'logistic': give a LinearRegression"):
        ol.fit_many(IRIS.X, LEVELS, "logistic")
    with pytest.raises(ParameterError, match=r"problem 9 is none of 0 to 2\."):
        ol.fit_many(IRIS.X, LEVELS)[9]


def interrupt(monkeypatch, after):
    """Press Ctrl-C once so many problems are done."""
    done = []

    def told(sweep, words="", count=1):
        done.append(count)
        if sum(done) >= after:
            raise KeyboardInterrupt

    monkeypatch.setattr("onelayer.selection.progress.Sweep.done", told)


@pytest.mark.parametrize("kind", ["one X", "an X each", "one by one"])
def test_what_was_done_before_an_interrupt_is_kept(monkeypatch, kind):
    est = ol.LogisticRegression(l1_ratio=0.5 if kind == "one by one" else 0.0, C=0.1)
    X, Y = DIGITS.X, ONE_HOT
    if kind == "an X each":
        monkeypatch.setattr("onelayer.estimators.batch._OWN_NUMBERS", 2 * X.size)
        X, Y = np.stack([X] * 10), Y.T
    interrupt(monkeypatch, 4)
    with pytest.warns(
        ConvergenceWarning, match="of 10 problems could not be fitted .*it was not reached before"
    ):
        found = ol.fit_many(X, Y, est)
    assert 0 < len(found.failed) <= 6
    for place in set(range(10)) - set(found.failed):
        assert found[place].certificate_.relative_gap <= est.tol
        require_the_same(
            found[place], ol.LogisticRegression(**est.get_params()).fit(DIGITS.X, ONE_HOT[:, place]), 1e-6
        )


def test_an_interrupt_that_leaves_nothing_of_use_is_one(monkeypatch):
    interrupt(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        # Coefficients of some labels are no classifier.
        ol.MultilabelLogisticRegression(C=0.1).fit(DIGITS.X, ONE_HOT)

    def pressed(batch):
        raise KeyboardInterrupt

    monkeypatch.setattr("onelayer.estimators.batch.Batch._solve_all", pressed)
    with pytest.raises(KeyboardInterrupt):
        ol.fit_many(DIGITS.X, ONE_HOT)


SETTINGS = {
    "C": ({"C": -1}, "C is -1: give a number > 0"),
    "tol": ({"tol": -1}, "tol is -1: give a number ≥ 0"),
    "l1_ratio": ({"l1_ratio": -1}, "l1_ratio is -1"),
}


@over("case", SETTINGS)
def test_settings_are_refused_also_where_nothing_can_be_fitted(case):
    options, message = case
    nothing = np.zeros((len(DIGITS.X), 3))
    with pytest.raises(ParameterError, match=message):
        ol.fit_many(DIGITS.X, nothing, ol.LogisticRegression(**options))
    with pytest.raises(ParameterError, match=message):
        ol.MultilabelLogisticRegression(**options).fit(DIGITS.X, nothing)
