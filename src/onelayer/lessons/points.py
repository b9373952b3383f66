"""A scatter plot whose points the reader drags, for marimo and Jupyter (needs ``anywidget``)."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from onelayer.errors import DataError, ParameterError

__all__ = ["DraggablePoints"]

HERE = Path(__file__).parent
HINT = "Drag a point, or press Tab to reach it and use the arrow keys (Shift: larger steps)."
EDGE = "The point stays at the edge of the plot."


def _finite_pairs(name: str, value: Any) -> list[list[float]]:
    """Return `value` as a list of [x, y] floats, or raise ValueError in one sentence."""
    try:
        pairs = [[float(v) for v in row] for row in value]
    except (TypeError, ValueError):
        raise DataError(f"{name} must be a list of [x, y] numbers, got {value!r:.80}.") from None
    for i, pair in enumerate(pairs):
        if len(pair) != 2:
            raise DataError(f"{name}[{i}] must be two numbers [x, y], got {len(pair)}.")
        if not all(map(math.isfinite, pair)):
            raise DataError(f"{name}[{i}] must be finite, got {pair}.")
    return pairs


class Pairs(traitlets.TraitType):
    """A list of [x, y]; the whole list is checked on every assignment."""

    def validate(self, obj: Any, value: Any) -> list[list[float]]:
        return _finite_pairs(str(self.name), value)


class Points(Pairs):
    """As many pairs as the widget has points, inside its axes' ranges."""

    def validate(self, obj: Any, value: Any) -> list[list[float]]:
        points = super().validate(obj, value)
        for i, pair in enumerate(points):
            if pair != obj.inside(pair):
                raise DataError(
                    f"points[{i}] = {pair} lies outside x_range = {obj.x_range}, y_range = {obj.y_range}"
                    f"{f', y_snap = {obj.y_snap}' if obj.y_snap else ''}; move it or widen the range."
                )
        return points


class Interval(traitlets.TraitType):
    """Two finite numbers [low, high] with low < high; an empty list where `optional`."""

    def __init__(self, default: Iterable[float] = (), *, optional: bool = False) -> None:
        super().__init__(list(default))
        self.optional = optional

    def validate(self, obj: Any, value: Any) -> list[float]:
        if self.optional and (value is None or len(value) == 0):
            return []
        try:
            low, high = (float(v) for v in value)
        except (TypeError, ValueError):
            raise DataError(f"{self.name} must be two numbers [low, high], got {value!r:.80}.") from None
        if not -math.inf < low < high < math.inf:
            raise DataError(f"{self.name} must be finite with low < high, got [{low}, {high}].")
        return [low, high]


class DraggablePoints(anywidget.AnyWidget):
    """Scatter plot with points that follow the mouse, a finger or the arrow keys.

    Parameters
    ----------
    points : list of [x, y]
        Start positions, inside the ranges.
    x_range, y_range : [low, high]
        Axes; points cannot leave them.
    kinds : list of int, optional
        Marker of each point: 0 circle, 1 cross. With `y_snap` the marker follows y instead.
    y_locked : bool
        True: points move along x only.
    y_snap : list of float
        Values that y may take; a point dragged past the middle jumps to the next one, for example [0, 1].
    x_name, y_name, hint, edge, label : str
        Names of the axes, the text below the plot, the text when a point meets the edge, the word for "point".
    wait_ms : int
        While a point moves, Python hears of it at most once per this many milliseconds, and once at the end.

    Attributes
    ----------
    points : list of [x, y]
        Current positions. Assign to move the points from Python.
    curve : list of [x, y]
        One line over the points; assign it whenever it changes. It may leave the ranges (it is clipped).
    band : [low, high] or []
        Shaded interval of y.

    Examples
    --------
    >>> plot = DraggablePoints([[1, 2], [3, 4]], x_range=[0, 5], y_range=[0, 5])
    >>> plot.inside([9, 3])
    [5.0, 3]
    """

    _esm = HERE / "points.js"
    _css = HERE / "points.css"

    x_range = Interval([0, 10]).tag(sync=True)
    y_range = Interval([0, 10]).tag(sync=True)
    y_snap = traitlets.List(traitlets.CFloat()).tag(sync=True)
    y_locked = traitlets.Bool(False).tag(sync=True)
    points = Points([]).tag(sync=True)
    kinds = traitlets.List(traitlets.CInt(min=0, max=1)).tag(sync=True)
    curve = Pairs([]).tag(sync=True)
    band = Interval(optional=True).tag(sync=True)
    x_name = traitlets.Unicode("x").tag(sync=True)
    y_name = traitlets.Unicode("y").tag(sync=True)
    label = traitlets.Unicode("point").tag(sync=True)
    hint = traitlets.Unicode(HINT).tag(sync=True)
    edge = traitlets.Unicode(EDGE).tag(sync=True)
    wait_ms = traitlets.CInt(60, min=0).tag(sync=True)

    def __init__(self, points: Any, **options: Any) -> None:
        unknown = sorted(set(options) - set(self.trait_names()))
        if unknown:
            raise ParameterError(f"DraggablePoints has no option {unknown[0]!r}: see its trait_names().")
        super().__init__(**options)  # the ranges first: points are checked against them
        self.points = points
        if self.kinds and len(self.kinds) != len(self.points):
            raise DataError(f"kinds has {len(self.kinds)} entries for {len(self.points)} points.")

    def inside(self, pair: list[float]) -> list[float]:
        """Return `pair` moved into the ranges, y on the nearest value of `y_snap` where given."""
        x = min(max(pair[0], self.x_range[0]), self.x_range[1])
        y = min(max(pair[1], self.y_range[0]), self.y_range[1])
        return [x, min(self.y_snap, key=lambda v: abs(v - y)) if self.y_snap else y]

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take `points` from the browser, and nothing else; a message that is not points is ignored."""
        try:
            points = [self.inside(pair) for pair in _finite_pairs("points", sync_data["points"])]
        except (KeyError, DataError):
            return
        if len(points) == len(self.points):
            super().set_state({"points": points})
