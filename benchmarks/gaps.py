"""From objectives and certificates to the gap of each run.

A certificate of one result proves a lower bound of min P, and that bound holds for everyone: P(x) − bound is a proven gap
of x too, and x needs no certificate of its own unless that could say much more. This is not only cheaper. A certificate
far from the optimum is loose, so with their own ones alone contestants would be judged by how well their iterates suit
the proof.
"""

import dataclasses
import math

__all__ = ["THRESHOLDS", "Bounds", "decide"]

THRESHOLDS = (1e-3, 1e-6)
# A certificate is asked for where the gap is not yet known to within this share, and is larger than what matters.
_VAGUE = 0.1
_ENOUGH = 1e-9


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What is known of min P of one problem.

    Attributes
    ----------
    below : float
        The largest lower bound that the certificates prove; −inf where there is none.
    found : float
        The lowest P that anyone found, inf where there is none.
    """

    below: float
    found: float

    @classmethod
    def of(cls, runs):
        """Gather them from runs of one problem."""
        known = [run for run in runs if run.get("objective") is not None]
        proven = [run for run in known if run["relative_gap"] is not None]
        below = max(
            (run["objective"] - run["relative_gap"] * abs(run["objective"]) for run in proven),
            default=-math.inf,
        )
        return cls(below, min((run["objective"] for run in known), default=math.inf))

    @property
    def proven(self):
        """Whether anyone has a certificate."""
        return math.isfinite(self.below)

    def gap(self, run):
        """Return the relative gap of a run, inf if it did not end in time; proven, if `proven`."""
        value = run.get("objective")
        if run["outcome"] != "done" or value is None:
            return math.inf
        excess = self._relative(value, self.below if self.proven else self.found)
        own = run["relative_gap"]
        return excess if own is None else min(excess, own)

    def wants_certificate(self, value):
        """Whether a certificate could say much more about a result with objective `value` than is known."""
        if not (self.proven and math.isfinite(value)):
            return True
        # min P lies between `below` and what was found, this result included.
        unknown = min(self.found, value) - self.below
        return unknown > _VAGUE * (value - self.below) and self._relative(value, self.below) > _ENOUGH

    @staticmethod
    def _relative(value, reference):
        return max(value - reference, 0.0) / abs(value) if value else 0.0


def decide(runs, threshold, bounds):
    """Return the setting of the fastest first run whose gap is at most a threshold, or None."""
    reached = [run for run in runs if run["repeat"] == 0 and bounds.gap(run) <= threshold]
    return min(reached, key=lambda run: run["seconds"])["setting"] if reached else None
