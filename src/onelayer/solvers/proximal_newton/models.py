"""Quadratic models of P over a working set, in the two forms that coordinate descent can use."""

import abc

import numpy as np
import scipy.linalg
import torch

from onelayer.losses.curvature import DiagonalCurvature, SoftmaxCurvature

__all__ = ["GramModel", "Model", "RowsModel", "model_of"]

# Up to here the matrix of second derivatives is formed always, and if its work allows it; beyond, products with the
# columns take its place.
_SMALL, _LARGE = 512, 3000
_WORK = 2e10
# Added to the unit diagonal: columns may depend on each other, and rounds of refinement undo what it does.
_JITTER, _ATTEMPTS = 1e-13, 6
_KRYLOV_STEPS = 200


class Model(abc.ABC):
    """½ (w − w₀)ᵀ H (w − w₀) + cᵀ(w − w₀) + Σ l2 w²/2 + Σ l1 |w| over the coefficients of a working set.

    Attributes
    ----------
    w : array of shape (m,)
        Where it stands.
    l1 : array of shape (m,)
        Zero for intercepts.
    """

    w: np.ndarray
    l1: np.ndarray

    @property
    @abc.abstractmethod
    def slope(self):
        """The gradient at w without the L1 part, shape (m,)."""

    @abc.abstractmethod
    def sweep(self, active, sweeps, goal):
        """Take coordinate steps over these coefficients (an array of numbers) until none is pushed by more than goal."""

    @abc.abstractmethod
    def direction(self, active, right, goal):
        """Return about H⁻¹ right over these coefficients alone."""

    @abc.abstractmethod
    def bend(self, active, move):
        """Return what `follow` needs of a move of these coefficients: its curvature moveᵀH move first."""

    @abc.abstractmethod
    def follow(self, active, move, bent, t):
        """Go t times a move."""

    def push(self):
        """Return the least subgradient at w, shape (m,): zero at the minimum."""
        slope, l1 = self.slope, self.l1
        at_zero = np.sign(slope) * np.maximum(np.abs(slope) - l1, 0)
        return np.where(self.w == 0, at_zero, slope + l1 * np.sign(self.w))


class GramModel(Model):
    """H as a matrix.

    Parameters
    ----------
    gram : array of shape (m, m)
        With l2 on its diagonal.
    slope, w, l1 : arrays of shape (m,)
    """

    def __init__(self, gram, slope, w, l1):
        self.gram, self.w, self.l1 = gram, w, l1
        self._slope = slope

    @property
    def slope(self):
        return self._slope

    def sweep(self, active, sweeps, goal):
        from onelayer.solvers.proximal_newton.sweeps import gram_sweeps

        return gram_sweeps(self.gram, self._slope, self.w, self.l1, active, sweeps, goal)

    def direction(self, active, right, goal):
        del goal
        part = self.gram[np.ix_(active, active)]
        unit = np.sqrt(part.diagonal())
        unit = np.where(unit > 0, unit, 1.0)
        part /= np.outer(unit, unit)
        jitter = _JITTER * len(part)
        for _ in range(_ATTEMPTS):
            np.fill_diagonal(part, part.diagonal() + jitter)
            try:
                factor = scipy.linalg.cho_factor(part, lower=True, check_finite=False)
            except scipy.linalg.LinAlgError:
                jitter *= 30
                continue
            return scipy.linalg.cho_solve(factor, right / unit, check_finite=False) / unit
        return None

    def bend(self, active, move):
        bent = move @ self.gram[active]
        return max(bent[active] @ move, 0.0), bent

    def follow(self, active, move, bent, t):
        self.w[active] += t * move
        self._slope += t * bent


