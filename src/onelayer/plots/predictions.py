"""A gallery of images with what they are and what they were taken for."""

import numpy as np

from onelayer.errors import ParameterError
from onelayer.plots import drawing
from onelayer.plots.inputs import as_array, as_images, as_labels, name_classes, take_rows

__all__ = ["PredictionsDisplay"]

CHOICES = ("wrong", "right", "first")


class PredictionsDisplay:
    """Images, above each the true class and below it the predicted one; errors carry a cross and a dashed frame.

    Parameters
    ----------
    images : array of shape (n, height, width) or (n, height, width, 3)
        The pictures, on one common scale of greys or in colours.
    true_names, predicted_names : sequence of str
        Names of the classes.
    wrong : array of bool
        Where the prediction is an error.
    rows : array of int, optional
        Where in the data the images stand.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn, after :meth:`plot`.

    Examples
    --------
    >>> X, y = np.eye(4), np.array([0, 1, 0, 1])
    >>> display = PredictionsDisplay.from_predictions(X, y, [0, 0, 0, 1], image_shape=(2, 2), which="right")
    >>> display.rows
    array([0, 2, 3])
    """

    def __init__(self, images, true_names, predicted_names, wrong, rows=None):
        self.images = as_array(images)
        self.true_names, self.predicted_names = list(true_names), list(predicted_names)
        self.wrong = np.asarray(wrong, dtype=bool)
        self.rows = np.arange(len(self.images)) if rows is None else np.asarray(rows)

    @classmethod
    def from_estimator(cls, estimator, X, y, image_shape, class_names=None, which="wrong", n=20):
        """Show `n` rows of `X` that a fitted classifier gets ``"wrong"`` or ``"right"``, or its ``"first"`` rows."""
        options = {"classes": estimator.classes_, "class_names": class_names, "which": which, "n": n}
        return cls.from_predictions(X, y, estimator.predict(X), image_shape=image_shape, **options)

    @classmethod
    def from_predictions(
        cls, X, y_true, y_pred, *, image_shape, classes=None, class_names=None, which="wrong", n=20
    ):
        """Show `n` rows of `X` by their true and predicted labels."""
        if which not in CHOICES:
            raise ParameterError(f"which={which!r} is none of {', '.join(map(repr, CHOICES))}.")
        y_true, y_pred = as_labels(y_true, y_pred)
        wrong = y_true != y_pred
        rows = {
            "wrong": np.flatnonzero(wrong),
            "right": np.flatnonzero(~wrong),
            "first": np.arange(len(wrong)),
        }
        rows = rows[which][:n]
        classes = np.union1d(y_true, y_pred) if classes is None else as_array(classes)
        names = dict(zip(classes.tolist(), name_classes(classes, class_names), strict=True))
        true, predicted = (
            [names.get(label, str(label)) for label in labels[rows].tolist()] for labels in (y_true, y_pred)
        )
        return cls(as_images(take_rows(X, rows), image_shape), true, predicted, wrong[rows], rows)

    def plot(self, ax=None):
        """Draw the gallery in `ax`, or in a new figure."""
        count = len(self.images)
        columns = min(max(count, 1), 10 if count > 12 else 6)
        size = drawing.pictures_size(self.images, columns, tile=0.85, lines=2) if count else (3, 0.6)
        self.ax_ = drawing.new_axes(ax, *size)
        self.figure_ = self.ax_.figure
        if not count:
            self.ax_.set_axis_off()
            self.ax_.text(0.5, 0.5, "No such prediction", ha="center", va="center", color=drawing.MUTED)
            return self
        colours = self.images.ndim == 4 and self.images.max() > 1
        images = self.images / 255 if colours else self.images
        scale = {"cmap": "Greys", "vmin": float(images.min()), "vmax": float(images.max())}
        pictures = drawing.draw_pictures(self.ax_, images, list(self._captions()), columns=columns, **scale)
        for picture, wrong in zip(pictures, self.wrong, strict=True):
            self._frame(picture, wrong)
        return self

    def _captions(self):
        for true, predicted, wrong in zip(self.true_names, self.predicted_names, self.wrong, strict=True):
            cross, colour = ("✗ ", drawing.COLOURS[1]) if wrong else ("", drawing.MUTED)
            yield [(drawing.label(true, 14), "black"), (cross + drawing.label(predicted, 14), colour)]

    def _frame(self, picture, wrong):
        from matplotlib.patches import Rectangle

        left, right, bottom, top = picture.get_extent()
        frame = Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="0.8", linewidth=0.6)
        if wrong:
            frame.set(edgecolor=drawing.COLOURS[1], linestyle=(0, (3, 1.5)), linewidth=1.2)
        self.ax_.add_patch(frame)
