"""What may stand for y, and what goes with it: soft labels, offsets, weights of classes, classes that are not there."""

import numpy as np
import pytest
import scipy.sparse
import torch
from scipy.special import expit, softmax
from sklearn.exceptions import DataConversionWarning

import onelayer as ol
from instances import over
from onelayer.errors import DataError, ParameterError

SOLVERS = ["auto", "newton", "lbfgs"]


def table(rows=200, features=6, count=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features))
    scores = X @ rng.normal(size=(features, count)) + 0.3
    return X, np.array([rng.choice(count, p=p) for p in softmax(scores, axis=1)]), softmax(scores, axis=1)


def copies(X, shares, weight=None):
    """The same objective in hard labels: each row once for each class, weighted by its share."""
    rows, count = shares.shape
    weight = np.ones(rows) if weight is None else weight
    return np.repeat(X, count, axis=0), np.tile(np.arange(count), rows), (shares * weight[:, None]).ravel()


def same(found, expected, atol=2e-5):
    np.testing.assert_allclose(np.asarray(found.coef_), expected.coef_, atol=atol)
    np.testing.assert_allclose(np.asarray(found.intercept_), expected.intercept_, atol=atol)


# ---- soft labels ----------------------------------------------------------------------------------------------

CLASSIFIERS = {
    "softmax": (ol.SoftmaxRegression, 3, {}),
    "softmax of two": (ol.SoftmaxRegression, 2, {}),
    "logistic": (ol.LogisticRegression, 2, {}),
    "no intercept": (ol.LogisticRegression, 3, {"fit_intercept": False}),
    "weak penalty": (ol.LogisticRegression, 3, {"C": 1e4}),
    "no penalty": (ol.LogisticRegression, 3, {"C": np.inf}),
    "no penalty, one score": (ol.LogisticRegression, 2, {"C": np.inf}),
    "standardized": (ol.SoftmaxRegression, 3, {"standardize": True}),
}


@over("case", CLASSIFIERS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_soft_label_is_a_row_for_each_class(case, solver, weighted):
    kind, count, settings = case
    X, _, shares = table(count=count)
    weight = np.random.default_rng(3).integers(0, 4, size=len(X)).astype(float) if weighted else None
    model = kind(solver=solver, tol=1e-10, **settings)
    expected = kind(tol=1e-10, **settings).fit(*copies(X, shares, weight)[:2], copies(X, shares, weight)[2])
    found = model.fit(X, shares, weight)
    assert found.result_.status == "converged"
    same(found, expected)
    assert found.result_.objective == pytest.approx(expected.result_.objective, rel=1e-8)
    assert ol.certify(found, X, shares, weight).relative_gap <= 1e-9
    doubled = found.score(*copies(X, shares, weight)[:2], copies(X, shares, weight)[2])
    assert found.score(X, shares, weight) == pytest.approx(doubled, rel=1e-12)


def test_rows_of_zeros_and_ones_are_labels():
    X, y, _ = table()
    same(ol.SoftmaxRegression(tol=1e-10).fit(X, np.eye(3)[y]), ol.SoftmaxRegression(tol=1e-10).fit(X, y))


def test_soft_labels_of_separated_rows_without_a_penalty_have_an_optimum():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9]])
    model = ol.LogisticRegression(C=np.inf, tol=1e-10).fit(X, shares)
    assert model.result_.status == "converged"
    assert np.abs(shares.sum(axis=0) - model.predict_proba(X).sum(axis=0)).max() < 1e-6


def test_columns_of_soft_labels_are_in_the_order_of_classes():
    X, _, shares = table()
    model = ol.SoftmaxRegression(classes=["red", "amber", "green"]).fit(X, shares)
    assert model.classes_.tolist() == ["amber", "green", "red"]
    plain = ol.SoftmaxRegression().fit(X, shares)
    assert plain.classes_.tolist() == [0, 1, 2]
    np.testing.assert_allclose(model.coef_, plain.coef_[[1, 2, 0]], atol=1e-5)
    assert model.score(X, shares) == pytest.approx(plain.score(X, shares), rel=1e-12)
    with pytest.raises(DataError, match="y has 2 columns and classes has 3 labels"):
        plain.score(X, shares[:, :2])


