"""What trackers of experiments are told about a fit, in names and numbers."""

import importlib.util
import math

from onelayer.errors import ParameterError

__all__ = ["Steps", "certificate_facts", "numbers_of", "parameters_of", "require"]


def require(module, what):
    """Raise ParameterError, with the way out, unless a package can be imported."""
    if importlib.util.find_spec(module) is None:
        raise ParameterError(f"{what} is not installed: pip install 'onelayer[tracking]'.")


def parameters_of(start):
    """Return what a fit was asked, as text by name."""
    if start.estimator is None:
        found = {"loss": start.loss.name, "penalty": repr(start.penalty), "tol": start.tol}
    else:
        found = {"model": type(start.estimator).__name__, **start.estimator.get_params(deep=False)}
    found |= {"solver_used": repr(start.solver), "rows": start.rows, "features": start.features}
    found |= {"outputs": start.outputs, "device_used": start.device, "dtype_used": start.dtype}
    return {name: value if isinstance(value, str) else repr(value) for name, value in found.items()}


def numbers_of(record):
    """Return the finite numbers of one iteration by name."""
    found = {
        "objective": record.objective,
        "gradient_norm": record.gradient_norm,
        "relative_gap": record.relative_gap,
        "passes": record.passes,
        "seconds": record.seconds,
        **record.metrics,
    }
    return {name: float(value) for name, value in found.items() if value is not None and math.isfinite(value)}


def certificate_facts(certificate):
    """Return the proof's finite numbers by name."""
    if certificate is None:
        return {}
    found = {"certified_gap": certificate.gap, "certified_relative_gap": certificate.relative_gap}
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


class Steps:
    """Numbers the iterations of several starts in one row."""

    def __init__(self):
        self.next = 0

    def of(self, record):
        """Return the step of an iteration of the start that goes on."""
        if record.iteration == 0:
            self._first = self.next
        step = self._first + record.iteration
        self.next = step + 1
        return step
