"""``onelayer evaluate``."""

import json

import typer

from onelayer.cli.abstaining import ABSTAIN, read_abstain, require_abstain

__all__ = ["evaluate"]


def evaluate(
    model_dir: str = typer.Argument(metavar="MODEL_DIR", help="Folder of a saved model."),
    data: str = typer.Argument(
        metavar="DATA", help="A named data set or a file with the target; a test part is preferred."
    ),
    abstain: str = ABSTAIN,
    memory_limit: str = typer.Option(
        None, help="Bytes to work with, for example 1GB: DATA is then read in blocks. [default: what is free]"
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object on standard output."),
) -> None:
    """Measure a saved model on data with known answers."""
    import onelayer as ol
    from onelayer.cli.inputs import load_for_model, stream_for_model
    from onelayer.errors import DataError
    from onelayer.report.abstention import describe_uncertain
    from onelayer.report.measured import measure
    from onelayer.report.metrics import evaluate as measure_loaded

    bounds = read_abstain(abstain)
    model = ol.load(model_dir)
    require_abstain(bounds, model, model_dir)
    stream = stream_for_model(model, model_dir, data, memory_limit)
    if stream is not None and stream.has_target:
        measured = measure(model, stream, abstain=bounds)
        metrics, rows, part = measured.metrics, measured.rows, "all rows"
    else:
        X, y, part = load_for_model(model, model_dir, data) if stream is None else ([], None, "")
        if y is None:
            raise DataError(
                f"{data} has no target column: evaluate needs the true answers (or use onelayer predict)."
            )
        metrics, rows = measure_loaded(model, X, y, abstain=bounds), len(y)
    numbers = {name: value if value == value else None for name, value in metrics.items()}
    if as_json:
        source = {"model": model_dir, "data": data, "part": part, "rows": rows}
        typer.echo(json.dumps(source | ({} if bounds is None else {"abstain": bounds}) | numbers))
        return
    typer.echo(f"{data} ({part}, {rows:,} rows)")
    for name, value in metrics.items():
        if name not in ("uncertain", "accuracy_decided"):
            typer.echo(f"  {name.replace('_', ' '):<10} {value:.4f}")
    if bounds is not None:
        counted = describe_uncertain(numbers["uncertain"], rows, numbers["accuracy_decided"])
        typer.echo(f"  {'uncertain':<10} {counted}")
