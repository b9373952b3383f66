"""Many fits of one estimator: what can be solved together is, the rest one by one."""

import copy
import dataclasses
import time
import warnings
from typing import Any

import numpy as np
import torch

from onelayer.designs import DenseDesign, StandardizedDesign
from onelayer.errors import DataError, OnelayerError
from onelayer.estimators.entries import Account, Entry
from onelayer.estimators.features import Features
from onelayer.estimators.problem import plain_arithmetic
from onelayer.estimators.rounding import tells
from onelayer.estimators.scaling import Scaling, Undo
from onelayer.estimators.strengths import penalty_of, require_strength
from onelayer.estimators.validation import as_flag, as_float64, as_number, as_sample_weight, resolve_dtype
from onelayer.result import Status
from onelayer.stacks import OwnRows, ScaledRows, SharedRows, Stack, solve_stack

__all__ = ["Batch", "Entry"]

# Numbers of scores of one stack on a shared X (64 MB in float32), and of X itself where each problem has its own: what
# stays in the cache from one product to the next.
_SHARED_NUMBERS, _OWN_NUMBERS = 2**24, 2**22
_NOT_REACHED = "it was not reached before Ctrl-C."


@dataclasses.dataclass
class _Task:
    """A problem that is read and waits to be solved."""

    place: int
    model: Any
    targets: Any
    alpha: float


