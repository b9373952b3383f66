"""scikit-learn's callbacks on our fits: the only file that knows their protocol (scikit-learn 1.9 and later).

Nothing of ours depends on it: it turns scikit-learn's hooks into one callback of our own loop. Each iteration is a
subtask of the fit. As in scikit-learn's LogisticRegression a subtask begins where the one before it ends, so that its
length is that of the iteration; the last one, which the fit did not need, is closed empty.
"""

import contextlib
from typing import Any

_protocol: Any
_support: Any
try:
    from sklearn import callback as _protocol
    from sklearn.callback import _callback_support as _support
except ImportError:
    # An older scikit-learn, or one that has moved what is not public yet: then only our own callbacks exist.
    _protocol = _support = None

__all__ = ["is_scikit_learns", "relayed", "set_scikit_learns"]


def is_scikit_learns(callback):
    """Return whether an object follows scikit-learn's protocol for callbacks of fits."""
    return (
        _support is not None
        and isinstance(callback, _protocol.FitCallback)
        and not isinstance(callback, type)
    )


def set_scikit_learns(estimator, callbacks):
    """Set scikit-learn's callbacks, in the place where its clone and its meta-estimators look for them."""
    if _support is not None:
        _support.CallbackSupportMixin.set_callbacks(estimator, *callbacks)


@contextlib.contextmanager
def relayed(estimator, X, y, **metadata):
    """Tell scikit-learn's callbacks of the fit that happens inside, if there are any."""
    if not hasattr(estimator, "_skl_callbacks") or _support is None:
        yield
        return
    metadata = {name: value for name, value in metadata.items() if value is not None}
    with _support.callback_management_context(estimator):
        relay = _Relay(estimator, {"X": X, "y": y, "metadata": metadata})
        estimator._relays = (relay,)
        try:
            yield
        finally:
            # A fit that failed has restored the estimator already.
            vars(estimator).pop("_relays", None)
        relay.end()


class _Relay:
    """One of our callbacks that speaks to all of scikit-learn's.

    No subclass of Callback: that room draws curves, and an import of the estimators would wait for it.

    Parameters
    ----------
    estimator : LinearModel
    data : dict
        X, y and metadata, as they were given to ``fit``.
    """

    _root: Any
    _task: Any

    def __init__(self, estimator, data):
        self._estimator, self._data = estimator, data
        self._root = self._task = None

    def __repr__(self):
        names = [type(callback).__name__ for callback in self._estimator._skl_callbacks]
        return f"a callback of scikit-learn ({', '.join(names)})"

    def on_fit_begin(self, start):
        if self._root is not None:
            return
        # Further starts go on counting; and after the last step no task may begin any more.
        self._steps = start.steps if self._estimator.n_init == 1 else None
        self._root = _support.CallbackSupportMixin._init_callback_context(
            self._estimator, max_subtasks=self._steps, sequential_subtasks=True
        )
        self._root.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def on_iteration(self, iterate):
        fitted = _Coefficients(iterate)
        stop = False
        if iterate.record.iteration:
            stop = self._close(fitted)
        if not stop and iterate.record.iteration != self._steps:
            self._task = self._root.subcontext(task_name="iteration")
            self._task.call_on_fit_task_begin(
                estimator=self._estimator, **self._data, reconstruction_attributes=fitted
            )
        return stop

    def on_fit_end(self, result):
        if result is not None:
            self._close(None)

    def end(self):
        """Close the task of the whole fit; the estimator itself is fitted now."""
        self._root.call_on_fit_task_end(estimator=self._estimator, **self._data, reconstruction_attributes={})

    def _close(self, fitted):
        if self._task is None:
            return False
        task, self._task = self._task, None
        return task.call_on_fit_task_end(
            estimator=self._estimator, **self._data, reconstruction_attributes=fitted
        )


class _Coefficients:
    """The attributes that make a fitted estimator of this iterate, worked out when a callback asks for them."""

    def __init__(self, iterate):
        self._iterate = iterate

    def __call__(self):
        model = self._iterate.estimator()
        return {"coef_": model.coef_, "intercept_": model.intercept_}
