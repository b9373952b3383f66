"""The Hessian: as products, as a matrix, as models that can be inverted, and Newton systems solved with these."""

from onelayer.curvature.blocks import ClassBlocks
from onelayer.curvature.dense import DenseHessian, WideRows
from onelayer.curvature.hessian import Hessian
from onelayer.curvature.kronecker import Kronecker
from onelayer.curvature.preconditioners import Diagonal, Preconditioner
from onelayer.curvature.systems import (
    DenseSystem,
    Goal,
    KrylovSystem,
    System,
    how_solved,
    solved_densely,
    system_for,
)

__all__ = [
    "ClassBlocks",
    "DenseHessian",
    "DenseSystem",
    "Diagonal",
    "Goal",
    "Hessian",
    "Kronecker",
    "KrylovSystem",
    "Preconditioner",
    "System",
    "WideRows",
    "how_solved",
    "solved_densely",
    "system_for",
]
