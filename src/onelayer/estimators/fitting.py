"""From data to a fitted, certified model: what happens in ``fit``, in its order."""

import abc
import functools
import warnings
from typing import Any

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from onelayer.designs import StandardizedDesign
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.checkpointing import checkpoint_of
from onelayer.estimators.features import Features
from onelayer.estimators.gathering import processes_of
from onelayer.estimators.memory import is_out_of_memory
from onelayer.estimators.rounding import as_returned
from onelayer.estimators.scaling import Scaling, Undo
from onelayer.estimators.sklearn_callbacks import relayed
from onelayer.estimators.starts import Starts, best_of
from onelayer.estimators.stream import forget
from onelayer.estimators.strengths import penalty_of
from onelayer.estimators.surveying import Surveyed
from onelayer.estimators.validation import (
    as_count,
    as_flag,
    as_number,
    as_offset,
    as_sample_weight,
    check_lengths,
    first_line,
    is_stream,
    resolve_dtype,
)
from onelayer.objective import Objective
from onelayer.penalties import make_penalty
from onelayer.processes import ALONE
from onelayer.result import Status
from onelayer.solvers import minimize, resolve_solver

__all__ = ["Fitting"]

# Where memory runs out a stream is read in smaller blocks, and less of it is kept: by this factor, down to this share.
_SHRINK, _LEAST_SHARE = 4, 64


