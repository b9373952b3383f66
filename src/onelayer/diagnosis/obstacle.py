"""A fit without a certificate: what is in its way, and what would give one."""

import dataclasses
import math

__all__ = ["Obstacle", "find_obstacle"]

# The penalty that gives a proof may take this share of P, and not be weaker than 1/C with this C.
_CHEAP = 1e-6
_LARGEST_C = 1e9


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """Why nothing is proven.

    Attributes
    ----------
    reason : str
        In words.
    action : str
        The argument to change.
    gradient_norm : float or None
        The largest entry of the gradient, which is all that is known.
    """

    reason: str
    action: str
    gradient_norm: float | None

    def sentence(self):
        """Return the finding in words."""
        if self.gradient_norm is None:
            return self.reason[:1].upper() + self.reason[1:]
        return f"The largest entry of the gradient is {self.gradient_norm:.2g}, but {self.reason}"


def find_obstacle(objective, parameters, gradient_norm=None, reason=None):
    """Return the Obstacle of an objective whose fit has no certificate.

    Where only the penalty is missing, the way out is the weakest that costs no more than a millionth of P at these
    coefficients, as a power of ten (C of a classifier, alpha = 1/(C S) of a regression). Costs half a pass then.

    Parameters
    ----------
    objective : Objective
    parameters : Parameters
    gradient_norm : float, optional
    reason : str, optional
        What is in the way, if more is known about that.
    """
    loss, penalty = objective.loss, objective.penalty
    if not loss.convex:
        convex = "huber" if loss.targets == "real" else "log"
        return Obstacle(
            reason or f"{loss!r} is not convex, so nothing is proven about its minimum",
            f"loss={convex!r}",
            gradient_norm,
        )
    if penalty.l1 or penalty.l2 or not loss.has_dual:
        return Obstacle(reason or "no bound on the distance to the optimum is known", "tol=0", gradient_norm)
    value = abs(objective.counted_anew().value(parameters.to(objective.dtype))) or 1.0
    square, total = parameters.weight.double().square().sum().item(), objective.total_weight
    weakest = max(2 * _CHEAP * value / max(square, 1e-300), 1 / (_LARGEST_C * total))
    digits = math.ceil(math.log10(max(1 / (weakest * total), 1.0)))
    alpha = 10.0**-digits / total
    argument = f"alpha={alpha:.0e}" if loss.targets == "real" else f"C=1e{digits}"
    share = alpha / 2 * square / value
    return Obstacle(
        f"{reason or 'without a penalty nothing is proven here'}; a penalty with {argument} takes {share:.1g} of the "
        "objective here and gives a proof",
        argument,
        gradient_norm,
    )
