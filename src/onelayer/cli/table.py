"""The summary of a fit as a table on the terminal."""

__all__ = ["print_summary"]


def print_summary(summary, folder, *, report):
    """Print what was fitted, how good it is and what to do next, on standard output."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from onelayer.report.verdict import judge

    console = Console(highlight=False, soft_wrap=True)
    verdict = judge(summary)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    classes = "" if summary["n_classes"] is None else f", {summary['n_classes']} classes"
    test = f" + {summary['n_test']:,} test" if summary["n_test"] else ""
    rows = {
        "data": f"{summary['data']}: {summary['n_train']:,}{test} rows, {summary['n_features']:,} features{classes}",
        "model": f"{summary['model']}, loss {summary['loss']}, alpha {summary['alpha']:.4g}, solver {summary['solver']}",
        "objective": _number(summary["objective"], ".8g"),
        "relative gap": _number(summary["relative_gap"], ".1e"),
        "cost": f"{summary['seconds']:.2f} s, {summary['iterations']} iterations, {summary['passes']:.1f} passes over the data",
    }
    for name in ("accuracy", "log_loss", "r2", "rmse"):
        parts = [
            f"{part} {summary[f'{part}_{name}']:.4f}"
            for part in ("train", "test")
            if _known(summary, part, name)
        ]
        if parts:
            rows[name.replace("_", " ")] = ", ".join(parts)
    for name, value in rows.items():
        table.add_row(name, Text(value))
    console.print(table)
    console.print(Text(f"{verdict.icon} {verdict.word}: {verdict.sentence.replace('`', '')}"))
    if report:
        console.print(Text(f"report:  {folder / 'report.html'}"))
    console.print(Text(f"predict: onelayer predict {folder} DATA"))


def _known(summary, part, name):
    return summary.get(f"{part}_{name}") is not None


def _number(value, form):
    return "–" if value is None else format(value, form)
