"""The family of sigmoids: where they saturate, and how steep they are in the middle."""

import math

import numpy as np
import torch

from onelayer import links as families
from onelayer.errors import ParameterError
from onelayer.plots import drawing
from onelayer.plots.inputs import as_array, as_points, as_sequence

__all__ = ["SigmoidDisplay"]

SCALES = ("own", "unit")
# More patterns than `drawing.line_style` has: here lines lie close together over their whole length.
DASHES = (
    "-",
    (0, (6, 2)),
    (0, (1, 1.2)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1.5)),
    (0, (1, 3)),
    (0, (8, 2, 1, 2, 1, 2)),
)
FORMULAS = {
    families.Identity: "z",
    families.LogisticSigmoid: "1/(1 + exp(−z))",
    families.Tanh: "tanh(z)",
    families.Erf: "erf(√π z/2)",
    families.Arctan: "2/π · arctan(πz/2)",
    families.Gudermannian: "2/π · gd(πz/2)",
    families.AlgebraicSigmoid: "z/√(1 + z²)",
    families.Softsign: "z/(1 + |z|)",
}


class SigmoidDisplay:
    """Sigmoids over the score z on one axis, with their limits and their tangents at z = 0.

    Parameters
    ----------
    scores : array of shape (points,)
        Where the sigmoids were computed.
    means : array of shape (links, points)
        Their values there.
    means_at_zero, slopes_at_zero : array of shape (links,)
        Value and derivative at z = 0.
    limits : array of shape (links, 2)
        What each sigmoid tends to on the left and on the right.
    names : sequence of str
        One name per sigmoid.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn, after :meth:`plot`.

    Examples
    --------
    >>> import onelayer as ol
    >>> display = SigmoidDisplay.from_links([ol.links.Tanh(), ol.links.LogisticSigmoid()], scores=[-1, 0, 1])
    >>> display.slopes_at_zero
    array([1.  , 0.25])
    >>> display.means[1].round(3)
    array([0.269, 0.5  , 0.731])
    """

    def __init__(self, scores, means, means_at_zero, slopes_at_zero, limits, names):
        self.scores, self.means = as_array(scores), np.atleast_2d(as_array(means))
        self.means_at_zero, self.slopes_at_zero = as_array(means_at_zero), as_array(slopes_at_zero)
        self.limits, self.names = np.reshape(as_array(limits), (-1, 2)), [str(name) for name in names]

    @classmethod
    def from_links(cls, links=None, *, scores=None, scale="own"):
        """Compute the sigmoids.

        Parameters
        ----------
        links : Link or sequence of Link, optional
            Default: all sigmoids of ``onelayer.links``.
        scores : array of shape (points,), optional
            Default: −5 to 5.
        scale : {"own", "unit"}
            "unit" stretches each to slope 1 at 0 and limits −1 and 1, so that shapes compare: with m the middle of
            the limits, h half their distance and s the slope at 0, it shows (mean(h z / s) − m) / h.

        Raises
        ------
        ParameterError
            For a link that takes more than one score, `scores` that are no finite numbers, or a `scale` that is not
            known or that a link without limits cannot have.
        """
        if scale not in SCALES:
            raise ParameterError(f"scale={scale!r} is none of {', '.join(map(repr, SCALES))}.")
        if links is None:
            links = [kind() for kind in FORMULAS if kind is not families.Identity]
        links = as_sequence(links, families.Link, "links", "onelayer.links.Tanh()")
        scores = as_points(np.linspace(-5, 5, 401) if scores is None else scores, "scores")
        rows = [_sample(link, scores, scale) for link in links]
        means, means_at_zero, slopes, limits = (np.array(column) for column in zip(*rows, strict=True))
        return cls(scores, means, means_at_zero, slopes, limits, [_name(link, scale) for link in links])

    def plot(self, ax=None):
        """Draw all in `ax`, or in a new figure."""
        self.ax_ = drawing.new_axes(ax, 5.8, 4.4)
        self.figure_ = self.ax_.figure
        self._draw_limits()
        self._draw_tangents()
        # The legend lists them as they lie, from the top, where they lie farthest apart.
        spread = self.means.max(axis=0) - self.means.min(axis=0)
        height = self.means[:, int(np.where(self.scores > 0, spread, -1).argmax())]
        for index in np.argsort(-height, kind="stable"):
            # Dashes above the full line: of two that agree, both are seen.
            style = {"linestyle": DASHES[index % len(DASHES)], "zorder": 2 + index / len(self.names)}
            style = {**drawing.line_style(index, len(self.scores)), **style}
            name = drawing.label(self.names[index], 44)
            self.ax_.plot(self.scores, self.means[index], label=name, **style)
        self.ax_.set(xlabel="Score z", ylabel="Mean")
        place = {"loc": "lower right", "framealpha": 0.9, "edgecolor": "none", "handlelength": 3.6}
        for text in self.ax_.legend(fontsize="small", **place).get_texts():
            text.set(**drawing.font_for(self.names))
        drawing.tidy(self.ax_, grid="both")
        return self

    def _draw_limits(self):
        finite = self.limits[np.isfinite(self.limits).all(axis=1)]
        if not len(finite):
            return
        room = 0.1 * (finite.max() - finite.min())
        self.ax_.set_ylim(finite.min() - room, finite.max() + room)
        for side, column in enumerate(finite.T):
            for limit in np.unique(column):
                self.ax_.axhline(limit, color=drawing.MUTED, linewidth=0.8, zorder=1)
                # On the far side of the line: no curve comes there.
                align = {"ha": ("left", "right")[side], "va": ("top", "bottom")[side]}
                style = {**align, "color": "0.35", "fontsize": 8, "textcoords": "offset points"}
                place = {"xycoords": self.ax_.get_yaxis_transform(), "annotation_clip": False}
                offset = ((3, -2), (-3, 2))[side]
                self.ax_.annotate(
                    f"limit {limit:g}".replace("-", "−"), (side, limit), offset, **style, **place
                )

    def _draw_tangents(self):
        tangents = np.c_[self.means_at_zero, self.slopes_at_zero, self.limits].round(6)
        for mean, slope, low, high in np.unique(tangents, axis=0):
            reach = (np.array([low, high]) - mean) / slope if slope else np.array([-1.0, 1.0])
            reach = np.clip(reach, self.scores.min(), self.scores.max())
            line = mean + slope * reach
            self.ax_.plot(reach, line, color="black", linewidth=0.8, zorder=1.5)
            # Below the lower limit, where no curve comes.
            style = {"ha": "center", "va": "top", "fontsize": 8, "textcoords": "offset points"}
            self.ax_.annotate(f"slope {slope:.3g} at 0", (reach[0], line[0]), (0, -2), **style)


def _sample(link, scores, scale):
    """Return means at `scores`, mean and slope at 0, and limits."""
    if isinstance(link, families.Softmax):
        raise ParameterError(
            f"links has {link!r}, which takes one score per class: give links of a single score."
        )
    z, zero = torch.as_tensor(scores), torch.zeros(1, dtype=torch.float64)
    middle, slope = float(link.mean(zero)), float(link.derivative(zero))
    low, high = link.limits
    if scale == "own":
        return as_array(link.mean(z)), middle, slope, link.limits
    centre, half = (low + high) / 2, (high - low) / 2
    if not (math.isfinite(half) and slope):
        raise ParameterError(
            f'scale="unit" needs two finite limits and a slope at 0, which {link!r} has not: use scale="own".'
        )
    unit = (as_array(link.mean(z * (half / slope))) - centre) / half
    return unit, (middle - centre) / half, 1.0, (-1.0, 1.0)


def _name(link, scale):
    formula = FORMULAS.get(type(link)) if scale == "own" else None
    return f"{type(link).__name__}: {formula}" if formula else type(link).__name__
