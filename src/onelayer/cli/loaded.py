"""The data of ``onelayer fit``, loaded as a whole."""

from onelayer.errors import DataError, ParameterError

__all__ = ["Loaded", "as_share", "load_test"]


class Loaded:
    """A data set in memory, with its test part.

    Parameters
    ----------
    options : Fitting
    say : callable
        Takes sentences for those who want to know.
    shared : bool
        Whether several processes, each of which loads the data, fit a part of the rows.

    Attributes
    ----------
    name : str
    encoder : ColumnEncoder or None
    names : dict
        Names of features and classes, and the shape of images, for a report.
    rows : int
    sampled : None
        All rows are shown.
    """

    sampled = None

    def __init__(self, options, say, *, shared=False):
        self.options, self.shared = options, shared
        dataset = self._load()
        self.X, self.y, self.X_test, self.y_test = self._parts(dataset, say)
        self.name, self.encoder, self.rows = dataset.name, dataset.encoder, len(self.y)
        self.names = {
            "feature_names": dataset.feature_names,
            "class_names": dataset.class_names,
            "image_shape": dataset.image_shape,
        }
        say(f"{dataset!r}, {self.X.dtype}")

    @property
    def kind(self):
        """The model: as asked for, else by the target."""
        return _kind(self.options.model, self.y)

    @property
    def training(self):
        """What `fit` is called with."""
        if not self.shared:
            return self.X, self.y
        from onelayer.data import stream

        return (stream((self.X, self.y), shards="divide"),)

    @property
    def test(self):
        """X and y of the test part, or None twice."""
        return self.X_test, self.y_test

    def require_abstain(self, abstain):
        """Refuse ``--abstain`` before the fit where its model will have no use for it."""
        import numpy as np

        from onelayer.abstention import Abstention

        if self.kind == "linear":
            raise ParameterError("--abstain applies to logistic and softmax, not to linear: leave it out.")
        Abstention.of(abstain, len(np.unique(self.y)), name="--abstain")

    def monitors(self):
        """Return callbacks that measure the model as it is fitted."""
        from onelayer.callbacks import Monitor

        score = "r2" if self.kind == "linear" else "accuracy"
        found = [Monitor(self.X, self.y, f"train_{score}")]
        return found if self.y_test is None else [*found, Monitor(self.X_test, self.y_test, f"test_{score}")]

    def judged(self, estimator):
        """Return X, y, X_test and y_test for the summary and for the report."""
        del estimator
        parts = self.X, self.y, self.X_test, self.y_test
        return parts, parts

    # ---- loading ----------------------------------------------------------------------------------------------

    def _load(self):
        from onelayer.cli.inputs import note
        from onelayer.data import load

        options = self.options
        try:
            dataset = load(options.data, target=options.target, categorical=tuple(options.categorical))
        except DataError as error:
            if options.fallback is None:
                raise
            note(f"using {options.fallback} instead of {options.data}, because {error}")
            dataset = load(options.fallback)
        if dataset.y is None:
            raise DataError(f"{options.data} has no target: fitting needs one column of known answers.")
        return dataset

    def _parts(self, dataset, say):
        X, y, X_test, y_test = dataset.X, dataset.y, dataset.X_test, dataset.y_test
        test = self.options.test
        if test is None:
            return X, y, X_test, y_test
        share = as_share(test)
        if share is None:
            return X, y, *load_test(test, self.options.data, dataset.encoder, dataset.X.shape[1])
        if X_test is not None:
            say(f"{dataset.name} brings its own test part, so --test {test} is not needed")
            return X, y, X_test, y_test
        import numpy as np
        from sklearn.model_selection import train_test_split

        classes, counts = np.unique(y, return_counts=True)
        stratify = y if _kind(self.options.model, y) != "linear" and counts.min() >= 2 else None
        try:
            X, X_test, y, y_test = train_test_split(
                X, y, test_size=share, random_state=self.options.seed, stratify=stratify
            )
        except ValueError as error:
            raise DataError(
                f"--test {test} leaves too few of {len(y)} rows for {len(classes)} classes on one side: give "
                "another share."
            ) from error
        return X, y, X_test, y_test


def load_test(source, data, encoder, features):
    """Return X and y of test data that go with the columns of the training data."""
    from onelayer.data import load

    is_table = source.lower().endswith((".csv", ".parquet"))
    other = load(source, encoder=encoder if is_table else None, features=features)
    tested = other.X_test is not None
    X, y = (other.X_test, other.y_test) if tested else (other.X, other.y)
    if y is None:
        raise DataError(f"{source} has no target: a test needs the true answers.")
    if X.shape[1] != features:
        raise DataError(
            f"{source} has {X.shape[1]} features and {data} has {features}: give the same columns."
        )
    return X, y


def as_share(text, option="--test"):
    """Return the value of an option as a share of the rows, or None if it names data."""
    try:
        share = float(text)
    except ValueError:
        return None
    if not 0 < share < 1:
        raise ParameterError(f"{option} is {text}: give a share of the rows between 0 and 1, or data.")
    return share


def _kind(model, y):
    if model is not None:
        return model
    import numpy as np

    if y.dtype.kind == "f":
        return "linear"
    return "logistic" if len(np.unique(y)) == 2 else "softmax"
