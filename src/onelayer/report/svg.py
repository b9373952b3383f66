"""A display as a picture that lives inside the page."""

import base64
import io
import warnings

__all__ = ["picture"]

STYLE = {
    "svg.hashsalt": "onelayer",
    # Text stays text: smaller, and the reader's browser has the fonts that this machine may lack.
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "0.35",
    "xtick.color": "0.25",
    "ytick.color": "0.25",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
}


def picture(plot):
    """Return what `plot` draws (a function of nothing that returns a display) as a ``data:`` address.

    The same display gives the same bytes: no date, fixed identifiers, and none of the user's own style.

    Examples
    --------
    >>> from onelayer.plots import ConfusionDisplay
    >>> picture(ConfusionDisplay([[3, 1], [0, 2]]).plot)[:26]
    'data:image/svg+xml;base64,'
    """
    from matplotlib import style

    file = io.BytesIO()
    with style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        options = {"dpi": 150, "bbox_inches": "tight", "pad_inches": 0.06}
        plot().figure_.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, **options)
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode("ascii")
