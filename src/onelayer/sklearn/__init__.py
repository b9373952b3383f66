"""Drop-in classes with scikit-learn's names, signatures and attributes, fitted by onelayer.

``from onelayer.sklearn import LogisticRegression`` for one class; ``patch()`` and ``python -m onelayer.sklearn`` for a
whole program.
"""

from typing import TYPE_CHECKING

from onelayer.sklearn.names import DROP_INS

__all__ = [
    "HuberRegressor",
    "LinearRegression",
    "LogisticRegression",
    "LogisticRegressionCV",
    "Ridge",
    "SGDClassifier",
    "SGDRegressor",
    "patch",
    "unpatch",
]

if TYPE_CHECKING:
    from onelayer.sklearn.huber import HuberRegressor
    from onelayer.sklearn.linear import LinearRegression
    from onelayer.sklearn.logistic import LogisticRegression
    from onelayer.sklearn.logistic_cv import LogisticRegressionCV
    from onelayer.sklearn.patching import patch, unpatch
    from onelayer.sklearn.ridge import Ridge
    from onelayer.sklearn.sgd import SGDClassifier, SGDRegressor
else:
    _MODULE_OF = {name: ours for name, (ours, theirs) in DROP_INS.items()}
    _MODULE_OF |= dict.fromkeys(("patch", "unpatch"), "onelayer.sklearn.patching")

    def __getattr__(name):
        import importlib

        if name not in _MODULE_OF:
            raise AttributeError(f"module 'onelayer.sklearn' has no attribute {name!r}")
        value = getattr(importlib.import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
