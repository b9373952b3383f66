"""The coefficients of a linear model: two named tensors that share one buffer."""

import dataclasses
import functools

import torch

__all__ = ["Parameters"]


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Weight W and bias b as views of one flat tensor.

    Solvers that think in vectors (L-BFGS) use ``flat``; everything else uses the two names. The bias never hides in
    an extra column of W: penalties see ``weight`` only, and no kernel needs a flag for the intercept.

    Attributes
    ----------
    flat : tensor of shape (outputs * (features + 1),)
        W row by row, then b.
    outputs, features : int
        The shape of W.
    """

    flat: torch.Tensor
    outputs: int
    features: int

    @classmethod
    def zeros(cls, outputs, features, *, dtype, device):
        """Return W = 0, b = 0."""
        return cls(torch.zeros(outputs * (features + 1), dtype=dtype, device=device), outputs, features)

    @classmethod
    def of(cls, weight, bias):
        """Copy a weight of shape (outputs, features) and a bias of shape (outputs,) into one buffer."""
        outputs, features = weight.shape
        return cls(torch.cat([weight.reshape(-1), bias.reshape(-1)]), outputs, features)

    @functools.cached_property
    def weight(self):
        """W, shape (outputs, features): a view."""
        return self.flat[: self.outputs * self.features].view(self.outputs, self.features)

    @functools.cached_property
    def bias(self):
        """b, shape (outputs,): a view."""
        return self.flat[self.outputs * self.features :]

    def like(self, flat):
        """Return parameters of the same shape around another flat tensor."""
        return Parameters(flat, self.outputs, self.features)

    def clone(self):
        """Return an independent copy."""
        return self.like(self.flat.clone())

    def to(self, dtype, device=None):
        """Return the same numbers in another dtype, on another device."""
        flat = self.flat.to(dtype=dtype, device=device or self.flat.device)
        return self if flat is self.flat else self.like(flat)
