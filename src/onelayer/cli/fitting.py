"""The work behind ``onelayer fit``: load, fit, write, tell."""

import dataclasses
import json
import pathlib
import sys
import warnings

import typer

from onelayer.errors import ParameterError

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
    memory_limit: str | None
    checkpoint: str | None
    plan: bool
    device: str | None
    dtype: str | None
    report: bool
    as_json: bool
    live: bool
    verbose: bool

    def run(self):
        """Load, fit, write, tell; return the exit code."""
        from onelayer.processes import join
        from onelayer.result import Status

        self.group = join()
        with self.group.shared():
            # What fails for one process fails for all of them here, before they begin to wait for each other.
            self.group.everyones(self._prepare)
        data, estimator = self.loaded, self.estimator
        if self.plan:
            return self._tell_plan()
        with warnings.catch_warnings():
            # The message is told below, in full.
            warnings.simplefilter("ignore")
            estimator.fit(*data.training, checkpoint=self.checkpoint)
        estimator.columns_ = data.encoder
        if data.encoder is not None and hasattr(estimator, "feature_names_in_"):
            # The encoder knows the columns by name, and hands on arrays without names.
            del estimator.feature_names_in_
        for copied in estimator.result_.copies:
            self._say(copied)
        # All of several processes measure; the first one writes and speaks.
        judged = data.judged(estimator)
        if not self.group.rank:
            summary = self._write(estimator, data, *judged)
            if self.as_json:
                typer.echo(json.dumps(summary))
            else:
                self._tell(summary)
        status = estimator.result_.status
        if status is Status.INTERRUPTED:
            return 130
        return 0 if status.is_success else 3

    def _prepare(self):
        """Load or open the data, and make the estimator and the folder."""
        from onelayer.persistence import prepare_folder

        self.loaded = data = self._data()
        self.estimator = self._estimator(data.kind, data.rows)
        if self.abstain is not None:
            data.require_abstain(self.abstain)
        if not self.group.rank and not self.plan:
            self.folder = prepare_folder(self.out or pathlib.Path("runs") / data.name)
            self._watch(self.estimator, data)

    def _data(self):
        from onelayer.cli.loaded import Loaded
        from onelayer.cli.streamed import Streamed
        from onelayer.cli.streams import open_if_large

        shared = self.group.size > 1
        stream = open_if_large(
            self.data,
            self.memory_limit,
            target=self.target,
            categorical=tuple(self.categorical),
            shards="divide" if shared else None,
        )
        return Loaded(self, self._say, shared=shared) if stream is None else Streamed(self, stream, self._say)

    # ---- the model --------------------------------------------------------------------------------------------

    def _estimator(self, kind, rows):
        import onelayer as ol

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

    def _solver(self):
        import onelayer as ol

        takers = SOLVER_OPTIONS.get(self.solver, {})
        given = {
            known: getattr(self, name) for name, known in takers.items() if getattr(self, name) is not None
        }
        return ol.solvers.SOLVERS[self.solver](**given) if given else self.solver

    def _watch(self, estimator, data):
        from onelayer.callbacks import LiveCurve, ProgressBar, TraceLog

        callbacks = data.monitors()
        if self.verbose:
            callbacks.append(TraceLog(sys.stderr))
        else:
            callbacks.append(LiveCurve() if self.live else ProgressBar(label=data.kind))
        estimator.set_callbacks(*callbacks)

    # ---- what is left behind ----------------------------------------------------------------------------------

    def _write(self, estimator, data, parts, shown):
        from onelayer.cli.streams import fitted_kind
        from onelayer.persistence import write_atomically
        from onelayer.report import summarise, write_report

        folder = self.folder
        estimator.save(folder)
        options = {"model": fitted_kind(data.kind, estimator), "abstain": self.abstain}
        summary = summarise(estimator, data.name, *parts, folder, **options)
        write_atomically(folder / "summary.json", (json.dumps(summary, indent=2) + "\n").encode())
        if self.report:
            write_report(
                folder / "report.html", estimator, summary, *shown, **data.names, sampled=data.sampled
            )
        return summary

    def _tell_plan(self):
        from onelayer.estimators import plan

        with self.group.shared():
            found = plan(self.estimator, *self.loaded.training)
        if not self.group.rank:
            typer.echo(json.dumps(found.to_dict()) if self.as_json else str(found))
        return 0

    def _tell(self, summary):
        from onelayer.cli.table import print_summary

        print_summary(summary, self.folder, report=self.report)

    def _say(self, sentence):
        if self.verbose and not self.group.rank:
            from onelayer.cli.inputs import note

            note(sentence)
