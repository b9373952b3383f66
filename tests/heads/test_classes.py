"""What is said about scores against class numbers or probabilities, beside what torch does with them."""

import functools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from heads.parts import CE, COLUMN, NLL, ONE_HOT, REAL, THREE, TWO, Own, X, agrees, linear, row
from onelayer.heads import check_head

sigmoid, softmax, log_softmax = nn.Sigmoid(), nn.Softmax(dim=1), nn.LogSoftmax(dim=1)
squeezed = Own(lambda z: z.squeeze(1), 1)
weighted = nn.CrossEntropyLoss
HALF = X.bfloat16()
POSITIONS = torch.ones(2, 5, 4)

CLASSES = {
    "from 1": row(
        linear(3),
        CE,
        THREE + 1,
        "raises",
        "from 1 to 3, and CrossEntropyLoss counts 3 classes from 0 to 2: y - 1.",
    ),
    "from 5": row(linear(3), CE, THREE + 5, "raises", "The labels go from 5 to 7, and"),
    "from -1": row(linear(3), CE, THREE - 1, "raises", "The labels go from -1 to 1, and"),
    "below 0": row(linear(9), CE, THREE - 1, "raises", "The smallest label is -1, and"),
    "too large": row(
        linear(3), F.cross_entropy, 3 * THREE, "raises", "The largest label is 6, and cross_entropy"
    ),
    "plus and minus": row(linear(2), CE, 2 * TWO - 1, "raises", "The labels are -1 and 1, and"),
    "float": row(
        linear(3),
        CE,
        THREE.float(),
        "raises",
        "y has dtype float32, and CrossEntropyLoss takes class numbers as int64",
    ),
    "int32 from 1": row(linear(3), CE, THREE.int() + 1, "raises", "y.long()", "y - 1"),
    "bool": row(linear(2), CE, TWO.bool(), "raises", "y has dtype bool"),
    "real": row(linear(3), CE, REAL, "raises", "y holds -2.5, and CrossEntropyLoss takes class"),
    "column": row(linear(3), CE, THREE[:, None], "raises", "class numbers of shape (6,): y.squeeze(1)."),
    "one-hot": row(
        linear(3), CE, ONE_HOT, "raises", "class numbers, y.argmax(1), or probabilities, y.float()."
    ),
    "sums": row(linear(3), CE, 2.5 * ONE_HOT, "silent", "A row of y sums to 2.5, and"),
    "several": row(
        linear(3), CE, torch.ones(6, 3), "silent", "nn.BCEWithLogitsLoss() is for any number of labels"
    ),
    "negative": row(
        linear(3), CE, -ONE_HOT.float(), "silent", "y holds -1, and CrossEntropyLoss reads rows of y"
    ),
    "columns": row(
        linear(3), CE, ONE_HOT[:, :2].float(), "raises", "y has 2 columns and the module 3 outputs"
    ),
    "one output": row(linear(1), CE, 0 * TWO, "silent", "The module has one output, and softmax"),
    "one output, column": row(
        linear(1), CE, COLUMN, "silent", "always 1, so CrossEntropyLoss teaches nothing"
    ),
    "squeezed": row(squeezed, CE, TWO, "raises", "The module returns shape (6,) and CrossEntropyLoss needs"),
    "squeezed, float": row(
        squeezed, CE, TWO.float(), "silent", "leave out squeeze, or take nn.BCEWithLogitsLoss()"
    ),
    "positions": row(
        linear(3), CE, torch.zeros(2, 5).long(), "raises", "output.permute(0, 2, 1).", X=POSITIONS
    ),
    "positions of others": row(
        linear(3), CE, torch.zeros(2, 4).long(), "raises", "class numbers of shape (2, 3)", X=POSITIONS
    ),
    "weights": row(
        linear(3), weighted(torch.ones(2)), THREE, "raises", "has shape (2,) and the module 3 outputs"
    ),
    "whole weights": row(
        linear(3), weighted(torch.ones(3).long()), THREE, "raises", "float32: weight.float()."
    ),
    "weights in a partial": row(
        linear(3),
        functools.partial(F.cross_entropy, weight=torch.ones(2)),
        THREE,
        "raises",
        "weight of cross_entropy has shape (2,)",
    ),
    "weights of 0": row(
        linear(3), weighted(torch.zeros(3)), THREE, "nan", "CrossEntropyLoss of this batch is nan"
    ),
    "ignored": row(linear(3), CE, 0 * THREE - 100, "nan", "Every label is -100, the ignore_index"),
}
SCORES = {
    "softmax": row(
        linear(3, softmax),
        CE,
        THREE,
        "silent",
        "ends with softmax before CrossEntropyLoss, which applies softmax again, so the loss of a row cannot",
    ),
    "softmax in forward": row(
        Own(lambda z: F.softmax(z, dim=-1)), F.cross_entropy, THREE, "silent", "ends with softmax"
    ),
    "softmax by hand": row(
        Own(lambda z: z.exp() / z.exp().sum(1, keepdim=True)), CE, THREE, "silent", "with softmax"
    ),
    "softmax, clamped": row(
        Own(lambda z: z.softmax(1).clamp(1e-9, 1)), CE, THREE, "silent", "ends with softmax"
    ),
    "softmax, frozen": row(
        linear(3, softmax).requires_grad_(False), CE, THREE, "raises", "All 2 parameters", "ends with softmax"
    ),
    "softmax, bfloat16": row(
        linear(9, softmax).bfloat16().requires_grad_(False),
        CE,
        THREE,
        "raises",
        "All 2",
        "ends with softmax",
        X=HALF,
    ),
    "sigmoid": row(
        linear(3, sigmoid),
        CE,
        THREE,
        "silent",
        "ends with sigmoid before CrossEntropyLoss, which applies softmax itself",
    ),
    "relu": row(
        linear(3, nn.ReLU()), CE, THREE, "silent", "The module ends with ReLU before CrossEntropyLoss"
    ),
    "nll of scores": row(
        linear(3), NLL, THREE, "silent", "NLLLoss takes log-probabilities, and exp of a row"
    ),
    "nll of softmax": row(
        linear(3, softmax), F.nll_loss, THREE, "silent", "and nll_loss takes its logarithm"
    ),
    "nll over rows": row(
        linear(3, nn.LogSoftmax(dim=0)), NLL, THREE, "silent", "does not go over the classes of a row"
    ),
    "nll of one-hot": row(
        linear(3, nn.LogSoftmax(1)), NLL, ONE_HOT.float(), "raises", "class numbers: y.argmax(1)."
    ),
    "nll from 1": row(linear(3, nn.LogSoftmax(1)), NLL, THREE + 1, "raises", "y - 1"),
}
CASES = CLASSES | SCORES


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_findings(case):
    agrees(*case)


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("last", [softmax, sigmoid])
def test_the_floor_of_a_loss_after_softmax_is_reached_and_not_passed(classes, last):
    found = check_head(linear(classes, last), CE, X, TWO)
    floor = float(found[0].split("fall below ")[1].split(":")[0])
    best = last(1e4 * (2 * F.one_hot(TWO, classes) - 1).double())
    assert math.isclose(float(CE(best, TWO)), floor, rel_tol=1e-3)
