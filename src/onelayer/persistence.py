"""A fitted model as a folder: ``model.safetensors`` and ``config.json``. Loading executes nothing."""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import pathlib
import tempfile

import numpy as np

from onelayer.errors import ModelFileError, OutputError

__all__ = [
    "FORMAT_VERSION",
    "ModelRecord",
    "plain",
    "prepare_folder",
    "read_model",
    "write_atomically",
    "write_model",
]

FORMAT_VERSION = 1
_WEIGHTS, _CONFIG = "model.safetensors", "config.json"


@dataclasses.dataclass
class ModelRecord:
    """A fitted model as plain data.

    Attributes
    ----------
    config : dict
        JSON-ready, floats may be infinite.
    arrays : dict of numpy arrays
        "weight" of shape (outputs, features) and "bias" of shape (outputs,).
    """

    config: dict
    arrays: dict


def prepare_folder(folder):
    """Create the folder if need be and make sure that files can be written there; return it as a Path."""
    folder = pathlib.Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}; choose another folder.") from error
    return folder


def plain(value):
    """Return a value in builtins that strict JSON can hold: None for numbers that are not finite."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_atomically(path, content, *, durable=False):
    """Write bytes under a temporary name, then rename: a reader sees the old file or the new one, never half of one.

    With `durable` also after a loss of power.
    """
    path = pathlib.Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        # mkstemp makes the file private; a result should be readable as any other file of this user.
        umask = os.umask(0)
        os.umask(umask)
        pathlib.Path(name).chmod(0o666 & ~umask)
        pathlib.Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            pathlib.Path(name).unlink()
        raise


def write_model(folder, record):
    """Write a model, atomically file by file; the weights' hash in the config ties the two together."""
    from safetensors.numpy import save

    folder = prepare_folder(folder)
    # safetensors writes wrong numbers, without a word, for arrays that are not C-contiguous.
    weights = save({name: np.ascontiguousarray(array) for name, array in record.arrays.items()})
    config = {
        "format": "onelayer",
        "format_version": FORMAT_VERSION,
        **record.config,
        "weights": {name: [str(array.dtype), list(array.shape)] for name, array in record.arrays.items()},
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    text = json.dumps(_without_infinities(config), indent=2, ensure_ascii=False, allow_nan=False)
    try:
        write_atomically(folder / _WEIGHTS, weights)
        write_atomically(folder / _CONFIG, text.encode())
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}; choose another folder.") from error


def read_model(folder):
    """Read what `write_model` wrote, checked: format, version, hash, names, shapes and dtypes.

    Raises
    ------
    ModelFileError
        One sentence about what is wrong.
    """
    folder = pathlib.Path(folder)
    config = _read_config(folder)
    weights = _read_bytes(folder, _WEIGHTS)
    if hashlib.sha256(weights).hexdigest() != config["weights_sha256"]:
        raise ModelFileError(
            f"{folder / _WEIGHTS} is not the file that {_CONFIG} describes (its checksum differs): save the model again."
        )
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(weights)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelFileError(f"{folder / _WEIGHTS} is damaged ({error}): save the model again.") from error
    found = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
    if found != config["weights"] or set(found) != {"weight", "bias"}:
        raise ModelFileError(
            f"{folder / _WEIGHTS} holds {found}, but {_CONFIG} says {config['weights']}: save it again."
        )
    return ModelRecord(config, arrays)


def _read_config(folder):
    if not folder.is_dir():
        raise ModelFileError(f"{folder} is no folder: give the folder that a model was saved to.")
    try:
        config = json.loads(_read_bytes(folder, _CONFIG).decode())
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            f"{folder / _CONFIG} is no readable JSON ({error}): save the model again."
        ) from error
    if not isinstance(config, dict) or config.get("format") != "onelayer":
        raise ModelFileError(
            f"{folder / _CONFIG} does not describe a onelayer model: give a folder made by save()."
        )
    if config.get("format_version") != FORMAT_VERSION:
        raise ModelFileError(
            f"{folder} has model format {config.get('format_version')!r} and this release reads format "
            f"{FORMAT_VERSION}: use the onelayer version that wrote it ({config.get('version', 'unknown')})."
        )
    missing = {"model", "parameters", "weights", "weights_sha256", "n_features"} - set(config)
    if missing:
        raise ModelFileError(f"{folder / _CONFIG} lacks {', '.join(sorted(missing))}: save the model again.")
    return _with_infinities(config)


def _read_bytes(folder, name):
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{folder} holds no readable {name}: give the folder that a model was saved to."
        ) from error


def _without_infinities(value):
    """JSON has no infinity, and C=inf is an everyday value."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    if isinstance(value, dict):
        return {key: _without_infinities(item) for key, item in value.items()}
    return [_without_infinities(item) for item in value] if isinstance(value, (list, tuple)) else value


def _with_infinities(value):
    if isinstance(value, dict):
        if set(value) == {"$float"} and value["$float"] in ("inf", "-inf", "nan"):
            return float(value["$float"])
        return {key: _with_infinities(item) for key, item in value.items()}
    return [_with_infinities(item) for item in value] if isinstance(value, list) else value
