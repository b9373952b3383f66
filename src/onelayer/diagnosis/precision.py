"""How small a gap an arithmetic can reach."""

import dataclasses
import math

import torch

__all__ = ["Floors", "find_floors"]

_UNITS = {"float32": torch.finfo(torch.float32).eps, "float64": torch.finfo(torch.float64).eps}


@dataclasses.dataclass(frozen=True)
class Floors:
    """Relative gaps below which rounding decides, in float32, as an estimate.

    Attributes
    ----------
    coefficients : float
        What rounding W and b costs.
    gradient : float
        What the rounding of the gradient hides.
    """

    coefficients: float
    gradient: float

    def of(self, dtype):
        """Return the floor of a fit in this arithmetic.

        Both parts are quadratic in the rounding unit, and a certificate adds one unit of float64. A fit in float32 that
        made its last steps in float64 has only its coefficients rounded.
        """
        float64 = _UNITS["float64"]
        finer = (float64 / _UNITS["float32"]) ** 2
        rounded = self.coefficients * (1.0 if dtype.startswith("float32") else finer)
        return 2 * float64 + rounded + self.gradient * (1.0 if dtype == "float32" else finer)


def find_floors(objective, parameters):
    """Return the Floors at these coefficients, or None where the numbers do not allow it.

    Rounding moves θ = (W, b) by δ with |δ_j| ≤ ε|θ_j|/2 and signs of no order, which raises P by ½ δᵀHδ. The gradient
    comes out wrong by some e, a sum of n roundings in each entry, of size ε (Σ_i (s_i r_i x_ij)²)^½ / S; then the
    solver takes for stationary what is worse than the minimum by ½ eᵀH⁻¹e, of which ½ (eᵀv)² / vᵀHv is a part, v being
    e over the diagonal of H. Both as a share of P. Not counted is what a certificate gives away on top (one from the
    gradient alone proves much less where the penalty is weak), nor that many small steps are each rounded too. The
    signs are those of a fixed sequence without order: random ones would make the message random. Costs about five
    passes, booked nowhere.
    """
    wide = objective.counted_anew().as_dtype(torch.float64)
    point = wide.point(parameters.to(torch.float64))
    theta, unit = point.parameters, _UNITS["float32"]
    if not (math.isfinite(point.value) and point.value and wide.loss.smooth):
        return None
    # Uniform in ±ε|θ|/2, so a third of the square.
    moved = theta.like(unit / math.sqrt(12) * theta.flat * _signs(theta.flat))
    rise = (moved.flat @ wide.curvature_product(point, moved).flat).item() / 2
    error, diagonal = _gradient_error(wide, point)
    step = error.like(torch.where(diagonal.flat > 0, error.flat / diagonal.flat, 0.0))
    bend = (step.flat @ wide.curvature_product(point, step).flat).item()
    along = (error.flat @ step.flat).item()
    hidden = along**2 / bend / 2 if bend > 0 else 0.0
    parts = [max(part, 0.0) / abs(point.value) for part in (rise, hidden)]
    return Floors(*parts) if math.isfinite(sum(parts)) else None


def _gradient_error(wide, point):
    """Return the rounding of float32's gradient, and the diagonal of the Hessian (the same for all scores)."""
    weight = wide.sample_weight
    weight = (
        torch.ones(wide.rows, dtype=torch.float64, device=wide.design.device) if weight is None else weight
    )
    squares = point.residual.square().mean(dim=1)
    bend = weight * wide.loss.mean_curvature(point.scores, wide.y).clamp(min=0)
    free = float(wide.fit_intercept)
    error = torch.cat([wide.design.column_norms(squares), free * squares.sum().sqrt().view(1)])
    diagonal = torch.cat([wide.design.column_norms(bend).square(), bend.sum().view(1)]) / wide.total_weight
    diagonal[:-1] += wide.penalty.l2
    size = _UNITS["float32"] * error / wide.total_weight
    return _repeated(size, wide, signed=True), _repeated(diagonal, wide, signed=False)


def _repeated(column, wide, *, signed):
    """Return Parameters whose entries are those of one score, for every score."""
    parameters = wide.zeros()
    parameters.weight[:] = column[:-1]
    parameters.bias[:] = column[-1]
    return parameters.like(parameters.flat * _signs(parameters.flat)) if signed else parameters


def _signs(like):
    """Return ±1 by whether multiples of the golden ratio are in the first half of their unit interval."""
    places = torch.arange(1, like.numel() + 1, dtype=torch.float64, device=like.device)
    return 1.0 - 2.0 * ((places * (math.sqrt(5) - 1) / 2) % 1.0 >= 0.5).double()
