"""The fit ends when the score on other data has not risen, and returns the best iterate where that was asked."""

import math
import types

import numpy as np
import pytest
import torch

import onelayer as ol
from instances import PROBLEMS
from onelayer.callbacks import EarlyStopping
from onelayer.errors import DataError
from onelayer.result import Record, Status

X, Y = PROBLEMS["three classes"]()
SGD = ol.solvers.SGD(0.5, batch_size=8, epochs=30)


class Told:
    """A fit without a fit: iterates with the given scores."""

    def __init__(self, stopper, scores):
        self.kept, self.stopped = [], None
        stopper.on_fit_begin(types.SimpleNamespace(estimator="model"))
        for i, score in enumerate(scores):
            keep = lambda i=i: self.kept.append(i)  # noqa: E731
            iterate = types.SimpleNamespace(
                record=Record(i, 0.0, 0.0, 0.0), estimator=lambda score=score: score, keep=keep
            )
            if stopper.on_iteration(iterate):
                self.stopped = i
                break


def stopper(**options):
    return EarlyStopping(None, None, scoring=lambda estimator, X, y: estimator, **options)


NAN = math.nan
CASES = {
    "rises": ([1, 2, 3, 4], {"patience": 2}, None, 3),
    "falls": ([4, 3, 2, 1], {"patience": 2}, 2, 0),
    "a dip": ([1, 0, 2, 1, 1], {"patience": 2}, 4, 2),
    "flat": ([1, 1, 1, 1], {"patience": 3}, 3, 0),
    "too small a rise": ([1, 1.05, 1.09, 1.2], {"patience": 2, "min_delta": 0.1}, 2, 0),
    "a slow rise adds up": ([1, 1.05, 1.11, 1.2], {"patience": 2, "min_delta": 0.1}, None, 2),
    "negative scores": ([-9, -8, -8.5, -8.5], {"patience": 2}, 3, 1),
    "nan is no rise": ([1, NAN, NAN, 2], {"patience": 2}, 2, 0),
    "nan first": ([NAN, -5, NAN, -4], {"patience": 2}, None, 3),
    "all nan": ([NAN, NAN, NAN], {"patience": 2}, 1, None),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("restore", [False, True])
def test_when_it_stops_and_what_is_best(case, restore):
    scores, options, stopped, best = CASES[case]
    watcher = stopper(restore_best=restore, **options)
    told = Told(watcher, scores)
    assert told.stopped == stopped
    assert watcher.best_iteration == best
    assert watcher.best_score == (-math.inf if best is None else scores[best])
    assert told.kept[-1:] == ([best] if restore and best is not None else [])
    # A second fit begins anew.
    assert Told(watcher, scores).stopped == stopped


def fit(watcher, **settings):
    settings = {"solver": SGD, "tol": 0, "random_state": 0, "C": math.inf, **settings}
    train = slice(0, None, 2)
    return ol.SoftmaxRegression(**settings).set_callbacks(watcher).fit(X[train], Y[train])


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", lambda model, X, y: model.score(X, y)])
def test_the_best_iterate_is_returned(scoring):
    watcher = EarlyStopping(X[1::2], Y[1::2], scoring=scoring, patience=3, restore_best=True)
    model = fit(watcher)
    scores = [record.metrics["validation_score"] for record in model.result_.trace]
    assert watcher.best_iteration == int(np.argmax(scores)) == model.n_iter_ - 3
    assert watcher.best_score == max(scores)
    assert watcher._score(model, X[1::2], Y[1::2]) == pytest.approx(max(scores), rel=1e-12)
    assert model.result_.status is Status.FINISHED
    assert "stopped by EarlyStopping(" in model.result_.message.lower().replace(
        "earlystopping", "EarlyStopping"
    )


def test_the_log_likelihood_of_any_sound_validation_set():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 3)), np.arange(90) % 3
    shares = rng.dirichlet(np.ones(3), 90)
    some = y < 2
    sets = {"rows of probabilities": (X, shares), "a class less": (X[some], y[some])}
    for name, (rows, targets) in sets.items():
        stopper = EarlyStopping(rows, targets, scoring="neg_log_loss", restore_best=True)
        model = ol.SoftmaxRegression(solver="sgd", random_state=0).set_callbacks(stopper)
        model.fit(X, shares if name == "rows of probabilities" else y)
        proba = model.predict_proba(rows)
        weights = targets if targets.ndim == 2 else np.eye(3)[targets]
        assert stopper.best_score == pytest.approx((weights * np.log(proba)).sum(axis=1).mean(), rel=1e-6)


def test_the_log_likelihood_where_a_class_is_impossible_and_of_a_column():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    shares = np.eye(3)[y]
    scores = []
    for targets in (shares, y[:, None], torch.from_numpy(y)):
        stopper = EarlyStopping(X, targets, scoring="neg_log_loss", restore_best=True)
        model = ol.SoftmaxRegression(solver="sgd", classes=[0, 1, 2], random_state=0)
        proba = model.set_callbacks(stopper).fit(X, y).predict_proba(X)
        scores.append(stopper.best_score)
        assert stopper.best_score == pytest.approx(np.log(proba[np.arange(60), y]).mean(), rel=1e-6)
    assert scores[0] == pytest.approx(scores[1]) == pytest.approx(scores[2])


def test_labels_that_the_fit_does_not_know_have_no_likelihood():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 3)), np.arange(90) % 3
    stopper = EarlyStopping(X, y + 1, scoring="neg_log_loss")
    with pytest.raises(
        DataError, match=r"cannot be scored by 'neg_log_loss' \(it holds the label 3, which is none of"
    ):
        ol.SoftmaxRegression(solver="sgd").set_callbacks(stopper).fit(X, y)


def test_without_restoring_the_last_epoch_is_returned():
    watcher = EarlyStopping(X[1::2], Y[1::2], scoring="neg_log_loss", patience=3, name="log_loss")
    model = fit(watcher)
    last = model.result_.trace[-1].metrics["log_loss"]
    assert watcher._score(model, X[1::2], Y[1::2]) == pytest.approx(last, rel=1e-12)
    assert last < watcher.best_score


def test_restored_also_where_the_fit_ends_by_itself():
    watcher = EarlyStopping(X[1::2], Y[1::2], scoring="neg_log_loss", patience=1000, restore_best=True)
    model = fit(watcher)
    assert model.n_iter_ == 30
    assert watcher._score(model, X[1::2], Y[1::2]) == pytest.approx(watcher.best_score, rel=1e-12)


def test_other_callbacks_see_the_score():
    seen = []

    class Reads(ol.callbacks.Callback):
        def on_iteration(self, iterate):
            seen.append(iterate.record.metrics["validation_score"])

    model = ol.LinearRegression(alpha=0.1, solver="lbfgs")
    model.set_callbacks(EarlyStopping(X, X[:, 0]), Reads()).fit(X, X[:, 0])
    assert len(seen) == model.n_iter_ + 1
