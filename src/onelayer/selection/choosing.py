"""Which strength is taken, by a stated rule, and why, in words."""

import dataclasses

import numpy as np

from onelayer.errors import ParameterError

__all__ = ["RULES", "Choice", "check_rule", "choose"]

RULES = ("best", "one-standard-error")


@dataclasses.dataclass(frozen=True)
class Choice:
    """What was chosen of a grid.

    Attributes
    ----------
    index : int
        Of the strength.
    mean, error : float
        Its mean score over the folds, and the standard error of that (NaN for a single split).
    reason : str
        Why this one, in words.
    """

    index: int
    mean: float
    error: float
    reason: str

    def __str__(self):
        return self.reason


def check_rule(rule, splits=None):
    """Refuse a rule that is not known, or one that so many splits cannot serve."""
    if rule not in RULES:
        raise ParameterError(f"rule is {rule!r}: give one of {', '.join(map(repr, RULES))}.")
    if rule == "one-standard-error" and splits == 1:
        raise ParameterError(
            "rule is 'one-standard-error', and a single split has no standard error: give more folds, or rule='best'."
        )


def choose(scores, alphas, strengths, rule, *, name, metric, errors=None):
    """Return the Choice of a rule; of equal scores the strongest penalty wins.

    Parameters
    ----------
    scores : array of shape (n_folds, n_strengths)
        Larger is better.
    alphas : array of shape (n_strengths,)
        For their order.
    strengths : array of shape (n_strengths,)
        As the estimator calls them.
    rule : {"best", "one-standard-error"}
        The best mean; or the strongest penalty whose mean is within one standard error of the best one's.
    name : {"C", "alpha"}
    metric : str
    errors : array of shape (n_strengths,), optional
        Standard errors of the means; default: from the spread of the folds.
    """
    check_rule(rule, len(scores) if errors is None else None)
    scores, alphas = np.asarray(scores, dtype=float), np.asarray(alphas)
    means = scores.mean(axis=0)
    known = np.isfinite(means)
    if not known.any():
        raise ParameterError(f"no strength has a finite {metric}: choose another scoring.")
    means = np.where(known, means, -np.inf)
    count = len(scores)
    if errors is None:
        spread = np.where(known, scores, 0.0)
        errors = spread.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.full(len(means), np.nan)
    sure = bool(np.isfinite(errors[known]).all())
    # The same up to rounding of the scores themselves counts as equal.
    most = means.max()
    equal = means >= most - 1e-12 * max(abs(most), 1e-300)
    best = _strongest(equal, alphas)
    chosen, enough = best, most
    if rule == "one-standard-error" and sure:
        enough = means[best] - errors[best]
        chosen = _strongest(means >= enough, alphas)
    shown = f"{means[best]:.4g}" + (f" ± {errors[best]:.2g}" if sure else "")
    over = f"over {count} folds" if count > 1 else "on the validation data"
    reason = f"{name}={strengths[best]:.4g} has the best mean {metric} {over}, {shown}"
    if sure:
        reason += " (standard error)"
    others = int(equal.sum()) - 1
    if others:
        words = "1 other equals it" if others == 1 else f"{others} others equal it"
        reason += f"; {words}, and the strongest penalty is taken"
    if chosen != best:
        reason = (
            f"{name}={strengths[chosen]:.4g} is the strongest penalty whose mean {metric} {over}, {means[chosen]:.4g}, is within "
            f"one standard error of the best one, {shown} at {name}={strengths[best]:.4g}"
        )
    missing = int((~known).sum())
    if missing:
        reason += f"; {missing} of {len(means)} strengths are left out, for their {metric} is not finite"
    edge = alphas[chosen] in (alphas.min(), alphas.max()) and len(alphas) > 1
    if edge:
        way = "weaker" if alphas[chosen] == alphas.min() else "stronger"
        still = "be better still" if rule == "best" else "do as well"
        reason += f"; it is the end of the grid: {way} penalties may {still}"
    return Choice(int(chosen), float(means[chosen]), float(errors[chosen]), reason + ".")


def _strongest(among, alphas):
    return int(np.argmax(np.where(among, alphas, -np.inf)))
