"""A fitted estimator as the plain record that is written to files."""

import dataclasses

import numpy as np
import torch

from onelayer import losses
from onelayer.errors import ParameterError
from onelayer.penalties import Strength
from onelayer.persistence import ModelRecord, write_model
from onelayer.solvers import SOLVERS, Solver

__all__ = ["LOSSES", "OBJECTIVE_FACTS", "save"]

LOSSES = {name: getattr(losses, name) for name in losses.__all__ if name != "Loss"}

# The keys of ``objective_record_``.
OBJECTIVE_FACTS = {
    "loss", "loss_parameter", "alpha", "l1_ratio", "fit_intercept", "standardize", "n_samples", "n_features", "n_outputs",
    "total_weight",
}  # fmt: skip


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
    if classes is not None and classes.dtype.kind not in "biufUO":
        raise ParameterError(
            f"labels of dtype {classes.dtype} cannot be saved: fit with labels that are text, whole numbers or booleans."
        )
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
        "certificate": certificate and certificate.to_dict(),
        "result": estimator.result_.to_dict(),
    }
    write_model(folder, ModelRecord(config, {"weight": weight, "bias": bias}))


def _encode(value):
    if isinstance(value, Solver) and SOLVERS.get(value.name) is type(value):
        return {
            "$solver": value.name,
            "parameters": {key: _encode(item) for key, item in value.parameters.items()},
        }
    if isinstance(value, losses.Loss) and type(value) in LOSSES.values():
        return {"$loss": type(value).__name__, "parameters": value.parameters}
    if isinstance(value, Strength):
        return {"$strength": {key: _encode(item) for key, item in dataclasses.asdict(value).items()}}
    if (
        isinstance(value, type)
        and issubclass(value, torch.optim.Optimizer)
        and hasattr(torch.optim, value.__name__)
    ):
        return {"$optimizer": value.__name__}
    if isinstance(value, (torch.dtype, torch.device)):
        return str(value).removeprefix("torch.")
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    if isinstance(value, (list, tuple)):
        items = [_encode(item) for item in value]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        return {"$pairs": [[_encode(key), _encode(item)] for key, item in value.items()]}
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return {"$lost": repr(value)[:200]}
