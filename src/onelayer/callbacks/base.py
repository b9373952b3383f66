"""The protocol: what a fit calls."""

__all__ = ["Callback"]


class Callback:
    """Base of callbacks; every method may be left out.

    Set them with ``estimator.set_callbacks(...)``; :func:`~onelayer.solvers.minimize` takes them too. They are told in
    the order in which they were given. What a callback raises ends the fit, and the others are still told of the end.
    With ``n_init`` the first three methods are called for each start anew.

    Examples
    --------
    >>> import onelayer as ol
    >>> class UntilGap(ol.callbacks.Callback):
    ...     def on_fit_begin(self, start):
    ...         print(start.solver.name, start.rows, start.features)
    ...
    ...     def on_iteration(self, iterate):
    ...         return iterate.record.relative_gap is not None and iterate.record.relative_gap < 0.5
    ...
    ...     def on_fit_end(self, result):
    ...         print(result.status)
    >>> model = ol.LogisticRegression().set_callbacks(UntilGap())
    >>> model = model.fit([[1.0], [2.0], [3.0]], [0, 0, 1])
    newton 3 1
    finished
    """

    def on_reading(self, feed):
        """Before the first read of data that are not in memory.

        Parameters
        ----------
        feed : onelayer.designs.Feed
            ``feed.watch(function)`` has a function called with the number of rows of each block that is read.
        """

    def on_fit_begin(self, start):
        """Before the first iteration.

        Parameters
        ----------
        start : onelayer.solvers.Start
            What is about to be minimised: estimator, solver, loss, penalty, shape, tolerance.
        """

    def on_iteration(self, iterate):
        """After each iteration, the start included; a true return value ends the fit (FINISHED).

        Parameters
        ----------
        iterate : onelayer.solvers.Iterate
            ``iterate.record`` holds the numbers, ``iterate.estimator()`` the model as it stands; ``iterate.keep()`` asks
            for these coefficients in the end.
        """

    def on_fit_end(self, result):
        """After the last iteration, also of an interrupted fit (`result` is None if the fit raised)."""

    def on_fitted(self, estimator):
        """Once at the very end, when the estimator has all its attributes (None if the fit raised).

        Called by estimators only; the place to save a model or to read its certificate.
        """
