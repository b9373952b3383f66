"""``onelayer predict``."""

import pathlib
import sys

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
) -> None:
    """Write the predictions of a saved model, one row per row of the data."""
    from onelayer.cli.inputs import load_for_model, note
    from onelayer.errors import OutputError

    bounds = read_abstain(abstain)
    if output is not None and pathlib.Path(output).suffix.lower() not in (".csv", ".parquet"):
        raise OutputError(f"--output is {output!r}: give a name that ends in .csv or .parquet.")
    model, X, _, part = load_for_model(model_dir, data)
    require_abstain(bounds, model, model_dir)
    columns = {"prediction": model.predict(X) if bounds is None else model.predict(X, abstain=bounds)}
    if columns["prediction"].ndim > 1:
        predictions = columns.pop("prediction")
        columns = {f"prediction_{k}": predictions[:, k] for k in range(predictions.shape[1])}
    if proba:
        if not hasattr(model, "predict_proba"):
            raise ParameterError(
                f"--proba needs a classifier, and {model_dir} holds a {type(model).__name__}."
            )
        probabilities = model.predict_proba(X)
        columns |= {str(label): probabilities[:, k] for k, label in enumerate(model.classes_)}
    if output is None:
        sys.stdout.write(_csv(columns))
    else:
        _write(pathlib.Path(output), columns, getattr(model, "classes_", None))
        note(f"wrote {X.shape[0]:,} predictions for {data} ({part}) to {output}.")
    if bounds is not None:
        uncertain = sum(label is None for label in columns["prediction"])
        note(f"{uncertain:,} of {X.shape[0]:,} rows uncertain, left empty.")


def _csv(columns):
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*map(_cells, columns.values()), strict=True))
    return buffer.getvalue()


def _cells(values):
    """Return a column as text: nothing for None, and for a float the shortest that reads back as the same number."""
    import numpy as np

    cells = []
    for value in values:
        if value is None:
            cells.append("")
        elif isinstance(value, float | np.floating):
            cells.append(np.format_float_positional(value, trim="0"))
        else:
            cells.append(str(value))
    return cells


def _write(path, columns, classes):
    from onelayer.errors import OutputError
    from onelayer.persistence import write_atomically

    if path.suffix.lower() == ".csv":
        content = _csv(columns).encode()
    else:
        import io

        import pyarrow as pa
        import pyarrow.parquet as pq

        # A column with gaps keeps the type of the labels, also where nothing else is in it.
        arrays = {
            name: pa.array(values, type=pa.array(classes).type if values.dtype == object else None)
            for name, values in columns.items()
        }
        buffer = io.BytesIO()
        pq.write_table(pa.table(arrays), buffer)
        content = buffer.getvalue()
    try:
        write_atomically(path, content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another file.") from error
