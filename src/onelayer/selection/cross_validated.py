"""Estimators that choose the strength of their penalty by cross-validation."""

import abc
import dataclasses
import numbers
import time
import warnings
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils.validation import check_is_fitted

from onelayer.errors import DataError, ParameterError
from onelayer.estimators.documentation import Documented
from onelayer.estimators.problem import Problem
from onelayer.estimators.validation import as_array, as_flag, as_number, first_line
from onelayer.selection.choosing import check_rule, choose
from onelayer.selection.fitting import fit_folds
from onelayer.selection.folds import Fold
from onelayer.selection.grids import read_grid
from onelayer.selection.held_out import HeldOut, Table, refuse_rows, scores_of
from onelayer.selection.path_result import PathResult
from onelayer.selection.progress import Sweep
from onelayer.selection.scoring import Scorer
from onelayer.selection.storage import Storage

__all__ = ["CrossValidated", "Scored"]


class Scored:
    """``score`` by the scoring that chose; before scikit-learn's mixins, which bring one of their own."""

    scoring: Any
    estimator_: Any

    def score(self, X, y=None, sample_weight=None, offset=None):
        """Return the score of `scoring` on these rows; a stream brings its own y, and is read twice."""
        check_is_fitted(self, "estimator_")
        scorer = Scorer(self.scoring, self.estimator_)
        return scores_of(scorer, [self.estimator_], X, y, sample_weight, offset)[0]


