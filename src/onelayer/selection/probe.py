"""The exact linear probe in one call."""

import time

import numpy as np
from sklearn.base import is_classifier

from onelayer.data.dataset import Dataset
from onelayer.errors import DataError, ParameterError
from onelayer.estimators import LinearRegression, LogisticRegression, SoftmaxRegression
from onelayer.estimators.problem import strength_name
from onelayer.estimators.validation import as_number
from onelayer.selection.choosing import check_rule, choose
from onelayer.selection.estimators import LinearRegressionCV, LogisticRegressionCV, SoftmaxRegressionCV
from onelayer.selection.held_out import refuse_rows
from onelayer.selection.intervals import require_level
from onelayer.selection.judging import judge
from onelayer.selection.path import path
from onelayer.selection.probe_result import ProbeResult
from onelayer.selection.scoring import Scorer
from onelayer.selection.splits import Part
from onelayer.selection.streamed import part_of

__all__ = ["probe"]

_SCALINGS = (None, "standardize", "l2")
_CROSS_VALIDATED = {
    SoftmaxRegression: SoftmaxRegressionCV,
    LogisticRegression: LogisticRegressionCV,
    LinearRegression: LinearRegressionCV,
}


def probe(
    train,
    validation=None,
    test=None,
    est=None,
    *,
    Cs=20,
    cv=5,
    scoring=None,
    rule="best",
    scaling=None,
    refit="train",
    interval=None,
    level=0.95,
    random_state=0,
    verbose=0,
):
    """Fit a linear probe: choose its penalty, prove its optimum, judge it, and say in words what was done.

    Minimises the objective of `est` for every strength of a grid, each with its certificate, and keeps the one that a stated rule
    prefers on `validation` or, without that, by cross-validation on `train`.

    Parameters
    ----------
    train, validation, test : (X, y), Dataset or stream
        Rows to fit, to choose by, and to judge by. A Dataset brings its own test part. A stream is read once for its targets, and
        once for each thing that is asked of it.
    est : estimator, optional
        With all settings but the strength. Default: ``LogisticRegression()``, for targets in memory that are floats
        ``LinearRegression()``.
    Cs : int or array-like, default 20
        The grid: a number n stands for ``np.logspace(-4, 4, n)``; alpha of a LinearRegression from the data.
    cv : int, splitter or iterable, default 5
        Folds, where there is no validation part.
    scoring : str or callable, optional
        What is chosen by. Default: the log loss; for real targets the squared error.
    rule : {"best", "one-standard-error"}, default "best"
        Ties go to the strongest penalty.
    scaling : {None, "standardize", "l2"}, default None
        Features as they are; columns with mean 0 and deviation 1 on the rows of each fit; rows of Euclidean norm 1 (in memory).
    refit : {"train", "train+validation"}, default "train"
        What the chosen strength is fitted on in the end; both together in memory.
    interval : {"wilson", "bootstrap"}, optional
        Default: Wilson's for accuracies, the bootstrap for R².
    level : float, default 0.95
        Of the interval.
    random_state : int, default 0
        Of the bootstrap.
    verbose : int, default 0
        1 shows a progress bar on standard error, with the time left.

    Returns
    -------
    ProbeResult
        ``print`` it; ``protocol`` is a paragraph for a paper.

    Raises
    ------
    DataError
        A part lacks targets, has other columns, or labels that `train` has not; or as from ``fit``.
    ParameterError
        An option is out of range.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("digits")
    >>> found = ol.probe((data.X[:1000], data.y[:1000]), test=(data.X[1000:], data.y[1000:]), Cs=[1e-3, 1e-2, 0.1], cv=3)
    >>> found.C, round(found.accuracy, 3), str(found.interval)
    (0.01, 0.936, '95 % Wilson interval 0.9168 to 0.951, n=797')
    """
    began = time.perf_counter()
    random_state = int(as_number("random_state", random_state))
    _check_options(rule, scaling, refit, interval, level)
    parts, est = _parts(train, validation, test, est)
    classifier = is_classifier(est)
    _check_parts(rule, refit, interval, classifier, parts)
    if classifier and len(parts[0].y.shape) != 1:
        raise DataError(
            "train has probabilities of classes as y, which a probe is not judged by: give labels."
        )
    for part in parts[1:]:
        if part is not None:
            part.require_like(parts[0], classifier)
            part.require_finite(est)
    parts = [part and part.ordered_like(parts[0]) for part in parts]
    if scaling == "standardize":
        est = type(est)(**{**est.get_params(deep=False), "standardize": True})
    if scaling == "l2":
        parts = [part and part.normalized() for part in parts]
    train_part, validation_part, _ = parts
    scoring = scoring or ("neg_log_loss" if classifier else "neg_mean_squared_error")
    if validation_part is None:
        chosen = _by_folds(est, train_part, Cs, cv, scoring, rule, verbose)
    else:
        chosen = _by_validation(est, train_part, validation_part, Cs, scoring, rule, verbose)
    model, strengths, scores, choice, sweep = chosen
    before = model
    if refit == "train+validation":
        model = _on_both(model, train_part, validation_part)

    def judged(part):
        # What was fitted on the validation rows says nothing about others by them.
        return judge(before if part.name == "validation" else model, part, interval, level, random_state)

    return ProbeResult(
        model,
        scaling=scaling,
        strengths=np.asarray(strengths),
        scores=scores,
        choice=choice,
        path=sweep,
        rule=rule,
        scoring=scoring,
        refit=refit,
        cv=None if validation_part is not None else len(scores),
        rows={part.name: part.rows for part in parts if part is not None},
        judgements={part.name: judged(part) for part in parts if part is not None},
        seconds=time.perf_counter() - began,
    )


