"""Leave-one-out from one fit: what each row would be predicted by the fit of all others."""

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from onelayer.curvature import DenseHessian, WideRows
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.validation import as_sample_weight, as_tensor, is_stream
from onelayer.parameters import Parameters

__all__ = ["LeftOut", "left_out_scores"]

# Coefficients of which the whole Hessian is factorised, and multiply-adds that all rows may take.
_COEFFICIENTS, _WORK = 6000, 2e12
# Numbers of one block of solved columns (128 MB).
_NUMBERS = 2**24
# A row that the others do not determine at all: its own curvature is all there is in some direction.
_ALONE = 1e-9


class LeftOut:
    """``loo_score`` and ``loo_decision_function`` of the estimators. Abstract."""

    def loo_decision_function(self, X, y, sample_weight=None, offset=None):
        """Return what the score of each row would be, had it not been among those that were fitted.

        For squared error this is exact: z_i + h_i/(1 − h_i) (z_i − y_i), h_i the leverage. For the other smooth losses it is
        one Newton step from the fit of all rows to that of all others, in closed form: with A_i = (x_iᵀ⊗I) H⁻¹ (x_i⊗I), J_i
        and r_i second and first derivatives of the row's loss, H the Hessian of the sum,

            z̃_i = z_i + A_i (I − s_i J_i A_i)⁻¹ s_i r_i.

        The penalty keeps its strength against the *sum* of the losses, as C does; scales of ``standardize=True`` stay those of
        all rows.

        Parameters
        ----------
        X, y, sample_weight, offset
            What was fitted.

        Returns
        -------
        array of shape (n_samples,), or (n_samples, n_outputs)

        Raises
        ------
        ParameterError
            The loss is not smooth, the penalty has an L1 part, or there are too many coefficients.
        DataError
            Other data than were fitted; or a row that the fit of all others says nothing about (a leverage of 1).

        References
        ----------
        K. Rahnama Rad, A. Maleki, "A scalable estimate of the out-of-sample prediction error via approximate leave-one-out
        cross-validation", J. R. Stat. Soc. B 82 (2020).
        """
        scores = left_out_scores(self, X, y, sample_weight, offset)[0]
        scores = scores.squeeze(1) if self._one_score(scores) else scores
        return scores if isinstance(X, torch.Tensor) else scores.cpu().numpy()

    def loo_score(self, X, y, sample_weight=None, offset=None, *, scoring=None):
        """Return the score of leave-one-out cross-validation, from this one fit: larger is better.

        Parameters
        ----------
        X, y, sample_weight, offset
            What was fitted.
        scoring : str, optional
            For classifiers "neg_log_loss" (default) or "accuracy", for LinearRegression "neg_mean_squared_error" (default) or
            "r2".

        Returns
        -------
        float
            Rows count with `sample_weight`; class weights are a part of the fit alone.

        Raises
        ------
        ParameterError
            As from :meth:`loo_decision_function`; or `scoring` is another one.

        Examples
        --------
        >>> import onelayer as ol
        >>> data = ol.data.load("iris")
        >>> model = ol.LogisticRegression().fit(data.X, data.y)
        >>> round(model.loo_score(data.X, data.y), 3)
        -0.13
        """
        scores, objective = left_out_scores(self, X, y, sample_weight, offset)
        # Class weights are a part of the fit, not of what is asked of it: as in a cross-validation.
        weight = as_sample_weight(sample_weight, objective.rows)
        weight = torch.ones_like(scores[:, 0]) if weight is None else torch.from_numpy(weight).to(scores)
        share = weight / weight.sum()

        def mean(values):
            # A row of no weight counts for nothing, even where its loss is infinite.
            each = share.view(-1, *[1] * (values.ndim - 1))
            return torch.where(each > 0, each * values, 0.0).sum(dim=0)

        known = (
            ("neg_mean_squared_error", "r2")
            if objective.loss.targets == "real"
            else ("neg_log_loss", "accuracy")
        )
        scoring = known[0] if scoring is None else scoring
        if scoring not in known:
            raise ParameterError(f"scoring is {scoring!r}: give {known[0]!r} or {known[1]!r}.")
        if scoring == "neg_log_loss":
            return -mean(objective.loss.value(scores, objective.y)).sum().item()
        if scoring == "accuracy":
            return mean(_right(scores, objective.y).double()).item()
        squares = mean((scores - objective.y).square())
        if scoring == "neg_mean_squared_error":
            return -squares.mean().item()
        total = mean((objective.y - mean(objective.y)).square())
        # As in scikit-learn: the mean over targets, and 0 for one that does not vary.
        return torch.where(total > 0, 1 - squares / total, (squares == 0).to(total)).mean().item()

    def _one_score(self, scores):
        return scores.shape[1] == 1 and not getattr(self, "_two_dimensional", False)


