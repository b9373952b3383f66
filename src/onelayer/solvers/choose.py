"""Which solver runs: the names, and what "auto" means."""

import dataclasses
from collections.abc import Callable

from onelayer.errors import ParameterError
from onelayer.solvers.base import Solver
from onelayer.solvers.gradient_descent import GradientDescent
from onelayer.solvers.lbfgs import LBFGS
from onelayer.solvers.least_squares import LeastSquares
from onelayer.solvers.newton import Newton
from onelayer.solvers.sgd import SGD

__all__ = ["AUTO", "SOLVERS", "Case", "automatic", "resolve_solver"]

SOLVERS = {solver.name: solver for solver in (Newton, LeastSquares, LBFGS, GradientDescent, SGD)}


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table: where `holds` says so, `solver` runs, because of `reason`.

    Attributes
    ----------
    problem : str
        In words.
    holds : callable
        Takes (loss, penalty).
    solver : type of Solver
    reason : str
    """

    problem: str
    holds: Callable
    solver: type[Solver]
    reason: str


# The first row that holds decides. "auto" promises the optimum, so no row names an approximate solver: where the last one
# cannot do (a kink in loss or penalty), its SolverError says who can.
AUTO = (
    Case(
        "squared error, no L1 part",
        lambda loss, penalty: loss.name == "squared" and not penalty.l1,
        LeastSquares,
        "least squares has a closed form, which also tells the rank of the columns",
    ),
    Case(
        "a convex smooth loss, no L1 part",
        lambda loss, penalty: loss.convex and loss.smooth and not penalty.l1,
        Newton,
        "Newton's method ends at the optimum, and its last step is the proof",
    ),
    Case(
        "everything else",
        lambda loss, penalty: True,
        LBFGS,
        "L-BFGS asks for nothing but a gradient; what it finds is the optimum only where a certificate says so",
    ),
)


def automatic(loss, penalty):
    """Return the row of the table that "auto" takes for this problem."""
    return next(case for case in AUTO if case.holds(loss, penalty))


def resolve_solver(solver, loss, penalty):
    """Return the Solver that a name, "auto" or a Solver stands for, checked against this problem."""
    if isinstance(solver, str):
        if solver != "auto" and solver not in SOLVERS:
            known = ", ".join(["auto", *sorted(SOLVERS)])
            raise ParameterError(f"solver is {solver!r}: the known ones are {known}.")
        solver = automatic(loss, penalty).solver() if solver == "auto" else SOLVERS[solver]()
    elif not isinstance(solver, Solver):
        raise ParameterError(f"solver is {solver!r}: give a name or an object from onelayer.solvers.")
    solver.check(loss, penalty)
    return solver
