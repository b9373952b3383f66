"""``onelayer datasets``."""

import typer

__all__ = ["datasets"]


def datasets(
    as_json: bool = typer.Option(False, "--json", help="Print one JSON list on standard output."),
) -> None:
    """List the named data sets and where they come from."""
    from onelayer.data import available

    rows = available()
    if as_json:
        import json

        typer.echo(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading, justify in (
        ("name", "left"),
        ("rows", "right"),
        ("features", "right"),
        ("classes", "right"),
        ("where", "left"),
    ):
        table.add_column(heading, justify=justify, overflow="fold")
    for row in rows:
        classes = "–" if row["classes"] is None else str(row["classes"])
        table.add_row(row["name"], f"{row['rows']:,}", str(row["features"]), classes, row["where"])
    Console().print(table)
