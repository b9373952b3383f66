"""Many problems in one call."""

import operator
import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from onelayer.errors import DataError, ParameterError
from onelayer.estimators import LogisticRegression
from onelayer.estimators.batch import Batch
from onelayer.estimators.problem import strength_name
from onelayer.estimators.validation import as_array, first_line, is_stream
from onelayer.selection.progress import Sweep

__all__ = ["ManyResult", "fit_many"]

_NAMED = 3


def fit_many(X, Y, est=None, *, sample_weight=None, verbose=0):
    """Fit an estimator to many problems of one shape, each with its own certificate.

    Minimises the objective of `est` for each problem by itself, in one batched solve: problems that share X share its reads,
    and each leaves the batch when its own certificate closes. What cannot be solved so (no L2 penalty, an L1 part, separated
    classes) is fitted one by one.

    Parameters
    ----------
    X : array-like, sparse matrix or tensor of shape (n_samples, n_features), or (n_problems, n_samples, n_features)
        One X for all problems, or one for each (layers × heads).
    Y : array-like or tensor
        For one X of shape (n_samples, n_problems): a column for each problem. For a stack of them of shape (n_problems,
        n_samples), or (n_samples,): the same for all. A list of n_problems targets in either case.
    est : estimator, optional
        Its settings are those of every problem; it is left as it is. Default: ``LogisticRegression()``.
    sample_weight : array-like of shape (n_samples,), optional
        Of all problems.
    verbose : int, default 0
        1 shows a progress bar on standard error, with the time left.

    Returns
    -------
    ManyResult

    Raises
    ------
    DataError, ParameterError
        Nothing can be fitted: X and Y do not fit together. A problem that by itself cannot be fitted (a single class, a NaN
        among its targets) does not end the others: ``failed`` says which, and why, and a warning too.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("digits")
    >>> found = ol.fit_many(data.X, data.y[:, None] == range(10), ol.LogisticRegression(C=0.01))
    >>> found.coef.shape, bool((found.relative_gap <= 1e-6).all())
    ((10, 1, 64), True)
    >>> found[3].predict(data.X[:5]).tolist()
    [False, False, False, True, False]
    """
    est = LogisticRegression() if est is None else est
    strength_name(est)
    if is_stream(X):
        raise DataError(f"X is the stream {X.name!r}, which fit_many cannot read: give rows in memory.")
    if not (hasattr(X, "ndim") and hasattr(X, "shape")):
        try:
            X = np.asarray(X)
        except ValueError as error:
            raise DataError(
                f"X is no array ({first_line(error)}): give problems of one shape, or fit them one by one."
            ) from error
    targets = _targets(X, Y)
    batch = Batch(est, X, targets, sample_weight)
    with Sweep(f"{len(targets):,} × {type(est).__name__}", len(targets), show=verbose > 0) as sweep:
        entries = batch.fit(lambda count: sweep.done(count=count))
    errors = [entry.error for entry in entries]
    if all(error is not None and not isinstance(error, DataError) for error in errors):
        # It is a setting of `est`, not something about the problems.
        raise errors[0]
    result = ManyResult(entries)
    _warn(result)
    return result


