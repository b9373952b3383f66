"""scikit-learn estimators: validate, encode, build the objective, call the loop, keep the result."""

from onelayer.estimators.certifying import certify
from onelayer.estimators.classification import LogisticRegression, SoftmaxRegression
from onelayer.estimators.regression import LinearRegression
from onelayer.estimators.saving import load

__all__ = ["LinearRegression", "LogisticRegression", "SoftmaxRegression", "certify", "load"]
