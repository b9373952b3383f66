"""Time one gradient pass of softmax regression against the plain torch forms, interleaved in one process.

``python benchmarks/gradient_pass.py [--rows 60000] [--features 784] [--classes 10] [--repeat 15] [--threads N]``

The data are random: a dense product takes the same time for any numbers. Peers:

- ``plain``: ``X @ W``, ``torch.softmax``, ``X.T @ R``, as textbooks write it, W of shape (features, classes);
- ``autograd``: ``torch.nn.Linear``, ``cross_entropy``, ``backward()``;
- ``onelayer``: ``Objective.value_and_gradient`` (value and gradient, sums in float64).

The three must agree on the gradient, else nothing is printed. ``floor`` is one read of X at memory speed.
"""

import argparse
import statistics
import time

import torch

from onelayer.designs import DenseDesign
from onelayer.losses import CrossEntropy
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import NoPenalty


def forms(rows, features, classes):
    """Return the competing functions by name; each returns the gradient as (classes, features)."""
    generator = torch.Generator().manual_seed(0)
    X = torch.rand(rows, features, generator=generator)
    y = torch.randint(classes, (rows,), generator=generator)
    W = 0.01 * torch.randn(features, classes, generator=generator)
    b = torch.zeros(classes)
    one_hot = torch.nn.functional.one_hot(y, classes).float()
    picked = torch.arange(rows)

    def plain():
        p = torch.softmax(X @ W + b, dim=1)
        loss = -torch.log(p[picked, y]).mean()
        residual = (p - one_hot) / rows
        return loss, (X.T @ residual).T, residual.sum(dim=0)

    layer = torch.nn.Linear(features, classes)
    with torch.no_grad():
        layer.weight.copy_(W.T)
        layer.bias.copy_(b)

    def autograd():
        layer.zero_grad()
        loss = torch.nn.functional.cross_entropy(layer(X), y)
        loss.backward()
        return loss.detach(), layer.weight.grad, layer.bias.grad

    objective = Objective(DenseDesign(X), y, CrossEntropy(), NoPenalty(), outputs=classes)
    parameters = Parameters.of(W.T.contiguous(), b)

    def onelayer():
        value, gradient = objective.value_and_gradient(parameters)
        return value, gradient.weight, gradient.bias

    return {
        "plain": plain,
        "autograd": autograd,
        "onelayer": onelayer,
        "floor": lambda: (None, X.sum(), None),
    }


def main():
    """Run the comparison and print a table with ratios to the plain form."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--features", type=int, default=784)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    functions = forms(options.rows, options.features, options.classes)
    reference = functions["plain"]()[1]
    for name in ("autograd", "onelayer"):
        torch.testing.assert_close(functions[name]()[1], reference, rtol=1e-3, atol=1e-6)
    seconds = {name: [] for name in functions}
    for _ in range(options.repeat):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    print(
        f"{options.rows} x {options.features} x {options.classes}, float32, {options.threads} threads, torch {torch.__version__}"
    )
    print(f"{'':10}{'median ms':>10}{'min ms':>9}{'ratio':>7}  (medians, to plain)")
    base = statistics.median(seconds["plain"])
    for name, times in seconds.items():
        middle = statistics.median(times)
        print(f"{name:10}{1e3 * middle:10.1f}{1e3 * min(times):9.1f}{middle / base:7.2f}")


if __name__ == "__main__":
    main()
