"""The option ``--abstain`` of several commands."""

import typer

from onelayer.errors import ParameterError

__all__ = ["ABSTAIN", "read_abstain", "require_abstain"]

ABSTAIN = typer.Option(
    None,
    "--abstain",
    help="Which answers are uncertain: LOW,HIGH for the probability of the second of two classes, or one number, the "
    "least that the largest probability must be.",
)


def read_abstain(text):
    """Return ``--abstain`` as estimators take it: a pair, a number, or None."""
    if text is None:
        return None
    from onelayer.abstention import Abstention

    try:
        numbers = tuple(float(part) for part in text.split(","))
        abstain = numbers if len(numbers) > 1 else numbers[0]
        Abstention.of(abstain, classes=None)
    except ValueError as error:
        raise ParameterError(
            f"--abstain is {text!r}: give two probabilities LOW,HIGH in this order, as in 0.4,0.6, or one, the least "
            "that the largest probability must be, as in 0.6."
        ) from error
    return abstain


def require_abstain(abstain, model, folder):
    """Refuse ``--abstain`` where the model in the folder cannot do it."""
    if abstain is None:
        return
    from onelayer.abstention import Abstention

    if not hasattr(model, "predict_proba"):
        raise ParameterError(
            f"--abstain needs a classifier, and {folder} holds a {type(model).__name__}: leave it out."
        )
    Abstention.of(abstain, len(model.classes_), name="--abstain")
