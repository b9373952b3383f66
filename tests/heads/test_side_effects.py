"""What the check leaves as it was."""

import copy

import pytest
import torch
from torch import nn

from heads.parts import CE, IMAGES, THREE, Own, X, linear
from onelayer.heads import check_head


def state(module):
    """Everything of a module that a check could change."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    return {
        "values": {name: tensor.detach().clone() for name, tensor in tensors},
        "gradients": {name: tensor.grad for name, tensor in tensors},
        "identities": [(name, id(tensor), tensor.requires_grad, tensor._version) for name, tensor in tensors],
        "modes": [part.training for part in module.modules()],
        "hooks": [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules()],
        "calls": getattr(module, "calls", None),
    }


class Counting(nn.Module):
    """A module with everything that moves: statistics, masks, a buffer, an attribute, work in place."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(inplace=True), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3)
        )
        self.register_buffer("seen", torch.zeros(1))
        self.calls = 0

    def forward(self, x):
        self.seen += len(x)
        self.calls += 1
        return self.layers(x) + 0 * torch.randn(3)


@pytest.mark.parametrize(
    "given_X", [X, X.double(), X[:, :2], X.numpy()], ids=["right", "dtype", "shape", "kind"]
)
def test_nothing_is_changed(given_X):
    module, features, y = Counting(), copy.deepcopy(given_X), THREE.clone()
    module.layers[2].eval()
    CE(module(X.clone()), y).backward()
    before, drawn = state(module), torch.get_rng_state()
    check_head(module, CE, features, y)
    after = state(module)
    for name, tensor in before.pop("values").items():
        assert torch.equal(tensor, after["values"][name]), name
    for name, gradient in before.pop("gradients").items():
        assert gradient is after["gradients"][name], name
    del after["values"], after["gradients"]
    assert before == after
    assert torch.equal(drawn, torch.get_rng_state())
    assert torch.is_grad_enabled()
    assert torch.equal(torch.as_tensor(features), torch.as_tensor(given_X))
    assert torch.equal(y, THREE)


def test_a_loss_that_counts_is_left_alone():
    class Counted(nn.Module):
        calls = 0

        def forward(self, scores, y):
            self.calls += 1
            return CE(scores, y) + 0 * torch.rand(())

    loss = Counted()
    module = linear(3)
    drawn = torch.get_rng_state()
    assert check_head(module, loss, X, THREE) == []
    assert loss.calls == 0
    assert torch.equal(drawn, torch.get_rng_state())


def test_a_lazy_module_stays_lazy():
    module = nn.LazyLinear(3)
    assert check_head(module, CE, IMAGES, THREE)
    assert module.has_uninitialized_params()


@pytest.mark.parametrize("without", [torch.no_grad, torch.inference_mode], ids=["no_grad", "inference"])
def test_where_gradients_are_off(without):
    with without():
        assert check_head(linear(3), CE, X + 0, THREE) == []
        assert "softmax again" in check_head(linear(3, nn.Softmax(1)), CE, X + 0, THREE)[0]
        assert not torch.is_grad_enabled()


def test_the_mode_is_that_of_the_module():
    class Predicting(Own):
        def forward(self, x):
            scores = super().forward(x)
            return scores if self.training else scores.softmax(1)

    module = Predicting(nn.Identity())
    assert check_head(module, CE, X, THREE) == []
    assert "softmax again" in check_head(module.eval(), CE, X, THREE)[0]
