"""The work behind ``onelayer fit``: load, fit, write, tell."""

import dataclasses
import json
import pathlib
import sys
import warnings

import typer

from onelayer.errors import DataError, ParameterError

__all__ = ["SOLVER_OPTIONS", "Fitting"]

# Which options each solver takes, and what it calls them.
SOLVER_OPTIONS = {
    "sgd": {"learning_rate": "learning_rate", "batch_size": "batch_size", "epochs": "epochs"},
    "gradient-descent": {"learning_rate": "learning_rate", "epochs": "steps"},
}


@dataclasses.dataclass
class Fitting:
    """One run of the command; the fields are its options."""

    data: str
    target: str | None
    model: str | None
    loss: str | None
    C: float | None
    alpha: float | None
    l1_ratio: float
    solver: str
    test: str | None
    out: str | None
    seed: int
    tol: float
    max_iter: int | None
    time_limit: float | None
    epochs: int | None
    learning_rate: float | None
    batch_size: int | None
    init: str | float
    n_init: int
    categorical: list[str]
    standardize: bool
    no_intercept: bool
    class_weight: str | None
    abstain: float | tuple[float, float] | None
    fallback: str | None
    device: str | None
    dtype: str | None
    report: bool
    as_json: bool
    live: bool
    verbose: bool

    def run(self):
        """Load, fit, write, tell; return the exit code."""
        from onelayer.persistence import prepare_folder
        from onelayer.result import Status

        dataset = self._load()
        X, y, X_test, y_test = self._parts(dataset)
        self._say(f"{dataset!r}, {X.dtype}")
        estimator = self._estimator(y)
        self._require_abstain(y)
        folder = prepare_folder(self.out or pathlib.Path("runs") / dataset.name)
        self._watch(estimator, X, y, X_test, y_test)
        with warnings.catch_warnings():
            # The message is told below, in full.
            warnings.simplefilter("ignore")
            estimator.fit(X, y)
        estimator.columns_ = dataset.encoder
        for copied in estimator.result_.copies:
            self._say(copied)
        summary = self._write(folder, estimator, dataset, X, y, X_test, y_test)
        if self.as_json:
            typer.echo(json.dumps(summary))
        else:
            self._tell(summary, folder)
        status = estimator.result_.status
        if status is Status.INTERRUPTED:
            return 130
        return 0 if status.is_success else 3

    # ---- data -------------------------------------------------------------------------------------------------

    def _load(self):
        from onelayer.cli.inputs import note
        from onelayer.data import load

        try:
            dataset = load(self.data, target=self.target, categorical=tuple(self.categorical))
        except DataError as error:
            if self.fallback is None:
                raise
            note(f"using {self.fallback} instead of {self.data}, because {error}")
            dataset = load(self.fallback)
        if dataset.y is None:
            raise DataError(f"{self.data} has no target: fitting needs one column of known answers.")
        return dataset

    def _parts(self, dataset):
        X, y, X_test, y_test = dataset.X, dataset.y, dataset.X_test, dataset.y_test
        if self.test is None:
            return X, y, X_test, y_test
        share = _share(self.test)
        if share is None:
            return X, y, *self._test_data(dataset, self.test)
        if X_test is not None:
            self._say(f"{dataset.name} brings its own test part, so --test {self.test} is not needed")
            return X, y, X_test, y_test
        import numpy as np
        from sklearn.model_selection import train_test_split

        classes, counts = np.unique(y, return_counts=True)
        stratify = y if self._kind(y) != "linear" and counts.min() >= 2 else None
        try:
            X, X_test, y, y_test = train_test_split(
                X, y, test_size=share, random_state=self.seed, stratify=stratify
            )
        except ValueError as error:
            raise DataError(
                f"--test {self.test} leaves too few of {len(y)} rows for {len(classes)} classes on one side: give "
                "another share."
            ) from error
        return X, y, X_test, y_test

    def _test_data(self, dataset, source):
        from onelayer.data import load

        is_table = source.lower().endswith((".csv", ".parquet"))
        other = load(source, encoder=dataset.encoder if is_table else None, features=dataset.X.shape[1])
        tested = other.X_test is not None
        X, y = (other.X_test, other.y_test) if tested else (other.X, other.y)
        if y is None:
            raise DataError(f"{source} has no target: a test needs the true answers.")
        if X.shape[1] != dataset.X.shape[1]:
            raise DataError(
                f"{source} has {X.shape[1]} features and {self.data} has {dataset.X.shape[1]}: give the same columns."
            )
        return X, y

    def _kind(self, y):
        if self.model is not None:
            return self.model
        import numpy as np

        if y.dtype.kind == "f":
            return "linear"
        return "logistic" if len(np.unique(y)) == 2 else "softmax"

    # ---- the model --------------------------------------------------------------------------------------------

    def _estimator(self, y):
        import onelayer as ol

        kind = self._kind(y)
        common = {
            name: getattr(self, name)
            for name in (
                "l1_ratio",
                "tol",
                "max_iter",
                "time_limit",
                "init",
                "n_init",
                "standardize",
                "device",
                "dtype",
            )
        }
        common |= {
            "solver": self._solver(),
            "random_state": self.seed,
            "fit_intercept": not self.no_intercept,
        }
        if self.loss is not None:
            common["loss"] = self.loss
        rows = len(y)
        if kind == "linear":
            if self.class_weight is not None:
                raise ParameterError(
                    "--class-weight applies to logistic and softmax, not to linear: leave it out."
                )
            if self.C is not None and not self.C > 0:
                raise ParameterError(f"--C is {self.C}: give a number > 0.")
            alpha = self.alpha if self.C is None else 1 / (self.C * rows)
            return ol.LinearRegression(alpha=alpha or 0.0, **common)
        C = 1.0 if self.C is None else self.C
        if self.alpha is not None:
            if not self.alpha >= 0:
                raise ParameterError(f"--alpha is {self.alpha}: give a number ≥ 0.")
            C = 1 / (self.alpha * rows) if self.alpha else float("inf")
        model = ol.LogisticRegression if kind == "logistic" else ol.SoftmaxRegression
        return model(C=C, class_weight=self.class_weight, **common)

    def _require_abstain(self, y):
        """Refuse ``--abstain`` before the fit where its model will have no use for it."""
        if self.abstain is None:
            return
        import numpy as np

        from onelayer.abstention import Abstention

        if self._kind(y) == "linear":
            raise ParameterError("--abstain applies to logistic and softmax, not to linear: leave it out.")
        Abstention.of(self.abstain, len(np.unique(y)), name="--abstain")

    def _solver(self):
        import onelayer as ol

        takers = SOLVER_OPTIONS.get(self.solver, {})
        given = {
            known: getattr(self, name) for name, known in takers.items() if getattr(self, name) is not None
        }
        return ol.solvers.SOLVERS[self.solver](**given) if given else self.solver

    def _watch(self, estimator, X, y, X_test, y_test):
        from onelayer.callbacks import LiveCurve, Monitor, ProgressBar, TraceLog

        score = "r2" if self._kind(y) == "linear" else "accuracy"
        callbacks = [Monitor(X, y, f"train_{score}")]
        if y_test is not None:
            callbacks.append(Monitor(X_test, y_test, f"test_{score}"))
        if self.verbose:
            callbacks.append(TraceLog(sys.stderr))
        else:
            callbacks.append(LiveCurve() if self.live else ProgressBar(label=self._kind(y)))
        estimator.set_callbacks(*callbacks)

    # ---- what is left behind ----------------------------------------------------------------------------------

    def _write(self, folder, estimator, dataset, X, y, X_test, y_test):
        from onelayer.persistence import write_atomically
        from onelayer.report import summarise, write_report

        estimator.save(folder)
        options = {"model": self._kind(y), "abstain": self.abstain}
        summary = summarise(estimator, dataset.name, X, y, X_test, y_test, folder, **options)
        write_atomically(folder / "summary.json", (json.dumps(summary, indent=2) + "\n").encode())
        if self.report:
            write_report(
                folder / "report.html",
                estimator,
                summary,
                X,
                y,
                X_test,
                y_test,
                feature_names=dataset.feature_names,
                class_names=dataset.class_names,
                image_shape=dataset.image_shape,
            )
        return summary

    def _tell(self, summary, folder):
        from onelayer.cli.table import print_summary

        print_summary(summary, folder, report=self.report)

    def _say(self, sentence):
        if self.verbose:
            from onelayer.cli.inputs import note

            note(sentence)


def _share(text):
    """Return --test as a share of the rows, or None if it names data."""
    try:
        share = float(text)
    except ValueError:
        return None
    if not 0 < share < 1:
        raise ParameterError(f"--test is {text}: give a share of the rows between 0 and 1, or data.")
    return share
