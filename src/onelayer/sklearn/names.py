"""Which drop-ins there are, for whoever must not wait for torch."""

__all__ = ["DROP_INS"]

# The module of ours, and the one in which scikit-learn defines its own class: one line for each.
DROP_INS = {
    "HuberRegressor": ("onelayer.sklearn.huber", "sklearn.linear_model._huber"),
    "LinearRegression": ("onelayer.sklearn.linear", "sklearn.linear_model._base"),
    "LogisticRegression": ("onelayer.sklearn.logistic", "sklearn.linear_model._logistic"),
    "LogisticRegressionCV": ("onelayer.sklearn.logistic_cv", "sklearn.linear_model._logistic"),
    "Ridge": ("onelayer.sklearn.ridge", "sklearn.linear_model._ridge"),
    "SGDClassifier": ("onelayer.sklearn.sgd", "sklearn.linear_model._stochastic_gradient"),
    "SGDRegressor": ("onelayer.sklearn.sgd", "sklearn.linear_model._stochastic_gradient"),
}
