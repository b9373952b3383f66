"""The fast way: Cholesky of a Gram matrix, where its condition allows it."""

import torch

from onelayer.solvers.least_squares.rows import power_of_two

__all__ = ["Cholesky", "Direct"]

# How far the Gram matrix may be off, in rounding units of its products, times the sum of the variance inflations, before
# the factor is no good to refine with.
_TRUST = 0.1
_UNITS = 32.0
# A column that is so many rounding units of its own entries away from the others is not one of their combinations.
_APART = 40.0


class Cholesky:
    """The factor of H = [1 A]ᵀ S [1 A] + diag(0, λ), columns scaled to unit length.

    `inflation` is (H⁻¹)_jj H_jj, for a column without penalty one over its squared relative distance from the span of
    all others; the sum over j bounds the condition of the scaled matrix from above, and from below up to its size. `rate`
    is what a correction by this factor leaves of an error, at most.
    """

    def __init__(self, unit, lower, inflation, gram, rate):
        self._unit, self._lower, self.rate = unit.unsqueeze(1), lower, rate
        self.inflation, self._diagonal = inflation, gram.diagonal()

    @classmethod
    def of(cls, gram, rounding):
        """Return the factor of a Gram matrix made with this rounding unit, or None if it is too ill-conditioned."""
        diagonal = gram.diagonal()
        if not bool(torch.isfinite(gram).all() & (diagonal > 0).all()):
            return None
        unit = 1 / power_of_two(diagonal.sqrt())
        lower, failed = torch.linalg.cholesky_ex(gram * unit * unit.unsqueeze(1))
        if failed.item():
            return None
        inverse = torch.linalg.solve_triangular(
            lower, torch.eye(len(gram), dtype=gram.dtype, device=gram.device), upper=False
        )
        inflation = inverse.square().sum(dim=0) * unit.square() * diagonal
        rate = _UNITS * rounding * inflation.sum().item()
        return cls(unit, lower, inflation, gram, rate) if rate <= _TRUST else None

    def solve(self, right):
        """Return H⁻¹ right."""
        return self._unit * torch.cholesky_solve(self._unit * right, self._lower)

    def shows_full_rank(self, noise):
        """Return whether each column (all but the ones) is surely no combination of the others.

        `noise` is how far one rounding of each entry of X can move the columns, in the units of A.
        """
        features = len(noise)
        apart = (self._diagonal / self.inflation)[-features:]
        return bool((apart > (_APART * noise).square()).all())


class Direct:
    """Least squares by a Cholesky factor: its coefficients are those of all columns."""

    unique = True
    units = 1.0

    def __init__(self, rows, factor, right, empty, dependent):
        self._rows, self._factor, self._right, self.dependent = rows, factor, right, dependent
        # Rounding is not to move the coefficients of columns of zeros.
        self._moved = (~empty).double().unsqueeze(1) if bool(empty.any()) else None
        self.rank, self.rate = rows.features - len(dependent), factor.rate

    def start(self):
        """Return the solution of the normal equations, as its own unknowns and as coefficients."""
        found = self.solve(self._right)
        return found, found

    def coefficients(self, found):
        """Return those of all columns: the same."""
        return found

    def correction(self, place):
        """Return the step that the normal equations ask for."""
        return self.solve(self._rows.descent(place.fit, place.coefficients))

    def solve(self, descent):
        """Return H⁻¹ times a negative gradient."""
        step = self._factor.solve(descent)
        if self._moved is not None:
            step[self._rows.lead :] *= self._moved
        return step