def test_soft_labels_in_float32_and_from_tensors():
    X, _, shares = table()
    expected = ol.SoftmaxRegression().fit(X, shares)
    for given in (shares.astype(np.float32), torch.from_numpy(shares), torch.from_numpy(shares).float()):
        same(ol.SoftmaxRegression().fit(X, given), expected, atol=1e-3)


def test_class_weights_of_soft_labels_weigh_their_shares():
    X, _, shares = table()
    for class_weight in ({0: 2.0, 1: 0.5, 2: 3.0}, "balanced"):
        rows, labels, weight = copies(X, shares)
        expected = ol.SoftmaxRegression(class_weight=class_weight, tol=1e-10).fit(rows, labels, weight)
        same(ol.SoftmaxRegression(class_weight=class_weight, tol=1e-10).fit(X, shares), expected)


# ---- offsets --------------------------------------------------------------------------------------------------

OFFSETS = {
    "least squares": (ol.LinearRegression(alpha=0.1, tol=1e-10), 1),
    "huber": (ol.LinearRegression("huber", alpha=0.1, tol=1e-10), 1),
    "logistic": (ol.LogisticRegression(tol=1e-10), 1),
    "softmax": (ol.SoftmaxRegression(tol=1e-10), 3),
}


@over("case", OFFSETS)
@pytest.mark.parametrize("sparse", [False, True])
def test_an_offset_is_a_column_whose_coefficient_is_known(case, sparse):
    """Moved along by X v, the optimum of an unpenalised fit moves back by v; with a penalty P itself tells."""
    model, outputs = case
    X, y, _ = table(count=max(outputs, 2))
    offset = np.random.default_rng(1).normal(size=(len(X), outputs))
    given = scipy.sparse.csr_matrix(X) if sparse else X
    fitted = model.fit(given, y, offset=offset[:, 0] if outputs == 1 else offset)
    assert fitted.result_.status == "converged"
    assert ol.certify(fitted, X, y, offset=offset).relative_gap <= 1e-9
    # P at the coefficients by hand, and at points around them.
    objective = model.objective(X, y, offset=offset)
    at = objective.zeros()
    at.weight.copy_(torch.from_numpy(np.atleast_2d(fitted.coef_)))
    at.bias.copy_(torch.from_numpy(np.atleast_1d(fitted.intercept_)))
    least = objective.value(at)
    assert least == pytest.approx(fitted.result_.objective, rel=1e-9)
    for seed in range(5):
        near = at.like(
            at.flat + 1e-3 * torch.randn(at.flat.shape, generator=torch.Generator().manual_seed(seed))
        )
        assert objective.value(near) > least


def test_an_offset_in_the_span_of_the_columns_moves_the_coefficients():
    X, y, _ = table(count=2)
    v = np.linspace(-1, 1, X.shape[1])
    plain = ol.LogisticRegression(C=np.inf, tol=1e-12).fit(X, y)
    moved = ol.LogisticRegression(C=np.inf, tol=1e-12).fit(X, y, offset=X @ v)
    np.testing.assert_allclose(moved.coef_ + v, plain.coef_, atol=1e-5)


def test_predictions_take_the_offset():
    X, y, _ = table(count=2)
    offset = np.random.default_rng(1).normal(size=len(X))
    model = ol.LogisticRegression().fit(X, y, offset=offset)
    scores = X @ model.coef_[0] + model.intercept_[0] + offset
    np.testing.assert_allclose(model.decision_function(X, offset=offset), scores, rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X, offset=offset)[:, 1], expit(scores), rtol=1e-12)
    np.testing.assert_allclose(
        model.predict_log_proba(X, offset=offset), np.log(model.predict_proba(X, offset=offset)), atol=1e-12
    )
    assert (model.predict(X, offset=offset) == (scores > 0)).all()
    assert model.score(X, y, offset=offset) == ((scores > 0) == y).mean()
    linear = ol.LinearRegression().fit(X, X[:, 0] + offset, offset=offset)
    assert linear.score(X, X[:, 0] + offset, offset=offset) == pytest.approx(1.0)


