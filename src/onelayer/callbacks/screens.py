"""Where a live curve is shown: by a function of the user's, in a notebook, on a terminal."""

import io
import sys

from onelayer.callbacks.sparklines import Sparklines
from onelayer.plots.learning_curve import LearningCurveDisplay

__all__ = ["Caller", "Notebook", "Terminal", "find_screen"]

_DOTS_PER_INCH = 110


def find_screen(console=None):
    """Return the screen that is there, or None: a Jupyter kernel's output, else `console` or a terminal's stderr."""
    if console is None and _has_kernel():
        return Notebook()
    from rich.console import Console

    console = console or Console(stderr=True)
    return Terminal(console) if console.is_terminal else None


def _has_kernel():
    # Whoever runs in a kernel has imported IPython; importing it here would make every script wait for it.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class Caller:
    """Hands each figure to a function."""

    def __init__(self, show):
        self.show = show

    def draw(self, records, x):
        self.show(_figure(records, x))

    def close(self):
        """Do nothing: nothing is open."""


class Notebook:
    """One output of a Jupyter kernel, updated in place.

    The picture is sent as PNG, because a kernel draws figures by itself only where pyplot was set up for it.
    """

    def __init__(self):
        self._handle = None

    def draw(self, records, x):
        from IPython.display import display

        picture = io.BytesIO()
        figure = _figure(records, x)
        figure.savefig(picture, format="png", dpi=_DOTS_PER_INCH)
        data = {"image/png": picture.getvalue(), "text/plain": f"learning curve of {len(records)} iterations"}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def close(self):
        """Do nothing: what was shown stays."""


class Terminal:
    """A block of lines that is drawn over and over."""

    def __init__(self, console):
        self.console, self._live = console, None

    def draw(self, records, x):
        if self._live is None:
            from rich.live import Live

            # No thread that refreshes: it would take the time of the fit, and nothing changes between two drawings.
            self._live = Live(console=self.console, auto_refresh=False)
            self._live.start()
        self._live.update(Sparklines(LearningCurveDisplay.from_trace(records, x), records[-1]), refresh=True)

    def close(self):
        if self._live is not None:
            self._live.stop()


def _figure(records, x):
    return LearningCurveDisplay.from_trace(records, x).plot().figure_
