"""Designs: a data matrix is three products, however and wherever its rows are stored."""

from onelayer.designs.base import Design
from onelayer.designs.chunked import ChunkedDesign, Kept
from onelayer.designs.compressed import Compressed
from onelayer.designs.dense import DenseDesign
from onelayer.designs.feed import Feed
from onelayer.designs.fingerprint import Fingerprint
from onelayer.designs.reservoir import Reservoir
from onelayer.designs.sharded import ShardedDesign
from onelayer.designs.sparse import SparseDesign
from onelayer.designs.standardized import StandardizedDesign

__all__ = [
    "ChunkedDesign",
    "Compressed",
    "DenseDesign",
    "Design",
    "Feed",
    "Fingerprint",
    "Kept",
    "Reservoir",
    "ShardedDesign",
    "SparseDesign",
    "StandardizedDesign",
]
