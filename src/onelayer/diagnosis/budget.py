"""How much longer a fit would have taken, from the rate at which it went."""

import dataclasses
import math

import numpy as np

from onelayer.diagnosis.words import duration, whole_up

__all__ = ["Budget", "extrapolate"]

# Looked at: the last half of the trace, no fewer records than the first number and no more than the second.
_SHORTEST, _LONGEST = 6, 100
_FEWEST = 4
# A fall over the window by less than this factor cannot be told from the ups and downs of a solver.
_LEAST_FALL = 2.0
# Until the gap is known to be below this share the gradient says little about it: the wide columns are done, the
# narrow ones not.
_EARLY = 0.1


@dataclasses.dataclass(frozen=True)
class Budget:
    """What is left to do.

    Attributes
    ----------
    made : int
        Iterations made.
    window : int
        The last of them, that were looked at.
    what : str
        What was looked at: "gap", or "gradient" where gaps are rare or unknown.
    iterations, seconds : float or None
        Still needed at the observed rate; None where there was none.
    spent : float
        Seconds so far.
    early : bool
        Whether the rate is that of the gradient, and the optimum not known to be near: then it is likely to flatter.
    """

    made: int
    window: int
    what: str
    iterations: float | None
    seconds: float | None
    spent: float
    early: bool = False

    @property
    def affordable(self):
        """Whether three times the iterations made will do."""
        return self.iterations is not None and not self.early and self.iterations <= 3 * max(self.made, 10)

    def sentence(self):
        """Return the finding in words."""
        if self.iterations is not None and self.seconds is not None:
            count = whole_up(self.iterations)
            noun = "iteration" if count == 1 else "iterations"
            said = f"{count} more {noun} (about {duration(self.seconds)})"
            if self.early:
                return f"At least {said} {'is' if count == 1 else 'are'} needed at the observed rate"
            return f"{said} would do at the observed rate"
        if self.window < _FEWEST - 1:
            noun = "iteration is" if self.made == 1 else "iterations are"
            return f"{self.made} {noun} too few to tell how many more it takes"
        return f"The {self.what} did not fall by half in the last {self.window} iterations"

    def action(self, time_limit):
        """Return the argument to change, with some more than the rate asks for."""
        reserve = 3.0 if self.early else 1.25
        if time_limit:
            more = self.seconds if self.seconds is not None else 10 * self.spent
            return f"time_limit={max(whole_up(self.spent + reserve * more), 1)}"
        more = self.iterations if self.iterations is not None else max(10 * self.made, 100)
        return f"max_iter={whole_up(self.made + reserve * more)}"


def extrapolate(trace, tol, relative_gap=None, *, smooth=True):
    """Return the Budget that a trace suggests.

    The rate is the median of the slopes between all pairs of records (Theil and Sen: single bad steps do not count)
    of log gap where there are enough certified gaps, else of 2 log ‖∇P‖, to which the gap is proportional near a
    minimum. Without any bound the goal is a largest entry of the gradient of tol · P, where the loop would stop.

    Parameters
    ----------
    trace : list of onelayer.result.Record
    tol : float
        The relative gap asked for.
    relative_gap : float, optional
        The one reached.
    smooth : bool
        Whether the gradient tends to zero; else only gaps are looked at.

    Examples
    --------
    >>> from onelayer.diagnosis import extrapolate
    >>> from onelayer.result import Record
    >>> trace = [Record(i, 0.01 * i, i, 1.0, gradient_norm=0.5**i) for i in range(21)]
    >>> budget = extrapolate(trace, 1e-6, relative_gap=1e-3)
    >>> print(budget.sentence(), budget.action(time_limit=False), sep="; ")
    5 more iterations (about 0.05 s) would do at the observed rate; max_iter=27
    """
    last = trace[-1]
    size = min(max(_SHORTEST, len(trace) // 2), _LONGEST)
    recent = trace[-size:]
    window = last.iteration - recent[0].iteration
    gaps = [(record.iteration, record.relative_gap) for record in recent if _positive(record.relative_gap)]
    norms = [(record.iteration, record.gradient_norm) for record in recent if _positive(record.gradient_norm)]
    what, places, logs = "gradient", [place for place, _ in norms], [2 * math.log(norm) for _, norm in norms]
    if len(gaps) >= _FEWEST or not smooth:
        what, places, logs = "gap", [place for place, _ in gaps], [math.log(gap) for _, gap in gaps]
    distance = _distance(last, tol, relative_gap)
    rate = _rate(places, logs)
    if distance is None or rate is None:
        return Budget(last.iteration, window, what, None, None, last.seconds)
    iterations = math.ceil(max(distance, 0.0) / rate)
    each = (last.seconds - recent[0].seconds) / max(window, 1)
    iterations = max(iterations, 1)
    early = what == "gradient" and not (relative_gap is not None and relative_gap <= _EARLY)
    return Budget(last.iteration, window, what, iterations, iterations * each, last.seconds, early)


def _distance(last, tol, relative_gap):
    """Return the logarithm of the factor by which the gap must fall, or None if it is not known."""
    if not tol > 0:
        return None
    if _positive(relative_gap):
        return math.log(relative_gap / tol)
    if _positive(last.gradient_norm) and math.isfinite(last.objective) and last.objective:
        return 2 * math.log(last.gradient_norm / (tol * abs(last.objective)))
    return None


def _rate(places, logs):
    """Return by how much the logarithm falls per iteration, or None where it does not fall measurably."""
    places, logs = np.array(places, dtype=float), np.array(logs)
    if len(places) < _FEWEST or places[-1] <= places[0]:
        return None
    one, two = np.triu_indices(len(places), 1)
    rate = -np.median((logs[two] - logs[one]) / (places[two] - places[one])).item()
    return rate if rate * (places[-1] - places[0]) >= math.log(_LEAST_FALL) else None


def _positive(number):
    return number is not None and math.isfinite(number) and number > 0
