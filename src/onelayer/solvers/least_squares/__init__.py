"""Least squares in closed form: the solver, and the words for columns that depend on each other."""

from onelayer.solvers.least_squares.ranks import dependent_columns_message
from onelayer.solvers.least_squares.solver import LeastSquares, LeastSquaresState

__all__ = ["LeastSquares", "LeastSquaresState", "dependent_columns_message"]
