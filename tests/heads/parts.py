"""Data and modules that the tests of heads share, and the question to torch: what do you do with this?"""

import warnings

import torch
from torch import nn

from onelayer.heads import check_head

_DRAW = torch.Generator().manual_seed(0)
X = torch.randn(6, 4, generator=_DRAW)
IMAGES = torch.rand(6, 1, 28, 28, generator=_DRAW)
REAL = torch.tensor([-2.5, 0.5, 3.25, -1.0, 0.0, 12.0])
THREE = torch.tensor([0, 1, 2, 0, 1, 2])
TWO = torch.tensor([0, 1, 0, 1, 1, 1])
COLUMN = TWO.float()[:, None]
ONE_HOT = nn.functional.one_hot(THREE, 3)

CE, NLL, BCE, LOGITS = nn.CrossEntropyLoss(), nn.NLLLoss(), nn.BCELoss(), nn.BCEWithLogitsLoss()
MSE, L1, HUBER, SMOOTH = nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(), nn.SmoothL1Loss()


def linear(outputs, *after):
    """A linear layer on X, and what comes after it."""
    return nn.Sequential(nn.Linear(4, outputs), *after) if after else nn.Linear(4, outputs)


class Own(nn.Module):
    """A module whose forward ends with a function of the scores."""

    def __init__(self, end, outputs=3):
        super().__init__()
        self.layer, self.end = nn.Linear(4, outputs), end

    def forward(self, x):
        return self.end(self.layer(x))


def cnn(inside=nn.Flatten, features=2 * 26 * 26, channels=1):
    return nn.Sequential(nn.Conv2d(channels, 2, 3), inside(), nn.Linear(features, 3))


def what_torch_does(module, loss, X, y):
    """Return "raises", "warns", "nan" (or infinity) or "silent": a step of training without check_head."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            value = loss(module(X), y)
            value.sum().backward()
        # Anything that torch, pandas or a module raises counts.
        except Exception:  # noqa: BLE001
            return "raises"
    if not bool(value.isfinite().all()):
        return "nan"
    return "warns" if heard else "silent"


def row(module, loss, y, torch_does, *pieces, X=X):
    """A mistake, what torch does with it, and a piece of each sentence about it, in order."""
    return module, loss, X, y, torch_does, pieces


def agrees(module, loss, X, y, torch_does, pieces):
    """Check what torch does, and that each sentence holds its piece and nothing else is said."""
    found = check_head(module, loss, X, y)
    assert what_torch_does(module, loss, X, y) == torch_does
    assert len(found) == len(pieces), found
    for sentence, piece in zip(found, pieces, strict=True):
        assert piece in sentence, sentence
        assert sentence.endswith("."), sentence
        assert "\n" not in sentence, sentence
