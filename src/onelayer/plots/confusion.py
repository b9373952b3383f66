"""Which classes are taken for which."""

import numpy as np

from onelayer.errors import DataError
from onelayer.plots import drawing
from onelayer.plots.inputs import as_array, as_labels, name_classes

__all__ = ["ConfusionDisplay"]

WITH_NUMBERS = 20
TICK_LABELS = 26


class ConfusionDisplay:
    """Counts of true against predicted classes, shaded by their share of the true class.

    Up to 20 classes the counts stand in the cells; beyond, shading alone and every few class names.

    Parameters
    ----------
    counts : array of shape (classes, classes)
        Row: true class, column: predicted class.
    class_names : sequence of str, optional
        One name per class.

    Attributes
    ----------
    shares : array of shape (classes, classes)
        `counts` over their row's sum; 0 in the row of a class that does not occur.
    ax_, figure_
        Where it was drawn, after :meth:`plot`.

    Examples
    --------
    >>> display = ConfusionDisplay.from_predictions(["a", "b", "b"], ["a", "a", "b"])
    >>> display.counts
    array([[1, 0],
           [1, 1]])
    """

    def __init__(self, counts, class_names=None):
        self.counts = as_array(counts)
        square = self.counts.ndim == 2 and self.counts.shape[0] == self.counts.shape[1] > 0
        if not square or self.counts.dtype.kind not in "biuf" or (self.counts != self.counts.round()).any():
            raise DataError(
                "counts has to be a square matrix of whole numbers, one row and one column per class."
            )
        self.counts = self.counts.astype(int)
        self.class_names = name_classes(np.arange(len(self.counts)), class_names)
        self.shares = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)

    @classmethod
    def from_estimator(cls, estimator, X, y, *, class_names=None):
        """Compare `y` with what a fitted classifier predicts for `X`."""
        return cls.from_predictions(
            y, estimator.predict(X), classes=estimator.classes_, class_names=class_names
        )

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, classes=None, class_names=None):
        """Compare two label arrays; `classes` are those of the model, in the order of `class_names`."""
        from sklearn.metrics import confusion_matrix

        y_true, y_pred = as_labels(y_true, y_pred)
        seen = np.union1d(y_true, y_pred)
        classes = seen if classes is None else as_array(classes)
        names = dict(zip(classes.tolist(), name_classes(classes, class_names), strict=True))
        labels = np.union1d(classes, seen)
        counts = confusion_matrix(y_true, y_pred, labels=labels)
        return cls(counts, [names.get(label, str(label)) for label in labels.tolist()])

    def plot(self, ax=None):
        """Draw the matrix in `ax`, or in a new figure."""
        count = len(self.counts)
        side = min(2.4 + 0.42 * count, 6.6)
        self.ax_ = drawing.new_axes(ax, side if count <= WITH_NUMBERS else side + 0.7, side)
        self.figure_ = self.ax_.figure
        image = self.ax_.imshow(self.shares, cmap="Blues", vmin=0, vmax=1, interpolation="none")
        if count <= WITH_NUMBERS:
            self._write_counts()
        else:
            bar = self.figure_.colorbar(image, ax=self.ax_, fraction=0.045, pad=0.02)
            bar.set_label("Share of the true class")
        self._name_axes(count)
        return self

    def _write_counts(self):
        size = float(np.clip(11 - 0.3 * len(self.counts), 5.5, 10))
        for (row, column), count in np.ndenumerate(self.counts):
            ink = "white" if self.shares[row, column] > 0.5 else "black" if count else "0.75"
            self.ax_.text(column, row, f"{count:d}", ha="center", va="center", color=ink, fontsize=size)

    def _name_axes(self, count):
        ticks = np.arange(0, count, -(-count // TICK_LABELS))
        names = [drawing.label(self.class_names[tick], limit=18) for tick in ticks]
        text = {"fontsize": 9 if count <= WITH_NUMBERS else 7, **drawing.font_for(names)}
        turned = {"rotation": 90} if max(map(len, names)) > (10 if count <= 3 else 3) else {}
        self.ax_.set_xticks(ticks, names, **text, **turned)
        self.ax_.set_yticks(ticks, names, **text)
        self.ax_.set(xlabel="Predicted class", ylabel="True class")
        self.ax_.tick_params(length=0 if count <= WITH_NUMBERS else 2)
        self.ax_.spines[:].set_color("0.8")