class Fitting(abc.ABC):
    """The work of ``fit``. Abstract; the estimators bring targets, strength and parameters."""

    # Set by the final classes' constructors.
    fit_intercept: bool
    solver: Any
    tol: float
    max_iter: int | None
    time_limit: float | None
    init: Any
    n_init: int
    standardize: bool
    random_state: Any
    device: Any
    dtype: Any
    # Of the classes that this one is mixed with.
    _targets: Any
    _watchers: Any
    _log_copies: Any
    _tell_of_end: Any
    _previous_parameters: Any
    _set_parameters: Any
    _at: Any
    _learn: Any

    def _fit(self, X, y, sample_weight, offset=None, checkpoint=None):
        before = dict(vars(self))
        try:
            # Ordinary tensors, also for callers in inference mode, whose tensors no loss could be differentiated with.
            with (
                relayed(self, X, y, sample_weight=sample_weight, offset=offset),
                torch.inference_mode(False),
                torch.no_grad(),
            ):
                return self._fit_or_raise(X, y, sample_weight, offset, checkpoint)
        except BaseException:
            # A fit that fails leaves the model as it was.
            vars(self).clear()
            vars(self).update(before)
            self._tell_of_end(None)
            raise

    def _fit_or_raise(self, X, y, sample_weight, offset, checkpoint):
        group, shrunk = processes_of(X), 1
        while True:
            try:
                with group.shared():
                    return self._fit_shared(X, y, sample_weight, offset, checkpoint, group, shrunk)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                # Of several processes the others have ended by now.
                if not is_stream(X) or group.size > 1 or shrunk >= _LEAST_SHARE:
                    raise _no_room(X, self.device, error) from error
            shrunk *= _SHRINK

    def _fit_shared(self, X, y, sample_weight, offset, checkpoint, group, shrunk):
        options = {"marked": checkpoint is not None, "shrunk": shrunk}
        features, y, sample_weight = self._read(X, y, sample_weight, group, **options)
        offset = features.of_all(offset)
        self._log_copies(features.copies)
        check_lengths(features.rows, y, sample_weight)
        previous = self._previous_parameters()
        objective, undo = self._make_objective(features, y, sample_weight, offset)
        solver = resolve_solver(self.solver, objective.loss, objective.penalty, objective.design)
        # Drawn only if it is used: random_state=None moves NumPy's global generator, as in scikit-learn.
        generator = self._random_state()
        starts = Starts(self.init, previous, as_count("n_init", self.n_init))
        seed = int(generator.randint(2**31 - 1)) if solver.draws or starts.draws else 0
        seed = group.agreed(seed)
        self._returns_tensors = features.is_tensor
        keeper = None
        if checkpoint is not None:
            keeper = checkpoint_of(self, checkpoint, solver, features, y, sample_weight, offset)
        fit = functools.partial(self._minimize, solver, seed, undo, keeper)
        time_limit = None if self.time_limit is None else as_number("time_limit", self.time_limit)
        outcome = best_of(objective, starts.of(objective, undo, seed), fit, time_limit)
        outcome = as_returned(outcome, objective, undo, as_number("tol", self.tol))
        found = undo.to_features(outcome.parameters)
        # A fit that diverged says so itself, and with it where it began.
        diverged = outcome.result.status is Status.DIVERGED
        if not diverged and not bool(torch.isfinite(found.flat).all()):
            raise DataError(
                f"the fitted coefficients leave the numbers of {str(found.flat.dtype).removeprefix('torch.')}: bring the "
                "columns of X, and y, to sizes nearer to 1 first, or start nearer to zero (init)."
            )
        self._set_parameters(found)
        self.result_, self.certificate_ = outcome.result, outcome.certificate
        self.result_.copies = features.copies
        self.result_.reads = objective.design.reads + (keeper.reads if keeper else 0.0)
        self.result_.shards = features.counts
        self.n_iter_ = self.result_.n_iter
        forget(self)
        self._learn(outcome.state)
        self._tell_of_end(self)
        if not self.result_.status.is_success:
            warnings.warn(f"{type(self).__name__}: {self.result_.message}", ConvergenceWarning, stacklevel=5)
        return self

    def _read(self, X, y, sample_weight, group=ALONE, **options):
        """Return what is known of X, the targets and the weights; a stream brings all three."""
        if not is_stream(X):
            return Features(self, X, fitting=True, device=self.device), y, sample_weight
        features = Surveyed(self, X, y, self.device, group, **options)
        if features.sample_weight is not None and sample_weight is not None:
            raise DataError(
                f"sample_weight is given, and {X.name} brings its own: open the stream without weight=."
            )
        given = features.of_all(sample_weight)
        return features, features.y, features.sample_weight if given is None else given

    def _random_state(self):
        try:
            return check_random_state(self.random_state)
        except ValueError as error:
            raise ParameterError(
                f"random_state is {self.random_state!r}: give a whole number, a numpy RandomState, or None."
            ) from error

    def _make_objective(self, features, y, sample_weight, offset=None):
        """Return the objective and the map between the solver's coefficients and those of the features."""
        dtype, device = resolve_dtype(self.dtype, features.values), features.values.device
        fit_intercept = as_flag("fit_intercept", self.fit_intercept)
        standardize = as_flag("standardize", self.standardize)
        sample_weight = as_sample_weight(sample_weight, features.rows)
        targets = self._targets(y, sample_weight)
        loss, outputs, sample_weight = targets.loss, targets.outputs, targets.sample_weight
        total = float(features.rows) if sample_weight is None else float(sample_weight.sum())
        self._total_weight = total
        alpha, l1_ratio = penalty_of(self, total, loss, outputs)
        penalty = make_penalty(alpha, l1_ratio)
        if sample_weight is not None:
            # Only shares matter: with mean 1 no size of weights leaves the numbers of float32.
            sample_weight = torch.from_numpy(sample_weight * (len(sample_weight) / total)).to(device)
        design = features.design(dtype)
        scaling = None
        if standardize:
            scaling = Scaling.of(design, sample_weight, centred=fit_intercept)
            design = StandardizedDesign(design, scaling.mean, scaling.scale)
        offset = as_offset(offset, features.rows, outputs, device)
        objective = Objective(
            design,
            targets.y.to(device),
            loss,
            penalty,
            outputs=outputs,
            sample_weight=sample_weight,
            offset=offset,
            fit_intercept=fit_intercept,
        )
        self.objective_record_ = {
            "loss": loss.name,
            "loss_parameter": loss.parameters,
            "alpha": float(alpha),
            "l1_ratio": float(l1_ratio),
            "total_weight": total,
            "fit_intercept": fit_intercept,
            "standardize": standardize,
            "n_samples": objective.rows,
            "n_features": objective.features,
            "n_outputs": outputs,
        }
        return objective, Undo(scaling, targets.classes)

    def _minimize(self, solver, seed, undo, keeper, objective, start, time_limit):
        return minimize(
            solver,
            objective,
            start,
            tol=as_number("tol", self.tol),
            max_iter=None if self.max_iter is None else int(as_number("max_iter", self.max_iter, low=1)),
            time_limit=time_limit,
            seed=seed,
            callbacks=self._watchers(objective.design.group),
            estimator=self,
            as_estimator=functools.partial(self._at, undo=undo),
            names=getattr(self, "feature_names_in_", None),
            keeper=keeper,
        )


def _no_room(X, device, error):
    """Return the error of a fit for which there is no memory."""
    where = "main memory" if device is None else f"the memory of {device}"
    way = (
        "give a smaller memory_limit" if is_stream(X) else "open the data as a stream (onelayer.data.stream)"
    )
    reason = first_line(error) or type(error).__name__
    return DataError(f"{where} has no room for this fit ({reason}): {way}, or a device with more.")
