"""Where the next optimum of a path will be, seen from the last ones."""

import math
from typing import Any

__all__ = ["Trail"]

# Points that a polynomial is laid through. On sentence embeddings, 20 values of C from 1e-4 to 1e2, the start was above the
# optimum by 3 % of P from the last point, 0.3 % from the last two, 0.07 % from three and no less from four.
_POINTS = 3


class Trail:
    """The last optima on a path of penalties, the strongest first, and what the next one may start from."""

    def __init__(self):
        self._places: list[Any] = []
        self._outcome: Any = None

    @property
    def outcome(self):
        """The Outcome of the last point, or None at the beginning."""
        return self._outcome

    def add(self, objective, outcome):
        """Go on to the optimum of an objective."""
        place = math.log(_strength(objective)), outcome.state.parameters
        self._places, self._outcome = [*self._places[1 - _POINTS :], place], outcome

    def start(self, objective):
        """Return the best of several guesses where the optimum of the next objective is."""
        if not self._places:
            return objective.zeros()
        guesses = [self._continued(objective), *self._foretold(objective)]
        if len(guesses) > 1 and objective.design.resident:
            # Half a pass each, a small part of what the worse one would cost.
            guesses.sort(key=lambda guess: objective.value(guess))
        return guesses[0]

    def _continued(self, objective):
        """Return what the polynomial through the last points in log α says."""
        here = math.log(_strength(objective))
        total = 0.0
        for place, parameters in self._places:
            others = [other for other, _ in self._places if other != place]
            share = math.prod((here - other) / (place - other) for other in others)
            total = total + share * parameters.flat.double()
        return self._places[-1][1].like(total).to(objective.dtype)

    def _foretold(self, objective):
        system = getattr(self._outcome.state, "system", None)
        guess = system and system.foretold(self._places[-1][1], objective)
        return [] if guess is None else [guess.to(objective.dtype)]


def _strength(objective):
    return objective.penalty.l1 + objective.penalty.l2
