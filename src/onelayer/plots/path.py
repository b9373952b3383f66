"""Coefficients along a path of penalties."""

import numpy as np

from onelayer.plots import drawing

__all__ = ["PathDisplay"]

# Lines that can still be told apart as a bundle; of more the longest are drawn.
_LINES = 60
_NAMED = 6
# Coefficients that end so many times as large as they are in the middle get a logarithmic scale.
_WIDE = 5
# Numbers beside a logarithmic scale.
_TICKS = 5


class PathDisplay:
    """How coefficients, and the weight of all of them, grow as the penalty goes.

    Parameters
    ----------
    strength : array of shape (n_points,)
        C or alpha of each point.
    coef : array of shape (n_points, n_lines)
        One line for each coefficient.
    objective : array of shape (n_points,)
        P, in a panel of its own.
    chosen : float, optional
        A strength that is marked.
    names : sequence of str, optional
        Of the lines.
    strength_name : {"C", "alpha"}

    Attributes
    ----------
    ax_, axes_, figure_
        The place given, the panels in it, and their figure, after :meth:`plot`.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("diabetes")
    >>> found = ol.path(ol.LinearRegression(l1_ratio=1.0), data.X, data.y, count=8)
    >>> found.plot().axes_[0].get_ylabel()
    'Coefficient'
    """

    def __init__(self, strength, coef, objective, *, chosen=None, names=None, strength_name="C"):
        self.strength = np.asarray(strength, dtype=float)
        self.coef = np.asarray(coef, dtype=float).reshape(len(self.strength), -1)
        self.objective = np.asarray(objective, dtype=float)
        self.chosen, self.names, self.strength_name = chosen, names, strength_name

    @classmethod
    def from_path(cls, path, chosen=None, names=None):
        """Read a :class:`onelayer.selection.PathResult`; of many coefficients the largest are drawn.

        `names` are those of the features, where the fits have seen none.
        """
        coef = path.coef.reshape(len(path), -1)
        # Not the absolute values of all: they may be mapped from a file because they are so many.
        size = np.maximum(coef.max(axis=0), -coef.min(axis=0))
        largest = np.sort(np.argsort(-size, kind="stable")[:_LINES])
        names = getattr(path.estimator(0), "feature_names_in_", names)
        features = path.coef.shape[-1]
        named = None
        if names is not None and coef.shape[1] == features:
            named = [str(names[place]) for place in largest]
        strength = path.Cs if path.strength == "C" else path.alphas
        return cls(
            strength,
            coef[:, largest],
            path.objective,
            chosen=chosen,
            names=named,
            strength_name=path.strength,
        )

    def plot(self, ax=None):
        """Draw the two panels in `ax`, or in a new figure."""
        self.ax_ = drawing.new_axes(ax, 5.2, 4.2)
        self.figure_ = self.ax_.figure
        self.axes_ = drawing.split(self.ax_, 2)
        order = np.argsort(self.strength)
        top, bottom = self.axes_
        ranked = np.argsort(-np.abs(self.coef).max(axis=0), kind="stable").tolist()
        names = [] if self.names is None else self.names
        named = ranked[:_NAMED] if len(names) else []
        for line in [line for line in ranked if line not in named]:
            # A line of one point is none.
            marker = "." if len(order) == 1 else None
            top.plot(
                self.strength[order],
                self.coef[order, line],
                color=drawing.MUTED,
                linewidth=0.7,
                marker=marker,
            )
        for index, line in enumerate(named):
            style = drawing.line_style(index, len(order))
            top.plot(self.strength[order], self.coef[order, line], label=drawing.label(names[line]), **style)
        if named:
            # Beside the panel: inside it the lines fan out to all corners.
            top.legend(
                frameon=False, fontsize="small", handlelength=3, loc="upper left", bbox_to_anchor=(1, 1)
            )
        top.set_ylabel("Coefficient")
        most, usual = np.abs(self.coef).max(initial=0.0), np.median(np.abs(self.coef).max(axis=1))
        if usual and most > _WIDE * usual:
            # What grows without end as the penalty goes would press all else onto one line.
            top.set_yscale("symlog", linthresh=float(usual))
            # A label for every power of ten would be written over the next one.
            top.yaxis.get_major_locator().set_params(numticks=_TICKS)
        bottom.plot(self.strength[order], self.objective[order], **drawing.line_style(0, len(order)))
        bottom.set_ylabel("Objective")
        for panel in self.axes_:
            panel.set_xscale("log")
            if self.chosen is not None:
                panel.axvline(self.chosen, color=drawing.COLOURS[1], linewidth=1.0, linestyle=":")
            drawing.tidy(panel, grid="y")
        top.sharex(bottom)
        if self.strength_name == "alpha":
            # As with C, the penalty goes from left to right.
            bottom.invert_xaxis()
        top.tick_params(labelbottom=False)
        bottom.set_xlabel(self.strength_name)
        return self
