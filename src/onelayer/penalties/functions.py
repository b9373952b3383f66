"""Functions of the weight matrix. The bias is another tensor and never comes here."""

import abc
import math
from typing import ClassVar

import torch

from onelayer.errors import ParameterError

__all__ = ["L1", "L2", "ElasticNet", "NoPenalty", "Penalty", "make_penalty"]


class Penalty(abc.ABC):
    """A convex function of W of the form l1 ‖W‖₁ + (l2/2) ‖W‖².

    Attributes
    ----------
    l1, l2 : float
        The two coefficients, with ``alpha`` and ``l1_ratio`` multiplied out.
    """

    l1: float
    l2: float
    name: ClassVar[str]

    @property
    def smooth(self):
        """Whether the gradient exists everywhere."""
        return self.l1 == 0.0

    @abc.abstractmethod
    def __repr__(self): ...

    def __eq__(self, other):
        return type(self) is type(other) and (self.l1, self.l2) == (other.l1, other.l2)

    def __hash__(self):
        return hash((type(self), self.l1, self.l2))

    @property
    def smooth_part(self):
        """The penalty without its L1 part: what a gradient step can handle."""
        return L2(self.l2) if self.l2 else NoPenalty()

    @property
    def kink(self):
        """The L1 part alone: what a prox step handles."""
        return L1(self.l1) if self.l1 else NoPenalty()

    def value(self, weight):
        """Return l1 ‖W‖₁ + (l2/2) ‖W‖² as a Python float, summed in float64."""
        total = 0.0
        if self.l1:
            total += self.l1 * weight.abs().sum(dtype=_wide(weight)).item()
        if self.l2:
            total += self.l2 / 2 * weight.square().sum(dtype=_wide(weight)).item()
        return total

    def gradient(self, weight):
        """Return the gradient; where an L1 part has a kink (W = 0) the subgradient 0 is taken."""
        gradient = self.l2 * weight
        return gradient + self.l1 * weight.sign() if self.l1 else gradient

    def prox(self, weight, step):
        """Return argmin_V penalty(V) + ‖V − W‖² / (2 step): shrink by l2, soft-threshold by l1."""
        shrunk = weight.sign() * (weight.abs() - step * self.l1).clamp(min=0) if self.l1 else weight
        return shrunk / (1 + step * self.l2)

    def fenchel_young(self, weight, v, slack=0.0):
        """Return penalty(W) + penalty*(V) − ⟨V, W⟩ ≥ 0 as a float, in a form that does not cancel.

        `slack` (a number, or an array like V) is how far each entry of V may be off; the result is then an upper
        bound. Infinite if there is no L2 part and V leaves the box |v| ≤ l1.
        """
        inside = v.clamp(-self.l1, self.l1)
        kinked = self.l1 * weight.abs() - inside * weight + (slack * weight.abs() if self.l1 else 0.0)
        excess = v - inside
        if self.l2:
            bowl = ((self.l2 * weight - excess).abs() + slack).square() / (2 * self.l2)
            return (kinked + bowl).sum(dtype=_wide(v)).item()
        return kinked.sum(dtype=_wide(v)).item() if not bool(excess.any()) else math.inf

    def least_subgradient(self, weight, gradient):
        """Return the smallest element of gradient + ∂(penalty's L1 part): zero exactly at a minimum.

        `gradient` is that of everything else.
        """
        if not self.l1:
            return gradient
        at_zero = gradient.sign() * (gradient.abs() - self.l1).clamp(min=0)
        return torch.where(weight == 0, at_zero, gradient + self.l1 * weight.sign())

    def conjugate(self, v):
        """Return sup_W ⟨V, W⟩ − penalty(W) as a Python float.

        Σ (|v| − l1)₊² / (2 l2) where l2 > 0; else 0 inside the box |v| ≤ l1 and infinity outside.
        """
        excess = (v.abs() - self.l1).clamp(min=0)
        if self.l2:
            return excess.square().sum(dtype=_wide(v)).item() / (2 * self.l2)
        return 0.0 if not bool(excess.any()) else math.inf


def _wide(tensor):
    """Return the dtype of sums: float64, except on devices that have none."""
    return torch.float32 if tensor.device.type == "mps" else torch.float64


def _checked(alpha):
    if not (math.isfinite(alpha) and alpha >= 0):
        raise ParameterError(f"alpha is {alpha!r}: give a finite number ≥ 0 (0 means no penalty).")
    return float(alpha)


class NoPenalty(Penalty):
    """penalty(W) = 0: the true zero, so that nobody has to test for None."""

    name = "none"
    l1 = l2 = 0.0

    def __repr__(self):
        return "NoPenalty()"


class L2(Penalty):
    """penalty(W) = (alpha/2) ‖W‖².

    Parameters
    ----------
    alpha : float
        Strength, ≥ 0, for the *mean* loss: scikit-learn's C is 1 / (alpha · Σ weights).
    """

    name = "l2"

    def __init__(self, alpha):
        self.alpha = _checked(alpha)
        self.l1, self.l2 = 0.0, self.alpha

    def __repr__(self):
        return f"L2({self.alpha!r})"


class L1(Penalty):
    """penalty(W) = alpha ‖W‖₁.

    Parameters
    ----------
    alpha : float
        Strength, ≥ 0.
    """

    name = "l1"

    def __init__(self, alpha):
        self.alpha = _checked(alpha)
        self.l1, self.l2 = self.alpha, 0.0

    def __repr__(self):
        return f"L1({self.alpha!r})"


class ElasticNet(Penalty):
    """penalty(W) = alpha [ (1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁ ].

    Parameters
    ----------
    alpha : float
        Strength, ≥ 0.
    l1_ratio : float
        Share of the L1 part, from 0 (pure L2) to 1 (pure L1).

    Examples
    --------
    >>> import torch
    >>> import onelayer as ol
    >>> ol.penalties.ElasticNet(0.5, 0.5).prox(torch.tensor([[-1.0, 0.1]]), step=1.0)
    tensor([[-0.6000,  0.0000]])
    """

    name = "elastic-net"

    def __init__(self, alpha, l1_ratio):
        if not 0 <= l1_ratio <= 1:
            raise ParameterError(f"l1_ratio is {l1_ratio!r}: give a number from 0 (pure L2) to 1 (pure L1).")
        self.alpha, self.l1_ratio = _checked(alpha), float(l1_ratio)
        self.l1, self.l2 = self.alpha * self.l1_ratio, self.alpha * (1 - self.l1_ratio)

    def __repr__(self):
        return f"ElasticNet({self.alpha!r}, {self.l1_ratio!r})"


def make_penalty(alpha, l1_ratio):
    """Return the simplest penalty with this strength and L1 share."""
    if not 0 <= l1_ratio <= 1:
        raise ParameterError(f"l1_ratio is {l1_ratio!r}: give a number from 0 (pure L2) to 1 (pure L1).")
    if alpha == 0:
        return NoPenalty()
    if l1_ratio == 0:
        return L2(alpha)
    return L1(alpha) if l1_ratio == 1 else ElasticNet(alpha, l1_ratio)
