"""A bar with the time left, for work of which it is known how much there is."""

__all__ = ["timed_bar"]


def timed_bar(field, console=None):
    """Return a Progress of rich that shows a field of its task and the time left, or None where there is no terminal.

    Parameters
    ----------
    field : str
        Of the task, beside the bar.
    console : rich.console.Console, optional
        Default: standard error.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = console or Console(stderr=True)
    if not console.is_terminal:
        return None
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn(f"{{task.fields[{field}]}}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )
