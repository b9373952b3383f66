"""Where the next optimum of a path will be, seen from the last ones."""

import math
from typing import Any

__all__ = ["Curve", "Trail"]

# Points that a polynomial is laid through. On sentence embeddings, 20 values of C from 1e-4 to 1e2, the start was above the
# optimum by 3 % of P from the last point, 0.3 % from the last two, 0.07 % from three and no less from four.
_POINTS = 3


class Curve:
    """A vector that moves smoothly with log α: the polynomial through its last few places."""

    def __init__(self):
        self._places: list[Any] = []

    def __len__(self):
        return len(self._places)

    def add(self, place, vector):
        """Go on to this vector at this place; what was known there is forgotten."""
        others = [known for known in self._places if known[0] != place]
        self._places = [*others[1 - _POINTS :], (place, vector)]

    def at(self, here):
        """Return the vector at another place; 0 where none is known."""
        total = 0.0
        for place, vector in self._places:
            others = [other for other, _ in self._places if other != place]
            total = total + math.prod((here - other) / (place - other) for other in others) * vector
        return total


class Trail:
    """The last optima on a path of penalties, the strongest first, and what the next one may start from."""

    def __init__(self):
        self._curve = Curve()
        self._outcome: Any = None
        # Whether the polynomial has been the better guess: from then on it is the only one.
        self._straight = False

    @property
    def outcome(self):
        """The Outcome of the last point, or None at the beginning."""
        return self._outcome

    def add(self, objective, outcome):
        """Go on to the optimum of an objective."""
        self._curve.add(math.log(_strength(objective)), outcome.state.parameters.flat.double())
        self._outcome = outcome

    def start(self, objective):
        """Return the best of several guesses where the optimum of the next objective is."""
        if self._outcome is None:
            return objective.zeros()
        last = self._outcome.state.parameters
        guess = last.like(self._curve.at(math.log(_strength(objective)))).to(objective.dtype)
        other = None if self._straight else self._foretold(objective)
        if other is None or not objective.design.resident:
            return guess
        # Half a pass each, a small part of what the worse one would cost. What is foretold is best where the penalty is strong.
        better = objective.value(guess) <= objective.value(other)
        self._straight = better and len(self._curve) == _POINTS
        return guess if better else other

    def _foretold(self, objective):
        system = getattr(self._outcome.state, "system", None)
        guess = system and system.foretold(self._outcome.state.parameters, objective)
        return None if guess is None else guess.to(objective.dtype)


def _strength(objective):
    return objective.penalty.l1 + objective.penalty.l2
