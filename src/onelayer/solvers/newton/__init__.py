"""The exact solver."""

from onelayer.solvers.newton.newton import Newton

__all__ = ["Newton"]
