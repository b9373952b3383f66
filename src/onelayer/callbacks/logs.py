"""A fit as messages of Python's logging, under the name "onelayer"."""

import logging

from onelayer.callbacks.base import Callback
from onelayer.callbacks.progress import line_of

__all__ = ["FitLog"]

_LOG = logging.getLogger("onelayer")


class FitLog(Callback):
    """Tells the logger "onelayer" of the start and the end of a fit (INFO) and of its iterations (DEBUG).

    Estimators add it by themselves where the logger is enabled for INFO; they also log each copy that was made of X. By
    default nothing is shown: ``logging.basicConfig(level=logging.INFO)`` shows it.

    Examples
    --------
    >>> import logging, sys
    >>> import onelayer as ol
    >>> log, handler = logging.getLogger("onelayer"), logging.StreamHandler(sys.stdout)
    >>> log.addHandler(handler)
    >>> log.setLevel(logging.INFO)
    >>> model = ol.LogisticRegression().fit([[1.0], [2.0], [3.0]], [0, 0, 1])
    LogisticRegression: X was copied from a list to an array of float64
    LogisticRegression: fit begins with newton: 3 rows, 1 feature, 1 output, logistic loss, L2(...), tol=1e-06, ...
    LogisticRegression: converged after ... iterations, ... passes and ... s. The certified relative gap is ...
    >>> log.removeHandler(handler)
    >>> log.setLevel(logging.NOTSET)
    """

    def __init__(self):
        self._name = "fit"

    def __repr__(self):
        return "FitLog()"

    def on_fit_begin(self, start):
        self._name = "minimize" if start.estimator is None else type(start.estimator).__name__
        _LOG.info(
            "%s: fit begins with %s: %s, %s, %s, %s loss, %r, tol=%g, %s on %s",
            self._name,
            start.solver.name,
            _count(start.rows, "row"),
            _count(start.features, "feature"),
            _count(start.outputs, "output"),
            start.loss.name,
            start.penalty,
            start.tol,
            start.dtype,
            start.device,
        )

    def on_iteration(self, iterate):
        if _LOG.isEnabledFor(logging.DEBUG):
            _LOG.debug("%s: %s", self._name, line_of(iterate.record))

    def on_fit_end(self, result):
        if result is None:
            _LOG.info("%s: the fit ended with an error", self._name)
            return
        _LOG.info(
            "%s: %s after %s, %.4g passes and %.3g s. %s",
            self._name,
            result.status,
            _count(result.n_iter, "iteration"),
            result.passes,
            result.seconds,
            result.message,
        )


def _count(number, noun):
    return f"{number} {noun}" + ("" if number == 1 else "s")
