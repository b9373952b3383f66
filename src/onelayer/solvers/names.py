"""The names of the solvers, for whoever must not wait for torch."""

__all__ = ["SOLVER_NAMES"]

SOLVER_NAMES = (
    "auto",
    "newton",
    "sketched-newton",
    "least-squares",
    "proximal-newton",
    "lbfgs",
    "gradient-descent",
    "sgd",
)
