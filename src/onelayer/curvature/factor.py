"""A Cholesky factor of a weighted, centred Gram matrix plus α."""

import itertools

import torch

__all__ = ["CentredFactor", "gram_work", "spans_of", "symmetric"]

# Added to the unit diagonal, in rounding units of the Gram matrix: the factorisation survives columns that depend on
# each other, and directions this flat are left to conjugate gradients, which take one step for each.
_JITTER = 16
_ATTEMPTS = 6
# Strips of a Gram matrix, and how wide one is at least.
_PARTS, _STRIP = 3, 64
# Numbers side by side in a maximum over rows.
_WIDTH = 512
# Of rows that are centred and scaled at a time (8 MB in float32).
_BLOCK_NUMBERS = 2**21
# Rows that show how large columns are.
_SAMPLE = 1024
# Numbers of rows that are gathered once, for their mean and for their Gram matrix (32 MB in float32).
_HELD_NUMBERS = 2**23
# A mean that is so many rounding units from an entry is that entry: in a constant column, and elsewhere it might as well be.
_CONSTANT = 16


class CentredFactor:
    """(Σ_i h_i (x_i − m)(x_i − m)ᵀ + α)⁻¹ with m the h-weighted mean: what is left once the intercept is eliminated.

    Columns are scaled to unit diagonal before anything is squared, so units of columns do not matter.

    Parameters
    ----------
    design : Design
    index : tensor or slice
        The rows to take.
    h : tensor of shape (m,)
        ≥ 0; chances of sampling included.
    l2 : float
        α.
    centred : bool
        Whether there is an intercept.
    spans : tensor of shape (features,), optional
        From :func:`spans_of`, where many factors are made of the rows of one design.

    Attributes
    ----------
    lower : tensor of shape (features, features)
        Of the scaled matrix, float64.
    scale : float64 tensor of shape (features,)
    mean : float64 tensor of shape (features,)
    """

    def __init__(self, design, index, h, l2, *, centred, spans=None):
        dtype = design.dtype
        h = h.to(dtype)
        rows = _Rows(design, index, len(h))
        self.mean = _mean(rows, h, centred)
        size = _seen_size(design, index, self.mean, len(h)) if spans is None else spans
        gram = None if size is None else _gram(rows, h, self.mean, size)
        if gram is None or not bool(torch.isfinite(gram).all()):
            self.mean, size = _whole_size(rows, self.mean, centred)
            gram = _gram(rows, h, self.mean, size)
        size = size.double()
        gram.diagonal().add_(l2 / size.square())
        # A column without any curvature is left alone.
        gram.diagonal().add_((gram.diagonal() <= 0).to(gram))
        diagonal = gram.diagonal().sqrt()
        self.scale = 1 / (size * diagonal)
        gram /= diagonal.outer(diagonal)
        jitter = _JITTER * torch.finfo(dtype).eps
        for _ in range(_ATTEMPTS):
            gram.diagonal().add_(jitter)
            lower, failed = torch.linalg.cholesky_ex(gram)
            if not failed.item():
                break
            jitter *= 30
        else:
            lower = torch.eye(design.features, dtype=torch.float64, device=gram.device)
        self.lower = lower
        self._dtype = dtype

    def inverse(self):
        """Return L⁻¹ in the dtype of the design."""
        # Its own digits do not matter, for L⁻ᵀL⁻¹ is positive definite with whatever digits.
        unit = torch.eye(len(self.lower), dtype=self._dtype, device=self.lower.device)
        return torch.linalg.solve_triangular(self.lower.to(self._dtype), unit, upper=False)

    def whiten(self, noise):
        """Return (V, c) such that V x + c = noiseᵀ L⁻¹ (x − m): for unit noise, squares of mean xᵀG⁻¹x."""
        solved = torch.linalg.solve_triangular(self.lower.T, noise, upper=True)
        weight = (self.scale.unsqueeze(1) * solved).T
        return weight, -(weight @ self.mean)


