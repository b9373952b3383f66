"""How strong a penalty is, before the data say what a sum or a mean of losses is."""

import dataclasses
import math
import numbers
from typing import ClassVar

from onelayer.errors import ParameterError

__all__ = ["Strength", "between_rows"]

# A number beside the log loss of one row of weights, of one row per class, or of either as the classes have it.
_LOG = ("log", "logistic", "cross-entropy")


@dataclasses.dataclass(frozen=True, repr=False)
class Strength:
    """amount · [ (1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁ ], added to the mean or to the sum of the losses.

    What the constructors ``from_sklearn``, ``from_glmnet``, ``from_statsmodels``, ``from_spark`` and ``from_torch``
    return, and what ``C=`` of the classifiers and ``alpha=`` of ``LinearRegression`` take in place of a number. It
    becomes a number in ``fit``, where the total weight of the rows is known.

    Parameters
    ----------
    amount : float
        ≥ 0.
    of : {"mean", "sum"}
        What it stands beside: Σ s_i ℓ_i / S, or Σ s_i ℓ_i, with ℓ as in ``onelayer.losses``.
    l1_ratio : float, optional
        The share of the L1 part. Default: that of the estimator.
    loss : {"squared", "log", "logistic", "cross-entropy"}, optional
        The loss that it was translated for; another one is refused in ``fit``. With two classes "logistic" and "log"
        mean the penalty on one row of weights, "cross-entropy" that on a row for each class; an estimator that has the
        other number of rows converts. Default: any loss, the amount as it stands.
    over_targets : bool, default False
        Whether the mean loss that it stands beside runs over the targets of a row too, as those of torch do. Ours is their
        sum, so the strength is multiplied by their number in ``fit``.

    Raises
    ------
    ParameterError
        If a value is out of its range.

    Examples
    --------
    >>> import onelayer as ol
    >>> ol.penalties.Strength(3.0, "sum").alpha(150.0)
    0.02
    >>> data = ol.data.load("iris")
    >>> model = ol.LogisticRegression(C=ol.penalties.Strength(3.0, "sum")).fit(data.X, data.y)
    >>> model.objective_record_["alpha"]
    0.02
    """

    amount: float
    of: str = "mean"
    l1_ratio: float | None = None
    loss: str | None = None
    over_targets: bool = False

    LOSSES: ClassVar[tuple[str, ...]] = ("squared", *_LOG)

    def __repr__(self):
        shown = f"amount={self.amount!r}, of={self.of!r}, l1_ratio={self.l1_ratio!r}, loss={self.loss!r}"
        return f"Strength({shown}{', over_targets=True' if self.over_targets else ''})"

    def __post_init__(self):
        checked("amount", self.amount)
        if self.of not in ("mean", "sum"):
            raise ParameterError(f"of is {self.of!r}: give 'mean' or 'sum', of the losses.")
        if self.l1_ratio is not None:
            checked("l1_ratio", self.l1_ratio, high=1.0)
        if self.loss is not None and self.loss not in self.LOSSES:
            raise ParameterError(
                f"loss is {self.loss!r}: give one of {', '.join(map(repr, self.LOSSES))}, or None for any."
            )

    def alpha(self, total_weight):
        """Return the strength beside the mean loss, for rows of this total weight."""
        return float(self.amount) if self.of == "mean" else float(self.amount) / total_weight

    def fits(self, loss):
        """Return whether it was translated for a loss of this name."""
        return self.loss is None or loss == self.loss or (self.loss in _LOG and loss in _LOG)

    def resolve(self, total_weight, l1_ratio, loss, outputs):
        """Return (alpha, l1_ratio) of the penalty beside the mean loss, for so many rows of weights.

        Parameters
        ----------
        total_weight : float
            S.
        l1_ratio : float
            That of the estimator, used where this object has none.
        loss : str
            The name of the loss that is fitted.
        outputs : int
            Rows of W.
        """
        alpha = self.alpha(total_weight) * (outputs if self.over_targets else 1)
        share = l1_ratio if self.l1_ratio is None else float(self.l1_ratio)
        if self.loss in ("log", "logistic") and loss == "cross-entropy" and outputs == 2:
            return between_rows(alpha, share, 2.0)
        if self.loss == "cross-entropy" and loss == "logistic":
            return between_rows(alpha, share, 0.5)
        return alpha, share


def between_rows(alpha, l1_ratio, factor):
    """Return (alpha, l1_ratio) for two rows of weights (`factor` 2) where one row has these, or back (½).

    Only the difference w of the two rows matters to two classes, so the optimum has them at ±w/2: then
    ‖W‖² is ‖w‖²/2, and ‖W‖₁ is ‖w‖₁ itself.
    """
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio) * factor
    return l1 + l2, l1 / (l1 + l2) if l1 else 0.0


def checked(name, value, *, high=math.inf, low=0.0, strict=False):
    """Return a number as a float, or raise ParameterError with its legal range."""
    legal = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    if not legal or not low <= value <= high or (strict and value == low):
        sign = ">" if strict else "≥"
        limits = f"{sign} {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise ParameterError(f"{name} is {value!r}: give a number {limits}.")
    return float(value)
