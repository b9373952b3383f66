"""From a fit that ended short of its ``tol`` to one measured sentence and the one argument to change."""

import dataclasses
import math
from typing import Any, Literal

from onelayer.diagnosis.budget import extrapolate
from onelayer.diagnosis.nearness import find_nearness
from onelayer.diagnosis.obstacle import find_obstacle
from onelayer.diagnosis.precision import find_floors
from onelayer.diagnosis.scales import find_scales
from onelayer.diagnosis.separation import search_separation
from onelayer.diagnosis.sides import may_be_separated
from onelayer.diagnosis.words import rounded_up
from onelayer.result import Status

__all__ = ["Diagnosis", "diagnose"]

Cause = Literal["separated", "nearly separated", "scales", "precision", "budget", "no certificate", "unknown"]

# Coefficients rounded to float32 are rarely worse than this, so looser tolerances need no measurement.
_ASKS_MUCH = 1e-12
# The linear programme may take as long as the fit took, but not less than the first of these and not more.
_SECONDS = 1.0, 10.0


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Why a fit ended short of its ``tol``.

    Attributes
    ----------
    cause : str
        "separated", "nearly separated", "scales", "precision", "budget", "no certificate" or "unknown".
    sentence : str
        What was measured.
    action : str
        The one argument to change, as it is written in a call.
    finding : Separation, Nearness, ScaleFinding, Floors, Budget, Obstacle or None
        The measurement itself.
    """

    cause: Cause
    sentence: str
    action: str
    finding: Any = None

    @property
    def message(self):
        """Cause and way out in one sentence."""
        return f"{self.sentence.removesuffix('.')}: set {self.action}."

    def __str__(self):
        return self.message


def diagnose(
    objective,
    parameters,
    status,
    trace,
    tol,
    *,
    relative_gap=None,
    previous=None,
    names=None,
    dtype_of_fit=None,
    obstacle=None,
):
    """Say why a fit ended short of its `tol`, or return None if it did not, or was interrupted or diverged.

    The checks, and why in this order:

    1. Separation (classes, no penalty): no optimum exists, so nothing below can help.
    2. A gradient as small as was asked for, without a certificate: the fit is done, only the proof is missing.
    3. Precision: no step and no time gets below the rounding of the arithmetic.
    4. Budget, if three times the iterations made will do: it is the only change that leaves the problem as it is.
    5. Column scales, 6. nearly separated data: they make a fit slow, and the cure changes the penalised problem.
    7. Budget, whatever it costs, or that the rate cannot be measured.
    8. The missing certificate, or that none of these explains it.

    Nothing is raised: what cannot be measured is "unknown". The objective's count of work stays as it is.

    Parameters
    ----------
    objective : Objective
    parameters : Parameters
        What the fit returns.
    status : Status
    trace : list of onelayer.result.Record
    tol : float
    relative_gap : float, optional
        The certified one, where there is one.
    previous : Parameters, optional
        Where the solver stood some steps before.
    names : sequence of str, optional
        Of the features.
    dtype_of_fit : str, optional
        As in ``result_.dtype``: "float32", "float64" or "float32, last steps in float64"; default: the objective's.
    obstacle : str, optional
        Why there is no certificate, in words.

    Returns
    -------
    Diagnosis or None

    Examples
    --------
    >>> import onelayer as ol
    >>> from onelayer.diagnosis import diagnose
    >>> objective = ol.LogisticRegression(C=float("inf")).objective([[1.0], [2.0], [3.0], [4.0]], [0, 0, 1, 1])
    >>> start = objective.zeros()
    >>> record = ol.result.Record(0, 0.01, 1.0, objective.value(start), gradient_norm=0.5)
    >>> print(diagnose(objective, start, "max_iter", [record], tol=1e-6, names=["age"]))
    Column 'age' alone separates the classes without error (all 4 rows), so without a penalty its coefficient grows for
    ever and no optimum exists: set C=1.0.
    """
    if str(status) not in (Status.MAX_ITER, Status.TIME_LIMIT, Status.STALLED, Status.SEPARATED):
        return None
    dtype = dtype_of_fit or str(objective.dtype).removeprefix("torch.")
    case = _Case(
        objective, parameters, str(status), trace, tol, relative_gap, previous, names, dtype, obstacle
    )
    try:
        return case.diagnosis()
    # The fit is made, and must not be lost because its account fails: on a loss of the user's, say, or for memory.
    except Exception:  # noqa: BLE001
        return case.unknown()


@dataclasses.dataclass(frozen=True)
class _Case:
    objective: Any
    parameters: Any
    status: str
    trace: list
    tol: float
    gap: float | None
    previous: Any
    names: Any
    dtype: str
    obstacle: Any

    def diagnosis(self):
        checks = (
            self._separated,
            self._done_but_unproven,
            self._precision,
            self._affordable,
            self._scales,
            self._nearly_separated,
            self._budget,
            self._no_certificate,
        )
        return next((found for check in checks if (found := check())), None) or self.unknown()

    @property
    def _limited(self):
        return self.status in (Status.MAX_ITER, Status.TIME_LIMIT)

    def _separated(self):
        if not may_be_separated(self.objective):
            return None
        least, most = _SECONDS
        seconds = min(max(self.trace[-1].seconds, least), most)
        found = search_separation(self.objective, self.parameters, self.previous, seconds=seconds).separation
        return found and Diagnosis("separated", f"{found.sentence(self.names)}.", "C=1.0", found)

    def _done_but_unproven(self):
        last = self.trace[-1]
        if self.gap is not None or self.status != Status.STALLED or last.gradient_norm is None:
            return None
        size = max(abs(last.objective), self.objective.rounding_unit)
        return self._no_certificate() if last.gradient_norm <= self.tol * size else None

    def _precision(self):
        if self._limited and self.tol >= _ASKS_MUCH:
            return None
        floors = find_floors(self.objective, self.parameters)
        if floors is None or not self.tol > 0:
            return None
        # A fit that was cut off might have gone on in float64: then only its coefficients are rounded.
        dtype = (
            f"{self.dtype}, last steps in float64"
            if self.dtype == "float32" and self._limited
            else self.dtype
        )
        here, finest = floors.of(dtype), floors.of("float64")
        if self.tol >= here:
            return None
        arithmetic = "float32" if dtype.startswith("float32") else "float64"
        said = f"In {arithmetic} a relative gap of about {here:.1g} can be reached here, and tol={self.tol:g} asks for less"
        if arithmetic == "float32" and self.tol >= finest:
            said += f"; float64 reaches about {finest:.1g}"
            return Diagnosis("precision", f"{said}.", "dtype='float64'", floors)
        reached = self.gap if self.gap is not None and math.isfinite(self.gap) else 0.0
        return Diagnosis("precision", f"{said}.", f"tol={rounded_up(2 * max(here, reached)):g}", floors)

    def _affordable(self):
        found = self._budget()
        return found if found and found.finding.affordable else None

    def _budget(self):
        if not self._limited:
            return None
        budget = extrapolate(self.trace, self.tol, self.gap, smooth=self.objective.loss.smooth)
        action = budget.action(self.status == Status.TIME_LIMIT)
        return Diagnosis("budget", f"{budget.sentence()}.", action, budget)

    def _scales(self):
        found = find_scales(self.objective)
        return found and Diagnosis("scales", f"{found.sentence(self.names)}.", found.action, found)

    def _nearly_separated(self):
        found = find_nearness(self.objective, self.parameters)
        if found is None:
            return None
        penalty = self.objective.penalty
        strength = penalty.l1 + penalty.l2
        # With a penalty that is too weak to hold the coefficients a hundred times as much of it, else the usual one.
        C = f"{rounded_up(0.01 / (strength * self.objective.total_weight)):g}" if strength else "1.0"
        return Diagnosis("nearly separated", f"{found.sentence()}.", f"C={C}", found)

    def _no_certificate(self):
        if self.gap is not None:
            return None
        norm = self.trace[-1].gradient_norm
        found = find_obstacle(self.objective, self.parameters, norm, self.obstacle)
        return Diagnosis("no certificate", f"{found.sentence()}.", found.action, found)

    def unknown(self):
        """Return what is left to say."""
        if self.gap is None or not (math.isfinite(self.gap) and self.gap > 0):
            action = "dtype='float64'" if self.dtype == "float32" else "standardize=True"
            return Diagnosis(
                "unknown", "No cause could be measured, and no bound on the gap is known.", action
            )
        return Diagnosis(
            "unknown",
            f"Neither precision nor the scales of columns explain the relative gap of {self.gap:.2g}.",
            f"tol={rounded_up(self.gap):g}",
        )
