"""The penalty that an estimator's arguments ask for: numbers, or strengths in the words of another library."""

from onelayer.errors import ParameterError
from onelayer.estimators.validation import as_number
from onelayer.penalties import Strength

__all__ = ["penalty_of", "require_strength"]


def penalty_of(estimator, total_weight, loss, outputs):
    """Return (alpha, l1_ratio) of the penalty beside the mean loss.

    Raises
    ------
    ParameterError
        If the strength was translated for another loss, or brings an `l1_ratio` that contradicts the estimator's.
    """
    l1_ratio = as_number("l1_ratio", estimator.l1_ratio)
    name = "C" if hasattr(estimator, "C") else "alpha"
    given = getattr(estimator, name, None)
    if not isinstance(given, Strength):
        return estimator._alpha(total_weight), l1_ratio
    if not given.fits(loss.name):
        raise ParameterError(
            f"{name} is {given!r}, and the loss of this fit is {loss.name!r}: translate it for that (from_sklearn "
            "and from_statsmodels have model=, from_glmnet and from_spark family=, from_torch loss=)."
        )
    if l1_ratio and given.l1_ratio not in (None, l1_ratio):
        raise ParameterError(
            f"l1_ratio is {estimator.l1_ratio!r}, and {name} brings its own, {given.l1_ratio:g}: leave l1_ratio out."
        )
    return given.resolve(total_weight, l1_ratio, loss.name, outputs)


def require_strength(estimator):
    """Refuse a penalty that no data could make sense of."""
    as_number("l1_ratio", estimator.l1_ratio)
    if not isinstance(getattr(estimator, "C" if hasattr(estimator, "C") else "alpha"), Strength):
        estimator._alpha(1.0)
