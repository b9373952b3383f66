"""The accurate way: Householder QR of row blocks, a pivoted QR of the small triangle, the shortest of many answers."""

import numpy as np
import scipy.linalg
import torch

from onelayer.solvers.least_squares.ranks import (
    dependent_columns,
    like,
    reveal,
    solve_triangle,
    to_numpy,
)

__all__ = ["Pivoted", "triangle"]

# A block has at least so many rows for each column, so that the triangle on top of it is the smaller part.
_TALL = 4
_LEAST_ROWS = 4096


def triangle(rows):
    """Return the R of QR of √S [1 A t]: Householder QR of the triangle so far on top of the next block of rows.

    (TSQR along a line; J. Demmel et al., SIAM J. Sci. Comput. 34 (2012).) It is as accurate as QR of the whole, which
    would need a second X to work in. Costs a pass for each column.
    """
    rows.book(rows.features / rows.outputs)
    width = rows.lead + rows.features + rows.outputs
    so_far = rows.target.new_zeros(0, width)
    for index, block in rows.blocks(rows.wide, 0, least=max(_LEAST_ROWS, _TALL * width)):
        ones = torch.ones_like(block[:, : rows.lead])
        stack = torch.cat([ones, block, rows.target[index]], dim=1)
        if rows.weight is not None:
            stack *= rows.weight[index].sqrt()
        so_far = torch.linalg.qr(torch.cat([so_far, stack]), mode="r").R
    return so_far


class Pivoted:
    """Least squares by an orthogonal triangle, also where columns depend on each other.

    Its coefficients are those of a basis of the columns; `coefficients` makes them the shortest W with the same scores.
    Corrections solve the normal equations with R from QR (Björck's corrected semi-normal equations), which loses κ
    rounding units where Cholesky of the Gram matrix loses κ².
    """

    rate = units = 1.0

    def __init__(self, rows, whole):
        lead, features = rows.lead, rows.features
        self._rows, self._lead = rows, lead
        inner = to_numpy(whole[lead : lead + features, lead : lead + features])
        right = to_numpy(whole[: lead + features, lead + features :])
        noise = rows.noise(like(np.linalg.norm(inner, axis=0), rows.target))
        plain = reveal(inner, noise)
        self.rank = plain.rank
        self.dependent = ()
        if self.rank < features:
            self.dependent = dependent_columns(
                lambda start, stop: inner[:, start:stop], features, len(inner), self.rank, noise
            )
            self.rank = features - len(self.dependent)
        if rows.alpha and features <= rows.count:
            # The penalty as rows of data: sqrt(λ_j) V_j should be zero.
            padded = torch.cat([whole, _penalty_rows(rows, whole)])
            whole = torch.linalg.qr(padded, mode="r").R
            inner = to_numpy(whole[lead : lead + features, lead : lead + features])
            right = to_numpy(whole[: lead + features, lead + features :])
            plain = reveal(inner, noise)
        self._basis = plain.order[: plain.rank]
        ones = to_numpy(whole[:lead, : lead + features])
        self._ones = ones[:, lead:] / ones[:, :1] if lead else ones[:, lead:]
        size = lead + plain.rank
        self._factor = np.zeros((size, size))
        self._factor[:lead, :lead] = ones[:, :lead]
        self._factor[:lead, lead:] = ones[:, lead:][:, self._basis]
        self._factor[lead:, lead:] = plain.lead
        right = np.concatenate([right[:lead], plain.rotation.T @ right[lead:]])
        self._first = solve_triangle(self._factor, right)
        self.unique = plain.rank == features
        if not self.unique:
            self._shortest = _Shortest(plain, to_numpy(rows.scale))

    def start(self):
        """Return the coefficients of the basis that Qᵀt gives, and those of all columns."""
        basic = like(self._first, self._rows.target)
        return basic, self.coefficients(basic)

    def coefficients(self, basic):
        """Return the coefficients of all columns."""
        lead, features, basic = self._lead, self._rows.features, to_numpy(basic)
        full = np.zeros((lead + features, basic.shape[1]))
        full[lead + self._basis] = basic[lead:]
        if not self.unique:
            full[lead:] = self._shortest(basic[lead:])
        if lead:
            # The mean of the scores stays where it was.
            full[0] = basic[0] + (self._ones[0][self._basis] @ basic[lead:] - self._ones[0] @ full[lead:])
        return like(full, self._rows.target)

    def correction(self, place):
        """Return the step of the basis that the normal equations ask for."""
        return self.solve(self._rows.descent(place.fit, place.coefficients))

    def solve(self, descent):
        """Return (RᵀR)⁻¹ times a negative gradient, for the columns of the basis."""
        lead, right = self._lead, to_numpy(descent)
        right = np.concatenate([right[:lead], right[lead + self._basis]])
        return like(
            solve_triangle(self._factor, solve_triangle(self._factor, right, transposed=True)), descent
        )


class _Shortest:
    """The shortest W whose scores are those of given coefficients f of a basis: min ‖W‖ with F (scale ∘ W) = f.

    F = [1 T] Πᵀ says how the columns are made of the basis. A second basis, of the columns of the largest units that
    will do, gives W_basis + T̂ W_others = f̂ with entries of T̂ that are not large, whatever the units of columns: the
    normal equations of [1; T̂ᵀ] are then no danger, and one round of refinement makes up for them.
    """

    def __init__(self, revealed, scale):
        self._scale = scale[:, None]
        rank = revealed.rank
        made_of = np.empty((rank, len(scale)))
        made_of[:, revealed.order] = np.concatenate([np.eye(rank), revealed.combinations()], axis=1)
        self._rotation, pivoted, self._order = scipy.linalg.qr(
            made_of * scale, mode="economic", pivoting=True, check_finite=False
        )
        self._lead = pivoted[:, :rank]
        others = solve_triangle(self._lead, pivoted[:, rank:])
        self._rows = np.concatenate([np.eye(rank), others.T])
        self._triangle = np.linalg.qr(self._rows, mode="r")

    def __call__(self, wanted):
        wanted = solve_triangle(self._lead, self._rotation.T @ wanted)
        weight = self._weight(wanted)
        weight += self._weight(wanted - self._rows.T @ weight)
        shortest = np.empty_like(weight)
        shortest[self._order] = weight
        return shortest * self._scale

    def _weight(self, wanted):
        half = solve_triangle(self._triangle, wanted, transposed=True)
        return self._rows @ solve_triangle(self._triangle, half)


def _penalty_rows(rows, whole):
    added = whole.new_zeros(rows.features, whole.shape[1])
    added[:, rows.lead : rows.lead + rows.features] = torch.diag(rows.ridge[:, 0].sqrt())
    return added
