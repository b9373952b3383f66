"""Progress in words and numbers: a line that changes, or a log of lines."""

from typing import Any

from onelayer.callbacks.base import Callback

__all__ = ["ProgressBar", "TraceLog", "line_of"]


class ProgressBar(Callback):
    """A live line on the terminal: iterations, objective, metrics, seconds.

    Nothing is shown where the stream is no terminal.

    Parameters
    ----------
    console : rich.console.Console, optional
        Default: standard error.
    label : str
    """

    def __init__(self, console=None, label="fit"):
        self.console, self.label = console, label
        # From the first call on; None where nothing is shown.
        self._progress: Any = None
        self._feed: Any = None

    def __repr__(self):
        return "ProgressBar()"

    def on_reading(self, feed):
        """Show a second line: how far the data are read, rows a second, and the time until this read ends."""
        if not self._begun():
            return
        self._feed = feed
        self._reading = self._progress.add_task("read 1", total=feed.source.rows, numbers="")
        feed.watch(self._on_rows)

    def _on_rows(self, count):
        if self._progress is None:
            return
        task = self._progress.tasks[self._reading]
        total = self._feed.rows or self._feed.source.rows
        done = task.completed + count
        if self._feed.rows and task.completed >= self._feed.rows:
            self._progress.reset(self._reading, total=total, description=f"read {int(self._feed.reads) + 1}")
            done = count
        speed = f"{task.speed:,.0f} rows/s" if task.speed else ""
        if task.speed and total:
            speed += f", {max(total - done, 0) / task.speed:.0f} s left of this read"
        self._progress.update(self._reading, completed=done, total=total, numbers=speed)

    def on_fit_begin(self, start):
        del start
        if self._progress is None and not self._begun():
            return
        self._metrics = {}
        self._task = self._progress.add_task(self.label, total=None, numbers="")

    def _begun(self):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = self.console or Console(stderr=True)
        if not console.is_terminal:
            return False
        columns = TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn()
        self._progress = Progress(
            *columns,
            TextColumn("{task.fields[numbers]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._progress.start()
        return True

    def on_iteration(self, iterate):
        if self._progress is None:
            return
        record = iterate.record
        numbers = [f"objective {record.objective:.4f}"]
        # Metrics are not measured at every iteration: the last known ones stay.
        self._metrics |= record.metrics
        numbers += [f"{name.replace('_', ' ')} {value:.3f}" for name, value in self._metrics.items()]
        if record.relative_gap is not None:
            numbers.append(f"gap {record.relative_gap:.0e}")
        self._progress.update(
            self._task, completed=record.iteration, total=iterate.steps, numbers=" · ".join(numbers)
        )

    def on_fit_end(self, result):
        del result
        self._stop()

    def on_fitted(self, estimator):
        """End the lines also where a read failed before the fit began."""
        del estimator
        self._stop()

    def _stop(self):
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class TraceLog(Callback):
    """Writes a line per iteration to a stream: the first ten, then every tenth, then every hundredth, and so on.

    Parameters
    ----------
    stream : text file
    """

    def __init__(self, stream):
        self.stream = stream

    def __repr__(self):
        return "TraceLog()"

    def on_iteration(self, iterate):
        record = iterate.record
        if record.iteration % 10 ** (len(str(record.iteration)) - 1):
            return
        self.stream.write(line_of(record) + "\n")


def line_of(record):
    """Return the numbers of one iteration in a line of words."""
    parts = [
        f"iteration {record.iteration}",
        f"{record.seconds:.2f} s",
        f"objective {record.objective:.8g}",
    ]
    if record.gradient_norm is not None:
        parts.append(f"gradient {record.gradient_norm:.1e}")
    if record.relative_gap is not None:
        parts.append(f"relative gap {record.relative_gap:.1e}")
    parts += [f"{name} {value:.4f}" for name, value in record.metrics.items()]
    return "  ".join(parts)
