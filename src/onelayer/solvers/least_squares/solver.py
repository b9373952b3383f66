"""The closed form of least squares, with the rank of the columns."""

import dataclasses
from typing import Any, ClassVar

import torch

from onelayer.errors import SolverError
from onelayer.result import Status
from onelayer.solvers.base import Solver, State
from onelayer.solvers.least_squares.cholesky import Cholesky, Direct
from onelayer.solvers.least_squares.doubled import polish
from onelayer.solvers.least_squares.dual import Dual
from onelayer.solvers.least_squares.orthogonal import Pivoted, triangle
from onelayer.solvers.least_squares.ranks import last_of_each, reveal_from_gram, to_numpy
from onelayer.solvers.least_squares.refine import begin, refine
from onelayer.solvers.least_squares.rows import Rows

__all__ = ["LeastSquares", "LeastSquaresState"]

# Below this many operations a Gram matrix in float64 costs nothing either.
_MANY = 1e8
# A first correction of this relative size, and the Gram matrix it came from is no good.
_NO_GOOD = 0.02
# Relative corrections that bring nothing any more.
_ENOUGH = {torch.float32: 2.0**-34, torch.float64: 2.0**-52}


@dataclasses.dataclass
class LeastSquaresState(State):
    """A State with the rank of the columns.

    Attributes
    ----------
    rank : int or None
        Of X, centred where there is an intercept; None at the start, before it is known.
    dependent : tuple of int
        Columns that are linear combinations of columns before them (of the constant too, where there is an intercept).
    """

    rank: int | None = None
    dependent: tuple[int, ...] = ()
    work: Any = None
    known: Any = None


class LeastSquares(Solver):
    """Least squares in closed form: the normal equations where they are good enough, orthogonal triangles where not.

    Minimises ``(1/S) Σ s_i ½ ‖y_i − W x_i − b − o_i‖² + (alpha/2) ‖W‖²`` in one step, and refines the answer in float64
    until that brings nothing. With ``alpha=0`` and columns that depend on each other it is the minimiser of the least
    ‖W‖, as from ``numpy.linalg.lstsq`` on centred columns; `LeastSquaresState` names those columns.

    Notes
    -----
    Columns are shifted to about zero and scaled by powers of two, so that neither their means nor their units matter.
    What is used is the first of these that is good enough for the data:

    1. Cholesky of the Gram matrix made with float32 products, added up in float64 (float32 arithmetic, many rows):
       n p² operations.
    2. The same with float64 products, where refinement in float64 starts from too far away.
    3. Where κ² of the scaled columns is beyond float64: Householder QR of row blocks (2 n p² operations), a pivoted QR
       of the triangle for the rank, refinement by corrected semi-normal equations.
    4. Fewer rows than columns: QR of the transposed rows (2 n² p operations).

    Each round of refinement costs one pass. In float64, up to a quarter of a million entries, residuals are formed in
    twice the precision, and the coefficients are right to about the last digit of what X and y say.

    X is read a block of rows at a time and never copied. Memory beside it: some seven matrices of p² float64 numbers for
    p ≤ n (X in float32 is half of one or more), of n² for n < p; n p numbers only where units of n < p columns differ by
    more than float64 has digits and there is no penalty.

    A column counts as dependent when it is nearer to the span of others than the rounding of the data lets one tell:
    some p rounding units of its deviation, or four of its size. With ``alpha > 0`` the rank is but a remark: where n ≥ p
    it is read off the Gram matrix, and a relative distance below about 1e-6 passes for zero. Same data, same bits.

    References
    ----------
    Å. Björck, "Numerical Methods for Least Squares Problems", SIAM (1996): refinement, semi-normal equations, units.
    G. Golub, "Numerical methods for solving linear least squares problems", Numer. Math. 7 (1965): pivoted QR.
    J. Demmel, L. Grigori, M. Hoemmen, J. Langou, "Communication-optimal parallel and sequential QR and LU
    factorizations", SIAM J. Sci. Comput. 34 (2012): QR of row blocks.

    Examples
    --------
    >>> import onelayer as ol
    >>> from onelayer.solvers.least_squares import LeastSquares
    >>> data = ol.data.load("diabetes")
    >>> model = ol.LinearRegression(solver=LeastSquares()).fit(data.X, data.y)
    >>> model.rank_, model.n_iter_, str(model.result_.status)
    (10, 1, 'converged')
    """

    name: ClassVar = "least-squares"

    @property
    def parameters(self):
        return {}

    def check(self, loss, penalty):
        super().check(loss, penalty)
        if loss.name != "squared":
            raise SolverError(
                f"solver {self.name!r} is the closed form of squared error, and the {loss.name} loss has none: use "
                "solver='lbfgs', which minimises any smooth loss, or loss='squared'."
            )

    def explain(self, objective):
        if objective.rows < objective.features:
            return ["with fewer rows than columns it works in the space of the rows, by orthogonal triangles"]
        first = "float32" if _starts_narrow(objective) else "float64"
        then = "or by orthogonal triangles where columns depend on each other"
        return [f"the Gram matrix is made with {first} products and the answer refined in float64, {then}"]

    def init(self, objective, parameters, *, seed=0, tol=0.0):
        del seed, tol
        # W = 0 has the same scores everywhere: no product with X.
        scores = None if bool(parameters.weight.any()) else _constant_scores(objective, parameters)
        point = objective.point(parameters, scores)
        return LeastSquaresState(parameters, point.value, objective.gradient(point))

    def follow(self, objective, parameters, before, *, seed=0, tol=0.0):
        state = self.init(objective, parameters, seed=seed, tol=tol)
        # The same Gram matrices serve every strength.
        rows = before.work and before.work[0]
        same = rows is not None and rows.objective.shares_data(objective)
        return dataclasses.replace(state, known=rows) if same else state

    def step(self, objective, state):
        if state.work is None:
            rows, system, place = _solve(objective, state.parameters.bias, state.known)
            if place is None:
                why = "no solution of the normal equations is finite in this arithmetic"
                return dataclasses.replace(state, halt=(Status.STALLED, why))
        else:
            rows, system, before = state.work
            place = before and refine(rows, system, before, _ENOUGH[objective.dtype])
            if place is None or torch.equal(place.own, before.own):
                why = "the closed form was refined until nothing was left to gain in float64"
                return dataclasses.replace(state, halt=(Status.STALLED, why))
        found = rows.state(rows.to_parameters(place.coefficients), place.fit)
        better = polish(rows, system, found[0]) if objective.dtype == torch.float64 else None
        if better:
            found, place = rows.state(*better, penalised=True), None
        work = rows, system, place
        return LeastSquaresState(*found, rank=system.rank, dependent=system.dependent, work=work)


