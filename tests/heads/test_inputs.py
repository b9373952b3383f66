"""What is said about X and about y as data, beside what torch does with them."""

import pandas as pd
import pytest
import torch
from torch import nn

from heads.parts import CE, COLUMN, IMAGES, MSE, REAL, THREE, Own, X, agrees, cnn, linear, row
from onelayer.heads import check_head

Linear = nn.Linear
EMBEDDING = nn.Embedding(3, 3)
NO_KERNEL = nn.Sequential(nn.Softmax(dim=1), Linear(5, 3))
NESTED = torch.nested.nested_tensor([X[:2], X[2:]], layout=torch.jagged)
BYTES = (255 * IMAGES).to(torch.uint8)
SEQUENTIAL = nn.Sequential(Linear(4, 5), nn.ReLU(), Linear(6, 3))

KINDS = {
    "numpy": row(
        linear(3),
        CE,
        THREE.numpy(),
        "raises",
        "y is a NumPy array, not a tensor: torch.as_tensor(y).",
        "X is a NumPy array, not a tensor: torch.as_tensor(X, dtype=torch.float32).",
        X=X.double().numpy(),
    ),
    "pandas": row(
        linear(3),
        CE,
        pd.Series(THREE.numpy()),
        "raises",
        "torch.as_tensor(y.to_numpy())",
        "X is a DataFrame, not a tensor: torch.as_tensor(X.to_numpy()).",
        X=pd.DataFrame(X.numpy()),
    ),
    "lists": row(linear(3), CE, THREE.tolist(), "raises", "y is a list", "X is a list", X=X.tolist()),
    "whole lists": row(Linear(2, 3), CE, THREE, "raises", "X is a list", "X.float()", X=[[1, 2]] * 6),
    "names": row(linear(3), CE, list("abcabc"), "raises", "np.unique(y, return_inverse=True)"),
    "text": row(
        linear(3), CE, THREE, "raises", "and its values are not all numbers", X=pd.DataFrame({"a": ["x"] * 6})
    ),
    "dict": row(linear(3), CE, THREE, "raises", "The module fails on X, a dict: TypeError", X={"X": X}),
    "no rows": row(linear(3), CE, THREE[:0], "nan", "X has no rows, shape (0, 4)", "y has no rows", X=X[:0]),
    "nan": row(linear(3), CE, THREE, "nan", " is nan, and then so is the loss or its gradient", X=X.log()),
    "nan in y": row(linear(3), CE, THREE / 0, "raises", "y[0] is nan, and then so is the loss"),
    "infinity": row(linear(1), MSE, 1 / COLUMN, "nan", "y[0, 0] is inf, and then so is the loss"),
    "whole": row(linear(3), CE, THREE, "raises", "X has dtype int64", X=X.long()),
    "float64": row(
        linear(3),
        CE,
        THREE,
        "raises",
        "X has dtype float64 and the module's parameters have float32: X.float().",
        X=X.double(),
    ),
    "float32": row(linear(3).double(), CE, THREE, "raises", ": X.double()."),
    "half": row(linear(3).bfloat16(), CE, THREE, "raises", ": X.to(torch.bfloat16)."),
    "meta": row(Linear(4, 3, device="meta"), CE, THREE, "raises", "The module is on the device meta"),
    "meta y": row(linear(3), CE, THREE.to("meta"), "raises", "y is on the device meta"),
    "complex y": row(linear(1), MSE, COLUMN.to(torch.complex64), "raises", "y has dtype complex64"),
    "nested": row(linear(3), CE, THREE, "raises", "X.to_padded_tensor(0.0)", X=NESTED),
    "index": row(EMBEDDING, CE, THREE, "raises", "IndexError: index out of range", X=torch.arange(6)),
    "sparse y": row(linear(3), CE, THREE.to_sparse(), "raises", "y.to_dense()"),
}
SHAPES = {
    "images": row(
        Linear(784, 3),
        CE,
        THREE,
        "raises",
        "X has shape (6, 1, 28, 28) and the module takes rows of 784 numbers: put nn.Flatten() first.",
        X=IMAGES,
    ),
    "pixels": row(Linear(784, 3), CE, THREE, "raises", "X has dtype uint8", "nn.Flatten()", X=BYTES),
    "widths": row(
        Linear(28, 3),
        CE,
        THREE,
        "raises",
        "The module returns shape (6, 1, 28, 3) and y has shape (6,): CrossEntropyLoss needs one row",
        X=IMAGES,
    ),
    "widths, real": row(
        Linear(28, 1), MSE, REAL, "warns", "(6, 1, 28, 1) and y has shape (6,): put nn.Fl", X=IMAGES
    ),
    "no flatten": row(
        cnn(nn.Identity),
        CE,
        THREE,
        "raises",
        "gets shape (6, 2, 26, 26): put nn.Flatten() before it.",
        X=IMAGES,
    ),
    "no flatten, size": row(
        cnn(nn.Identity, 100), CE, THREE, "raises", "Layer '2', Linear(in_features=100, ", X=IMAGES
    ),
    "after flatten": row(
        cnn(features=100),
        CE,
        THREE,
        "raises",
        "The layer before gives 1352 numbers per row and layer '2', ",
        X=IMAGES,
    ),
    "rows for images": row(
        cnn(), CE, THREE, "raises", "images: X.reshape(-1, 1, 28, 28).", X=IMAGES.flatten(1)
    ),
    "no channel": row(
        cnn(), CE, THREE, "raises", "images without a channel: X.unsqueeze(1).", X=IMAGES[:, 0]
    ),
    "channels last": row(
        cnn(channels=3), CE, THREE, "raises", "X.permute(0, 3, 1, 2)", X=torch.zeros(6, 28, 28, 3)
    ),
    "one column": row(
        Linear(1, 1),
        MSE,
        REAL[:, None],
        "raises",
        "X has shape (6,), numbers without columns: X.unsqueeze(1), or X.view(-1, 1), makes",
        X=REAL,
    ),
    "one sample": row(
        linear(3, nn.BatchNorm1d(3).eval()), CE, THREE[:1], "raises", "X.unsqueeze(0).", X=X[0]
    ),
    "transposed": row(
        linear(3), CE, THREE, "raises", "X has shape (4, 6) and y has 6 rows: samples belong in", X=X.T
    ),
    "columns": row(
        Linear(5, 3),
        CE,
        THREE,
        "raises",
        "X has 4 columns and the module, Linear(in_features=5, out_features=3, bias=True), takes 5: nn.L",
    ),
    "columns, dtype": row(Linear(5, 3), CE, THREE, "raises", "X.float()", "nn.Linear(4, 3).", X=X.double()),
    "columns, kernel": row(
        NO_KERNEL, CE, THREE, "raises", "X.float()", "takes 5: nn.Linear(4, 3).", X=X.long()
    ),
    "transposed, other rows": row(linear(3), CE, THREE[:5], "raises", "X has 6 columns and the mod", X=X.T),
    "layers": row(
        SEQUENTIAL,
        CE,
        THREE,
        "raises",
        "The layer before gives 5 numbers per row and layer '2', Linear(in_features=6, ",
    ),
    "anything": row(
        Own(lambda z: 1 / 0),
        CE,
        THREE,
        "raises",
        "The module fails on X, shape (6, 4): ZeroDivisionError: division by zero.",
    ),
    "rows": row(
        linear(3), CE, THREE[:4], "raises", "X has 6 rows and y has 4: each sample needs its target."
    ),
    "mixed rows": row(
        Own(lambda z: z.view(-1, 1)),
        MSE,
        REAL[:, None],
        "raises",
        "The module returns 18 rows for the 6 rows of X: a view or reshape in forward mixes samples",
    ),
}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs two devices")
def test_devices():
    module = linear(3)
    assert check_head(module.cuda(), CE, X.cuda(), THREE.cuda()) == []
    found = check_head(module, CE, X, THREE)
    assert found == [
        "X is on cpu and the module's parameters are on cuda:0: X.to('cuda:0').",
        "y is on cpu and the module's output on cuda:0: y.to('cuda:0').",
    ]


@pytest.mark.parametrize("case", [*KINDS.values(), *SHAPES.values()], ids=[*KINDS, *SHAPES])
def test_findings(case):
    agrees(*case)


@pytest.mark.parametrize(
    ("X", "y", "said"), [(None, torch.zeros(2), "X is None"), (torch.zeros(2, 3), None, "y is None")]
)
def test_a_batch_that_is_not_there_is_named(X, y, said):
    (sentence,) = check_head(nn.Linear(3, 1), nn.MSELoss(), X, y)
    assert sentence.startswith(said)
