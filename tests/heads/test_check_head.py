"""What keeps a module from learning, heads that are right, and what the check leaves as it was."""

import copy
import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from heads.parts import (
    BCE,
    CE,
    COLUMN,
    HUBER,
    IMAGES,
    L1,
    LOGITS,
    MSE,
    NLL,
    ONE_HOT,
    REAL,
    SMOOTH,
    THREE,
    TWO,
    Own,
    X,
    cnn,
    linear,
    what_torch_does,
)
from onelayer.errors import ParameterError
from onelayer.heads import check_head


class Probe(nn.Module):
    """A frozen backbone in evaluation mode and a head that learns."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8)).requires_grad_(False).eval()
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        with torch.no_grad():
            features = self.backbone(x)
        return self.head(features)


class FromOne(nn.CrossEntropyLoss):
    """A loss that counts classes from 1."""

    def forward(self, scores, y):
        return super().forward(scores, y - 1)


def with_a_spare(module):
    module.spare = nn.LazyLinear(2)
    return module


class Numpy(nn.Module):
    """A module that takes NumPy arrays and passes over what is missing."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x):
        return self.layer(torch.from_numpy(x))


def test_a_module_without_super():
    class Short(nn.Module):
        def __init__(self):
            self.size = 3

    assert check_head(Short(), CE, X, THREE) == [
        "Short was made without super().__init__(): its __init__ begins with it."
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_scripted_module():
    assert check_head(torch.jit.script(linear(3, nn.ReLU(), nn.Linear(3, 3))), CE, X, THREE) == []
    assert "softmax again" in check_head(torch.jit.script(linear(3, nn.Softmax(dim=1))), CE, X, THREE)[0]


def test_several_mistakes_are_found_at_once():
    module = nn.Sequential(nn.Linear(784, 3), nn.Softmax(dim=1))
    found = check_head(module, CE, (IMAGES * 255).byte().numpy(), THREE.numpy() + 1)
    words = [
        "y is a NumPy array",
        "X is a NumPy array",
        "X.float()",
        "nn.Flatten()",
        "y - 1",
        "softmax again",
    ]
    assert [word in sentence for word, sentence in zip(words, found, strict=True)] == [True] * 6


RIGHT = {
    "linear": (linear(3), CE, X, THREE),
    "function": (linear(3), F.cross_entropy, X, THREE),
    "images": (nn.Sequential(nn.Flatten(), nn.Linear(784, 3)), CE, IMAGES, THREE),
    "cnn": (cnn(), CE, IMAGES, THREE),
    "own": (Own(nn.Identity()), CE, X, THREE),
    "not all classes": (linear(10), CE, X, THREE),
    "one class": (linear(3), CE, X, 0 * THREE),
    "one row": (linear(3), CE, X[:1], THREE[:1]),
    "one sample": (linear(3), CE, X[0], THREE[2]),
    "one sample, soft": (linear(3), CE, X[0], torch.tensor([0.2, 0.3, 0.5])),
    "bytes as labels": (linear(3), CE, X, THREE.byte()),
    "one-hot": (linear(3), CE, X, ONE_HOT.double()),
    "soft labels": (linear(3), CE, X, torch.tensor([[0.2, 0.3, 0.5]] * 6)),
    "smoothing": (linear(3), nn.CrossEntropyLoss(label_smoothing=0.1, weight=torch.ones(3)), X, THREE),
    "ignored": (linear(3), CE, X, THREE.where(THREE > 0, -100)),
    "ignored by number": (
        linear(3),
        nn.CrossEntropyLoss(ignore_index=-1),
        X,
        THREE - 1 + (THREE == 2).long(),
    ),
    "positions": (Own(lambda z: z.mT), CE, torch.ones(2, 5, 4), torch.zeros(2, 5).long()),
    "flat positions": (Own(lambda z: z.flatten(0, 1)), CE, torch.ones(2, 5, 4), torch.zeros(10).long()),
    "log-softmax twice": (linear(3, nn.LogSoftmax(dim=1)), CE, X, THREE),
    "masked": (Own(lambda z: z.masked_fill(torch.tensor([False, False, True]), -torch.inf)), CE, X, TWO),
    "reduction": (linear(3), nn.CrossEntropyLoss(reduction="none"), X, THREE),
    "embedding": (nn.Embedding(6, 3), CE, torch.arange(6), THREE),
    "float64": (linear(3).double(), CE, X.double(), THREE),
    "zeros": (nn.Linear(4, 3), CE, 0 * X, THREE),
    "probe": (Probe(), CE, X, THREE),
    "dropout": (linear(8, nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3)), CE, X, THREE),
    "lazy": (nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), CE, IMAGES, THREE),
    "takes numpy": (Numpy(), CE, X.numpy(), THREE),
    "nll": (linear(3, nn.LogSoftmax(dim=1)), NLL, X, THREE),
    "nll by hand": (Own(lambda z: z.softmax(1).log()), F.nll_loss, X, THREE),
    "bce": (linear(1, nn.Sigmoid()), BCE, X, COLUMN),
    "bce, flat": (linear(1, nn.Sigmoid(), nn.Flatten(0)), BCE, X, TWO.float()),
    "bce, second column": (Own(lambda z: z.softmax(1)[:, 1], 2), BCE, X, TWO.float()),
    "bce, clamped": (Own(lambda z: z.clamp(0, 1), 1), BCE, X, COLUMN),
    "logits": (linear(1), LOGITS, X, COLUMN),
    "logits, float64": (linear(1), LOGITS, X, COLUMN.double()),
    "several labels": (linear(3), LOGITS, X, (X[:, :3] > 0).float()),
    "weighted": (linear(3), nn.BCEWithLogitsLoss(pos_weight=torch.ones(3)), X, ONE_HOT.float()),
    "regression": (linear(1), MSE, X, REAL[:, None]),
    "regression, flat": (Own(lambda z: z.squeeze(1), 1), HUBER, X, REAL),
    "whole targets": (linear(1), MSE, X, TWO[:, None]),
    "several outputs": (linear(3), SMOOTH, X, X[:, :3]),
    "positive": (linear(1, nn.ReLU()), L1, X, REAL.abs()[:, None]),
    "proportions": (linear(1, nn.Sigmoid()), MSE, X, torch.full((6, 1), 0.3)),
    "sums to one": (Own(lambda z: z - z.mean(1, keepdim=True) + 1 / 3), CE, X, THREE),
    "a layer not used": (with_a_spare(linear(3)), CE, X, THREE),
    "a loss of one's own": (linear(3), FromOne(), X, THREE + 1),
    "another loss": (linear(3), nn.MultiMarginLoss(), X, THREE),
}


