"""What every preconditioner is, and the simplest one."""

import abc

import torch

from onelayer.curvature.sampling import by_curvature
from onelayer.parameters import Parameters

__all__ = ["Diagonal", "Preconditioner", "Remembering", "without_shift"]


class Preconditioner(abc.ABC):
    """A model of the Hessian that can be inverted."""

    description: str

    @abc.abstractmethod
    def apply(self, gradient):
        """Return M⁻¹ times Parameters in float64."""

    def eliminated(self, gradient):
        """Return what is left of a gradient's weight once the intercept has answered for its own part."""
        return gradient.weight

    def under(self, l2):
        """Return the model of the same curvature plus another α; itself where that is no cheaper than a new one.

        A factor of two in α is a factor of two at most in what it preconditions, and it is made anew where that tells.
        """
        del l2
        return self

    def foretold(self, parameters, l2):
        """Return W with (H + α) W = (H' + α') W', about where the optimum W' of another α moves; None where that is unknown."""
        del parameters, l2


class Remembering(Preconditioner):
    """A preconditioner that is asked for the same gradient several times: for a decrement first, then for the step."""

    def __init__(self, base):
        self.base, self.description = base, base.description
        self._gradient = self._applied = None

    def apply(self, gradient):
        if gradient is not self._gradient:
            self._gradient, self._applied = gradient, self.base.apply(gradient)
        return self._applied

    def eliminated(self, gradient):
        return self.base.eliminated(gradient)


def without_shift(parameters, active):
    """Return the parameters less their mean over the classes, where adding one row to all classes changes nothing.

    A preconditioner that does not do this on both sides is useless: it gives the null direction of the Hessian a size,
    and conjugate gradients chase it (2,900 passes on Fashion-MNIST instead of 185).
    """
    if not active:
        return parameters
    weight, bias = parameters.weight, parameters.bias
    return Parameters.of(weight - weight.mean(dim=0), bias - bias.mean())


class Diagonal(Preconditioner):
    """The diagonal of the Hessian, from some rows: for matrices so wide that nothing else fits into memory."""

    description = "the diagonal of the Hessian"

    def __init__(self, objective, curvature, rows):
        self._shift = objective.loss.shift_invariant
        h = objective._weighted(curvature.trace().unsqueeze(1)).squeeze(1).clamp(min=0)
        index, factor = by_curvature(h, rows)
        squares = objective.design.dense(index).double().square()
        objective._work.add(len(index))
        weight, bias = [], []
        for output in range(objective.outputs):
            one = objective._weighted(curvature.diagonal(output).unsqueeze(1)).squeeze(1).clamp(min=0)
            weight.append((one[index].double() * factor) @ squares / objective.total_weight)
            bias.append(one.sum(dtype=torch.float64) / objective.total_weight)
        weight = torch.stack(weight) + objective.penalty.smooth_part.l2
        self._weight = _positive(weight)
        self._bias = _positive(torch.stack(bias))
        self._free = float(objective.fit_intercept)

    def apply(self, gradient):
        gradient = without_shift(gradient, self._shift)
        moved = Parameters.of(gradient.weight / self._weight, self._free * gradient.bias / self._bias)
        return without_shift(moved, self._shift)


def _positive(values):
    return values.clamp(min=1e-12 * values.max().item() or 1.0)
