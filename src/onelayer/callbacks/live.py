"""The learning curve, drawn while the fit goes on."""

import math
import time

from onelayer.callbacks.base import Callback
from onelayer.callbacks.screens import Caller, find_screen
from onelayer.errors import ParameterError
from onelayer.plots.learning_curve import X_LABELS

__all__ = ["LiveCurve"]

# Of the fit's time that drawing may take.
_SHARE = 0.1


class LiveCurve(Callback):
    """Draws objective, metrics and relative gap while fitting, and once more at the end.

    Drawing takes a tenth of the time at most: where one drawing is slow, the next one comes later. A callback that
    measures a metric (``Monitor``) may stand before or after this one.

    Parameters
    ----------
    every : float, default 0.5
        Seconds from one drawing to the next, at least.
    show : callable, optional
        Is given the matplotlib figure of a :class:`~onelayer.plots.LearningCurveDisplay`; what it raises ends the
        fit. In marimo: ``show=mo.output.replace``. Default: in a Jupyter kernel one output that is updated in
        place, on a terminal a block of sparklines on standard error, elsewhere nothing.
    x : {"passes", "seconds", "iteration"}, default "passes"
        What the horizontal axis counts.
    console : rich.console.Console, optional
        For the sparklines, in place of standard error.

    Raises
    ------
    ParameterError
        If an argument is out of its range.

    Examples
    --------
    >>> import onelayer as ol
    >>> figures = []
    >>> live = ol.callbacks.LiveCurve(show=figures.append)
    >>> model = ol.LogisticRegression().set_callbacks(live).fit([[1.0], [2.0], [3.0]], [0, 0, 1])
    >>> [axes.get_ylabel() for axes in figures[-1].axes if axes.axison]
    ['Objective', 'Relative gap']
    """

    def __init__(self, every=0.5, show=None, x="passes", *, console=None):
        if not (isinstance(every, int | float) and 0 <= every < math.inf):
            raise ParameterError(f"every is {every!r}: give a number of seconds ≥ 0.")
        if not (show is None or callable(show)):
            raise ParameterError(f"show is {show!r}: give a function that takes a figure, or None.")
        if x not in X_LABELS:
            raise ParameterError(f"x is {x!r}: give one of {', '.join(map(repr, X_LABELS))}.")
        self.every, self.show, self.x, self.console = every, show, x, console

    def __repr__(self):
        return f"LiveCurve(every={self.every!r}, x={self.x!r})"

    def on_fit_begin(self, start):
        del start
        self._records = []
        self._screen = find_screen(self.console) if self.show is None else Caller(self.show)
        self._due = time.perf_counter() + self.every

    def on_iteration(self, iterate):
        self._records.append(iterate.record)
        began = time.perf_counter()
        if began < self._due or self._screen is None:
            return
        self._screen.draw(self._records, self.x)
        ended = time.perf_counter()
        self._due = max(began + self.every, ended + (ended - began) * (1 / _SHARE - 1))

    def on_fit_end(self, result):
        if self._screen is None:
            return
        try:
            # After an error there is something else to say, and `show` may be what failed.
            if result is not None:
                self._screen.draw(self._records, self.x)
        finally:
            self._screen.close()