def _starts_narrow(objective):
    """Return whether products in float32 are worth a try."""
    many = objective.rows * objective.features**2 > _MANY
    return many and objective.rows >= objective.features and objective.dtype == torch.float32


def _constant_scores(objective, parameters):
    scores = parameters.bias.to(objective.dtype).expand(objective.rows, -1)
    return scores if objective.offset is None else scores + objective.offset


def _solve(objective, bias, known=None):
    """Return the Rows, the system that was good enough for them, and the Place that refinement ended at.

    `known` are Rows of the same data under another penalty, if there are any.
    """
    rows, enough = Rows(objective, bias), _ENOUGH[objective.dtype]
    if known is not None:
        rows.learn(known)
    if _starts_narrow(objective):
        rows.settle_by_sample()
        found = _by_gram(rows, torch.float32, enough)
        if found:
            return found
    rows.settle_exactly()
    if rows.count >= rows.features:
        found = _by_gram(rows, torch.float64, enough)
        if found:
            return found
        system = Pivoted(rows, triangle(rows))
    else:
        system = Dual(rows)
        system = system if system.complete else Pivoted(rows, triangle(rows))
    return rows, system, refine(rows, system, begin(rows, system), enough)


def _by_gram(rows, dtype, enough):
    """Return what `_solve` returns if a Gram matrix of this precision will do, else None."""
    moments, unit = rows.moments(dtype), torch.finfo(dtype).eps
    # A column of zeros is in nobody's way: its coefficient is zero.
    empty = moments.empty(rows.lead)
    gram = moments.gram.clone()
    gram.diagonal()[rows.lead :] += empty.double()
    factor = Cholesky.of(gram, unit)
    noise = torch.where(empty, 0.0, rows.rounding(gram.diagonal()[rows.lead :].sqrt()))
    independent = factor is not None and factor.shows_full_rank(noise)
    dependent = torch.nonzero(empty)[:, 0].tolist()
    if rows.alpha:
        gram.diagonal()[rows.lead :] += rows.ridge[:, 0]
        factor = Cholesky.of(gram, unit)
        if factor and not independent:
            if dtype != torch.float64:
                return None
            dependent = last_of_each(reveal_from_gram(to_numpy(rows.centred(moments.gram))))
    elif not independent:
        return None
    if factor is None:
        return None
    system = Direct(rows, factor, moments.right, empty, tuple(dependent))
    place = refine(rows, system, begin(rows, system), enough, limit=_NO_GOOD)
    return place and (rows, system, place)
