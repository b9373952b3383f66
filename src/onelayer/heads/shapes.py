"""Rules about shapes: whether the output fits the targets."""

from onelayer.heads import wording

__all__ = ["of_classes", "of_numbers"]


def of_classes(head):
    """Yield what is wrong between scores (rows, classes, …) and class numbers or rows of probabilities."""
    out, y, name = head.output, head.y, head.criterion.name
    takes_probabilities = head.criterion.family == "cross-entropy"
    if _is_one_sample(head, takes_probabilities):
        return
    was, target = wording.shape(out), wording.shape(y)
    both = f"The module returns shape {was} and y has shape {target}"
    if out.ndim < 2:
        yield (
            f"The module returns shape {was} and {name} needs (rows, classes): leave out squeeze, or take "
            "nn.BCEWithLogitsLoss() if there is one score per row."
        )
        return
    if mixed := _rows(head):
        yield mixed
        return
    rows, classes = out.shape[:2]
    numbers = (rows, *out.shape[2:])
    if out.ndim > 2 and y.ndim == 1:
        yield f"{both}: {name} needs one row of scores per sample, so put nn.Flatten() before its layer."
    elif classes == 1:
        yield (
            f"The module has one output, and softmax over one number is always 1, so {name} teaches nothing: "
            "nn.BCEWithLogitsLoss() with y as float in the shape of the output, or one output per class."
        )
    elif y.shape == numbers:
        return
    elif y.shape == out.shape:
        if not takes_probabilities:
            yield f"y has shape {target}, and {name} takes class numbers: y.argmax(1)."
        elif not y.is_floating_point():
            yield (
                f"y has one column per class and dtype {wording.dtype_name(y.dtype)}, and {name} takes class "
                "numbers, y.argmax(1), or probabilities, y.float()."
            )
    elif y.shape == (rows, 1):
        yield f"y has shape {target}, and {name} takes class numbers of shape {numbers}: y.squeeze(1)."
    elif out.ndim > 2 and y.shape == out.shape[:-1]:
        order = ", ".join(map(str, (0, out.ndim - 1, *range(1, out.ndim - 1))))
        yield f"{both}: {name} wants the classes second, not last: output.permute({order})."
    elif y.ndim == out.ndim == 2:
        yield f"y has {y.shape[1]} columns and the module {classes} outputs: {name} needs a column per class."
    else:
        yield f"{both}: {name} takes class numbers of shape {numbers}."


def of_numbers(head):
    """Yield what is wrong between an output and targets that are compared number by number."""
    out, y, name = head.output, head.y, head.criterion.name
    if out.shape == y.shape:
        return
    if mixed := _rows(head):
        yield mixed
        return
    distance = head.criterion.family == "distance"
    both = f"The module returns shape {wording.shape(out)} and y has shape {wording.shape(y)}"
    rows = len(y) if y.ndim else 1
    if {tuple(out.shape), tuple(y.shape)} == {(rows,), (rows, 1)}:
        way = "y.unsqueeze(1), or output.squeeze(1)" if y.ndim == 1 else "y.squeeze(1)"
        table = f"{name} compares each with all, a table of {rows} × {rows}, and only warns"
        yield f"{both}: {table if distance else f'{name} wants one shape'}; {way}."
    elif out.ndim == 2 and y.shape in {(rows,), (rows, 1)}:
        if bool((head.targets == head.targets.round()).all()):
            why = "class numbers have no distance" if distance else "one label is no target for several"
            numbers = "y.long()" if y.ndim == 1 else "y.squeeze(1).long()"
            one = "" if distance else f", or one output, nn.Linear(…, 1), for {name}"
            yield f"{both}: {why}; nn.CrossEntropyLoss() on the scores with {numbers}{one}."
        else:
            yield f"{both}: one number per row needs one output, nn.Linear(…, 1)."
    elif out.ndim > 2 and y.ndim <= 2:
        yield f"{both}: put nn.Flatten() before the linear layer."
    else:
        yield f"{both}: {name} compares number by number, so both need one shape."


def _is_one_sample(head, takes_probabilities):
    """Return whether this is one sample without a batch: scores (classes,), and a label or probabilities."""
    out, y = head.output, head.y
    if out.ndim != 1:
        return False
    # Scores (rows,) and targets (rows,) look the same; only X tells them apart.
    batch = head.X is None or head.X.shape[:1] == out.shape
    return y.ndim == 0 or (takes_probabilities and y.shape == out.shape and not batch)


def _rows(head):
    """Return what is wrong with the number of rows, or None."""
    made, wanted = (len(tensor) if tensor.ndim else 1 for tensor in (head.output, head.y))
    given = len(head.X) if head.X is not None and head.X.ndim else made
    if made == wanted:
        return None
    if given == wanted:
        return (
            f"The module returns {made} rows for the {given} rows of X: a view or reshape in forward mixes "
            "samples, and flatten(1) keeps them apart."
        )
    return f"X has {given} rows and y has {wanted}: each sample needs its target."
