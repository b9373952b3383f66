"""Proven bounds on P(W, b) − min P, in float64 whatever arithmetic the fit used.

For any U whose rows lie in the domain of ℓ* and satisfy Σ_i s_i u_i = 0 (the price of a free intercept), with
G = (1/S) Σ_i s_i u_i x_iᵀ:

    P(W, b) − min P  ≤  (1/S) Σ_i s_i [ ℓ(z_i) + ℓ*(u_i) − ⟨u_i, z_i⟩ ]  +  [ g(W) + g*(−G) + ⟨W, G⟩ ],

g being the penalty. Both brackets are sums of terms ≥ 0 and are computed as such: primal minus dual value would lose
every digit near the optimum. U is the gradient of the loss at (W, b'), b' the best intercept for this W; what is left
of Σ_i s_i u_i is repaired exactly by mixing with a point at the edge of the domain.

Squared error with no or an L2 penalty needs no dual point: there P − min P = ½ gᵀH⁻¹g exactly.

The same bounds stop Cyanure (J. Mairal, arXiv:1912.08165) and, for the lasso, Blitz, Celer and scikit-learn.
"""

from onelayer.certificates.certificate import Certificate
from onelayer.certificates.certifier import Certifier
from onelayer.certificates.concomitant import ConcomitantGap
from onelayer.certificates.reach import Reach, reach_of
from onelayer.certificates.separation import is_separated
from onelayer.certificates.swept import SweptCertifier, shift_of
from onelayer.certificates.tilt import Tilt

__all__ = [
    "Certificate",
    "Certifier",
    "ConcomitantGap",
    "Reach",
    "SweptCertifier",
    "Tilt",
    "certifier_for",
    "is_separated",
    "reach_of",
    "shift_of",
]


def certifier_for(objective, before=None):
    """Return what certifies points of an objective: by sums of one read where rows are not in memory and that is possible.

    `before` is that of the same data under another penalty, if there is one.
    """
    streamed = not objective.design.resident and SweptCertifier.serves(objective.loss, objective.penalty)
    if streamed:
        return SweptCertifier(objective)
    return Certifier(objective, before if isinstance(before, Certifier) else None)
