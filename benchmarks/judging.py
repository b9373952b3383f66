"""The one judge of all coefficients, ours and theirs."""

import dataclasses
import math

from tasks import objective

__all__ = ["Judgement", "judge"]


@dataclasses.dataclass
class Judgement:
    """What is proven about coefficients on their own.

    Attributes
    ----------
    relative_gap : float or None
        None where ``onelayer.certify`` was not asked or knows no bound; ``reason`` says why.
    objective : float
        P in float64, computed here and not by any contestant.
    """

    relative_gap: float | None
    objective: float
    reason: str = ""


def judge(task, X, y, coef, intercept, wanted=None):
    """Return the objective and the certified relative gap of coefficients of shape (outputs, features) and (outputs,).

    `wanted` tells from the objective whether a certificate is worth its price; default: always.
    """
    import onelayer as ol

    value = objective(task, X, y, coef, intercept)
    if not math.isfinite(value):
        return Judgement(None, value, "its scores are not finite")
    if wanted is not None and not wanted(value):
        return Judgement(None, value, "the certificates of others tell its gap")
    loss = ol.losses.Huber(task.delta) if task.loss == "huber" else "log" if task.classes else "squared"
    try:
        return Judgement(ol.certify((coef, intercept), X, y, loss=loss, alpha=task.alpha).relative_gap, value)
    except ol.errors.ParameterError as error:
        return Judgement(None, value, str(error))
