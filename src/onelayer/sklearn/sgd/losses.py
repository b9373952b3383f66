"""The losses by their scikit-learn names: which compiled formula, and with which number in it.

The formulas themselves are in ``kernels``, where one integer chooses among them. One compiled class per loss, as
scikit-learn has, would make Numba compile the whole loop once for each.
"""

__all__ = ["CLASSIFICATION", "DEFAULT_EPSILON", "REGRESSION", "WITH_EPSILON"]

HINGE = 0
LOGISTIC = 1
MODIFIED_HUBER = 2
SQUARED_HINGE = 3
SQUARED_ERROR = 4
HUBER = 5
EPSILON_INSENSITIVE = 6
SQUARED_EPSILON_INSENSITIVE = 7

DEFAULT_EPSILON = 0.1

REGRESSION = {
    "squared_error": (SQUARED_ERROR, 0.0),
    "huber": (HUBER, DEFAULT_EPSILON),
    "epsilon_insensitive": (EPSILON_INSENSITIVE, DEFAULT_EPSILON),
    "squared_epsilon_insensitive": (SQUARED_EPSILON_INSENSITIVE, DEFAULT_EPSILON),
}
# The perceptron is the hinge with its corner at 0.
CLASSIFICATION = {
    "hinge": (HINGE, 1.0),
    "squared_hinge": (SQUARED_HINGE, 1.0),
    "perceptron": (HINGE, 0.0),
    "log_loss": (LOGISTIC, 0.0),
    "modified_huber": (MODIFIED_HUBER, 0.0),
    **REGRESSION,
}
# Their number is the estimator's ``epsilon``; the one in the table is its default.
WITH_EPSILON = {"huber", "epsilon_insensitive", "squared_epsilon_insensitive"}