def test_logarithms_of_tiny_probabilities():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    for model in (ol.LogisticRegression(), ol.SoftmaxRegression()):
        model.fit(X, [0, 1, 0, 1])
        far = model.predict_log_proba([[1e5]])
        assert np.isfinite(far).all()
        assert far.min() < -1000


# ---- classes without rows, and weights of classes --------------------------------------------------------------


@pytest.mark.parametrize("kind", [ol.LogisticRegression, ol.SoftmaxRegression])
@pytest.mark.parametrize("soft", [False, True])
def test_a_class_without_rows_has_probability_zero(kind, soft):
    X, y, _ = table(count=3)
    kept = y != 1
    part, labels = X[kept], y[kept]
    given = np.eye(3)[labels] if soft else labels
    model = kind(tol=1e-10, classes=[0, 1, 2]).fit(part, given)
    two = ol.SoftmaxRegression(tol=1e-10).fit(part, labels)
    assert model.classes_.tolist() == [0, 1, 2]
    assert (model.predict_proba(X)[:, 1] == 0).all()
    np.testing.assert_allclose(model.predict_proba(X)[:, [0, 2]], two.predict_proba(X), atol=1e-6)
    assert model.coef_.shape == (3, X.shape[1])
    assert not model.coef_[1].any()
    assert ol.certify(model, part, given).relative_gap <= 1e-9
    # On from there, also where the class turns up.
    assert model.set_params(warm_start=True).fit(X, y).result_.status == "converged"


def test_weights_of_zero_take_a_class_away_if_it_was_told_of():
    X, y, _ = table()
    weight = (y != 2).astype(float)
    model = ol.SoftmaxRegression(classes=[0, 1, 2]).fit(X, y, weight)
    assert (model.predict_proba(X)[:, 2] == 0).all()
    with pytest.raises(DataError, match=r"no row of class 2 has a positive weight: .* or tell classes=\."):
        ol.SoftmaxRegression().fit(X, y, weight)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("kind", [ol.LogisticRegression, ol.SoftmaxRegression])
def test_prior_correction_is_the_exact_shift(kind, count):
    """Two fits without a penalty to data whose model is right: weighted and corrected, it is the plain one again."""
    X, _, shares = table(rows=400, count=count)
    factors = {label: float(2**label) for label in range(count)}
    # Soft labels make the linear model exactly true, so both optima are the truth.
    plain = kind(C=np.inf, tol=1e-12).fit(X, shares)
    weighted = kind(C=np.inf, tol=1e-12, class_weight=factors)
    corrected = kind(C=np.inf, tol=1e-12, class_weight=factors, prior_correction=True).fit(X, shares)
    np.testing.assert_allclose(corrected.predict_proba(X), shares, atol=1e-5)
    np.testing.assert_allclose(corrected.predict_proba(X), plain.predict_proba(X), atol=1e-5)
    assert np.abs(weighted.fit(X, shares).predict_proba(X) - shares).max() > 0.05
    np.testing.assert_allclose(corrected.coef_, weighted.coef_, atol=1e-6)
    assert ol.certify(corrected, X, shares).gap <= 1e-8


def test_prior_correction_goes_with_warm_starts_and_polish():
    X, y, _ = table()
    model = ol.LogisticRegression(class_weight="balanced", prior_correction=True, warm_start=True).fit(X, y)
    again = model.intercept_.copy()
    model.fit(X, y)
    assert model.n_iter_ <= 1
    np.testing.assert_allclose(model.intercept_, again, atol=1e-5)
    assert model.polish(X, y).polish_report_.relative < 1e-5


# ---- weights of rows -----------------------------------------------------------------------------------------

WEIGHTED = {
    "least squares": (ol.LinearRegression(), 1e-8),
    "newton": (ol.LogisticRegression(C=2.0, tol=1e-12), 1e-5),
    "softmax": (ol.SoftmaxRegression(C=2.0, tol=1e-12), 1e-5),
    "lbfgs": (ol.LogisticRegression(C=2.0, tol=1e-12, solver="lbfgs"), 1e-5),
    "huber": (ol.LinearRegression("huber", alpha=0.1, tol=1e-12), 1e-5),
    "standardized": (ol.SoftmaxRegression(standardize=True, tol=1e-12), 1e-5),
    "gradient descent": (
        ol.LogisticRegression(solver=ol.solvers.GradientDescent(0.5, steps=50), tol=0),
        1e-10,
    ),
    "sgd, all rows in a batch": (ol.LogisticRegression(solver=ol.solvers.SGD(0.5, 10_000, 20), tol=0), 1e-10),
}


