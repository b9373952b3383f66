"""The second derivatives of a loss at given scores, kept so that many products cost no exponentials."""

import abc

import torch

__all__ = [
    "Curvature",
    "DiagonalCurvature",
    "ProductCurvature",
    "SoftmaxCurvature",
    "by_class",
    "softmax_by_class",
]

# Up to here a row of scores is too short for vector instructions, and a transposed copy pays.
_FEW_CLASSES = 32


class Curvature(abc.ABC):
    """J_i = ∂²ℓ/∂z_i² for each row i: an outputs x outputs matrix that is applied, never formed.

    Solvers that apply the Hessian of one point dozens of times ask for it once, by :meth:`Loss.curvature
    <onelayer.losses.base.Loss.curvature>`.
    """

    @abc.abstractmethod
    def product(self, v):
        """Return J_i v_i for each row, shape (n, outputs); `v` may be overwritten."""

    @abc.abstractmethod
    def diagonal(self, output):
        """Return the diagonal entry of J_i for one output, shape (n,)."""

    @abc.abstractmethod
    def diagonals(self, rows=slice(None)):
        """Return the diagonals of all outputs, shape (outputs, m), for a slice of rows."""

    def add_gram(self, part, rows, share, blocks, coupled):
        """Add Σ share_i J_i ⊗ x_i x_iᵀ: its first term to `blocks`, what couples outputs to `coupled`.

        Only losses that couple their outputs need it.

        Parameters
        ----------
        part : slice
        rows : float64 tensor of shape (m, columns)
            The x_i of this part.
        share : float or float64 tensor of shape (m,)
        blocks : tensor of shape (outputs, columns, columns)
        coupled : tensor of shape (outputs * columns, outputs * columns)
        """
        raise NotImplementedError(f"{type(self).__name__} does not couple outputs")

    @abc.abstractmethod
    def trace(self):
        """Return the sum of the diagonal, shape (n,)."""

    @abc.abstractmethod
    def mean(self, weight):
        """Return Σ weight_i J_i in float64, shape (outputs, outputs); weight has shape (n,)."""

    @abc.abstractmethod
    def matrices(self, rows=slice(None)):
        """Return the J_i of a slice of rows, shape (m, outputs, outputs): for few rows, or few outputs."""


class DiagonalCurvature(Curvature):
    """For losses in which every score stands alone: J_i = diag(h_i).

    Parameters
    ----------
    h : tensor of shape (n, outputs)
    """

    def __init__(self, h):
        self.h = h

    def product(self, v):
        return v.mul_(self.h)

    def diagonal(self, output):
        return self.h[:, output]

    def diagonals(self, rows=slice(None)):
        return self.h[rows].T

    def add_gram(self, part, rows, share, blocks, coupled):
        del coupled
        blocks += ((self.diagonals(part).double() * share).unsqueeze(2) * rows).mT @ rows

    def trace(self):
        return self.h.sum(dim=1)

    def mean(self, weight):
        return torch.diag(weight.double() @ self.h.double())

    def matrices(self, rows=slice(None)):
        return torch.diag_embed(self.h[rows])


class SoftmaxCurvature(Curvature):
    """J_i = diag(p_i) − p_i p_iᵀ.

    Parameters
    ----------
    p : tensor of shape (outputs, n)
        Probabilities, one row per class (see :func:`by_class`).
    """

    def __init__(self, p):
        self.p = p

    def product(self, v):
        v = by_class(v)
        inner = (self.p * v).sum(dim=0)
        return v.sub_(inner).mul_(self.p).T

    def diagonal(self, output):
        p = self.p[output]
        return p * (1 - p)

    def diagonals(self, rows=slice(None)):
        p = self.p[:, rows]
        return p * (1 - p)

    def add_gram(self, part, rows, share, blocks, coupled):
        p = self.p[:, part].double()
        # (outputs, m, columns): p_ik x_ij, without and with the share.
        plain, weighted = p.unsqueeze(2) * rows, (p * share).unsqueeze(2) * rows
        blocks.baddbmm_(weighted.mT, rows.expand(len(p), -1, -1))
        left, right = (part.transpose(0, 1).reshape(len(rows), -1) for part in (plain, weighted))
        coupled.addmm_(left.T, right, alpha=-1)

    def trace(self):
        return (1 - self.p.square().sum(dim=0)).clamp_(min=0)

    def mean(self, weight):
        weighted = self.p * weight
        return torch.diag(weighted.sum(dim=1, dtype=torch.float64)) - (weighted @ self.p.T).double()

    def matrices(self, rows=slice(None)):
        p = self.p[:, rows].T
        return torch.diag_embed(p) - p.unsqueeze(2) * p.unsqueeze(1)


class ProductCurvature(Curvature):
    """For a loss of K scores that gives nothing but products: its matrices are read off unit vectors.

    Parameters
    ----------
    product : callable
        Takes v of shape (n, outputs) and returns J v.
    like : tensor of shape (n, outputs)
    """

    def __init__(self, product, like):
        self._product, self._like = product, like

    def product(self, v):
        return self._product(v)

    def diagonal(self, output):
        return self._column(output)[:, output]

    def diagonals(self, rows=slice(None)):
        return torch.stack([self.diagonal(k)[rows] for k in range(self._like.shape[1])])

    def add_gram(self, part, rows, share, blocks, coupled):
        outputs, columns = len(blocks), rows.shape[1]
        whole = coupled.view(outputs, columns, outputs, columns)
        for right in range(outputs):
            column = self._column(right)[part].double()
            for left in range(outputs):
                whole[left, :, right] += (rows * (share * column[:, left]).unsqueeze(1)).T @ rows

    def trace(self):
        return torch.stack([self.diagonal(k) for k in range(self._like.shape[1])]).sum(dim=0)

    def mean(self, weight):
        columns = [weight.double() @ self._column(k).double() for k in range(self._like.shape[1])]
        return torch.stack(columns, dim=1)

    def matrices(self, rows=slice(None)):
        return torch.stack([self._column(k)[rows] for k in range(self._like.shape[1])], dim=2)

    def _column(self, output):
        unit = torch.zeros_like(self._like)
        unit[:, output] = 1.0
        return self._product(unit)


def by_class(scores):
    """Return scores of shape (n, K) with one row per class, contiguous where that pays.

    Ten numbers in a row do not fill a register, and torch's softmax and cross_entropy took four times as long for ten
    classes.
    """
    return scores.T.contiguous() if scores.shape[1] < _FEW_CLASSES else scores.T


def softmax_by_class(scores):
    """Return the probabilities of each class, laid out as `by_class` lays out scores."""
    few = scores.shape[1] < _FEW_CLASSES
    # Along the rows where classes lie there: softmax over the other axis turns the layout around, and every product with
    # scores that are not turned around takes three times as long.
    return torch.softmax(by_class(scores), dim=0) if few else torch.softmax(scores, dim=1).T
