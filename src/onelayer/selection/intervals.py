"""How sure a score on so many rows is."""

import dataclasses
from statistics import NormalDist

import numpy as np

from onelayer.errors import ParameterError

__all__ = ["Interval", "bootstrap", "wilson"]

_DRAWS = 2000
# What is drawn: rows, or groups of them where they are more.
_UNITS = 10_000
# Numbers of rows that are drawn at a time.
_NUMBERS = 2**22


@dataclasses.dataclass(frozen=True)
class Interval:
    """An interval for the score on rows like these.

    Attributes
    ----------
    low, high : float
    level : float
        The share of such intervals that hold the true score.
    kind : {"Wilson", "bootstrap"}
    rows : int
    """

    low: float
    high: float
    level: float
    kind: str
    rows: int

    def __str__(self):
        return (
            f"{100 * self.level:g} % {self.kind} interval {self.low:.4g} to {self.high:.4g}, n={self.rows:,}"
        )


def wilson(share, rows, level=0.95):
    """Return the Interval of a share of right answers among so many rows.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. Am. Stat. Assoc. 22 (1927).
    A. Agresti, B. Coull, "Approximate is better than exact for interval estimation of binomial proportions", Am. Stat. 52
    (1998).

    Examples
    --------
    >>> print(wilson(0.9, 100))
    95 % Wilson interval 0.8256 to 0.9448, n=100
    """
    z = _quantile(level)
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return Interval(float(max(centre - half, 0.0)), float(min(centre + half, 1.0)), level, "Wilson", rows)


def bootstrap(terms, statistic, level=0.95, seed=0):
    """Return the percentile Interval of a statistic of sums over rows, under resampling of rows.

    Of more than 10,000 rows groups are drawn instead of rows, 10,000 groups of as many rows each (one more or less), made by lot: what
    is summed over a group is again drawn from one distribution, and the work no longer grows with the rows.

    Parameters
    ----------
    terms : array of shape (rows, terms)
    statistic : callable
        Takes sums of terms, shape (draws, terms), and how many rows each is of; returns the statistic of each draw.
    level : float
    seed : int

    References
    ----------
    B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall (1993), chapter 13.
    """
    require_level(level)
    generator = np.random.default_rng(seed)
    rows, counts = len(terms), None
    if rows > _UNITS:
        edges = np.linspace(0, rows, _UNITS + 1).astype(int)
        terms = np.add.reduceat(terms[generator.permutation(rows)], edges[:-1], axis=0)
        counts = np.diff(edges)
    units, width = terms.shape
    size = max(1, _NUMBERS // (units * width))
    found = []
    for start in range(0, _DRAWS, size):
        drawn = generator.integers(0, units, (min(size, _DRAWS - start), units))
        sums = np.stack([term[drawn].sum(axis=1) for term in terms.T], axis=1)
        found.append(statistic(sums, units if counts is None else counts[drawn].sum(axis=1)))
    low, high = np.quantile(np.concatenate(found), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, "bootstrap", rows)


def require_level(level):
    """Refuse what is no share."""
    if not (isinstance(level, (int, float, np.floating)) and 0 < level < 1):
        raise ParameterError(f"level is {level!r}: give a share between 0 and 1, for example 0.95.")


def _quantile(level):
    require_level(level)
    return NormalDist().inv_cdf((1 + level) / 2)