class ManyResult:
    """The fits of :func:`onelayer.fit_many`, by the number of the problem: ``found[i]`` is a fitted estimator.

    Attributes
    ----------
    coef, intercept : array of shape (n_problems, …)
        Those of each estimator; NaN for problems that failed. Only where all problems have the same number of outputs.
    objective, gap, relative_gap : array of shape (n_problems,)
        P, and the proven bound on its distance from the optimum; NaN where there is none (of P: for problems that failed).
    status : list of Status or None
        None for problems that failed.
    messages : list of str
        What became of each.
    failed : dict of int to str
        The problems that could not be fitted, and why; also those that Ctrl-C came before.
    """

    def __init__(self, entries):
        self._entries = entries
        self.status = [entry.status for entry in entries]
        self.messages = [entry.message for entry in entries]
        self.failed = {place: entry.message for place, entry in enumerate(entries) if entry.model is None}

    def __len__(self):
        return len(self._entries)

    def __getitem__(self, problem):
        try:
            entry = self._entries[operator.index(problem)]
        except (IndexError, TypeError) as error:
            raise ParameterError(f"problem {problem!r} is none of 0 to {len(self) - 1}.") from error
        if entry.model is None:
            raise ParameterError(f"problem {problem} could not be fitted: {entry.message}")
        return entry.model

    def __iter__(self):
        return (entry.model for entry in self._entries)

    @property
    def coef(self):
        """The coefficients of all problems."""
        return self._stacked("coef_")

    @property
    def intercept(self):
        """The intercepts of all problems."""
        return self._stacked("intercept_")

    @property
    def objective(self):
        """P of each problem."""
        return np.array(
            [np.nan if entry.model is None else entry.model.result_.objective for entry in self._entries]
        )

    @property
    def gap(self):
        """The proven bound on P − min P of each problem."""
        return self._numbers(lambda model: model.certificate_.gap)

    @property
    def relative_gap(self):
        """The same, relative to P."""
        return self._numbers(lambda model: model.certificate_.relative_gap)

    def _numbers(self, of):
        found = np.full(len(self), np.nan)
        for place, entry in enumerate(self._entries):
            if entry.model is not None and entry.model.certificate_ is not None:
                found[place] = of(entry.model)
        return found

    def _stacked(self, name):
        parts = [entry.model and getattr(entry.model, name) for entry in self._entries]
        known = [part for part in parts if part is not None]
        if not known:
            raise DataError("no problem could be fitted: `failed` says why.")
        shapes = {tuple(np.shape(part)) for part in known}
        if len(shapes) > 1:
            raise DataError(
                f"the problems have {name} of different shapes ({', '.join(map(str, sorted(shapes)))}): take them one by one, "
                f"found[i].{name}."
            )
        if isinstance(known[0], torch.Tensor):
            empty = torch.full_like(known[0], torch.nan)
            return torch.stack([empty if part is None else part for part in parts])
        return np.stack([np.full_like(known[0], np.nan) if part is None else part for part in parts])

    def __repr__(self):
        proven = self.relative_gap[~np.isnan(self.relative_gap)]
        told = f"largest relative gap {proven.max():.1g}" if len(proven) else "nothing proven"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"ManyResult({len(self)} problems{failed}, {told})"


def _targets(X, Y):
    """Return a list with the y of each problem."""
    own = X.ndim == 3
    if X.ndim not in (2, 3) or 0 in X.shape[-2:]:
        raise DataError(
            f"X has shape {tuple(X.shape)}: give (n_samples, n_features), or (n_problems, n_samples, n_features)."
        )
    rows = X.shape[1] if own else X.shape[0]
    if isinstance(Y, (list, tuple)) and len(Y) and np.ndim(Y[0]) == 1:
        # A list of targets, or a list of rows: as many entries as there are rows of X say which.
        targets = [as_array(y, f"Y[{place}]") for place, y in enumerate(Y)] if len(Y[0]) == rows else None
        if targets is not None and not (own and len(targets) != len(X)):
            return targets
    Y = as_array(Y, "Y")
    if own:
        if Y.shape == (rows,):
            return [Y] * len(X)
        if Y.shape != (len(X), rows):
            raise DataError(
                f"Y has shape {Y.shape} and X {tuple(X.shape)}: give ({len(X)}, {rows}), one row for each problem, or "
                f"({rows},), the same for all."
            )
        return list(Y)
    if Y.ndim != 2 or len(Y) != rows or not Y.shape[1]:
        raise DataError(
            f"Y has shape {Y.shape} and X {rows} rows: give ({rows}, n_problems), one column for each problem."
        )
    return list(np.ascontiguousarray(Y.T))


def _warn(result):
    if result.failed:
        shown = [f"problem {place}: {why}" for place, why in list(result.failed.items())[:_NAMED]]
        more = f" … and {len(result.failed) - _NAMED} more" if len(result.failed) > _NAMED else ""
        warnings.warn(
            f"fit_many: {len(result.failed)} of {len(result)} problems could not be fitted ({' '.join(shown)}{more}).",
            ConvergenceWarning,
            stacklevel=3,
        )
    short = [
        place for place, status in enumerate(result.status) if status is not None and not status.is_success
    ]
    if short:
        warnings.warn(
            f"fit_many: {len(short)} of {len(result)} problems ended without what was asked for, the first is problem "
            f"{short[0]}: {result.messages[short[0]]}",
            ConvergenceWarning,
            stacklevel=3,
        )
