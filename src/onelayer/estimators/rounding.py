"""What is proven of coefficients as they are returned: in the units of the features, and rounded to them."""

import dataclasses
import math

import torch

from onelayer.result import Status

__all__ = ["as_returned", "tells"]

# Rounding may add this share of tol to a relative gap before it is looked at.
_SHARE = 0.01


def tells(scaling, dtype, tol):
    """Return whether coefficients of standardised features, brought to the features' own units in `dtype`, may miss `tol`.

    An intercept takes up weights times means; rounded, it moves every score by about eps · mean / deviation, and the relative
    objective by the square of that.
    """
    if scaling is None or dtype == torch.float64:
        return False
    far = (scaling.mean.abs() / scaling.scale).max().item() if len(scaling.mean) else 0.0
    return not (torch.finfo(dtype).eps * far) ** 2 <= _SHARE * tol


def as_returned(outcome, objective, undo, tol):
    """Return the Outcome with the proof of its coefficients as :meth:`Undo.to_features` rounds them.

    P − min P there is what was proven of the solver's coefficients and the difference of the two P, which is computed.
    """
    proof = outcome.certificate
    if proof is None or not tells(undo.scaling, outcome.parameters.flat.dtype, tol):
        return outcome
    found = undo.to_features(outcome.parameters)
    value = objective.as_dtype(torch.float64).value(undo.to_solver(found.to(torch.float64)))
    more = value - proof.objective
    if not more > 0:
        return outcome
    gap = proof.gap + more
    size = proof.gap / proof.relative_gap if proof.relative_gap else abs(value) or math.inf
    radius = None if proof.weight_radius is None else math.sqrt(2 * gap / objective.penalty.l2)
    proof = dataclasses.replace(
        proof, gap=gap, relative_gap=gap / size, objective=value, weight_radius=radius
    )
    result = outcome.result
    result.objective = value
    if result.status is Status.CONVERGED and proof.relative_gap > tol:
        result.status = Status.STALLED
        result.message = (
            f"The certified relative gap is {proof.relative_gap:.2g}: float32 holds no better coefficients of features whose means "
            "are so many times their deviations. Give float64 data, dtype='float64', or features less their means."
        )
    return dataclasses.replace(outcome, certificate=proof, result=result)
