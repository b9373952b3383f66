"""The coefficients of many linear models of one shape."""

import dataclasses

import torch

from onelayer.parameters import Parameters

__all__ = ["Coefficients"]


@dataclasses.dataclass(frozen=True)
class Coefficients:
    """W and b of every problem, as views of one row of numbers for each.

    Attributes
    ----------
    flat : tensor of shape (problems, outputs * (features + 1))
        Of each problem W row by row, then b: as in :class:`~onelayer.parameters.Parameters`.
    outputs, features : int
        The shape of one W.
    """

    flat: torch.Tensor
    outputs: int
    features: int

    @classmethod
    def of(cls, weight, bias):
        """Copy weights (problems, outputs, features) and biases (problems, outputs) into one buffer."""
        problems, outputs, features = weight.shape
        return cls(torch.cat([weight.reshape(problems, -1), bias], dim=1), outputs, features)

    @classmethod
    def gathered(cls, parameters):
        """Return those of a list of Parameters."""
        first = parameters[0]
        return cls(torch.stack([each.flat for each in parameters]), first.outputs, first.features)

    @property
    def weight(self):
        """All W, shape (problems, outputs, features): a view."""
        return self.flat[:, : self.outputs * self.features].unflatten(1, (self.outputs, self.features))

    @property
    def bias(self):
        """All b, shape (problems, outputs): a view."""
        return self.flat[:, self.outputs * self.features :]

    def __len__(self):
        return len(self.flat)

    def like(self, flat):
        """Return coefficients of the same shape around other numbers."""
        return Coefficients(flat, self.outputs, self.features)

    def to(self, dtype):
        """Return the same numbers in another dtype."""
        return self.like(self.flat.to(dtype))

    def some(self, index):
        """Return those of some problems."""
        return self.like(self.flat[index])

    def one(self, problem):
        """Return the Parameters of one problem."""
        return Parameters(self.flat[problem], self.outputs, self.features)
