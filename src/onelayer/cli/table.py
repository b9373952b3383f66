"""The summary of a fit as a table on the terminal."""

import typer

__all__ = ["print_summary"]


def print_summary(summary, folder, *, report):
    """Print what was fitted, how good it is and what to do next, on standard output."""
    from onelayer.report.abstention import describe_parts
    from onelayer.report.verdict import judge

    classes = "" if summary["n_classes"] is None else f", {summary['n_classes']} classes"
    test = f" + {summary['n_test']:,} test" if summary["n_test"] else ""
    reads = f", {summary['reads']:.1f} reads of the data" if summary["reads"] else ""
    rows = {
        "data": f"{summary['data']}: {summary['n_train']:,}{test} rows, {summary['n_features']:,} features{classes}",
        "model": f"{summary['model']}, loss {summary['loss']}, alpha {summary['alpha']:.4g}, solver {summary['solver']}",
        "objective": _number(summary["objective"], ".8g"),
        "relative gap": _number(summary["relative_gap"], ".1e"),
        "cost": f"{summary['seconds']:.2f} s, {summary['iterations']} iterations, {summary['passes']:.1f} passes{reads}",
    }
    for name in ("accuracy", "log_loss", "r2", "rmse"):
        known = {part: summary.get(f"{part}_{name}") for part in ("train", "test")}
        parts = [f"{part} {value:.4f}" for part, value in known.items() if value is not None]
        if parts:
            rows[name.replace("_", " ")] = ", ".join(parts)
    if "abstain" in summary:
        rows["uncertain"] = describe_parts(summary)
    for name, value in rows.items():
        typer.echo(f"{typer.style(f'{name:<12}', bold=True)}  {value}")
    verdict = judge(summary)
    typer.echo(f"{verdict.icon} {verdict.word}: {verdict.sentence.replace('`', '')}")
    if report:
        typer.echo(f"report:  {folder / 'report.html'}")
    typer.echo(f"predict: onelayer predict {folder} DATA")


def _number(value, form):
    return "–" if value is None else format(value, form)
