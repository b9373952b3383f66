"""``onelayer path``."""

import json
import warnings

import typer

from onelayer.cli.sweeps import Sweeping, read_grid_text
from onelayer.errors import ParameterError

__all__ = ["path"]


def path(
    data: str = typer.Argument(metavar="DATA", help="As for onelayer fit."),
    target: str = typer.Option(None, help="Target column of a table. [default: the last one]"),
    model: str = typer.Option(
        None, help="linear, logistic or softmax. [default: linear for a float target, else by classes]"
    ),
    loss: str = typer.Option(None, help="squared or huber; log."),
    Cs: str = typer.Option(
        None, "--Cs", help="Inverse penalties: 0.1,1,10 or LOW:HIGH:COUNT. [default: from the data]"
    ),
    alphas: str = typer.Option(None, "--alphas", help="Penalties for the mean loss, instead of --Cs."),
    count: int = typer.Option(None, help="Points of the grid that comes from the data. [default: 20]"),
    l1_ratio: float = typer.Option(0.0, help="Share of the L1 part of the penalty."),
    test: str = typer.Option(
        None, help="Data that every point is scored on: a file, or the share of rows to hold back."
    ),
    out: str = typer.Option(None, help="Folder for the results. [default: runs/NAME-path]"),
    seed: int = typer.Option(0, help="Seed of the rows that are held back."),
    tol: float = typer.Option(1e-6, help="Certified relative gap of every point."),
    time_limit: float = typer.Option(None, help="Seconds for all points at most."),
    categorical: list[str] = typer.Option(
        [], help="A numeric-looking column to take as categories (repeat for more)."
    ),
    standardize: bool = typer.Option(
        False, "--standardize", help="Penalise coefficients of standardised features."
    ),
    no_intercept: bool = typer.Option(False, "--no-intercept", help="Fit no intercept."),
    class_weight: str = typer.Option(None, help="balanced: every class counts the same."),
    fallback: str = typer.Option(None, help="Data set to use where DATA is a named one that cannot be had."),
    memory_limit: str = typer.Option(
        None, help="Bytes to work with, for example 1GB: DATA is then read in blocks. [default: what is free]"
    ),
    threads: int = typer.Option(None, help="Threads of torch."),
    device: str = typer.Option(None, help="Device of torch, for example cuda."),
    dtype: str = typer.Option(None, help="float32 or float64. [default: float64 for float64 data]"),
    report: bool = typer.Option(True, "--report/--no-report", help="Whether to write report.html."),
    as_json: bool = typer.Option(
        False, "--json", help="Print one JSON object on standard output, nothing else."
    ),
) -> None:
    """Fit a model at every strength of a grid, prove each fit, and write coefficients and report into a folder."""
    options = dict(locals())
    given = {"Cs": read_grid_text("--Cs", Cs), "alphas": read_grid_text("--alphas", alphas), "count": count}
    grid = {name: value for name, value in given.items() if value is not None}
    if len(grid) > 1:
        first, second = list(grid)[:2]
        raise ParameterError(
            f"--{first} and --{second} are two ways to say which strengths: give one of them."
        )
    asked = Sweeping.of(options, "path")
    raise typer.Exit(_run(asked, grid, time_limit))


def _run(asked, grid, time_limit):
    import numpy as np

    import onelayer as ol
    from onelayer.cli.streams import fitted_kind
    from onelayer.persistence import plain, write_atomically
    from onelayer.report import write_path_report
    from onelayer.selection.scoring import Scorer
    from onelayer.selection.streamed import part_of

    loaded, est, test = asked.loaded, asked.estimator(), None
    metric = "r2" if loaded.kind == "linear" else "accuracy"
    if asked.tested is not None:
        # Before the fits, not after them.
        test = part_of("test", asked.tested, est)
        test.require_like(part_of("train", asked.train, est), loaded.kind != "linear")
        test.require_finite(est)
    with warnings.catch_warnings():
        # What fell short is told below, by the exit code and in the table.
        warnings.simplefilter("ignore")
        found = ol.path(est, *loaded.training, time_limit=time_limit, verbose=1, **grid)
    scores = None if test is None else test.scored(Scorer(metric, est), list(found))
    points = [
        {
            "C": point.C,
            "alpha": point.alpha,
            "objective": point.result.objective,
            "relative_gap": point.certificate and point.certificate.relative_gap,
            "status": str(point.result.status),
            "passes": point.result.passes,
            "seconds": point.result.seconds,
            **({} if scores is None else {f"test_{metric}": scores[place]}),
        }
        for place, point in enumerate(found.points)
    ]
    numbers = {
        "data": loaded.name,
        "model": fitted_kind(loaded.kind, found[0]),
        "n_train": found[0].objective_record_["n_samples"],
        "n_features": found[0].n_features_in_,
        "feature_names": _listed(loaded.names["feature_names"]),
        "class_names": _listed(loaded.names.get("class_names")),
        **{
            name: getattr(asked, name) for name in ("loss", "l1_ratio", "standardize", "class_weight", "seed")
        },
        "asked": found.asked,
        "points": points,
        "seconds": found.total_seconds,
        "out": str(asked.folder),
    }
    summary = plain(numbers)
    np.save(asked.folder / "coef.npy", found.coef)
    np.save(asked.folder / "intercept.npy", found.intercept)
    write_atomically(asked.folder / "summary.json", (json.dumps(summary, indent=2) + "\n").encode())
    if asked.report:
        name = {"r2": "R²"}.get(metric, metric)
        write_path_report(
            asked.folder / "report.html", found, loaded.name, scores, name, loaded.names["feature_names"]
        )
    asked.forget("summary.json", "coef.npy", "intercept.npy")
    if asked.as_json:
        typer.echo(json.dumps(summary))
    else:
        _tell(summary, asked, metric)
    whole = len(found) == found.asked
    return 0 if whole and all(point.result.status.is_success for point in found.points) else 3


def _listed(names):
    return None if names is None else [str(name) for name in names]


def _tell(summary, asked, metric):
    test = f"{'test ' + metric:>14}" if f"test_{metric}" in summary["points"][0] else ""
    typer.echo(typer.style(f"{'C':>12}{'alpha':>12}{'objective':>14}{'relative gap':>14}{test}", bold=True))
    for point in summary["points"]:
        gap = "–" if point["relative_gap"] is None else f"{point['relative_gap']:.1e}"
        found = point[f"test_{metric}"] if test else None
        score = f"{'–' if found is None else format(found, '.4f'):>14}" if test else ""
        typer.echo(f"{point['C']:>12.4g}{point['alpha']:>12.4g}{point['objective']:>14.8g}{gap:>14}{score}")
    missing = summary["asked"] - len(summary["points"])
    rest = f"; {missing} of {summary['asked']} points were not reached" if missing else ""
    typer.echo(f"{len(summary['points'])} fits in {summary['seconds']:.2f} s{rest}")
    if asked.report:
        typer.echo(f"report:  {asked.folder / 'report.html'}")
