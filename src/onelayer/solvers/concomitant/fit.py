"""From a design and targets to coefficients, a scale and their proof."""

import dataclasses
import time

import torch

from onelayer.certificates import Certificate
from onelayer.concomitant import ConcomitantHuber
from onelayer.curvature import DenseHessian, WideRows
from onelayer.losses.curvature import DiagonalCurvature
from onelayer.parameters import Parameters
from onelayer.result import Result, Status
from onelayer.solvers.concomitant.newton import Newton, is_dense
from onelayer.solvers.concomitant.units import Shifted, Spanned, Units

__all__ = ["ConcomitantOutcome", "fit_concomitant"]

_EPS = torch.finfo(torch.float64).eps
# Rounding errors that a residual of a row that is met exactly may have.
_ROUNDINGS = 64
# Share of a start that may lie outside the span of the rows and still be rounding.
_OUTSIDE = 1e-12


@dataclasses.dataclass(frozen=True)
class ConcomitantOutcome:
    """What a fit leaves behind.

    Attributes
    ----------
    parameters : Parameters
    scale : float
    outliers : bool tensor of shape (n,)
        Rows with |r_i| > εσ; where σ is next to 0, those whose residual is more than rounding.
    result : Result
    certificate : Certificate
    """

    parameters: Parameters
    scale: float
    outliers: torch.Tensor
    result: Result
    certificate: Certificate


def fit_concomitant(
    design, y, sample_weight, *, epsilon, alpha, fit_intercept=True, start=None, scale=1.0, max_iter=None
):
    """Minimise Σ s_i [σ + σ H(r_i/σ)] + α |w|² over w, b and σ > 0 (see ``onelayer.concomitant``).

    Parameters
    ----------
    design : Design
        With float64 products; n rows.
    y, sample_weight : float64 tensors of shape (n,)
        Weights > 0.
    epsilon, alpha : float
    fit_intercept : bool
    start : Parameters, optional
        A warm start: kept as it is, with no iteration, if it is proven optimal to 1e-13. Default: zeros.
    scale : float
        σ that belongs to the start.
    max_iter : int, optional
        Newton steps.

    Returns
    -------
    ConcomitantOutcome

    Notes
    -----
    Each Newton step takes the Hessian of the problem with σ eliminated, and a length that is exact. With ``alpha=0`` and
    columns that depend on each other, w is the shortest of those with the same residuals.
    """
    began = time.perf_counter()
    units = Units.of(y, sample_weight)
    shifted = Shifted.of(design, sample_weight) if fit_intercept else None
    columns = shifted.design if shifted else design
    spanned = Spanned.of(columns)
    columns = spanned.design if spanned else columns
    changes = [change for change in (shifted, spanned) if change]
    problem = ConcomitantHuber(
        columns,
        y * units.target,
        epsilon,
        units.alpha(alpha),
        sample_weight * units.weight,
        fit_intercept=fit_intercept,
    )
    warm = start is not None
    inner = problem.zeros()
    if warm:
        inner = units.parameters(start)
        for change in changes:
            inner = change.inner(inner)
    method = Newton(problem, max_iter)
    end = method.run(inner, scale * units.target, warm=warm)
    moved = end.trace[-1].iteration > 0
    if moved and not problem.alpha:
        end = _shortened(method, end)
    parameters = end.parameters
    for change in reversed(changes):
        parameters = change.outer(parameters)
    parameters = units.restored(parameters)
    if not moved:
        parameters = _kept(start, parameters)
    certificate = units.certificate(end.certificate, alpha)
    for record in end.trace:
        record.objective, record.gradient_norm = (
            record.objective / units.target / units.weight,
            record.gradient_norm / units.weight,
        )
    result = Result(
        end.status,
        _message(end, certificate, is_dense(problem)),
        certificate.objective,
        problem.passes,
        time.perf_counter() - began,
        end.trace[-1].iteration,
        end.trace,
        "newton",
        f"epsilon={epsilon!r}, alpha={alpha!r}",
        str(design.device),
        "float64",
    )
    return ConcomitantOutcome(
        parameters, end.scale / units.target, _outliers(problem, end), result, certificate
    )


def _kept(start, parameters):
    """Return a start to the last bit, unless it has a part that no row sees."""
    if start is None:
        return parameters
    off = (start.flat - parameters.flat).norm()
    return start if bool(off <= _OUTSIDE * start.flat.norm()) else parameters


def _shortened(method, end):
    """Return the End whose w is the shortest with these residuals, where columns depend on each other."""
    problem = method.problem
    if not is_dense(problem):
        return end
    wide = WideRows(problem.plain)
    every = DiagonalCurvature(
        torch.ones(problem.design.rows, 1, dtype=torch.float64, device=problem.y.device)
    )
    if DenseHessian(problem.plain, wide, every).full:
        return end
    rows = problem.design.dense(slice(0, problem.design.rows)).double().cpu()
    mean = wide.mean.cpu() if wide.mean is not None else rows.new_zeros(rows.shape[1])
    weight = end.parameters.weight.cpu().T
    rows = rows - mean
    shortest = torch.linalg.lstsq(rows, rows @ weight, driver="gelsd").solution
    bias = end.parameters.bias + ((weight - shortest).squeeze(1) @ mean).to(end.parameters.bias)
    there = Parameters.of(shortest.T.to(end.parameters.flat), bias)
    return method.replaced(end, there)


def _outliers(problem, end):
    bound = problem.epsilon * end.scale
    if not end.at_zero:
        return end.residuals.abs() > bound
    size = problem.y.abs() + (problem.y - end.residuals).abs()
    return end.residuals.abs() > bound + _ROUNDINGS * _EPS * size


def _message(end, certificate, dense):
    """Return what happened, in words."""
    steps, gap = end.trace[-1].iteration, certificate.relative_gap
    how = "the whole Hessian" if dense else "conjugate gradients"
    words = (
        f"{steps} Newton step{'' if steps == 1 else 's'} with {how}; the certified relative gap is {gap:.2g}"
    )
    if end.status is Status.MAX_ITER:
        words = f"stopped at max_iter: {words}"
    if end.status is Status.STALLED:
        words = f"no step lowers the objective any more in float64: {words}"
    words = f"{words[0].upper()}{words[1:]}."
    if end.at_zero:
        words += (
            " The objective is least at scale 0, where it is 2 epsilon times the sum of absolute residuals: so many rows are "
            "met exactly that no scale is left to estimate. The scale returned is ten roundings of the targets; a larger "
            "epsilon or a penalty gives one that means something."
        )
    return words
