"""How far a sweep is, and how long it will take."""

__all__ = ["Sweep"]


class Sweep:
    """A live line on standard error while fits are made, with the time left; nothing where that is no terminal.

    Parameters
    ----------
    label : str
    total : int
        Fits.
    show : bool
    console : rich.console.Console, optional
        In place of standard error.
    """

    def __init__(self, label, total, *, show=True, console=None):
        self.label, self.total, self.show, self.console = label, total, show, console
        self._progress = None

    def __enter__(self):
        if not self.show:
            return self
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = self.console or Console(stderr=True)
        if console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TextColumn("{task.fields[words]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=console,
            )
            self._task = self._progress.add_task(self.label, total=self.total, words="")
            self._progress.start()
        return self

    def done(self, words="", count=1):
        """Count fits, and say what was the last one."""
        if self._progress is not None:
            self._progress.update(self._task, advance=count, words=words)

    def __exit__(self, *error):
        if self._progress is not None:
            self._progress.stop()
