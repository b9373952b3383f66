"""Which drop-ins there are, for whoever must not wait for torch."""

__all__ = ["DROP_INS"]

# The module of ours, and the one in which scikit-learn defines its own class: one line for each.
DROP_INS = {
    "LogisticRegression": ("onelayer.sklearn.logistic", "sklearn.linear_model._logistic"),
}
