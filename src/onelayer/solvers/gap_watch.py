"""When a certificate is worth its price."""

import math

from onelayer.certificates import certifier_for

__all__ = ["GapWatch"]


class GapWatch:
    """Decides at which iterates a certificate is worth a pass in float64.

    A cheap estimate from the gradient is looked at every time; where none exists, or where it stays large because the
    penalty is weak, a certificate is made at a geometric series of iterations.
    """

    def __init__(self, objective, tol, *, solver_proves=False, before=None):
        self.solver_proves = solver_proves
        self.certifier = certifier_for(objective, before)
        self.obstacle = self.certifier.obstacle
        self.tol, self.dtype = tol, objective.dtype
        self.threshold, self.next_iteration = tol, 10
        self.last = (None, None)

    def look(self, state, iteration):
        """Return a certificate of this iterate if now is the time for one."""
        if self.obstacle or not self.tol:
            return None
        if state.proof is not None:
            self.last = state.parameters, state.proof
            return state.proof
        if state.tilt is not None:
            # The estimate of a Newton step is no guess: it lacks only the rounding.
            close = self.certifier.relative(state.tilt.gap, state.value) <= self.tol
            return self.certificate_of(state) if close else None
        if self.solver_proves and iteration:
            # It says itself when a proof is near.
            return None
        estimate = self.certifier.estimate(state.parameters, state.gradient)
        relative = math.inf if estimate is None else self.certifier.relative(estimate, state.value)
        if relative > self.threshold and iteration < self.next_iteration:
            return None
        certificate = self.certificate_of(state)
        # The Newton step that a proof may need costs some dozens of passes; all of them together stay a fixed share.
        self.next_iteration = 2 * iteration + 50
        if certificate and certificate.relative_gap > self.tol:
            # An estimate that was too hopeful must fall to a third before the next try.
            self.threshold = min(self.threshold, relative) / 3
        return certificate

    def certificate_of(self, state):
        """Return the certificate of a state, rounded as it will be returned; made at most once in a row."""
        if self.obstacle:
            return None
        parameters = state.parameters
        known, certificate = self.last
        if known is not parameters:
            rounded = parameters.to(self.dtype)
            near = parameters if parameters.flat.dtype != self.dtype else None
            certificate = self.certifier.certify(rounded, near=near, tilt=state.tilt, aim=self.tol)
            self.last = parameters, certificate
        return certificate

    def tightened(self, certificate, state):
        """Return the certificate that a fit ends with."""
        if certificate is None or (state.tilt is not None and state.tilt.own):
            return certificate
        return self.certifier.tightened(certificate, state.parameters.to(self.dtype))
