"""What a proof says."""

import dataclasses

__all__ = ["Certificate"]


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
        "gradient-point" (Fenchel duality gap) or "quadratic" (exact, squared error).
    dtype : str
        The arithmetic of the proof.
    """

    gap: float
    relative_gap: float
    objective: float
    kind: str
    dtype: str = "float64"

    @property
    def message(self):
        """What follows, in words."""
        how = {
            "gradient-point": "Fenchel duality gap at the gradient point",
            "quadratic": "exact second-order distance of a quadratic objective",
        }[self.kind]
        return (
            f"The objective {self.objective:.8g} is at most {self.gap:.2g} above the smallest possible one, "
            f"{self.relative_gap:.2g} of its value ({how}, {self.dtype})."
        )

    def __str__(self):
        return self.message
