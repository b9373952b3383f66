"""Whether an unpenalised minimum exists, with a direction that proves that it does not."""

import dataclasses
from typing import Literal

import numpy as np
import torch

from onelayer.diagnosis.cone import Cone
from onelayer.diagnosis.recession import STRICT, widest_direction
from onelayer.diagnosis.sides import complete_along, may_be_separated
from onelayer.diagnosis.stationary import proves_overlap
from onelayer.diagnosis.words import columns, some_rows
from onelayer.parameters import Parameters

__all__ = ["Search", "Separation", "find_separation", "search_separation"]

# Where the linear programme takes some seconds, and one look at all rows as numbers half a second.
_MOST_UNKNOWNS = 800
_MOST_PRODUCTS = 10**10
_SHOWN = 5
# A feature with less than this share of the largest effect is not named.
_USED = 1e-6


@dataclasses.dataclass(frozen=True)
class Separation:
    """A direction along which no row loses and some rows gain for ever: P has no minimum.

    Attributes
    ----------
    kind : {"complete", "quasi-complete"}
        Whether every margin grows along the direction, or some stay as they are.
    direction : Parameters
        W and b in float64. (2y − 1)(Wx + b) ≥ 0 for every row of positive weight, with more than zero for some; with
        one score per class the same of z_y − z_k, for each k ≠ y. Verified on all rows in float64.
    rows, boundary : tuple of int
        The first rows of which a margin grows, and the first of which none does.
    moved, total : int
        How many rows gain, of how many of positive weight.
    columns : tuple of int
        Features that the direction uses, the largest effect first.
    tolerance : float
        The share of the absolute values of its terms up to which a margin counts as zero.

    References
    ----------
    A. Albert, J. A. Anderson, "On the existence of maximum likelihood estimates in logistic regression models",
    Biometrika 71 (1984).
    """

    kind: Literal["complete", "quasi-complete"]
    direction: Parameters
    rows: tuple[int, ...]
    boundary: tuple[int, ...]
    moved: int
    total: int
    columns: tuple[int, ...]
    tolerance: float

    def sentence(self, names=None):
        """Return the finding in words."""
        used = sorted(self.columns)
        if self.kind == "complete":
            who = "A line separates" if self.direction.outputs == 1 else "Linear scores separate"
            grow = "the coefficients grow"
            if len(used) == 1:
                who, grow = f"{_capital(columns(used, names))} alone separates", "its coefficient grows"
            elif not used:
                who, grow = "The intercept alone separates", "it grows"
            return (
                f"{who} the classes without error (all {self.total} rows), so without a penalty {grow} for ever and no "
                "optimum exists"
            )
        if len(used) > 3:
            who = "One direction of the coefficients moves"
        else:
            who = _capital(columns(used, names) if used else "the intercept")
            who += " alone moves" if len(used) < 2 else " together move"
        return (
            f"{who} {self.moved} of {self.total} rows ({some_rows(self.rows, self.moved)}) ever further to their own "
            "side and none to the wrong one, so without a penalty no optimum exists"
        )


@dataclasses.dataclass(frozen=True)
class Search:
    """What a search for a separation came to.

    Attributes
    ----------
    separation : Separation or None
    undecided : str or None
        Why None, or the kind, is not the last word, in words; None where it is.
    """

    separation: Separation | None
    undecided: str | None = None


def find_separation(objective, parameters=None, previous=None):
    """Return the Separation of these data, or None where there is none, or none could be found.

    :func:`search_separation` tells the two apart.

    Examples
    --------
    >>> import onelayer as ol
    >>> from onelayer.diagnosis import find_separation
    >>> objective = ol.LogisticRegression(C=float("inf")).objective([[1.0], [2.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> found = find_separation(objective)
    >>> found.kind, found.rows, found.boundary
    ('quasi-complete', (0, 3), (1, 2))
    """
    return search_separation(objective, parameters, previous).separation


