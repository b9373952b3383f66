"""What each class looks for: the coefficients, as images or as bars."""

import numpy as np

from onelayer.errors import DataError
from onelayer.plots import drawing
from onelayer.plots.inputs import as_array, as_images, name_classes

__all__ = ["WeightsDisplay"]

MOST_BARS = 12
MOST_IMAGES = 60


class WeightsDisplay:
    """The coefficients of a linear model, one panel per row of weights.

    With an `image_shape` each row is an image: blue speaks for the class, red against it, white is 0, on one scale
    for all. Otherwise bars show the largest coefficients, at most 12 rows of weights.

    Parameters
    ----------
    weight : array of shape (outputs, features)
        The coefficients.
    titles : sequence of str
        What each row of weights speaks for.
    feature_names : sequence of str, optional
        One name per feature.
    image_shape : tuple of int, optional
        Height and width of the image that a row of features is; colours are averaged.
    top : int
        How many coefficients the bars show.
    unit : str
        What one unit of a feature changes by one weight.

    Attributes
    ----------
    ax_, axes_, figure_
        The place given, the panels in it, and their figure, after :meth:`plot`.

    Examples
    --------
    >>> display = WeightsDisplay([[0.5, -2.0, 0.0]], ["price"], feature_names=["rooms", "age", "floor"], top=2)
    >>> display.order[0]
    array([1, 0])
    >>> [tick.get_text() for tick in display.plot().axes_[0].get_yticklabels()]
    ['age', 'rooms']
    """

    def __init__(self, weight, titles, *, feature_names=None, image_shape=None, top=10, unit="score"):
        self.weight = np.atleast_2d(as_array(weight)).astype(float)
        if not np.isfinite(self.weight).all():
            raise DataError(
                "the coefficients are not finite, so there is nothing to draw; see the fit's status."
            )
        features = self.weight.shape[1]
        names = [f"feature {i}" for i in range(features)] if feature_names is None else feature_names
        self.feature_names = [str(name) for name in names]
        if len(self.feature_names) != features:
            raise DataError(
                f"feature_names has {len(self.feature_names)} entries, the model {features} features."
            )
        self.titles = [str(title) for title in titles]
        self.image_shape, self.top, self.unit = image_shape, top, unit

    @classmethod
    def from_estimator(cls, estimator, image_shape=None, feature_names=None, class_names=None, top=10):
        """Read ``coef_`` (and ``classes_``, ``feature_names_in_`` where they are) of a fitted model."""
        weight = np.atleast_2d(as_array(estimator.coef_))
        if feature_names is None:
            feature_names = getattr(estimator, "feature_names_in_", None)
        options = {"feature_names": feature_names, "image_shape": image_shape, "top": top}
        if not hasattr(estimator, "classes_"):
            features = weight.shape[1]
            titles = ["Coefficients" if features <= top else f"{top} largest of {features} coefficients"]
            if len(weight) > 1:
                titles = [f"Output {i}" for i in range(len(weight))]
            return cls(weight, titles, unit="prediction", **options)
        names = name_classes(estimator.classes_, class_names)
        if len(weight) == 1:
            names = [f"Positive speaks for {names[-1]}"]
        return cls(weight, names, **options)

    @property
    def order(self):
        """Features of each row of weights by size, the largest first: array of shape (outputs, at most `top`)."""
        return np.argsort(-np.abs(self.weight), axis=1, kind="stable")[:, : self.top]

    def plot(self, ax=None):
        """Draw the images or bars in `ax`, or in a new figure."""
        return self._plot_bars(ax) if self.image_shape is None else self._plot_images(ax)

    def _plot_images(self, ax):
        images = as_images(self.weight[:MOST_IMAGES], self.image_shape)
        images = images.mean(axis=-1) if images.ndim == 4 else images
        columns = min(len(images), 5 if len(images) <= 15 else 10)
        width, height = drawing.pictures_size(images, columns, tile=1.2 if columns <= 5 else 0.8)
        self.ax_ = drawing.new_axes(ax, width + 0.8, height + 0.1)
        self.figure_, self.axes_ = self.ax_.figure, [self.ax_]
        bound = float(np.abs(self.weight).max()) or 1.0
        captions = [[(drawing.label(title, 40 if columns == 1 else 16), "black")] for title in self.titles]
        options = {"cmap": "RdBu", "vmin": -bound, "vmax": bound, "columns": columns}
        drawn = drawing.draw_pictures(self.ax_, images, captions[: len(images)], fontsize=8, **options)
        bar = self.figure_.colorbar(drawn[0], ax=self.ax_, fraction=0.03, pad=0.02)
        bar.set_label(f"Weight ({self.unit} per unit)")
        bar.outline.set_visible(False)
        if rest := self._rest(len(images)):
            style = {"color": drawing.MUTED, "ha": "right", "va": "bottom", "fontsize": 8}
            self.ax_.text(1, 0, rest, transform=self.ax_.transAxes, **style)
        return self

    def _plot_bars(self, ax):
        shown = min(len(self.weight), MOST_BARS)
        columns = min(shown, 3)
        rows = -(-shown // columns)
        height = 0.7 + 0.2 * self.order.shape[1]
        self.ax_ = drawing.new_axes(ax, (5.2, 7.2, 9)[columns - 1], 0.35 + height * rows)
        self.figure_ = self.ax_.figure
        panels = drawing.split(self.ax_, rows, columns)
        self.axes_ = panels[:shown]
        for panel in panels[shown:]:
            panel.set_axis_off()
        for panel, weight, order, title in zip(
            self.axes_, self.weight, self.order, self.titles, strict=False
        ):
            if panel is not self.axes_[0]:
                # One scale for all: a class with small weights should look like one.
                panel.sharex(self.axes_[0])
            self._draw_bars(panel, weight[order], [self.feature_names[i] for i in order], title)
        for panel in self.axes_[-columns:]:
            panel.set_xlabel(f"Weight ({self.unit} per unit)", fontsize=8)
        if rest := self._rest(shown):
            last = self.axes_[-1]
            last.set_xlabel(f"{last.get_xlabel()}\n{rest}")
        return self

    def _draw_bars(self, panel, values, names, title):
        places = np.arange(len(values))
        colours = [drawing.COLOURS[0 if value >= 0 else 1] for value in values]
        panel.barh(places, values, color=colours, height=0.72)
        panel.axvline(0, color="black", linewidth=0.8)
        panel.set_yticks(
            places, [drawing.label(name) for name in names], fontsize=8, **drawing.font_for(names)
        )
        panel.invert_yaxis()
        panel.set_title(
            drawing.label(title, 44 if len(self.axes_) == 1 else 26), fontsize=10, **drawing.font_for([title])
        )
        panel.tick_params(axis="y", length=0)
        panel.tick_params(axis="x", labelsize=8)
        panel.locator_params(axis="x", nbins=5)
        drawing.tidy(panel, grid="x")
        panel.spines["left"].set_visible(False)

    def _rest(self, shown):
        rest = len(self.weight) - shown
        return f"… and {rest} more" if rest else ""
