"""How likely observed flips are under each probability of heads."""

import numbers

import numpy as np

from onelayer.errors import DataError, ParameterError
from onelayer.plots import drawing
from onelayer.plots.inputs import as_array

__all__ = ["LikelihoodDisplay"]

FACES = {"head": 1, "heads": 1, "h": 1, "tail": 0, "tails": 0, "t": 0}
# Beyond, exp(log-likelihood) is no longer a normal float64.
LOWEST_LOG = -700.0


class LikelihoodDisplay:
    r"""Likelihood and log-likelihood of flips over the probability p of heads, candidates and the maximum marked.

    L(p) = Π p^y (1 − p)^(1 − y) = p^heads (1 − p)^tails. Both curves have their maximum in the same place, the share
    of heads; −log L(p) divided by the number of flips is the cross-entropy of the flips and p.

    Parameters
    ----------
    heads, tails : int
        How many of each; at least one flip.
    candidates : float or sequence of float
        Probabilities to compare, from 0 to 1.
    resolution : int
        Points of p from 0 to 1; the maximum and its neighbourhood are added.

    Attributes
    ----------
    p, likelihood, log_likelihood, cross_entropy : array of shape (points,)
        The curves; the log-likelihood is −inf where L is 0, and the cross-entropy is −log L(p) / n, in nats.
    candidates, candidate_likelihoods, candidate_log_likelihoods, candidate_cross_entropies : array
        The same at the candidates.
    maximum : float
        The p with the largest likelihood, heads / (heads + tails).
    ax_, axes_, figure_
        The place given, the panels in it, and their figure, after :meth:`plot`.

    Raises
    ------
    DataError
        If there is no flip.
    ParameterError
        If a candidate is no probability.

    Examples
    --------
    >>> display = LikelihoodDisplay.from_flips(["head", "head", "tail"], candidates=(0.5, 0.2))
    >>> display.candidate_likelihoods.round(3)
    array([0.125, 0.032])
    >>> round(display.maximum, 3)
    0.667
    """

    def __init__(self, heads, tails, candidates=(0.5, 0.2), *, resolution=501):
        for name, count in (("heads", heads), ("tails", tails)):
            if not (isinstance(count, numbers.Real) and 0 <= count < 2**53 and count == int(count)):
                raise DataError(f"{name} is {count!r}: give how many there were, a whole number ≥ 0.")
        self.heads, self.tails = int(heads), int(tails)
        if not self.heads + self.tails:
            raise DataError("there is no flip, so every p is as likely: give at least one head or tail.")
        self.candidates = _probabilities(candidates)
        self.maximum = self.heads / (self.heads + self.tails)
        # With many flips the peak is narrower than the steps of any even grid.
        width = (self.heads + self.tails) ** -0.5
        peak = np.clip(self.maximum + width * np.linspace(-3, 3, 101), 0, 1)
        self.p = np.unique(np.concatenate([np.linspace(0, 1, resolution), peak, [self.maximum]]))
        self.likelihood, self.log_likelihood, self.cross_entropy = self._compute(self.p)
        likelihoods, logarithms, cross_entropies = self._compute(self.candidates)
        self.candidate_likelihoods, self.candidate_log_likelihoods = likelihoods, logarithms
        self.candidate_cross_entropies = cross_entropies

    @classmethod
    def from_flips(cls, flips, candidates=(0.5, 0.2)):
        """Count the flips.

        Parameters
        ----------
        flips : sequence
            1, True, "head" or "H" is heads; 0, False, "tail" or "T" is tails. ``"HHT"`` is three flips.
        candidates : float or sequence of float
            Probabilities to compare.

        Raises
        ------
        DataError
            If there are no flips, or something else among them.
        """
        flips = _as_list(flips)
        faces = [_face(flip) for flip in flips]
        if None in faces:
            place = faces.index(None)
            raise DataError(
                f"flips[{place}] is {flips[place]!r}: give 1, True, 'head' or 'H' for heads and 0, False, 'tail' or 'T' "
                "for tails."
            )
        if not faces:
            raise DataError(
                "flips is empty, so every p is as likely: give at least one flip, as in ['head', 'tail']."
            )
        heads = sum(faces)
        return cls(heads, len(faces) - heads, candidates)

    def plot(self, ax=None):
        """Draw the likelihood above the log-likelihood in `ax`, or in a new figure."""
        self.ax_ = drawing.new_axes(ax, 6, 4.6)
        self.figure_ = self.ax_.figure
        self.axes_ = upper, lower = drawing.split(self.ax_, 2)
        top = self.log_likelihood.max()
        if top > LOWEST_LOG:
            symbol, curve, marks = "L", self.likelihood, self.candidate_likelihoods
        else:
            # Too small a number to draw; its shape is not.
            symbol = "L / max L"
            curve, marks = np.exp(self.log_likelihood - top), np.exp(self.candidate_log_likelihoods - top)
        self._draw(upper, curve, marks)
        self._draw(lower, self.log_likelihood, self.candidate_log_likelihoods)
        upper.set(ylabel=f"Likelihood {symbol}", ylim=(-0.04 * curve.max(), 1.12 * curve.max()))
        self._limit(lower)
        upper.sharex(lower)
        upper.tick_params(labelbottom=False)
        lower.set(xlabel="Probability p of heads", ylabel="Log-likelihood log L", xlim=(-0.02, 1.02))
        return self

    def _compute(self, p):
        """Return likelihood, log-likelihood and cross-entropy at `p`."""
        from scipy.special import xlog1py, xlogy

        # 0 log 0 is 0 here: with heads only, p = 1 has likelihood 1.
        logarithm = xlogy(self.heads, p) + xlog1py(self.tails, -p)
        return np.exp(logarithm), logarithm, np.abs(logarithm) / (self.heads + self.tails)

    def _draw(self, panel, curve, marks):
        panel.plot(self.p, np.where(np.isfinite(curve), curve, np.nan), **drawing.line_style(0, len(curve)))
        panel.axvline(self.maximum, color=drawing.MUTED, linestyle=":", linewidth=1.4, zorder=1.5)
        best = curve[np.searchsorted(self.p, self.maximum)]
        label = f"p = {self.maximum:.3g}: {_text(best)} (max)"
        style = {"linestyle": "none", "zorder": 3, "clip_on": False}
        panel.plot(self.maximum, best, marker="*", markersize=12, color="black", label=label, **style)
        for index, (p, mark) in enumerate(zip(self.candidates, marks, strict=True)):
            look = drawing.line_style(index + 1)
            look = {"color": look["color"], "marker": look["marker"], "markersize": 6.5, **style}
            label = f"p = {p:.3g}: {_text(mark)}"
            panel.plot(p, mark if np.isfinite(mark) else np.nan, label=label, **look)
        # Beside the panel: a bell leaves no corner free.
        place = {"loc": "upper left", "bbox_to_anchor": (1, 1), "borderaxespad": 0.3}
        panel.legend(**place, fontsize="small", frameon=False, handletextpad=0.2, handlelength=1.6)
        drawing.tidy(panel, grid="both")

    def _limit(self, panel):
        """Leave out the ends, where the logarithm falls without end."""
        inside = self.log_likelihood[(self.p >= 0.02) & (self.p <= 0.98)]
        shown = np.concatenate([inside, self.candidate_log_likelihoods])
        low, high = shown[np.isfinite(shown)].min(), self.log_likelihood.max()
        room = 0.08 * (high - low)
        panel.set_ylim(low - room, high + room)


def _as_list(flips):
    if hasattr(flips, "shape"):
        return as_array(flips).ravel().tolist()
    return list(flips) if np.iterable(flips) else [flips]


def _face(flip):
    """Return 1 for heads, 0 for tails, None for anything else."""
    if isinstance(flip, str):
        return FACES.get(flip.strip().lower())
    known = isinstance(flip, numbers.Real | np.bool_) and flip in (0, 1)
    return int(flip) if known else None


def _probabilities(candidates):
    try:
        values = np.atleast_1d(as_array(candidates)).astype(float).ravel()
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"candidates is {candidates!r}: give probabilities from 0 to 1, as (0.5, 0.2)."
        ) from error
    # Written as "not inside" because of NaN: every comparison with it is False.
    wrong = values[~((values >= 0) & (values <= 1))]
    if wrong.size:
        raise ParameterError(f"candidates has {wrong[0]:g}: give probabilities from 0 to 1, as (0.5, 0.2).")
    return values


def _text(value):
    return f"{value:.4g}".replace("-", "−").replace("inf", "∞")
