"""One hypothesis strategy for all estimators: data and settings of which some part, or none, is hostile."""

import dataclasses
from typing import Any

import numpy as np
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hostile.tables import ODD_TABLES, SOUND_TABLES, table
from hostile.targets import LABELS, NUMBERS, ODD_LABELS, ODD_NUMBERS, ODD_OFFSETS, ODD_WEIGHTS, WEIGHTS

__all__ = ["Case", "at_least_500", "cases"]

_TINY = 5e-324
_SIZES = [_TINY, 1e-310, 1e-300, 1e-160, 1e-40, 1e-30, 1e-8, 1e8, 1e30, 3e38, 1e160, 1e300, 1.7e308]

# What is hostile: mostly one part, for two hide each other.
_HOSTILE = [
    (),
    (),
    (),
    ("container",),
    ("container",),
    ("values",),
    ("values",),
    ("y",),
    ("weight",),
    ("offset",),
    ("settings",),
    ("settings",),
    ("values", "settings"),
    ("values", "weight"),
    ("container", "y", "weight"),
    ("container", "values", "y", "weight", "offset", "settings"),
]


def at_least_500():
    """Return the settings of a test: the profile's, but never fewer than 500 examples."""
    return hypothesis_settings(max_examples=max(500, hypothesis_settings().max_examples))


@dataclasses.dataclass
class Case:
    """What one fit gets; `words` says how it was made."""

    X: Any
    y: Any
    sample_weight: Any
    offset: Any
    settings: dict
    words: str

    def __repr__(self):
        return f"Case({self.words}, settings={self.settings})"


def _spoiled(A, kind, size, rng):
    """Return the table with one kind of trouble in it."""
    A = A.copy()
    with np.errstate(all="ignore"):
        if kind == "all of a size":
            return A * size
        if kind == "nearly constant":
            return 1 + 1e-15 * A
        if kind == "shifted":
            return A + size
        if not A.size:
            return A
        row, column = rng.integers(A.shape[0]), rng.integers(A.shape[1])
        if kind in ("NaN", "inf", "-inf"):
            A[row, column] = float(kind)
        elif kind == "one column of a size":
            A[:, column] *= size
        elif kind == "one row of a size":
            A[row] *= size
        elif kind == "one number of a size":
            A[row, column] = size
        elif kind == "constant column":
            A[:, column] = size
        elif kind == "duplicates":
            A[:, column], A[row] = A[:, 0], A[0]
        elif kind == "whole":
            A = np.round(A)
    return A


_TROUBLES = [
    "all of a size",
    "one column of a size",
    "one row of a size",
    "one number of a size",
    "constant column",
    "shifted",
    "nearly constant",
    "duplicates",
    "whole",
    "NaN",
    "inf",
    "-inf",
]


@st.composite
def cases(draw, *, classes, sound, odd, weighted=True, offset=False):
    """Draw a Case.

    Parameters
    ----------
    classes : bool
        Whether y is labels.
    sound, odd : dict
        Values of the settings to draw from, by name; `odd` adds those at the edges and beyond.
    weighted, offset : bool
        Whether fit takes them.
    """
    hostile = draw(st.sampled_from(_HOSTILE))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    rows, columns = draw(st.integers(2, 12)), draw(st.integers(1, 4))
    if "values" in hostile and draw(st.integers(0, 7)) == 7:
        rows = 1
    A = rng.normal(size=(rows, columns))
    words = [f"{rows} × {columns}"]
    if "values" in hostile:
        trouble, size = draw(st.sampled_from(_TROUBLES)), draw(st.sampled_from(_SIZES))
        A = _spoiled(A, trouble, size, rng)
        words.append(f"{trouble} ({size:g})")

    def name(sound, odd, part, default=None):
        if part in hostile:
            return draw(st.sampled_from(list(odd)))
        return draw(st.sampled_from(list(sound))) if default is None else default

    container = name(SOUND_TABLES, ODD_TABLES, "container")
    if "values" in hostile and "container" not in hostile and draw(st.booleans()):
        container = "float64"
    ys, odd_ys = (LABELS, ODD_LABELS) if classes else (NUMBERS, ODD_NUMBERS)
    of_y, of_weight = name(ys, odd_ys, "y"), name(WEIGHTS, ODD_WEIGHTS, "weight")
    if "weight" not in hostile and draw(st.booleans()):
        of_weight = "none"
    of_offset = name((), ODD_OFFSETS, "offset", "none") if offset else "none"
    words += [f"X {container}", f"y {of_y}", f"sample_weight {of_weight}", f"offset {of_offset}"]
    settings = {key: draw(st.sampled_from(values)) for key, values in sound.items() if draw(st.booleans())}
    if "settings" in hostile:
        for key in draw(st.lists(st.sampled_from(list(odd)), min_size=1, max_size=2, unique=True)):
            settings[key] = draw(st.sampled_from(odd[key]))
    with np.errstate(all="ignore"):
        y = {**ys, **odd_ys}[of_y](rows, rng)
        weight = {**WEIGHTS, **ODD_WEIGHTS}[of_weight](rows, rng) if weighted else None
        given = None if of_offset == "none" else ODD_OFFSETS[of_offset](rows, rng)
    return Case(table(container, A, rng), y, weight, given, settings, ", ".join(words))
