"""Between the coefficients that a solver sees and those of the features as they came."""

import torch

from onelayer.parameters import Parameters

__all__ = ["Identity", "Scaling"]


class Identity:
    """The solver's coefficients are those of the features."""

    def to_features(self, parameters):
        return parameters

    def to_solver(self, parameters):
        return parameters


class Scaling:
    """The solver sees (x − mean) / scale; coefficients are given back for x."""

    def __init__(self, mean, scale):
        self.mean, self.scale = mean, scale

    @classmethod
    def of(cls, design, sample_weight, *, centred):
        weight = torch.ones(design.rows, device=design.device) if sample_weight is None else sample_weight
        mean, scale = design.moments(weight)
        # A constant column carries no information; rounding can leave it a deviation that is not quite zero.
        constant = scale <= 1e-13 * mean.abs()
        # Without an intercept centring would change the model.
        mean = mean if centred else torch.zeros_like(mean)
        return cls(mean, torch.where(constant, 1.0, scale))

    def to_features(self, parameters):
        weight = parameters.weight.double() / self.scale
        bias = parameters.bias.double() - weight @ self.mean
        return Parameters.of(weight, bias).to(parameters.flat.dtype)

    def to_solver(self, parameters):
        weight, bias = parameters.weight.to(self.scale), parameters.bias.to(self.scale)
        return Parameters.of(weight * self.scale, bias + weight @ self.mean)