class Batch:
    """The problems of :func:`onelayer.fit_many`.

    Parameters
    ----------
    estimator : estimator
    X : array or tensor of shape (n_samples, n_features), or (n_problems, n_samples, n_features); sparse if shared
    targets : list of array
        The y of each problem.
    sample_weight : array of shape (n_samples,) or None
    """

    def __init__(self, estimator, X, targets, sample_weight=None):
        self.estimator, self.X, self.targets = estimator, X, targets
        self.own = getattr(X, "ndim", 2) == 3
        self.sample_weight = sample_weight
        self.entries: list[Any] = [None] * len(targets)
        self.interrupted = False

    def fit(self, tell=None):
        """Fit all, or as many as there were before Ctrl-C; return a list of Entry."""
        self.tell = tell or (lambda count: None)
        with plain_arithmetic():
            self._read_X()
            try:
                self._solve_all()
            except KeyboardInterrupt:
                self.interrupted = True
                if not any(self.entries):
                    raise
                self.entries = [entry or Entry(None, _NOT_REACHED) for entry in self.entries]
        return self.entries

    def _solve_all(self):
        tasks = [task for place in range(len(self.targets)) if (task := self._read(place))]
        for group in _alike(tasks, self._together):
            self._solve(group)
        for place, entry in enumerate(self.entries):
            if entry is None:
                self._alone(place)
                self.tell(1)

    # ---- reading ----------------------------------------------------------------------------------------------

    def _read_X(self):
        self.reader = model = _twin(self.estimator)
        X = self.X.reshape(-1, self.X.shape[2]) if self.own else self.X
        try:
            self.features = Features(model, X, fitting=True, device=model.device)
        except DataError as error:
            place = self._not_finite() if self.own else None
            if place is None:
                raise
            raise DataError(
                f"X of problem {place[0]} is not finite in row {place[1]}, column {place[2]}: mend it, or leave that problem out."
            ) from error
        model._returns_tensors = self.features.is_tensor
        self.width = model.n_features_in_
        self.rows = self.X.shape[1] if self.own else self.features.rows
        self.weight = as_sample_weight(self.sample_weight, self.rows)
        # Of all problems, also where none of them can be fitted.
        as_number("tol", model.tol)
        require_strength(model)

    def _not_finite(self):
        """Return problem, row and column of the first entry that is no finite number, or None."""
        for place, X in enumerate(self.X):
            strange = ~np.isfinite(as_float64(X, "X", "give numbers"))
            if strange.any():
                return (place, *np.argwhere(strange)[0].tolist())
        return None

    def _read(self, place):
        """Return the _Task of a problem, or None where it was refused or is no task for a stack."""
        # With what predictions need to know of X, which was read once for all.
        model = copy.copy(self.reader)
        try:
            targets = model._targets(self.targets[place], self.weight)
            if len(targets.y) != self.rows:
                raise DataError(
                    f"y has {len(targets.y)} rows and X has {self.rows}: give one target for each row."
                )
        except OnelayerError as error:
            self.entries[place] = Entry(None, str(error), error)
            self.tell(1)
            return None
        weight = targets.sample_weight
        model._total_weight = total = float(self.rows) if weight is None else float(weight.sum())
        alpha, l1_ratio = penalty_of(model, total, targets.loss, targets.outputs)
        return _Task(place, model, targets, alpha) if alpha > 0 and not l1_ratio else None

    def _together(self, task):
        """Return what tasks must have in common to be one stack; None for one that must be solved alone."""
        loss, model = task.targets.loss, task.model
        exact = loss.convex and loss.smooth and loss.has_dual and loss.targets in ("binary", "class", "real")
        hard = task.targets.y.ndim == 2 and loss.per_class
        usual = model.solver in ("auto", "newton") and not model._callbacks and model.max_iter is None
        plain = isinstance(model.init, str) and model.init == "zeros" and model.n_init == 1
        one = task.targets.y.ndim == 1 or task.targets.y.shape[1] == 1
        if not (exact and usual and plain and one) or hard or not model.tol or model.time_limit is not None:
            return None
        return loss, task.targets.outputs

    # ---- solving ----------------------------------------------------------------------------------------------

    def _solve(self, tasks):
        outputs = tasks[0].targets.outputs
        if self.own:
            size = max(1, _OWN_NUMBERS // (self.rows * self.width))
        else:
            size = max(1, _SHARED_NUMBERS // (self.rows * outputs))
        for start in range(0, len(tasks), size):
            self._solve_stack(tasks[start : start + size])

    def _solve_stack(self, tasks):
        began = time.perf_counter()
        model, first = tasks[0].model, tasks[0].targets
        dtype, device = resolve_dtype(model.dtype, self.features.values), self.features.values.device
        free = as_flag("fit_intercept", model.fit_intercept)
        weights = [task.targets.sample_weight for task in tasks]
        rows, undo = self._rows_of(tasks, dtype, weights, free)
        y = torch.stack([task.targets.y.reshape(-1) for task in tasks], dim=1 - rows.axis).to(device)
        weight = None
        if any(part is not None for part in weights):
            ones = np.ones(self.rows)
            # Only shares matter: with mean 1 no size of weights leaves the numbers of float32.
            scaled = [ones if part is None else part * (self.rows / part.sum()) for part in weights]
            weight = torch.from_numpy(np.stack(scaled, axis=1 - rows.axis)).to(device)
        alpha = torch.tensor([task.alpha for task in tasks], dtype=torch.float64, device=device)
        stack = Stack(
            rows, y, first.loss, alpha, outputs=first.outputs, sample_weight=weight, fit_intercept=free
        )
        tol = as_number("tol", model.tol)
        solved = solve_stack(stack, None, tol, tell=self.tell)
        seconds = (time.perf_counter() - began) / len(tasks)
        for number, task in enumerate(tasks):
            found = solved.coefficients.one(number).to(dtype)
            rounded = tells(undo(number, task).scaling, dtype, tol)
            if rounded or not bool(solved.proven[number]):
                if solved.interrupted:
                    continue
                self._alone(task.place, undo(number, task).to_features(found))
                self.tell(1)
                continue
            parameters = undo(number, task).to_features(found)
            self.entries[task.place] = self._entry(task, parameters, solved, number, seconds, dtype)
        if solved.interrupted:
            raise KeyboardInterrupt

    def _rows_of(self, tasks, dtype, weights, free):
        """Return the Rows of a stack, and what makes the Undo of one of its problems."""
        standardize = as_flag("standardize", self.estimator.standardize)
        if self.own:
            places = np.array([task.place for task in tasks])
            X = self.features.data.view(-1, self.rows, self.width)
            contiguous = bool((np.diff(places) == 1).all())
            X = X[places[0] : places[-1] + 1] if contiguous else X[torch.from_numpy(places).to(X.device)]
            rows, designs = OwnRows(X, dtype), [DenseDesign(part) for part in X]
        else:
            design = self.features.design(dtype)
            rows, designs = SharedRows(design), [design] * len(tasks)
        if not standardize:
            return rows, lambda number, task: Undo(None, task.targets.classes)
        # Classes that are weighted weight the rows of each problem otherwise, and so its means and scales.
        alike = not self.own and all(_same(weight, weights[0]) for weight in weights)
        scalings = [
            self._scaling(design, weight, free)
            for design, weight in zip(designs[: 1 if alike else None], weights, strict=False)
        ] * (len(tasks) if alike else 1)
        if alike:
            first = scalings[0]
            rows = SharedRows(StandardizedDesign(designs[0], first.mean, first.scale))
        else:
            mean, scale = (
                torch.stack([getattr(one, name) for one in scalings]) for name in ("mean", "scale")
            )
            rows = ScaledRows(rows, mean, scale)
        return rows, lambda number, task: Undo(scalings[number], task.targets.classes)

    def _scaling(self, design, weight, free):
        weight = None if weight is None else torch.from_numpy(weight).to(design.device)
        return Scaling.of(design, weight, centred=free)

    def _entry(self, task, parameters, solved, number, seconds, dtype):
        """Return the Entry of a problem of a stack that is proven."""
        account = Account(
            parameters,
            solved.value[number].item(),
            solved.gap[number].item(),
            int(solved.steps[number]),
            solved.passes,
            seconds,
            str(dtype).removeprefix("torch."),
        )
        return account.entry(task.model, task.targets, task.alpha, self.features, self.rows)

    def _alone(self, place, start=None):
        """Fit one problem by itself."""
        model = _twin(self.estimator)
        if start is not None:
            model.init = start.weight, start.bias
        X = self.X[place] if self.own else self.X
        try:
            with warnings.catch_warnings():
                # Told with all others, at the end.
                warnings.simplefilter("ignore")
                model.fit(X, self.targets[place], self.sample_weight)
        except OnelayerError as error:
            self.entries[place] = Entry(None, str(error), error)
            return
        if model.result_.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        model.init = self.estimator.init
        self.entries[place] = Entry(model, model.result_.message)


def _same(one, other):
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def _twin(model):
    return type(model)(**model.get_params(deep=False))


def _alike(tasks, kind):
    """Return lists of tasks that can be solved together."""
    groups: dict[Any, list] = {}
    for task in tasks:
        key = kind(task)
        if key is not None:
            groups.setdefault(key, []).append(task)
    return list(groups.values())
