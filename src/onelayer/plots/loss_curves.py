"""What a loss makes of an error: its value, the likelihood it stands for, and its pull."""

import numpy as np
import torch

from onelayer.errors import ParameterError
from onelayer.losses import AbsoluteError, Huber, Loss, SquaredError
from onelayer.plots import drawing
from onelayer.plots.inputs import as_array, as_points, as_sequence

__all__ = ["LossCurvesDisplay"]

COLUMNS = 3
HALVINGS = 50
PARTS = (("value", "loss ℓ", 0), ("likelihood", "likelihood exp(−ℓ)", 2), ("gradient", "gradient ∂ℓ/∂z", 1))


class LossCurvesDisplay:
    """Losses ℓ(y, z), the likelihoods exp(−ℓ) and the gradients ∂ℓ/∂z, one panel per loss.

    The axis is the residual z − y for losses of a real target, the score z for others. exp(−ℓ) is the likelihood of
    the target up to a constant: a bell for squared error, Laplace's double exponential for absolute error, the
    probability of the class for the logistic loss.

    Parameters
    ----------
    scores, value, likelihood, gradient : array of shape (losses, points)
        Where each loss was computed, and what came out.
    targets : array of shape (losses,)
        The y of each loss.
    names : sequence of str
        One title per panel.
    over_residual : sequence of bool, optional
        Which losses are drawn over z − y; default none.
    jumps : sequence of array of shape (jumps, 3), optional
        Where each gradient jumps: the score, and the gradient just left and just right of it.

    Attributes
    ----------
    x : array of shape (losses, points)
        What the horizontal axis shows: residuals or scores.
    ax_, axes_, figure_
        The place given, the panels in it, and their figure, after :meth:`plot`.

    Examples
    --------
    >>> import onelayer as ol
    >>> display = LossCurvesDisplay.from_losses(ol.losses.Huber(), scores=[-2, 0, 0.5, 2])
    >>> display.value
    array([[1.5  , 0.   , 0.125, 1.5  ]])
    >>> display.gradient
    array([[-1. ,  0. ,  0.5,  1. ]])
    """

    def __init__(
        self, scores, value, likelihood, gradient, targets, names, *, over_residual=None, jumps=None
    ):
        self.scores, self.value = np.atleast_2d(as_array(scores)), np.atleast_2d(as_array(value))
        self.likelihood, self.gradient = (
            np.atleast_2d(as_array(likelihood)),
            np.atleast_2d(as_array(gradient)),
        )
        self.targets, self.names = as_array(targets), [str(name) for name in names]
        count = len(self.scores)
        self.over_residual = as_array([False] * count if over_residual is None else over_residual)
        self.jumps = [np.reshape(rows, (-1, 3)) for rows in ([[]] * count if jumps is None else jumps)]
        self.x = self.scores - np.where(self.over_residual, self.targets, 0)[:, None]

    @classmethod
    def from_losses(cls, losses=None, *, y=None, scores=None):
        """Compute the curves of one or several losses.

        Parameters
        ----------
        losses : Loss or sequence of Loss, optional
            Losses of a single score. Default: squared, absolute and Huber's.
        y : float or sequence of float, optional
            The target, for all or for each. Default: 0 where it is real, 1 where it is 0 or 1.
        scores : array of shape (points,), optional
            The scores z. Default: from y − 3 to y + 3 where the target is real, else from −4 to 4.

        Raises
        ------
        ParameterError
            For a loss that takes one score per class, a `y` that is no target of its loss or does not fit the number
            of losses, or `scores` that are no finite numbers.
        """
        losses = [SquaredError(), AbsoluteError(), Huber()] if losses is None else losses
        losses = as_sequence(losses, Loss, "losses", "onelayer.losses.Huber()")
        for loss in losses:
            if loss.per_class:
                raise ParameterError(
                    f"losses has {loss!r}, which takes one score per class: give losses of a single score, as "
                    "onelayer.losses.Logistic()."
                )
        targets = _targets(losses, y)
        if scores is not None:
            scores = as_points(scores, "scores")
        rows = [_sample(loss, target, scores) for loss, target in zip(losses, targets, strict=True)]
        places, value, gradient, jumps = zip(*rows, strict=True)
        likelihood = [np.exp(-row) for row in value]
        names = [_title(loss, target) for loss, target in zip(losses, targets, strict=True)]
        over_residual = [loss.targets == "real" for loss in losses]
        return cls(
            places, value, likelihood, gradient, targets, names, over_residual=over_residual, jumps=jumps
        )

    def plot(self, ax=None):
        """Draw one panel per loss, side by side, in `ax` or in a new figure."""
        count = len(self.scores)
        columns = min(count, COLUMNS)
        rows = -(-count // columns)
        self.ax_ = drawing.new_axes(ax, 1.2 + 2.4 * columns, 0.7 + 2.4 * rows)
        self.figure_ = self.ax_.figure
        panels = drawing.split(self.ax_, rows, columns)
        self.axes_ = panels[:count]
        for panel in panels[count:]:
            panel.set_axis_off()
        for index, panel in enumerate(self.axes_):
            if index:
                # One scale for all: a loss that grows slowly should look like one.
                panel.sharey(self.axes_[0])
                panel.tick_params(labelleft=index % columns == 0)
            self._draw(panel, index)
        for panel in self.axes_[::columns]:
            panel.set_ylabel("ℓ, exp(−ℓ), ∂ℓ/∂z")
        self.axes_[0].legend(fontsize="small", framealpha=0.9, edgecolor="none", handlelength=2.6)
        return self

    def _draw(self, panel, index):
        x, jumps = self.x[index], self.jumps[index]
        for part, name, place in PARTS:
            values = getattr(self, part)[index]
            style = {**drawing.line_style(place, len(x)), "label": name, "linewidth": 2}
            at, drawn = _broken(x, values, self._at(index)) if part == "gradient" else (x, values)
            panel.plot(at, np.where(np.isfinite(drawn), drawn, np.nan), **style)
        if len(jumps):
            # As in textbooks: an open circle where a curve ends without its end.
            at, colour = self._at(index), drawing.COLOURS[1]
            circles = {"linestyle": "none", "marker": "o", "markersize": 5, "color": colour, "zorder": 3}
            panel.plot(np.repeat(at[:, 0], 2), at[:, 1:].ravel(), markerfacecolor="white", **circles)
        panel.set_title(drawing.label(self.names[index], 34), fontsize=10, **drawing.font_for(self.names))
        panel.set_xlabel("Residual z − y" if self.over_residual[index] else "Score z")
        drawing.tidy(panel, grid="both")

    def _at(self, index):
        """Return the jumps of one loss with their places on the horizontal axis."""
        shift = self.targets[index] if self.over_residual[index] else 0
        return self.jumps[index] - np.array([shift, 0, 0])


def _targets(losses, y):
    """Return one legal target per loss."""
    if y is None:
        y = [0.0 if loss.targets == "real" else 1.0 for loss in losses]
    try:
        targets = np.broadcast_to(as_array(y).astype(float), (len(losses),)).copy()
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"y is {y!r} for {len(losses)} losses: give one number, or one for each."
        ) from error
    for loss, target in zip(losses, targets.tolist(), strict=True):
        if not np.isfinite(target) or (loss.targets == "binary" and target not in (0, 1)):
            legal = "0 or 1" if loss.targets == "binary" else "a finite number"
            raise ParameterError(f"y has {target:g}, which is no target of {loss!r}: give {legal}.")
    return targets


