"""What a classifier answers over one or two features, and where it is not sure."""

from typing import Any

import numpy as np

from onelayer.errors import DataError, ParameterError
from onelayer.plots import drawing
from onelayer.plots.answers import Answers, read_axes, read_points
from onelayer.plots.inputs import as_array, name_classes

__all__ = ["DecisionDisplay"]

# In widths of the picture: numbers at crossings nearer to each other would overlap.
APART = 0.09
FILLS = ("full", "none", "bottom")
UNCERTAIN: dict[str, Any] = {"hatch": "////", "edgecolor": "0.35", "linewidth": 0}


class DecisionDisplay:
    """Probabilities of a classifier over one feature, or its answers over two, with the data.

    One feature: the probability of the second of two classes, with the line at 0.5; with more classes a curve for
    each. Two features: a region for each class. Where the model abstains is hatched.

    Parameters
    ----------
    grid : sequence of array
        Values of each feature, one or two arrays.
    predicted : array of shape (points,) or (len(grid[1]), len(grid[0]))
        Index of the class answered on the grid.
    proba : array of shape (..., classes) or None
        The probabilities on the grid; needed for one feature.
    uncertain : array of the shape of `predicted`, or None
        Where the model abstains.
    class_names, feature_names : sequence of str
        One name per class and per feature.
    X, y : array, optional
        The data: rows of features, and the index of the class of each.
    crossings : array of shape (crossings,), optional
        One feature: where the most probable class changes; with two classes the probability crosses 0.5 there.
    bands : array of shape (bands, 2), optional
        One feature: from where to where the model abstains.
    levels : sequence of float
        One feature: probabilities to mark by a line.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn, after :meth:`plot`.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = [[1.0], [2.0], [3.0], [4.0]], ["fail", "fail", "pass", "pass"]
    >>> display = DecisionDisplay.from_estimator(LogisticRegression().fit(X, y), X, y, abstain=(0.4, 0.6))
    >>> display.crossings.round(3)
    array([2.5])
    >>> display.plot().ax_.get_ylabel()
    'Probability of pass'
    """

    def __init__(
        self, grid, predicted, proba, uncertain, *, class_names, feature_names, X=None, y=None, crossings=(),
        bands=(), levels=(),
    ):  # fmt: skip
        self.grid, self.predicted, self.proba = [as_array(axis) for axis in grid], as_array(predicted), proba
        self.uncertain = np.zeros(self.predicted.shape, bool) if uncertain is None else as_array(uncertain)
        self.class_names = [str(name) for name in class_names]
        self.feature_names = [str(name) for name in feature_names]
        self.X = np.empty((0, len(self.grid))) if X is None else as_array(X)
        self.y = np.empty(0, int) if y is None else as_array(y)
        self.levels = tuple(levels)
        self.crossings, self.bands = as_array(crossings), np.reshape(as_array(bands), (-1, 2))

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, abstain=None, limits=None, grid_resolution=200, feature_names=None,
        class_names=None,
    ):  # fmt: skip
        """Ask a fitted classifier on a grid.

        Parameters
        ----------
        estimator : classifier
            With ``classes_``, ``predict`` and, for one feature or for `abstain`, ``predict_proba``.
        X : array or frame of shape (n, 1) or (n, 2)
            The data; they also say where to look.
        y : array of shape (n,), optional
            Their labels; without them no data are drawn.
        abstain : (float, float) or float, optional
            With two classes (lo, hi): the model abstains where lo < p < hi. A number: the least top probability.
        limits : (float, float) or pair of such pairs, optional
            From where to where, for each feature. Default: the data, and a tenth of their range on either side.
        grid_resolution : int
            Points for each feature; crossings are found to more digits.
        feature_names, class_names : sequence of str, optional
            Default: the columns of a frame, and the labels.

        Raises
        ------
        DataError
            For another number of features, or X, y or probabilities that cannot be drawn.
        ParameterError
            For a model that is no fitted classifier or lacks probabilities, or an argument out of range.
        """
        model = Answers(estimator, X, abstain)
        points = read_points(X)
        if not model.has_proba and (abstain is not None or points.shape[1] == 1):
            what = "a curve over one feature" if abstain is None else f"abstain={abstain!r}"
            raise ParameterError(
                f"estimator is {estimator!r}, which has no predict_proba, and {what} needs it: use a model with "
                "probabilities, or two features without abstain."
            )
        axes = read_axes(points, limits, grid_resolution)
        names = getattr(X, "columns", None) if feature_names is None else feature_names
        names = [f"feature {i}" for i in range(len(axes))] if names is None else list(names)
        if len(names) != len(axes):
            raise DataError(f"feature_names has {len(names)} entries, and X has {len(axes)} features.")
        options = {
            "class_names": name_classes(model.classes, class_names),
            "feature_names": names,
            "X": points,
            "y": None if y is None else model.index(y, len(points)),
        }
        if len(axes) == 2:
            mesh = np.stack(np.meshgrid(*axes), axis=-1)
            return cls(axes, *model.ask(mesh), **options)
        (x,) = axes
        crossings = model.changes(x, model.most_probable)
        # A steep curve crosses between two points of the grid.
        x = np.union1d(x, crossings)
        ends = model.changes(x, model.uncertain)
        predicted, proba, uncertain = model.ask(x[:, None])
        bands = np.concatenate([x[:1][uncertain[:1]], ends, x[-1:][uncertain[-1:]]])
        return cls(
            [x], predicted, proba, uncertain, crossings=crossings, bands=bands, levels=model.levels, **options
        )

    def plot(self, ax=None):
        """Draw the curve or the regions in `ax`, or in a new figure."""
        alone = len(self.grid) == 1
        self.ax_ = drawing.new_axes(ax, 5.8, 3.6 if alone else 4.2)
        self.figure_ = self.ax_.figure
        if alone:
            self._draw_curves()
        else:
            self._draw_regions()
        self._draw_legend()
        return self

    def _draw_curves(self):
        ax, (x,) = self.ax_, self.grid
        two = len(self.class_names) == 2
        for low, high in self.bands:
            ax.axvspan(low, high, facecolor="0.93", zorder=0.5, **UNCERTAIN)
        for level in self.levels:
            ax.axhline(level, color=drawing.MUTED, linestyle=":", linewidth=1)
        if two:
            ax.axhline(0.5, color=drawing.MUTED, linewidth=1)
            ax.plot(x, self.proba[:, 1], color="black", linewidth=1.8)
        else:
            for index, curve in enumerate(self.proba.T):
                ax.plot(x, curve, **drawing.line_style(index, len(x)))
                self._name_curve(index, x, curve)
        self._mark_crossings(x, two)
        # Two classes lie at 0 and 1, where the curve wants them; of more, none has a height of its own.
        self._draw_points(lambda index: index if two else -0.06)
        ax.set(xlim=(x[0], x[-1]), ylim=(-0.1, 1.1))
        names = [*self.feature_names, *self.class_names]
        ax.set_xlabel(drawing.label(self.feature_names[0], 50), **drawing.font_for(names))
        about = f" of {drawing.label(self.class_names[1], 30)}" if two else ""
        ax.set_ylabel(f"Probability{about}", **drawing.font_for(names))
        drawing.tidy(ax, grid="y")

    def _name_curve(self, index, x, curve):
        peak = int(curve.argmax())
        side = "left" if peak < 0.1 * len(x) else "right" if peak > 0.9 * len(x) else "center"
        style = {"ha": side, "va": "bottom", "fontsize": 8, "color": drawing.COLOURS[index % 7], "zorder": 5}
        name = self.class_names[index]
        style = {**style, **drawing.font_for([name]), "path_effects": _halo()}
        self.ax_.annotate(
            drawing.label(name, 16), (x[peak], curve[peak]), (0, 2), textcoords="offset points", **style
        )

    def _mark_crossings(self, x, two):
        heights = np.interp(self.crossings, x, self.proba.max(axis=1))
        numbered = -np.inf
        for place, top in zip(self.crossings, heights, strict=True):
            # A tree's probability jumps over 0.5.
            height = 0.5 if two else top
            self.ax_.vlines(place, -0.1, height, color="black", linestyle=(0, (2, 2)), linewidth=0.9)
            if two:
                self.ax_.plot(place, height, marker="o", markersize=6, mfc="white", mec="black", zorder=4)
            if place - numbered > APART * (x[-1] - x[0]):
                style = {"fontsize": 9, "va": "center", "path_effects": _halo(), "zorder": 5}
                text, numbered = f"{place:.3g}".replace("-", "−"), place
                self.ax_.annotate(text, (place, 0.12), (4, 0), textcoords="offset points", **style)

    def _draw_regions(self):
        from matplotlib.colors import ListedColormap

        ax, count = self.ax_, len(self.class_names)
        shades = ListedColormap([_shade(index, count) for index in range(count)])
        options = {"cmap": shades, "vmin": -0.5, "vmax": count - 0.5, "shading": "nearest"}
        ax.pcolormesh(*self.grid, self.predicted, rasterized=True, **options)
        shown = np.unique(self.predicted)
        if self.uncertain.any():
            # One contour of the area from 0.5 to 1.5: its hatch is drawn once, over all classes.
            area = ax.contourf(
                *self.grid, self.uncertain, levels=[0.5, 1.5], colors="none", hatches=[UNCERTAIN["hatch"]]
            )
            area.set(edgecolor=UNCERTAIN["edgecolor"], linewidth=0)
        for index in shown if len(shown) > 1 else []:
            ax.contour(*self.grid, self._margin(index), levels=[0], colors="0.2", linewidths=1)
        self._draw_points(lambda index: self.X[self.y == index, 1])
        for index in shown:
            self._name_region(index)
        for (low, high), axis in zip((axis[[0, -1]] for axis in self.grid), "xy", strict=True):
            ax.set(**{f"{axis}lim": (low, high)})
        for name, setter in zip(self.feature_names, (ax.set_xlabel, ax.set_ylabel), strict=True):
            setter(drawing.label(name, 40), **drawing.font_for([name]))
        drawing.tidy(ax)

    def _margin(self, index):
        """Return a field that is positive where this class is answered, and negative elsewhere."""
        inside = self.predicted == index
        if self.proba is not None:
            # By how much it is the most probable: a line between the points of the grid, not along them.
            margin = self.proba[..., index] - np.delete(self.proba, index, axis=-1).max(axis=-1)
            if np.array_equal(np.sign(margin), np.where(inside, 1, -1)):
                return margin
        return np.where(inside, 0.5, -0.5)

    def _name_region(self, index):
        """Write the name of a class where its region is widest, unless it would not fit."""
        from scipy.ndimage import distance_transform_edt

        inside = np.pad(self.predicted == index, 1)
        depth = distance_transform_edt(inside)[1:-1, 1:-1]
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        if depth[row, column] < 0.03 * max(depth.shape):
            return
        place, name = (self.grid[0][column], self.grid[1][row]), self.class_names[index]
        style = {"ha": "center", "va": "center", "fontsize": 9, "fontweight": "bold", "zorder": 6}
        style = {**style, "path_effects": _halo(), **drawing.font_for([name])}
        self.ax_.text(*place, drawing.label(name, 16), **style)

    def _draw_points(self, height):
        """Draw the data of each class at `height` of its index."""
        for index in np.unique(self.y):
            across = self.X[self.y == index, 0]
            colour = drawing.COLOURS[index % len(drawing.COLOURS)]
            full = FILLS[index // len(drawing.MARKERS) % len(FILLS)]
            look = {
                "marker": drawing.MARKERS[index % len(drawing.MARKERS)],
                "markersize": 5.5,
                "color": colour,
                "fillstyle": full,
                "markerfacecoloralt": "white",
                "markeredgecolor": "white" if full == "full" else colour,
                "markeredgewidth": 0.6 if full == "full" else 1.2,
            }
            name = drawing.label(self.class_names[index], 20)
            place = np.broadcast_to(height(index), across.shape)
            self.ax_.plot(
                across, place, linestyle="none", label=name, rasterized=drawing.too_many(len(across)), **look,
                zorder=3,
            )  # fmt: skip

    def _draw_legend(self):
        from matplotlib.patches import Patch

        handles = self.ax_.get_legend_handles_labels()[0]
        if self.uncertain.any():
            handles.append(Patch(facecolor="white", label="uncertain", **UNCERTAIN))
        if not handles:
            return
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0, "frameon": False}
        columns = -(-len(handles) // 16)
        for text in self.ax_.legend(handles=handles, fontsize="small", ncols=columns, **place).get_texts():
            text.set(**drawing.font_for(self.class_names))


def _halo():
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.5, foreground="white")]


def _shade(index, count):
    """Return a pale colour for a class, of a lightness unlike that of its neighbours in the list."""
    from matplotlib.colors import to_rgb

    order = (index % 2) * -(-count // 2) + index // 2
    lightness = 0.95 - 0.16 * order / max(count - 1, 1)
    colour = np.array(to_rgb(drawing.COLOURS[index % len(drawing.COLOURS)]))
    share = (1 - lightness) / (1 - colour @ [0.299, 0.587, 0.114])
    return tuple(1 - min(share, 1.0) * (1 - colour))
