"""Losses of a class: the cross-entropies, and squared error on probabilities to compare them with."""

import math

import torch

from onelayer.links import Link, LogisticSigmoid, Softmax
from onelayer.losses.base import Loss
from onelayer.losses.curvature import DiagonalCurvature, SoftmaxCurvature, by_class, softmax_by_class
from onelayer.losses.divergence import divergence_terms

__all__ = ["CrossEntropy", "Logistic", "ProbabilitySquaredError"]


class Logistic(Loss):
    """ℓ(y, z) = log(1 + exp(z)) − y z = −log p(y), with p(1) = 1 / (1 + exp(−z)) and y in {0, 1}.

    The binary cross-entropy of the score: what ``torch.nn.BCEWithLogitsLoss(reduction="none")`` returns.

    Examples
    --------
    >>> import torch
    >>> import onelayer as ol
    >>> ol.losses.Logistic().value(torch.tensor([0.0, -1e4]), torch.tensor([1.0, 1.0]))
    tensor([6.9315e-01, 1.0000e+04])
    """

    name = "logistic"
    targets = "binary"
    curvature_bound = 0.25
    self_concordant = True
    link: Link = LogisticSigmoid()

    def value(self, scores, y):
        # max(z, 0) − yz is exact for y in {0, 1}; softplus(z) − yz would cancel where the answer is right and sure.
        return scores.clamp(min=0) - y * scores + torch.log1p(torch.exp(-scores.abs()))

    def gradient(self, scores, y):
        # Not σ(z) − y, which rounds to 0 long before the probability of the wrong class does.
        return (1 - y) * torch.sigmoid(scores) - y * torch.sigmoid(-scores)

    def curvature_product(self, scores, y, v):
        return torch.sigmoid(scores) * torch.sigmoid(-scores) * v

    def curvature(self, scores, y):
        return DiagonalCurvature(torch.sigmoid(scores).mul_(torch.sigmoid(-scores)))

    def conjugate(self, u, y):
        q, other = y + u, (1 - y) - u
        return torch.where((q >= 0) & (other >= 0), torch.xlogy(q, q) + torch.xlogy(other, other), math.inf)

    def fenchel_young(self, scores, u, y):
        # KL(q‖p) with q = y + u.
        q, other = y + u, (1 - y) - u
        # log σ(z) and log σ(−z), which share what is dear.
        rest = torch.log1p(torch.exp(-scores.abs()))
        divergence = divergence_terms(q, scores.clamp(max=0) - rest)
        divergence += divergence_terms(other, -scores.clamp(min=0) - rest)
        return torch.where((q >= 0) & (other >= 0), divergence, math.inf)

    def dual_interval(self, y):
        return -y, 1 - y

    def best_constant(self, y, weight, outputs):
        weight = weight.double().unsqueeze(1)
        return torch.logit((weight * y.double()).sum(dim=0) / weight.sum(), eps=1e-300)