class CrossValidated(Documented, BaseEstimator, abc.ABC):
    """A sweep of strengths over folds, and the fit that it chooses. Abstract; the three final classes name the model."""

    cv: Any
    scoring: Any
    refit: bool
    rule: str
    verbose: int

    # The class of the model, set by the final classes.
    _model: Any

    @property
    @abc.abstractmethod
    def _grid(self):
        """The strengths, as given."""

    def _settings(self):
        """Return the parameters that are the model's own."""
        own = self.get_params(deep=False)
        names = self._model().get_params(deep=False)
        return {name: own[name] for name in names if name in own}

    def fit(self, X, y=None, sample_weight=None, groups=None, offset=None):
        """Fit all folds at all strengths, choose, and keep the fit of all rows at the strength that was chosen.

        Parameters
        ----------
        X : array-like, sparse matrix or tensor of shape (n_samples, n_features), or a stream
            Of a stream each fit is scored in one more read.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Of the fits and of the scores.
        groups : array-like of shape (n_samples,), optional
            Handed to the splitter of `cv`; of all rows, where several processes share a stream.
        offset : array-like, optional
            A known part of the scores, of the fits and where held-out rows are scored.

        Returns
        -------
        self

        Raises
        ------
        DataError
            As from the model's ``fit``; or a fold has no rows, or a single class, or groups do not match.
        ParameterError
            The grid, `cv`, `scoring` or `rule` is out of range.
        """
        began = time.perf_counter()
        check_rule(self.rule)
        name = "Cs" if hasattr(self, "Cs") else "alphas"
        refit = as_flag("refit", self.refit)
        given = None if _is_count(name, self._grid) else read_grid(name, self._grid)
        verbose = as_number("verbose", self.verbose) > 0
        whole = Problem(self._model(**self._settings()), X, y, sample_weight, offset)
        scorer = Scorer(self.scoring, whole.model)
        with whole.working():
            table = Table(whole, X, y, sample_weight, offset)
            if table.X is None:
                refuse_rows(scorer)
            if is_classifier(self) and table.y.ndim != 1:
                raise DataError(
                    "y holds probabilities of classes, by which folds are not scored: give a label for each row."
                )
            # Of several processes the first one draws.
            splits = whole.group.agreed(self._splits(table, groups))
            check_rule(self.rule, len(splits))
            folds = [Fold.of(number, whole, table, *split) for number, split in enumerate(splits)]
            lacking = [number for number, fold in enumerate(folds) if not fold.shared]
            if lacking and not refit:
                raise DataError(
                    f"fold {lacking[0]} of cv lacks a class, and refit=False averages the coefficients of all classes: use "
                    "sklearn.model_selection.StratifiedKFold, or refit=True."
                )
            strengths = self._usual(whole, self._grid) if given is None else given
            alphas = [whole.alpha(strength) for strength in strengths]
            path = PathResult(whole, alphas, Cs=strengths if whole.strength == "C" else None)
            scores, gaps, steps = (np.full((len(folds), len(alphas)), np.nan) for _ in range(3))
            held_out = HeldOut(whole, table, [fold.test for fold in folds], scorer)
            kept = Storage(scores.shape)
            total = len(alphas) * (len(folds) + 1)
            with Sweep(type(self).__name__, total, show=verbose and not whole.group.rank) as sweep:
                tell = lambda count: sweep.done(count=count)  # noqa: E731
                for kind, *found in fit_folds(whole, folds, alphas, tell):
                    if kind == "whole":
                        place, alpha, outcome = found
                        path._add(whole, place, alpha, outcome)
                        continue
                    (pair,) = found
                    number, place = pair.fold, pair.strength
                    problem = folds[number].problem
                    model = problem.fitted(problem.alpha(strengths[place]), pair.parameters)
                    scores[number, place] = held_out.score(number, model)
                    gaps[number, place], steps[number, place] = pair.relative_gap, pair.steps
                    kept.add((number, place), model)
            path._close(time.perf_counter() - began)
            self._keep(whole, path, strengths, scores, gaps, steps, kept, scorer, refit)
        return self

    @abc.abstractmethod
    def _usual(self, whole, count):
        """Return so many strengths, where the grid is a number of them."""

    def _splits(self, table, groups):
        y, rows = table.y, table.rows
        classifier = is_classifier(self) and y.ndim == 1
        if groups is not None:
            groups = as_array(groups, "groups")
            if len(groups) != rows:
                raise DataError(
                    f"groups has {len(groups)} entries and X has {rows} rows: give one for each row."
                )
        try:
            splitter = check_cv(self.cv, y, classifier=classifier)
            with warnings.catch_warnings():
                # A class of fewer rows than folds: the folds that lack it are fitted without it.
                warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
                splits = list(splitter.split(np.zeros((rows, 1)), y, groups))
        except (ValueError, TypeError) as error:
            raise DataError(
                f"cv={self.cv!r} cannot split these rows ({first_line(error)}): give a number of folds that they have rows and "
                "groups for, or another splitter."
            ) from error
        if not splits:
            raise DataError(f"cv={self.cv!r} gives no folds: give at least one split of the rows.")
        return splits

    def _keep(self, whole, path, strengths, scores, gaps, steps, kept, scorer, refit):
        alphas = [whole.alpha(strength) for strength in strengths]
        choice = choose(scores, alphas, strengths, self.rule, name=whole.strength, metric=scorer.name)
        self.choice_, self.path_, self.scores_ = choice, path, scores
        self.gaps_, self.fold_iterations_ = gaps, steps
        self.coefs_paths_, self.intercepts_paths_ = kept.coef, kept.intercept
        short = int((~(gaps <= whole.model.tol)).sum()) if whole.model.tol else 0
        chosen = path.estimator(choice.index)
        self.estimator_ = chosen
        strength = strengths[choice.index]
        if not refit:
            strength = self._averaged(whole, strengths, scores, alphas, scorer)
        setattr(self, f"{whole.strength}_", float(strength))
        setattr(self, "Cs_" if whole.strength == "C" else "alphas_", np.asarray(strengths))
        told = []
        if refit and not chosen.result_.status.is_success:
            told.append(chosen.result_.message)
        if short:
            told.append(
                f"{short} of {gaps.size} fits of folds ended above tol={whole.model.tol:g}; gaps_ has what they proved."
            )
        if told:
            warnings.warn(f"{type(self).__name__}: {' '.join(told)}", ConvergenceWarning, stacklevel=3)

    def _averaged(self, whole, strengths, scores, alphas, scorer):
        """Set the estimator to the mean of the folds' best fits; return the mean of their strengths."""
        best = [
            choose(row[None], alphas, strengths, "best", name=whole.strength, metric=scorer.name).index
            for row in scores
        ]
        model, folds = self.estimator_, range(len(best))
        coef, intercept = (
            np.mean([part[fold, best[fold]] for fold in folds], axis=0)
            for part in (self.coefs_paths_, self.intercepts_paths_)
        )
        if isinstance(model.coef_, torch.Tensor):
            coef, intercept = (torch.as_tensor(part, device=model.coef_.device) for part in (coef, intercept))
        model.coef_, model.intercept_ = coef, intercept
        model.certificate_ = model.result_ = None
        model.n_iter_ = int(max(self.fold_iterations_[fold, best[fold]] for fold in folds))
        mean = float(np.mean([strengths[place] for place in best]))
        setattr(model, whole.strength, mean)
        model.objective_record_ = {**model.objective_record_, "alpha": whole.alpha(mean)}
        averaged = f"Coefficients are the mean of each fold's best fit, at a mean {whole.strength} of {mean:.4g} (refit=False)."
        self.choice_ = dataclasses.replace(self.choice_, reason=f"{self.choice_.reason} {averaged}")
        return mean

    # ---- what the chosen fit answers --------------------------------------------------------------------------

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _chosen(self):
        check_is_fitted(self, "estimator_")
        return self.estimator_

    def predict(self, X, **options):
        """Return what the chosen fit predicts; options are those of the model's ``predict``."""
        return self._chosen().predict(X, **options)

    def to_module(self):
        """Return the chosen fit as a ``torch.nn.Linear``."""
        return self._chosen().to_module()

    def save(self, folder):
        """Write the chosen fit into a folder, for ``onelayer.load``."""
        if self._chosen().result_ is None:
            raise ParameterError(
                "refit is False: an average of fits is the optimum of nothing that could be saved with it; fit with refit=True."
            )
        self.estimator_.save(folder)

    def plot(self, ax=None):
        """Draw the scores along the grid; returns a :class:`onelayer.plots.ValidationDisplay`."""
        from onelayer.plots import ValidationDisplay

        self._chosen()
        return ValidationDisplay.from_estimator(self).plot(ax)

    @property
    def coef_(self):
        """The coefficients of the chosen fit."""
        return self._of_chosen("coef_")

    @property
    def intercept_(self):
        """The intercepts of the chosen fit."""
        return self._of_chosen("intercept_")

    @property
    def certificate_(self):
        """The proof of the chosen fit; None for an average (refit=False)."""
        return self._of_chosen("certificate_")

    @property
    def result_(self):
        """The account of the chosen fit; None for an average (refit=False)."""
        return self._of_chosen("result_")

    @property
    def n_features_in_(self):
        """Features that fit has seen."""
        return self._of_chosen("n_features_in_")

    @property
    def feature_names_in_(self):
        """Their names, if X had some."""
        return self._of_chosen("feature_names_in_")

    @property
    def n_iter_(self):
        """Iterations of the chosen fit."""
        return self._of_chosen("n_iter_")

    def _of_chosen(self, name):
        if "estimator_" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r} before fit.")
        return getattr(self.estimator_, name)


def _is_count(name, grid):
    if isinstance(grid, bool) or not isinstance(grid, numbers.Integral):
        return False
    if grid < 1:
        raise ParameterError(f"{name} is {grid}: give a number of points ≥ 1, or a list of strengths.")
    return True
