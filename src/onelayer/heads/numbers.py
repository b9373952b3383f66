"""Rules for losses that go number by number: BCELoss, BCEWithLogitsLoss, MSELoss and its like."""

import math

import torch

from onelayer.heads import wording

__all__ = ["dtypes", "labels", "outputs_of_distances", "outputs_of_logits", "outputs_of_probabilities"]

REACH = {"sigmoid": (0, 1), "softmax": (0, 1), "tanh": (-1, 1), "ReLU": (0, math.inf)}


def dtypes(head):
    """Yield the dtypes of targets that torch refuses."""
    y, out = head.y.dtype, head.output.dtype
    refused = {
        "same": y != out,
        "floating": not y.is_floating_point,
        "not bool": y == torch.bool,
        "any": False,
    }
    if refused[head.criterion.targets]:
        yield (
            f"y has dtype {wording.dtype_name(y)} and the output {wording.dtype_name(out)}, which "
            f"{head.criterion.name} does not mix: {wording.cast('y', out)}."
        )


def labels(head):
    """Yield what is wrong with targets that should be 0, 1 or a probability."""
    kinds, name = head.targets.unique().tolist(), head.criterion.name
    low, high = kinds[0], kinds[-1]
    if low >= 0 and high <= 1:
        return
    silent = ", else the loss has no lower end" if head.criterion.family == "logits" else ""
    wrong = f"y holds {wording.few(kinds)}, and {name} takes numbers from 0 to 1{silent}"
    if kinds == [-1, 1]:
        yield f"{wrong}: (y + 1) / 2."
    elif kinds == [1, 2]:
        yield f"{wrong}: y - 1."
    elif len(kinds) == 2 and low == 0:
        yield f"{wrong}: y / {wording.number(high)}."
    elif low >= 0 and all(value.is_integer() for value in kinds):
        yield f"{wrong}: nn.CrossEntropyLoss() is for more than two classes, with one output for each."
    else:
        yield f"{wrong}: nn.MSELoss() is for other numbers."


def outputs_of_probabilities(head):
    """Yield why the output is no probability."""
    low, high = float(head.numbers.min()), float(head.numbers.max())
    if low < 0 or high > 1 or head.last in ("linear", "ReLU", "tanh"):
        yield (
            f"{head.criterion.name} takes probabilities, and the module returns scores (here from "
            f"{wording.number(low)} to {wording.number(high)}): end with nn.Sigmoid(), or keep the scores "
            "and take nn.BCEWithLogitsLoss()."
        )
    else:
        yield from _softmax_over_the_wrong_numbers(head)


def outputs_of_logits(head):
    """Yield what the module did to its scores that the loss does itself, or that spoils them."""
    name, last = head.criterion.name, head.last
    if last in ("sigmoid", "softmax"):
        yield (
            f"The module ends with {last} before {name}, which applies sigmoid itself, so every probability "
            f"lies between 0.5 and 0.731: leave {last} out, or take nn.BCELoss()."
        )
    elif last == "ReLU":
        yield f"The module ends with ReLU before {name}, so every probability is 0.5 or more: leave ReLU out."


def outputs_of_distances(head):
    """Yield which targets the output cannot reach, and squared errors of probabilities."""
    name, last = head.criterion.name, head.last
    low, high = float(head.targets.min()), float(head.targets.max())
    least, most = REACH.get(last, (-math.inf, math.inf))
    wrong = list(_softmax_over_the_wrong_numbers(head))
    if low < least or high > most:
        yield (
            f"The module ends with {last}, which is never "
            f"{f'below {least}' if low < least else f'above {most}'}, and y goes from {wording.number(low)} "
            f"to {wording.number(high)}: leave {last} out."
        )
    elif wrong:
        yield from wrong
    elif last in ("sigmoid", "softmax") and bool(((head.targets == 0) | (head.targets == 1)).all()):
        better = "nn.BCEWithLogitsLoss()" if last == "sigmoid" else "nn.CrossEntropyLoss()"
        yield (
            f"{name} of a probability has next to no gradient where the module is sure and wrong: for "
            f"classes take {better} on the scores, without {last}."
        )


def _softmax_over_the_wrong_numbers(head):
    if head.last != "softmax" or head.output.ndim != 2:
        return
    if bool((head.numbers == 1).all()):
        yield "The module ends with softmax over one number, which is always 1: nn.Sigmoid() is for one."
    elif head.sums_to_one(0) and not head.sums_to_one(1):
        yield "The module's softmax goes over the rows of the batch, not over the classes: nn.Softmax(dim=1)."
