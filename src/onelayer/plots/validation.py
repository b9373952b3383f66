"""Scores on held-out rows along a grid of strengths."""

import numpy as np

from onelayer.plots import drawing

__all__ = ["ValidationDisplay"]


class ValidationDisplay:
    """The mean score of each strength, its standard error, the scores of the folds, and which strength was chosen.

    Parameters
    ----------
    strength : array of shape (n_strengths,)
    scores : array of shape (n_folds, n_strengths)
    chosen : float
        The strength that was chosen.
    strength_name : {"C", "alpha"}
    metric : str
        In words.

    Attributes
    ----------
    ax_, figure_
        The axes and their figure, after :meth:`plot`.

    Examples
    --------
    >>> import numpy as np
    >>> display = ValidationDisplay([0.1, 1.0], np.array([[0.8, 0.9], [0.7, 0.8]]), 1.0, metric="accuracy").plot()
    >>> display.ax_.get_ylabel()
    'Accuracy'
    """

    def __init__(self, strength, scores, chosen, *, strength_name="C", metric="score"):
        self.strength = np.asarray(strength, dtype=float)
        self.scores = np.asarray(scores, dtype=float)
        self.chosen, self.strength_name, self.metric = chosen, strength_name, metric

    @classmethod
    def from_estimator(cls, estimator):
        """Read a fitted estimator of ``onelayer.selection``."""
        name = "C" if hasattr(estimator, "Cs_") else "alpha"
        scoring = estimator.scoring
        metric = scoring.replace("_", " ") if isinstance(scoring, str) else "score"
        strength = estimator.Cs_ if name == "C" else estimator.alphas_
        chosen = strength[estimator.choice_.index]
        return cls(strength, estimator.scores_, chosen, strength_name=name, metric=metric)

    def plot(self, ax=None):
        """Draw in `ax`, or in a new figure."""
        self.ax_ = ax = drawing.new_axes(ax, 5.2, 3.4)
        self.figure_ = ax.figure
        order = np.argsort(self.strength)
        strength, scores = self.strength[order], self.scores[:, order]
        for fold in scores if len(scores) > 1 else ():
            ax.plot(strength, fold, color="0.8", linewidth=0.7)
        mean = scores.mean(axis=0)
        error = scores.std(axis=0, ddof=1) / np.sqrt(len(scores)) if len(scores) > 1 else None
        style = drawing.line_style(0, len(order))
        ax.errorbar(
            strength, mean, error, capsize=2, label="mean of the folds" if len(scores) > 1 else None, **style
        )
        ax.axvline(self.chosen, color=drawing.COLOURS[1], linewidth=1.0, linestyle=":", label="chosen")
        ax.set_xscale("log")
        if self.strength_name == "alpha":
            # As with C, the penalty goes from left to right.
            ax.invert_xaxis()
        ax.set_xlabel(self.strength_name)
        ax.set_ylabel(drawing.label(self.metric.capitalize()))
        ax.legend(frameon=False, fontsize="small")
        drawing.tidy(ax, grid="y")
        return self
