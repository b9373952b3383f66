"""What watches the fits of an estimator: callbacks of both kinds, a progress bar, the log."""

import logging
from typing import Any

from onelayer.errors import ParameterError
from onelayer.estimators.sklearn_callbacks import is_scikit_learns, set_scikit_learns
from onelayer.processes import ALONE

__all__ = ["Watched"]

_LOG = logging.getLogger("onelayer")


class Watched:
    """Estimators with callbacks. Abstract; needs `verbose`."""

    verbose: int
    _callbacks: tuple = ()
    _relays: tuple = ()

    def set_callbacks(self, *callbacks):
        """Set what watches the next fits: callbacks of ``onelayer.callbacks``, of scikit-learn 1.9, or both.

        ``clone`` carries over scikit-learn's, as it does for scikit-learn's estimators, and not ours.
        """
        ours = [
            callback
            for callback in callbacks
            if hasattr(callback, "on_iteration") and not isinstance(callback, type)
        ]
        theirs = [callback for callback in callbacks if is_scikit_learns(callback)]
        for callback in callbacks:
            if callback not in ours and callback not in theirs:
                raise ParameterError(
                    f"set_callbacks got {callback!r}: give objects of onelayer.callbacks, or callbacks of scikit-learn "
                    "1.9 or later, each as an argument of its own."
                )
        set_scikit_learns(self, theirs)
        # A pipeline or a search that hands its callbacks down, and takes them back, knows nothing of ours.
        if not hasattr(self, "_parent_callback_ctx"):
            self._callbacks = tuple(ours)
        return self

    def _watchers(self, group=ALONE):
        # Of several processes one shows what all of them do.
        return [*self._callbacks, *self._relays, *([] if group.rank else self._own_callbacks())]

    def _own_callbacks(self):
        if not self.verbose and not _LOG.isEnabledFor(logging.INFO):
            return []
        from onelayer import callbacks

        found: list[Any] = [callbacks.FitLog()] if _LOG.isEnabledFor(logging.INFO) else []
        if self.verbose:
            label = type(self).__name__
            found.append(callbacks.LiveCurve() if self.verbose > 1 else callbacks.ProgressBar(label=label))
        return found

    def _tell_of_end(self, fitted):
        for callback in self._callbacks:
            if hasattr(callback, "on_fitted"):
                callback.on_fitted(fitted)

    def _log_copies(self, copies):
        for copied in copies:
            _LOG.info("%s: %s", type(self).__name__, copied)
