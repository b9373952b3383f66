"""Huber's regression with a scale of its own, solved to rounding."""

from onelayer.solvers.concomitant.fit import ConcomitantOutcome, fit_concomitant

__all__ = ["ConcomitantOutcome", "fit_concomitant"]