def _parts(train, validation, test, est):
    """Return the three Parts, None for those that are not there, and the estimator."""
    if est is not None:
        strength_name(est)
    if test is None and isinstance(train, Dataset) and train.X_test is not None:
        test = train.X_test, train.y_test
    first = part_of("train", train, est or LogisticRegression())
    if est is None:
        real = not first.streamed and first.y.dtype.kind == "f"
        est = LinearRegression() if real else LogisticRegression()
    others = (("validation", validation), ("test", test))
    return [first, *(None if given is None else part_of(name, given, est) for name, given in others)], est


def _check_options(rule, scaling, refit, interval, level):
    check_rule(rule)
    require_level(level)
    if scaling not in _SCALINGS:
        raise ParameterError(f"scaling is {scaling!r}: give None, 'standardize' or 'l2'.")
    if refit not in ("train", "train+validation"):
        raise ParameterError(f"refit is {refit!r}: give 'train' or 'train+validation'.")
    if interval not in (None, "wilson", "bootstrap"):
        raise ParameterError(f"interval is {interval!r}: give 'wilson' or 'bootstrap'.")


def _check_parts(rule, refit, interval, classifier, parts):
    streams = [part.name for part in parts[:2] if part is not None and part.streamed]
    if refit == "train+validation" and streams:
        raise ParameterError(
            f"refit is 'train+validation', and {streams[0]} is a stream, which is not joined to another: give one stream of both "
            "rows as train, or refit='train'."
        )
    if refit == "train+validation" and parts[1] is not None and type(parts[0].X) is not type(parts[1].X):
        kinds = [type(part.X).__name__ for part in parts[:2]]
        raise ParameterError(
            f"refit is 'train+validation', and X is {kinds[0]} in train and {kinds[1]} in validation: give both as one of these."
        )
    if rule == "one-standard-error" and parts[1] is not None and parts[1].rows < 2:
        raise ParameterError(
            "rule is 'one-standard-error', and one validation row has no standard error: give more, or rule='best'."
        )
    if refit == "train+validation" and parts[1] is None:
        raise ParameterError(
            "refit is 'train+validation', and there is no validation part: give one, or refit='train'."
        )
    if interval == "wilson" and not classifier:
        raise ParameterError("interval is 'wilson', which is for accuracies: give 'bootstrap' for R².")


def _by_folds(est, train, Cs, cv, scoring, rule, verbose):
    kind = next(kind for model, kind in _CROSS_VALIDATED.items() if isinstance(est, model))
    grid = "Cs" if kind is not LinearRegressionCV else "alphas"
    known = kind().get_params(deep=False)
    given, usual = est.get_params(deep=False), type(est)().get_params(deep=False)
    settings = {name: value for name, value in given.items() if name in known}
    own = set(given) - set(known) - {"C", "alpha", "callbacks"}
    # As text: some of them are arrays, which are not simply equal or not.
    lost = sorted(name for name in own if repr(given[name]) != repr(usual[name]))
    if lost:
        raise ParameterError(
            f"est has {lost[0]}={given[lost[0]]!r}, which folds cannot be fitted with: give a validation part, or leave it out."
        )
    settings |= {grid: Cs, "cv": cv, "scoring": scoring, "rule": rule, "verbose": verbose}
    model = kind(**settings).fit(*train.data)
    strengths = model.Cs_ if grid == "Cs" else model.alphas_
    return model.estimator_, strengths, model.scores_, model.choice_, model.path_


def _by_validation(est, train, validation, Cs, scoring, rule, verbose):
    # What is wrong with the scoring is said before the fits.
    scorer = Scorer(scoring, est)
    if rule == "one-standard-error":
        scorer.require_mean()
    if validation.streamed:
        refuse_rows(scorer)
    grid = {"Cs" if hasattr(est, "C") else "alphas": Cs}
    if isinstance(Cs, (int, np.integer)) and not isinstance(Cs, bool):
        if Cs < 1:
            raise ParameterError(f"Cs is {Cs}: give a number of points ≥ 1, or a list of strengths.")
        grid = {"Cs": np.logspace(-4, 4, Cs)} if hasattr(est, "C") else {"count": Cs}
    sweep = path(est, *train.data, verbose=verbose, **grid)
    fits = [sweep.estimator(place) for place in range(len(sweep))]
    scores = np.array([validation.scored(scorer, fits)])
    errors = None
    if rule == "one-standard-error":
        each = validation.measured(fits, scorer.of_rows)
        errors = np.array([one.std(ddof=1) / np.sqrt(len(one)) for one in each])
    strengths = sweep.Cs if hasattr(est, "C") else sweep.alphas
    name = "C" if hasattr(est, "C") else "alpha"
    choice = choose(scores, sweep.alphas, strengths, rule, name=name, metric=scorer.name, errors=errors)
    return fits[choice.index], strengths, scores, choice, sweep


def _on_both(model, train, validation):
    """Return the fit of both parts, from that of one."""
    both = Part("train+validation", _stacked(train.X, validation.X), np.concatenate([train.y, validation.y]))
    params = model.get_params(deep=False)
    alone = type(model)(**{**params, "init": (model.coef_, model.intercept_)}).fit(both.X, both.y)
    alone.init = params["init"]
    return alone


def _stacked(first, second):
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat([first, second])
    if hasattr(first, "tocsr"):
        import scipy.sparse

        return scipy.sparse.vstack([first, second], format="csr")
    if hasattr(first, "new_zeros"):
        import torch

        return torch.cat([first, second])
    return np.concatenate([first, second])
