"""Rules for losses that take class numbers or rows of probabilities: CrossEntropyLoss and NLLLoss."""

import math

from onelayer.heads import wording

__all__ = ["endings_of_log_probabilities", "endings_of_scores", "labels", "weights"]


def labels(head):
    """Yield what is wrong with the values and the dtype of the targets."""
    yield from _probabilities(head) if head.y.shape == head.output.shape else _class_numbers(head)


def _class_numbers(head):
    name, y, ignored = head.criterion.name, head.targets, head.criterion.ignore_index
    dtype, top = wording.dtype_name(head.y.dtype), head.classes - 1
    broken = y[y != y.round()]
    if broken.numel():
        yield (
            f"y holds {wording.number(broken[0])}, and {name} takes class numbers from 0 to {top}: "
            "nn.MSELoss() is for other numbers."
        )
        return
    if dtype not in ("int64", "uint8"):
        yield f"y has dtype {dtype}, and {name} takes class numbers as int64: y.long()."
    counted = y[y != ignored]
    if not counted.numel():
        yield f"Every label is {ignored}, the ignore_index of {name}: the mean over no row is nan."
        return
    low, high = int(counted.min()), int(counted.max())
    right = f"and {name} counts {head.classes} classes from 0 to {top}"
    if low >= 0 and high <= top:
        return
    if top == 1 and set(counted.unique().tolist()) == {-1, 1}:
        yield f"The labels are -1 and 1, {right}: (y + 1) // 2."
    elif low >= 1 and (high == top + 1 or high - low == top):
        yield f"The labels go from {low} to {high}, {right}: y - {high - top}."
    elif low < 0 and high - low == top:
        yield f"The labels go from {low} to {high}, {right}: y + {-low}."
    elif low < 0:
        yield f"The smallest label is {low}, {right}: ignore_index={low} if it marks rows to leave out."
    else:
        yield f"The largest label is {high}, {right}: it takes {high + 1} outputs, or labels without gaps."


def _probabilities(head):
    name, y = head.criterion.name, head.targets
    sums = y.sum(min(1, y.ndim - 1))
    odd = sums[(sums - 1).abs() > 1e-2]
    if bool((y < 0).any()):
        yield f"y holds {wording.number(y.min())}, and {name} reads rows of y as probabilities: 0 or more."
    elif odd.numel():
        way = "y / y.sum(1, keepdim=True)"
        if bool(((y == 0) | (y == 1)).all()):
            way = "nn.BCEWithLogitsLoss() is for any number of labels per row"
        yield (
            f"A row of y sums to {wording.number(odd[0])}, and {name} reads rows of y as probabilities "
            f"without checking that they sum to 1: {way}."
        )


def weights(head):
    """Yield what is wrong with the weights of classes."""
    weight, name = head.criterion.weight, head.criterion.name
    if weight is None:
        return
    if tuple(weight.shape) != (head.classes,):
        yield (
            f"weight of {name} has shape {wording.shape(weight)} and the module {head.classes} outputs: one "
            "weight per class."
        )
    elif weight.dtype != head.output.dtype:
        yield (
            f"weight of {name} has dtype {wording.dtype_name(weight.dtype)} and the output "
            f"{wording.dtype_name(head.output.dtype)}: {wording.cast('weight', head.output.dtype)}."
        )


def endings_of_scores(head):
    """Yield what the module did to its scores that cross-entropy does itself, or that spoils them."""
    name, last = head.criterion.name, head.last
    if last in ("softmax", "sigmoid"):
        # Scores between 0 and 1: at best one is 1 and all others are 0.
        least = wording.number(math.log1p((head.classes - 1) / math.e))
        again = "softmax again" if last == "softmax" else "softmax itself"
        yield (
            f"The module ends with {last} before {name}, which applies {again}, so the loss of a row cannot "
            f"fall below {least}: return the scores without {last}."
        )
    elif last == "ReLU":
        yield (
            f"The module ends with ReLU before {name}, so no score is negative and those cut off learn "
            "nothing: leave ReLU out."
        )


def endings_of_log_probabilities(head):
    """Yield why the output is not the logarithm of probabilities."""
    if head.output.ndim < 2:
        return
    name, last = head.criterion.name, head.last
    sums = head.numbers.exp().sum(1)
    odd = sums[(sums - 1).abs() > 2e-2]
    if last == "softmax":
        yield f"The module ends with softmax, and {name} takes its logarithm: nn.LogSoftmax(dim=1)."
    elif odd.numel() and last == "log-softmax":
        yield "The module's log-softmax does not go over the classes of a row: nn.LogSoftmax(dim=1)."
    elif odd.numel():
        yield (
            f"{name} takes log-probabilities, and exp of a row of the output sums to "
            f"{wording.number(odd[0])}, not 1: end with nn.LogSoftmax(dim=1), or keep the scores and take "
            "nn.CrossEntropyLoss()."
        )
