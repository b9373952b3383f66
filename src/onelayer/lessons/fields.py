"""What a reader typed, as numbers; or one sentence on why not."""

import math

import numpy as np

__all__ = ["read_number", "read_points"]


def read_number(value, low=-math.inf, high=math.inf):
    """Return (number, None), or (None, problem), a pair of sentences in English and Chinese.

    Parameters
    ----------
    value : object
        From a field: a number, or text such as "0.5", "1/3" or "-2e-3".
    low, high : float
        The closed range that is allowed.

    Examples
    --------
    >>> read_number("1/4")
    (0.25, None)
    >>> read_number("NaN")[1][0]
    '“NaN” is not a number that one can compute with: type a finite one, for example 0.5.'
    >>> read_number(12, 0, 10)[1][0]
    '12 is outside 0 … 10: choose a number in this range.'
    """
    try:
        number = _parse(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        shown = "" if value is None else str(value).strip()
        if not shown:
            return None, ("The field is empty: type a number.", "这一格是空的：请输入一个数。")
        return None, (
            f"“{shown[:40]}” is not a number that one can compute with: type a finite one, for example 0.5.",
            f"“{shown[:40]}” 不是可以计算的数：请输入一个有限的数，例如 0.5。",
        )
    if not low <= number <= high:
        return None, (
            f"{number:g} is outside {low:g} … {high:g}: choose a number in this range.",
            f"{number:g} 超出了 {low:g} … {high:g}:请在这个范围内取值。",
        )
    return number, None


def read_points(rows, columns, *, least=1):
    """Return (array of shape (n, columns), None), or (None, problem).

    Parameters
    ----------
    rows : sequence of dict or sequence
        From a table that can be edited. Rows that are wholly empty do not count.
    columns : dict of str to (low, high)
        The columns to read and their closed ranges. For rows that are sequences: in this order.
    least : int
        So many points are needed.

    Examples
    --------
    >>> read_points([{"x": 1, "y": "2"}, {"x": None, "y": ""}], {"x": (0, 9), "y": (0, 9)})
    (array([[1., 2.]]), None)
    >>> read_points([{"x": 1}], {"x": (0, 9)}, least=2)[1][0]
    'There are 1 of the 2 points that are needed: add some.'
    """
    points = []
    for number, row in enumerate(rows, start=1):
        cells = [row.get(name) for name in columns] if hasattr(row, "get") else list(row)
        if all(cell is None or str(cell).strip() == "" for cell in cells):
            continue
        point = []
        for (name, (low, high)), cell in zip(columns.items(), cells, strict=True):
            value, problem = read_number(cell, low, high)
            if problem:
                english, chinese = problem
                return None, (f"Row {number}, {name}: {english}", f"第 {number} 行，{name}:{chinese}")
            point.append(value)
        points.append(point)
    if len(points) < least:
        return None, (
            f"There are {len(points)} of the {least} points that are needed: add some."
            if least > 1 or points
            else "There is no point left: add one.",
            f"现在有 {len(points)} 个点，至少需要 {least} 个：请添加。",
        )
    return np.array(points, dtype=float).reshape(len(points), len(columns)), None


def _parse(value):
    if isinstance(value, bool):
        raise TypeError("a truth value is no number")
    if not isinstance(value, str):
        return float(value)
    text = value.strip().replace("−", "-").replace(",", ".").replace("/", "/")
    above, slash, below = text.partition("/")
    return float(above) / float(below) if slash else float(text)
