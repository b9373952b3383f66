"""The tables that the laws run over: whoever adds a loss, link, penalty, design or solver adds one row here."""

import functools

import numpy as np
import pytest
import scipy.sparse
import torch

from onelayer import links, losses, penalties, solvers
from onelayer.designs import ChunkedDesign, Compressed, DenseDesign, Feed, SparseDesign, StandardizedDesign
from onelayer.losses import Loss


class LogCosh(Loss):
    """What a newcomer writes first: a value, and nothing else. Gradient and curvature are autograd's."""

    name = "log-cosh"
    targets = "real"
    curvature_bound = 1.0

    def value(self, scores, y):
        distance = (scores - y).abs()
        return distance + torch.log1p(torch.exp(-2 * distance)) - np.log(2)


LOSSES = {
    "squared": losses.SquaredError(),
    "absolute": losses.AbsoluteError(),
    "huber": losses.Huber(),
    "huber 1.35": losses.Huber(1.35),
    "quantile 0.3": losses.Quantile(0.3),
    "quantile 0.9": losses.Quantile(0.9),
    "logistic": losses.Logistic(),
    "cross-entropy": losses.CrossEntropy(),
    "brier": losses.ProbabilitySquaredError(),
    "brier tanh": losses.ProbabilitySquaredError(links.Tanh()),
    "brier arctan": losses.ProbabilitySquaredError(links.Arctan()),
    "brier softmax": losses.ProbabilitySquaredError(links.Softmax()),
    "value only": LogCosh(),
}

LINKS = {
    "identity": links.Identity(),
    "logistic": links.LogisticSigmoid(),
    "softmax": links.Softmax(),
    "tanh": links.Tanh(),
    "erf": links.Erf(),
    "arctan": links.Arctan(),
    "gudermannian": links.Gudermannian(),
    "algebraic": links.AlgebraicSigmoid(),
    "softsign": links.Softsign(),
}

PENALTIES = {
    "none": penalties.NoPenalty(),
    "l2": penalties.L2(0.3),
    "l1": penalties.L1(0.2),
    "elastic net": penalties.ElasticNet(0.4, 0.25),
    "elastic net, all l2": penalties.ElasticNet(0.4, 0.0),
    "elastic net, all l1": penalties.ElasticNet(0.4, 1.0),
}

# With settings that reach the optimum of a small, well scaled problem.
SOLVERS = {
    "newton": solvers.Newton(),
    "sketched newton": solvers.SketchedNewton(),
    "lbfgs": solvers.LBFGS(),
    "lbfgs, textbook": solvers.LBFGS(memory=5, precondition=False),
    "gradient descent": solvers.GradientDescent(steps=3000),
    "gradient descent, fixed rate": solvers.GradientDescent(0.5, steps=3000),
    "sgd, all rows": solvers.SGD(0.5, batch_size=10**6, epochs=3000),
}


def standardized(X, dtype):
    """A standardised design of X; the mean and scale are any numbers, not X's own."""
    features = X.shape[1]
    mean = torch.linspace(-1, 1, features, dtype=torch.float64)
    scale = torch.linspace(0.5, 2, features, dtype=torch.float64)
    return StandardizedDesign(DenseDesign(torch.from_numpy(X).to(dtype)), mean, scale)


def dense(X, dtype):
    return DenseDesign(torch.from_numpy(X).to(dtype))


def sparse(X, dtype, flips=True):
    """A sparse design of X; without `flips` its columns are made anew for each product."""
    matrix = scipy.sparse.csr_matrix(X)
    parts = (torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data))
    starts, places, values = parts
    return SparseDesign(Compressed(starts, places, values.to(dtype), X.shape[1]), flips=flips)


def sparse_standardized(X, dtype):
    dense = standardized(X, dtype)
    return StandardizedDesign(sparse(X, dtype), dense.mean, dense.scale)


