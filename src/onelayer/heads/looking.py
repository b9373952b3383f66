"""What the rules look at: the output, the targets, and what the module did last."""

import dataclasses
import functools

import torch

from onelayer.heads.criteria import Criterion

__all__ = ["Head", "finite"]

# Operations that only rearrange or bound numbers: what made the numbers lies behind them.
VIEWS = {"View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "T", "Transpose", "Permute", "Expand"}
PARTS = {"Select", "Slice", "Split", "Unbind", "Alias"}
COPIES = {"Clone", "ToCopy", "Clamp", "ClampMin", "ClampMax"}
REARRANGE = VIEWS | PARTS | COPIES
LAST = {
    "Softmax": "softmax",
    "LogSoftmax": "log-softmax",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Relu": "ReLU",
    **dict.fromkeys(("Addmm", "Mm", "Addmv", "Mv", "Bmm", "Baddbmm", "Convolution"), "linear"),
}
# 1 / (1 + exp(−z)) written out.
BY_HAND = ["Mul", "Reciprocal", "Add", "Exp"]


@dataclasses.dataclass(frozen=True)
class Head:
    """One forward pass, and the targets it is to be compared with.

    Attributes
    ----------
    criterion : Criterion
    module : torch.nn.Module
        The copy that ran.
    X : tensor or None
        None where the module takes something else.
    y, output : tensor
    """

    criterion: Criterion
    module: torch.nn.Module
    X: torch.Tensor | None
    y: torch.Tensor
    output: torch.Tensor

    @functools.cached_property
    def numbers(self):
        """The output in float64 on the CPU."""
        return self.output.detach().cpu().double()

    @functools.cached_property
    def targets(self):
        """The targets in float64 on the CPU."""
        return self.y.detach().cpu().double()

    @property
    def classes(self):
        """The number of scores per sample: dimension 1, or 0 for one sample without a batch."""
        return self.output.shape[min(1, self.output.ndim - 1)]

    @functools.cached_property
    def last(self):
        """What the module did last: a value of LAST, or None where that cannot be seen."""
        every = list(_operations(self.output))
        names = [name for name in every if name not in REARRANGE]
        kind = LAST.get(names[0]) if names else None
        if names[:4] == BY_HAND:
            return "sigmoid"
        if names[:1] == ["Add"] and len(names) > 1 and LAST.get(names[1]) == "linear":
            kind = "linear"
        if kind == "linear" and every[0].startswith("Clamp"):
            return None
        # A softmax written out, or one without a graph, shows in its values.
        if kind is None and self.sums_to_one(1) and bool((self.numbers >= 0).all()):
            return "softmax"
        return kind

    def sums_to_one(self, dim):
        """Return whether the output adds up to one along `dim`, of at least two numbers."""
        if self.output.ndim < 2 or self.output.shape[dim] < 2:
            return False
        slack = max(1e-4, 8 * torch.finfo(self.output.dtype).eps)
        return bool(((self.numbers.sum(dim) - 1).abs() <= slack).all())


def finite(tensor):
    """Return where a tensor holds neither NaN nor infinity, as booleans on its device.

    True for what cannot be NaN and for what has no values to look at.
    """
    if not tensor.is_floating_point() or tensor.is_meta or tensor.layout != torch.strided:
        return torch.tensor(True)
    # The float types of one byte have no isfinite.
    return (tensor.float() if tensor.element_size() == 1 else tensor).isfinite()


def _operations(output):
    """Yield the names of the operations behind the output, along each one's first argument."""
    node = output.grad_fn
    while node is not None:
        yield node.name().rstrip("0123456789").removesuffix("Backward")
        node = next((before for before, _ in node.next_functions if before is not None), None)