class CrossEntropy(Loss):
    """ℓ(y, z) = log Σ_k exp(z_k) − z_y = −log p_y, with p = softmax(z) and y the index of the true class.

    What ``torch.nn.CrossEntropyLoss(reduction="none")`` returns. As there, y may also be a row of probabilities for each
    sample: ℓ = log Σ_k exp(z_k) − Σ_k y_k z_k.

    Examples
    --------
    >>> import torch
    >>> import onelayer as ol
    >>> ol.losses.CrossEntropy().value(torch.zeros(1, 10), torch.tensor([3]))
    tensor([2.3026])
    """

    name = "cross-entropy"
    targets = "class"
    curvature_bound = 0.5
    shift_invariant = True
    self_concordant = True
    link: Link = Softmax()

    def value(self, scores, y):
        if y.ndim == 2:
            return -(y * torch.log_softmax(scores, dim=1)).sum(dim=1)
        index = y.unsqueeze(0)
        shifted = by_class(scores)
        shifted = shifted - shifted.amax(dim=0)
        own = shifted.gather(0, index)[0]
        rest = shifted.exp().scatter(0, index, 0.0).sum(dim=0)
        return _log_sum(rest, own) - own

    def gradient(self, scores, y):
        return self.value_and_gradient(scores, y)[1]

    def value_and_gradient(self, scores, y):
        if y.ndim == 2:
            log_p = torch.log_softmax(scores.detach(), dim=1)
            return -(y * log_p).sum(dim=1), log_p.exp() - y
        # In place, which `value` must not be, for it is there to be differentiated as well.
        index = y.unsqueeze(0)
        z = by_class(scores.detach())
        shifted = z - z.amax(dim=0)
        own = shifted.gather(0, index)[0]
        residual = shifted.exp_()
        total = residual.sum(dim=0)
        residual.scatter_(0, index, 0.0)
        rest = residual.sum(dim=0, keepdim=True)
        # The true class gets −Σ of the others, not p_y − 1: right to the last digit where p_y is close to 1, and
        # every row sums to zero.
        residual.scatter_(0, index, -rest).div_(total)
        return _log_sum(rest[0], own) - own, residual.T

    def curvature_product(self, scores, y, v):
        return self.link.pullback(scores, v)

    def curvature(self, scores, y):
        return SoftmaxCurvature(softmax_by_class(scores))

    def mean_curvature(self, scores, y):
        p = self.link.mean(scores)
        return (p * (1 - p)).mean(dim=1)

    def conjugate(self, u, y):
        q, legal = self._dual_probabilities(u, y)
        return torch.where(legal, torch.xlogy(q, q).sum(dim=1), math.inf)

    def fenchel_young(self, scores, u, y):
        # KL(q‖p) with q = u + e_y.
        q, legal = self._dual_probabilities(u, y)
        divergence = divergence_terms(q, torch.log_softmax(scores, dim=1)).sum(dim=1)
        return torch.where(legal, divergence, math.inf)

    def best_constant(self, y, weight, outputs):
        if y.ndim == 2:
            share = weight.double() @ y.double()
        else:
            share = torch.zeros(outputs, dtype=torch.float64, device=y.device).index_add_(
                0, y, weight.double()
            )
        return self.link.scores((share / share.sum()).clamp(min=1e-300))

    def legal_dual(self, u, y):
        if y.ndim == 2:
            q = (u + y).clamp_(min=0)
            return q.div_(q.sum(dim=1, keepdim=True)).sub_(y)
        index = y.unsqueeze(1)
        q = u.scatter(1, index, 0.0).clamp_(min=0)
        # The true class takes what the others leave; where they ask for more than there is they share it.
        q /= q.sum(dim=1, keepdim=True).clamp(min=1.0)
        return q.scatter_(1, index, -q.sum(dim=1, keepdim=True))

    def dual_mean(self, u, y):
        return u + y if y.ndim == 2 else u.scatter_add(1, y.unsqueeze(1), u.new_ones(len(y), 1))

    def mixed_dual(self, u, y, share, row):
        mixed = torch.mul(u, 1 - share).add_(share * row)
        if y.ndim == 2:
            return mixed.sub_(share * y)
        return mixed.scatter_add_(1, y.unsqueeze(1), (-share).expand(len(y), 1))

    def _dual_probabilities(self, u, y):
        """Return q = u + y (u + e_y), and for which rows it is a distribution (up to rounding)."""
        if y.ndim == 2:
            q = u + y
        else:
            index = y.unsqueeze(1)
            q = u.scatter(1, index, 0.0)
            # 1 − Σ of the others: u_y + 1 would be the same number with fewer digits.
            q.scatter_(1, index, 1 - q.sum(dim=1, keepdim=True))
        slack = 64 * u.shape[1] * torch.finfo(u.dtype).eps
        legal = (q.amin(dim=1) >= -slack) & (u.sum(dim=1).abs() <= slack)
        return q.clamp_(min=0), legal


class ProbabilitySquaredError(Loss):
    """ℓ(y, z) = (y − p)², p the probability that the link gives; for softmax Σ_k (1[y = k] − p_k)².

    For teaching: not convex in z, so a bad start may never arrive, and no certificate exists. With the softmax link
    it is the Brier score in its original form.

    Parameters
    ----------
    link : Link, default LogisticSigmoid()
        Any sigmoid (then y is 0 or 1 and there is one score), or ``Softmax()`` (one score per class).
    """

    name = "probability-squared"
    convex = False

    def __init__(self, link=None):
        self.link = LogisticSigmoid() if link is None else link
        self.targets = "class" if isinstance(self.link, Softmax) else "binary"

    @property
    def parameters(self):
        return {"link": type(self.link).__name__}

    def __repr__(self):
        return f"ProbabilitySquaredError({self.link!r})"

    def value(self, scores, y):
        return (
            self._distance(scores, y).square().sum(dim=1)
            if self.per_class
            else self._distance(scores, y).square()
        )

    def gradient(self, scores, y):
        return self.link.pullback(scores, 2 * self._distance(scores, y))

    def best_constant(self, y, weight, outputs):
        if self.per_class:
            return CrossEntropy().best_constant(y, weight, outputs)
        share = (weight.double().unsqueeze(1) * y.double()).sum(dim=0) / weight.double().sum()
        return self.link.scores(share.clamp(1e-12, 1 - 1e-12))

    def _distance(self, scores, y):
        p = self.link.mean(scores)
        indexed = self.per_class and y.ndim == 1
        return p - torch.nn.functional.one_hot(y, p.shape[1]).to(p) if indexed else p - y


def _log_sum(rest, own):
    """Return log(rest + exp(own)), own ≤ 0: exact also where the sum is hardly more than one."""
    return torch.log1p(rest + torch.expm1(own))
