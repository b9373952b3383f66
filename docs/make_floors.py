"""Draw docs/_static/floors.svg from the table of floors in docs/architecture.md.

Run by hand from the root of the checkout when the table changes: ``.venv/bin/python docs/make_floors.py``. A test compares.
"""

import html
import pathlib
import re

DOCS = pathlib.Path(__file__).parent
PICTURE = DOCS / "_static" / "floors.svg"
WIDTH, LEFT, GAP, HEIGHT, STEP, TOP = 860, 64, 10, 40, 50, 58
# From this floor upwards rooms know people: scikit-learn's manners, then pages and commands.
FILLS = {0.0: "#f6dfdd", 1.0: "#dcefe6", 3.25: "#e3f1ea", 6.0: "#e6eef7", 8.0: "#f3e8d9"}
ROW = re.compile(r"^\| (\d+)([¼½¾]?) \| (.+?) \|", re.MULTILINE)


def floors():
    """Return {label: rooms} from the ground up, as the table lists them."""
    found = {}
    for whole, part, names in ROW.findall((DOCS / "architecture.md").read_text(encoding="utf-8")):
        found.setdefault(whole + part, []).extend(re.findall(r"`([^`]+)`", names))
    return found


def number(label):
    """Return a floor's height, by which it gets its colour."""
    return float(label.rstrip("¼½¾") or 0) + {"¼": 0.25, "½": 0.5, "¾": 0.75}.get(label[-1], 0.0)


def fill(label):
    """Return the colour of a floor."""
    return FILLS[max(height for height in FILLS if height <= number(label))]


def words(x, y, size, text, *, weight="400", colour="#1f2328", anchor="middle"):
    """Return one line of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{html.escape(text)}</text>'
    )


def row(y, label, rooms):
    """Return the boxes of one floor: as wide as their names are long, and together as wide as the picture."""
    room = WIDTH - LEFT - 16 - GAP * (len(rooms) - 1)
    share = room / sum(len(name) + 6 for name in rooms)
    parts, x = [words(38, y + HEIGHT / 2 + 6, 16, label, colour="#57606a")], float(LEFT)
    # Bold letters are some 0.7 of their size wide: on a crowded floor all names are smaller.
    size = min(14, *(int((share * (len(name) + 6) - 6) / (0.7 * len(name))) for name in rooms))
    for name in rooms:
        width = share * (len(name) + 6)
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{HEIGHT}" rx="6" fill="{fill(label)}" '
            'stroke="#8c959f"/>'
        )
        parts.append(words(x + width / 2, y + HEIGHT / 2 + 5, size, name, weight="600"))
        x += width + GAP
    return parts


def draw():
    """Return the picture."""
    levels = list(floors().items())[::-1]
    height = TOP + STEP * len(levels) + 6
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d"',
        'font-family="system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif">',
        '<title id="t">The floors of onelayer</title>',
        '<desc id="d">From the command line at the top to the named errors at the bottom; a room imports only from rooms',
        "on lower floors. architecture.md lists the same floors as a table.</desc>",
        f'<rect x="1" y="1" width="{WIDTH - 2}" height="{height - 2}" rx="10" fill="#ffffff" stroke="#c9d1d9"/>',
        words(LEFT, 36, 17, "A room imports only from rooms on lower floors", weight="600", anchor="start"),
    ]
    for place, (label, rooms) in enumerate(levels):
        parts += row(TOP + STEP * place, label, rooms)
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    print(PICTURE)
