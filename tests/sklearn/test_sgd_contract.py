"""The SGD drop-ins as scikit-learn estimators: its checks, its words, its attributes, and data of every shape."""

import inspect
import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn import linear_model as peer
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from onelayer.sklearn import sgd as ours
from onelayer.sklearn.sgd import kernels
from onelayer.sklearn.sgd.losses import CLASSIFICATION, EPSILON_INSENSITIVE, HINGE

NAMES = ["SGDClassifier", "SGDRegressor"]
X = np.array([[-2.0, -1], [-1, -1], [-1, -2], [1, 1], [1, 2], [2, 1]])
Y = np.array([1, 1, 1, 2, 2, 2])
_WEIGHTS = "a row of weight 2 takes one step of twice the length, two rows take two steps: another recursion"
EXPECTED = {f"check_sample_weight_equivalence_on_{kind}_data": _WEIGHTS for kind in ("dense", "sparse")}


@parametrize_with_checks(
    [ours.SGDClassifier(max_iter=5), ours.SGDRegressor(max_iter=5)],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_scikit_learn_checks(estimator, check):
    with warnings.catch_warnings():
        # Five epochs are not enough, and the checks do not mind.
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


@pytest.mark.parametrize("name", NAMES)
def test_signatures_defaults_and_public_names(name):
    mine, theirs = getattr(ours, name), getattr(peer, name)
    for method in ("__init__", "fit", "partial_fit", "predict"):
        assert list(inspect.signature(getattr(mine, method)).parameters.items()) == list(
            inspect.signature(getattr(theirs, method)).parameters.items()
        )
    assert set(mine._parameter_constraints) == set(theirs._parameter_constraints)
    assert set(mine.loss_functions) == set(theirs.loss_functions)
    assert {n for n in dir(theirs) if not n.startswith("_")} <= {
        n for n in dir(mine) if not n.startswith("_")
    }


BAD_ARGUMENTS = [
    {"alpha": -1}, {"alpha": "a"}, {"penalty": "l3"}, {"loss": "foo"}, {"l1_ratio": 1.1}, {"max_iter": 0},
    {"tol": -1.0}, {"eta0": 0}, {"learning_rate": "fast"}, {"average": 0}, {"average": -3}, {"epsilon": -0.1},
    {"validation_fraction": 1.0}, {"n_iter_no_change": 0}, {"shuffle": "no"}, {"power_t": np.inf},
    {"penalty": "elasticnet", "l1_ratio": None}, {"alpha": 0, "learning_rate": "optimal"},
    {"learning_rate": "pa1", "loss": "huber"}, {"early_stopping": True, "validation_fraction": 0.99},
]  # fmt: skip
BAD_DATA = [
    (X[:, 0], Y, {}), (X, Y[:-1], {}), (X, None, {}), (X[:0], Y[:0], {}), (X, np.c_[Y, Y], {}),
    (np.where(X == 2, np.nan, X), Y, {}), (np.where(X == 2, np.inf, X), Y, {}), (X * 1j, Y, {}),
    (X, Y, {"sample_weight": np.ones(5)}), (X, Y, {"sample_weight": np.ones((6, 2))}),
    (X, Y, {"sample_weight": np.zeros(6)}), (X, Y, {"coef_init": np.ones(3)}),
    (X, Y, {"intercept_init": np.ones(3)}), (X * 1e300, Y, {}), ("text", Y, {}),
]  # fmt: skip


def refusal(model, X, y, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.raises((ValueError, TypeError)) as caught:
            model.fit(X, y, **given)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("arguments", BAD_ARGUMENTS, ids=str)
def test_words_for_bad_arguments(name, arguments):
    texts = [refusal(getattr(library, name)(**arguments), X, Y) for library in (peer, ours)]
    # Sets of choices have no order.
    assert sorted(texts[1].split()) == sorted(texts[0].split()) or sorted(texts[1]) == sorted(texts[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", range(len(BAD_DATA)))
def test_words_for_bad_data_and_the_model_stays(name, case):
    data, y, given = BAD_DATA[case]
    settings = {"loss": "squared_error", "learning_rate": "constant", "random_state": 0}
    model = getattr(ours, name)(**settings).fit(X, Y)
    before = pickle.dumps(model)
    assert refusal(model, data, y, **given) == refusal(getattr(peer, name)(**settings), data, y, **given)
    assert pickle.dumps(model) == before


def test_words_of_the_classifier():
    cases = [
        (lambda m: m.fit(X, np.ones(6)), {}),
        (lambda m: m.partial_fit(X, Y), {}),
        (lambda m: m.partial_fit(X, Y, classes=[1, 2]), {"class_weight": "balanced"}),
        (lambda m: m.partial_fit(X, Y, classes=[1, 2]), {"early_stopping": True}),
        (lambda m: m.fit(X, Y).partial_fit(X[:, :1], Y), {}),
        (lambda m: m.fit(X, Y).partial_fit(X, Y, classes=[1, 2, 3]), {}),
        (lambda m: m.fit(X, Y, coef_init=np.ones((2, 2))), {}),
        (lambda m: m.fit(X, [1, 1, 2, 2, 3, 3], coef_init=np.ones((2, 2))), {}),
        (
            lambda m: m.fit(X, Y, sample_weight=np.zeros(6)),
            {"early_stopping": True, "validation_fraction": 0.4},
        ),
        (lambda m: m.predict_proba(X), {}),
        (lambda m: m.predict(X), {}),
        (lambda m: m.sparsify(), {}),
    ]
    for call, arguments in cases:
        texts = []
        for library in (peer, ours):
            with pytest.raises((ValueError, AttributeError)) as caught:
                call(library.SGDClassifier(random_state=0, **arguments))
            texts.append(str(caught.value))
        assert texts[0] == texts[1]


@pytest.mark.parametrize("name", NAMES)
def test_warnings(name):
    with pytest.warns(ConvergenceWarning, match="Maximum number of iteration reached before convergence"):
        model = getattr(ours, name)(max_iter=2, tol=1e-9).fit(X, Y)
    assert model.n_iter_ == 2
    with pytest.warns(FutureWarning, match="Negative values for `power_t` are deprecated in version 1.8"):
        getattr(ours, name)(power_t=-0.5, tol=None, max_iter=2).fit(X, Y)


@pytest.mark.parametrize("name", NAMES)
def test_verbose_prints_what_scikit_learn_prints(name, capsys):
    many, targets = np.tile(X, (4, 1)), np.tile(Y, 4)
    for early in (False, True):
        printed = []
        for library in (peer, ours):
            settings = {"max_iter": 3, "tol": None, "random_state": 0, "early_stopping": early}
            getattr(library, name)(verbose=1, **settings).fit(many, targets)
            printed.append([line for line in capsys.readouterr().out.splitlines() if "seconds" not in line])
        assert printed[1] == printed[0]
        assert len(printed[1]) == 6


def test_sparsify_and_densify():
    for name in NAMES:
        model = getattr(ours, name)(penalty="l1", tol=None, max_iter=5, random_state=0).fit(X, Y)
        coef, predicted = model.coef_.copy(), model.predict(X)
        assert sp.issparse(model.sparsify().coef_)
        np.testing.assert_allclose(model.predict(X), predicted)
        model = pickle.loads(pickle.dumps(model))  # noqa: S301
        with pytest.raises(ValueError, match=r"call densify\(\) first"):
            model.partial_fit(X, Y)
        np.testing.assert_array_equal(np.ravel(model.densify().coef_), np.ravel(coef))


def test_partial_fit_after_everything_that_can_happen_to_coefficients(tmp_path):
    """Another dtype, a read-only memory map, Fortran order, averages switched on late."""
    three = np.array([1, 2, 3, 1, 2, 3])
    for y in (Y, three):
        fresh = ours.SGDClassifier(random_state=0, tol=None, max_iter=5).fit(X, y)
        expected = clone(fresh).fit(X, y).partial_fit(X, y).coef_
        joblib.dump(fresh, tmp_path / "model")
        mapped = joblib.load(tmp_path / "model", mmap_mode="r")
        np.testing.assert_array_equal(mapped.partial_fit(X, y).coef_, expected)
        turned = clone(fresh).fit(X, y)
        turned.coef_ = np.asfortranarray(turned.coef_)
        np.testing.assert_array_equal(turned.partial_fit(X.astype(np.float32), y).coef_, expected)
        late = clone(fresh).fit(X, y).set_params(average=True).partial_fit(X, y)
        assert late.coef_.shape == expected.shape
        assert late.t_ == 37.0


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sparse_indices_of_both_widths_and_rows_out_of_order(index):
    rows = sp.csr_array(X)
    rows.indices, rows.indptr = rows.indices[::-1].astype(index), rows.indptr.astype(index)
    rows.data = rows.data[::-1].copy()
    dense = X[::-1]
    for order in (rows[np.arange(6)], sp.csc_array(dense), sp.coo_array(dense)):
        model = ours.SGDRegressor(random_state=0, tol=None, max_iter=3).fit(order, Y)
        assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("damage", ["columns", "negative", "pointers", "beyond"])
def test_damaged_sparse_matrices_are_refused(damage):
    rows = sp.csr_array(np.ones((6, 2)))
    if damage == "columns":
        rows.indices[3] = 1000
    elif damage == "negative":
        rows.indices[3] = -5
    elif damage == "pointers":
        rows.indptr[2] = 9
    else:
        rows.indptr[-1] = 99
    with pytest.raises(ValueError, match="whose index arrays point outside of it"):
        ours.SGDRegressor().fit(rows, Y)


def test_losses_and_their_slopes():
    """Each slope is its value's; at a corner it is the side that learns."""
    step = 1e-6
    for name, (code, parameter) in CLASSIFICATION.items():
        value = kernels.value.py_func
        for y in (0.0, 1.0) if name == "log_loss" else (-1.0, 1.0):
            for p in np.linspace(-3.03, 3.05, 37):
                slope = (value(code, parameter, y, p + step) - value(code, parameter, y, p - step)) / (
                    2 * step
                )
                assert kernels.gradient.py_func(code, parameter, y, p) == pytest.approx(slope, abs=1e-4), name
    assert kernels.gradient.py_func(HINGE, 1.0, 1.0, 1.0) == -1.0
    assert kernels.gradient.py_func(EPSILON_INSENSITIVE, 0.1, 0.0, 0.1) == 0.0


@st.composite
def tables(draw):
    rows, columns = draw(st.integers(2, 9)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    X = rng.normal(size=(rows, columns)) * draw(st.sampled_from([1.0, 0.0, 1e-300, 1e-30, 1e8, 1e160, 1e300]))
    kind = draw(
        st.sampled_from(["plain", "float32", "whole", "reversed", "fortran", "read-only", "csr", "unaligned"])
    )
    with np.errstate(over="ignore"):
        if kind == "float32":
            X = np.clip(X, -1e30, 1e30).astype(np.float32)
        elif kind == "whole":
            X = np.round(np.clip(X, -1e9, 1e9)).astype(np.int64)
    if kind == "reversed":
        X = X[::-1, ::-1]
    elif kind == "fortran":
        X = np.asfortranarray(X)
    elif kind == "csr":
        X = sp.csr_array(X)
    elif kind == "unaligned":
        X = np.frombuffer(b"x" + X.tobytes(), np.uint8)[1:].view(np.float64).reshape(X.shape)
    if kind == "read-only":
        X.flags.writeable = False
    return X, rng.integers(0, draw(st.integers(2, 4)), rows)


@given(
    tables(),
    st.sampled_from(sorted(CLASSIFICATION)),
    st.sampled_from(["l2", "l1", "elasticnet", None]),
    st.sampled_from(["optimal", "constant", "invscaling", "adaptive"]),
    st.booleans(),
    st.sampled_from([1e-300, 1e-4, 1e5]),
)
def test_whatever_the_data_a_fit_is_finite_or_refused_as_by_scikit_learn(
    table, loss, penalty, schedule, average, alpha
):
    X, y = table
    copy = X.copy()
    for name in NAMES:
        if name == "SGDRegressor" and loss not in peer.SGDRegressor.loss_functions:
            continue
        settings = {
            "loss": loss,
            "penalty": penalty,
            "learning_rate": schedule,
            "average": average,
            "alpha": alpha,
        }
        results = []
        for library in (peer, ours):
            model = getattr(library, name)(**settings, random_state=0, max_iter=4, tol=None)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)
                    model.fit(X, y)
            except ValueError as error:
                results.append(str(error))
            else:
                results.append(model.coef_)
                assert average or np.isfinite(model.coef_).all()
        assert [type(result) for result in results] in ([np.ndarray] * 2, [str] * 2)
        if isinstance(results[0], str):
            assert results[0] == results[1]
    assert (copy != X).sum() == 0 if sp.issparse(X) else np.array_equal(copy, X)


def test_numba_comes_with_the_first_fit_only():
    code = "import sys, onelayer.sklearn.sgd as s; s.SGDClassifier(); assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