@pytest.mark.parametrize("case", RIGHT.values(), ids=list(RIGHT))
def test_right_heads_are_left_alone(case):
    module, *rest = case
    assert what_torch_does(copy.deepcopy(module), *rest) == "silent"
    assert check_head(*case) == []


NONSENSE = {
    "a function": (lambda X: X, CE, "module is <function"),
    "a class": (Own, CE, "Own(…) makes one"),
    "None": (None, CE, "module is None"),
    "loss as text": (linear(3), "mse", "loss is 'mse'"),
    "loss as None": (linear(3), None, "loss is None"),
    "loss as a class": (linear(3), dict, "loss is <class 'dict'>"),
}


@pytest.mark.parametrize(("module", "loss", "words"), NONSENSE.values(), ids=list(NONSENSE))
def test_calls_that_mean_nothing(module, loss, words):
    with pytest.raises(ParameterError) as caught:
        check_head(module, loss, X, THREE)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_module_that_cannot_be_copied():
    module = linear(3)
    module.lock = threading.Lock()
    with pytest.raises(ParameterError, match=r"Linear cannot be copied \(TypeError: .*hand over the part"):
        check_head(module, CE, X, THREE)


# Half of them shapes that fit a module or a loss: random ones hardly ever come to the rules about values.
FITTING = st.sampled_from([(3, 4), (3, 1), (3,), (3, 3), (4,), (1, 4), (3, 2, 2), (3, 1, 2, 2), ()])
SHAPES = FITTING | st.lists(st.integers(0, 4), max_size=4).map(tuple)
KINDS = st.sampled_from(
    [torch.float32, torch.float64, torch.float16, torch.int64, torch.uint8, torch.bool, torch.complex64]
)
MODULES = [
    linear(3),
    linear(1),
    linear(3, nn.Softmax(dim=1)),
    linear(1, nn.Sigmoid()),
    linear(3, nn.LogSoftmax(dim=-1)),
    nn.Linear(1, 1),
    nn.Sequential(nn.Flatten(), nn.LazyLinear(2)),
    nn.Conv2d(1, 2, 1),
    nn.Identity(),
    linear(1, nn.Flatten(0)),
    linear(2, nn.BatchNorm1d(2)),
]


@st.composite
def tensors(draw):
    shape, dtype = draw(SHAPES), draw(KINDS)
    count = int(np.prod(shape))
    values = draw(st.lists(st.integers(-2, 4), min_size=count, max_size=count))
    tensor = torch.tensor(values).reshape(shape).to(dtype)
    special = draw(st.sampled_from([None, None, None, torch.nan, torch.inf]))
    return tensor if special is None or not tensor.is_floating_point() else tensor.where(tensor < 4, special)


@given(
    st.sampled_from(MODULES),
    st.sampled_from([CE, NLL, BCE, LOGITS, MSE, L1, HUBER, SMOOTH]),
    tensors(),
    tensors(),
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element:UserWarning")
def test_it_never_raises_and_is_never_silent_where_torch_is_not(module, loss, features, y):
    found = check_head(module, loss, features, y)
    for sentence in found:
        assert isinstance(sentence, str)
        assert sentence.endswith(".")
        assert "\n" not in sentence
    if what_torch_does(copy.deepcopy(module), loss, features, y) != "silent":
        assert found
