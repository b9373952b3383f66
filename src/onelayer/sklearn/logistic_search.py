"""What scikit-learn's LogisticRegressionCV makes of its arguments, with its words where they do not go together."""

import inspect
import numbers
import warnings
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer, make_scorer

from onelayer.sklearn.logistic_arguments import check_solver

__all__ = ["FoldScorer", "checked_grid", "checked_weights", "shares_of", "told_scoring", "wants_legacy"]


def shares_of(estimator):
    """Return (penalty, l1_ratios or None): what the arguments ask for, with scikit-learn's warnings and refusals."""
    ratios = estimator.l1_ratios
    if isinstance(ratios, str):
        ratios = None
        _warn(
            "The default value for l1_ratios will change from None to (0.0,) in version 1.10. From version 1.10 onwards, only "
            "array-like with values in [0, 1] will be allowed, None will be forbidden. To avoid this warning, explicitly set a "
            "value, e.g. l1_ratios=(0,)."
        )
    if estimator.penalty == "deprecated":
        if estimator.l1_ratios is None:
            _warn(
                "'l1_ratios=None' was deprecated in version 1.8 and will trigger an error in 1.10. Use an array-like with values"
                "in [0, 1] instead."
            )
        penalty = _penalty_of(ratios)
    else:
        penalty = estimator.penalty
        _warn(
            "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this warning, leave 'penalty' set to "
            "its default value and use 'l1_ratios' and 'Cs' instead. Use l1_ratios=(0,) instead of penalty='l2', l1_ratios=(1,) "
            "instead of penalty='l1', l1_ratios set to floats between 0 and 1 instead of penalty='elasticnet', and Cs=(np.inf,) "
            "instead of penalty=None."
        )
    check_solver(estimator.solver, penalty, estimator.dual)
    if penalty == "elasticnet":
        if (
            ratios is None
            or not len(ratios)
            or not all(isinstance(one, numbers.Number) and 0 <= one <= 1 for one in ratios)
        ):
            raise ValueError(
                f"l1_ratios must be an array-like of numbers between 0 and 1; got (l1_ratios={ratios!r})"
            )
    elif ratios is not None and estimator.penalty != "deprecated":
        _warn(
            f"l1_ratios parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})",
            UserWarning,
        )
    return penalty, ratios


def _penalty_of(ratios):
    if ratios is None or np.all(np.asarray(ratios) == 0):
        return "l2"
    return "l1" if np.all(np.asarray(ratios) == 1) else "elasticnet"


def told_scoring(estimator):
    """Return the scoring, and tell of the default that will change."""
    if not (isinstance(estimator.scoring, str) and estimator.scoring == "warn"):
        return estimator.scoring
    _warn(
        "The default value of the parameter 'scoring' will change from None, i.e. accuracy, to 'neg_log_loss' in version 1.11. "
        "To silence this warning, explicitly set the scoring parameter: scoring='neg_log_loss' for the new, scoring='accuracy' "
        "or scoring=None for the old default."
    )
    return None


def wants_legacy(estimator):
    """Return use_legacy_attributes, and tell of the default that will change."""
    if estimator.use_legacy_attributes != "warn":
        return estimator.use_legacy_attributes
    _warn(
        f"The fitted attributes of {type(estimator).__name__} will be simplified in scikit-learn 1.10 to remove redundancy. Set"
        "`use_legacy_attributes=False` to enable the new behavior now, or set it to `True` to silence this warning during the "
        "transition period while keeping the deprecated behavior for the time being. The default value of use_legacy_attributes "
        "will change from True to False in scikit-learn 1.10. See the docstring of "
        f"{type(estimator).__name__} for more details."
    )
    return True


def _warn(message, category=FutureWarning):
    # Out of _warn, the function here, fit and the wrapper around it: the line of the user.
    warnings.warn(message, category, stacklevel=5)


def checked_weights(class_weight, labels):
    """Return class weights; a dictionary that names a class which y has not is refused, as there."""
    if isinstance(class_weight, dict) and not set(class_weight) <= set(labels.tolist()):
        raise ValueError(
            "The given class_weight dict must have the class labels as keys; "
            f"classes={labels} but key={class_weight.keys()}"
        )
    return class_weight


def checked_grid(Cs):
    """Return the values of C; scikit-learn trips over others further in."""
    try:
        grid = np.asarray(Cs, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Cs is {Cs!r}: give a number of values, or a list of numbers > 0.") from error
    if grid.ndim != 1 or not len(grid) or not (grid > 0).all():
        raise ValueError(f"Cs is {Cs!r}: give a number of values, or a list of numbers > 0.")
    return grid


class FoldScorer:
    """Scores coefficients on the rows that a fold holds out, which may lack classes.

    Parameters
    ----------
    scoring : str, callable or None
    model : LogisticRegression
        With ``classes_``; its coefficients are set for each score.
    """

    def __init__(self, scoring, model):
        scorer: Any = None if scoring is None else get_scorer(scoring)
        known = getattr(scorer, "_score_func", None)
        names = inspect.signature(known).parameters if known else ()
        if "labels" in names:
            # The rows of a fold may not show all labels; the scorer is told.
            more = {"labels": model.classes_, **getattr(scorer, "_kwargs", {})}
            if "pos_label" in names and len(model.classes_) == 2:
                more["pos_label"] = model.classes_[-1]
            scorer = make_scorer(
                known,
                greater_is_better=scorer._sign == 1,
                response_method=scorer._response_method,
                **more,
            )
        self._model, self._scorer = model, scorer

    def __call__(self, coefs, X, y, params):
        """Return the score; `coefs` are of shape (outputs, n_features + intercept), `params` those of the rows."""
        model, features = self._model, X.shape[1]
        model.coef_ = coefs[:, :features]
        model.intercept_ = coefs[:, features] if coefs.shape[1] > features else 0.0
        if self._scorer is None:
            return model.score(X, y, sample_weight=params.get("sample_weight"))
        return self._scorer(model, X, y, **params)
