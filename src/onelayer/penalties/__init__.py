"""Penalties on the weight matrix, and their strengths in the words of other libraries."""

from onelayer.penalties.dialects import (
    from_glmnet,
    from_sklearn,
    from_spark,
    from_statsmodels,
    from_torch,
)
from onelayer.penalties.functions import L1, L2, ElasticNet, NoPenalty, Penalty, make_penalty
from onelayer.penalties.report import PenaltyReport
from onelayer.penalties.strength import Strength

__all__ = [
    "L1",
    "L2",
    "ElasticNet",
    "NoPenalty",
    "Penalty",
    "PenaltyReport",
    "Strength",
    "from_glmnet",
    "from_sklearn",
    "from_spark",
    "from_statsmodels",
    "from_torch",
    "make_penalty",
]
