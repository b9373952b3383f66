"""Numbers, columns and rows as the sentences name them."""

import math

__all__ = ["column", "columns", "duration", "rounded_up", "some_rows", "whole_up"]


def column(j, names=None):
    """Return what a column is called.

    Examples
    --------
    >>> column(3), column(1, ["height", "age"])
    ('column 3', "column 'age'")
    """
    return f"column {j}" if names is None or j >= len(names) else f"column {str(names[j])!r}"


def columns(some, names=None, most=3):
    """Return what a few columns are called.

    Examples
    --------
    >>> columns([3]), columns([3, 5]), columns([0, 1, 2, 3, 4])
    ('column 3', 'columns 3 and 5', 'columns 0, 1, 2 and 2 more')
    """
    words = [column(j, names).removeprefix("column ") for j in some]
    return ("column " if len(words) == 1 else "columns ") + _listed(words, len(words), most)


def some_rows(rows, count):
    """Return the first of `count` rows, with how many more there are.

    Examples
    --------
    >>> some_rows((4,), 1), some_rows((0, 3), 2), some_rows((0, 3, 4), 10)
    ('row 4', 'rows 0 and 3', 'rows 0, 3, 4 and 7 more')
    """
    return ("row " if count == 1 else "rows ") + _listed([str(row) for row in rows], count, 3)


def _listed(words, count, most):
    shown = words[:most]
    if count > len(shown):
        return f"{', '.join(shown)} and {count - len(shown)} more"
    return shown[0] if count == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def rounded_up(value, digits=1):
    """Return the next number that has so many significant digits.

    Examples
    --------
    >>> rounded_up(4.42e-16), rounded_up(387.0, 2), rounded_up(0.3)
    (5e-16, 390.0, 0.3)
    """
    unit = math.floor(math.log10(value)) - digits + 1
    # A power of ten with a negative exponent is not exact: the quotient is, to the last digits, and so is the text.
    count = math.ceil(round(value / 10.0**unit if unit > -300 else value * 10.0**-unit, 9))
    return float(f"{count}e{unit}")


def whole_up(value):
    """Return the next whole number of two significant digits.

    Examples
    --------
    >>> whole_up(7.2), whole_up(387), whole_up(12345)
    (8, 390, 13000)
    """
    return math.ceil(value) if value <= 10 else int(rounded_up(value, 2))


def duration(seconds):
    """Return a time with two digits.

    Examples
    --------
    >>> duration(0.0123), duration(75.0), duration(5400.0)
    ('0.012 s', '75 s', '1.5 h')
    """
    if seconds < 120:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.2g} min" if seconds < 3600 else f"{seconds / 3600:.2g} h"
