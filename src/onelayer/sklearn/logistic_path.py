"""The optima that a LogisticRegressionCV asks for: every fold at every C, and all rows."""

import dataclasses
import math
from typing import Any

import numpy as np
import torch

import onelayer.estimators as estimators
from onelayer.estimators.problem import Problem as WholeProblem
from onelayer.result import Status
from onelayer.selection.fitting import fit_folds
from onelayer.selection.folds import Fold
from onelayer.sklearn.convergence import good_enough, warn_of_logistic
from onelayer.sklearn.logistic_arguments import Asked
from onelayer.sklearn.logistic_problem import Problem, relative_gap_for

__all__ = ["Rows", "fit_paths"]


@dataclasses.dataclass(frozen=True)
class Rows:
    """The data of a search, and what is asked of each fit.

    Attributes
    ----------
    X : array or sparse matrix of shape (n_samples, n_features)
        Validated, float64.
    index : array of shape (n_samples,)
        The number of each row's class.
    weight : array of shape (n_samples,) or None
        With the class weights in it.
    n_classes : int
    fit_intercept : bool
    penalised_column : float or None
        As for :class:`~onelayer.sklearn.logistic_problem.Problem`.
    solver : str
        In whose words a fit that ended early is told of.
    tol : float
    max_iter : int
    """

    X: Any
    index: Any
    weight: Any
    n_classes: int
    fit_intercept: bool
    penalised_column: float | None
    solver: str
    tol: float
    max_iter: int

    def problem(self, rows, asked):
        """Return the Problem of some rows (an index or a slice)."""
        weight = None if self.weight is None else self.weight[rows]
        return Problem(
            self.X[rows],
            self.index[rows],
            weight,
            asked,
            fit_intercept=self.fit_intercept,
            penalised_column=self.penalised_column,
            n_classes=self.n_classes,
        )

    def have_all_classes(self, rows=slice(None)):
        """Return whether every class has a weight among these."""
        weight = None if self.weight is None else self.weight[rows]
        return bool((np.bincount(self.index[rows], weight, self.n_classes) > 0).all())

    def told(self, result, certificate):
        """Warn of a fit that ended early."""
        if result.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        if not good_enough(result, certificate, self.tol):
            warn_of_logistic(self.solver, result, self.max_iter, stacklevel=6)


class _Kept:
    """Coefficients as they are found, the intercept as their last column."""

    def __init__(self, rows, n_folds, n_cs):
        outputs = 1 if rows.n_classes == 2 else rows.n_classes
        width = rows.X.shape[1] + rows.fit_intercept
        self.rows = rows
        self.coefs = np.empty((n_folds, n_cs, outputs, width))
        self.n_iter = np.zeros((n_folds, n_cs), dtype=np.int32)

    def add(self, fold, place, problem, parameters, steps):
        """Keep one fit of a fold."""
        self.coefs[fold, place] = self.joined(*problem.coefficients(parameters))
        self.n_iter[fold, place] = steps

    def joined(self, weight, bias):
        """Return one array of both."""
        parts = [weight, bias.unsqueeze(1)] if self.rows.fit_intercept else [weight]
        return torch.cat(parts, dim=1).numpy()


def fit_paths(rows, folds, Cs, l1_ratio, tell):
    """Return (coefs, n_iter, refit) of all folds at all C.

    Folds that have all classes share X with one another and with the fits of all rows, as in
    :class:`onelayer.LogisticRegressionCV`; others, and penalties of no strength, are fitted by themselves.

    Parameters
    ----------
    rows : Rows
    folds : list of arrays of int
        Training rows.
    Cs : array of shape (n_cs,)
    l1_ratio : float
    tell : callable
        Told of how many fits are done.

    Returns
    -------
    coefs : array of shape (n_folds, n_cs, outputs, n_features + intercept)
    n_iter : array of int of shape (n_folds, n_cs)
    refit : callable
        From the place of a C to (coefficients, Result, Certificate) of all rows.
    """
    found = _Kept(rows, len(folds), len(Cs))
    # Ours take no limit of zero iterations, and no grid with an end at no penalty at all.
    able = rows.max_iter and rows.have_all_classes() and all(math.isfinite(C) for C in Cs)
    shared = [bool(able) and rows.have_all_classes(train) for train in folds]
    for number, train in enumerate(folds):
        if not shared[number]:
            _alone(rows, found, number, train, Cs, l1_ratio, tell)
    if not any(shared):
        return found.coefs, found.n_iter, lambda place: _refitted(rows, found, Cs[place], l1_ratio)
    numbers = [number for number, together in enumerate(shared) if together]
    whole = _together(rows, found, {number: folds[number] for number in numbers}, Cs, l1_ratio, tell)

    def refitted(place):
        coefs, result, certificate = whole[place]
        rows.told(result, certificate)
        return coefs, result, certificate

    return found.coefs, found.n_iter, refitted


def _alone(rows, found, number, train, Cs, l1_ratio, tell):
    """Fit one fold at each C, each fit from the one before."""
    problem, start = rows.problem(train, Asked(float(Cs[0]), l1_ratio)), None
    for place, C in enumerate(Cs):
        outcome = problem.at(float(C)).solve(start, tol=rows.tol, max_iter=rows.max_iter)
        rows.told(outcome.result, outcome.certificate)
        found.add(number, place, problem, outcome.parameters, outcome.result.n_iter)
        if rows.penalised_column is None:
            start = problem.coefficients(outcome.parameters)
        tell(1)


def _refitted(rows, found, C, l1_ratio):
    problem = rows.problem(slice(None), Asked(float(C), l1_ratio))
    outcome = problem.solve(None, tol=rows.tol, max_iter=rows.max_iter)
    rows.told(outcome.result, outcome.certificate)
    return found.joined(*problem.coefficients(outcome.parameters)), outcome.result, outcome.certificate


def _together(rows, found, folds, Cs, l1_ratio, tell):
    """Fit these folds, {number: training rows}, and all rows; return {place: (coefficients, Result, Certificate)}."""
    plain = rows.problem(slice(None), Asked(float(Cs[0]), l1_ratio))
    model = estimators.LogisticRegression(
        l1_ratio=l1_ratio,
        fit_intercept=plain.free_intercept,
        tol=relative_gap_for(rows.tol, torch.float64),
        max_iter=rows.max_iter,
    )
    whole = WholeProblem(model, plain.X, rows.index, rows.weight)
    with whole.working():
        counts = (np.bincount(train, minlength=len(rows.index)) for train in folds.values())
        parts = [Fold(whole.part(count), np.flatnonzero(count == 0)) for count in counts]
        # A grid may name a C twice.
        strengths, where = np.unique(np.asarray(Cs, dtype=float), return_inverse=True)
        numbers, ends = list(folds), {}
        for kind, *fit in fit_folds(whole, parts, [whole.alpha(C) for C in strengths], tell):
            if kind == "whole":
                place, _, outcome = fit
                ends[place] = (
                    found.joined(*plain.coefficients(outcome.parameters)),
                    outcome.result,
                    outcome.certificate,
                )
                continue
            (pair,) = fit
            if pair.result is not None:
                rows.told(pair.result, pair.certificate)
            for place in np.flatnonzero(where == pair.strength):
                found.add(numbers[pair.fold], place, plain, pair.parameters, pair.steps)
    return {place: ends[number] for place, number in enumerate(where.tolist())}