class _Rows:
    """The rows that were chosen, as often as they are asked for: a few megabytes at a time, gathered once if they are few."""

    def __init__(self, design, index, count):
        self.design, self.index, self.count = design, index, count
        self._gathered = not isinstance(index, slice)
        few = self._gathered and count * design.features <= _HELD_NUMBERS
        self._held = list(self._read()) if few else None

    def blocks(self):
        """Yield slices of 0 … count and the rows that belong there."""
        return self._read() if self._held is None else iter(self._held)

    def _read(self):
        size = max(1024, _BLOCK_NUMBERS // self.design.features)
        for start in range(0, self.count, size):
            part = slice(start, min(start + size, self.count))
            yield part, self.design.dense(self.index[part] if self._gathered else part)


def spans_of(design):
    """Return how far the entries of each column lie apart at most, 1 where they are all alike, from all rows."""
    low, high = _extremes(_Rows(design, slice(None), design.rows))
    span = high - low
    return torch.where((span > 0) & torch.isfinite(span), span, 1.0)


def _mean(rows, h, centred):
    """Return the h-weighted mean of each feature; 0 where not centred."""
    design = rows.design
    total = h.sum(dtype=torch.float64)
    mean = torch.zeros(design.features, dtype=torch.float64, device=design.device)
    if centred and total > 0:
        entry = mean
        for part, block in rows.blocks():
            mean += h[part] @ block
            entry = block[0].double()
        mean /= total
        # A constant column is to be zero when it is centred, not rounding that is scaled up.
        mean = torch.where(
            (mean - entry).abs() <= _CONSTANT * torch.finfo(design.dtype).eps * entry.abs(), entry, mean
        )
    return mean


def _seen_size(design, index, mean, count):
    """Return the largest distance from the mean among a few rows, or None where they are all alike in some column.

    The extremes of all rows take half as long as their Gram matrix, and it is only to stay within the range of float32.
    """
    step = max(1, count // _SAMPLE)
    index = torch.arange(0, count, step, device=design.device) if isinstance(index, slice) else index[::step]
    rows = design.dense(index)
    high, low = rows.amax(dim=0), rows.amin(dim=0)
    size = torch.maximum((high - mean).abs(), (low - mean).abs()).to(design.dtype)
    return size if bool(((high > low) & (size > 0) & torch.isfinite(size)).all()) else None


def _whole_size(rows, mean, centred):
    """Return the mean, exact for columns that are constant, and the largest distance from it among all rows."""
    low, high = _extremes(rows)
    if centred:
        mean = torch.where(high == low, high.double(), mean)
    size = torch.maximum((high - mean).abs(), (low - mean).abs()).to(rows.design.dtype)
    return mean, torch.where((size > 0) & torch.isfinite(size), size, 1.0)


def _extremes(rows):
    """Return the least and the largest entry of each column."""
    design = rows.design
    high = torch.full((design.features,), -torch.inf, dtype=design.dtype, device=design.device)
    low = -high
    for _, block in rows.blocks():
        high = torch.maximum(high, _extreme(block, torch.amax))
        low = torch.minimum(low, _extreme(block, torch.amin))
    return low, high


def _gram(rows, h, mean, size):
    """Return Σ_i h_i r_i r_iᵀ with r = (x − mean) / size, summed in float64."""
    design = rows.design
    gram = torch.zeros(design.features, design.features, dtype=torch.float64, device=design.device)
    mean, root = mean.to(design.dtype), h.sqrt()
    for part, block in rows.blocks():
        moved = torch.sub(block, mean)
        gram += symmetric(moved.div_(size).mul_(root[part].unsqueeze(1)))
    return gram


def _extreme(rows, extreme):
    """Return the extremes of all columns: side by side until they fill registers, which is four times as fast for few."""
    features = rows.shape[1]
    fold = max(1, min(_WIDTH // max(features, 1), len(rows)))
    main = len(rows) // fold * fold
    top = extreme(extreme(rows[:main].reshape(-1, fold * features), dim=0).view(fold, features), dim=0)
    return top if main == len(rows) else extreme(torch.cat([top.unsqueeze(0), rows[main:]]), dim=0)


def gram_work(objective):
    """Return the multiply-adds of a Gram matrix for one row, over those of half a pass for one row."""
    parts = max(1, min(_PARTS, objective.features // _STRIP))
    share = (parts + 1) / (2 * parts)
    return share * objective.features / objective.outputs


def symmetric(rows):
    """Return rowsᵀ rows of one matrix or of a batch, a part of the work left out: torch has no product that knows of symmetry."""
    features = rows.shape[-1]
    parts = min(_PARTS, features // _STRIP)
    if parts < 2:
        return rows.mT @ rows
    gram = rows.new_empty(*rows.shape[:-2], features, features)
    # Whole strips, for a product of any other width takes as long as the next one.
    edges = [features * part // parts // _STRIP * _STRIP for part in range(parts)] + [features]
    for start, end in itertools.pairwise(edges):
        strip = rows[..., start:end].mT @ rows[..., start:]
        gram[..., start:end, start:] = strip
        gram[..., start:, start:end] = strip.mT
    return gram