def search_separation(objective, parameters=None, previous=None, *, seconds=10.0):
    """Decide whether the data of a classification are separated: completely, quasi-completely, or not.

    First what costs a product with X: whether the coefficients, or their last change, put every row on its own side.
    Then whether the residuals prove that there is no separation (near a minimum they do). Then the linear programme
    of K. Konis, up to 800 free coefficients and rows · features · max(features, classes) = 10¹⁰; beyond that nothing
    is decided.

    Parameters
    ----------
    objective : Objective
        With a penalty, or with a loss that is not of classes, there is nothing to find. Rows of zero weight are left
        out; offsets change nothing.
    parameters, previous : Parameters, optional
        Where a solver stands, and where it stood some steps before.
    seconds : float
        Time for the linear programme.

    Returns
    -------
    Search

    References
    ----------
    A. Albert, J. A. Anderson, Biometrika 71 (1984); K. Konis, "Linear programming algorithms for detecting separated
    data in binary logistic regression models", thesis, Oxford (2007).
    """
    if not may_be_separated(objective) or not objective.total_weight > 0:
        return Search(None)
    for moving in _movements(parameters, previous):
        found = complete_along(objective, moving)
        if found:
            rows, direction, effect, tolerance = found
            return Search(
                _separation(direction, rows, np.ones(len(rows), dtype=bool), effect, tolerance, "complete")
            )
    loss = objective.loss
    if not (loss.convex or not loss.per_class):
        # Where one margin grows and another does not, this loss may rise: only complete separation says something.
        return Search(None, f"for {loss!r} only complete separation is looked for")
    unknowns = (objective.features + objective.fit_intercept) * max(objective.outputs - 1, 1)
    products = objective.rows * objective.features * max(objective.features, objective.outputs)
    if unknowns > _MOST_UNKNOWNS or products > _MOST_PRODUCTS:
        size = f"{objective.rows} rows and {unknowns} free coefficients"
        return Search(None, f"{size} are too many for the linear programme")
    # Iterates that diverge overflow: what comes of it is looked at.
    with np.errstate(all="ignore"):
        return _decide(objective, parameters, previous, seconds)


def _movements(parameters, previous):
    """Return the directions that a solver shows: where it stands, and where it is going."""
    if parameters is None:
        return []
    wide = parameters.to(torch.float64)
    if previous is None:
        return [wide]
    return [wide, wide.like(wide.flat - previous.to(torch.float64).flat)]


# ---- the linear programme -------------------------------------------------------------------------------------


def _decide(objective, parameters, previous, seconds):
    cone = Cone(objective)
    ease, begin = np.zeros(cone.shape), None
    if parameters is not None:
        wide = objective.counted_anew().as_dtype(torch.float64)
        scores = wide.scores(parameters.to(torch.float64))[cone.rows].cpu().numpy()
        weight = (
            np.ones(len(scores))
            if wide.sample_weight is None
            else wide.sample_weight[cone.rows].cpu().numpy()
        )
        if objective.loss.name in ("logistic", "cross-entropy") and proves_overlap(cone, scores, weight):
            return Search(None)
        ease = cone.margins(cone.theta(parameters))
        begin = _first_of_the_cone(cone, _movements(parameters, previous))
    theta, undecided = widest_direction(cone, ease, begin, seconds)
    return Search(None if theta is None else _described(cone, theta), undecided)


def _first_of_the_cone(cone, directions):
    """Return the first of these directions along which no row loses and some row gains, or None."""
    for direction in directions:
        theta = cone.theta(direction)
        share = cone.margins(theta)
        if np.isfinite(theta).all() and (share >= -cone.zero).all() and (share > STRICT).any():
            return theta
    return None


def _described(cone, theta):
    grows = cone.margins(theta) > STRICT
    kind = "complete" if (grows | cone.own).all() else "quasi-complete"
    # Largest score 1.
    largest = max(np.abs(numbers @ theta.T).max() for _, numbers in cone.blocks())
    effect = np.abs(cone.seen(theta)[:, : cone.features]).max(axis=0)
    rows = cone.rows.cpu().numpy()
    return _separation(cone.parameters(theta / largest), rows, grows.any(axis=1), effect, 2 * cone.zero, kind)


def _separation(direction, rows, moved, effect, tolerance, kind):
    order = np.argsort(-effect, kind="stable")
    used = tuple(int(j) for j in order if effect[j] > _USED * effect.max())
    first, left = rows[moved][:_SHOWN].tolist(), rows[~moved][:_SHOWN].tolist()
    return Separation(
        kind, direction, tuple(first), tuple(left), int(moved.sum()), len(rows), used, float(tolerance)
    )


def _capital(sentence):
    return sentence[:1].upper() + sentence[1:]
