"""scikit-learn estimators: validate, encode, build the objective, call the loop, keep the result."""

from onelayer.estimators.certifying import certify
from onelayer.estimators.choosing import choose_solver
from onelayer.estimators.classification import LogisticRegression, SoftmaxRegression
from onelayer.estimators.loading import load
from onelayer.estimators.planning import plan
from onelayer.estimators.plans import Plan
from onelayer.estimators.polishing import PolishReport
from onelayer.estimators.regression import LinearRegression

__all__ = [
    "LinearRegression",
    "LogisticRegression",
    "Plan",
    "PolishReport",
    "SoftmaxRegression",
    "certify",
    "choose_solver",
    "load",
    "plan",
]
