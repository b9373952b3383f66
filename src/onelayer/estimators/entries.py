"""What becomes of a problem that is one of many."""

import dataclasses
from typing import Any

from onelayer.certificates import Certificate
from onelayer.parameters import Parameters
from onelayer.result import Record, Result, Status

__all__ = ["Account", "Entry"]


@dataclasses.dataclass
class Entry:
    """One problem of a batch.

    Attributes
    ----------
    model : estimator or None
        Fitted; None where the problem cannot be fitted.
    message : str
        What became of it.
    error : OnelayerError, optional
        Why it cannot be fitted.
    """

    model: Any
    message: str
    error: Exception | None = None

    @property
    def status(self):
        """The Status of the fit, or None where there was none."""
        return None if self.model is None else self.model.result_.status


@dataclasses.dataclass(frozen=True)
class Account:
    """A problem that was proven in a stack, and what the stack cost.

    Attributes
    ----------
    parameters : Parameters
        Of the features as they are.
    value, gap : float
        P, and the bound on P − min P.
    steps : int
    passes, seconds : float
        Of a problem, as all of the stack on average.
    dtype : str
    """

    parameters: Parameters
    value: float
    gap: float
    steps: int
    passes: float
    seconds: float
    dtype: str

    def entry(self, model, targets, alpha, features, rows):
        """Return the Entry with the estimator as its own ``fit`` would leave it."""
        # Of a P of zero, 0 is all that could be proven.
        relative = self.gap / abs(self.value) if self.value else 0.0
        message = f"The certified relative gap is {relative:.2g}, at most tol={model.tol:g}."
        record = Record(self.steps, self.seconds, self.passes, self.value, relative_gap=relative)
        model.objective_record_ = {
            "loss": targets.loss.name,
            "loss_parameter": targets.loss.parameters,
            "alpha": float(alpha),
            "l1_ratio": 0.0,
            "total_weight": model._total_weight,
            "fit_intercept": bool(model.fit_intercept),
            "standardize": bool(model.standardize),
            "n_samples": rows,
            "n_features": model.n_features_in_,
            "n_outputs": targets.outputs,
        }
        model._set_parameters(self.parameters)
        model.certificate_ = Certificate(
            self.gap, relative, self.value, "tilted-point", weight_radius=(2 * self.gap / alpha) ** 0.5
        )
        model.result_ = Result(
            Status.CONVERGED,
            message,
            self.value,
            self.passes,
            self.seconds,
            self.steps,
            [record],
            "newton",
            "Newton() in a stack",
            str(features.values.device),
            self.dtype,
            copies=features.copies,
            shards=[rows],
        )
        model.n_iter_ = self.steps
        return Entry(model, message)
