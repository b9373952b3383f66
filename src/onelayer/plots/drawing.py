"""What the displays share in drawing: marks told apart without colour, room for panels, text that stays text."""

import functools
from unicodedata import east_asian_width

from onelayer.errors import ParameterError

__all__ = [
    "COLOURS",
    "MUTED",
    "draw_pictures",
    "font_for",
    "label",
    "line_style",
    "new_axes",
    "pictures_size",
    "split",
    "tidy",
    "too_many",
]

# Okabe and Ito's colours, those that also differ in grey first.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MUTED = "#6b6b6b"
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v")
VECTOR_MARKS = 2000
# Of a gallery, in widths of a picture: from one picture to the next, and the height of a line of its caption.
GUTTER, HEAD = 1.14, 0.16
CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "SimHei",
    "Arial Unicode MS",
)


def new_axes(ax, width, height):
    """Return `ax`, or the axes of a new figure that pyplot does not know of."""
    if ax is not None:
        if not hasattr(ax, "get_subplotspec"):
            raise ParameterError(f"ax is {ax!r}: give axes of matplotlib, or leave it out.")
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def split(ax, rows, columns=1, *, projections=None, **options):
    """Empty `ax` and return ``rows * columns`` axes in its place, row by row; `projections` has one for each."""
    ax.set_axis_off()
    spec = ax.get_subplotspec()
    if spec is None:
        (left, bottom), (right, top) = ax.get_position().get_points()
        place = {"left": left, "right": right, "bottom": bottom, "top": top}
        grid = ax.figure.add_gridspec(rows, columns, **place, **options)
    else:
        grid = spec.subgridspec(rows, columns, **options)
    places = [grid[row, column] for row in range(rows) for column in range(columns)]
    projections = projections or [None] * len(places)
    return [
        ax.figure.add_subplot(place, projection=kind) for place, kind in zip(places, projections, strict=True)
    ]


def tidy(ax, *, grid=None):
    """Keep the two axis lines that carry numbers, and a faint grid along `grid` ("x", "y" or "both")."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color="0.9", linewidth=0.6)


def line_style(index, count=0):
    """Return colour, dash and marker of line `index`; lines of more than 30 points carry no markers."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": LINES[index % len(LINES)],
        "marker": MARKERS[index % len(MARKERS)] if count <= 30 else None,
        "markersize": 3.5,
        "linewidth": 1.6,
        "rasterized": too_many(count),
    }


def too_many(count):
    """Whether so many marks are better drawn as pixels: 10,000 of them are a megabyte as vectors."""
    return count > VECTOR_MARKS


def label(name, limit=24):
    r"""Return `name` fit for a figure: one short printable line in which ``$`` is a dollar, not mathematics.

    Cut in the middle, because names of features often differ at their ends only.

    Examples
    --------
    >>> label("a_very_long_feature_name_07", limit=15)
    'a_very_…name_07'
    >>> print(label("$x$"))
    \$x\$
    """
    text = " ".join("".join(c if c.isprintable() else " " for c in str(name)).split())
    # Chinese characters and emoji are as wide as two letters.
    width = len(text) + sum(east_asian_width(c) in "WF" for c in text)
    if width > limit:
        limit = limit * len(text) // width
        text = text[: limit // 2] + "…" + text[len(text) - (limit - 1 - limit // 2) :]
    return text.replace("$", r"\$")


def font_for(names):
    """Return text options under which `names` can be read: a CJK font behind the user's own, where one is there."""
    if all(ord(character) < 0x2E80 for name in names for character in str(name)):
        return {}
    import matplotlib

    return {"fontfamily": [*matplotlib.rcParams["font.family"], *cjk_fonts()]}


@functools.cache
def cjk_fonts():
    """Return the first installed font of those that cover Chinese, as a tuple of one name or none."""
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return tuple(name for name in CJK_FONTS if name in installed)[:1]


def pictures_size(images, columns, *, tile, lines=1):
    """Return width and height, in inches, of a figure for :func:`draw_pictures` with pictures `tile` inches wide."""
    rows = -(-len(images) // columns)
    height = images[0].shape[0] / images[0].shape[1] + HEAD * (0.5 + lines)
    return max(tile * GUTTER * columns, 2.5), max(tile * height * rows, 1) + 0.1


def draw_pictures(ax, images, captions, *, columns, fontsize=7, **options):
    """Draw `images` as a grid in one axes, above each its caption: lines of (text, colour), top line first.

    One axes, not one per picture: laying out forty axes takes seconds. `options` go to ``imshow``.
    """
    height = images[0].shape[0] / images[0].shape[1]
    head = HEAD * (0.5 + max(map(len, captions)))
    rows = -(-len(images) // columns)
    font = font_for(text for lines in captions for text, _ in lines)
    drawn = []
    for index, (image, lines) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(index, columns)
        left, top = GUTTER * column, (height + head) * row
        extent = (left, left + 1, top + height, top)
        # "none" keeps the pixels as they are in a vector file; others resample them to its nominal resolution.
        drawn.append(ax.imshow(image, extent=extent, interpolation="none", **options))
        for level, (text, colour) in enumerate(reversed(lines)):
            offset = (0, 2.5 + 1.25 * fontsize * level)
            style = {"ha": "center", "va": "bottom", "fontsize": fontsize, "color": colour, **font}
            ax.annotate(text, (left + 0.5, top), offset, textcoords="offset points", **style)
    right = max(GUTTER * columns - (GUTTER - 1), 1)
    ax.set(xlim=(-0.05, right + 0.05), ylim=((height + head) * rows - head + 0.05, -head))
    ax.set_axis_off()
    return drawn
