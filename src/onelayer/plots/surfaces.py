"""How a surface over two parameters and the paths on it are drawn, flat and in three dimensions."""

import numpy as np

from onelayer.plots import drawing

__all__ = ["Surface", "contour_levels"]

LEVELS = 12
# Heights below this share of the highest one are one level; and so are all below those of 2 % of the area.
LOWEST_SHARE, LOWEST_AREA = 1e-4, 0.02
# Differences below this share of the values are their rounding, not a landscape.
ROUNDING = 1e-12
# How much white is in the colours: paths must stand out from the darkest one.
WHITE = 0.45
HALO = 2.2
# Lines of the mesh in three dimensions, along each axis at most.
MESH = 41
# The marks at the ends of a path: an open circle and a star. None is the colour of the path.
START = {
    "marker": "o",
    "markersize": 7,
    "markerfacecolor": "white",
    "markeredgecolor": None,
    "markeredgewidth": 1.6,
}
END = {
    "marker": "*",
    "markersize": 12,
    "markerfacecolor": None,
    "markeredgecolor": "white",
    "markeredgewidth": 0.8,
}


def contour_levels(values):
    """Return the values at which contours lie: the smallest one plus the terms of a geometric sequence.

    Examples
    --------
    >>> contour_levels(np.array([1.0, 1.5, 11.0]))[[0, -1]]
    array([ 1., 11.])
    >>> contour_levels(np.ones(3))
    array([1.])
    """
    values = values[np.isfinite(values)]
    low = values.min()
    heights = values - low
    if heights.max() <= ROUNDING * np.abs(values).max():
        return np.array([low])
    bottom = max(np.quantile(heights, LOWEST_AREA), LOWEST_SHARE * heights.max())
    return low + np.concatenate([[0.0], np.geomspace(bottom, heights.max(), LEVELS)])


