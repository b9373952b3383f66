"""Designs: a data matrix is three products, however and wherever its rows are stored."""

from onelayer.designs.base import Design
from onelayer.designs.compressed import Compressed
from onelayer.designs.dense import DenseDesign
from onelayer.designs.sparse import SparseDesign
from onelayer.designs.standardized import StandardizedDesign

__all__ = ["Compressed", "DenseDesign", "Design", "SparseDesign", "StandardizedDesign"]
