"""Newton's method for Huber's regression with a scale, down to σ = 0 where the optimum is there."""

import dataclasses
import math
import time

import torch

from onelayer.certificates import Certificate, ConcomitantGap
from onelayer.concomitant import typical_size
from onelayer.curvature import DenseSystem, KrylovSystem, WideRows
from onelayer.parameters import Parameters
from onelayer.result import Record, Status
from onelayer.solvers.concomitant.place import Place

__all__ = ["End", "Newton", "is_dense"]

# Coefficients, and multiply-adds of one Hessian, up to which it is formed.
_DENSE_COEFFICIENTS, _DENSE_WORK = 2048, 1e11
# The first floor under σ, in units of the best σ at the start, and by how much it is lowered at a time.
_FLOOR, _LOWERED = 0.1, 0.3
# Decrements, as shares of F: below the first a step is not worth it (coefficients right to its root, 1e-13); below the
# second values no longer tell whether a step helped, so the next decrement has to have fallen by the factor.
_DONE, _BLIND, _FALLING = 1e-26, 1e-13, 0.25
# Proven relative gaps: at a start that is kept as it is, at σ = 0, and at an end that counts as the optimum.
_KEPT, _PROVEN, _OPTIMAL = 1e-13, 1e-12, 1e-9
_STEPS = 1000
_REFINED = 4


@dataclasses.dataclass(frozen=True)
class End:
    """Where the method ended, in the problem's own units.

    Attributes
    ----------
    parameters : Parameters
    scale : float
    residuals : tensor of shape (n,)
    certificate : Certificate
    status : Status
    at_zero : bool
        Whether σ is as small as it can be told from 0.
    trace : list of Record
    """

    parameters: Parameters
    scale: float
    residuals: torch.Tensor
    certificate: Certificate
    status: Status
    at_zero: bool
    trace: list[Record]


def is_dense(problem):
    """Return whether Hessians of a problem are formed."""
    columns = problem.design.features + problem.fit_intercept
    return columns <= _DENSE_COEFFICIENTS and problem.design.rows * columns**2 <= _DENSE_WORK


