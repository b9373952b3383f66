"""Solvers: `init` and `step` on an objective; the loop around them is written once."""

from onelayer.solvers.base import Solver, State
from onelayer.solvers.choose import SOLVERS, resolve_solver
from onelayer.solvers.ending import Outcome
from onelayer.solvers.events import Iterate, Start
from onelayer.solvers.gradient_descent import GradientDescent
from onelayer.solvers.lbfgs import LBFGS
from onelayer.solvers.least_squares import LeastSquares
from onelayer.solvers.loop import minimize
from onelayer.solvers.newton import Newton
from onelayer.solvers.proximal_newton import ProximalNewton
from onelayer.solvers.sgd import SGD, minibatches
from onelayer.solvers.sketched_newton import SketchedNewton

__all__ = [
    "LBFGS",
    "SGD",
    "SOLVERS",
    "GradientDescent",
    "Iterate",
    "LeastSquares",
    "Newton",
    "Outcome",
    "ProximalNewton",
    "SketchedNewton",
    "Solver",
    "Start",
    "State",
    "minibatches",
    "minimize",
    "resolve_solver",
]