def left_out_scores(model, X, y, sample_weight=None, offset=None):
    """Return the scores of all rows, each without itself, and the Objective in float64."""
    # Here, not above: a problem knows the estimators, which are made with this.
    from onelayer.estimators.problem import Problem

    check_is_fitted(model, "coef_")
    if is_stream(X):
        raise DataError(f"X is the stream {X.name!r}: leave-one-out needs the rows in memory.")
    problem = Problem(model, X, y, sample_weight, offset)
    _check_same(model, problem)
    with problem.working():
        objective = problem.objective.as_dtype(torch.float64)
        _check(objective)
        device = objective.design.device
        weight, bias = (as_tensor(part, torch.float64, device) for part in model._weight_and_bias())
        parameters = problem.undo.to_solver(Parameters.of(weight, bias)).to(torch.float64)
        return _left_out(objective, objective.point(parameters)), objective


def _check_same(model, problem):
    """Refuse other data than those of the fit, as far as they can be told."""
    found, fitted = problem.objective, model.objective_record_
    for what, now, then in (
        ("columns", found.features, model.n_features_in_),
        ("rows", found.rows, fitted.get("n_samples", found.rows)),
        ("outputs", found.outputs, fitted.get("n_outputs", found.outputs)),
    ):
        # A model that was taken over from elsewhere knows of no rows.
        if then and now != then:
            raise DataError(f"these data have {now} {what}, and {then} were fitted: give what was fitted.")
    classes = getattr(model, "classes_", None)
    if classes is not None and not np.array_equal(classes, problem.model.classes_):
        raise DataError(
            f"y has the labels {problem.model.classes_.tolist()}, and {classes.tolist()} were fitted: give what was fitted."
        )


def _check(objective):
    loss, coefficients = objective.loss, objective.features + objective.fit_intercept
    if objective.penalty.l1 or not (loss.smooth and loss.convex):
        what = "the penalty has an L1 part" if objective.penalty.l1 else f"{loss!r} is not smooth and convex"
        raise ParameterError(
            f"{what}, so one Newton step says nothing about the fit without a row: use sklearn.model_selection, or "
            "onelayer's estimators with CV."
        )
    coupled = loss.per_class
    size = coefficients * (objective.outputs if coupled else 1)
    work = objective.rows * objective.outputs * size**2
    if size > _COEFFICIENTS or work > _WORK:
        raise ParameterError(
            f"leave-one-out needs the factor of a Hessian of {size:,} coefficients and {work:.1g} operations, more than "
            f"{_COEFFICIENTS:,} and {_WORK:.0g}: use a cross-validation (LogisticRegressionCV and others)."
        )


def _left_out(objective, point):
    curvature = objective.loss.curvature(point.scores, objective.y)
    rows = WideRows(objective)
    hessian = DenseHessian(objective, rows, curvature)
    share = _weights(objective) / objective.total_weight
    found = point.scores.clone()
    residual = objective.loss.gradient(point.scores, objective.y)
    step = _coupled if objective.loss.per_class else _single
    for part, block in rows.blocks():
        size = max(1, _NUMBERS // (rows.columns * objective.outputs**2))
        for start in range(0, len(block), size):
            inner = slice(start, start + size)
            where = slice(part.start + start, part.start + min(start + size, len(block)))
            found[where] += step(hessian, curvature, where, block[inner], share[where], residual[where])
    return found


def _single(hessian, curvature, where, rows, share, residual):
    """Return the step of rows whose scores stand alone: A r s / (1 − s j A)."""
    columns = rows.T.expand(hessian.outputs, -1, -1)
    leverage = hessian.half_solve(columns).square().sum(dim=1).T
    left = 1 - share.unsqueeze(1) * curvature.diagonals(where).T * leverage
    alone = (left < _ALONE).any(dim=1).nonzero()
    if len(alone):
        raise DataError(
            f"row {where.start + int(alone[0])} has a leverage of 1: the others leave some direction that it needs to the penalty "
            "alone, and float64 has no digits for that. Give a larger alpha (smaller C), or leave that row out."
        )
    return leverage * share.unsqueeze(1) * residual / left


def _coupled(hessian, curvature, where, rows, share, residual):
    """Return the step of rows whose scores are coupled: A (I − s J A)⁻¹ s r."""
    count, outputs = len(rows), hessian.outputs
    columns = rows.new_zeros(outputs, rows.shape[1], count, outputs)
    for output in range(outputs):
        columns[output, :, :, output] = rows.T
    half = hessian.half_solve(columns.flatten(2)).unflatten(1, (count, outputs)).permute(1, 0, 2)
    leverage = half.mT @ half
    bent = curvature.matrices(where)
    unit = torch.eye(outputs, dtype=rows.dtype, device=rows.device)
    pulled = share.unsqueeze(1) * residual
    solved = torch.linalg.solve(unit - share.view(-1, 1, 1) * bent @ leverage, pulled.unsqueeze(2))
    return (leverage @ solved).squeeze(2)


def _weights(objective):
    weight = objective.sample_weight
    if weight is None:
        return torch.ones(objective.rows, dtype=torch.float64, device=objective.design.device)
    return weight.double()


def _right(scores, y):
    """Return for each row how probable the predicted class is: 1 or 0 for labels."""
    if scores.shape[1] == 1:
        chosen = (scores > 0).to(y)
        return (chosen * y + (1 - chosen) * (1 - y)).squeeze(1)
    chosen = scores.argmax(dim=1)
    return y.gather(1, chosen.unsqueeze(1)).squeeze(1) if y.ndim == 2 else chosen == y
