"""Which pictures a report shows, and what is said about them."""

import dataclasses
import functools

import numpy as np

from onelayer.errors import DataError
from onelayer.plots import (
    ConfusionDisplay,
    LearningCurveDisplay,
    PredictionsDisplay,
    ReliabilityDisplay,
    WeightsDisplay,
)
from onelayer.plots.drawing import new_axes, tidy, too_many
from onelayer.plots.inputs import as_array
from onelayer.report.svg import picture

__all__ = ["Figure", "Part", "confusion", "draw_figures"]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A picture in the page.

    Attributes
    ----------
    title, caption, alt : str
        What stands above and below it, and in its place for those who do not see it.
    source : str or None
        The picture as a ``data:`` address; None where it could not be drawn, and the caption says why.
    wide : bool
        Whether it takes the whole width of the page.
    """

    title: str
    caption: str
    alt: str
    source: str | None
    wide: bool = False


@dataclasses.dataclass(frozen=True)
class Part:
    """The part of the data that a report looks at: the test part where there is one.

    Attributes
    ----------
    name : str
        "test" or "train".
    X : array-like
        Its features.
    y, predicted : array
        True and predicted labels or values.
    proba : array or None
        Class probabilities, where the model has them.
    """

    name: str
    X: object
    y: np.ndarray
    predicted: np.ndarray
    proba: np.ndarray | None

    @classmethod
    def of(cls, estimator, X, y, X_test=None, y_test=None):
        """Predict once for all figures."""
        name, X, y = ("train", X, y) if y_test is None else ("test", X_test, y_test)
        proba = as_array(estimator.predict_proba(X)) if hasattr(estimator, "predict_proba") else None
        return cls(name, X, as_array(y), as_array(estimator.predict(X)), proba)


def draw_figures(estimator, part, *, feature_names=None, class_names=None, image_shape=None):
    """Return the figures of a report, in reading order."""
    figures = [_learning_curve(estimator)]
    weights = _weights(estimator, image_shape, feature_names, class_names)
    if hasattr(estimator, "classes_"):
        names = {"classes": estimator.classes_, "class_names": class_names}
        figures += [_reliability(part, names), confusion(part, names), weights]
        if image_shape is not None:
            figures += [_gallery(part, names, image_shape, which) for which in ("wrong", "right")]
    else:
        figures += [*(_values(part, title) for title in VALUES), weights]
    return [figure for figure in figures if figure is not None]


def or_reason(build):
    """Turn a refusal to draw into a figure without picture that says why: a report is written of odd fits too."""

    @functools.wraps(build)
    def draw(*arguments, **options):
        try:
            return build(*arguments, **options)
        except DataError as reason:
            title = build.__name__.strip("_").replace("_", " ").capitalize()
            return Figure(title, f"Not drawn: {reason}", "", None)

    return draw


@or_reason
def _learning_curve(estimator):
    trace = estimator.result_.trace
    if len(trace) < 2:
        return None
    alt = f"Objective and metrics over {len(trace)} iterations, against passes over the data."
    caption = "One pass is the work of one gradient over all the data."
    return Figure("Learning curve", caption, alt, picture(LearningCurveDisplay.from_trace(trace).plot))


@or_reason
def _reliability(part, names):
    if part.proba is None:
        return None
    display = ReliabilityDisplay.from_predictions(part.y, part.proba, **names)
    error = display.expected_calibration_error
    caption = (
        f"On the dotted line a stated 80 % is right 80 times in 100. Expected calibration error {error:.3f} "
        f"({part.name} data)."
    )
    alt = (
        f"Observed share against stated probability, with bin counts; expected calibration error {error:.3f}."
    )
    return Figure("Reliability", caption, alt, picture(display.plot))


@or_reason
def confusion(part, names, *, whole=True):
    """Return the confusion of classes on a Part, the whole of it or a sample, as a Figure."""
    display = ConfusionDisplay.from_predictions(part.y, part.predicted, **names)
    rows = "Rows" if whole else f"A sample of {len(part.y):,} rows"
    caption = f"{rows} of the {part.name} data: true class down, predicted class across."
    off = display.shares * (1 - np.eye(len(display.shares)))
    true, taken = np.unravel_index(off.argmax(), off.shape)
    if off[true, taken] > 0:
        pair = display.class_names[true], display.class_names[taken]
        caption += f" Most often mistaken: {pair[0]} for {pair[1]} ({off[true, taken]:.0%})."
    alt = (
        f"Confusion matrix of {len(off)} classes; {np.trace(display.counts)} of {len(part.y)} rows are right."
    )
    return Figure("Confusion", caption, alt, picture(display.plot), wide=len(off) > 5)


@or_reason
def _weights(estimator, image_shape, feature_names, class_names):
    display = WeightsDisplay.from_estimator(estimator, image_shape, feature_names, class_names)
    classes = hasattr(estimator, "classes_")
    caption = "What one unit of a feature adds to the " + ("score of a class." if classes else "prediction.")
    if image_shape is not None and classes:
        caption += " Blue pixels speak for the class above, red ones against it."
    elif len(display.weight) > 1 or display.weight.shape[1] > display.top:
        caption += " The largest are shown."
    alt = f"Weights of {display.weight.shape[1]} features: {', '.join(display.titles[:12])}."
    wide = image_shape is not None or len(display.weight) > 1
    return Figure("Weights", caption, alt, picture(display.plot), wide=wide)


@or_reason
def _gallery(part, names, image_shape, which):
    display = PredictionsDisplay.from_predictions(
        part.X, part.y, part.predicted, image_shape=image_shape, which=which, **names
    )
    title, count = f"{which.capitalize()} predictions", int((part.y != part.predicted).sum())
    count = count if which == "wrong" else len(part.y) - count
    if not count:
        return Figure(title, f"There is none in the {part.name} data.", "", None)
    caption = (
        f"The first {len(display.images)} of {count:,} in the {part.name} data: true class, then predicted."
    )
    alt = f"Gallery of {len(display.images)} images that were classified {which[:5]}ly."
    return Figure(title, caption, alt, picture(display.plot), wide=True)


VALUES = {
    "Predicted against true": ("actual_vs_predicted", "On the dashed line the prediction is the true value."),
    "Residuals": ("residual_vs_predicted", "A good fit leaves no pattern around the dashed line."),
}


class _ValuesDisplay:
    """scikit-learn's PredictionErrorDisplay with the place and look of ours."""

    def __init__(self, y, predicted, kind):
        self.y, self.predicted, self.kind = y, predicted, kind

    def plot(self, ax=None):
        from matplotlib.ticker import MaxNLocator
        from sklearn.metrics import PredictionErrorDisplay

        self.ax_ = new_axes(ax, 4.6, 4.2)
        self.figure_ = self.ax_.figure
        dots = {
            "color": "#0072B2",
            "s": 12,
            "alpha": 0.55,
            "linewidths": 0,
            "rasterized": too_many(len(self.y)),
        }
        PredictionErrorDisplay(y_true=self.y, y_pred=self.predicted).plot(
            ax=self.ax_, kind=self.kind, scatter_kwargs=dots
        )
        # scikit-learn fixes five ticks at the range's ends, with as many digits as they happen to have.
        self.ax_.xaxis.set_major_locator(MaxNLocator(6))
        self.ax_.yaxis.set_major_locator(MaxNLocator(6))
        tidy(self.ax_, grid="both")
        return self


def _values(part, title):
    kind, caption = VALUES[title]
    y, predicted = part.y.ravel().astype(float), part.predicted.ravel().astype(float)
    known = np.isfinite(y) & np.isfinite(predicted)
    if not known.any():
        return Figure(title, "No prediction is finite, so there is nothing to draw.", "", None)
    alt = f"{title}, {int(known.sum())} rows of the {part.name} data."
    display = _ValuesDisplay(y[known], predicted[known], kind)
    return Figure(title, f"{caption} {part.name.capitalize()} data.", alt, picture(display.plot))
