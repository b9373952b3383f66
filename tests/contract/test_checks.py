"""scikit-learn's own checks of the estimator contract: every one of them, none expected to fail."""

from sklearn.utils.estimator_checks import parametrize_with_checks

import onelayer as ol

ESTIMATORS = [
    ol.LinearRegression(),
    ol.LinearRegression(alpha=0.1),
    ol.LinearRegression("huber", alpha=0.1),
    ol.LinearRegression(alpha=0.1, l1_ratio=0.5),
    ol.LinearRegression(standardize=True, solver="lbfgs", alpha=0.1),
    ol.LogisticRegression(),
    ol.LogisticRegression(l1_ratio=0.5),
    ol.LogisticRegression(standardize=True),
    ol.LogisticRegression(solver="lbfgs"),
    ol.SoftmaxRegression(),
    ol.SoftmaxRegression(C=100.0, solver="newton"),
    ol.LinearRegressionCV(3, cv=2),
    ol.LogisticRegressionCV([0.1, 1.0], cv=2),
    ol.SoftmaxRegressionCV([0.1, 1.0], cv=2, rule="one-standard-error", standardize=True),
]


@parametrize_with_checks(ESTIMATORS)
def test_the_contract(estimator, check):
    check(estimator)