def _sample(loss, target, scores):
    """Return scores, values and gradients, and the jumps of the gradient."""
    if scores is None:
        scores = target + np.linspace(-3, 3, 601) if loss.targets == "real" else np.linspace(-4, 4, 601)
    value = _compute(loss.value, scores, target)
    gradient = _compute(loss.gradient, scores, target)
    jumps = np.empty((0, 3)) if loss.smooth else _jumps(loss, target, scores)
    return scores, value, gradient, jumps


def _compute(function, scores, target):
    z = torch.as_tensor(scores, dtype=torch.float64)
    return as_array(function(z, torch.full_like(z, target)))


def _jumps(loss, target, scores):
    """Return where the gradient jumps, and its limits there: each step of the grid shrinks towards its change."""
    # Steps that do not end on points of the grid: on the jump itself the gradient may be neither limit.
    edges = np.concatenate([scores[:1], scores[:-1] + 0.382 * np.diff(scores), scores[-1:]])
    low, high = edges[:-1], edges[1:]
    left, right = (_compute(loss.gradient, ends, target) for ends in (low, high))
    nearby = 1e-7 * (high - low)
    for _ in range(HALVINGS):
        middle = low + (high - low) / 2
        there = _compute(loss.gradient, middle, target)
        to_left = np.abs(there - left) > np.abs(right - there)
        high, right = np.where(to_left, middle, high), np.where(to_left, there, right)
        low, left = np.where(to_left, low, middle), np.where(to_left, left, there)
    nearby = np.maximum(nearby, 4 * np.spacing(np.abs(high)))
    left, right = (_compute(loss.gradient, ends, target) for ends in (low - nearby, high + nearby))
    # What is left of a slope is small; a jump is not.
    jumped = np.abs(right - left) > 1e-3 * np.abs(np.concatenate([left, right])).max()
    return np.c_[high, left, right][jumped]


def _broken(x, values, jumps):
    """Return the curve with its two limits and a gap between them at each jump, in place of what it is there."""
    keep = (np.abs(x[:, None] - jumps[:, 0]) > 1e-6 * (x[-1] - x[0])).all(axis=1)
    x, values = x[keep], values[keep]
    at = np.repeat(np.searchsorted(x, jumps[:, 0]), 3)
    limits = np.c_[jumps[:, 1], np.full(len(jumps), np.nan), jumps[:, 2]]
    return np.insert(x, at, np.repeat(jumps[:, 0], 3)), np.insert(values, at, limits.ravel())


def _title(loss, target):
    name = repr(loss).removesuffix("()")
    return name if loss.targets == "real" else f"{name}, y = {target:g}"
