"""LogisticRegression and SoftmaxRegression under hostile input."""

import numpy as np
import pytest
from hypothesis import given

import onelayer as ol
from hostile import test_own_regression
from hostile.drawing import at_least_500, cases
from hostile.judging import fitted
from hostile.proofs import certificate_holds

SOUND = {
    "C": [1.0, 1e-2, 1e2, np.inf],
    "l1_ratio": [0.0, 0.5, 1.0],
    "fit_intercept": [True, False],
    "standardize": [False, True],
    "class_weight": [None, "balanced"],
}
ODD = {
    **test_own_regression.ODD,
    "C": [1e-300, 1e-12, 1e12, 1e300, 0.0, -1.0, np.nan, "1", None, True, 10**400],
    "loss": ["probability-squared", "hinge", None, 3],
    "class_weight": [{0: 2.0}, {"no": 1.0, "yes": 0.0}, {0: 0.0, 1: 1.0}, {0: -1.0}, {0: np.nan}, "even", 3],
    "prior_correction": [True],
    "classes": [
        [0, 1],
        [0, 1, 2],
        ["no", "yes"],
        ["no", "yes", "perhaps"],
        [0],
        [0, 0],
        ["a", 1],
        None,
        3,
        [np.nan, 1.0],
    ],
}
del ODD["alpha"]


@pytest.mark.parametrize("kind", [ol.LogisticRegression, ol.SoftmaxRegression])
@at_least_500()
@given(case=cases(classes=True, sound=SOUND, odd=ODD, offset=True))
def test_classifiers(kind, case):
    model = fitted(kind(**case.settings), case, own=True)
    # Classes told or weighed by a dict, and moved intercepts, have formulas of their own: tests/laws/test_targets.py.
    others = {"loss", "classes", "prior_correction"} & set(case.settings)
    if model is None or others or isinstance(model.class_weight, dict):
        return
    l1_ratio = float(case.settings.get("l1_ratio", 0.0))
    certificate_holds(model, case, alpha=lambda total: 1 / (float(model.C) * total), l1_ratio=l1_ratio)
