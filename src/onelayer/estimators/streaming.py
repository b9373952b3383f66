"""``partial_fit``: learning from data that come in parts, approximately and labelled as such."""

import abc
import copy
import warnings
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metaestimators import available_if

from onelayer.errors import DataError, ParameterError
from onelayer.estimators.features import Features
from onelayer.estimators.labels import label_array
from onelayer.estimators.starts import Starts
from onelayer.estimators.stream import Stream
from onelayer.estimators.strengths import penalty_of
from onelayer.estimators.validation import check_lengths
from onelayer.penalties import make_penalty
from onelayer.result import Result, Status
from onelayer.solvers import SGD

__all__ = ["ClassifierStreaming", "RegressorStreaming"]


def _streams(model):
    """Return whether there is a partial_fit: only then do estimators of scikit-learn have the method."""
    if model.standardize:
        raise ParameterError(
            "standardize is True, which needs all rows at once: use partial_fit with standardize=False, on columns of like "
            "scale."
        )
    return _sgd(model.solver) is not None


def _sgd(solver):
    if isinstance(solver, SGD):
        return solver
    if solver in ("auto", SGD.name):
        return SGD()
    raise ParameterError(
        f"solver is {solver!r}, and partial_fit makes steps of SGD: give solver='auto', 'sgd', or ol.solvers.SGD(...)."
    )


class _Streaming(abc.ABC):
    """The work of both. Abstract."""

    solver: Any
    init: Any
    standardize: bool
    device: Any
    objective_record_: dict
    result_: Result
    _make_objective: Any
    _random_state: Any
    _set_parameters: Any
    _weight_and_bias: Any
    _total_weight: float
    _stream: Stream | None = None

    def _partial_fit(self, X, y, sample_weight, offset, classes=None):
        # All is done to a copy: a call that fails, or that Ctrl-C ends, leaves the model as it was.
        model: Any = copy.copy(self)
        if classes is not None:
            model._known_classes = classes
        with torch.inference_mode(False), torch.no_grad():
            model._pass_over(X, y, sample_weight, offset)
        for gone in ("_known_classes", "polish_report_"):
            vars(model).pop(gone, None)
        vars(self).clear()
        vars(self).update(vars(model))
        if not self.result_.status.is_success:
            warnings.warn(f"{type(self).__name__}: {self.result_.message}", ConvergenceWarning, stacklevel=4)
        return self

    def _pass_over(self, X, y, sample_weight, offset):
        solver = _sgd(self.solver)
        before = self._weight_and_bias() if hasattr(self, "coef_") else None
        earlier = 0 if before is None else self.objective_record_["n_samples"]
        features = Features(self, X, fitting=before is None, device=self.device)
        check_lengths(features.rows, y, sample_weight)
        objective, undo = self._make_objective(features, y, sample_weight, offset)
        if before is not None and objective.outputs != len(before[0]):
            raise DataError(
                f"y has {objective.outputs} targets per row and the calls before had {len(before[0])}: give as many."
            )
        stream = self._stream
        # A fit in between has another result: its coefficients are the start, and the optimizer begins anew.
        if stream is None or stream.result is not self.result_ or stream.solver != solver:
            stream = Stream.begin(solver, int(self._random_state().randint(2**31 - 1)), earlier)
        stream = stream.with_rows(objective, self._total_weight)
        alpha, l1_ratio = penalty_of(self, stream.weight, objective.loss, objective.outputs)
        objective.penalty = make_penalty(alpha, l1_ratio)
        solver.check(objective.loss, objective.penalty)
        start = next(Starts(self.init, before, 1).of(objective, undo, stream.seed))
        parameters, stream = stream.passed(objective, start)
        self._returns_tensors = features.is_tensor
        self._set_parameters(start if parameters is None else parameters)
        self.objective_record_ |= {
            "alpha": float(alpha),
            "l1_ratio": float(l1_ratio),
            "n_samples": stream.rows,
            "total_weight": stream.weight,
        }
        self.result_ = _account(objective, stream, diverged=parameters is None)
        self.result_.copies = features.copies
        self.certificate_ = None
        self.n_iter_, self.n_seen_, self.t_ = stream.iterations, stream.rows, stream.updates
        # Momentum that led out of the finite numbers is nothing to go on with.
        self._stream = None if parameters is None else stream.owned_by(self.result_)


