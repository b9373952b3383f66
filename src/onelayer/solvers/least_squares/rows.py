"""The rows of a least-squares problem, shifted and scaled on the fly, one block at a time."""

import dataclasses
import math

import torch

from onelayer.parameters import Parameters

__all__ = ["Fit", "Moments", "Rows", "power_of_two"]

_EPS = torch.finfo(torch.float64).eps
# Numbers in a block: of one that is read twice and should stay in the cache, and of one whose Gram matrix is formed.
_CACHED = 2**17
_LONG = 2**22
# Rows that are added up in float32: how exactly, is the BLAS's own affair. That of one machine lost twenty rounding units on
# 20,000 rows, more than refinement is promised.
_LONG_ROWS = 2**10
# Columns of a panel.
_PANEL = 64
# A GPU is kept busy by more.
_GPU = 2**25
# Rows of the sample that sets shift and scale for products in float32.
_SAMPLE = 1024
# Up to this multiple of its deviation the mean of a column costs float32 products about a digit, and shifting half the time.
_NEAR_ZERO = 4.0


@dataclasses.dataclass
class Fit:
    """What coefficients leave over: Σ s r²/2, [1 A]ᵀ S r, and r itself (None where it was not formed), in float64."""

    loss: float
    gradient: torch.Tensor
    residual: torch.Tensor | None


@dataclasses.dataclass
class Moments:
    """[1 A]ᵀ S [1 A] and [1 A]ᵀ S t, in float64 whatever the products were made in."""

    gram: torch.Tensor
    right: torch.Tensor

    def empty(self, lead):
        """Return for each column whether it is zero."""
        # Not only its squares, which vanish sooner than it does.
        products = torch.cat([self.gram[:, lead:], self.right[lead:].T])
        return ~products.any(dim=0)


