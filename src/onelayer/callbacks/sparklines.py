"""Curves of one line of text each."""

import numpy as np

from onelayer.plots.learning_curve import spans_decades

__all__ = ["Sparklines", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
# Where the terminal's encoding has no blocks: letters of growing height.
PLAIN_BLOCKS = "_.-=oO0#"


def sparkline(x, values, width, *, log=False, blocks=BLOCKS):
    """Return `values` over `x` as text of at most `width` characters, the smallest lowest.

    Each character is the last finite value of its part of the axis, or the value before where there is none; before
    the first one it is a space. With `log` the heights are logarithms, and values ≤ 0 are at the bottom.

    Examples
    --------
    >>> sparkline([0, 1, 2, 3], [0.0, 1.0, 2.0, 7.0], width=80)
    '▁▂▃█'
    >>> sparkline([0, 1, 2, 3, 4], [1000.0, 100.0, 10.0, 1.0, 0.1], width=5, log=True)
    '█▆▅▃▁'
    """
    x, values = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
    known = np.isfinite(values) & np.isfinite(x)
    if not known.any() or width < 1:
        return ""
    # No wider than there are iterations: three of them are no staircase of a hundred characters.
    width = min(width, len(x))
    length = x[np.isfinite(x)].max() - x[0]
    places = (x[known] - x[0]) / length * width if length > 0 else np.zeros(known.sum())
    last_in = np.searchsorted(places, np.arange(1, width + 1), side="left") - 1
    last_in[-1] = len(places) - 1
    shown = last_in[last_in >= 0]
    heights = _heights(values[known][shown], log) * (len(blocks) - 1)
    return " " * (width - len(shown)) + "".join(blocks[int(height + 0.5)] for height in heights)


def _heights(values, log):
    """Return values as shares of their range, 0 at the smallest; a constant is 0."""
    if log:
        positive = values > 0
        values = np.log(np.where(positive, values, values[positive].min() if positive.any() else 1.0))
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros(len(values))


class Sparklines:
    """A learning curve for rich: one row per curve with its name, its sparkline and its last value.

    Parameters
    ----------
    display : LearningCurveDisplay
    record : Record
        The last one.
    """

    def __init__(self, display, record):
        self.display, self.record = display, record

    @property
    def rows(self):
        """Of each curve: name, values, whether its scale is logarithmic, last value as text."""
        display = self.display
        log = spans_decades(display.objective)
        rows = [("objective", display.objective, log, "{:.6g}")]
        rows += [
            (name.replace("_", " "), values, False, "{:.4f}") for name, values in display.metrics.items()
        ]
        rows.append(("relative gap", display.relative_gap, True, "{:.1e}"))
        for name, values, log, form in rows:
            known = values[np.isfinite(values)]
            if known.size:
                yield name + " (log)" * log, values, log, form.format(known[-1])

    def __rich_console__(self, console, options):
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(ratio=1, no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        for name, values, log, last in self.rows:
            table.add_row(Text(name), _Line(self.display.x, values, log), Text(last))
        yield table
        record = self.record
        yield Text(
            f"iteration {record.iteration} · {record.passes:.4g} passes · {record.seconds:.1f} s", style="dim"
        )


class _Line:
    """A sparkline that fills the width that rich gives it."""

    def __init__(self, x, values, log):
        self.x, self.values, self.log = x, values, log

    def __rich_console__(self, console, options):
        from rich.text import Text

        blocks = PLAIN_BLOCKS if options.ascii_only else BLOCKS
        yield Text(sparkline(self.x, self.values, options.max_width, log=self.log, blocks=blocks))
