"""Designs: a data matrix is three products, however and wherever its rows are stored."""

from onelayer.designs.base import Design
from onelayer.designs.dense import DenseDesign
from onelayer.designs.standardized import StandardizedDesign

__all__ = ["DenseDesign", "Design", "StandardizedDesign"]
