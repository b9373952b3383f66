"""Links: from scores to the mean (a number, a probability, a row of probabilities) and back.

Every sigmoid here is scaled to slope 1 at 0 in its own range, as such families are usually drawn; only the logistic
one, which has range (0, 1), keeps its customary slope 1/4.
"""

import abc
import math
from typing import ClassVar

import torch

__all__ = [
    "AlgebraicSigmoid",
    "Arctan",
    "Erf",
    "Gudermannian",
    "Identity",
    "Link",
    "LogisticSigmoid",
    "Softmax",
    "Softsign",
    "Tanh",
]


class Link(abc.ABC):
    """A map from scores to means, with its inverse and its derivative.

    Attributes
    ----------
    limits : tuple of float
        The open interval of means.
    """

    limits: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    @abc.abstractmethod
    def mean(self, scores):
        """Return the mean, same shape and dtype as `scores`."""

    @abc.abstractmethod
    def scores(self, mean):
        """Return the scores that give this mean (for softmax: the ones that sum to zero)."""

    @abc.abstractmethod
    def derivative(self, scores):
        """Return d mean / d score, elementwise (for softmax: one K x K Jacobian per row)."""

    def pullback(self, scores, mean_gradient):
        """Return (d mean / d scores)ᵀ `mean_gradient`, the chain rule for a loss that is defined on means."""
        return self.derivative(scores) * mean_gradient

    def __repr__(self):
        return f"{type(self).__name__}()"

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return hash(type(self))


class Identity(Link):
    """mean = z."""

    def mean(self, scores):
        return scores

    def scores(self, mean):
        return mean

    def derivative(self, scores):
        return torch.ones_like(scores)


class LogisticSigmoid(Link):
    """mean = 1 / (1 + exp(−z)), the probability of class 1.

    Examples
    --------
    >>> import torch
    >>> import onelayer as ol
    >>> ol.links.LogisticSigmoid().mean(torch.tensor([0.0, 1e4]))
    tensor([0.5000, 1.0000])
    """

    limits = (0.0, 1.0)

    def mean(self, scores):
        return torch.sigmoid(scores)

    def scores(self, mean):
        return torch.logit(mean)

    def derivative(self, scores):
        # σ(z)σ(−z), not σ(1 − σ): the difference loses all digits where σ is close to 1.
        return torch.sigmoid(scores) * torch.sigmoid(-scores)


class Softmax(Link):
    """mean_k = exp(z_k) / Σ_j exp(z_j), over the last axis; K scores give K probabilities that sum to one."""

    limits = (0.0, 1.0)

    def mean(self, scores):
        return torch.softmax(scores, dim=-1)

    def scores(self, mean):
        logarithm = torch.log(mean)
        return logarithm - logarithm.mean(dim=-1, keepdim=True)

    def derivative(self, scores):
        p = self.mean(scores)
        return torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2)

    def pullback(self, scores, mean_gradient):
        # The Jacobian diag(p) − ppᵀ is applied, never formed: n·K instead of n·K² numbers.
        p = self.mean(scores)
        return p * (mean_gradient - (p * mean_gradient).sum(dim=-1, keepdim=True))


class Tanh(Link):
    """mean = tanh(z)."""

    limits = (-1.0, 1.0)

    def mean(self, scores):
        return torch.tanh(scores)

    def scores(self, mean):
        return torch.atanh(mean)

    def derivative(self, scores):
        return 4 * torch.sigmoid(2 * scores) * torch.sigmoid(-2 * scores)


class Erf(Link):
    """mean = erf(√π z / 2), the Gaussian distribution function stretched to (−1, 1)."""

    limits = (-1.0, 1.0)
    _stretch = math.sqrt(math.pi) / 2

    def mean(self, scores):
        return torch.erf(self._stretch * scores)

    def scores(self, mean):
        return torch.erfinv(mean) / self._stretch

    def derivative(self, scores):
        return torch.exp(-((self._stretch * scores) ** 2))


class Arctan(Link):
    """mean = (2/π) arctan(πz/2)."""

    limits = (-1.0, 1.0)

    def mean(self, scores):
        return torch.atan(math.pi / 2 * scores) * (2 / math.pi)

    def scores(self, mean):
        return torch.tan(math.pi / 2 * mean) * (2 / math.pi)

    def derivative(self, scores):
        return 1 / (1 + (math.pi / 2 * scores) ** 2)


class Gudermannian(Link):
    """mean = (2/π) gd(πz/2), with gd(x) = 2 arctan(tanh(x/2))."""

    limits = (-1.0, 1.0)

    def mean(self, scores):
        return torch.atan(torch.tanh(math.pi / 4 * scores)) * (4 / math.pi)

    def scores(self, mean):
        return torch.atanh(torch.tan(math.pi / 4 * mean)) * (4 / math.pi)

    def derivative(self, scores):
        # 1/cosh(x) through exp(−|x|), which cannot overflow.
        decay = torch.exp(-(math.pi / 2 * scores).abs())
        return 2 * decay / (1 + decay**2)


class AlgebraicSigmoid(Link):
    """mean = z / √(1 + z²)."""

    limits = (-1.0, 1.0)

    def mean(self, scores):
        return scores / torch.hypot(torch.ones_like(scores), scores)

    def scores(self, mean):
        return mean / torch.sqrt((1 - mean) * (1 + mean))

    def derivative(self, scores):
        return torch.hypot(torch.ones_like(scores), scores) ** -3


class Softsign(Link):
    """mean = z / (1 + |z|)."""

    limits = (-1.0, 1.0)

    def mean(self, scores):
        return scores / (1 + scores.abs())

    def scores(self, mean):
        return mean / (1 - mean.abs())

    def derivative(self, scores):
        return (1 + scores.abs()) ** -2
