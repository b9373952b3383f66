"""Callbacks: what watches a fit. They are told about each iteration and may stop it."""

import time

__all__ = ["Callback", "Monitor", "ProgressBar", "TraceLog"]


class Callback:
    """Base of callbacks; every method may be left out.

    Set them with ``estimator.set_callbacks(...)``.
    """

    def on_fit_begin(self):
        """Before the first iteration."""

    def on_iteration(self, iterate):
        """After each iteration; a true return value ends the fit (FINISHED).

        Parameters
        ----------
        iterate : onelayer.solvers.Iterate
            ``iterate.record`` holds the numbers, ``iterate.estimator()`` the model as it stands.
        """

    def on_fit_end(self, result):
        """After the last iteration, also of an interrupted fit (`result` is None if the fit raised)."""


class Monitor(Callback):
    """Writes the score on some data (accuracy, R²) into ``record.metrics`` of the trace.

    Parameters
    ----------
    X, y : the data
    name : str
        Key in the metrics, for example ``"test_accuracy"``.
    share : float, default 0.1
        Of the fit's time that scoring may take; iterations are skipped to keep it. 0 scores every iteration.
    """

    def __init__(self, X, y, name, *, share=0.1):
        self.X, self.y, self.name, self.share = X, y, name, share

    def __repr__(self):
        return f"Monitor({self.name!r})"

    def on_fit_begin(self):
        self._due = 0.0

    def on_iteration(self, iterate):
        began = time.perf_counter()
        if began < self._due:
            return
        iterate.record.metrics[self.name] = float(iterate.estimator().score(self.X, self.y))
        ended = time.perf_counter()
        self._due = ended + (ended - began) / self.share if self.share else 0.0


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

    def __repr__(self):
        return "ProgressBar()"

    def on_fit_begin(self):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = self.console or Console(stderr=True)
        self._progress = None
        if not console.is_terminal:
            return
        columns = TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn()
        self._progress = Progress(
            *columns,
            TextColumn("{task.fields[numbers]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._metrics = {}
        self._task = self._progress.add_task(self.label, total=None, numbers="")
        self._progress.start()

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
        if self._progress is not None:
            self._progress.stop()


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
        self.stream.write("  ".join(parts) + "\n")
