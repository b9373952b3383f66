"""Solvers: `init` and `step` on an objective; the loop around them is written once."""

from onelayer.solvers.base import Solver, State
from onelayer.solvers.choose import SOLVERS, resolve_solver
from onelayer.solvers.gradient_descent import GradientDescent
from onelayer.solvers.lbfgs import LBFGS
from onelayer.solvers.loop import Iterate, Outcome, minimize
from onelayer.solvers.sgd import SGD, minibatches

__all__ = [
    "LBFGS",
    "SGD",
    "SOLVERS",
    "GradientDescent",
    "Iterate",
    "Outcome",
    "Solver",
    "State",
    "minibatches",
    "minimize",
    "resolve_solver",
]
