"""What Huber's regression with a scale is solved in: y of size one, columns about zero, no more columns than rows."""

import dataclasses
import math

import torch

from onelayer.designs import DenseDesign
from onelayer.parameters import Parameters

__all__ = ["Shifted", "Spanned", "Units", "power_of_two"]

# Numbers of X that may be held in float64 for a change of columns (256 MB).
_NUMBERS = 2**25
# Means that are worth a copy of X, in standard deviations.
_FAR = 8.0


def power_of_two(size):
    """Return the power of two that brings a size into [½, 1): exact to multiply with. 1 for zero."""
    return math.ldexp(1.0, max(min(-math.frexp(size)[1], 1020), -1020)) if size else 1.0


@dataclasses.dataclass(frozen=True)
class Units:
    """F(w, b, σ) = F'(w y, b y, σ y) / (y s), with y y_i for y_i, s s_i for s_i and α s / y for α.

    Attributes
    ----------
    target, weight : float
        Powers of two.
    """

    target: float
    weight: float

    @classmethod
    def of(cls, y, sample_weight):
        """Return the units that suit these targets and weights."""
        largest = sample_weight.max().item()
        return cls(power_of_two(y.abs().max().item()), power_of_two(largest))

    def alpha(self, alpha):
        """Return α in these units."""
        return min(alpha / self.target * self.weight, 1e300)

    def parameters(self, parameters):
        """Return coefficients in these units."""
        return parameters.like(parameters.flat * self.target)

    def restored(self, parameters):
        """Return coefficients in the user's units."""
        return parameters.like(parameters.flat / self.target)

    def certificate(self, certificate, alpha):
        """Return a certificate in the user's units."""
        value, gap = (
            number / self.target / self.weight for number in (certificate.objective, certificate.gap)
        )
        radius = math.sqrt(gap / alpha) if alpha else None
        return dataclasses.replace(certificate, objective=value, gap=gap, weight_radius=radius)


@dataclasses.dataclass(frozen=True)
class Shifted:
    """w·x + b = w·(x − m) + b', b' = b + w·m: where columns are far from zero both terms are large and cancel in residuals.

    Attributes
    ----------
    design : DenseDesign
        Of x − m, a copy.
    mean : tensor of shape (features,)
        m.
    """

    design: DenseDesign
    mean: torch.Tensor

    @classmethod
    def of(cls, design, sample_weight):
        """Return it for a dense design with such columns; else None."""
        if not isinstance(design, DenseDesign):
            return None
        mean, deviation = design.moments(sample_weight)
        if not bool((mean.abs() > _FAR * deviation).any()):
            return None
        return cls(DenseDesign(design.dense(slice(0, design.rows)).double() - mean, torch.float64), mean)

    def inner(self, parameters):
        """Return (w, b') of (w, b)."""
        return Parameters.of(parameters.weight, parameters.bias + parameters.weight @ self.mean)

    def outer(self, parameters):
        """Return (w, b) of (w, b')."""
        return Parameters.of(parameters.weight, parameters.bias - parameters.weight @ self.mean)


@dataclasses.dataclass(frozen=True)
class Spanned:
    """X = L Qᵀ with L square and orthonormal columns of Q: an optimal w lies in the span of the rows, w = Q v, |w| = |v|.

    Attributes
    ----------
    design : DenseDesign
        L.
    basis : tensor of shape (features, rows)
        Q.
    """

    design: DenseDesign
    basis: torch.Tensor

    @classmethod
    def of(cls, design):
        """Return it where there are fewer rows than columns, and not too many of both; else None."""
        if design.rows >= design.features or design.rows * design.features > _NUMBERS:
            return None
        rows = design.dense(slice(0, design.rows)).double()
        basis, triangle = torch.linalg.qr(rows.T)
        return cls(DenseDesign(triangle.T.contiguous(), torch.float64), basis)

    def inner(self, parameters):
        """Return v of w = Q v, which leaves out what no row sees."""
        return Parameters.of(parameters.weight @ self.basis, parameters.bias)

    def outer(self, parameters):
        """Return w = Q v."""
        return Parameters.of(parameters.weight @ self.basis.T, parameters.bias)
