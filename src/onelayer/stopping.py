"""Stopping rules: each looks at the trace and names an outcome, or returns nothing.

Rules combine: ``a | b`` stops when either does, ``a & b`` when both do.

Examples
--------
>>> import onelayer as ol
>>> rule = ol.stopping.MaxIterations(100) | ol.stopping.GradientNorm(1e-3) & ol.stopping.ObjectiveChange(1e-9)
>>> rule
MaxIterations(100) | GradientNorm(0.001) & ObjectiveChange(1e-09)
"""

import abc
import dataclasses

from onelayer.result import Status

__all__ = ["GradientNorm", "MaxIterations", "ObjectiveChange", "RelativeGap", "Rule", "TimeLimit"]


class Rule(abc.ABC):
    """Says when to stop."""

    @abc.abstractmethod
    def check(self, trace):
        """Return (Status, a sentence about why) or None.

        Parameters
        ----------
        trace : list of onelayer.result.Record
            Never empty.
        """

    def __or__(self, other):
        return _Either(self, other)

    def __and__(self, other):
        return _Both(self, other)


@dataclasses.dataclass(frozen=True)
class _Either(Rule):
    first: Rule
    second: Rule

    def check(self, trace):
        return self.first.check(trace) or self.second.check(trace)

    def __repr__(self):
        return f"{self.first!r} | {self.second!r}"


@dataclasses.dataclass(frozen=True)
class _Both(Rule):
    first: Rule
    second: Rule

    def check(self, trace):
        outcomes = self.first.check(trace), self.second.check(trace)
        if None in outcomes:
            return None
        (status, one), (_, two) = outcomes
        return status, f"{one} and {two}"

    def __repr__(self):
        # `&` binds tighter than `|`.
        parts = [
            f"({rule!r})" if isinstance(rule, _Either) else repr(rule) for rule in (self.first, self.second)
        ]
        return " & ".join(parts)


@dataclasses.dataclass(frozen=True)
class _Threshold(Rule):
    """A rule with one number."""

    limit: float

    def __repr__(self):
        return f"{type(self).__name__}({self.limit!r})"


class MaxIterations(_Threshold):
    """Stop after so many iterations."""

    def check(self, trace):
        if trace[-1].iteration >= self.limit:
            return Status.MAX_ITER, f"the limit max_iter={self.limit:g} was reached"
        return None


class TimeLimit(_Threshold):
    """Stop after so many seconds; looked at once per iteration."""

    def check(self, trace):
        if trace[-1].seconds >= self.limit:
            return Status.TIME_LIMIT, f"the limit time_limit={self.limit:g} s was reached"
        return None


class ObjectiveChange(_Threshold):
    """Stop when one iteration changes the objective by at most this fraction of its value.

    What textbooks stop by. It says how slow the solver is, not how far the optimum is: a small learning rate passes
    it anywhere.
    """

    def check(self, trace):
        if len(trace) < 2:
            return None
        change, value = abs(trace[-2].objective - trace[-1].objective), abs(trace[-1].objective)
        if change <= self.limit * value:
            return (
                Status.FINISHED,
                f"the objective changed by {change:.2g}, at most {self.limit:g} of its value, as asked",
            )
        return None


class GradientNorm(_Threshold):
    """Stop when the largest absolute entry of the gradient is at most this."""

    def check(self, trace):
        norm = trace[-1].gradient_norm
        if norm is not None and norm <= self.limit:
            return (
                Status.FINISHED,
                f"the largest entry of the gradient is {norm:.2g}, at most {self.limit:g}, as asked",
            )
        return None


class RelativeGap(_Threshold):
    """Stop when the certified relative gap is at most this: the only rule that proves something."""

    def check(self, trace):
        gap = trace[-1].relative_gap
        if gap is not None and gap <= self.limit:
            return Status.CONVERGED, f"the certified relative gap is {gap:.2g}, at most tol={self.limit:g}"
        return None
