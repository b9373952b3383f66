"""scikit-learn's callback protocol for fits of ours; version 1.9 has it, earlier ones have none."""

import warnings
from typing import Any

from onelayer.callbacks.base import Callback

try:
    from sklearn.callback import CallbackSupportMixin as _Theirs
except ImportError:  # scikit-learn < 1.9
    _Theirs = object

__all__ = ["SupportsCallbacks", "Watched"]


_Base: Any = _Theirs


class SupportsCallbacks(_Base):
    """What scikit-learn's class says of callbacks: iterations are reported with solver="lbfgs" only."""

    def set_callbacks(self, *callbacks):
        """Set callbacks of scikit-learn's protocol (1.9 and later).

        Parameters
        ----------
        *callbacks : callback instances

        Returns
        -------
        self
        """
        if not _served(self):
            warnings.warn(
                f"Callbacks are only supported in {type(self).__name__} for solver='lbfgs'. This estimator has "
                f"solver='{self.solver}', callbacks will be ignored during the solving of the regression.",
                stacklevel=2,
            )
        return super().set_callbacks(*callbacks)


def _served(estimator):
    # Ours could report all of them; a program that was told so would not be portable.
    return estimator.solver == "lbfgs"


class Watched:
    """The hooks around one fit and its iterations; without callbacks it does nothing.

    Parameters
    ----------
    estimator : estimator
        With ``_skl_callbacks`` where somebody watches.
    max_iter : int
    X, y, sample_weight
        Of the fit, for the hooks that ask for them.
    """

    def __init__(self, estimator, max_iter, X, y, sample_weight):
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._known = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._context = None
        if hasattr(estimator, "_init_callback_context"):
            # One more than the iterations: the task that is begun after the last of them and never runs.
            self._context = estimator._init_callback_context(max_subtasks=max(max_iter, 1) + 1)
            self._context.call_on_fit_task_begin(**self._known)

    def iterations(self, attributes):
        """Return what our solvers' loop calls, as a list; `attributes` makes fitted attributes of Parameters."""
        estimator = self._known["estimator"]
        watched = self._context is not None and hasattr(estimator, "_skl_callbacks") and _served(estimator)
        return [_Iterations(self._context, self._known, attributes)] if watched else []

    def end(self):
        """Call the hooks at the end of the fit."""
        if self._context is not None:
            self._context.call_on_fit_task_end(**self._known, reconstruction_attributes={})


class _Iterations(Callback):
    """Each iteration as a task of its own."""

    _task: Any

    def __init__(self, context, known, attributes):
        self._fit, self._known, self._attributes = context, known, attributes
        self._task, self._made, self._last = None, 0, None

    def on_iteration(self, iterate):
        self._last = self._attributes(iterate.parameters)
        stop = False
        if self._task is not None:
            stop = self._end(self._last)
            self._made += 1
        self._begin(self._last)
        return stop

    def on_fit_end(self, result):
        del result
        if self._task is None:
            return
        if not self._made:
            # scikit-learn reports one iteration where max_iter=0 allowed none.
            self._end(self._last)
            self._begin(self._last)
        self._task.call_on_fit_task_end(estimator=self._known["estimator"])

    def _begin(self, attributes):
        self._task = self._fit.subcontext(task_name="lbfgs-iter")
        self._task.call_on_fit_task_begin(**self._known, reconstruction_attributes=attributes)

    def _end(self, attributes):
        return self._task.call_on_fit_task_end(**self._known, reconstruction_attributes=attributes)
