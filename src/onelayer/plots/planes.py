"""A plane in the space of an objective's parameters: its axes, its points, the objective on it, and which part."""

import numpy as np
import torch

from onelayer.designs import StandardizedDesign
from onelayer.errors import ParameterError
from onelayer.plots.inputs import as_array

__all__ = ["Plane", "as_path", "axes_between", "flat_paths", "free_parameters", "limits_around"]

# Room around the paths, in widths of their box, and the least width of the box in widths of its other side.
MARGIN, THINNEST = 0.15, 0.05
# How far beyond the paths, in widths of their box, and on how many points a side, a minimum is looked for.
NEAR, COARSE = 1.0, 15


class Plane:
    """P at center + a d₁ + b d₂.

    Scores are linear in the parameters, so those of every point of the plane are Z₀ + a T₁ + b T₂: one and a half
    passes over X for any number of points. All is computed in float64, where the device has it.

    Parameters
    ----------
    objective : Objective
    center : array of shape (n_parameters,)
        W row by row, then b.
    directions : array of shape (2, n_parameters)
        d₁ and d₂.
    names : pair of str
        What a and b are.
    explained : pair of float, optional
        Share of the path's variance along each direction.
    """

    def __init__(self, objective, center, directions, names, explained=None):
        device = objective.design.device
        wide = objective if device.type == "mps" else objective.as_dtype(torch.float64)
        self.objective = wide.counted_anew()
        self.center, self.directions = center, directions
        self.names, self.explained = names, explained
        self._flats = torch.from_numpy(np.vstack([center, directions])).to(device, wide.dtype).unbind()
        self._origin, first, second = (self.objective.zeros().like(flat) for flat in self._flats)
        point = self.objective.point(self._origin)
        self._scores = point.scores
        self._slopes = tuple(self.objective.ray(point, along).slopes for along in (first, second))

    @classmethod
    def of_parameters(cls, objective, center):
        """Return the plane of the only two free parameters."""
        free = free_parameters(objective)
        directions = np.zeros((2, len(free)))
        directions[[0, 1], np.flatnonzero(free)] = 1.0
        # The axes are the parameters themselves, so zero is zero; what is not free stays where it is.
        return cls(objective, np.where(free, 0.0, center), directions, _parameter_names(objective))

    @classmethod
    def along(cls, objective, center, directions, paths):
        """Return the plane of two given directions."""
        names, explained = ("direction 1", "direction 2"), None
        if sum(map(len, paths)):
            explained = _shares(np.vstack(paths) - center, directions)
            names = _direction_names(explained)
        return cls(objective, center, directions, names, explained)

    @classmethod
    def of_paths(cls, objective, center, paths):
        """Return the plane through `center` of the first two principal directions of all iterates.

        Each points the way that the first path went.
        """
        paths = [path for path in paths if len(path)]
        steps = np.vstack(paths) - center
        free = free_parameters(objective)
        directions = np.zeros((2, len(free)))
        directions[:, free] = np.linalg.svd(steps[:, free], full_matrices=False)[2][:2]
        way = directions @ (paths[0][-1] - paths[0][0])
        directions *= np.where(way < 0, -1.0, 1.0)[:, None]
        return cls.along(objective, center, directions, paths)

    def coordinates(self, flat):
        """Return (a, b) of the nearest points of the plane, shape (n, 2), of parameters of shape (n, n_parameters)."""
        return (flat - self.center) @ np.linalg.pinv(self.directions)

    def values(self, a, b):
        """Return P at two arrays of coordinates of one shape; NaN where a coordinate is not finite."""
        values = np.full(a.shape, np.nan)
        for place in zip(*np.nonzero(np.isfinite(a) & np.isfinite(b)), strict=True):
            values[place] = self._value(float(a[place]), float(b[place]))
        return values

    def _value(self, a, b):
        center, first, second = self._flats
        scores = torch.add(self._scores, self._slopes[0], alpha=a).add_(self._slopes[1], alpha=b)
        return self.objective.value(self._origin.like(center + a * first + b * second), scores)


def free_parameters(objective):
    """Return which entries of W row by row, then b, a fit may change: a Boolean array."""
    weights = objective.outputs * objective.features
    return np.repeat([True, bool(objective.fit_intercept)], [weights, objective.outputs])