class RowsModel(Model):
    """H as products with the columns: (1/S) Σ s_i J_i ⊗ x_i x_iᵀ + l2.

    Parameters
    ----------
    columns : Columns
    entries : Entries
    curvature : DiagonalCurvature or SoftmaxCurvature
    residual : float64 tensor of shape (n, outputs)
        Weights included.
    w, l1, l2 : arrays of shape (m,)
    """

    def __init__(self, columns, entries, curvature, residual, w, l1, l2):
        self.columns, self.entries, self.curvature = columns, entries, curvature
        self.w, self.l1, self.l2 = w, l1, l2
        self._rows = columns.rows.cpu().numpy()
        self._position, self._output = entries.position.cpu().numpy(), entries.output.cpu().numpy()
        share = columns.share
        self._share = share.cpu().numpy()
        self._residual = np.ascontiguousarray((residual.T / columns.objective.total_weight).cpu().numpy())
        diagonals = curvature.diagonals()
        self._p = np.ascontiguousarray(
            (curvature.p if self._coupled else diagonals * share).double().cpu().numpy()
        )
        self._mean = np.zeros(residual.shape[0])
        self._curve = np.empty(len(w))
        for k in range(len(diagonals)):
            mine = self._output == k
            h = (diagonals[k] * share).double()
            self._curve[mine] = (columns.rows.square() @ h).cpu().numpy()[self._position[mine]]
        self._curve += l2

    @property
    def _coupled(self):
        return isinstance(self.curvature, SoftmaxCurvature)

    @property
    def slope(self):
        residual = self._residual
        if self._coupled:
            residual = residual - self._p * (self._share * self._mean)
        pulled = torch.from_numpy(self._rows) @ torch.from_numpy(residual).T
        return pulled.numpy()[self._position, self._output] + self.l2 * self.w

    def sweep(self, active, sweeps, goal):
        from onelayer.solvers.proximal_newton.sweeps import coupled_sweeps, diagonal_sweeps

        given = self._rows, self._position, self._output, self._residual
        rest = self._curve, self.l2, self.w, self.l1, active, sweeps, goal
        if self._coupled:
            return coupled_sweeps(*given, self._share, self._p, self._mean, *rest)
        return diagonal_sweeps(*given, self._p, *rest)

    def direction(self, active, right, goal):
        """By conjugate gradients."""
        scale = 1 / np.where(self._curve[active] > 0, self._curve[active], 1.0)
        found, left = np.zeros_like(right), right.copy()
        ahead = scale * left
        size = left @ ahead
        for _ in range(_KRYLOV_STEPS):
            curved, bent = self.bend(active, ahead)
            if not curved > 0:
                break
            length = size / curved
            found += length * ahead
            left -= length * self._pulled(active, bent, ahead)
            if np.abs(left).max() <= goal / 2:
                break
            following = scale * left
            size, last = left @ following, size
            ahead = following + (size / last) * ahead
        return found

    def bend(self, active, move):
        table = np.zeros((len(self._residual), len(self._rows)))
        table[self._output[active], self._position[active]] = move
        slopes = (torch.from_numpy(table) @ torch.from_numpy(self._rows)).numpy()
        if self._coupled:
            mean = (self._p * slopes).sum(axis=0)
            bent = self._share * self._p * (slopes - mean)
        else:
            mean, bent = 0.0, self._p * slopes
        curved = (bent * slopes).sum() + (self.l2[active] * move) @ move
        return max(curved, 0.0), (slopes, mean, bent)

    def follow(self, active, move, bent, t):
        slopes, mean, product = bent
        self.w[active] += t * move
        if self._coupled:
            self._residual += t * self._share * self._p * slopes
            self._mean += t * mean
        else:
            self._residual += t * product

    def _pulled(self, active, bent, move):
        pulled = (torch.from_numpy(self._rows) @ torch.from_numpy(bent[2]).T).numpy()
        return pulled[self._position[active], self._output[active]] + self.l2[active] * move


def model_of(columns, entries, curvature, residual, w, penalty):
    """Return the Model of P around coefficients w, in the form that costs less."""
    objective, size = columns.objective, len(entries)
    penalised = entries.penalised.cpu().numpy()
    l1, l2 = (np.where(penalised, strength, 0.0) for strength in (penalty.l1, penalty.l2))
    w = w.cpu().numpy().copy()
    known = isinstance(curvature, (DiagonalCurvature, SoftmaxCurvature))
    work = objective.rows * float(size) ** 2
    if known and size > _SMALL and (size > _LARGE or work > _WORK):
        objective._work.add(2 * objective.rows * size / (objective.features * objective.outputs))
        return RowsModel(columns, entries, curvature, residual, w, l1, l2)
    if objective.loss.name == "squared":
        # The same at every point.
        gram = _gathered(columns.gram(), entries).cpu().numpy()
    else:
        objective._work.add(objective.rows * size**2 / (objective.features * objective.outputs))
        gram = _gram(columns, entries, curvature).cpu().numpy()
    gram[np.diag_indices(size)] += l2
    pulled = (columns.rows @ residual) / objective.total_weight
    slope = pulled[entries.position, entries.output].cpu().numpy() + l2 * w
    return GramModel(gram, slope, w, l1)


def _gathered(gram, entries):
    """Return the entries' part of a matrix over columns, the same for each output."""
    part = gram[entries.position.unsqueeze(1), entries.position]
    return part * (entries.output.unsqueeze(1) == entries.output)


def _gram(columns, entries, curvature):
    """Return (1/S) Σ s_i J_i ⊗ x_i x_iᵀ over the entries."""
    size = len(entries)
    gram = columns.rows.new_zeros(size, size)
    if isinstance(curvature, (DiagonalCurvature, SoftmaxCurvature)):
        diagonals = curvature.p if isinstance(curvature, SoftmaxCurvature) else curvature.diagonals()
        for k in torch.unique(entries.output).tolist():
            mine = (entries.output == k).nonzero().squeeze(1)
            rows = columns.rows[entries.position[mine]]
            gram[mine.unsqueeze(1), mine] = (rows * (diagonals[k] * columns.share)) @ rows.T
        if isinstance(curvature, SoftmaxCurvature):
            rows = columns.rows[entries.position] * curvature.p[entries.output]
            gram -= (rows * columns.share) @ rows.T
        return gram
    # A loss of K scores that gives nothing but products: column by column.
    for e in range(size):
        unit = columns.rows.new_zeros(columns.rows.shape[1], columns.objective.outputs)
        unit[:, entries.output[e]] = columns.rows[entries.position[e]]
        bent = curvature.product(unit) * columns.share.unsqueeze(1)
        gram[:, e] = (columns.rows @ bent)[entries.position, entries.output]
    return gram
