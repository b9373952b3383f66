"""When a certificate is worth its price."""

from onelayer.certificates import Certifier

__all__ = ["GapWatch"]


class GapWatch:
    """Decides at which iterates a certificate is worth a pass in float64.

    A cheap estimate from the gradient is looked at every time; where none exists, a certificate is made at a
    geometric series of iterations, so that all of them together cost a fixed share of the fit.
    """

    def __init__(self, objective, tol):
        self.certifier = Certifier(objective)
        self.obstacle = self.certifier.obstacle
        self.tol, self.dtype = tol, objective.dtype
        self.threshold, self.next_iteration = tol, 10
        self.last = (None, None)

    def look(self, state, iteration):
        """Return a certificate of this iterate if now is the time for one."""
        if self.obstacle or not self.tol:
            return None
        estimate = self.certifier.estimate(state.parameters, state.gradient)
        if estimate is None:
            if iteration < self.next_iteration:
                return None
            self.next_iteration = iteration + 1 + iteration // 4
        elif (
            self.certifier.relative(estimate, state.value) > self.threshold
            and iteration < self.next_iteration
        ):
            return None
        certificate = self.certificate_of(state.parameters)
        if estimate is not None:
            self._learn(estimate, state, iteration, certificate)
        return certificate

    def _learn(self, estimate, state, iteration, certificate):
        # An estimate that was too hopeful must fall to a third before the next try; the try after many iterations
        # is for estimates whose own rounding keeps them from falling.
        relative = self.certifier.relative(estimate, state.value)
        self.next_iteration = 2 * iteration + 50
        if certificate and certificate.relative_gap > self.tol:
            self.threshold = min(self.threshold, relative) / 3

    def certificate_of(self, parameters):
        """Return the certificate of these parameters, rounded as they will be returned; made at most once in a row."""
        if self.obstacle:
            return None
        known, certificate = self.last
        if known is not parameters:
            rounded = parameters.to(self.dtype)
            finer = parameters.flat.dtype != self.dtype
            certificate = self.certifier.certify(rounded, near=parameters if finer else None)
            self.last = parameters, certificate
        return certificate
