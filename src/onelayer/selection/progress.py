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
        from onelayer.callbacks.bars import timed_bar

        self._progress = timed_bar("words", self.console)
        if self._progress is not None:
            self._task = self._progress.add_task(self.label, total=self.total, words="")
            self._progress.start()
        return self

    def done(self, words="", count=1):
        """Count fits, and say what was the last one."""
        if self._progress is not None:
            done = int(self._progress.tasks[0].completed) + count
            self._progress.update(
                self._task, advance=count, words=f"{done:,} of {self.total:,} {words}".rstrip()
            )

    def __exit__(self, *error):
        if self._progress is not None:
            self._progress.stop()
