"""The protocol: what a fit calls."""

__all__ = ["Callback"]


class Callback:
    """Base of callbacks; every method may be left out.

    Set them with ``estimator.set_callbacks(...)``.
    """

    def on_fit_begin(self):
        """Before the first iteration."""

    def on_iteration(self, iterate):
        """After each iteration; a true return value ends the fit (FINISHED).

        Parameters
        ----------
        iterate : onelayer.solvers.Iterate
            ``iterate.record`` holds the numbers, ``iterate.estimator()`` the model as it stands.
        """

    def on_fit_end(self, result):
        """After the last iteration, also of an interrupted fit (`result` is None if the fit raised)."""
