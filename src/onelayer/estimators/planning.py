"""What a fit would hold where, and how often it would read the data: told before it begins."""

import copy
import math
import types

import numpy as np
import torch

from onelayer.curvature import solved_densely
from onelayer.designs import ChunkedDesign, Feed
from onelayer.designs.reservoir import enough_rows
from onelayer.errors import DataError
from onelayer.estimators.features import Features
from onelayer.estimators.gathering import processes_of, share_of
from onelayer.estimators.memory import Budget, available_bytes
from onelayer.estimators.plans import Part, Plan
from onelayer.estimators.strengths import penalty_of
from onelayer.estimators.validation import check_lengths, is_stream, resolve_dtype
from onelayer.penalties import make_penalty
from onelayer.solvers import resolve_solver
from onelayer.solvers.choose import automatic

__all__ = ["plan"]

# Passes that fits of benchmarks/ took, from the easy to the hard ones; of a step with the whole Hessian besides that.
_PASSES = {
    "least-squares": (2, 4),
    "proximal-newton": (10, 150),
    "lbfgs": (30, 500),
}
_NEWTON_STEPS, _NEWTON_PASSES = (3, 12), (5, 60)
# What the certificate of an approximate solver may take.
_PROOF = 80
# Of a read of a stream: products with one direction, at trial lengths, and in float64.
_PASSES_PER_READ = (1.5, 3.0)
# Arrays with a number for each row and output, in the arithmetic of the fit and in float64 (steps, and the certificate).
_NARROW, _WIDE = 4, 3
# Vectors as long as the coefficients: directions, gradients, and two for each remembered step.
_VECTORS = 30
# Blocks that are there at a time: one is computed with, one waits, one is read.
_BLOCKS = 3


def plan(est, X, y=None, sample_weight=None):
    """Return what ``est.fit(X, y)`` would hold where, and how often it would read the data; nothing is fitted.

    Of a stream the first rows alone are looked at.

    Parameters
    ----------
    est : estimator
        LinearRegression, LogisticRegression or SoftmaxRegression; it is left as it is.
    X, y, sample_weight
        As for ``fit``.

    Returns
    -------
    Plan
        ``print`` it; ``fits`` says whether there is room.

    Raises
    ------
    DataError, ParameterError, SolverError
        As ``fit`` would.

    Notes
    -----
    Bytes are those of the arrays by their shapes, beside what the process holds already; torch itself takes some 300 MB. How
    many reads a stream takes is told by the sample: with m of n rows in memory and p coefficients a step leaves between p/m and
    (p/m)^½ of the gap, which begins at about p/(2m).

    Examples
    --------
    >>> import numpy as np
    >>> import onelayer as ol
    >>> X, y = np.zeros((100_000, 50), dtype=np.float32), np.arange(100_000) % 2
    >>> plan = ol.plan(ol.LogisticRegression(), ol.data.stream((X, y), memory_limit="10 MB"))
    >>> print(plan)  # doctest: +ELLIPSIS
    data      100,000 rows × 50 features, 1 output
    solver    sketched-newton: each step, with its proof, costs one read, ...
    >>> plan.fits, plan.bytes < 10_000_000
    (True, True)
    """
    twin = type(est)(**est.get_params(deep=False))
    return _of_stream(twin, X, y) if is_stream(X) else _of_memory(twin, X, y, sample_weight)


def _of_memory(model, X, y, sample_weight):
    features = Features(model, X, fitting=True, device=model.device)
    check_lengths(features.rows, y, sample_weight)
    objective, _ = model._make_objective(features, y, sample_weight)
    solver = resolve_solver(model.solver, objective.loss, objective.penalty, objective.design)
    rows, outputs, columns = objective.rows, objective.outputs, objective.features
    where, itemsize = str(objective.design.device), objective.dtype.itemsize
    stored = features.values.numel() * features.values.element_size()
    parts = [
        Part(
            "a copy of X" if features.copies else "X", stored, where if features.copies else "there already"
        ),
        Part("targets and weights", rows * 8 * (1 + (sample_weight is not None)), where),
        Part("numbers of rows and outputs", rows * outputs * (_NARROW * itemsize + 8 * _WIDE), where),
        *_coefficients(outputs, columns, where),
    ]
    if solver.name in ("newton", "least-squares") and solved_densely(objective):
        size = (columns + 1) * (outputs if objective.loss.per_class else 1)
        parts.append(Part("the Hessian, and rows in float64", 8 * (2 * size**2 + rows * columns), where))
    passes = _PASSES.get(solver.name) if solver.steps is None else (solver.steps, 2 * solver.steps + _PROOF)
    if solver.name == "newton":
        passes = _newton(objective)
    return Plan(
        rows,
        columns,
        outputs,
        1,
        solver.name,
        _reason(model, objective.loss, objective.penalty, objective.design),
        str(objective.dtype).removeprefix("torch."),
        where,
        tuple(parts),
        available_bytes(objective.design.device),
        passes=passes,
    )


