"""Whether a fit without a penalty is on its way to infinity."""

from onelayer.certificates import is_separated
from onelayer.diagnosis import search_separation

__all__ = ["SeparationWatch"]

# A linear programme is tried at these iterations: by then an optimum that exists has nearly always been proven.
_FIRST, _FACTOR = 20, 4
_SECONDS = 1.0, 10.0


class SeparationWatch:
    """Looks for a direction in which the objective falls for ever: freely at each iterate, thoroughly now and then."""

    def __init__(self, objective, solver):
        self.objective = objective
        penalty = objective.penalty
        # Asked for so many steps, a solver is not asked whether an optimum exists.
        self.active = (
            not (solver.approximate or penalty.l1 or penalty.l2) and objective.loss.targets != "real"
        )
        self.next = _FIRST

    def found(self, state, trace):
        """Return whether the classes are separated, completely or quasi-completely, as far as one can tell by now."""
        if not self.active:
            return False
        if state.point and is_separated(self.objective, state.point):
            return True
        if self.objective.design.group.size > 1:
            # The programme below ends by a clock, which is another one in each process.
            return False
        if trace[-1].iteration < self.next or trace[-1].relative_gap is not None:
            return False
        self.next *= _FACTOR
        least, most = _SECONDS
        seconds = min(max(trace[-1].seconds, least), most)
        parameters = state.parameters.to(self.objective.dtype)
        return search_separation(self.objective, parameters, seconds=seconds).separation is not None
