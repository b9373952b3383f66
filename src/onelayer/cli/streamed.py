"""The data of ``onelayer fit``, read a block of rows at a time."""

from onelayer.cli.loaded import as_share, load_test
from onelayer.cli.streams import kind_of, open_if_large
from onelayer.cli.together import rank_of_several
from onelayer.errors import DataError, ParameterError

__all__ = ["Streamed"]


class Streamed:
    """A file or folder that is read in blocks; the same questions as for :class:`~onelayer.cli.loaded.Loaded`.

    Parameters
    ----------
    options : Fitting
    stream : Stream
    say : callable
    """

    def __init__(self, options, stream, say):
        self.options, self.stream = options, stream
        if not stream.has_target:
            raise DataError(f"{options.data} has no target: fitting needs one column of known answers.")
        self.name, self.encoder, self.rows = stream.name, stream.encoder, stream.rows
        self.names = {"feature_names": stream.feature_names}
        # Whether there are two classes is known after the first read only; LogisticRegression serves both.
        self.kind = options.model or {"linear": "linear", "classes": "logistic"}[kind_of(stream)]
        self.test = self._test()
        say(f"{stream!r}")

    @property
    def training(self):
        """What `fit` is called with."""
        return (self.stream,)

    def require_abstain(self, abstain):
        """Refuse ``--abstain`` before the fit where its model will have no use for it."""
        if self.kind == "linear":
            raise ParameterError("--abstain applies to logistic and softmax, not to linear: leave it out.")
        from onelayer.abstention import Abstention

        # A pair is for two classes, a number for any count of them; how many there are the first read tells.
        Abstention.of(abstain, 2, name="--abstain")

    def monitors(self):
        """Return no callbacks: to measure the training data at each step would be a read more."""
        from onelayer.callbacks import Monitor

        X, y = self.test
        if y is None:
            return []
        return [Monitor(X, y, f"test_{'r2' if self.kind == 'linear' else 'accuracy'}")]

    def judged(self, estimator):
        """Return X, y, X_test and y_test for the summary and for the report; the training part costs one read."""
        from onelayer.report.measured import Measured, measure

        abstain = self.options.abstain
        train = measure(estimator, self.stream, abstain=abstain)
        # Test data the first of several processes measures alone.
        X, y = (None, None) if rank_of_several() else self.test
        # What is shown is the test part where there is one.
        self.sampled = train.rows if X is None else None
        test = X if y is not None or X is None else measure(estimator, X, abstain=abstain)
        tested = (test.X, test.y) if isinstance(test, Measured) else (test, y)
        if isinstance(test, Measured):
            self.sampled = test.rows
        return (train, None, test, y), (train.X, train.y, *tested)

    def _test(self):
        test = self.options.test
        if test is None:
            return None, None
        if as_share(test) is not None:
            raise ParameterError(
                f"--test is {test}, a share of rows, and {self.options.data} is read in blocks: give test data of their own."
            )
        other = open_if_large(test, encoder=self.encoder, features=self.stream.features)
        if other is not None:
            return other, None
        return load_test(test, self.options.data, self.encoder, self.stream.features)