class Rows:
    """The problem min Σ s_i ½‖t_i − c − V a_i‖² + ½ Σ λ_j V_j² in which W = V / scale and b = c − W shift.

    a_i = (x_i − shift) / scale, t = y − offset; λ = S α / scale². Scales are powers of two, so that they round
    nothing; squares of a neither overflow nor vanish. Without an intercept the shift is zero, and the b that the
    objective was given is part of t. Coefficients are arrays of shape (lead + features, outputs); row 0 is c where
    there is an intercept (lead = 1).

    Products convert a block of rows at a time: X is never copied as a whole.
    """

    def __init__(self, objective, bias):
        self.objective, self.design = objective, objective.design
        self.wide = objective.design.as_dtype(torch.float64)
        self.count, self.features, self.outputs = objective.rows, objective.features, objective.outputs
        self.lead, self.bias = int(objective.fit_intercept), bias.double()
        target = objective.y.double()
        if objective.offset is not None:
            target = target - objective.offset.double()
        self.target = target if self.lead else target - self.bias
        self.weight: torch.Tensor | None = None
        self.idle: torch.Tensor | None = None
        self.total = float(self.count)
        if objective.sample_weight is not None:
            weight = objective.sample_weight.double().unsqueeze(1)
            # A row of no weight counts for nothing, however large its numbers are.
            idle = weight.eq(0)
            self.weight, self.idle = weight, idle if bool(idle.any()) else None
            self.total = weight.sum().item()
        self.alpha = objective.penalty.l2 * objective.total_weight
        device = self.target.device
        self.shift = torch.zeros(self.features, dtype=torch.float64, device=device)
        self.scale = torch.ones_like(self.shift)
        self.plain = True
        self.ridge = self._ridge()
        self._known: dict = {}

    def learn(self, other):
        """Take over what other Rows, of the same data under another penalty, know of them."""
        self._known = other._known

    def book(self, passes):
        """Count work, in full gradients."""
        self.objective._work.add(2 * passes * self.count)

    # ---- shift and scale --------------------------------------------------------------------------------------

    def settle_by_sample(self):
        """Set shift and scale from some rows: good enough for a Gram matrix that is refined afterwards."""
        index = torch.arange(self.count, device=self.shift.device)
        index = index if self.idle is None else index[~self.idle[:, 0]]
        most = min(_SAMPLE, max(16, _LONG // self.features))
        rows = self.wide.take(index[:: max(1, len(index) // most)]).block(slice(None))
        mean = rows[0] + (rows - rows[0]).mean(dim=0)
        mean = mean if self.lead else torch.zeros_like(mean)
        scale = power_of_two((rows - mean).abs().amax(dim=0))
        deviation = ((rows - mean) / scale).square().mean(dim=0).sqrt() * scale
        usual = (deviation > 1e-8) & (deviation < 1e8) | (deviation == 0)
        if bool((usual & (mean.abs() <= _NEAR_ZERO * deviation)).all()):
            return
        self._settle(mean.to(self.design.dtype).double(), scale)

    def settle_exactly(self):
        """Set the shift to the mean and the scale to the largest distance from it. Costs half a pass."""
        self.book(0.5)
        self._settle(torch.zeros_like(self.shift), torch.ones_like(self.scale))
        first = mean = torch.zeros_like(self.shift)
        low, high = torch.full_like(mean, torch.inf), torch.full_like(mean, -torch.inf)
        for rows, block in self.blocks(self.wide, _CACHED):
            share = torch.ones_like(block[:, :1]) if self.weight is None else self.weight[rows]
            if self.idle is not None:
                active = ~self.idle[rows, 0]
                block, share = block[active], share[active]
            if len(block):
                # From one entry of the column on: the mean of a constant column is that constant, to the last bit.
                first = first if bool(low.isfinite().all()) else block[0].clone()
                mean = mean + (share.T @ (block - first)).squeeze(0) / self.total
                low, high = torch.minimum(low, block.amin(dim=0)), torch.maximum(high, block.amax(dim=0))
        mean = mean + first if self.lead else torch.zeros_like(mean)
        self._settle(mean, power_of_two(torch.maximum(high - mean, mean - low)))

    def _settle(self, shift, scale):
        self.shift = shift if self.lead else torch.zeros_like(shift)
        self.scale = scale
        self.plain = not bool(self.shift.any()) and bool((scale == 1).all())
        self.ridge = self._ridge()

    def _ridge(self):
        return (self.alpha / self.scale / self.scale).clamp(max=1e300).unsqueeze(1)

    def centred(self, gram):
        """Return the Gram matrix of the columns less their means."""
        if not self.lead:
            return gram
        return gram[1:, 1:] - gram[1:, :1] @ gram[:1, 1:] / gram[0, 0]

    def rounding(self, norms=None):
        """Return about what one rounding of each entry of X moves each column by, given the norms of columns of √S A."""
        # Unless it is known better: no entry of A is larger than one.
        root = math.sqrt(self.total)
        return _EPS * (root * self.shift.abs() / self.scale + (root if norms is None else norms))

    def noise(self, norms=None):
        """Return how near to the span of others a column must be to pass for one of their combinations.

        `norms` are those of the columns of √S A, if they are known.
        """
        norms = torch.full_like(self.shift, math.sqrt(self.total)) if norms is None else norms
        # Roundings on the way to a triangle, and those of the data themselves; a column of zeros has neither.
        on_the_way = (10 + math.sqrt(self.count) + self.features) * _EPS * norms
        noise = on_the_way + 4 * self.rounding(norms)
        return torch.where(noise > 0, noise, 1.0).cpu().numpy()

    # ---- passes over X ----------------------------------------------------------------------------------------

    def blocks(self, design, numbers, least=1, most=None):
        """Yield (rows, a_i of these rows) in the design's arithmetic, about so many numbers at a time.

        Each block may lie in the place of the one before.
        """
        numbers = numbers if self.shift.device.type == "cpu" else _GPU
        size = min(max(least, min(numbers // max(1, self.features), most or self.count), 1), self.count)
        shift, inverse = self.shift.to(design.dtype), (1 / self.scale).to(design.dtype)
        copied = design.dtype != design.native or not self.plain or self.idle is not None
        space = shift.new_empty(size, self.features) if copied else None
        for start in range(0, self.count, size):
            rows = slice(start, min(start + size, self.count))
            block = design.block(rows, out=None if space is None else space[: rows.stop - start])
            if not self.plain:
                block.sub_(shift).mul_(inverse)
            yield rows, block if self.idle is None else block.masked_fill_(self.idle[rows], 0.0)

    def moments(self, dtype):
        """Return the Moments, products of blocks made in this dtype. Costs a quarter of a pass for each feature, once."""
        known = self._known.get(dtype)
        if known is None or not (torch.equal(known[0], self.shift) and torch.equal(known[1], self.scale)):
            known = self._known[dtype] = self.shift, self.scale, self._moments(dtype)
        return known[2]

    def _moments(self, dtype):
        self.book(self.features / self.outputs / 4 + 0.5)
        lead, size = self.lead, self.lead + self.features
        gram = self.target.new_zeros(size, size)
        inner = gram[lead:, lead:]
        right = self.target.new_zeros(1 + self.outputs, self.features)
        sides = torch.cat([torch.ones_like(self.target[:, :1]), self.target], dim=1)
        sides = sides if self.weight is None else sides * self.weight
        totals = sides.sum(dim=0)
        sides, weight = sides.to(dtype), None if self.weight is None else self.weight.to(dtype)
        for rows, block in self.blocks(self.design.as_dtype(dtype), _LONG, least=256, most=_LONG_ROWS):
            heavy = block if weight is None else block * weight[rows]
            # Panels of the upper half: 124 ms where the whole product takes 168 (200,000 x 200, one thread).
            for start in range(0, self.features, _PANEL):
                panel = slice(start, start + _PANEL)
                inner[panel, start:] += heavy[:, panel].T @ block[:, start:]
            right += sides[rows].T @ block
        gram = gram.triu() + gram.triu(1).T
        if not lead:
            return Moments(gram, right[1:].T)
        gram[0, 0] = self.total
        gram[0, 1:] = gram[1:, 0] = right[0]
        return Moments(gram, torch.cat([totals[1:].unsqueeze(0), right[1:].T]))

    def fit(self, coefficients):
        """Return the Fit of these coefficients. Costs one pass, in float64."""
        self.book(1)
        lead, slopes = self.lead, coefficients[self.lead :]
        target = self.target - coefficients[0] if lead else self.target
        pulled = self.target.new_zeros(self.outputs, self.features)
        left = torch.empty_like(target)
        heavy = left if self.weight is None else torch.empty_like(target)
        for rows, block in self.blocks(self.wide, _CACHED, least=64):
            torch.addmm(target[rows], block, slopes, alpha=-1, out=left[rows])
            if self.weight is not None:
                torch.mul(left[rows], self.weight[rows], out=heavy[rows])
            pulled.addmm_(heavy[rows].T, block)
        gradient = torch.cat([heavy.sum(dim=0, keepdim=True), pulled.T]) if lead else pulled.T
        return Fit((heavy * left).sum().item() / 2, gradient, left)

    def foresee(self, place, coefficients, rate):
        """Return the Fit after a step of Newton's that has an error of about this rate, without a pass over X.

        P falls by half of what the slope promises. What is left of the gradient is not known, but its size is.
        """
        before, step = self.descent(place.fit, place.coefficients), coefficients - place.coefficients
        fall = (before * step).sum().item() / 2
        loss = (
            place.fit.loss + self._half_penalty(place.coefficients) - self._half_penalty(coefficients) - fall
        )
        gradient = rate * before
        gradient[self.lead :] += self.ridge * coefficients[self.lead :]
        return Fit(max(loss, 0.0), gradient, None)

    def _half_penalty(self, coefficients):
        return (self.ridge * coefficients[self.lead :].square()).sum().item() / 2

    def descent(self, fit, coefficients):
        """Return −∇ of what is minimised, the penalty included."""
        if not self.alpha:
            return fit.gradient
        descent = fit.gradient.clone()
        descent[self.lead :] -= self.ridge * coefficients[self.lead :]
        return descent

    # ---- in the objective's own terms -------------------------------------------------------------------------

    def to_parameters(self, coefficients):
        """Return W and b, in float64."""
        weight = (coefficients[self.lead :] / self.scale.unsqueeze(1)).T
        return Parameters.of(weight, coefficients[0] - weight @ self.shift if self.lead else self.bias)

    def state(self, parameters, fit, penalised=False):
        """Return parameters, P and its gradient there; `penalised` if the Fit's gradient has the penalty's part already."""
        penalty, total = self.objective.penalty, self.objective.total_weight
        pulled = fit.gradient[self.lead :] * self.scale.unsqueeze(1)
        bias = torch.zeros_like(parameters.bias)
        if self.lead:
            bias = fit.gradient[0]
            pulled = pulled + self.shift.unsqueeze(1) * bias
        weight = -pulled.T / total
        if not penalised:
            weight = weight + penalty.smooth_part.gradient(parameters.weight)
        value = fit.loss / total + penalty.value(parameters.weight)
        return parameters, value, Parameters.of(weight, -bias / total)


def power_of_two(values):
    """Return the next larger power of two of each number, 1 for 0; never so extreme that its inverse overflows."""
    exponent = torch.frexp(values).exponent.clamp(-1000, 1000)
    return torch.where(values == 0, 1.0, torch.ldexp(torch.ones_like(values), exponent))
