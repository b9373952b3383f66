"""How often a model gave no answer, in words for the page and for the terminal."""

__all__ = ["describe_bounds", "describe_parts", "describe_uncertain"]

PARTS = {"test": "test row", "train": "training row"}


def describe_bounds(abstain, positive):
    """Return which rows are uncertain; `positive` is the name of the second of two classes, for a band.

    Examples
    --------
    >>> describe_bounds([0.4, 0.6], "benign")
    'uncertain means a probability of class benign strictly between 0.4 and 0.6'
    >>> describe_bounds(0.6, "cat")
    'uncertain means that no class has a probability of at least 0.6'
    """
    if isinstance(abstain, list | tuple):
        low, high = abstain
        return f"uncertain means a probability of class {positive} strictly between {low} and {high}"
    return f"uncertain means that no class has a probability of at least {abstain}"


def describe_uncertain(count, rows, accuracy, noun="row"):
    """Return how many rows got no answer, and how good the answers of the others are; `accuracy` None for no others.

    Examples
    --------
    >>> describe_uncertain(31, 450, 0.98, "test row")
    '31 of 450 test rows (6.9 %), accuracy on the rest 0.9800'
    """
    rest = "none is left to judge" if accuracy is None else f"accuracy on the rest {accuracy:.4f}"
    return f"{count:,} of {rows:,} {noun}{'s' if rows != 1 else ''} ({100 * count / rows:.1f} %), {rest}"


def describe_parts(summary):
    """Return the same for the test part and the training part of a summary that was made with `abstain`.

    Examples
    --------
    >>> describe_parts({"n_train": 3, "n_test": 0, "train_uncertain": 1, "train_accuracy_decided": 1.0})
    '1 of 3 training rows (33.3 %), accuracy on the rest 1.0000'
    """
    return "; ".join(
        describe_uncertain(
            summary[f"{part}_uncertain"], summary[f"n_{part}"], summary[f"{part}_accuracy_decided"], noun
        )
        for part, noun in PARTS.items()
        if f"{part}_uncertain" in summary
    )
