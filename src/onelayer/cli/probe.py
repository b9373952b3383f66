"""``onelayer probe``."""

import json
import warnings

import typer

from onelayer.cli.sweeps import Sweeping, read_grid_text
from onelayer.errors import ParameterError

__all__ = ["probe"]

# Rows of a block where they are only counted.
_COUNTING = 2**14


def probe(
    data: str = typer.Argument(metavar="DATA", help="Rows to train on: as for onelayer fit."),
    validation: str = typer.Option(
        None, help="Data to choose by: a file, or the share of rows to hold back. [default: folds]"
    ),
    test: str = typer.Option(None, help="Data to judge by: a file, or the share of rows to hold back."),
    target: str = typer.Option(None, help="Target column of a table. [default: the last one]"),
    model: str = typer.Option(
        None, help="linear, logistic or softmax. [default: linear for a float target, else by classes]"
    ),
    loss: str = typer.Option(None, help="squared or huber; log."),
    Cs: str = typer.Option("1e-4:1e4:20", "--Cs", help="Inverse penalties: 0.1,1,10 or LOW:HIGH:COUNT."),
    cv: int = typer.Option(5, help="Folds, where there are no validation data."),
    scoring: str = typer.Option(None, help="What is chosen by, as in scikit-learn. [default: neg_log_loss]"),
    rule: str = typer.Option("best", help="best or one-standard-error."),
    scaling: str = typer.Option(
        None, help="standardize, or l2: rows of norm 1. [default: features as they are]"
    ),
    refit: str = typer.Option("train", help="What the last fit is of: train or train+validation."),
    interval: str = typer.Option(None, help="wilson or bootstrap. [default: wilson for accuracies]"),
    level: float = typer.Option(0.95, help="Of the interval."),
    l1_ratio: float = typer.Option(0.0, help="Share of the L1 part of the penalty."),
    out: str = typer.Option(None, help="Folder for the results. [default: runs/NAME-probe]"),
    seed: int = typer.Option(0, help="Seed of the rows that are held back, and of the bootstrap."),
    tol: float = typer.Option(1e-6, help="Certified relative gap of every fit."),
    categorical: list[str] = typer.Option(
        [], help="A numeric-looking column to take as categories (repeat for more)."
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
    """Choose C, fit the exact linear probe, judge it, and write it with its protocol into a folder."""
    options = {**locals(), "standardize": False}
    grid = read_grid_text("--Cs", Cs)
    if scaling not in (None, "standardize", "l2"):
        raise ParameterError(f"--scaling is {scaling!r}: the known ones are standardize and l2.")
    asked = Sweeping.of(options, "probe")
    settings = {
        name: options[name] for name in ("cv", "scoring", "rule", "scaling", "refit", "interval", "level")
    }
    raise typer.Exit(_run(asked, validation, grid, settings))


def _run(asked, validation, grid, settings):
    import onelayer as ol
    from onelayer.cli.streams import fitted_kind
    from onelayer.persistence import write_atomically
    from onelayer.report import write_probe_report

    loaded = asked.loaded
    train, chosen_on = _parts(asked, validation)
    parts = {"train": train, "validation": chosen_on, "test": asked.tested}
    if loaded.kind == "linear":
        # Its strength is an alpha of the mean loss.
        rows = _rows(train)
        grid = [1 / (C * rows) for C in grid]
    with warnings.catch_warnings():
        # What fell short is told below, by the exit code and in the report.
        warnings.simplefilter("ignore")
        found = ol.probe(
            **parts, est=asked.estimator(), Cs=grid, random_state=asked.seed, verbose=1, **settings
        )
    summary = {
        "data": loaded.name,
        "model": fitted_kind(loaded.kind, found.estimator),
        **found.to_dict(),
        "out": str(asked.folder),
    }
    _save(found, asked.folder, loaded)
    write_atomically(asked.folder / "summary.json", (json.dumps(summary, indent=2) + "\n").encode())
    if asked.report:
        names = {name: loaded.names.get(name) for name in ("class_names", "feature_names")}
        shown = _shown(found, parts[found.judged])
        write_probe_report(asked.folder / "report.html", found, loaded.name, shown, **names)
    asked.forget("summary.json", *(() if found.scaling == "l2" else ("config.json", "model.safetensors")))
    if asked.as_json:
        typer.echo(json.dumps(summary))
    else:
        typer.echo(str(found))
        typer.echo(f"\n{found.protocol}\n")
        if asked.report:
            typer.echo(f"report:  {asked.folder / 'report.html'}")
        if found.scaling != "l2":
            typer.echo(f"predict: onelayer predict {asked.folder} DATA")
    return 0 if found.estimator.result_.status.is_success else 3


def _parts(asked, validation):
    """Return the training and the validation rows, the latter None where there are none."""
    from onelayer.cli.loaded import as_share, load_test
    from onelayer.cli.streams import open_if_large

    loaded, train = asked.loaded, asked.train
    if validation is None:
        return train, None
    share, streamed = as_share(validation, "--validation"), not isinstance(train, tuple)
    features = train.features if streamed else train[0].shape[1]
    if share is None:
        stream = open_if_large(validation, encoder=loaded.encoder, features=features)
        if stream is not None:
            return train, stream
        return train, asked.beside(*load_test(validation, asked.data, loaded.encoder, features))
    if streamed:
        raise ParameterError(
            f"--validation is {validation}, a share of rows, and {asked.data} is read in blocks: give validation data of their own, "
            "or leave it out for folds."
        )
    from sklearn.model_selection import train_test_split

    from onelayer.errors import DataError
    from onelayer.estimators.validation import first_line

    stratify = None if loaded.kind == "linear" else loaded.y
    try:
        X, X_held, y, y_held = train_test_split(
            *train, test_size=share, random_state=asked.seed + 1, stratify=stratify
        )
    except ValueError as error:
        raise DataError(
            f"--validation {validation} leaves too few of {len(loaded.y)} rows on one side ({first_line(error)}): give another "
            "share, or leave it out for folds."
        ) from error
    return (X, y), (X_held, y_held)


def _rows(train):
    """Return how many rows there are; of some streams only a read can tell."""
    if isinstance(train, tuple):
        return len(train[1])
    return train.rows if train.rows is not None else sum(map(len, train.blocks(_COUNTING)))


def _shown(found, part):
    """Return X and y for the pictures: of a stream a sample of its rows."""
    from onelayer.report.measured import measure

    if isinstance(part, tuple):
        return part
    sample = measure(found.estimator, part)
    return sample.X, sample.y


def _save(found, folder, loaded):
    if found.scaling == "l2":
        # A saved model would take rows as they are, and say nothing.
        return
    model = found.estimator
    model.columns_ = loaded.encoder
    if loaded.encoder is not None and hasattr(model, "feature_names_in_"):
        del model.feature_names_in_
    model.save(folder)
