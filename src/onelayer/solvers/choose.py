"""Which solver runs: the names, and what "auto" means."""

import dataclasses
from collections.abc import Callable

from onelayer.certificates import SweptCertifier
from onelayer.errors import ParameterError, SolverError
from onelayer.solvers.base import Solver
from onelayer.solvers.gradient_descent import GradientDescent
from onelayer.solvers.lbfgs import LBFGS
from onelayer.solvers.least_squares import LeastSquares
from onelayer.solvers.newton import Newton
from onelayer.solvers.proximal_newton import ProximalNewton
from onelayer.solvers.sgd import SGD
from onelayer.solvers.sketched_newton import SketchedNewton

__all__ = ["AUTO", "SOLVERS", "Case", "automatic", "resolve_solver"]

# Features of a sparse X up to which least squares forms their Gram matrix: with a penalty, and without.
_WIDE, _WIDEST = 1024, 4096

SOLVERS = {
    solver.name: solver
    for solver in (Newton, SketchedNewton, LeastSquares, ProximalNewton, LBFGS, GradientDescent, SGD)
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table: where `holds` says so, `solver` runs, because of `reason`.

    Attributes
    ----------
    problem : str
        In words.
    holds : callable
        Takes (loss, penalty, design).
    solver : type of Solver
    reason : str
    """

    problem: str
    holds: Callable
    solver: type[Solver]
    reason: str


# The first row that holds decides. "auto" promises the optimum, so no row names an approximate solver: where the last one
# cannot do (a kink in the loss), its SolverError says who can.
AUTO = (
    Case(
        "X is not in memory; log, huber or squared loss with an L2 penalty",
        lambda loss, penalty, design: (
            design is not None and not design.resident and SweptCertifier.serves(loss, penalty)
        ),
        SketchedNewton,
        "each step, with its proof, costs one read, and no array has a number for each row",
    ),
    Case(
        "squared error, no L1 part, unless X is sparse with very many features",
        lambda loss, penalty, design: (
            loss.name == "squared" and not penalty.l1 and not _fills_memory(design, penalty)
        ),
        LeastSquares,
        "least squares has a closed form, which also tells the rank of the columns",
    ),
    Case(
        "a convex smooth loss, no L1 part",
        lambda loss, penalty, design: loss.convex and loss.smooth and not penalty.l1,
        Newton,
        "Newton's method ends at the optimum, and its last step is the proof",
    ),
    Case(
        "a convex smooth loss with an L1 part",
        lambda loss, penalty, design: loss.convex and loss.smooth and penalty.l1,
        ProximalNewton,
        "proximal Newton ends at the optimum, with exact zeros, and its last step is the proof",
    ),
    Case(
        "everything else",
        lambda loss, penalty, design: True,
        LBFGS,
        "L-BFGS asks for nothing but a gradient; what it finds is the optimum only where a certificate says so",
    ),
)


def _fills_memory(design, penalty):
    """Return whether a matrix features x features would be far larger than the few entries of a sparse X."""
    if design is None or not design.sparse:
        return False
    # Without a penalty only the closed form knows the rank, and which of the many solutions is the smallest.
    return design.features > (_WIDE if penalty.l2 else _WIDEST)


def automatic(loss, penalty, design=None):
    """Return the row of the table that "auto" takes for this problem."""
    return next(case for case in AUTO if case.holds(loss, penalty, design))


def resolve_solver(solver, loss, penalty, design=None):
    """Return the Solver that a name, "auto" or a Solver stands for, checked against this problem."""
    if isinstance(solver, str):
        if solver != "auto" and solver not in SOLVERS:
            known = ", ".join(["auto", *sorted(SOLVERS)])
            raise ParameterError(f"solver is {solver!r}: the known ones are {known}.")
        solver = automatic(loss, penalty, design).solver() if solver == "auto" else SOLVERS[solver]()
    elif not isinstance(solver, Solver):
        raise ParameterError(f"solver is {solver!r}: give a name or an object from onelayer.solvers.")
    solver.check(loss, penalty)
    if solver.draws and design is not None and not design.resident:
        raise SolverError(
            f"solver {solver.name!r} draws its rows at random, and a stream gives them in order: use solver='auto', or "
            "partial_fit on one block after the other."
        )
    return solver
