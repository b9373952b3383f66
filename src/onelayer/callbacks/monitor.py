"""Scores that are measured while fitting."""

import time

from onelayer.callbacks.base import Callback

__all__ = ["Monitor"]


class Monitor(Callback):
    """Writes the score on some data (accuracy, R²) into ``record.metrics`` of the trace.

    Parameters
    ----------
    X, y : the data
    name : str
        Key in the metrics, for example ``"test_accuracy"``.
    share : float, default 0.1
        Of the fit's time that scoring may take; iterations are skipped to keep it. 0 scores every iteration.
    """

    def __init__(self, X, y, name, *, share=0.1):
        self.X, self.y, self.name, self.share = X, y, name, share

    def __repr__(self):
        return f"Monitor({self.name!r})"

    def on_fit_begin(self, start):
        del start
        self._due = 0.0

    def on_iteration(self, iterate):
        began = time.perf_counter()
        if began < self._due:
            return
        iterate.record.metrics[self.name] = float(iterate.estimator().score(self.X, self.y))
        ended = time.perf_counter()
        self._due = ended + (ended - began) / self.share if self.share else 0.0
