"""The named errors and warnings.

Each is also the builtin exception that people already catch. A message is one sentence that names the argument, its
value and the way out; the command line prints it as it stands and exits with 2.
"""

__all__ = [
    "DataError",
    "DataTypeError",
    "ModelFileError",
    "OnelayerError",
    "OutputError",
    "ParameterError",
    "ProcessError",
    "RankWarning",
    "SolverError",
]


class OnelayerError(Exception):
    """Base of everything that onelayer raises on purpose."""


class DataError(OnelayerError, ValueError):
    """The data cannot be used as they are: a missing file, NaN, a length that does not fit, one class only."""


class DataTypeError(DataError, TypeError):
    """The data hold objects that are no numbers."""


class ParameterError(OnelayerError, ValueError):
    """An argument has a value outside its range."""


class SolverError(ParameterError):
    """The solver cannot handle this loss or penalty; the message says what is missing and which solver can."""


class ModelFileError(OnelayerError, ValueError):
    """A saved model is damaged, foreign, or of a version that this release cannot read."""


class OutputError(OnelayerError, OSError):
    """A result cannot be written where it was asked for."""


class ProcessError(OnelayerError, RuntimeError):
    """One of several processes that work on a fit is gone, does not answer, or does something else than the others."""


class RankWarning(UserWarning):
    """Columns depend on each other, so that the coefficients are one choice of many."""