def chunked(X, dtype):
    """A design of X that is read in some blocks."""
    from onelayer.data import stream

    matrix = scipy.sparse.csr_array(X) if dtype is None else X.astype(str(dtype).removeprefix("torch."))
    feed = Feed(stream((matrix, np.zeros(len(X)))).source, max(7, len(X) // 16))
    for _ in feed.first():
        pass
    return ChunkedDesign(feed)


def chunked_sparse(X, dtype):
    return chunked(X, None).as_dtype(dtype)


def chunked_standardized(X, dtype):
    plain = standardized(X, dtype)
    return StandardizedDesign(chunked(X, dtype), plain.mean, plain.scale)


STORAGE = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
# Each row makes a design of a float64 NumPy matrix (whole numbers from 0 to 255, which every storage holds exactly).
DESIGNS = {
    f"{kind.__name__} {str(dtype).removeprefix('torch.')}": functools.partial(kind, dtype=dtype)
    for kind in (dense, standardized)
    for dtype in STORAGE
}
DESIGNS |= {
    f"{name} {str(dtype).removeprefix('torch.')}": functools.partial(kind, dtype=dtype)
    for name, kind in {
        "sparse": sparse,
        "sparse without its columns": functools.partial(sparse, flips=False),
        "sparse standardized": sparse_standardized,
    }.items()
    for dtype in (torch.float32, torch.float64)
}

# Rows that are not in memory; there is at least one of them.
CHUNKED = {
    f"{name} {str(dtype).removeprefix('torch.')}": functools.partial(kind, dtype=dtype)
    for name, kind in {
        "chunked": chunked,
        "chunked sparse": chunked_sparse,
        "chunked standardized": chunked_standardized,
    }.items()
    for dtype in (torch.float32, torch.float64)
}


def regression(rows=60, features=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features))
    return X, X @ rng.normal(size=features) + 0.5 + rng.normal(size=rows)


def classes(rows=60, features=4, count=3, seed=0):
    """Labels 0 … count − 1 that overlap, each of them present."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features))
    noisy = X @ rng.normal(size=(features, count)) + 2 * rng.gumbel(size=(rows, count))
    y = noisy.argmax(axis=1)
    y[:count] = np.arange(count)
    return X, y


PROBLEMS = {
    "linear": regression,
    "two classes": functools.partial(classes, count=2),
    "three classes": classes,
}


def over(argument, table, where=lambda instance: True):
    """Return the mark that runs a law over the rows of a table for which `where` holds."""
    rows = {name: instance for name, instance in table.items() if where(instance)}
    return pytest.mark.parametrize(argument, list(rows.values()), ids=list(rows))


def has_dual(loss):
    """Whether this loss gives a conjugate."""
    return type(loss).conjugate is not Loss.conjugate


def draw(loss, rows=40, seed=0, spread=2.0, count=4):
    """Return float64 scores and legal targets for this loss."""
    generator = torch.Generator().manual_seed(seed)
    outputs = count if loss.per_class else 1
    scores = spread * torch.randn(rows, outputs, generator=generator, dtype=torch.float64)
    if loss.per_class:
        return scores, torch.randint(outputs, (rows,), generator=generator)
    if loss.targets == "binary":
        return scores, torch.randint(2, (rows, 1), generator=generator).double()
    return scores, spread * torch.randn(rows, 1, generator=generator, dtype=torch.float64)


def draw_dual(loss, y, seed=0, count=4):
    """Return a random float64 u in the domain of the conjugate."""
    generator = torch.Generator().manual_seed(seed)
    if loss.per_class:
        q = torch.rand(len(y), count, generator=generator, dtype=torch.float64) ** 4
        q /= q.sum(dim=1, keepdim=True)
        return q - torch.nn.functional.one_hot(y, count)
    low, high = (torch.as_tensor(end, dtype=torch.float64) for end in loss.dual_interval(y))
    low, high = low.clamp(min=-5), high.clamp(max=5)
    return low + (high - low) * torch.rand(y.shape, generator=generator, dtype=torch.float64)
