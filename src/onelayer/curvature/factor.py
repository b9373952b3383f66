"""A Cholesky factor of a weighted, centred Gram matrix plus α."""

import itertools

import torch

__all__ = ["CentredFactor", "gram_work"]

# Added to the unit diagonal, in rounding units of the Gram matrix: the factorisation survives columns that depend on
# each other, and directions this flat are left to conjugate gradients, which take one step for each.
_JITTER = 16
_ATTEMPTS = 6
# Strips of a Gram matrix, and the features from which they pay.
_PARTS, _SPLIT = 3, 128
# Numbers side by side in a maximum over rows.
_WIDTH = 512
# Of rows that are centred and scaled at a time (8 MB in float32).
_BLOCK_NUMBERS = 2**21
# Rows that show how large columns are.
_SAMPLE = 1024


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

    Attributes
    ----------
    lower : tensor of shape (features, features)
        Of the scaled matrix, float64.
    scale : float64 tensor of shape (features,)
    mean : float64 tensor of shape (features,)
    """

    def __init__(self, design, index, h, l2, *, centred):
        dtype = design.dtype
        h = h.to(dtype)
        self.mean = _mean(design, index, h, centred)
        size = _seen_size(design, index, self.mean, len(h))
        gram = None if size is None else _gram(design, index, h, self.mean, size)
        if gram is None or not bool(torch.isfinite(gram).all()):
            self.mean, size = _whole_size(design, index, self.mean, len(h), centred)
            gram = _gram(design, index, h, self.mean, size)
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
        unit = torch.eye(len(self.lower), dtype=self.lower.dtype, device=self.lower.device)
        return torch.linalg.solve_triangular(self.lower, unit, upper=False).to(self._dtype)

    def whiten(self, noise):
        """Return (V, c) such that V x + c = noiseᵀ L⁻¹ (x − m): for unit noise, squares of mean xᵀG⁻¹x."""
        solved = torch.linalg.solve_triangular(self.lower.T, noise, upper=True)
        weight = (self.scale.unsqueeze(1) * solved).T
        return weight, -(weight @ self.mean)


def _blocks(design, index, count):
    """Yield slices of 0 … count and these of the rows that were chosen, as many as fit into a few megabytes."""
    size = max(1024, _BLOCK_NUMBERS // design.features)
    for start in range(0, count, size):
        part = slice(start, min(start + size, count))
        yield part, design.dense(part if isinstance(index, slice) else index[part])


def _mean(design, index, h, centred):
    """Return the h-weighted mean of each feature; 0 where not centred."""
    total = h.sum(dtype=torch.float64)
    mean = torch.zeros(design.features, dtype=torch.float64, device=design.device)
    if centred and total > 0:
        for part, rows in _blocks(design, index, len(h)):
            mean += h[part] @ rows
        mean /= total
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


def _whole_size(design, index, mean, count, centred):
    """Return the mean, exact for columns that are constant, and the largest distance from it among all rows."""
    high = torch.full((design.features,), -torch.inf, dtype=design.dtype, device=design.device)
    low = -high
    for _, rows in _blocks(design, index, count):
        high = torch.maximum(high, _extreme(rows, torch.amax))
        low = torch.minimum(low, _extreme(rows, torch.amin))
    if centred:
        # A constant column is to be zero when it is centred, not rounding that is scaled up.
        mean = torch.where(high == low, high.double(), mean)
    size = torch.maximum((high - mean).abs(), (low - mean).abs()).to(design.dtype)
    return mean, torch.where((size > 0) & torch.isfinite(size), size, 1.0)


def _gram(design, index, h, mean, size):
    """Return Σ_i h_i r_i r_iᵀ with r = (x − mean) / size, summed in float64."""
    gram = torch.zeros(design.features, design.features, dtype=torch.float64, device=design.device)
    mean, root = mean.to(design.dtype), h.sqrt()
    for part, rows in _blocks(design, index, len(h)):
        gram += _symmetric((rows - mean).div_(size).mul_(root[part].unsqueeze(1)))
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
    share = (_PARTS + 1) / (2 * _PARTS) if objective.features >= _SPLIT else 1.0
    return share * objective.features / objective.outputs


def _symmetric(rows):
    """Return rowsᵀ rows, two thirds of the work done: torch has no product that knows of symmetry."""
    features, parts = rows.shape[1], _PARTS
    if features < _SPLIT:
        return rows.T @ rows
    gram = rows.new_empty(features, features)
    edges = [round(features * part / parts) for part in range(parts + 1)]
    for start, end in itertools.pairwise(edges):
        strip = rows[:, start:end].T @ rows[:, start:]
        gram[start:end, start:] = strip
        gram[start:, start:end] = strip.T
    return gram
