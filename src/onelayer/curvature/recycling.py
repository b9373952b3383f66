"""What conjugate gradients found out about one Hessian, used for the next one."""

from typing import Any

import torch

from onelayer.curvature.preconditioners import Preconditioner

__all__ = ["Pairs", "Recycled"]


class Pairs:
    """Directions v of conjugate gradients and their images H v, the last `most` of them.

    They are conjugate: vᵀH v' = 0. In exact arithmetic conjugate gradients need no reminder of that; products in
    float32 make them forget it after some dozens of steps, and every direction forgotten is found a second time.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most):
        self._most, self._count = most, 0
        # Tensors from the first direction on, where that lies.
        self._directions: Any = None
        self._images: Any = None
        self._bends: Any = None

    def __len__(self):
        return min(self._count, self._most)

    def add(self, direction, image, bend):
        """Keep a direction, its image and vᵀH v > 0; the oldest one makes room."""
        if not self._most:
            return
        if self._count == 0:
            self._directions = direction.new_empty(min(8, self._most), len(direction))
            self._images, self._bends = torch.empty_like(self._directions), direction.new_empty(self._most)
        if len(self) == len(self._directions) < self._most:
            self._directions, self._images = self._grown(self._directions), self._grown(self._images)
        place = self._count % self._most
        self._directions[place], self._images[place], self._bends[place] = direction, image, bend
        self._count += 1

    def conjugated(self, direction):
        """Return a direction without its parts along those that are kept."""
        if not len(self):
            return direction
        directions, images, bends = self._all()
        return direction - directions.T @ ((images @ direction) / bends)

    def solved(self, gradient, rest):
        """Return H⁻¹ g on the span of the directions, and what `rest` makes of the remainder elsewhere (symmetric)."""
        if not len(self):
            return rest(gradient)
        directions, images, bends = self._all()
        share = (directions @ gradient) / bends
        return self.conjugated(rest(gradient - images.T @ share)) + directions.T @ share

    def _all(self):
        count = len(self)
        return self._directions[:count], self._images[:count], self._bends[:count]

    def _grown(self, rows):
        more = rows.new_empty(min(2 * len(rows), self._most), rows.shape[1])
        more[: len(rows)] = rows
        return more


class Recycled(Preconditioner):
    """A preconditioner that knows the Hessian of the last system on the directions along which that was solved.

    The directions that took conjugate gradients longest are those that no factor by classes sees, and they hardly
    change from one Newton step to the next.

    Parameters
    ----------
    base : Preconditioner
        For all other directions.
    pairs : Pairs

    References
    ----------
    J. L. Morales, J. Nocedal, "Automatic preconditioning by limited memory quasi-Newton updating", SIAM J. Optim. 10
    (2000). For conjugate pairs the quasi-Newton update is a balancing projection: J. Mandel, "Balancing domain
    decomposition", Comm. Numer. Methods Eng. 9 (1993).
    """

    def __init__(self, base, pairs):
        self.base, self._pairs = base, pairs
        self.description = base.description

    def apply(self, gradient):
        like = gradient.like
        return like(self._pairs.solved(gradient.flat, lambda rest: self.base.apply(like(rest)).flat))

    def eliminated(self, gradient):
        return self.base.eliminated(gradient)
