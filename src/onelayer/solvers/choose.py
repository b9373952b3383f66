"""Which solver runs: the names, and what "auto" means."""

from onelayer.errors import ParameterError
from onelayer.solvers.base import Solver
from onelayer.solvers.gradient_descent import GradientDescent
from onelayer.solvers.lbfgs import LBFGS
from onelayer.solvers.sgd import SGD

__all__ = ["SOLVERS", "resolve_solver"]

SOLVERS = {solver.name: solver for solver in (LBFGS, GradientDescent, SGD)}


def resolve_solver(solver, loss, penalty):
    """Return the Solver that a name, "auto" or a Solver stands for, checked against this problem.

    "auto" promises the optimum, so it never falls back to an approximate solver by itself: it is L-BFGS, and where
    that cannot do, the SolverError says who can.
    """
    if isinstance(solver, str):
        if solver != "auto" and solver not in SOLVERS:
            known = ", ".join(["auto", *sorted(SOLVERS)])
            raise ParameterError(f"solver is {solver!r}: the known ones are {known}.")
        solver = LBFGS() if solver == "auto" else SOLVERS[solver]()
    elif not isinstance(solver, Solver):
        raise ParameterError(f"solver is {solver!r}: give a name or an object from onelayer.solvers.")
    solver.check(loss, penalty)
    return solver
