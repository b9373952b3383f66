"""L-BFGS where its model of the curvature is of no use."""

import warnings

import numpy as np
import pytest

import onelayer as ol

X4, Y4 = [[1.0], [2.0], [3.0], [4.0]], [0.5, 5.0, 7.0, 9.0]


def huber(X, y, **options):
    with warnings.catch_warnings():
        # Without a penalty there is no certificate.
        warnings.simplefilter("ignore")
        return ol.LinearRegression("huber", **options).fit(X, y)


def test_a_start_at_which_one_row_has_curvature_is_left():
    model = huber(X4, Y4)
    np.testing.assert_allclose([model.coef_[0], model.intercept_], [2.75, -1.5], atol=1e-5)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_few_rows_far_from_the_start(seed, standardize):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(7, 2)), 30 * rng.normal(size=7)
    plain = huber(X, y, solver=ol.solvers.LBFGS(precondition=False), standardize=standardize)
    assert huber(X, y, standardize=standardize).result_.objective <= plain.result_.objective * (1 + 1e-9)


def test_one_class_is_named_as_the_user_wrote_it():
    with pytest.raises(ol.errors.DataError, match=r"one class only \(1\)"):
        ol.LogisticRegression().fit(X4, [1, 1, 1, 1])
