"""What learners do wrong with the last layer and its loss, said before torch says it, or instead of torch."""

import torch
from torch import nn

from onelayer.errors import ParameterError
from onelayer.heads import classes, inputs, numbers, shapes, training
from onelayer.heads.criteria import recognise, refusal
from onelayer.heads.looking import Head

__all__ = ["check_head"]

# Per family of losses: the rule about shapes, and those that need the shapes to be right.
RULES = {
    "cross-entropy": (shapes.of_classes, (classes.labels, classes.weights, classes.endings_of_scores)),
    "log-probabilities": (
        shapes.of_classes,
        (classes.labels, classes.weights, classes.endings_of_log_probabilities),
    ),
    "probabilities": (shapes.of_numbers, (numbers.dtypes, numbers.labels, numbers.outputs_of_probabilities)),
    "logits": (shapes.of_numbers, (numbers.dtypes, numbers.labels, numbers.outputs_of_logits)),
    "distance": (shapes.of_numbers, (numbers.dtypes, numbers.outputs_of_distances)),
}


def check_head(module, loss, X, y):
    r"""Say what is wrong with a module, its loss and one batch of data.

    The batch runs through a copy of the module, in the mode (training or not) in which the module stands.
    Where it does not run, the usual changes of X are tried and the check goes on with the first that helps:
    several mistakes are found at once. The loss is called only where nothing was found. The module, its
    buffers and gradients, the data and torch's random numbers stay as they are.

    Parameters
    ----------
    module : torch.nn.Module
        What computes the scores.
    loss : torch.nn.Module or callable
        ``CrossEntropyLoss``, ``NLLLoss``, ``BCELoss``, ``BCEWithLogitsLoss``, ``MSELoss``, ``L1Loss``,
        ``HuberLoss`` or ``SmoothL1Loss``, their functions in ``torch.nn.functional``, or a
        ``functools.partial`` of one. Any other callable, called as ``loss(output, y)``, gets the checks that
        hold for all losses.
    X, y : tensor
        One batch, as your training loop would have it: rows are samples.

    Returns
    -------
    list of str
        One sentence for each finding: the thing, its value and the way out. X comes first, then shapes, then
        values. Empty if nothing was found.

    Raises
    ------
    ParameterError
        If `module` is no module or cannot be copied, or if `loss` is nothing that can be called.

    Examples
    --------
    Three mistakes: images that are not flattened, labels that start at 1, and softmax twice.

    >>> import torch
    >>> from torch import nn
    >>> import onelayer as ol
    >>> images, y = torch.rand(4, 1, 28, 28), torch.tensor([1, 4, 9, 10])
    >>> head = nn.Sequential(nn.Linear(784, 10), nn.Softmax(dim=1))
    >>> print(*ol.check_head(head, nn.CrossEntropyLoss(), images, y), sep="\n")
    X has shape (4, 1, 28, 28) and the module takes rows of 784 numbers: put nn.Flatten() first.
    The labels go from 1 to 10, and CrossEntropyLoss counts 10 classes from 0 to 9: y - 1.
    The module ends with softmax before CrossEntropyLoss, which applies softmax again, so the loss of a row
    cannot fall below 1.461: return the scores without softmax.

    >>> head = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> ol.check_head(head, nn.CrossEntropyLoss(), images, y - 1)
    []
    """
    if not isinstance(module, nn.Module):
        way = f"{module.__name__}(…) makes one" if isinstance(module, type) else "nn.Linear or one of yours"
        raise ParameterError(
            f"module is {module!r}; it takes an object of a subclass of torch.nn.Module: {way}."
        )
    if "_parameters" not in vars(module):
        return [f"{type(module).__name__} was made without super().__init__(): its __init__ begins with it."]
    for name, given in (("X", X), ("y", y)):
        if given is None:
            return [f"{name} is None: give one batch, rows of X and as many targets y."]
    # The check needs a graph also where the caller switched gradients off.
    with torch.inference_mode(False), torch.enable_grad():
        return list(_findings(module, loss, X, y))


def _findings(module, loss, X, y):
    criterion, found = recognise(loss)
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.get_default_dtype())
    targets, said = inputs.as_tensor("y", y, dtype)
    found += said
    if targets is None:
        return found
    features, _ = inputs.as_tensor("X", X)
    said = [*(inputs.unusable("X", features) if features is not None else ()), *inputs.unusable("y", targets)]
    if said:
        return found + said
    if any(parameter.is_meta for parameter in module.parameters()):
        return [*found, "The module is on the device meta and holds no numbers: make it anew on 'cpu'."]
    ran, features, said = inputs.forward(module, X, len(targets) if targets.ndim else 1)
    found += said
    if features is None:
        return found
    # A module of its own kind may take what is no tensor; then nothing is said about X.
    features = features if isinstance(features, torch.Tensor) else None
    said = list(training.output(ran.output))
    if said:
        return found + said
    output = ran.output
    if targets.device != output.device:
        if isinstance(y, torch.Tensor):
            found.append(
                f"y is on {y.device} and the module's output on {output.device}: y.to('{output.device}')."
            )
        targets = targets.to(output.device)
    found += _of_head(Head(criterion, ran.module, features, targets, output))
    if not found and (refused := refusal(criterion, output, targets)):
        found.append(refused)
    return found


def _of_head(head):
    of_shapes, of_values = RULES.get(head.criterion.family, (None, ()))
    found = list(inputs.not_finite("X", head.X)) if head.X is not None else []
    missing = list(inputs.not_finite("y", head.y))
    misshapen = list(of_shapes(head)) if of_shapes else []
    found += [*missing, *misshapen, *training.parameters(head)]
    if not missing and not misshapen:
        found += [said for rule in of_values for said in rule(head)]
    return found
