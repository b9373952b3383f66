"""Numbers and names as people read them."""

import re

__all__ = ["number", "rich", "scientific"]


def scientific(value):
    """Return a number with two digits, as in 3.1e-7.

    Examples
    --------
    >>> scientific(3.1e-07)
    '3.1e-7'
    """
    return _short_exponent(f"{value:.1e}")


def number(value, digits=4):
    """Return whole numbers with thousands, others with so many digits, and a dash for None.

    Examples
    --------
    >>> number(60000), number(0.84321), number(1 / 60000), number(None)
    ('60,000', '0.8432', '1.667e-5', '–')
    """
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else _short_exponent(f"{value:.{digits}g}")


def rich(text):
    """Return `text` as safe HTML in which what stands in backticks is code, and no number breaks at its exponent.

    Examples
    --------
    >>> print(rich("try `--tol 0` & see"))
    try <code>--tol 0</code> &amp; see
    """
    from markupsafe import Markup, escape

    html = re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\d[\d.]*e-\d+", r'<span class="number">\g<0></span>', html))


def _short_exponent(text):
    return re.sub(r"e([+-])0*(\d)", lambda found: "e" + found[1].strip("+") + found[2], text)