class Surface:
    """Draws the arrays of a LossSurfaceDisplay.

    Parameters
    ----------
    display : LossSurfaceDisplay
    """

    def __init__(self, display):
        from matplotlib.colors import BoundaryNorm, ListedColormap

        self.display = display
        self.values = np.where(np.isfinite(display.values), display.values, np.nan)
        self.levels = contour_levels(self.values)
        bands = max(len(self.levels) - 1, 1)
        self.colours = ListedColormap(_light_colours(np.linspace(0, 1, bands))[:, :3])
        if bands > 1:
            self.norm = BoundaryNorm(self.levels, bands)
        else:
            # A flat surface: one colour from just below to just above, and its rounding taken away.
            low, room = self.levels[0], max(abs(self.levels[0]), 1.0) * 1e-3
            self.values = np.where(np.isnan(self.values), np.nan, low)
            self.norm = BoundaryNorm([low - room, low + room], bands)

    # ---- flat -------------------------------------------------------------------------------------------------

    def draw_contours(self, ax):
        """Draw filled contours, the paths, and a colour bar beside them."""
        display = self.display
        grid = display.first, display.second, np.ma.masked_invalid(self.values)
        filled = ax.contourf(*grid, levels=self.norm.boundaries, cmap=self.colours, norm=self.norm)
        if len(self.levels) > 2:
            lines = {"colors": "white", "linewidths": 0.5, "linestyles": "solid", "alpha": 0.8}
            ax.contour(*grid, levels=self.levels[1:-1], **lines)
        bar = ax.figure.colorbar(filled, ax=ax, spacing="uniform", fraction=0.05, pad=0.02)
        ticks = self.levels[:: 3 if len(self.levels) > 6 else 1]
        bar.set_ticks(ticks, labels=_short(ticks))
        bar.ax.minorticks_off()
        bar.ax.tick_params(labelsize="small", length=2)
        bar.set_label(drawing.label(display.value_name), **drawing.font_for([display.value_name]))
        bar.outline.set_visible(False)
        for index, path in enumerate(display.paths):
            self._draw_path(ax, index, path.T)
        self._mark_minimum(ax)
        self.add_legend(ax)
        ax.set(xlim=display.first[[0, -1]], ylim=display.second[[0, -1]])
        ax.set_xlabel(drawing.label(display.names[0], 60), **drawing.font_for(display.names))
        ax.set_ylabel(drawing.label(display.names[1], 60), **drawing.font_for(display.names))
        if display.note:
            ax.set_title(display.note, loc="right", fontsize="small", color=drawing.MUTED)
        drawing.tidy(ax)

    def _mark_minimum(self, ax):
        display, lowest = self.display, np.array(self.display.minimum)
        low, high = self._corners()
        # At the edge the surface goes on falling beyond it; on a flat one nothing is lowest.
        known = len(self.levels) > 1 and (lowest > low).all() and (lowest < high).all()
        # Where a path ends near it, that star says so, and more exactly.
        near = 2 * np.array([np.diff(display.first)[0], np.diff(display.second)[0]])
        ends = [path[-1] for path in display.paths if len(path)]
        if known and not any((np.abs(end - lowest) <= near).all() for end in ends):
            style = {"color": "black", "marker": "+", "markersize": 8, "linestyle": "none"}
            ax.plot(*lowest, label="lowest on the grid", **style)

    def _corners(self):
        """Return the lowest and the highest coordinates of the axes."""
        return np.array([self.display.first[[0, -1]], self.display.second[[0, -1]]]).T

    # ---- in three dimensions ----------------------------------------------------------------------------------

    def draw_deep(self, ax):
        """Draw the surface with the paths on it, seen from its lowest corner."""
        display = self.display
        first, second = np.meshgrid(display.first, display.second)
        # Between the contours the colours run on: bands would follow the squares of the grid, not the contours.
        heights = np.interp(self.values, self.levels, np.linspace(0, 1, len(self.levels)))
        # Drawn in the order of the calls: matplotlib would hide a path in the surface that it lies on.
        ax.computed_zorder = False
        mesh = {"rcount": MESH, "ccount": MESH, "edgecolor": "0.45", "linewidth": 0.12, "rasterized": True}
        ax.plot_surface(first, second, self.values, facecolors=_light_colours(heights), shade=False, **mesh)
        for index, (path, heights) in enumerate(zip(display.paths, display.path_values, strict=True)):
            self._draw_path(ax, index, self._inside(path, heights))
        ax.view_init(elev=32, azim=_azimuth(self.values))
        names = *display.names, display.value_name
        for axis, name in zip((ax.xaxis, ax.yaxis, ax.zaxis), names, strict=True):
            axis.set_label_text(drawing.label(name, 60), fontsize="small", **drawing.font_for([name]))
            axis.set_tick_params(labelsize="x-small", pad=0)
            axis.set_major_locator(_few_ticks())
            axis.pane.set_facecolor("white")
        ax.set(xlim=display.first[[0, -1]], ylim=display.second[[0, -1]])
        ax.set_box_aspect(None, zoom=0.88)

    def _inside(self, path, heights):
        """Return the three coordinates of a path, NaN where it is outside the axes, which would not cut it off."""
        points, (low, high) = np.column_stack([path, heights]), self._corners()
        points[((path < low) | (path > high)).any(axis=1)] = np.nan
        return points.T

    # ---- both -------------------------------------------------------------------------------------------------

    def _draw_path(self, ax, index, coordinates):
        """Draw a line with an open circle at its start and a star at its end."""
        from matplotlib.patheffects import withStroke

        style = drawing.line_style(index, coordinates.shape[1])
        halo = [withStroke(linewidth=style["linewidth"] + HALO, foreground="white", alpha=0.8)]
        name = self.display.path_names[index]
        ax.plot(*coordinates, label=drawing.label(name, 40), path_effects=halo, zorder=5, **style)
        for mark, point in (START, coordinates[:, :1]), (END, coordinates[:, -1:]):
            ax.plot(*point, zorder=6, **_in_colour(mark, style["color"]))

    def add_legend(self, ax):
        """Add the names of the paths, and say what the marks are."""
        handles, names = ax.get_legend_handles_labels()
        if self.display.paths:
            from matplotlib.lines import Line2D

            for mark, name in (START, "start"), (END, "end"):
                handle = Line2D([], [])
                handle.set(**_in_colour(mark, drawing.MUTED))
                handles.append(handle)
                names.append(name)
        if handles:
            font = {"size": "x-small", "family": drawing.font_for(names).get("fontfamily")}
            ax.legend(handles, names, prop=font, handlelength=2.6, framealpha=0.85, edgecolor="none")


def _in_colour(mark, colour):
    """Return the options of a mark with its colour filled in."""
    return {"linestyle": "none", **{name: colour if value is None else value for name, value in mark.items()}}


def _light_colours(shares):
    """Return a colour for each share of the way up: viridis, even in brightness for any eye, mixed with white."""
    import matplotlib

    return WHITE + (1 - WHITE) * matplotlib.colormaps["viridis"](shares)


def _short(ticks):
    """Return numbers as text with as few digits as tell them apart."""
    for digits in range(2, 12):
        texts = [f"{tick:.{digits}g}".replace("-", "−") for tick in ticks]
        if len(set(texts)) == len(texts):
            break
    return texts


def _azimuth(values):
    """Return the angle from which the lowest quarter of the surface is in front."""
    middle = values.shape[0] // 2, values.shape[1] // 2
    corners = {
        -120: values[: middle[0] + 1, : middle[1] + 1],
        -60: values[: middle[0] + 1, middle[1] :],
        30: values[middle[0] :, middle[1] :],
        120: values[middle[0] :, : middle[1] + 1],
    }
    known = {angle: corner[np.isfinite(corner)] for angle, corner in corners.items()}
    return min(known, key=lambda angle: known[angle].mean() if known[angle].size else np.inf)


def _few_ticks():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)
