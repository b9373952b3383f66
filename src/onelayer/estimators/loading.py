"""From the files of a saved model back to a fitted estimator."""

import math
import warnings
from typing import Any

import numpy as np
import torch

from onelayer import links
from onelayer.certificates import Certificate
from onelayer.data import ColumnEncoder
from onelayer.errors import ModelFileError
from onelayer.estimators.classification import LogisticRegression, SoftmaxRegression
from onelayer.estimators.regression import LinearRegression
from onelayer.estimators.saving import LOSSES, OBJECTIVE_FACTS
from onelayer.penalties import Strength
from onelayer.persistence import read_model
from onelayer.result import Result
from onelayer.solvers import SOLVERS

__all__ = ["load"]

_MODELS = {model.__name__: model for model in (LinearRegression, LogisticRegression, SoftmaxRegression)}
# A parameter that could not be saved.
_LOST = object()


def load(folder):
    """Return the fitted estimator that ``save`` or ``onelayer fit`` wrote into a folder.

    Parameters
    ----------
    folder : path

    Raises
    ------
    ModelFileError
        The folder holds no model, a damaged one, or one of another format version.

    Examples
    --------
    >>> import tempfile
    >>> import onelayer as ol
    >>> data = ol.data.load("iris")
    >>> model = ol.SoftmaxRegression().fit(data.X, data.y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(folder)
    ...     again = ol.load(folder)
    >>> bool((again.predict_proba(data.X) == model.predict_proba(data.X)).all())
    True
    """
    record = read_model(folder)
    try:
        return _restore(record)
    except ModelFileError:
        raise
    # Whatever a hand that edited the file could have done: the record does not describe a model.
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}".split("\n")[0]
        raise ModelFileError(f"{folder}/config.json is damaged ({reason}): save the model again.") from error


def _restore(record):
    config = record.config
    if config["model"] not in _MODELS:
        raise ModelFileError(
            f"the model is a {config['model']!r}, which this release does not know: update onelayer."
        )
    weight, bias = record.arrays["weight"], record.arrays["bias"]
    lost = []
    parameters = {name: _decode(value, name, lost) for name, value in config["parameters"].items()}
    estimator: Any = _MODELS[config["model"]](
        **{name: value for name, value in parameters.items() if value is not _LOST}
    )
    estimator.n_features_in_ = config["n_features"]
    outputs = _check_shapes(config, weight, bias)
    if config["feature_names"] is not None:
        estimator.feature_names_in_ = _names(config["feature_names"], config["n_features"])
    if isinstance(estimator, LinearRegression):
        estimator._two_dimensional = config["two_dimensional"]
        if outputs > 1 and not estimator._two_dimensional:
            raise ValueError(f"{outputs} rows of weights for one target")
    else:
        estimator.classes_ = np.array(config["classes"]["values"], dtype=np.dtype(config["classes"]["dtype"]))
        expected = estimator._outputs(len(np.unique(estimator.classes_)))
        if expected != outputs:
            raise ModelFileError(
                f"the weights have {outputs} rows and {len(estimator.classes_)} classes need {expected}: save the model again."
            )
    if config["columns"] is not None:
        estimator.columns_ = ColumnEncoder.from_dict(config["columns"])
    estimator.objective_record_ = _objective(config["objective"])
    estimator.result_ = Result.from_dict(config["result"])
    estimator.certificate_ = config["certificate"] and Certificate(**config["certificate"])
    estimator.n_iter_ = estimator.result_.n_iter
    estimator._returns_tensors = False
    estimator._keep(weight, bias)
    if lost:
        warnings.warn(
            f"{', '.join(lost)}: set from Python and not saved, so the default is used if the model is fitted again.",
            UserWarning,
            stacklevel=3,
        )
    return estimator


def _objective(facts):
    # Files of the first release know no total weight: what needs it is left out.
    if set(facts) | {"total_weight"} != OBJECTIVE_FACTS:
        raise ValueError(f"the objective is described by {sorted(facts)}")
    total = facts.get("total_weight", 1.0)
    if not isinstance(total, (int, float)) or not 0 < total < math.inf:
        raise ValueError(f"the total weight is {total!r}")
    return facts


def _names(names, features):
    unique = set(names) if isinstance(names, list) else set()
    if len(unique) != features or not all(isinstance(name, str) for name in unique):
        raise ValueError(f"feature_names are not {features} different names")
    return np.array(names, dtype=object)


def _check_shapes(config, weight, bias):
    outputs, features = weight.shape if weight.ndim == 2 else (0, 0)
    if features != config["n_features"] or bias.shape != (outputs,) or not outputs:
        raise ModelFileError(
            f"the weights have shapes {weight.shape} and {bias.shape} for {config['n_features']} features: save the model again."
        )
    if weight.dtype != bias.dtype or weight.dtype not in (np.float32, np.float64):
        raise ModelFileError(
            f"the weights are {weight.dtype} and {bias.dtype}, not both float32 or float64: save the model again."
        )
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ModelFileError("the weights hold NaN or infinite values: fit and save the model again.")
    return outputs


def _decode(value, name, lost):
    """Return what `saving` encoded; the names of parameters that could not be saved go to `lost`."""
    if isinstance(value, list):
        return [_decode(item, name, lost) for item in value]
    if not isinstance(value, dict):
        return value
    if "$lost" in value:
        lost.append(name)
        return _LOST
    if "$tuple" in value:
        return tuple(_decode(value["$tuple"], name, lost))
    if "$pairs" in value:
        return {_decode(key, name, lost): _decode(item, name, lost) for key, item in value["$pairs"]}
    if "$optimizer" in value:
        optimizer = getattr(torch.optim, value["$optimizer"])
        if not issubclass(optimizer, torch.optim.Optimizer):
            raise TypeError(f"{value['$optimizer']!r} is no optimiser")
        return optimizer
    if "$loss" in value:
        arguments = dict(value["parameters"])
        if "link" in arguments:
            arguments["link"] = {link: getattr(links, link) for link in links.__all__}[arguments["link"]]()
        return LOSSES[value["$loss"]](**arguments)
    if "$strength" in value:
        return Strength(**value["$strength"])
    if "$solver" in value:
        arguments = {key: _decode(item, key, lost) for key, item in value["parameters"].items()}
        return SOLVERS[value["$solver"]](
            **{key: item for key, item in arguments.items() if item is not _LOST}
        )
    return {key: _decode(item, key, lost) for key, item in value.items()}
