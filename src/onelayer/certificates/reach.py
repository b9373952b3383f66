"""What a proven gap says about the coefficients, the scores and the probabilities of the optimum."""

import dataclasses
import math

import torch

from onelayer.certificates.dual_points import profiled

__all__ = ["Reach", "reach_of"]


@dataclasses.dataclass(frozen=True)
class Reach:
    """How far the optimum can be from coefficients whose gap is proven, with an L2 penalty.

    P with the best b for each W is α-strongly convex, so ‖W − W*‖ ≤ r = √(2 gap / α). If all scores rise by at most c,
    the best intercept falls by at most c; so the score of a row x moves by at most (‖x − m‖ + R) r + β, R the largest
    distance of a row of the fit from their mean m, and β how far b is from the best one for W.

    Attributes
    ----------
    weight : float
        r, in the Frobenius norm (of the coefficients of standardised features where the fit standardised them).
    centre, scale : float64 tensor of shape (n_features,)
        m, and what distances are measured in (1 without standardisation).
    spread : float
        R.
    intercept : float or None
        β; None where no bound for the intercept is proven (softmax with intercepts).
    outputs : int
    fit_intercept : bool
    """

    weight: float
    centre: torch.Tensor
    scale: torch.Tensor
    spread: float
    intercept: float | None
    outputs: int
    fit_intercept: bool

    def scores(self, X):
        """Return for each row how far its score can be from the optimum's (for K scores: any difference of two).

        Parameters
        ----------
        X : tensor or array of shape (n, n_features)

        Returns
        -------
        float64 tensor of shape (n,), or None where no bound for the intercept is proven
        """
        if self.intercept is None:
            return None
        X = torch.as_tensor(X, dtype=torch.float64, device=self.centre.device)
        distance = ((X - self.centre) / self.scale).norm(dim=1)
        factor = 1.0 if self.outputs == 1 else math.sqrt(2)
        return factor * (distance + self.spread) * self.weight + self.intercept

    def probabilities(self, X):
        """Return for each row how far any of its probabilities can be from the optimum's, or None as above.

        The slope of a probability is p (1 − p) ≤ ¼ times the change of scores.
        """
        scores = self.scores(X)
        return None if scores is None else (scores / 4).clamp(max=1.0)

    @property
    def clause(self):
        """What follows for rows, as the end of a sentence."""
        if self.intercept is None:
            return "; no bound for the intercept is proven, so this concerns the weights only"
        most = (1.0 if self.outputs == 1 else math.sqrt(2)) * 2 * self.spread * self.weight + self.intercept
        return (
            f", and no score of a row of the fit is off by more than {most:.2g}" if self.fit_intercept else ""
        )


def reach_of(wide, point, gap, undo_mean=None, undo_scale=None):
    """Return the Reach of a Point with this gap, or None without an L2 penalty.

    Parameters
    ----------
    wide : Objective
        In float64.
    point : Point
    gap : float
    undo_mean, undo_scale : tensor, optional
        Of the standardisation that the design does, if any.
    """
    l2 = wide.penalty.l2
    if not l2:
        return None
    weight = wide.sample_weight
    device = wide.design.device
    weight = torch.ones(wide.rows, dtype=torch.float64, device=device) if weight is None else weight
    zero = torch.zeros(wide.features, dtype=torch.float64, device=device)
    centre = wide.design.moments(weight)[0] if wide.fit_intercept else zero
    spread = _spread(wide, centre) if wide.fit_intercept else 0.0
    scale = torch.ones_like(zero) if undo_scale is None else undo_scale
    offset = zero if undo_mean is None else undo_mean
    return Reach(
        math.sqrt(2 * gap / l2),
        offset + scale * centre,
        scale,
        spread,
        _intercept(wide, point),
        wide.outputs,
        wide.fit_intercept,
    )


def _spread(wide, centre):
    distance = wide.design.distances(centre)
    if wide.sample_weight is not None:
        distance = distance[wide.sample_weight > 0]
    return distance.max().item() if len(distance) else 0.0


def _intercept(wide, point):
    """Return a proven bound on |b − b(W)|, b(W) the best intercept for this W; None where there is none."""
    if not wide.fit_intercept:
        return 0.0
    if wide.outputs > 1 or not wide.loss.smooth:
        return None
    best = profiled(wide, point.scores)
    shift = (best - point.scores)[0].abs().max().item() if wide.rows else 0.0

    def excess(by):
        return wide._bias_gradient(wide._weighted(wide.loss.gradient(best + by, wide.y))).item()

    # The gradient in b never falls as b grows: a change of sign encloses the best one.
    width = 1e-12 * max(1.0, shift)
    while not (excess(-width) <= 0 <= excess(width)):
        width *= 10
        if width > 1e6:
            return None
    return shift + width
