"""``onelayer predict``."""

import pathlib
import sys

import typer

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
) -> None:
    """Write the predictions of a saved model, one row per row of the data."""
    from onelayer.cli.inputs import load_for_model, note
    from onelayer.errors import OutputError, ParameterError

    if output is not None and pathlib.Path(output).suffix.lower() not in (".csv", ".parquet"):
        raise OutputError(f"--output is {output!r}: give a name that ends in .csv or .parquet.")
    model, X, _, part = load_for_model(model_dir, data)
    columns = {"prediction": model.predict(X)}
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
        return
    _write(pathlib.Path(output), columns)
    note(f"wrote {X.shape[0]:,} predictions for {data} ({part}) to {output}.")


def _csv(columns):
    import csv
    import io

    import numpy as np

    # The shortest text that reads back as the same number, float32 included.
    text = [
        [
            np.format_float_positional(value, trim="0") if values.dtype.kind == "f" else str(value)
            for value in values
        ]
        for values in columns.values()
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*text, strict=True))
    return buffer.getvalue()


def _write(path, columns):
    from onelayer.errors import OutputError
    from onelayer.persistence import write_atomically

    if path.suffix.lower() == ".csv":
        content = _csv(columns).encode()
    else:
        import io

        import pyarrow as pa
        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), buffer)
        content = buffer.getvalue()
    try:
        write_atomically(path, content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another file.") from error
