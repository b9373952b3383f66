"""The objective as a landscape over two parameters, and the way of a fit through it."""

import numpy as np
import torch

from onelayer.errors import DataError, ParameterError
from onelayer.plots import drawing
from onelayer.plots.inputs import as_array
from onelayer.plots.planes import Plane, as_path, axes_between, flat_paths, free_parameters, limits_around
from onelayer.plots.surfaces import Surface

__all__ = ["LossSurfaceDisplay"]

KINDS = {"contour": (None,), "3d": ("3d",), "both": (None, "3d")}


class LossSurfaceDisplay:
    """P over two parameters, as contours and in three dimensions, with the iterates of fits on it.

    A model with two free parameters (a weight and the bias, or two weights without a bias) is shown over these. A
    larger one is shown on a plane through the end of the first path, P(θ_end + a d₁ + b d₂), where d₁ and d₂ are the
    first two principal directions of the iterates of all paths (with the end as their centre); the points of a path
    are then drawn where the plane comes nearest to them, and P may be lower there than at the iterate itself.

    Contours lie where P exceeds its smallest value by the terms of a geometric sequence: they show a valley and a
    slope a thousand times as high, and a flat region has none.

    Parameters
    ----------
    first, second : array of shape (resolution,)
        The grid along the horizontal and the vertical axis.
    values : array of shape (resolution, resolution)
        P at ``(first[j], second[i])``; what is not finite is left blank.
    paths : sequence of arrays of shape (iterations, 2)
        Iterates in the coordinates of the axes.
    path_values : sequence of arrays of shape (iterations,), optional
        The surface at these points.
    path_names : sequence of str, optional
        One name per path.
    names : pair of str
        What the axes are, with units.
    value_name : str
        What the values are.
    explained : pair of float, optional
        Share of the iterates' variance around the end that each direction carries; None where axes are parameters.
    note : str
        Written above the contours.

    Attributes
    ----------
    minimum : tuple of float
        The point of the grid with the smallest value.
    ax_, axes_, figure_
        The place given, the panels in it, and their figure, after :meth:`plot`.

    Raises
    ------
    DataError
        If no value is finite.
    ParameterError
        If the arguments do not fit each other, or tell too little to choose a plane.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the loss landscape of neural nets", NeurIPS 2018,
    for the plane of principal directions.

    Examples
    --------
    >>> import onelayer as ol
    >>> X, y = [[1.0], [2.0], [3.0]], [0, 0, 1]
    >>> model, path = ol.LogisticRegression(), ol.callbacks.Iterates()
    >>> model = model.set_callbacks(path).fit(X, y)
    >>> display = ol.plots.LossSurfaceDisplay.from_estimator(model, X, y, [path]).plot()
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('weight w (score per unit of x)', 'bias b (score)')
    >>> bool(abs(display.path_values[0][-1] - model.result_.objective) < 1e-6)
    True
    """

    def __init__(
        self,
        first,
        second,
        values,
        *,
        paths=(),
        path_values=None,
        path_names=None,
        names=("first parameter", "second parameter"),
        value_name="Value",
        explained=None,
        note="",
    ):
        self.first, self.second = as_array(first).astype(float), as_array(second).astype(float)
        self.values = as_array(values).astype(float)
        if self.values.shape != (len(self.second), len(self.first)):
            raise ParameterError(
                f"values has the shape {self.values.shape}: give ({len(self.second)}, {len(self.first)}), a row for "
                "each number of second and a column for each of first."
            )
        if not np.isfinite(self.values).any():
            raise DataError("no value of the surface is finite: choose limits where there are finite ones.")
        self.paths = [as_array(path).astype(float) for path in paths]
        self.path_values = [np.full(len(path), np.nan) for path in self.paths]
        if path_values is not None:
            self.path_values = [as_array(heights).astype(float) for heights in path_values]
        self.path_names = _names_of(self.paths, path_names)
        self.names, self.value_name, self.explained, self.note = tuple(names), value_name, explained, note
        lowest = np.argmin(np.where(np.isfinite(self.values), self.values, np.inf))
        row, column = np.unravel_index(lowest, self.values.shape)
        self.minimum = float(self.first[column]), float(self.second[row])

    @classmethod
    def from_estimator(cls, estimator, X, y, paths=(), *, sample_weight=None, **options):
        """Draw what ``estimator.fit(X, y, sample_weight)`` minimises; options as in :meth:`from_objective`.

        With ``standardize=True`` parameters are those of the standardised features, as in ``Iterates``.
        """
        if not hasattr(estimator, "objective"):
            raise ParameterError(
                f"{type(estimator).__name__} does not tell its objective: give an estimator of onelayer, or the "
                "formula to LossSurfaceDisplay.from_function."
            )
        return cls.from_objective(estimator.objective(X, y, sample_weight), paths, **options)

    @classmethod
    def from_objective(
        cls,
        objective,
        paths=(),
        *,
        path_names=None,
        names=None,
        center=None,
        directions=None,
        limits=None,
        resolution=41,
        max_rows=10_000,
    ):
        """Draw P of an :class:`~onelayer.objective.Objective`.

        Parameters
        ----------
        objective : Objective
        paths : sequence of Iterates or of arrays of shape (iterations, n_parameters)
            W row by row, then b; for two free parameters also arrays of shape (iterations, 2).
        path_names, names : sequences of str, optional
            As in the constructor; default: names with units, or with the share of the path.
        center : array of shape (n_parameters,), optional
            A point of the plane; default: the end of the first path.
        directions : array of shape (2, n_parameters), optional
            What spans the plane; default: the two free parameters, or the principal directions of the paths.
        limits : pair of pairs of float, optional
            Lowest and highest coordinate along each axis; default: the paths, and the minimum of a convex objective
            where it is near, with a margin.
        resolution : int, default 41
            Points along each axis.
        max_rows : int, default 10,000
            Of more rows, so many at equal distances are used, and the figure says so.
        """
        paths = flat_paths(objective, _as_list(paths))
        objective, note = _thinned(objective, max_rows)
        plane = _plane(objective, paths, center, directions)
        points = [plane.coordinates(path) for path in paths]
        if limits is None:
            limits = limits_around(points, plane.values if objective.loss.convex else None)
        options = {"names": names or plane.names, "value_name": "Objective P", "explained": plane.explained}
        options |= {"path_names": path_names, "note": note}
        return cls._of_function(plane.values, limits, points, resolution, **options)

    @classmethod
    def from_function(cls, f, limits, paths=(), *, resolution=81, **options):
        """Draw a plain function of two parameters, for example one with several valleys.

        Parameters
        ----------
        f : callable
            Takes two arrays, returns an array of their common shape.
        limits : pair of pairs of float
            Lowest and highest value of each parameter.
        paths : sequence of arrays of shape (iterations, 2), or of Iterates of two parameters
        resolution : int, default 81
        **options
            `path_names`, `names`, `value_name` and `note`, as in the constructor.

        Examples
        --------
        >>> display = LossSurfaceDisplay.from_function(lambda a, b: (a - 1)**2 + b**2, [(-2, 2), (-1, 1)])
        >>> display.values.shape, display.minimum
        ((81, 81), (1.0, 0.0))
        """
        points = [as_path(path, place) for place, path in enumerate(_as_list(paths))]
        for place, path in enumerate(points):
            if path.shape[1] != 2:
                raise ParameterError(
                    f"paths[{place}] has {path.shape[1]} columns: give one for each of the two."
                )
        return cls._of_function(f, limits, points, resolution, **options)

    @classmethod
    def _of_function(cls, f, limits, points, resolution, **options):
        first, second = axes_between(limits, resolution)
        # A function may overflow where it pleases: such values are left blank.
        with np.errstate(all="ignore"):
            values = np.broadcast_to(as_array(f(*np.meshgrid(first, second))), (len(second), len(first)))
            path_values = [np.broadcast_to(as_array(f(*path.T)), len(path)) for path in points]
        return cls(first, second, values, paths=points, path_values=path_values, **options)

    def plot(self, ax=None, *, kind="contour"):
        """Draw contours, the surface in three dimensions, or both side by side.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Default: those of a new figure. What does not fit into it (a surface into flat axes, two panels into one)
            is put in its place.
        kind : {"contour", "3d", "both"}
        """
        if kind not in KINDS:
            raise ParameterError(f"kind={kind!r} is none of {', '.join(map(repr, KINDS))}.")
        wanted = KINDS[kind]
        self.ax_ = drawing.new_axes(ax, 5.4 if len(wanted) == 1 else 10, 4.3)
        self.figure_ = self.ax_.figure
        given = "3d" if hasattr(self.ax_, "get_zlim") else None
        self.axes_ = [self.ax_]
        if wanted != (given,):
            self.axes_ = drawing.split(self.ax_, 1, len(wanted), projections=wanted)
        surface = Surface(self)
        for panel, projection in zip(self.axes_, wanted, strict=True):
            (surface.draw_deep if projection else surface.draw_contours)(panel)
        if kind == "3d":
            surface.add_legend(self.axes_[0])
        return self


