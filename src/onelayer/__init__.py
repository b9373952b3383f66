"""Linear, logistic and softmax regression on PyTorch: the exact answer, with a proof, and every step of it visible.

Names are resolved on first use, so ``import onelayer`` and the command line's ``--help`` do not wait for torch.
"""

import logging
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "LinearRegression",
    "LinearRegressionCV",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MultilabelLogisticRegression",
    "SoftmaxRegression",
    "SoftmaxRegressionCV",
    "callbacks",
    "certify",
    "check_head",
    "choose_solver",
    "data",
    "errors",
    "fit_head",
    "fit_many",
    "links",
    "load",
    "losses",
    "path",
    "penalties",
    "plan",
    "plots",
    "probe",
    "solvers",
    "stopping",
]

# Nothing is shown unless the user says where to.
logging.getLogger("onelayer").addHandler(logging.NullHandler())

if TYPE_CHECKING:
    from onelayer import callbacks, data, errors, links, losses, penalties, plots, solvers, stopping
    from onelayer.backbones import fit_head
    from onelayer.estimators import (
        LinearRegression,
        LogisticRegression,
        SoftmaxRegression,
        certify,
        choose_solver,
        load,
        plan,
    )
    from onelayer.heads import check_head
    from onelayer.selection import (
        LinearRegressionCV,
        LogisticRegressionCV,
        MultilabelLogisticRegression,
        SoftmaxRegressionCV,
        fit_many,
        path,
        probe,
    )
else:
    _ROOMS = {
        "estimators": (
            "LinearRegression",
            "LogisticRegression",
            "SoftmaxRegression",
            "certify",
            "choose_solver",
            "load",
            "plan",
        ),
        "backbones": ("fit_head",),
        "heads": ("check_head",),
        "selection": (
            "LinearRegressionCV",
            "LogisticRegressionCV",
            "MultilabelLogisticRegression",
            "SoftmaxRegressionCV",
            "fit_many",
            "path",
            "probe",
        ),
    }
    _ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

    def __getattr__(name):
        import importlib

        if name in _ROOM_OF:
            value = getattr(importlib.import_module(f"onelayer.{_ROOM_OF[name]}"), name)
        elif name in __all__:
            value = importlib.import_module(f"onelayer.{name}")
        else:
            raise AttributeError(f"module 'onelayer' has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
