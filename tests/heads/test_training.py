"""What keeps a module from learning, beside what torch does with it."""

import pytest
import torch
from torch import nn

from heads.parts import CE, COLUMN, MSE, REAL, THREE, Own, X, agrees, linear, row


class Hidden(nn.Module):
    """A module whose weights no optimizer sees."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def forward(self, x):
        return x @ (self.weights if torch.is_tensor(self.weights) else self.weights[0].weight.T)


def diverged():
    module = linear(3)
    with torch.no_grad():
        module.weight[1, 2] = torch.nan
    return module


def with_gradient(y):
    return y.clone().requires_grad_()


LEAF = torch.ones(4, 3, requires_grad=True)
TRAINING = {
    "frozen": row(
        linear(3).requires_grad_(False),
        CE,
        THREE,
        "raises",
        "All 2 parameters of the module have requires_grad=False, so backward() raises",
    ),
    "no parameters": row(
        nn.Flatten(), CE, THREE, "raises", "The module has no parameters, so nothing can", X=X[:, :3]
    ),
    "detached": row(
        Own(lambda z: z.detach()), CE, THREE, "raises", "The output depends on no parameter that can"
    ),
    "threshold": row(
        Own(lambda z: (z > 0).float(), 1), MSE, COLUMN, "raises", "torch.no_grad() or threshold may lie"
    ),
    "classes": row(
        Own(lambda z: z.argmax(1)), CE, THREE, "raises", "The module returns int64, through which no grad"
    ),
    "nothing": row(
        Own(lambda z: None), CE, THREE, "raises", "forward returns None: end it with return and the scores"
    ),
    "pair": row(
        Own(lambda z: (z, z)), CE, THREE, "raises", "The module returns a tuple of 2: let forward return the"
    ),
    "numpy": row(
        Own(lambda z: z.detach().numpy()), CE, THREE, "raises", "The module returns a NumPy array, not a t"
    ),
    "no numbers": row(
        Own(lambda z: z[:, :0]), MSE, REAL, "raises", "The module returns shape (6, 0), no number"
    ),
    "a tensor": row(
        Hidden(LEAF), CE, THREE, "silent", "a tensor of shape (4, 3) that is not in module.parameters()"
    ),
    "a scaled tensor": row(
        Hidden(0.01 * LEAF), CE, THREE, "silent", "nn.Parameter for a tensor, nn.ModuleList for"
    ),
    "a list": row(
        Hidden([linear(3)]), CE, THREE, "silent", "a tensor of shape (3, 4) that is not in module.param"
    ),
    "diverged": row(
        diverged(), CE, THREE, "nan", "Parameter 'weight' holds nan or infinity, as after a training"
    ),
    "logarithm": row(
        Own(lambda z: (-z.square()).log()), MSE, torch.ones(6, 3), "nan", "look for a log or a division"
    ),
    "targets that learn": row(
        linear(1), MSE, with_gradient(COLUMN), "silent", "y has requires_grad=True, and target"
    ),
    "a loss without gradient": row(
        linear(3),
        lambda z, y: (z.argmax(1) == y).float().mean(),
        THREE,
        "raises",
        "The loss does not depend on the output as far as autograd sees",
    ),
    "a class": row(
        linear(3), nn.CrossEntropyLoss, THREE, "raises", "not an object of it: nn.CrossEntropyLoss()."
    ),
    "a number": row(linear(3), lambda z, y: 3.0, THREE, "raises", "The loss returns a float, not a tensor"),
    "a loss that fails": row(
        linear(3), nn.MultiMarginLoss(), REAL, "raises", "MultiMarginLoss fails on this output"
    ),
}


@pytest.mark.parametrize("case", TRAINING.values(), ids=list(TRAINING))
def test_what_keeps_a_module_from_learning(case):
    agrees(*case)
