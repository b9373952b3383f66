"""SGDClassifier and SGDRegressor with scikit-learn's arguments and its recursion, compiled by Numba."""

from onelayer.sklearn.sgd.classifier import SGDClassifier
from onelayer.sklearn.sgd.regressor import SGDRegressor

__all__ = ["SGDClassifier", "SGDRegressor"]