class Newton:
    """Newton steps for Φ(w, b) = min_{σ ≥ floor} F(w, b, σ), and a floor that is lowered as long as σ rests on it.

    Where the optimum has σ > 0 this ends at the first floor below it. Otherwise it follows the path of optima to σ = 0,
    along which dual points hardly move: at each floor it is tried whether r = 0 on the rows within the bounds, by the
    shortest step there, is the optimum. The certificate says so or not.

    Parameters
    ----------
    problem : ConcomitantHuber
    max_iter : int or None
    """

    def __init__(self, problem, max_iter=None):
        self.problem = problem
        self.most = _STEPS if max_iter is None else max_iter
        self.gap = ConcomitantGap(problem)
        plain = problem.plain
        self._system = DenseSystem(plain, WideRows(plain)) if is_dense(problem) else KrylovSystem(plain)
        self._began = time.perf_counter()
        self._trace = []

    def run(self, start, scale=None, *, warm=False):
        """Return the End from these coefficients (and this σ, if nothing is done)."""
        least = self.problem.least_scale
        place = Place.of(self.problem, self._system, start, least)
        shown = place if scale is None else dataclasses.replace(place, scale=max(scale, least))
        self._record(shown)
        if warm or not self.most:
            end = self._end(shown)
            if not self.most or self._proves(end.certificate, _KEPT):
                return end
        first = max(place.scale, _FLOOR * typical_size(place.residuals))
        place = dataclasses.replace(place, floor=max(_FLOOR * first, least))
        place = dataclasses.replace(place, scale=self.problem.best_scale(place.residuals, place.floor))
        ends = []
        while True:
            place = self._descended(place)
            ends.append(self._end(place) if self._spent or not place.at_floor else self._at_zero(place))
            if self._spent or not place.at_floor or self._proves(ends[-1].certificate, _PROVEN):
                break
            settled = len(ends) > 1 and self._proves(ends[-2].certificate, _OPTIMAL)
            if place.floor <= least or (settled and ends[-1].certificate.gap > ends[-2].certificate.gap / 2):
                ends.append(self._end(place))
                break
            lowered = max(_LOWERED * place.floor, least)
            # Along the path of optima r shrinks with σ on the rows within the bounds, and u stays.
            place = place.moved(place.homing, 1 - lowered / place.floor, floor=lowered)
        best = min(ends, key=lambda end: end.certificate.gap)
        cut_short = self._spent and best.status is Status.STALLED
        return dataclasses.replace(best, status=Status.MAX_ITER) if cut_short else best

    def _proves(self, certificate, share):
        """Return whether the gap is such a share of F, or what the smallest σ costs where 0 would be best."""
        return certificate.relative_gap <= share or certificate.gap <= self.gap.at_least

    def replaced(self, end, parameters):
        """Return an End at other coefficients that are as good; `end` itself if they are not."""
        place = Place.of(self.problem, self._system, parameters, end.scale)
        other = self._end(dataclasses.replace(place, scale=end.scale))
        allowed = max(10 * end.certificate.gap, _PROVEN * end.certificate.objective)
        return other if other.certificate.gap <= allowed else end

    @property
    def _spent(self):
        return self._trace[-1].iteration >= self.most

    def _descended(self, place):
        """Return the optimum above this floor."""
        while not self._spent:
            if place.decrement <= _DONE * place.value:
                break
            there, length = place.step
            if not length:
                break
            blind = place.decrement <= _BLIND * place.value
            if blind and not there.decrement < _FALLING * place.decrement:
                break
            place = there
            self._record(place, length)
        return place

    def _at_zero(self, place):
        """Return the End at r = 0 on the rows within the bounds, by the shortest step there."""
        # Where no Hessian is formed, neither are singular values: for 3,000 columns they took four times as long as all steps.
        direction = _shortest_to_zero(place) if self._system.exact else place.homing
        moved = place.moved(direction, floor=self.problem.least_scale)
        end = self._end(moved, place.dual)
        if self._proves(end.certificate, _PROVEN):
            self._record(moved, 1.0)
        return end

    def _end(self, place, dual=None):
        certificate = self.gap.certify(place.parameters, place.scale, place.residuals, dual)
        self._trace[-1].relative_gap = certificate.relative_gap
        optimal = self._proves(certificate, _OPTIMAL)
        status = Status.CONVERGED if optimal else (Status.MAX_ITER if self._spent else Status.STALLED)
        at_zero = place.scale <= 100 * self.problem.least_scale
        return End(place.parameters, place.scale, place.residuals, certificate, status, at_zero, self._trace)

    def _record(self, place, length=None):
        self._trace.append(
            Record(
                len(self._trace),
                time.perf_counter() - self._began,
                self.problem.passes,
                place.value,
                place.gradient.flat.abs().max().item() * 2 * self.problem.total / place.scale,
                None,
                length,
            )
        )


def _shortest_to_zero(place):
    """Return the direction (d, e) with x_i·d + e = r_i in least squares on the rows within the bounds, |d| least."""
    problem = place.problem
    index = place.inside.nonzero().squeeze(1)
    rows, residuals = problem.design.dense(index).double().cpu(), place.residuals[index].cpu()
    if not len(index):
        return place.parameters.like(torch.zeros_like(place.parameters.flat))
    mean, level = rows.mean(dim=0), residuals.mean()
    if not problem.fit_intercept:
        mean, level = torch.zeros_like(mean), torch.zeros_like(level)
    rows, aim = rows - mean, residuals - level
    # Where rows determine d, units of columns do not matter for the answer, and much for its digits.
    norms = rows.norm(dim=0)
    for unit in (torch.where(norms > 0, norms, 1.0), torch.ones_like(norms)):
        left, sizes, right = torch.linalg.svd(rows / unit, full_matrices=False)
        kept = sizes > max(rows.shape) * torch.finfo(torch.float64).eps * sizes[0]
        if int(kept.sum()) == rows.shape[1]:
            break
    weight = torch.zeros_like(mean)
    # Again with what is left: units of columns that differ by many digits cost the first solution as many.
    for _ in range(_REFINED):
        weight += right[kept].T @ ((left[:, kept].T @ (aim - rows @ weight)) / sizes[kept]) / unit
    bias = level - mean @ weight
    if not math.isfinite(bias.item()):
        return place.parameters.like(torch.zeros_like(place.parameters.flat))
    return Parameters.of(weight.unsqueeze(0), bias.reshape(1)).to(torch.float64, place.parameters.flat.device)
