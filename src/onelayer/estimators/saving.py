"""Between a fitted estimator and the plain record that is written to files."""

import warnings
from typing import Any

import numpy as np
import torch

from onelayer import links, losses
from onelayer.certificates import Certificate
from onelayer.data import ColumnEncoder
from onelayer.errors import DataError, ModelFileError
from onelayer.estimators.classification import LogisticRegression, SoftmaxRegression
from onelayer.estimators.regression import LinearRegression
from onelayer.persistence import ModelRecord, read_model, write_model
from onelayer.result import Result
from onelayer.solvers import SOLVERS, Solver

__all__ = ["load", "save"]

_MODELS = {model.__name__: model for model in (LinearRegression, LogisticRegression, SoftmaxRegression)}
_LOSSES = {name: getattr(losses, name) for name in losses.__all__ if name != "Loss"}


def save(estimator, folder):
    """Write a fitted estimator into a folder."""
    from onelayer import __version__

    weight, bias = (
        np.asarray(part.cpu() if isinstance(part, torch.Tensor) else part)
        for part in estimator._weight_and_bias()
    )
    classes = getattr(estimator, "classes_", None)
    names = getattr(estimator, "feature_names_in_", None)
    columns = getattr(estimator, "columns_", None)
    certificate = estimator.certificate_
    config = {
        "version": __version__,
        "model": type(estimator).__name__,
        "parameters": {name: _encode(value) for name, value in estimator.get_params(deep=False).items()},
        "n_features": int(estimator.n_features_in_),
        "feature_names": None if names is None else [str(name) for name in names],
        "classes": None if classes is None else {"dtype": classes.dtype.str, "values": classes.tolist()},
        "two_dimensional": bool(getattr(estimator, "_two_dimensional", False)),
        "columns": None if columns is None else columns.to_dict(),
        "objective": estimator.objective_record_,
        "certificate": certificate and vars(certificate),
        "result": estimator.result_.to_dict(),
    }
    write_model(folder, ModelRecord(config, {"weight": weight, "bias": bias}))


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
    except (KeyError, TypeError, ValueError, DataError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{folder}/config.json is damaged ({error}): save the model again.") from error


def _restore(record):
    config = record.config
    if config["model"] not in _MODELS:
        raise ModelFileError(
            f"the model is a {config['model']!r}, which this release does not know: update onelayer."
        )
    weight, bias = record.arrays["weight"], record.arrays["bias"]
    decoded = {name: _decode(value) for name, value in config["parameters"].items()}
    lost = [name for name, value in decoded.items() if value is _LOST]
    if lost:
        warnings.warn(
            f"{', '.join(lost)}: set from Python and not saved, so the default is used if the model is fitted again.",
            UserWarning,
            stacklevel=3,
        )
    estimator: Any = _MODELS[config["model"]](
        **{name: value for name, value in decoded.items() if value is not _LOST}
    )
    estimator.n_features_in_ = config["n_features"]
    outputs = _check_shapes(config, weight, bias)
    if config["feature_names"] is not None:
        estimator.feature_names_in_ = np.array(config["feature_names"], dtype=object)
    if config["classes"] is not None:
        estimator.classes_ = np.array(config["classes"]["values"], dtype=np.dtype(config["classes"]["dtype"]))
        expected = estimator._outputs(len(estimator.classes_))
        if expected != outputs:
            raise ModelFileError(
                f"the weights have {outputs} rows and {len(estimator.classes_)} classes need {expected}: save the model again."
            )
    else:
        estimator._two_dimensional = config["two_dimensional"]
    if config["columns"] is not None:
        estimator.columns_ = ColumnEncoder.from_dict(config["columns"])
    estimator.objective_record_ = config["objective"]
    estimator.result_ = Result.from_dict(config["result"])
    estimator.certificate_ = config["certificate"] and Certificate(**config["certificate"])
    estimator.n_iter_ = estimator.result_.n_iter
    estimator._returns_tensors = False
    estimator._keep(weight, bias)
    return estimator


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


# ---- parameters as JSON ---------------------------------------------------------------------------------------

_LOST = object()


def _encode(value):
    if isinstance(value, Solver):
        return {
            "$solver": value.name,
            "parameters": {key: _encode(item) for key, item in value.parameters.items()},
        }
    if isinstance(value, losses.Loss):
        return {"$loss": type(value).__name__, "parameters": value.parameters}
    if (
        isinstance(value, type)
        and issubclass(value, torch.optim.Optimizer)
        and hasattr(torch.optim, value.__name__)
    ):
        return {"$optimizer": value.__name__}
    if isinstance(value, (torch.dtype, torch.device)):
        return str(value).removeprefix("torch.")
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        return {"$pairs": [[_encode(key), _encode(item)] for key, item in value.items()]}
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return {"$lost": repr(value)[:200]}


def _decode(value):
    if not isinstance(value, dict):
        return value
    if "$lost" in value:
        return _LOST
    if "$pairs" in value:
        return {_decode(key): _decode(item) for key, item in value["$pairs"]}
    if "$optimizer" in value:
        optimizer = getattr(torch.optim, value["$optimizer"])
        if not issubclass(optimizer, torch.optim.Optimizer):
            raise TypeError(f"{value['$optimizer']!r} is no optimiser")
        return optimizer
    if "$loss" in value:
        parameters = dict(value["parameters"])
        if "link" in parameters:
            if parameters["link"] not in links.__all__:
                raise ValueError(f"unknown link {parameters['link']!r}")
            parameters["link"] = getattr(links, parameters["link"])()
        return _LOSSES[value["$loss"]](**parameters)
    if "$solver" in value:
        parameters = {key: _decode(item) for key, item in value["parameters"].items()}
        return SOLVERS[value["$solver"]](
            **{key: item for key, item in parameters.items() if item is not _LOST}
        )
    return {key: _decode(item) for key, item in value.items()}