def _of_stream(model, stream, y):
    group = processes_of(stream)
    device = torch.device("cpu" if model.device is None else model.device)
    budget = Budget.of(stream.memory_limit, device)
    first = budget.first_rows(stream)
    with group.shared():
        share = share_of(stream, group)
        # Of all processes; each has about as many.
        counts = group.everyones(lambda: stream.rows)
    total = share.total or (None if None in counts else sum(counts))
    rows = total and total // group.size
    target, outputs = _target(model, first if y is None else np.asarray(y)[:1024])
    loss, penalty = target.loss, make_penalty(*penalty_of(model, float(total or 1), target.loss, outputs))
    where = str(device)
    block = budget.rows_of(stream, first, outputs)
    feed = Feed(stream.source, block)
    feed.rows = rows or 1
    dtype = resolve_dtype(model.dtype, torch.empty(0, dtype=stream.dtype))
    design = ChunkedDesign(feed, dtype)
    solver = resolve_solver(model.solver, loss, penalty, design)
    row_bytes = budget.row_bytes(stream, first)
    kept = budget.sample / (row_bytes + budget.per_output * outputs)
    if rows is not None and (kept < rows or group.size > 1):
        kept = min(kept, enough_rows(rows, stream.features))
    kept = int(kept if rows is None else min(kept, rows))
    parts = [
        Part(f"a sample of {kept:,} rows", int(kept * (row_bytes + budget.per_output * outputs)), where),
        Part(f"{_BLOCKS} blocks of rows", int(_BLOCKS * block * row_bytes), where),
        *_coefficients(outputs, stream.features, where),
    ]
    if rows is not None:
        size = rows * group.size * (1 if hasattr(type(model), "predict_proba") else 8)
        parts.append(Part("targets", size, where if size <= 2**26 else "a file without a name"))
    reads = passes = None
    if solver.name == "sketched-newton":
        reads = _reads(
            outputs * (stream.features + 1), kept * group.size, rows and rows * group.size, model.tol
        )
        passes = reads[0] * _PASSES_PER_READ[0], reads[1] * _PASSES_PER_READ[1]
        if rows is not None:
            # Newton's method on the sample, of all rows as many passes as it has rows.
            shape = {"rows": kept * group.size, "features": stream.features, "outputs": outputs}
            sample = types.SimpleNamespace(**shape, loss=loss, fit_intercept=model.fit_intercept)
            passes = passes[0], passes[1] + _newton(sample)[1] * kept / max(rows, 1)
    elif rows is not None:
        size = rows * group.size * outputs * (_NARROW * dtype.itemsize + 8 * _WIDE)
        parts.append(Part("numbers of rows and outputs", size, where))
    return Plan(
        total,
        stream.features,
        outputs,
        group.size,
        solver.name,
        _reason(model, loss, penalty, design),
        str(dtype).removeprefix("torch."),
        where,
        tuple(parts),
        budget.limit,
        block,
        reads,
        passes,
    )


def _target(model, first):
    """Return the Targets of the first rows and how many outputs they show."""
    y = first if isinstance(first, np.ndarray) else None if first is None else first.y
    if y is None:
        raise DataError("the data have no target: name its column with target=, or give y.")
    model = copy.copy(model)
    try:
        found = model._targets(np.asarray(y), None)
    except DataError:
        # One class in the first rows does not mean that there is one.
        found = model._targets(np.arange(2), None)
    return found, found.outputs


def _coefficients(outputs, features, where):
    return [Part("coefficients and directions", 8 * _VECTORS * outputs * (features + 1), where)]


def _reason(model, loss, penalty, design):
    if model.solver == "auto":
        return automatic(loss, penalty, design).reason
    return f"solver={model.solver!r} asks for it"


def _newton(objective):
    """Return the least and the most passes of Newton's method: with the whole Hessian a step is as many as it has columns."""
    if not solved_densely(objective):
        return _NEWTON_PASSES
    pairs = (objective.outputs + 1) / 2 if objective.loss.per_class else 1
    low, high = (steps * (2 + objective.features * pairs / 2) for steps in _NEWTON_STEPS)
    return low / 4, high


def _reads(coefficients, kept, rows, tol):
    """Return the least and the most reads that a gap of `tol` is to be expected to take."""
    if rows is not None and kept >= rows:
        # The sample is the data: a read for it, one for its optimum, maybe one more for the proof.
        return 2.0, 4.0
    error = min(0.5, coefficients / max(kept, 1))
    left = max(0.0, math.log(max(error / 2, 1e-300)) - math.log(max(tol, 1e-15)))
    quick, steady = (math.ceil(left / -math.log(factor)) for factor in (error, math.sqrt(error)))
    return 2.0 + quick, 4.0 + steady
