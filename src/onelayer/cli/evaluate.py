"""``onelayer evaluate``."""

import json

import typer

__all__ = ["evaluate"]


def evaluate(
    model_dir: str = typer.Argument(metavar="MODEL_DIR", help="Folder of a saved model."),
    data: str = typer.Argument(
        metavar="DATA", help="A named data set or a file with the target; a test part is preferred."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object on standard output."),
) -> None:
    """Measure a saved model on data with known answers."""
    from onelayer.cli.inputs import load_for_model
    from onelayer.errors import DataError
    from onelayer.report.metrics import evaluate as measure

    model, X, y, part = load_for_model(model_dir, data)
    if y is None:
        raise DataError(
            f"{data} has no target column: evaluate needs the true answers (or use onelayer predict)."
        )
    metrics = measure(model, X, y)
    if as_json:
        numbers = {name: value if value == value else None for name, value in metrics.items()}
        typer.echo(
            json.dumps({"model": model_dir, "data": data, "part": part, "rows": X.shape[0], **numbers})
        )
        return
    typer.echo(f"{data} ({part}, {X.shape[0]:,} rows)")
    for name, value in metrics.items():
        typer.echo(f"  {name.replace('_', ' '):<10} {value:.4f}")
