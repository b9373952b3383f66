"""What a proof says."""

import dataclasses
import math

import torch

from onelayer.certificates.reach import Reach

__all__ = ["Certificate", "relative_gap", "rounding_value"]

_EPS = torch.finfo(torch.float64).eps
# A residual of so many roundings of its target is no residual: constant targets are met, never exactly.
_ROUNDINGS = 32


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A proof of how good coefficients are, kept as ``est.certificate_``.

    Attributes
    ----------
    gap : float
        P(W, b) − min P is at most this.
    relative_gap : float
        gap / max(|P|, ε P₀), P₀ the value of the best constant model and ε the float64 rounding unit.
    objective : float
        P(W, b) in float64.
    kind : str
        "gradient-point" or "tilted-point" (Fenchel duality gap at the gradient, or at a Newton step), "quadratic" (exact,
        squared error), "self-concordance" or
        "projected-point" (no penalty), "concomitant-point" (Huber's regression with a scale).
    dtype : str
        The arithmetic of the proof.
    weight_radius : float or None
        With an L2 penalty: the optimal W is within this Euclidean distance, √(2 gap / α), of this one.
    reach : Reach or None
        From ``onelayer.certify``: also how far scores and probabilities of given rows can be off.
    """

    gap: float
    relative_gap: float
    objective: float
    kind: str
    dtype: str = "float64"
    weight_radius: float | None = None
    reach: Reach | None = None

    def to_dict(self):
        """Return the numbers as JSON-ready builtins, without the reach."""
        values = dataclasses.asdict(dataclasses.replace(self, reach=None))
        del values["reach"]
        return values

    @property
    def message(self):
        """What follows, in words."""
        how = {
            "gradient-point": "Fenchel duality gap at the gradient point",
            "tilted-point": "Fenchel duality gap at the Newton-tilted point",
            "self-concordance": "self-concordance of the loss, which also proves that a minimum exists",
            "projected-point": "duality gap at residuals orthogonal to every column",
            "concomitant-point": "duality gap of Huber's regression with its scale",
            "quadratic": "exact second-order distance of a quadratic objective",
        }[self.kind]
        text = (
            f"The objective {self.objective:.8g} is at most {self.gap:.2g} above the smallest possible one, "
            f"{self.relative_gap:.2g} of its value ({how}, {self.dtype})."
        )
        if self.weight_radius is None:
            return text
        text += f" So the optimal weights are within {self.weight_radius:.2g} of these in Euclidean norm"
        return f"{text}{self.reach.clause if self.reach else ''}."

    def __str__(self):
        return self.message


def rounding_value(wide):
    """Return a P so small that it is but the rounding of the targets; `wide` is an Objective in float64."""
    if wide.loss.targets != "real":
        return 0.0
    return (_ROUNDINGS * _EPS) ** 2 * wide.value(wide.zeros(), wide.zero_scores())


def relative_gap(gap, value, constant_value, rounding_value):
    """Return gap / max(|P|, ε P₀); 0 for 0/0, and where P is no more than the rounding of the targets."""
    if not math.isfinite(value):
        # Beside an infinite P every gap would be nothing.
        return math.inf
    if abs(value) <= rounding_value:
        return 0.0
    return gap / max(abs(value), _EPS * abs(constant_value))