def as_path(path, place):
    """Return the iterates of a callback or an array as a float64 array of shape (iterations, columns)."""
    rows = as_array(getattr(path, "parameters", path)).astype(float)
    if rows.ndim != 2 or not rows.size:
        raise ParameterError(
            f"paths[{place}] has the shape {rows.shape}: give an Iterates callback after its fit, or an array of "
            "shape (iterations, parameters)."
        )
    return rows


def flat_paths(objective, paths):
    """Return paths as arrays of shape (iterations, n_parameters), rows with NaN or infinity left out.

    Where two parameters are free, columns may be these two only.
    """
    free = free_parameters(objective)
    rows = [as_path(path, place) for place, path in enumerate(paths)]
    for place, path in enumerate(rows):
        if path.shape[1] == free.sum() == 2:
            rows[place] = np.zeros((len(path), len(free)))
            rows[place][:, free] = path
        elif path.shape[1] != len(free):
            raise ParameterError(
                f"paths[{place}] has {path.shape[1]} columns but this model has {len(free)} parameters, W row by row "
                "and then b: give iterates of the same model on the same features."
            )
    return [path[np.isfinite(path).all(axis=1)] for path in rows]


def limits_around(points, values=None):
    """Return the lowest and highest coordinate along each axis: of all points, with a margin.

    Parameters
    ----------
    points : sequence of arrays of shape (n, 2)
    values : callable, optional
        A convex function of two arrays; its minimum is shown too, where it is near.
    """
    points = np.vstack([np.empty((0, 2)), *points])
    if not len(points):
        raise ParameterError(
            "limits is None and no path has a finite iterate to choose them by: give limits=((low, high), (low, high))."
        )
    low, high = points.min(axis=0), points.max(axis=0)
    # A path that is stuck far from zero is seen with zero, not under a microscope that makes a flat region steep.
    size = np.abs(points).max(axis=0)
    width = np.where(high - low < size / 2, 2 * size, high - low)
    width = np.maximum(width, THINNEST * width.max() or 1.0)
    low, high = (low + high - width) / 2, (low + high + width) / 2
    if values is not None:
        first, second = np.linspace(low - NEAR * width, high + NEAR * width, COARSE).T
        heights = values(*np.meshgrid(first, second))
        row, column = np.unravel_index(
            np.argmin(np.where(np.isfinite(heights), heights, np.inf)), heights.shape
        )
        if 0 < row < COARSE - 1 and 0 < column < COARSE - 1:
            lowest = np.array([first[column], second[row]])
            low, high = np.minimum(low, lowest), np.maximum(high, lowest)
    room = MARGIN * (high - low)
    return tuple(zip(low - room, high + room, strict=True))


def axes_between(limits, resolution):
    """Return two arrays of `resolution` numbers between the limits, which are checked."""
    if not (isinstance(resolution, int | np.integer) and resolution >= 2):
        raise ParameterError(f"resolution is {resolution!r}: give a whole number of at least 2.")
    try:
        (left, right), (bottom, top) = ((float(low), float(high)) for low, high in limits)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"limits is {limits!r}: give ((low, high), (low, high)) of numbers.") from error
    if not (-np.inf < left < right < np.inf and -np.inf < bottom < top < np.inf):
        raise ParameterError(f"limits is {limits!r}: give finite numbers, in each pair the lower one first.")
    return np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)


def _shares(steps, directions):
    """Return which share of Σ‖step‖² lies along each direction."""
    along = steps @ (directions / np.linalg.norm(directions, axis=1, keepdims=True)).T
    return tuple(float(share) for share in np.square(along).sum(axis=0) / (np.square(steps).sum() or 1.0))


def _direction_names(explained):
    # Rounded down: 100 % would say that nothing is left, where a little is.
    shares = ["under 0.1" if share < 1e-3 else f"{np.floor(share * 1000) / 10:.3g}" for share in explained]
    return tuple(f"direction {i + 1} ({share} % of the path)" for i, share in enumerate(shares))


def _parameter_names(objective):
    unit = "standard deviation" if isinstance(objective.design, StandardizedDesign) else "unit"
    if objective.fit_intercept:
        return f"weight w (score per {unit} of x)", "bias b (score)"
    if objective.features == 2:
        return tuple(f"weight w{i} (score per {unit} of x{i})" for i in "₁₂")
    return tuple(f"weight of output {k} (score per {unit} of x)" for k in range(2))
