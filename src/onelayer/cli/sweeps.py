"""What ``onelayer path`` and ``onelayer probe`` share: a grid in words, data, and the model that they ask for."""

import dataclasses
import math
import pathlib
from typing import Any

from onelayer.errors import ParameterError

__all__ = ["Sweeping", "read_grid_text"]

_GRID = "give numbers > 0 with commas, or LOW:HIGH:COUNT for equal ratios, for example 1e-4:1e2:20"
# Strengths, and their inverses, that can be divided by.
_LEAST = 1e-200


def read_grid_text(name, text):
    """Return the strengths that an option asks for, or None where it was not given.

    Examples
    --------
    >>> read_grid_text("--Cs", "0.1,1,10"), [round(C, 3) for C in read_grid_text("--Cs", "0.01:1:3")]
    ([0.1, 1.0, 10.0], [0.01, 0.1, 1.0])
    """
    if text is None:
        return None
    try:
        if ":" in text:
            low, high, count = text.split(":")
            low, high, count = float(low), float(high), int(count)
            if not (0 < low < math.inf and 0 < high < math.inf and count >= 2):
                raise ValueError
            ratio = (high / low) ** (1 / (count - 1))
            return [low * ratio**place for place in range(count - 1)] + [high]
        grid = [float(part) for part in text.split(",")]
        if not all(_LEAST <= value <= 1 / _LEAST for value in grid):
            raise ValueError
        return grid
    except (ValueError, OverflowError) as error:
        raise ParameterError(f"{name} is {text!r}: {_GRID}.") from error


# What the two commands, and onelayer fit, write into a folder.
_RESULTS = (
    "summary.json",
    "config.json",
    "model.safetensors",
    "coef.npy",
    "intercept.npy",
    "report.html",
)


@dataclasses.dataclass
class Sweeping:
    """The options that both commands have."""

    data: str
    target: str | None
    model: str | None
    loss: str | None
    l1_ratio: float
    test: str | None
    out: str | None
    seed: int
    tol: float
    categorical: list[str]
    standardize: bool
    no_intercept: bool
    class_weight: str | None
    fallback: str | None
    threads: int | None
    device: str | None
    dtype: str | None
    memory_limit: str | None
    report: bool
    as_json: bool
    # What `of` makes of these: Loaded or Streamed, and the folder for the results.
    loaded: Any = dataclasses.field(init=False)
    folder: Any = dataclasses.field(init=False)

    @classmethod
    def of(cls, options, folder):
        """Read the options of a command, load the data, and make the folder that results go to."""
        from onelayer.persistence import prepare_folder

        asked = cls(**{field.name: options[field.name] for field in dataclasses.fields(cls) if field.init})
        asked._check()
        if asked.threads:
            import torch

            torch.set_num_threads(asked.threads)
        asked.loaded = asked._opened()
        asked.folder = prepare_folder(asked.out or pathlib.Path("runs") / f"{asked.loaded.name}-{folder}")
        return asked

    def _check(self):
        if self.model not in (None, "linear", "logistic", "softmax"):
            raise ParameterError(f"--model is {self.model!r}: the known ones are linear, logistic, softmax.")
        if self.class_weight not in (None, "balanced"):
            raise ParameterError(f"--class-weight is {self.class_weight!r}: the known one is balanced.")
        if self.seed < 0:
            raise ParameterError(f"--seed is {self.seed}: give a whole number ≥ 0.")
        if self.threads is not None and self.threads < 1:
            raise ParameterError(f"--threads is {self.threads}: give a number ≥ 1.")

    def _opened(self):
        """Load the data, or open what is too large for that as a stream."""
        from onelayer.cli.loaded import Loaded
        from onelayer.cli.streamed import Streamed
        from onelayer.cli.streams import open_if_large

        stream = open_if_large(
            self.data, self.memory_limit, target=self.target, categorical=tuple(self.categorical)
        )
        return Loaded(self, _quiet) if stream is None else Streamed(self, stream, _quiet)

    def forget(self, *written):
        """Remove what earlier runs left in the folder beside what this one has written: it would not be of this one."""
        for name in _RESULTS:
            if name not in written and (name != "report.html" or not self.report):
                (self.folder / name).unlink(missing_ok=True)

    @property
    def train(self):
        """What a probe takes: X and y, or a stream."""
        training = self.loaded.training
        return training if len(training) == 2 else training[0]

    @property
    def tested(self):
        """The same of the test part; None where there is none."""
        X, y = self.loaded.test
        return X if y is None else self.beside(X, y)

    def beside(self, X, y):
        """Return X and y in memory that were read as the columns of the training rows."""
        if len(self.loaded.training) == 2 or hasattr(X, "indptr"):
            return X, y
        from onelayer.designs.feed import tensor_of

        # A tensor is not asked for the names that a stream has told.
        return tensor_of(X), y

    def estimator(self):
        """Return the estimator whose strengths are gone along."""
        import onelayer as ol

        settings = {
            "l1_ratio": self.l1_ratio,
            "tol": self.tol,
            "fit_intercept": not self.no_intercept,
            "standardize": self.standardize,
            "device": self.device,
            "dtype": self.dtype,
        }
        if self.loss is not None:
            settings["loss"] = self.loss
        if self.loaded.kind == "linear":
            if self.class_weight is not None:
                raise ParameterError(
                    "--class-weight applies to logistic and softmax, not to linear: leave it out."
                )
            return ol.LinearRegression(**settings)
        kind = ol.LogisticRegression if self.loaded.kind == "logistic" else ol.SoftmaxRegression
        return kind(class_weight=self.class_weight, **settings)


def _quiet(sentence):
    """Say nothing of how the data were read: the two commands have a line of progress."""
    del sentence
