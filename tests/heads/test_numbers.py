"""What is said about outputs compared with targets number by number, beside what torch does with them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from heads.parts import (
    BCE,
    COLUMN,
    HUBER,
    L1,
    LOGITS,
    MSE,
    ONE_HOT,
    REAL,
    SMOOTH,
    THREE,
    TWO,
    Own,
    X,
    agrees,
    linear,
    row,
    what_torch_does,
)
from onelayer.heads import check_head
from onelayer.heads.criteria import KNOWN

sigmoid, softmax = nn.Sigmoid(), nn.Softmax(dim=1)
squeezed = Own(lambda z: z.squeeze(1), 1)

PROBABILITIES = {
    "scores": row(
        linear(1),
        BCE,
        COLUMN,
        "raises",
        "BCELoss takes probabilities, and the module returns scores",
        X=X * 99,
    ),
    "whole": row(
        linear(1, sigmoid),
        BCE,
        TWO[:, None],
        "raises",
        "y has dtype int64 and the output float32, which BCELoss does not mix: y.float().",
    ),
    "rows": row(
        linear(1, sigmoid),
        F.binary_cross_entropy,
        TWO.float(),
        "raises",
        "(6, 1) and y has shape (6,): binary_cross_entropy wants one shape; y.unsqueeze(1)",
    ),
    "plus and minus": row(
        linear(1, sigmoid), BCE, 2 * COLUMN - 1, "raises", "takes numbers from 0 to 1: (y + 1) / 2."
    ),
    "from 1": row(linear(1, sigmoid), BCE, COLUMN + 1, "raises", "y holds 1, 2, and BCELoss takes"),
    "grey": row(linear(1, sigmoid), BCE, 255 * COLUMN, "raises", ": y / 255."),
    "two outputs": row(
        linear(2, softmax), BCE, TWO, "raises", "nn.CrossEntropyLoss() on the scores with y.long(), or"
    ),
    "softmax of one": row(
        linear(1, softmax), BCE, COLUMN, "silent", "softmax over one number, which is always 1"
    ),
    "softmax of rows": row(
        linear(3, nn.Softmax(dim=0)), BCE, ONE_HOT.float(), "silent", "goes over the rows of the batch"
    ),
    "logits: sigmoid": row(
        linear(1, sigmoid),
        LOGITS,
        COLUMN,
        "silent",
        "applies sigmoid itself, so every probability lies between 0.5 and 0.731",
    ),
    "logits: by hand": row(
        Own(lambda z: 1 / (1 + torch.exp(-z)), 1), LOGITS, COLUMN, "silent", "ends with sigmoid"
    ),
    "logits: relu": row(linear(1, nn.ReLU()), LOGITS, COLUMN, "silent", "every probability is 0.5 or more"),
    "logits: two": row(
        linear(2), LOGITS, TWO.float(), "raises", "(6, 2) and y has shape (6,): one label is no target"
    ),
    "logits: whole": row(linear(1), LOGITS, TWO[:, None], "raises", "y.float()"),
    "logits: plus": row(
        linear(1), LOGITS, 2 * COLUMN - 1, "silent", "else the loss has no lower end: (y + 1) / 2."
    ),
    "logits: three": row(linear(1), LOGITS, THREE.float()[:, None], "silent", "for more than two classes"),
    "logits: real": row(linear(1), LOGITS, REAL[:, None], "silent", "y holds -2.5, -1, 0, 0.5, 3.25, …, and"),
    "logits: weights": row(
        linear(1),
        nn.BCEWithLogitsLoss(pos_weight=torch.ones(2)),
        COLUMN,
        "raises",
        "BCEWithLogitsLoss fails on this output and y: RuntimeError: output with shape [6, 1]",
    ),
}
DISTANCES = {
    "column": row(
        linear(1),
        MSE,
        REAL,
        "warns",
        "MSELoss compares each with all, a table of 6 × 6, and only warns; y.unsqueeze(1), or output",
    ),
    "no column": row(
        squeezed, F.l1_loss, REAL[:, None], "warns", "a table of 6 × 6, and only warns; y.squeeze(1)."
    ),
    "classes": row(
        linear(3), MSE, THREE, "raises", "class numbers have no distance; nn.CrossEntropyLoss() on the scores"
    ),
    "classes, column": row(linear(3), MSE, THREE[:, None], "warns", "with y.squeeze(1).long()."),
    "real": row(linear(3), MSE, REAL, "raises", "one number per row needs one output, nn.Linear(…, 1)."),
    "shapes": row(
        linear(3), MSE, torch.ones(6, 2), "raises", "MSELoss compares number by number, so both need one"
    ),
    "huber, whole": row(linear(1), HUBER, TWO[:, None], "raises", "which HuberLoss does not mix: y.float()."),
    "absolute, bool": row(linear(1), L1, TWO[:, None].bool(), "raises", "y has dtype bool"),
    "relu": row(
        linear(1, nn.ReLU()),
        MSE,
        REAL[:, None],
        "silent",
        "ends with ReLU, which is never below 0, and y goes",
    ),
    "tanh": row(
        linear(1, nn.Tanh()),
        SMOOTH,
        REAL.abs()[:, None],
        "silent",
        "tanh, which is never above 1, and y goes",
    ),
    "sigmoid": row(
        linear(1, sigmoid),
        MSE,
        COLUMN,
        "silent",
        "MSELoss of a probability has next to no gradient where the module is sure and wrong",
    ),
    "softmax": row(
        linear(3, softmax), MSE, ONE_HOT.float(), "silent", "nn.CrossEntropyLoss() on the scores, without"
    ),
}
CASES = PROBABILITIES | DISTANCES


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_findings(case):
    agrees(*case)


DTYPES = [
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.uint8,
    torch.int8,
    torch.int32,
    torch.int64,
    torch.bool,
]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known[0].__name__)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes_of_targets_are_refused_where_torch_refuses_them(known, dtype):
    kind, function, family, _ = known
    classes = family in ("cross-entropy", "log-probabilities")
    after = {"log-probabilities": [nn.LogSoftmax(1)], "probabilities": [sigmoid]}.get(family, [])
    module = linear(2 if classes else 1, *after)
    y = (TWO if classes else TWO[:, None]).to(dtype)
    for loss in (kind(), function):
        refused = what_torch_does(module, loss, X, y) == "raises"
        found = check_head(module, loss, X, y)
        assert [f"y has dtype {str(dtype)[6:]}" in sentence for sentence in found] == [True] * refused


def test_probabilities_after_two_sigmoids():
    twice = torch.sigmoid(torch.sigmoid(torch.tensor([-1e4, 1e4])))
    assert [round(p, 3) for p in twice.tolist()] == [0.5, 0.731]


def test_the_table_of_a_column_against_a_row_is_another_loss():
    output = torch.tensor([[0.0], [1.0]])
    with pytest.warns(UserWarning, match="broadcast"):
        silent = MSE(output, output[:, 0])
    assert (float(silent), float(MSE(output, output))) == (0.5, 0.0)
