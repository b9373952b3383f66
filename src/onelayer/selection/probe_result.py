"""What a probe leaves behind."""

import dataclasses
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from sklearn.base import is_classifier

from onelayer.persistence import plain
from onelayer.selection.choosing import Choice
from onelayer.selection.judging import Judgement
from onelayer.selection.path_result import PathResult
from onelayer.selection.scoring import scoring_name

__all__ = ["ProbeResult"]


@dataclasses.dataclass(frozen=True, repr=False)
class ProbeResult:
    """A linear probe, how it was chosen, and how good it is.

    Attributes
    ----------
    estimator : estimator
        Fitted at the strength that was chosen, with its certificate. With ``scaling="l2"`` it wants rows of norm 1;
        :meth:`predict` makes them.
    scaling : {None, "standardize", "l2"}
    strengths : array of shape (n_strengths,)
    scores : array of shape (n_folds, n_strengths), or (1, n_strengths) on a validation part
    choice : Choice
        With the reason in words.
    path : PathResult
        The fits of the training rows along the grid, each with its certificate.
    rule, scoring, refit : str
        As they were given.
    cv : int or None
        Folds; None where a validation part was given.
    rows : dict of str to int
        Of each part.
    judgements : dict of str to Judgement
        Of each part.
    seconds : float
    """

    estimator: Any
    scaling: str | None
    strengths: np.ndarray
    scores: np.ndarray
    choice: Choice
    path: PathResult
    rule: str
    scoring: Any
    refit: str
    cv: int | None
    rows: dict[str, int]
    judgements: dict[str, Judgement]
    seconds: float

    @property
    def C(self):
        """The C that was chosen; 1/(alpha S) for a LinearRegression."""
        return float(self.path.Cs[self.choice.index])

    @property
    def certificate(self):
        """The proof of the fit that is kept."""
        return self.estimator.certificate_

    @property
    def judged(self):
        """The part that the score is of: the test part, else the validation part, else the training rows."""
        return next(name for name in ("test", "validation", "train") if name in self.judgements)

    @property
    def score(self):
        """Accuracy, or R², on that part."""
        return self.judgements[self.judged].score

    accuracy = score

    @property
    def interval(self):
        """Its Interval."""
        return self.judgements[self.judged].interval

    def predict(self, X):
        """Return what the probe predicts for rows as they were given."""
        return self.estimator.predict(self._scaled(X))

    def predict_proba(self, X):
        """Return the probability of each class, for rows as they were given."""
        return self.estimator.predict_proba(self._scaled(X))

    def to_module(self):
        """Return a ``torch.nn.Module`` for rows as they were given: their scores."""
        linear = self.estimator.to_module()
        return torch.nn.Sequential(_Normalize(), linear) if self.scaling == "l2" else linear

    def plot(self, ax=None):
        """Draw the scores along the grid; returns a :class:`onelayer.plots.ValidationDisplay`."""
        from onelayer.plots import ValidationDisplay

        name = self.path.strength
        chosen = self.strengths[self.choice.index]
        display = ValidationDisplay(
            self.strengths, self.scores, chosen, strength_name=name, metric=self._metric
        )
        return display.plot(ax)

    @property
    def protocol(self):
        """What was done, as a paragraph for a paper."""
        name, chosen = self.path.strength, self.strengths[self.choice.index]
        model, rows = self.estimator, self.rows
        classes = f" and {len(model.classes_)} classes" if is_classifier(model) else ""
        rule = "the best mean score" if self.rule == "best" else "the one-standard-error rule"
        how = (
            f"by cross-validation on them ({self.cv} splits)"
            if self.cv
            else f"on {_counted(rows['validation'], 'validation row')}"
        )
        low, high = self.strengths.min(), self.strengths.max()
        grid = f"{len(self.strengths)} values of {name} from {low:.3g} to {high:.3g}"
        grid = grid if len(self.strengths) > 1 else f"one value of {name}"
        judged = self.judgements[self.judged]
        return (
            f"{self._kind} on {_counted(model.n_features_in_, 'feature')} of {_counted(rows['train'], 'training row')}{classes}; "
            f"{self._scaling_words}. {name} was chosen from {grid} {how}, by {rule} ({self._metric}; ties to the strongest "
            f"penalty): {name}={chosen:.4g}. {self._proof_words} (onelayer {version('onelayer')}, {model.result_.dtype}). On "
            f"{self._words} the {judged.metric} is {judged.score:.4f} ({judged.interval})."
        )

    @property
    def _kind(self):
        """The model and what it minimises, in words."""
        model, record = self.estimator, self.estimator.objective_record_
        kind = "Linear regression"
        if is_classifier(model):
            kind = "Logistic regression" if len(model.classes_) == 2 else "Multinomial logistic regression"
        if record["loss"] not in ("squared", "logistic", "cross-entropy"):
            kind += f" with the {record['loss']} loss"
        ratio = record["l1_ratio"]
        penalty = f"an elastic-net penalty (L1 share {ratio:g})" if ratio else "an L2 penalty"
        free = "the intercept is not penalised" if model.fit_intercept else "no intercept"
        weights = getattr(model, "class_weight", None)
        weighted = (
            ""
            if weights is None
            else f", classes weighted {weights if isinstance(weights, str) else 'as given'}"
        )
        joint = " and" if "with" in kind else " with"
        return f"{kind}{joint} {penalty} ({free}{weighted})"

    @property
    def _scaling_words(self):
        words = ["every row scaled to Euclidean norm 1"] if self.scaling == "l2" else []
        if self.estimator.standardize:
            words.append("features standardised by the rows of each fit")
        return ", then ".join(words) or "features as they are"

    @property
    def _proof_words(self):
        kept = "the training rows" if self.refit == "train" else "training and validation rows together"
        told, proof = f"The reported fit is that of {kept}; ", self.certificate
        if proof is None:
            return told + "nothing is proven of it"
        gap = f"a proven relative gap of {proof.relative_gap:.1g} of its objective"
        early = not self.estimator.result_.status.is_success
        return told + (f"it ended early, with {gap}" if early else f"it is the optimum to {gap}")

    @property
    def _words(self):
        words = _counted(
            self.rows[self.judged], f"{'training' if self.judged == 'train' else self.judged} row"
        )
        if self.judged != "validation":
            return words
        if self.refit == "train":
            return f"{words}, by which it was chosen,"
        return f"{words}, by which it was chosen, and for the fit of the training rows alone,"

    @property
    def _metric(self):
        return scoring_name(self.scoring, is_classifier(self.estimator))

    def to_dict(self):
        """Return the numbers as JSON-ready builtins."""
        proof = self.certificate
        numbers = {
            "strength": self.path.strength,
            "chosen": float(self.strengths[self.choice.index]),
            "reason": self.choice.reason,
            "rule": self.rule,
            "scoring": self._metric,
            "scaling": self.scaling,
            "refit": self.refit,
            "folds": self.cv,
            "strengths": self.strengths.tolist(),
            "mean_scores": self.scores.mean(axis=0).tolist(),
            "relative_gap": None if proof is None else proof.relative_gap,
            "rows": self.rows,
            **{
                f"{part}_{key}": value
                for part, found in self.judgements.items()
                for key, value in {
                    "accuracy" if found.metric == "accuracy" else "r2": found.score,
                    "interval": [found.interval.low, found.interval.high],
                    "interval_kind": found.interval.kind.lower(),
                    "loss": found.loss,
                }.items()
            },
            "seconds": self.seconds,
            "protocol": self.protocol,
        }
        return plain(numbers)

    def _scaled(self, X):
        if self.scaling != "l2":
            return X
        from onelayer.selection.splits import Part

        X = X if hasattr(X, "shape") else np.asarray(X)
        return Part("rows", X, np.zeros(X.shape[0])).normalized().X

    def __str__(self):
        lines = [f"{name:<12}{found}" for name, found in self.judgements.items()]
        return "\n".join([self.choice.reason, *lines, self.estimator.result_.message])

    __repr__ = __str__


class _Normalize(torch.nn.Module):
    """Divides each row by its Euclidean norm."""

    def forward(self, x):
        return torch.nn.functional.normalize(x, dim=1)


def _counted(number, what):
    return f"{number:,} {what}" + ("" if number == 1 else "s")
