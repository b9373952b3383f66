"""What every loss offers, and what it declares about itself."""

import abc
import math
from typing import ClassVar, Literal

import torch

from onelayer.links import Identity, Link
from onelayer.losses.curvature import Curvature, DiagonalCurvature, ProductCurvature
from onelayer.settings import Settings

__all__ = ["Loss"]

# Scores of one piece of many.
_PIECE = 2**17


class Loss(Settings, abc.ABC):
    """ℓ(y, z): how badly the scores z fit the target y, for each sample on its own.

    Scores and targets have the same shape, one number per sample, unless ``per_class`` is true: then scores have
    shape (n, K) and targets shape (n,), the index of the true class, and the value has shape (n,).

    Only :meth:`value` must be written. Gradient and curvature come from autograd unless a closed form is given; the
    tests hold every closed form against autograd and finite differences. A convex loss also gives its conjugate, from
    which certificates are made.

    Attributes
    ----------
    name : str
        As in ``loss="name"`` and in saved models.
    targets : {"real", "binary", "class"}
        Legal targets: any finite number, 0 or 1, a class index.
    convex, smooth : bool
        In z, for every legal y; *smooth* means that the gradient is continuous.
    curvature_bound : float
        No second derivative (eigenvalue of the Hessian in z) is larger; infinite where none is known.
    shift_invariant : bool
        Whether adding one number to all scores of a row changes nothing (softmax).
    self_concordant : bool
        Whether |φ'''| ≤ (range of the change of the scores) φ'' along every line (logistic, softmax).
    link : Link
        Turns scores into the prediction.
    """

    name: ClassVar[str]
    targets: Literal["real", "binary", "class"]
    convex: ClassVar[bool] = True
    smooth: ClassVar[bool] = True
    curvature_bound: float = math.inf
    shift_invariant: bool = False
    self_concordant: bool = False
    link: Link = Identity()

    @abc.abstractmethod
    def value(self, scores, y):
        """Return ℓ(y, z) for each sample."""

    def gradient(self, scores, y):
        """Return ∂ℓ/∂z, the shape of `scores` (a subgradient where there is a kink)."""
        with torch.enable_grad():
            z = scores.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.value(z, y).sum(), z)
        return gradient

    def value_and_gradient(self, scores, y):
        """Return both; a loss whose two parts share work overrides this."""
        size = max(1, _PIECE // math.prod(scores.shape[1:]))
        if self.per_class or len(scores) <= 2 * size or scores.device.type != "cpu":
            return self.value(scores, y), self.gradient(scores, y)
        # Piece by piece: the many small steps stay in the cache. Logistic losses of 5 million scores took 67 ms in one piece
        # and take 17.
        value = gradient = None
        for start in range(0, len(scores), size):
            part = slice(start, start + size)
            found = self.value(scores[part], y[part]), self.gradient(scores[part], y[part])
            if value is None or gradient is None:
                value, gradient = (one.new_empty(scores.shape) for one in found)
            value[part], gradient[part] = found
        return value, gradient

    def curvature_product(self, scores, y, v):
        """Return (∂²ℓ/∂z²) v for each sample, the shape of `scores`."""
        # Twice backwards through the value, so that a loss needs nothing but its value.
        with torch.enable_grad():
            z = scores.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.value(z, y).sum(), z, create_graph=True)
            (product,) = torch.autograd.grad(gradient, z, v, materialize_grads=True)
        return product

    def curvature(self, scores, y) -> Curvature:
        """Return ∂²ℓ/∂z² at these scores as an object that can be applied many times."""
        if self.per_class:
            return ProductCurvature(lambda v: self.curvature_product(scores, y, v), scores)
        return DiagonalCurvature(self.curvature_product(scores, y, torch.ones_like(scores)))

    def majorant(self, scores, y) -> Curvature:
        """Return a curvature with which the quadratic model at these scores lies above ℓ everywhere.

        Slower than the curvature itself, but a step with it never overshoots, and it does not die where ℓ is straight.
        """
        return DiagonalCurvature(torch.full_like(scores, self.curvature_bound))

    def mean_curvature(self, scores, y):
        """Return the mean eigenvalue of ∂²ℓ/∂z² for each sample, shape (n,); scores have shape (n, outputs)."""
        outputs = scores.shape[1]
        total = torch.zeros_like(scores[:, 0])
        for k in range(outputs):
            unit = torch.zeros_like(scores)
            unit[:, k] = 1.0
            total += self.curvature_product(scores, y, unit)[:, k]
        return total / outputs

    @property
    def per_class(self):
        """Whether there is one score for each class."""
        return self.targets == "class"

    @property
    def parameters(self):
        """The constructor's arguments, JSON-ready."""
        return {}

    # ---- duality: convex losses only -------------------------------------------------------------------------

    @property
    def has_dual(self):
        """Whether the three methods below are there, so that fits can be certified."""
        return type(self).fenchel_young is not Loss.fenchel_young

    def conjugate(self, u, y):
        """Return ℓ*(u, y) = sup_z ⟨u, z⟩ − ℓ(y, z) for each sample (infinite outside the domain)."""
        raise NotImplementedError(f"{self!r} has no conjugate here")

    def fenchel_young(self, scores, u, y):
        """Return ℓ(y, z) + ℓ*(u, y) − ⟨u, z⟩ ≥ 0 for each sample, in a form that does not cancel.

        It is zero exactly where u is a (sub)gradient of ℓ at z. Summed over samples it is the part of the duality
        gap that the loss accounts for; the rest is the penalty's.
        """
        raise NotImplementedError(f"{self!r} has no conjugate here")

    def dual_interval(self, y):
        """Return the interval (lo, hi) in which ℓ*(·, y) is finite; for one score per sample only."""
        raise NotImplementedError(f"{self!r} has no conjugate here")

    def legal_dual(self, u, y):
        """Return the row of the domain of ℓ*(·, y) that is near u; for one score per class only."""
        raise NotImplementedError(f"{self!r} has no conjugate here")

    def dual_mean(self, u, y):
        """Return the probabilities q that u = q − y stands for; for one score per class only."""
        raise NotImplementedError(f"{self!r} has no conjugate here")

    def mixed_dual(self, u, y, share, row):
        """Return the u of (1 − share) q + share · row, `row` being one distribution; for one score per class only."""
        raise NotImplementedError(f"{self!r} has no conjugate here")

    # ---- the best constant model: a yardstick and a test oracle ------------------------------------------------

    def best_constant(self, y, weight, outputs):
        """Return the constant scores, shape (outputs,), that minimise Σ weight · ℓ(y, z), in float64.

        By bisection on the derivative, which serves every convex loss whose scores stand alone; a loss of classes that
        does not know better answers with equal scores.

        Parameters
        ----------
        y : tensor of shape (n, outputs), or (n,) of class indices
        weight : tensor of shape (n,)
        outputs : int
        """
        if self.per_class:
            return torch.zeros(outputs, dtype=torch.float64, device=y.device)
        y, weight = y.double(), weight.double().unsqueeze(1)
        low, high = y.amin(dim=0), y.amax(dim=0)
        for _ in range(100):
            middle = (low + high) / 2
            rising = (weight * self.gradient(middle.expand_as(y), y)).sum(dim=0) > 0
            low, high = torch.where(rising, low, middle), torch.where(rising, middle, high)
        return (low + high) / 2

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other):
        return type(self) is type(other) and self.parameters == other.parameters

    def __hash__(self):
        return hash((type(self), tuple(self.parameters.items())))
