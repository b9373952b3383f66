"""The whole Hessian as one matrix: for problems small enough that nothing cleverer pays."""

import torch

from onelayer.curvature import thresholds as at
from onelayer.parameters import Parameters

__all__ = ["DenseHessian", "WideRows"]

_TINY = torch.finfo(torch.float64).tiny
_ROUNDING = 1e-13


class WideRows:
    """All rows in float64, centred where there is an intercept: kept if they are few, else made block by block.

    Parameters
    ----------
    objective : Objective

    Attributes
    ----------
    columns : int
        Features, and one for the intercept.
    """

    def __init__(self, objective):
        self._design, self._rows = objective.design, objective.rows
        self.columns = objective.features + objective.fit_intercept
        self.mean = None
        if objective.fit_intercept:
            # Features far from zero would cost the Hessian its digits.
            weight = objective.sample_weight
            share = torch.full((self._rows,), 1.0, dtype=torch.float64, device=self._design.device)
            share = share if weight is None else weight.double()
            self.mean = self._mean(share / share.sum())
        few = self._rows * self.columns <= at.WIDE_NUMBERS
        self._block = self._rows if few else max(2 * self.columns, at.WIDE_BLOCK // self.columns)
        self._kept = None

    def blocks(self):
        """Yield slices of rows and these rows, shape (m, columns), each in the place of the one before."""
        if self._kept is not None:
            yield slice(0, self._rows), self._kept
            return
        size = (min(self._block, self._rows), self.columns)
        space = torch.empty(size, dtype=torch.float64, device=self._design.device)
        if self.mean is not None:
            space[:, -1] = 1.0
        for start in range(0, self._rows, self._block):
            part = slice(start, min(start + self._block, self._rows))
            rows = space[: part.stop - start]
            if self.mean is None:
                rows.copy_(self._design.dense(part))
            else:
                torch.sub(self._design.dense(part).double(), self.mean, out=rows[:, :-1])
            if len(rows) == self._rows:
                self._kept = rows
            yield part, rows

    def _mean(self, share):
        """Return Σ share_i x_i, exactly c for a column that is c throughout: centred it is to be zero, not rounding."""
        wide = self._design.as_dtype(torch.float64)
        first = wide.dense(torch.zeros(1, dtype=torch.long, device=self._design.device)).squeeze(0)
        moved = wide.adjoint(share.unsqueeze(1)).squeeze(0) - first
        size = at.CONSTANT * torch.finfo(torch.float64).eps * self._rows * first.abs()
        return first + torch.where(moved.abs() > size, moved, 0.0)

    def reduced(self, gradient):
        """Return a gradient in terms of (W, b + W·mean), shape (outputs, columns)."""
        weight = gradient.weight.double()
        if self.mean is None:
            return weight
        bias = gradient.bias.double().unsqueeze(1)
        return torch.cat([torch.addmm(weight, bias, self.mean.unsqueeze(0), alpha=-1), bias], dim=1)

    def restored(self, moved):
        """Return Parameters for a direction in terms of (W, b + W·mean)."""
        if self.mean is None:
            return Parameters.of(moved, moved.new_zeros(len(moved)))
        weight = moved[:, :-1]
        return Parameters.of(weight, moved[:, -1] - weight @ self.mean)


class DenseHessian:
    """∂²P in float64 with a factor of it; directions in which P is flat (to rounding) are left out.

    Parameters
    ----------
    objective : Objective
        For its weights and penalty; any arithmetic.
    wide : WideRows
    curvature : Curvature
        In float64.

    Attributes
    ----------
    rank : int
        Directions in which P curves, class shifts not counted.
    full : bool
        Whether there are no others.
    """

    def __init__(self, objective, wide, curvature):
        self.wide, self.outputs = wide, objective.outputs
        self._shift, self._coupled = objective.loss.shift_invariant, objective.loss.per_class
        matrix = self._matrix(objective, curvature)
        objective._work.add(objective.rows * objective.features * (objective.outputs if self._coupled else 1))
        self._scale, self._lower, self._vectors, self._flat_vectors, self.rank = _factorized(matrix)
        size = len(matrix) if matrix.ndim == 2 else matrix.shape[0] * matrix.shape[1]
        self.full = self.rank == size
        if self._shift:
            self.rank -= size // self.outputs

    def _matrix(self, objective, curvature):
        """Return H: one matrix for each output, or one for all of them where a loss couples them."""
        outputs, columns, total = self.outputs, self.wide.columns, objective.total_weight
        device = objective.design.device
        blocks = torch.zeros(outputs, columns, columns, dtype=torch.float64, device=device)
        coupled = blocks.new_zeros(outputs * columns, outputs * columns) if self._coupled else None
        weight = objective.sample_weight
        for part, rows in self.wide.blocks():
            share = 1 / total if weight is None else weight[part].double() / total
            if coupled is None:
                h = curvature.diagonals(part).double().clamp(min=0) * share
                blocks += (h.unsqueeze(2) * rows).mT @ rows
            else:
                curvature.add_gram(part, rows, share, blocks, coupled)
        penalised = blocks.new_full((columns,), objective.penalty.smooth_part.l2)
        if objective.fit_intercept:
            penalised[-1] = 0.0
        blocks.diagonal(dim1=1, dim2=2).add_(penalised)
        if coupled is None:
            return blocks
        whole = coupled.view(outputs, columns, outputs, columns)
        whole.diagonal(dim1=0, dim2=2).add_(blocks.permute(1, 2, 0))
        if self._shift:
            # A shift of all classes changes nothing: the direction is filled in, no solution has a part in it.
            fill = coupled.diagonal().view(outputs, columns).mean(dim=0) / outputs
            whole.diagonal(dim1=1, dim2=3).add_(fill)
        return coupled

    def apply(self, gradient):
        """Return H⁻¹ times a gradient (the pseudo-inverse where P is flat)."""
        reduced = self.wide.reduced(gradient)
        return self.wide.restored(self.solve(reduced.unsqueeze(2)).squeeze(2))

    def solve(self, columns):
        """Return H⁻¹ times columns of shape (outputs, features [+ 1], m)."""
        shape = columns.shape
        flat = self._flat(columns)
        scale = self._scale.unsqueeze(-1)
        if self._lower is not None:
            return (scale * torch.cholesky_solve(scale * flat, self._lower)).reshape(shape)
        half = self._vectors.mT @ (scale * flat)
        return (scale * (self._vectors @ half)).reshape(shape)

    def half_solve(self, columns):
        """Return R with RᵀR = columnsᵀ H⁻¹ columns, the columns of shape (outputs, features [+ 1], m)."""
        flat = self._scale.unsqueeze(-1) * self._flat(columns)
        if self._lower is not None:
            return torch.linalg.solve_triangular(self._lower, flat, upper=False)
        return self._vectors.mT @ flat

    def misses(self, gradient):
        """Return the share of a gradient that lies in directions in which P does not curve."""
        if self._flat_vectors is None:
            return 0.0
        scaled = self._scale.unsqueeze(-1) * self._flat(self.wide.reduced(gradient).unsqueeze(2))
        lost = (self._flat_vectors.mT @ scaled).norm().item()
        return lost / max(scaled.norm().item(), 1e-300)

    @property
    def dead(self):
        """Which columns (those of `WideRows.reduced`, for each output) bend nothing at all; `misses` does not see them."""
        return self._scale.reshape(self.outputs, -1) == 0

    def inverse(self):
        """Return H⁻¹ of a coupled Hessian, shape (outputs, columns, outputs, columns)."""
        size = len(self._scale)
        columns = size // self.outputs
        unit = torch.eye(size, dtype=torch.float64, device=self._scale.device)
        whole = self.solve(unit.reshape(self.outputs, columns, size))
        return whole.reshape(self.outputs, columns, self.outputs, columns)

    def inverse_diagonal(self):
        """Return the diagonal of H⁻¹, shape (outputs, columns)."""
        if self._lower is not None:
            diagonal = torch.cholesky_inverse(self._lower).diagonal(dim1=-2, dim2=-1)
        else:
            diagonal = self._vectors.square().sum(dim=-1)
        return (self._scale.square() * diagonal).reshape(self.outputs, -1)

    def flat_directions(self):
        """Return the directions in which P does not curve, shape (outputs, columns, directions)."""
        columns = self.wide.columns
        if self._flat_vectors is None:
            return self._scale.new_zeros(self.outputs, columns, 0)
        finite = torch.where(self._scale > 0, self._scale, 1.0)
        # Entries of a unit vector that are nothing but rounding: it may lie in columns that are zero throughout.
        clean = torch.where(self._flat_vectors.abs() > _ROUNDING, self._flat_vectors, 0.0)
        return (finite.unsqueeze(-1) * clean).reshape(self.outputs, columns, -1)

    def _flat(self, columns):
        return columns if not self._coupled else columns.reshape(-1, columns.shape[-1])


def _factorized(matrix):
    """Return (scale, Cholesky factor or None, V Λ^(−½) or None, flat directions or None, rank).

    The matrix is scaled to unit diagonal first.
    """
    diagonal = matrix.diagonal(dim1=-2, dim2=-1)
    scale = torch.where(diagonal > _TINY, diagonal, torch.inf).rsqrt()
    matrix = scale.unsqueeze(-1) * matrix * scale.unsqueeze(-2)
    size = matrix.shape[-1]
    eps = torch.finfo(torch.float64).eps
    lower, failed = torch.linalg.cholesky_ex(matrix)
    pivots = lower.diagonal(dim1=-2, dim2=-1)
    # A pivot is the share of a column that the ones before it do not explain.
    if not bool(failed.any()) and bool((pivots.square() > 100 * size * eps).all()):
        return scale, lower, None, None, diagonal.numel()
    # A column that bends nothing gets an eigenvalue of its own, far from the zeros: else their eigenvectors mix, and
    # a direction within such columns carries rounding of all the others.
    apart = torch.where(diagonal > _TINY, 0.0, -1.0).to(matrix)
    values, vectors = torch.linalg.eigh(torch.nan_to_num(matrix) + torch.diag_embed(apart))
    kept = values > size * eps * values.amax(dim=-1, keepdim=True)
    root = torch.where(kept, values.clamp(min=_TINY), torch.inf).rsqrt()
    flat = vectors * (~kept).unsqueeze(-2)
    return scale, None, vectors * root.unsqueeze(-2), flat, int(kept.sum())
