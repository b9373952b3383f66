"""From coefficients to a Certificate."""

import dataclasses
import math

import torch

from onelayer.certificates.certificate import Certificate, relative_gap, rounding_value
from onelayer.certificates.dual_points import profiled
from onelayer.certificates.fenchel import FenchelGap
from onelayer.certificates.projected import ProjectedPoint
from onelayer.certificates.quadratic import Quadratic
from onelayer.certificates.reach import reach_of
from onelayer.certificates.tilt import newton_tilt, tilted
from onelayer.certificates.unpenalized import SelfConcordance
from onelayer.curvature import solved_densely

__all__ = ["Certifier"]

_EPS = torch.finfo(torch.float64).eps
# Bounds below this share of P are left as they are.
_TIGHT = 1e-12


class Certifier:
    """Certificates for many points of one objective; what does not depend on the point is computed once.

    Parameters
    ----------
    objective : Objective
        In any arithmetic; the bounds are computed on a float64 view of it that shares X.
    before : Certifier, optional
        Of the same data under another penalty: what it knows of the data is not found out again.
    """

    def __init__(self, objective, before=None):
        self.objective = objective
        self.wide = before.wide.under(objective) if before else objective.as_dtype(torch.float64)
        self.constant_value = before.constant_value if before else self.wide.constant_value()
        self._rounding_value = before._rounding_value if before else rounding_value(self.wide)
        self._fenchel = FenchelGap(self.wide, before and before._fenchel)
        self._quadratic = Quadratic(self.wide) if Quadratic.serves(objective) else None
        free = not (objective.penalty.l1 or objective.penalty.l2)
        kinds = [kind for kind in (SelfConcordance, ProjectedPoint) if free and kind.serves(objective)]
        self._unpenalized = kinds[0](self.wide) if kinds else None

    @property
    def obstacle(self):
        """Why no bound exists, in words, or None."""
        loss, penalty = self.objective.loss, self.objective.penalty
        if not loss.convex:
            return f"{loss!r} is not convex, so nothing can be proven about its minimum"
        if self._quadratic or self._unpenalized:
            return None
        if not loss.has_dual:
            return f"{loss!r} gives no conjugate (fenchel_young, dual_interval)"
        if not (penalty.l1 or penalty.l2):
            if loss.self_concordant:
                return "without a penalty a proof needs the whole Hessian, which is too large here"
            return f"without a penalty no bound is known for {loss!r}"
        return None

    def estimate(self, parameters, gradient):
        """Return about what `certify` would say, from a gradient in working precision, or None if that is not cheap.

        It costs no product with X, so a solver can ask at every iteration when a certificate is worth its price.
        """
        penalty = self.objective.penalty
        if self.obstacle:
            return None
        if penalty.l2:
            weight = parameters.weight.double()
            return penalty.fenchel_young(weight, penalty.l2 * weight - gradient.weight.double())
        return self._quadratic.gap(gradient) if self._quadratic else None

    def relative(self, gap, value):
        """Return gap / max(|P|, ε P₀); 0 for 0/0, and where P is no more than the rounding of the targets."""
        return relative_gap(gap, value, self.constant_value, self._rounding_value)

    def certify(self, parameters, near=None, tilt=None, aim=None):
        """Return a Certificate, or None where `obstacle` says why or nothing is proven.

        `near` are parameters to take the dual point at, if better ones than the certified are known: where a float64
        optimum was rounded to float32, the gradient at the rounded place would prove much less. `tilt` is the Newton
        step that led here, if there was one: the dual point is then made of it. Otherwise, where the gradient proves a
        relative gap above `aim`, a Newton step is made for the proof's sake.
        """
        if self.obstacle:
            return None
        wide = self.wide
        parameters = parameters.to(torch.float64)
        exact = None if wide.penalty.l2 and aim else self._quadratic
        if tilt is not None and not exact and not self._unpenalized:
            return self._by_step(parameters, tilt)
        scores = wide.scores(parameters)
        if not bool(torch.isfinite(scores).all()):
            return None
        point = wide.point(parameters, scores)
        if exact:
            return self._certificate(exact.gap(wide.gradient(point)), "quadratic", point)
        if self._unpenalized:
            gap = self._unpenalized.gap(point, wide.gradient(point))
            return self._certificate(gap, self._unpenalized.kind, point) if math.isfinite(gap) else None
        gap, kind = self._fenchel.between(point, self._gradient_dual(point, near)), "gradient-point"
        if aim is None or self.relative(gap, point.value) <= aim:
            return self._certificate(gap, kind, point)
        if self._quadratic:
            # Exact, but it asks for the whole Hessian: where an aim is given, only if the gradient does not reach it.
            return self._certificate(self._quadratic.gap(wide.gradient(point)), "quadratic", point)
        if self._can_tilt:
            tilt = newton_tilt(self.objective, wide, point, near)
            better = self._fenchel.between(point, tilted(wide, tilt)[0]) if tilt else math.inf
            if better < gap:
                gap, kind = better, "tilted-point"
        return self._certificate(gap, kind, point)

    def tightened(self, certificate, parameters):
        """Return the certificate, or a better one if a Newton step from these very parameters costs next to nothing.

        What a solver proves on its way may be ten or a thousand times the distance that is left.
        """
        if not (self._can_tilt and solved_densely(self.objective)) or certificate.relative_gap <= _TIGHT:
            return certificate
        point = self.wide.point(parameters.to(torch.float64))
        tilt = newton_tilt(self.objective, self.wide, point)
        if tilt is None:
            return certificate
        better = self._certificate(
            self._fenchel.between(point, tilted(self.wide, tilt)[0]), "tilted-point", point
        )
        return better if better.gap < certificate.gap else certificate

    def with_reach(self, certificate, parameters, mean=None, scale=None):
        """Return the certificate with what follows from it for rows; `mean` and `scale` of a standardisation, if any."""
        point = self.wide.point(parameters.to(torch.float64))
        reach = reach_of(self.wide, point, certificate.gap, mean, scale)
        return dataclasses.replace(certificate, reach=reach)

    def _by_step(self, parameters, tilt):
        """Return the Certificate that a step makes, in one read of X: its dual point does not wait for the scores."""
        wide = self.wide
        dual = self._fenchel.legal(tilted(wide, tilt)[0])
        scores, product = wide.swept(parameters, wide._weighted(dual))
        if not bool(torch.isfinite(scores).all()):
            return None
        point = wide.point(parameters, scores)
        return self._certificate(self._fenchel.gap(point, dual, product), "tilted-point", point)

    @property
    def _can_tilt(self):
        objective = self.objective
        return objective.loss.smooth and objective.penalty.smooth and bool(objective.penalty.l2)

    def _gradient_dual(self, point, near):
        wide = self.wide
        scores = point.scores if near is None else wide.scores(near.to(torch.float64))
        scores = profiled(wide, scores) if wide.fit_intercept else scores
        return wide.loss.gradient(scores, wide.y)

    def _certificate(self, gap, kind, point):
        # One rounding unit of P itself: nothing smaller can be said in this arithmetic. Products that left it prove nothing.
        gap = math.inf if math.isnan(gap) else gap + _EPS * abs(point.value)
        l2 = self.wide.penalty.l2
        radius = math.sqrt(2 * gap / l2) if l2 else None
        return Certificate(gap, self.relative(gap, point.value), point.value, kind, weight_radius=radius)
