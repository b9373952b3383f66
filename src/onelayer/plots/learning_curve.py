"""How objective, metrics and certified gap went during a fit."""

import numpy as np

from onelayer.errors import DataError, ParameterError
from onelayer.plots import drawing

__all__ = ["X_LABELS", "LearningCurveDisplay", "spans_decades"]

ACRONYMS = {"r2": "R²", "auc": "AUC", "rmse": "RMSE", "mae": "MAE"}
# A run that diverges passes by here; matplotlib's logarithmic ticks overflow a few decades above.
LARGEST = 1e200
X_LABELS = {"passes": "Passes over the data", "seconds": "Time (s)", "iteration": "Iteration"}


class LearningCurveDisplay:
    """Objective, metrics and relative gap of each iteration, one panel each above a common axis.

    Parameters
    ----------
    x : array of shape (iterations,)
        Where on the horizontal axis each record lies.
    objective : array of shape (iterations,)
        The objective; NaN where it was not finite.
    relative_gap : array of shape (iterations,), optional
        The certified bound; NaN where none was computed.
    metrics : dict of str to array, optional
        What callbacks measured. ``train_`` and ``test_`` of the same metric share a panel.
    x_name : {"passes", "seconds", "iteration"}
        What `x` counts.

    Attributes
    ----------
    ax_, axes_, figure_
        The place given, the panels in it, and their figure, after :meth:`plot`.

    Examples
    --------
    >>> from onelayer.result import Record
    >>> trace = [Record(i, 0.1 * i, i, 1 / (1 + i), metrics={"train_accuracy": i / 9}) for i in range(9)]
    >>> display = LearningCurveDisplay.from_trace(trace).plot()
    >>> [axes.get_ylabel() for axes in display.axes_]
    ['Objective', 'Accuracy']
    """

    def __init__(self, x, objective, *, relative_gap=None, metrics=None, x_name="passes"):
        self.x = np.asarray(x, dtype=float)
        self.objective = np.asarray(objective, dtype=float)
        empty = np.full_like(self.objective, np.nan)
        self.relative_gap = empty if relative_gap is None else np.asarray(relative_gap, dtype=float)
        self.metrics = {name: np.asarray(values, dtype=float) for name, values in (metrics or {}).items()}
        self.x_name = x_name

    @classmethod
    def from_estimator(cls, estimator, x="passes"):
        """Read the trace of a fitted model, ``estimator.result_.trace``."""
        return cls.from_trace(estimator.result_.trace, x)

    @classmethod
    def from_trace(cls, trace, x="passes"):
        """Read a list of :class:`onelayer.result.Record`."""
        if x not in X_LABELS:
            raise ParameterError(f"x={x!r} is none of {', '.join(map(repr, X_LABELS))}.")
        if not trace:
            raise DataError("the trace is empty: the fit left no record to draw.")
        names = dict.fromkeys(name for record in trace for name in record.metrics)
        return cls(
            _finite(getattr(record, x) for record in trace),
            _finite(record.objective for record in trace),
            relative_gap=_finite(record.relative_gap for record in trace),
            metrics={name: _finite(record.metrics.get(name) for record in trace) for name in names},
            x_name=x,
        )

    def plot(self, ax=None):
        """Draw the panels in `ax`, or in a new figure."""
        metrics = {name: values for name, values in self.metrics.items() if np.isfinite(values).any()}
        kinds = dict.fromkeys(map(_kind, metrics))
        has_gap = bool(np.isfinite(self.relative_gap).any())
        count = 1 + len(kinds) + has_gap
        self.ax_ = drawing.new_axes(ax, 5.2, 0.6 + 1.45 * count)
        self.figure_ = self.ax_.figure
        self.axes_ = drawing.split(self.ax_, count)

        self._panel(self.axes_[0], {"": self.objective}, "Objective", log=spans_decades(self.objective))
        for panel, kind in zip(self.axes_[1:], kinds, strict=False):
            lines = {name: values for name, values in metrics.items() if _kind(name) == kind}
            self._panel(panel, lines, ACRONYMS.get(kind, kind.replace("_", " ").capitalize()))
        if has_gap:
            # A proven optimum, gap 0, is below any scale; within one decade a logarithmic axis has no round ticks.
            positive = self.relative_gap[self.relative_gap > 0]
            log = spans_decades(positive) or bool(positive.size and np.nanmin(self.relative_gap) <= 0)
            self._panel(self.axes_[-1], {"": self.relative_gap}, "Relative gap", log=log)

        for panel in self.axes_[:-1]:
            panel.sharex(self.axes_[-1])
            panel.tick_params(labelbottom=False)
        self.axes_[-1].set_xlabel(X_LABELS[self.x_name])
        return self

    def _panel(self, panel, lines, title, log=False):
        for index, (name, values) in enumerate(lines.items()):
            known = np.isfinite(values)
            short = name.removesuffix(_kind(name)).rstrip("_") or None
            style = drawing.line_style(index, int(known.sum()))
            panel.plot(self.x[known], values[known], label=short, **style)
        if any(name != _kind(name) for name in lines if name):
            panel.legend(frameon=False, fontsize="small", handlelength=3)
        panel.set_ylabel(drawing.label(title))
        if log:
            panel.set_yscale("log")
        drawing.tidy(panel, grid="y")


def _finite(values):
    """Return numbers as floats, NaN for what is missing, not finite, or beyond what a scale can be drawn for."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
    return np.where(np.abs(numbers) < LARGEST, numbers, np.nan)


def _kind(name):
    """Return the metric without the part of the data it was measured on."""
    part, _, kind = name.partition("_")
    return kind if part in ("train", "test", "validation") and kind else name


def spans_decades(values):
    """Whether a logarithmic scale shows these numbers better: all positive, the largest over ten times the smallest.

    Examples
    --------
    >>> import numpy as np
    >>> spans_decades(np.array([2.0, np.nan, 0.1])), spans_decades(np.array([2.0, 1.0]))
    (True, False)
    """
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() > 0 and known.max() > 10 * known.min())
