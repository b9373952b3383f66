"""Rows, rows per second and the time left, on a terminal."""

__all__ = ["Rows"]


class Rows:
    """A live line on standard error while rows come in; nothing where that is no terminal.

    Parameters
    ----------
    label : str
    total : int or None
        Rows that will come, if that is known.
    show : bool
    console : rich.console.Console, optional
        In place of standard error.
    """

    def __init__(self, label, total, *, show=True, console=None):
        self.label, self.total, self.show, self.console = label, total, show, console
        self._progress = None

    def __enter__(self):
        if self.show:
            self._start()
        return self

    def _start(self):
        from onelayer.callbacks.bars import timed_bar

        self._progress = timed_bar("rows", self.console)
        if self._progress is None:
            return
        self._task = self._progress.add_task(self.label, total=self.total, rows="")
        self._progress.start()

    def advance(self, rows):
        """Count these rows."""
        if self._progress is None:
            return
        self._progress.advance(self._task, rows)
        task = self._progress.tasks[0]
        of = f" of {self.total:,}" if self.total else ""
        speed = f" · {task.speed:,.0f} rows/s" if task.speed else ""
        self._progress.update(self._task, rows=f"{task.completed:,.0f}{of} rows{speed}")

    def __exit__(self, *error):
        if self._progress is not None:
            self._progress.stop()
