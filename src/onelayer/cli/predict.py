"""``onelayer predict``."""

import pathlib

import typer

from onelayer.cli.abstaining import ABSTAIN, read_abstain, require_abstain
from onelayer.errors import ParameterError

__all__ = ["predict"]


def predict(
    model_dir: str = typer.Argument(metavar="MODEL_DIR", help="Folder of a saved model."),
    data: str = typer.Argument(
        metavar="DATA", help="A named data set or a file; a target column is ignored."
    ),
    output: str = typer.Option(
        None, "--output", "-o", help="File to write (.csv or .parquet); default: CSV on standard output."
    ),
    proba: bool = typer.Option(False, "--proba", help="Add one column of probabilities per class."),
    abstain: str = ABSTAIN,
    memory_limit: str = typer.Option(
        None, help="Bytes to work with, for example 1GB: DATA is then read in blocks. [default: what is free]"
    ),
) -> None:
    """Write the predictions of a saved model, one row per row of the data."""
    from onelayer.cli.inputs import note, open_for_model
    from onelayer.cli.writing import Table
    from onelayer.errors import OutputError

    bounds = read_abstain(abstain)
    if output is not None and pathlib.Path(output).suffix.lower() not in (".csv", ".parquet"):
        raise OutputError(f"--output is {output!r}: give a name that ends in .csv or .parquet.")
    model, parts, part = open_for_model(model_dir, data, memory_limit)
    require_abstain(bounds, model, model_dir)
    if proba and not hasattr(model, "predict_proba"):
        raise ParameterError(f"--proba needs a classifier, and {model_dir} holds a {type(model).__name__}.")
    rows = uncertain = 0
    with Table(output, getattr(model, "classes_", None)) as table:
        for X in parts:
            columns = _columns(model, X, proba, bounds)
            table.add(columns)
            rows += X.shape[0]
            uncertain += 0 if bounds is None else sum(label is None for label in columns["prediction"])
    if output is not None:
        note(f"wrote {rows:,} predictions for {data} ({part}) to {output}.")
    if bounds is not None:
        note(f"{uncertain:,} of {rows:,} rows uncertain, left empty.")


def _columns(model, X, proba, bounds):
    """Return the columns of the output for some rows, by name."""
    from onelayer.plots.inputs import as_array

    # Blocks are tensors, and so are predictions of them.
    columns = {
        "prediction": as_array(model.predict(X) if bounds is None else model.predict(X, abstain=bounds))
    }
    if columns["prediction"].ndim > 1:
        predictions = columns.pop("prediction")
        columns = {f"prediction_{k}": predictions[:, k] for k in range(predictions.shape[1])}
    if proba:
        probabilities = as_array(model.predict_proba(X))
        columns |= {str(label): probabilities[:, k] for k, label in enumerate(model.classes_)}
    return columns