class RegressorStreaming(_Streaming):
    """``partial_fit`` of a regression. Abstract."""

    @available_if(_streams)
    def partial_fit(self, X, y, sample_weight=None, offset=None):
        """Make one pass of mini-batch steps over these rows: for data that come in parts. Approximate.

        The steps are those of the solver, ``SGD()`` or the one given as `solver`, whose `epochs` and `stop` are not used;
        the optimizer goes on from call to call. Nothing is proven about the result (``certificate_`` is None):
        :meth:`polish` ends at the certified optimum of the rows that it is given. The first call starts from the
        coefficients that are there (of a fit, from a module), else from `init`. `tol`, `max_iter`, `time_limit` and
        callbacks play no part.

        Parameters
        ----------
        X : array-like or tensor of shape (n_samples, n_features)
        y : array-like or tensor of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), optional
            Rows count by their weight over the mean weight of all rows seen so far.
        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            A known part of the scores of these rows.

        Returns
        -------
        self
            With ``n_seen_`` (rows seen, those of a fit before the stream included) and ``t_`` (steps made);
            ``result_.objective`` is P on the rows of this call.

        Raises
        ------
        AttributeError
            The estimator has no ``partial_fit``, because of ``standardize=True`` or a solver other than SGD.
        DataError, ParameterError, SolverError
            As ``fit``; also for another number of features or targets.

        Examples
        --------
        >>> import onelayer as ol
        >>> data = ol.data.load("diabetes")
        >>> X, y = 20 * data.X, data.y / 100
        >>> model = ol.LinearRegression(random_state=0)
        >>> for rows in range(0, len(y), 100):
        ...     model = model.partial_fit(X[rows : rows + 100], y[rows : rows + 100])
        >>> model.n_seen_, str(model.result_.status)
        (442, 'finished')
        >>> model.polish(X, y).certificate_.relative_gap <= 1e-6
        True
        """
        return self._partial_fit(X, y, sample_weight, offset)


class ClassifierStreaming(_Streaming):
    """``partial_fit`` of a classifier. Abstract."""

    class_weight: Any
    classes: Any
    classes_: Any

    @available_if(_streams)
    def partial_fit(self, X, y, classes=None, sample_weight=None, offset=None):
        """Make one pass of mini-batch steps over these rows: for data that come in parts. Approximate.

        The steps are those of the solver, ``SGD()`` or the one given as `solver`, whose `epochs` and `stop` are not used;
        the optimizer goes on from call to call. In the penalty's alpha = 1/(C S), S is the weight of all rows seen so
        far (their number, without weights), so the penalty fades as in a fit to all of them. Nothing is proven about the
        result (``certificate_`` is None): :meth:`polish` ends at the certified optimum of the rows that it is given. The
        first call starts from the coefficients that are there (of a fit, from a module), else from `init`. `tol`,
        `max_iter`, `time_limit` and callbacks play no part.

        Parameters
        ----------
        X : array-like or tensor of shape (n_samples, n_features)
        y : array-like or tensor of shape (n_samples,)
            Labels, not of all classes.
        classes : array-like of shape (n_classes,), optional
            All labels that can come. Default: the parameter `classes`. One of both is required at the first call, unless the
            model is fitted.
        sample_weight : array-like of shape (n_samples,), optional
            Rows count by their weight over the mean weight of all rows seen so far.
        offset : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            A known part of the scores of these rows.

        Returns
        -------
        self
            With ``n_seen_`` (rows seen, those of a fit before the stream included) and ``t_`` (steps made);
            ``result_.objective`` is P on the rows of this call.

        Raises
        ------
        AttributeError
            The estimator has no ``partial_fit``, because of ``standardize=True`` or a solver other than SGD.
        DataError, ParameterError, SolverError
            As ``fit``; also for labels that are not in `classes`, another number of features and
            ``class_weight="balanced"``.

        Examples
        --------
        >>> import onelayer as ol
        >>> data = ol.data.load("digits")
        >>> X = data.X / 16
        >>> model = ol.SoftmaxRegression(solver=ol.solvers.SGD(0.1, batch_size=32), random_state=0)
        >>> for rows in range(0, len(X), 200):
        ...     part = slice(rows, rows + 200)
        ...     model = model.partial_fit(X[part], data.y[part], classes=range(10))
        >>> model.n_seen_ == len(X), bool(model.score(X, data.y) > 0.8)
        (True, True)
        """
        known = self.classes_ if hasattr(self, "coef_") else None
        classes = self.classes if classes is None else classes
        given = None if classes is None else np.sort(label_array(classes))
        if known is None and given is None:
            raise ParameterError("classes must be passed on the first call to partial_fit.")
        if known is not None and given is not None and not np.array_equal(known, given):
            raise ParameterError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}"
            )
        if isinstance(self.class_weight, str):
            raise ParameterError(
                f"class_weight {self.class_weight!r} is not supported for partial_fit. In order to use 'balanced' weights, use "
                "compute_class_weight('balanced', classes=classes, y=y) on a large enough sample, and pass the result as a "
                "dict."
            )
        return self._partial_fit(X, y, sample_weight, offset, given if known is None else known)


def _account(objective, stream, *, diverged):
    """Return the Result of a call."""
    seen = f"{stream.rows:,} rows seen, {stream.updates:,} steps made"
    if diverged:
        status = Status.DIVERGED
        message = (
            f"The coefficients left the finite numbers in a pass of SGD over {objective.rows:,} rows, and those from before it "
            f"are kept: {stream.solver.explain_divergence()}."
        )
    else:
        status = Status.FINISHED
        message = (
            f"Approximate: a pass of SGD over {objective.rows:,} rows ({seen}), and nothing is known about the distance to the "
            "optimum; polish(X, y) ends there."
        )
    return Result(
        status,
        message,
        stream.value,
        stream.passes,
        stream.seconds,
        stream.iterations,
        list(stream.trace),
        SGD.name,
        repr(stream.solver),
        str(objective.design.device),
        str(objective.dtype).removeprefix("torch."),
    )
