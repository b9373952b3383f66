"""The features that a network makes of a loader's batches, as one table."""

import dataclasses
import time
from typing import Any

import numpy as np
import torch

from onelayer.backbones.batches import moved
from onelayer.backbones.progress import Rows
from onelayer.errors import DataError

__all__ = ["Network", "Table", "collect"]

# What the estimators read without a conversion.
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8)


class Network:
    """A network on a device, as a function from x to rows of features.

    Parameters
    ----------
    backbone : torch.nn.Module
    device : torch.device
    flatten : bool

    Attributes
    ----------
    flattened : bool
        Whether there was anything to flatten.
    """

    def __init__(self, backbone, device, flatten):
        self.backbone, self.device, self.flatten = backbone, device, flatten
        self.flattened = False

    def __call__(self, x, where):
        """Return features of shape (n, width); `where` names the batch, for messages."""
        out = self.backbone(moved(x, self.device))
        if not isinstance(out, torch.Tensor):
            raise DataError(
                f"the backbone returned a {type(out).__name__} for {where}, and features are one tensor: wrap it in a module "
                "that returns that."
            )
        if out.ndim > 2 and self.flatten:
            self.flattened, out = True, out.flatten(1)
        if out.ndim != 2:
            shape = tuple(out.shape)
            way = (
                "pass flatten=True, or end the backbone with a pooling"
                if out.ndim > 2
                else "give one row per sample"
            )
            raise DataError(
                f"the backbone's output has shape {shape} for {where}, and features have (n, width): {way}."
            )
        if out.dtype not in _DTYPES:
            raise DataError(f"the backbone's output has dtype {out.dtype} for {where}: let it return floats.")
        return out


@dataclasses.dataclass(frozen=True)
class Table:
    """Features with their targets.

    Attributes
    ----------
    features : tensor of shape (rows, width)
    y : array of shape (rows,) or (rows, targets)
    weight : array of shape (rows,) or None
    seconds : float
    """

    features: torch.Tensor
    y: np.ndarray
    weight: np.ndarray | None
    seconds: float

    def score(self, estimator):
        """Return the accuracy or R² of a fitted estimator."""
        return estimator.score(self.features, self.y, self.weight)


class _Growing:
    """Rows of features, written into one tensor that is allocated at once where their number is known.

    A list of batches that are joined at the end would take twice the memory of the features; this takes that only
    where a loader gives more rows than it said.
    """

    rows: Any = None

    def __init__(self, expected):
        self.expected, self.count = expected, 0

    def append(self, block, where):
        if self.rows is None:
            self.rows = self._empty(max(self.expected or 0, len(block)), block)
        if block.shape[1] != self.rows.shape[1]:
            raise DataError(
                f"{where} has features of width {block.shape[1]} and those before it {self.rows.shape[1]}: give inputs of one "
                "size, or end the backbone with a pooling."
            )
        if block.dtype != self.rows.dtype:
            raise DataError(
                f"{where} has features of dtype {block.dtype} and those before it {self.rows.dtype}: let the backbone return one."
            )
        needed = self.count + len(block)
        if needed > len(self.rows):
            wider = self._empty(max(needed, 2 * self.count), block)
            wider[: self.count] = self.rows[: self.count]
            self.rows = wider
        self.rows[self.count : needed] = block
        self.count = needed

    def _empty(self, rows, block):
        return torch.empty(rows, block.shape[1], dtype=block.dtype, device=block.device)

    def table(self):
        # A view of the front keeps the whole, which is fine unless most of it is empty.
        rows = self.rows[: self.count]
        return rows.clone() if 2 * self.count < len(self.rows) else rows


def collect(network, batches, label, *, show):
    """Run the network over all batches and return the Table.

    Parameters
    ----------
    network : Network
    batches : Batches
    label : str
        Of the progress bar.
    show : bool
        Whether there is one.
    """
    began, features, targets, weights = time.perf_counter(), _Growing(batches.rows), [], []
    with Rows(label, batches.rows, show=show) as bar:
        for number, (x, y, weight) in enumerate(batches):
            where = f"batch {number} of {batches.name}"
            block = network(x, where)
            targets.append(_column(y, len(block), "y", where))
            if weight is not None:
                weights.append(_column(weight, len(block), "weights", where))
            _require_finite(block, features.count, where)
            features.append(block, where)
            bar.advance(len(block))
    if not features.count:
        raise DataError(f"{batches.name} gave batches without rows: give at least one.")
    y = _joined(targets, batches.name)
    return Table(
        features.table(), y, np.concatenate(weights) if weights else None, time.perf_counter() - began
    )


def _column(values, rows, name, where):
    """Return the targets or weights of a batch as an array, one entry per row."""
    if isinstance(values, torch.Tensor):
        values = values.detach()
        values = (values.float() if values.dtype == torch.bfloat16 else values).cpu().numpy()
    column = np.asarray(values)
    if column.ndim == 0 or len(column) != rows:
        raise DataError(
            f"{where} has {rows} rows of features and {name} of shape {column.shape}: give one entry for each row."
        )
    return column


def _joined(targets, name):
    shapes = {column.shape[1:] for column in targets}
    if len(shapes) > 1:
        raise DataError(f"{name} gives targets of the shapes {sorted(shapes)} per row: give one shape.")
    return np.concatenate(targets)


def _require_finite(block, before, where):
    if not block.is_floating_point() or bool(torch.isfinite(block).all()):
        return
    bad = ~torch.isfinite(block)
    row, column = (int(place) for place in bad.nonzero()[0])
    count = int(bad.sum())
    noun = "feature that is" if count == 1 else "features that are"
    raise DataError(
        f"{where} has {count} {noun} NaN or infinite, the first in row {before + row}, column {column}: look at that batch, or "
        "run the backbone in float32."
    )
