"""Amounts of memory in the words of people: ``"1.5 GB"``."""

import math
import numbers
import re

from onelayer.errors import ParameterError

__all__ = ["parse_bytes", "show_bytes"]

# decimal as disks and the SI count, binary as memory modules do; a bare letter is taken for the decimal one
UNITS = {"": 1, "b": 1} | {
    f"{letter}{ending}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for ending, base in (("", 1000), ("b", 1000), ("ib", 1024))
}
AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)\s*", re.IGNORECASE)


def parse_bytes(amount: str | int, name: str = "memory_limit") -> int:
    """Return a number of bytes.

    Parameters
    ----------
    amount : str or int
        ``"1GB"``, ``"500 MB"`` (powers of 1000), ``"1.5GiB"`` (powers of 1024), or bytes.
    name : str, default="memory_limit"
        The argument that the sentence of an error names.

    Raises
    ------
    ParameterError
        If it is no such amount, or less than one byte.

    Examples
    --------
    >>> parse_bytes("1.5 GB")
    1500000000
    >>> parse_bytes("2KiB")
    2048
    """
    found = -1.0
    if isinstance(amount, str):
        match = AMOUNT.fullmatch(amount)
        if match and match[2].lower() in UNITS:
            found = float(match[1]) * UNITS[match[2].lower()]
    elif isinstance(amount, numbers.Real) and not isinstance(amount, bool):
        found = float(amount)
    if not (math.isfinite(found) and found >= 1):
        raise ParameterError(
            f"{name}={amount!r} is no amount of memory: give bytes, or a text such as '1GB', '500 MB' or '1.5GiB'."
        )
    return int(found)


def show_bytes(count: float) -> str:
    """Write a number of bytes for people, in powers of 1000.

    Examples
    --------
    >>> show_bytes(1_500_000_000)
    '1.5 GB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        # 999.5 would be rounded to 1e+03
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB" if count < 999.5 else f"{count:,.0f} TB"