@over("case", WEIGHTED)
@pytest.mark.parametrize("sparse", [False, True])
def test_weights_are_rows_so_many_times(case, sparse):
    model, atol = case
    X, y, _ = table(rows=120)
    weight = np.random.default_rng(5).integers(0, 4, size=len(X))
    form = scipy.sparse.csr_matrix if sparse else np.asarray
    expected = model.fit(form(np.repeat(X, weight, axis=0)), np.repeat(y, weight))
    coef, bias = np.array(expected.coef_), np.array(expected.intercept_)
    found = model.fit(form(X), y, weight)
    np.testing.assert_allclose(found.coef_, coef, atol=atol)
    np.testing.assert_allclose(found.intercept_, bias, atol=atol)


def test_sgd_does_not_see_rows_of_no_weight():
    X, y, _ = table(rows=120)
    weight = np.random.default_rng(5).integers(0, 2, size=len(X)).astype(float)
    model = ol.LogisticRegression(solver=ol.solvers.SGD(0.1, 16, 3), tol=0, random_state=0)
    expected = model.fit(X[weight > 0], y[weight > 0]).coef_.copy()
    np.testing.assert_allclose(model.fit(X, y, weight).coef_, expected, atol=1e-12)


# ---- bad input ------------------------------------------------------------------------------------------------

X, Y, SHARES = table()
BAD = {
    "sum": (
        lambda: ol.SoftmaxRegression().fit(X, SHARES * 0.7),
        r"row 0 of y is \[.*\], which is no row of probab.*0\.7\)",
    ),
    "negative": (
        lambda: ol.SoftmaxRegression().fit(X, SHARES - [0.5, 0, -0.5]),
        r"row \d+ of y is .* give numbers ≥ 0",
    ),
    "whole numbers in columns": (
        lambda: ol.SoftmaxRegression().fit(X, np.eye(3, dtype=int)[Y]),
        r"y has shape \(200, 3\): give one label per row, .* or a row of probabilities \(floats\) for each\.",
    ),
    "columns and classes": (
        lambda: ol.SoftmaxRegression(classes=[1, 2]).fit(X, SHARES),
        "y has 3 columns and classes has 2 labels: give one column for each class",
    ),
    "unknown label": (
        lambda: ol.SoftmaxRegression(classes=[0, 1]).fit(X, Y),
        r"y holds 2 in row \d+, which is not among",
    ),
    "classes twice": (lambda: ol.SoftmaxRegression(classes=[0, 0, 1]).fit(X, Y), "with a label twice"),
    "one class left": (
        lambda: ol.LogisticRegression(classes=[0, 1, 2]).fit(X[Y == 1], Y[Y == 1]),
        r"y holds one class only \(1\) in the rows of positive weight",
    ),
    "offset shape": (
        lambda: ol.SoftmaxRegression().fit(X, Y, offset=np.zeros(len(X))),
        r"offset has shape \(200,\), and these data need \(200, 3\): give one number for each score",
    ),
    "offset infinite": (
        lambda: ol.SoftmaxRegression().fit(X, Y, offset=SHARES * np.inf),
        "offset holds NaN or infinite",
    ),
    "offset text": (lambda: ol.SoftmaxRegression().fit(X, Y, offset=["a"] * 200), "offset is not numeric"),
    "prior without intercept": (
        lambda: ol.LogisticRegression(
            class_weight="balanced", prior_correction=True, fit_intercept=False
        ).fit(X, Y),
        "prior_correction=True moves the intercept of the log loss: it needs loss='log' and fit_intercept=True",
    ),
}


@over("case", BAD)
def test_what_cannot_be_is_named(case):
    action, text = case
    with pytest.raises((DataError, ParameterError), match=text):
        action()


def test_a_column_of_labels_is_taken_with_a_warning():
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        ol.LogisticRegression().fit(X, Y[:, None])
