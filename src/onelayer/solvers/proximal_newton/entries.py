"""The working set: which coefficients a quadratic model is about."""

import dataclasses

import torch

__all__ = ["Entries", "chosen"]

# So many coefficients may always join at once; more only if as many are in use already.
_FIRST = 256
# Zeros stay as long as their gradient is this near to the edge of the box: they may soon be needed.
_NEAR = 0.9


@dataclasses.dataclass(frozen=True)
class Entries:
    """Coefficients by output and column; those of the intercepts, if there are any, come first.

    Attributes
    ----------
    output, column : int64 tensors of shape (m,)
        The column is that of X; −1 for an intercept.
    position : int64 tensor of shape (m,)
        The row of `Columns` that holds it.
    """

    output: torch.Tensor
    column: torch.Tensor
    position: torch.Tensor

    def __len__(self):
        return len(self.output)

    @property
    def penalised(self):
        """Which of them the penalty sees."""
        return self.column >= 0

    def of(self, weight, bias):
        """Return their values, from arrays of shape (outputs, features) and (outputs,)."""
        return torch.where(self.penalised, weight[self.output, self.column], bias[self.output])

    def spread(self, values, shape):
        """Return an array of this shape (outputs, positions) with the values in their places, zeros elsewhere."""
        table = values.new_zeros(shape)
        table[self.output, self.position] = values
        return table


def chosen(objective, columns, parameters, gradient, norms, before=None):
    """Return the Entries that are not zero, those that want to move, as far as they fit, and some of those before.

    The gradient (of the smooth part of P) says who wants to; who gains most by a step of its own comes first.
    """
    weight, l1 = parameters.weight, objective.penalty.l1
    push = objective.penalty.least_subgradient(weight, gradient.weight).abs()
    used = weight != 0
    wanting = ((push > 0) & ~used).reshape(-1)
    room = max(_FIRST, int(used.sum()))
    if int(wanting.sum()) > room:
        gain = torch.where(wanting, (push / norms).reshape(-1), 0.0)
        wanting = torch.zeros_like(wanting).index_fill_(0, gain.topk(room).indices, True)
    used = used | wanting.view_as(used)
    if before is not None:
        kept = before.penalised
        output, column = before.output[kept], before.column[kept]
        used[output, column] |= gradient.weight[output, column].abs() >= _NEAR * l1
    output, column = used.nonzero(as_tuple=True)
    position = columns.positions(column)
    if objective.fit_intercept:
        free = torch.arange(objective.outputs, device=output.device)
        output = torch.cat([free, output])
        column = torch.cat([torch.full_like(free, -1), column])
        position = torch.cat([torch.zeros_like(free), position])
    return Entries(output, column, position)
