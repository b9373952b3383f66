"""Whether probabilities mean what they say."""

import numpy as np

from onelayer.errors import DataError
from onelayer.plots import drawing
from onelayer.plots.inputs import as_array, name_classes

__all__ = ["ReliabilityDisplay"]


class ReliabilityDisplay:
    """How often the model is right against how sure it was, with the number of rows in each bin.

    With two classes the probability is that of the second, the positive one; with more it is that of the predicted
    class (top-label confidence).

    Parameters
    ----------
    mean_confidence, frequency : array of shape (bins,)
        Mean predicted probability and observed share, in the bins that are not empty.
    counts : array of shape (bins,)
        Rows in each of these bins.
    about : str
        What the probability is of.
    n_bins : int
        In how many bins of equal width 0 to 1 was cut.

    Attributes
    ----------
    expected_calibration_error : float
        Mean distance of frequency and confidence, weighted by `counts`.
    ax_, axes_, figure_
        The place given, the two panels in it, and their figure, after :meth:`plot`.

    Examples
    --------
    >>> display = ReliabilityDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.1, 0.9, 0.5], classes=[0, 1])
    >>> display.counts
    array([2, 1, 1])
    >>> round(display.expected_calibration_error, 3)
    0.2
    """

    def __init__(self, mean_confidence, frequency, counts, *, about="the predicted class", n_bins=10):
        self.mean_confidence, self.frequency = as_array(mean_confidence), as_array(frequency)
        self.counts, self.about, self.n_bins = as_array(counts), about, n_bins
        distance = np.abs(self.frequency - self.mean_confidence)
        self.expected_calibration_error = float(distance @ self.counts / self.counts.sum())

    @classmethod
    def from_estimator(cls, estimator, X, y, *, class_names=None, n_bins=10):
        """Compare `y` with the probabilities that a fitted classifier gives for `X`."""
        return cls.from_predictions(
            y, estimator.predict_proba(X), estimator.classes_, class_names=class_names, n_bins=n_bins
        )

    @classmethod
    def from_predictions(cls, y_true, proba, classes, *, class_names=None, n_bins=10):
        """Compare labels with probabilities: one column per class, or those of the second of two classes."""
        from sklearn.calibration import calibration_curve

        y_true, proba, classes = as_array(y_true), as_array(proba).astype(float), as_array(classes)
        if proba.ndim == 2 and len(classes) == 2:
            proba = proba[:, 1]
        if proba.ndim == 1:
            confidence, hit, about = proba, y_true == classes[1], name_classes(classes, class_names)[1]
        else:
            top = proba.argmax(axis=1)
            confidence, hit, about = proba.max(axis=1), y_true == classes[top], "the predicted class"
        known = np.isfinite(confidence)
        if not known.any():
            raise DataError(
                "no probability is finite, so there is no reliability to show; see the fit's status."
            )
        # Softmax in float32 may exceed 1 by a rounding, which scikit-learn refuses.
        confidence = np.clip(confidence[known], 0, 1)
        frequency, mean = calibration_curve(hit[known].astype(int), confidence, pos_label=1, n_bins=n_bins)
        bins = np.searchsorted(np.linspace(0, 1, n_bins + 1)[1:-1], confidence)
        counts = np.bincount(bins)
        return cls(mean, frequency, counts[counts > 0], about=about, n_bins=n_bins)

    def plot(self, ax=None):
        """Draw the curve above the bin counts in `ax`, or in a new figure."""
        self.ax_ = drawing.new_axes(ax, 4.6, 4.8)
        self.figure_ = self.ax_.figure
        self.axes_ = curve, bars = drawing.split(self.ax_, 2, height_ratios=(3.2, 1))
        curve.plot([0, 1], [0, 1], color=drawing.MUTED, linestyle=":", linewidth=1.2, label="perfect")
        curve.plot(self.mean_confidence, self.frequency, label="model", **drawing.line_style(0))
        curve.set(ylabel="Observed share", ylim=(-0.03, 1.03))
        curve.legend(frameon=False, loc="upper left", fontsize="small")
        curve.sharex(bars)
        curve.tick_params(labelbottom=False)

        edges = np.clip(np.ceil(self.mean_confidence * self.n_bins) - 1, 0, None) / self.n_bins
        bars.bar(edges, self.counts, width=1 / self.n_bins, align="edge", color="0.75", edgecolor="white")
        bars.set(ylabel="Rows", xlim=(-0.03, 1.03))
        bars.set_xlabel(f"Probability of {drawing.label(self.about, 30)}")
        for panel in self.axes_:
            drawing.tidy(panel, grid="y")
        return self
