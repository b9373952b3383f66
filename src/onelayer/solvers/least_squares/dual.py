"""Fewer rows than columns: the problem in the rows' own space."""

import math

import numpy as np
import scipy.linalg
import torch

from onelayer.solvers.least_squares.ranks import dependent_columns, like, solve_triangle, to_numpy
from onelayer.solvers.least_squares.rows import power_of_two

__all__ = ["Dual"]

# Numbers in a block of columns.
_NUMBERS = 2**22
# Rows that are nearer to the span of the others than so many rounding units (times their number) are no basis.
_UNITS = 10.0


class Dual:
    """W = B U with B = [√S (X − mean)]ᵀ: the shortest of the W that fit best, or the penalised one.

    B = Q R comes from QR of blocks of columns of X, one on top of the other; Q is not kept. A pivoted QR of R finds
    rows that make up the others: B Π = Q Q₂ [R₁₁ R₁₂]. What is solved for is v in W = Q Q₂ v, that is
    min ‖√S t − C v‖² + S α ‖v‖² with C = Π [R₁₁ R₁₂]ᵀ, and U is R₁₁⁻¹ v for the rows of the basis, zero for the others.

    The intercept is a reflection of the rows that leaves all the ones in the first, which is left out. Memory is rows²,
    and a block of columns; p columns cost 2 rows² p operations.
    """

    unique = False
    rate = 1.0

    def __init__(self, rows):
        self._rows = rows
        root = torch.ones(rows.count, dtype=torch.float64, device=rows.target.device)
        self._root = root if rows.weight is None else rows.weight[:, 0].sqrt()
        self._active = self._root > 0
        self._mirror = _mirror(self._root[self._active]) if rows.lead else None
        # Of the shifted columns; not quite zero, by rounding.
        share = self._root.square().unsqueeze(1) / rows.total
        blocks = rows.blocks(rows.wide, _NUMBERS)
        self._means = sum(share[index].T @ block for index, block in blocks).squeeze(0)
        # One power of two for all columns: the shortest W is a question of their units.
        self._unit = power_of_two(rows.scale.max() * math.sqrt(rows.total))
        self._ridge = rows.alpha / self._unit.item() / self._unit.item()
        self._basis, self._corner, self._inner = _basis(to_numpy(self._qr()))
        padded = np.concatenate([self._inner, math.sqrt(self._ridge) * np.eye(len(self._corner))])
        self._triangle = scipy.linalg.qr(padded, mode="r", check_finite=False)[0][: len(self._corner)]
        # What one unit of each v does to the scores: v differ by as much as units of columns do.
        self.units = like(np.abs(np.diag(self._triangle))[:, None], rows.target)
        independent = len(self._corner)
        self.dependent = dependent_columns(
            self._scaled, rows.features, len(self._inner), independent, rows.noise()
        )
        self.rank = rows.features - len(self.dependent)
        # Where units differ by more than float64 has digits, the small ones are lost in R.
        self.complete = bool(self._ridge) or self.rank <= independent

    def start(self):
        """Return the v that fits best, and the coefficients of the columns."""
        rows, v = self._rows, self._solve(self._inside(self._rows.target))
        coefficients = self.coefficients(v)
        if rows.lead:
            weight = 1.0 if rows.weight is None else rows.weight
            coefficients[0] += (weight * rows.target).sum(dim=0) / rows.total
        return v, coefficients

    def coefficients(self, v):
        """Return what v adds to the coefficients of the columns. Costs half a pass."""
        rows = self._rows
        rows.book(0.5)
        inside = np.zeros((len(self._inner), v.shape[1]))
        inside[self._basis] = solve_triangle(self._corner, to_numpy(v))
        dual = self._outside(like(inside, v))
        total = dual.new_zeros(dual.shape[1], rows.features)
        for index, block in rows.blocks(rows.wide, _NUMBERS):
            # In the units of this class: (X − mean) / unit.
            total += dual[index].T @ (block * (rows.scale / self._unit))
        slopes = (total / self._unit * rows.scale).T
        # The mean of the scores stays where it is.
        return torch.cat([-(self._means @ slopes).unsqueeze(0), slopes]) if rows.lead else slopes

    def correction(self, place):
        """Return the step of v."""
        return self._solve(self._inside(place.fit.residual), place.own)

    def _solve(self, residual, v=None):
        right = self._inner.T @ to_numpy(residual)
        right = right if v is None else right - self._ridge * to_numpy(v)
        half = solve_triangle(self._triangle, right, transposed=True)
        return like(solve_triangle(self._triangle, half), residual)

    # ---- between rows of X and the inside: weighted, without the mean -----------------------------------------

    def _inside(self, values):
        values = (values * self._root.unsqueeze(1))[self._active]
        return values if self._mirror is None else _reflect(self._mirror, values)[1:]

    def _outside(self, inside):
        if self._mirror is not None:
            inside = _reflect(self._mirror, torch.cat([inside.new_zeros(1, inside.shape[1]), inside]))
        outside = inside.new_zeros(self._rows.count, inside.shape[1])
        outside[self._active] = inside
        return outside * self._root.unsqueeze(1)

    def _columns(self, start, stop, unit):
        rows = self._rows
        columns = slice(start, stop)
        return self._inside((rows.wide.block(slice(None), columns) - rows.shift[columns]) / unit)

    def _scaled(self, start, stop):
        return to_numpy(self._columns(start, stop, self._rows.scale[start:stop]))

    def _qr(self):
        rows = self._rows
        rows.book(rows.count / rows.outputs)
        size = max(rows.count, _NUMBERS // rows.count)
        so_far = rows.target.new_zeros(0, int(self._active.sum()) - rows.lead)
        for start in range(0, rows.features, size):
            block = self._columns(start, min(start + size, rows.features), self._unit).T
            so_far = torch.linalg.qr(torch.cat([so_far, block]), mode="r").R
        return so_far


def _mirror(root):
    """Return the unit vector whose reflection takes the (weighted) ones to the first row."""
    vector = root / root.norm()
    vector[0] += 1
    return vector / vector.norm()


def _reflect(mirror, values):
    return values - 2 * mirror.unsqueeze(1) * (mirror @ values)


def _basis(triangle):
    """Return rows of B that make up the others, their R₁₁, and C."""
    _, pivoted, order = scipy.linalg.qr(triangle, mode="economic", pivoting=True, check_finite=False)
    distance = np.abs(np.diag(pivoted))
    least = _UNITS * len(order) * np.finfo(float).eps * distance.max(initial=0.0)
    rank = int((distance > least).sum())
    inner = np.empty((len(order), rank))
    inner[order] = pivoted[:rank].T
    return order[:rank], pivoted[:rank, :rank], inner
