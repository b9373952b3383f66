"""From the last state of a run to its Outcome: what is returned, what is proven, and what a person reads."""

import dataclasses
import math
import time
from typing import Any

from onelayer.certificates import Certificate
from onelayer.diagnosis import diagnose
from onelayer.parameters import Parameters
from onelayer.result import Result, Status
from onelayer.solvers.base import State

__all__ = ["Outcome", "conclude"]

_CUT_SHORT = (Status.STALLED, Status.MAX_ITER, Status.TIME_LIMIT)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run leaves behind.

    Attributes
    ----------
    parameters : Parameters
    result : Result
        The account of how they came about.
    certificate : Certificate or None
        Their proof.
    state : State
        The solver's own, with what it learnt on the way (the rank of the columns, from least squares).
    certifier : Certifier or SweptCertifier, optional
        What has proven it.
    """

    parameters: Parameters
    result: Result
    certificate: Certificate | None
    state: State
    certifier: Any = None


def conclude(run, status, why):
    """Return the Outcome of a run of the loop that ended with this status, for this reason."""
    # What was proven is what is returned. Asked to make so many steps means: the last of them. Otherwise the best one.
    last = status is Status.CONVERGED or (status is Status.FINISHED and run.solver.approximate)
    chosen = run.state if last and math.isfinite(run.state.value) else run.best
    if run.kept is not None and run.kept[0] is not chosen:
        chosen, iteration = run.kept
        why = f"{why}; the coefficients of iteration {iteration} are kept, as a callback asked"
        # What was proven is not what is returned.
        status = Status.FINISHED if status is Status.CONVERGED else status
    certificate = run.watch.tightened(run.watch.certificate_of(chosen), chosen)
    gap = certificate and certificate.relative_gap
    if gap is not None and status in _CUT_SHORT and gap <= run.tol:
        status, why = Status.CONVERGED, f"the certified relative gap is {gap:.2g}, at most tol={run.tol:g}"
    asked_for_less = status is Status.STALLED or not run.solver.approximate
    if not run.tol and status in _CUT_SHORT and asked_for_less:
        status, why = Status.FINISHED, f"{why} (tol=0 asks for no more)"
    if chosen is run.state and gap is not None:
        run.trace[-1].relative_gap = gap
    arithmetic = _arithmetic(run, chosen)
    found = _diagnosis(run, chosen, status, gap, arithmetic)
    if found and found.cause == "separated":
        status = Status.SEPARATED
    objective = run.objective
    final = chosen.parameters.to(objective.dtype)
    # Kept scores may have drifted, so without a proof the value is computed once more from the coefficients.
    value = certificate.objective if certificate else objective.counted_anew().value(final)
    result = Result(
        status,
        _message(run, status, why, gap, found),
        value,
        objective.passes,
        time.perf_counter() - run.began,
        run.trace[-1].iteration,
        run.trace,
        run.solver.name,
        repr(run.solver),
        str(objective.design.device),
        arithmetic,
    )
    return Outcome(final, result, certificate, chosen, run.watch.certifier)


def _arithmetic(run, state):
    """Return the dtype of the fit, in words where a solver went on in a finer one."""
    usual, last = run.objective.dtype, state.parameters.flat.dtype
    name = str(usual).removeprefix("torch.")
    return name if last == usual else f"{name}, last steps in {str(last).removeprefix('torch.')}"


def _diagnosis(run, chosen, status, gap, arithmetic):
    if run.group.size > 1 or (not run.objective.design.resident and run.objective.penalty.l2):
        # It looks at the scores of all rows at once: reads, and memory, that a stream was opened to save; and at a clock, which
        # is another one in each process.
        return None
    try:
        return diagnose(
            run.objective,
            chosen.parameters,
            status,
            run.trace,
            run.tol,
            relative_gap=gap,
            dtype_of_fit=arithmetic,
            obstacle=run.watch.obstacle,
            names=run.names,
        )
    except KeyboardInterrupt:
        # The fit is made; only its explanation was interrupted.
        return None


def _message(run, status, why, gap, found):
    sentence = why[0].upper() + why[1:]
    if status is Status.CONVERGED:
        return f"{sentence}."
    if found and found.cause == "separated":
        return found.message
    if gap is None:
        obstacle = run.watch.obstacle
        reached = f"{sentence}; no bound on the distance to the optimum is known"
        reached += f", because {obstacle}" if obstacle else ""
    elif status is Status.DIVERGED:
        reached = f"{sentence}; the best point on the way is kept, with a certified relative gap of {gap:.2g}"
    else:
        reached = f"{sentence}; the certified relative gap is {gap:.2g}"
        reached += f", more than tol={run.tol:g}" if status in _CUT_SHORT else ""
    return f"{reached}. {found.message}" if found else f"{reached}."
