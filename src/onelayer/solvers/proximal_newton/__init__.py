"""Proximal Newton: exact optima with an L1 part in the penalty."""

from onelayer.solvers.proximal_newton.solver import ProximalNewton

__all__ = ["ProximalNewton"]