def _thinned(objective, max_rows):
    """Return the objective of at most `max_rows` rows, and what to say about it."""
    if not (isinstance(max_rows, int | np.integer) and max_rows >= 1):
        raise ParameterError(f"max_rows is {max_rows!r}: give a whole number of at least 1.")
    if objective.rows <= max_rows:
        return objective, ""
    rows = torch.arange(max_rows, device=objective.design.device) * objective.rows // max_rows
    return objective.take(rows), f"on {max_rows:,} of {objective.rows:,} rows"


def _plane(objective, paths, center, directions):
    free = free_parameters(objective)
    ends = [path[-1] for path in paths if len(path)]
    middle = ends[0] if ends else np.zeros(len(free))
    if center is not None:
        middle = _shaped("center", center, free.shape)
    if directions is not None:
        directions = _shaped("directions", directions, (2, len(free)))
        if np.linalg.matrix_rank(directions) < 2:
            raise ParameterError("directions span no plane: give two that are neither zero nor parallel.")
        return Plane.along(objective, middle, directions, paths)
    if free.sum() == 2:
        return Plane.of_parameters(objective, middle)
    if len(np.unique(np.vstack([np.empty((0, len(free))), *paths]), axis=0)) < 3:
        raise ParameterError(
            f"a surface over {free.sum()} free parameters needs at least three different iterates to choose a plane: "
            "give paths=[callback] of an Iterates callback that watched a longer fit, or directions."
        )
    return Plane.of_paths(objective, middle, paths)


def _as_list(paths):
    """Return the paths one by one, also where one is given instead of a sequence of them."""
    return [paths] if hasattr(paths, "parameters") or getattr(paths, "ndim", 0) == 2 else list(paths)


def _names_of(paths, names):
    if names is None:
        return [f"path {i + 1}" for i in range(len(paths))] if len(paths) > 1 else ["path"] * len(paths)
    names = [str(name) for name in names]
    if len(names) != len(paths):
        raise ParameterError(f"path_names has {len(names)} entries but there are {len(paths)} paths.")
    return names


def _shaped(name, values, shape):
    values = as_array(values).astype(float)
    if values.shape != shape or not np.isfinite(values).all():
        raise ParameterError(f"{name} has the shape {values.shape}: give finite numbers of shape {shape}.")
    return values
