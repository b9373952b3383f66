"""Between the coefficients that a solver sees and those of the features and classes as they came."""

import torch

from onelayer.parameters import Parameters

__all__ = ["ClassMap", "Scaling", "Undo"]

# The intercept of a class without rows: −∞ is its optimum, and its probability is then exactly 0.
_NEVER = -1e30


class Undo:
    """From the solver's coefficients to the estimator's, and back.

    Parameters
    ----------
    scaling : Scaling, optional
        Of the features.
    classes : ClassMap, optional
        Of the rows of the coefficients.

    Attributes
    ----------
    scaling, classes
        As they were given.
    mean, scale : tensor or None
        Of the standardisation, if any.
    """

    def __init__(self, scaling=None, classes=None):
        self._steps = [step for step in (scaling, classes) if step is not None]
        self.scaling, self.classes = scaling, classes
        self.mean, self.scale = (scaling.mean, scaling.scale) if scaling else (None, None)
        self._outputs = classes.outputs if classes else None

    def outputs(self, objective):
        """Return how many rows of coefficients the estimator has."""
        return objective.outputs if self._outputs is None else self._outputs

    def to_features(self, parameters):
        for step in self._steps:
            parameters = step.to_features(parameters)
        return parameters

    def to_solver(self, parameters):
        for step in reversed(self._steps):
            parameters = step.to_solver(parameters)
        never = parameters.bias <= _NEVER / 2
        if bool(never.any()) and not bool(never.all()):
            # A class that had no rows and has some now: no solver finds back from there.
            likely = torch.where(never, parameters.bias[~never].min(), parameters.bias)
            parameters = Parameters.of(parameters.weight, likely)
        return parameters


class Scaling:
    """The solver sees (x − mean) / scale; coefficients are given back for x."""

    def __init__(self, mean, scale):
        self.mean, self.scale = mean, scale

    @classmethod
    def of(cls, design, sample_weight, *, centred):
        weight = (
            torch.ones(design.rows, dtype=torch.float64, device=design.device)
            if sample_weight is None
            else sample_weight
        )
        mean, scale = design.moments(weight)
        # A constant column carries no information; rounding can leave it a deviation that is not quite zero.
        constant = scale <= 1e-13 * mean.abs()
        # Without an intercept centring would change the model.
        mean = mean if centred else torch.zeros_like(mean)
        return cls(mean, torch.where(constant, 1.0, scale))

    def to_features(self, parameters):
        dtype = parameters.flat.dtype
        weight = (parameters.weight.double() / self.scale).to(dtype)
        # Of the weights as they are rounded: what rounding takes from them is multiplied by means that may be large.
        bias = parameters.bias.double() - weight.double() @ self.mean
        return Parameters.of(weight, bias.to(dtype))

    def to_solver(self, parameters):
        weight, bias = parameters.weight.to(self.scale), parameters.bias.to(self.scale)
        return Parameters.of(weight * self.scale, bias + weight @ self.mean)


class ClassMap:
    """The solver sees the classes that have rows, weighted; the others get the limit, and the weights can be taken back.

    Parameters
    ----------
    outputs : int
        Rows of the estimator's coefficients.
    present : tensor of int or None
        Those that the solver sees; None for all.
    shift : tensor or None
        What is taken off their intercepts: with class weights w the odds of two classes are w_k / w_l times too large.
    """

    def __init__(self, outputs, present=None, shift=None):
        self.outputs, self.present, self.shift = outputs, present, shift

    def to_features(self, parameters):
        weight, bias = parameters.weight, parameters.bias
        if self.shift is not None:
            bias = bias - self.shift.to(bias)
        if self.present is not None:
            whole, all_bias = (
                weight.new_zeros(self.outputs, weight.shape[1]),
                bias.new_full((self.outputs,), _NEVER),
            )
            whole[self.present], all_bias[self.present] = weight, bias
            weight, bias = whole, all_bias
        return Parameters.of(weight, bias)

    def to_solver(self, parameters):
        weight, bias = parameters.weight, parameters.bias
        if self.present is not None and len(weight) == self.outputs:
            weight, bias = weight[self.present], bias[self.present]
        return Parameters.of(weight, bias if self.shift is None else bias + self.shift.to(bias))
