"""Where a fit stands, in a folder: a fit that was ended goes on from there, if it is the same fit."""

import dataclasses
import hashlib
import json
import numbers
import pathlib

import numpy as np
import torch

from onelayer.designs import Fingerprint
from onelayer.errors import ModelFileError, OutputError, ParameterError
from onelayer.estimators.coded import Coded
from onelayer.estimators.validation import resolve_dtype
from onelayer.persistence import prepare_folder, write_atomically
from onelayer.result import Record

__all__ = ["Checkpoint", "Saved", "checkpoint_of", "fingerprint_of"]

_FILE, _VERSION = "checkpoint.safetensors", 1
_AT_ONCE = 2**24
# Facts in words.
_WORDS = {
    "data": "the rows of X",
    "targets": "y or the sample weights",
    "n_samples": "the number of rows",
    "n_features": "the number of features",
    "dtype": "the arithmetic",
}


@dataclasses.dataclass
class Saved:
    """What is kept of a fit.

    Attributes
    ----------
    arrays : dict of tensors
    numbers : dict
        JSON-ready, infinite numbers too.
    trace : list of Record
        All iterations so far.
    passes, reads : float
        What they cost.
    """

    arrays: dict
    numbers: dict
    trace: list
    passes: float
    reads: float


class Checkpoint:
    """One file that is replaced after each iteration, in one move: it is never half of one.

    Parameters
    ----------
    folder : str or path
        Made if need be.
    group : Group
        Of several processes the first one alone reads and writes.
    facts : dict
        What the fit is of and how it is made, JSON-ready: a checkpoint with others is not of this fit.

    Attributes
    ----------
    reads : float
        How often earlier runs read the data.
    """

    reads = 0.0

    def __init__(self, folder, group, facts):
        self.group = group
        # As they come back from the file.
        self.facts = json.loads(json.dumps(facts))
        self.path = pathlib.Path(folder) / _FILE
        group.everyones(lambda: None if group.rank else prepare_folder(folder) and None)

    def load(self):
        """Return what is Saved, on every process; None where there is nothing yet."""
        saved = self.group.everyones(lambda: None if self.group.rank else self._read())[0]
        self.reads = saved.reads if saved else 0.0
        return saved

    def store(self, arrays, numbers, trace, objective):
        """Keep where the fit stands, in the place of where it stood."""
        saved = Saved(arrays, numbers, trace, objective.passes, self.reads + objective.design.reads)
        self.group.everyones(lambda: None if self.group.rank else self._write(saved))

    def _write(self, saved):
        from safetensors.torch import save

        arrays = {name: array.detach().cpu().contiguous() for name, array in saved.arrays.items()}
        told = {
            "format": "onelayer checkpoint",
            "format_version": _VERSION,
            "facts": self.facts,
            "numbers": saved.numbers,
            "trace": [dataclasses.asdict(record) for record in saved.trace],
            "passes": saved.passes,
            "reads": saved.reads,
            "sha256": _digest(arrays),
        }
        try:
            write_atomically(self.path, save(arrays, {"onelayer": json.dumps(told)}), durable=True)
        except OSError as error:
            raise OutputError(
                f"the checkpoint {self.path} cannot be written ({error.strerror}); the one of the iteration before is still there: "
                "make room, and the same call goes on from it."
            ) from error

    def _read(self):
        if not self.path.exists():
            return None
        told, arrays = self._checked()
        for name, here in self.facts.items():
            there = told["facts"].get(name)
            if there != here:
                what = _WORDS.get(name, name)
                shown = (
                    "" if name in ("data", "targets") else f" ({_short(there)} there, {_short(here)} here)"
                )
                raise ParameterError(
                    f"the checkpoint {self.path} is of another fit, by {what}{shown}: give another folder, or delete it to begin "
                    "anew."
                )
        trace = [Record(**record) for record in told["trace"]]
        return Saved(arrays, told["numbers"], trace, told["passes"], told["reads"])

    def _checked(self):
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, "pt") as file:
                told = json.loads((file.metadata() or {})["onelayer"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)
            whole = told["format_version"] == _VERSION and told["sha256"] == _digest(arrays)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(str(error).splitlines()[0]) from error
        if not whole:
            raise self._damaged("its checksum or its version differs")
        return told, arrays

    def _damaged(self, why):
        return ModelFileError(
            f"the checkpoint {self.path} is damaged ({why}): delete it to begin anew, or put back a copy of it."
        )


def checkpoint_of(model, folder, solver, features, y, sample_weight, offset):
    """Return the Checkpoint of a fit of an estimator, which knows its objective by now."""
    if solver.draws or model.n_init > 1:
        what = f"solver {solver.name!r}, which draws rows" if solver.draws else f"n_init={model.n_init!r}"
        raise ParameterError(
            f"checkpoint is {str(folder)!r}, and {what} cannot go on from one: use an exact solver from one start, or leave "
            "checkpoint out."
        )
    classes = getattr(model, "classes_", None)
    facts = {
        **model.objective_record_,
        "classes": None if classes is None else [str(label) for label in np.asarray(classes).tolist()],
        "class_weight": repr(getattr(model, "class_weight", None)),
        "solver": repr(solver),
        "init": repr(model.init) if isinstance(model.init, (str, numbers.Real)) else _starts(model.init),
        "dtype": str(resolve_dtype(model.dtype, features.values)),
        "targets": targets_digest(y, sample_weight),
        "offset": None if offset is None else targets_digest(offset, None),
        "data": features.fingerprint(),
    }
    return Checkpoint(folder, features.group, facts)


def _starts(init):
    """Return a digest of given coefficients."""
    return [targets_digest(part, None) for part in init]


def fingerprint_of(X, group):
    """Return the fingerprint of rows in memory: a tensor or Compressed rows."""
    compressed = not isinstance(X, torch.Tensor)
    found = Fingerprint(X.columns if compressed else X.shape[1])
    rows = X.rows if compressed else len(X)
    step = max(1, _AT_ONCE // max(1, X.columns if compressed else X.shape[1]))
    for start in range(0, rows, step):
        part = slice(start, min(start + step, rows))
        found.add(X.take(part) if compressed else X[part], start)
    return found.value(group)


def targets_digest(y, sample_weight):
    """Return a digest of targets and weights, block by block."""
    digest = hashlib.sha256()
    for values in (y.labels, y.codes) if isinstance(y, Coded) else (y,):
        _take_in(digest, values)
    if sample_weight is not None:
        digest.update(b"weights")
        _take_in(digest, sample_weight)
    return digest.hexdigest()[:16]


def _take_in(digest, values):
    values = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    digest.update(str((values.dtype.kind, values.shape)).encode())
    if values.dtype.kind in "OUTM":
        digest.update("\0".join(map(str, values.ravel().tolist())).encode())
        return
    for start in range(0, len(values.reshape(-1)), _AT_ONCE):
        digest.update(np.ascontiguousarray(values.reshape(-1)[start : start + _AT_ONCE]).tobytes())


def _digest(arrays):
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(arrays[name].numpy().tobytes())
    return digest.hexdigest()


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
