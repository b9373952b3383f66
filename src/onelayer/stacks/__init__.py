"""Many problems of one shape, solved together: folds of a cross-validation, concepts, heads.

Reads of X are shared where there is one X; everything else, from the length of a step to the proof, is each problem's own.
"""

from onelayer.stacks.coefficients import Coefficients
from onelayer.stacks.models import Model, OwnFactors, SharedBasis
from onelayer.stacks.newton import MOST_STEPS, Solved, solve_stack
from onelayer.stacks.rows import OwnRows, ScaledRows, SharedRows
from onelayer.stacks.stack import Stack

__all__ = [
    "MOST_STEPS",
    "Coefficients",
    "Model",
    "OwnFactors",
    "OwnRows",
    "ScaledRows",
    "SharedBasis",
    "SharedRows",
    "Solved",
    "Stack",
    "solve_stack",
]
