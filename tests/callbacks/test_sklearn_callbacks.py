"""scikit-learn's callback protocol (1.9 and later) on our estimators, alone and inside its meta-estimators."""

import importlib.util
import pickle
import sys

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import onelayer as ol
from instances import PROBLEMS
from onelayer.estimators import sklearn_callbacks as adapter
from onelayer.result import Status

protocol = pytest.importorskip("sklearn.callback")

X, Y = PROBLEMS["two classes"]()
GD = ol.solvers.GradientDescent(0.1, steps=8)


class Recorder:
    """Writes down scikit-learn's hooks; stops after so many iterations."""

    def __init__(self, stop_at=None):
        self.stop_at, self.told, self.scores, self.fitted, self.data = stop_at, [], [], [], []

    def setup(self, estimator, context):
        self.told.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X=None, fitted_estimator=None):
        self.told.append(f"begin {context.task_name} {context.task_id}")
        self.data.append(X)

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.told.append(f"end {context.task_name} {context.task_id}")
        self.fitted.append(fitted_estimator)
        self.metadata = metadata
        if hasattr(fitted_estimator, "score"):
            self.scores.append(fitted_estimator.score(X, y))
        return self.stop_at is not None and context.task_id + 1 >= self.stop_at

    def teardown(self, estimator, context):
        self.told.append("teardown")


class Stopper(Recorder):
    """One that a search hands down."""

    max_propagation_depth = None


def model(**settings):
    return ol.LogisticRegression(**{"solver": GD, "tol": 0, **settings})


def test_each_iteration_is_a_task():
    recorder = Recorder()
    fitted = model().set_callbacks(recorder).fit(X, Y)
    iterations = [f"{verb} iteration {i}" for i in range(8) for verb in ("begin", "end")]
    assert recorder.told == ["setup", "begin fit 0", *iterations, "end fit 0", "teardown"]
    assert all(data is X for data in recorder.data)
    assert recorder.metadata == {}
    assert recorder.scores[-1] == fitted.score(X, Y)
    assert np.array_equal(recorder.fitted[-2].coef_, fitted.coef_)
    assert {"_callback_fit_ctx", "_relays", "_skl_callbacks_to_teardown"}.isdisjoint(vars(fitted))


def test_metadata_is_what_was_given():
    recorder, weight = Recorder(), np.ones(len(Y))
    model().set_callbacks(recorder).fit(X, Y, weight)
    assert recorder.metadata["sample_weight"] is weight


def test_without_a_known_number_of_iterations_the_last_task_is_closed_empty():
    recorder = Recorder()
    fitted = ol.LogisticRegression().set_callbacks(recorder).fit(X, Y)
    begun = [told for told in recorder.told if told.startswith("begin iteration")]
    ended = [told for told in recorder.told if told.startswith("end iteration")]
    assert len(begun) == len(ended) == fitted.n_iter_ + 1
    assert recorder.fitted[-2] is None


def test_it_may_stop_the_fit():
    stopper = Recorder(stop_at=3)
    fitted = model().set_callbacks(stopper).fit(X, Y)
    assert fitted.n_iter_ == 3
    assert fitted.result_.status is Status.FINISHED
    assert "a callback of scikit-learn (Recorder)" in fitted.result_.message
    assert stopper.told[-2:] == ["end fit 0", "teardown"]


@pytest.mark.parametrize(
    "data",
    [(X, Y[:-1]), (X, np.zeros(len(Y)))],
    ids=["lengths", "one class"],
)
def test_a_fit_that_fails_before_it_begins(data):
    recorder = Recorder()
    estimator = model().set_callbacks(recorder)
    with pytest.raises(ol.errors.DataError):
        estimator.fit(*data)
    assert recorder.told == []
    assert estimator.fit(X, Y).n_iter_ == 8


def test_a_fit_that_fails_on_the_way_is_torn_down():
    class Fails(ol.callbacks.Callback):
        def on_iteration(self, iterate):
            if iterate.record.iteration == 2:
                raise LookupError("mine")

    recorder = Recorder()
    estimator = model().set_callbacks(Fails(), recorder)
    with pytest.raises(LookupError, match="mine"):
        estimator.fit(X, Y)
    assert recorder.told[-1] == "teardown"
    assert "end fit 0" not in recorder.told
    assert set(vars(estimator)) == set(vars(model())) | {"_callbacks", "_skl_callbacks"}


def test_both_kinds_at_once_and_each_can_be_taken_away():
    ours, theirs = ol.callbacks.Iterates(), Recorder()
    estimator = model().set_callbacks(ours, theirs).fit(X, Y)
    assert len(ours) == 9
    assert len(theirs.told) == 20
    estimator.set_callbacks(ours).fit(X, Y)
    assert len(theirs.told) == 20
    estimator.set_callbacks().fit(X, Y)
    assert len(ours) == 9


def test_clone_and_pickle_keep_them():
    estimator = model().set_callbacks(Recorder(stop_at=2))
    assert clone(estimator).fit(X, Y).n_iter_ == 2
    assert pickle.loads(pickle.dumps(estimator)).fit(X, Y).n_iter_ == 2  # noqa: S301


def test_several_starts_are_one_fit():
    recorder = Recorder()
    loss = ol.losses.ProbabilitySquaredError()
    model(loss=loss, n_init=2, random_state=0).set_callbacks(recorder).fit(X, Y)
    assert recorder.told.count("setup") == recorder.told.count("teardown") == 1
    assert recorder.told[-2] == "end fit 0"
    begun = [told for told in recorder.told if told.startswith("begin iteration")]
    ended = [told for told in recorder.told if told.startswith("end iteration")]
    assert sorted(begun) == sorted(told.replace("end", "begin") for told in ended)


# ---- inside scikit-learn's own --------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [None, 2])
def test_a_stopper_inside_a_search(jobs):
    stopper = Stopper()
    search = GridSearchCV(model().set_callbacks(Recorder(stop_at=3)), {"C": [0.1, 1.0]}, cv=2, n_jobs=jobs)
    # Threads: processes would each wait for an import of torch.
    with joblib.parallel_config("threading"):
        search.fit(X, Y)
    assert search.best_estimator_.n_iter_ == 3
    handed_down = GridSearchCV(model(), {"C": [0.1, 1.0]}, cv=2).set_callbacks(stopper)
    handed_down.fit(X, Y)
    iterations = [told for told in stopper.told if told.startswith("end iteration")]
    # Four fits of the search, and the last one on all rows.
    assert len(iterations) == 5 * 8
    assert not hasattr(handed_down.best_estimator_, "_skl_callbacks")


def test_the_progress_bar_of_scikit_learn(capsys):
    model().set_callbacks(protocol.ProgressBar()).fit(X, Y)
    out = capsys.readouterr().out
    assert "LogisticRegression - fit" in out
    assert "100%" in out
    search = GridSearchCV(model(), {"C": [0.1, 1.0]}, cv=2).set_callbacks(protocol.ProgressBar())
    search.fit(X, Y)
    out = capsys.readouterr().out
    assert out.count("LogisticRegression - fit") >= 5
    assert clone(model().set_callbacks(protocol.ProgressBar()))._skl_callbacks
    ol.LogisticRegression().set_callbacks(protocol.ProgressBar()).fit(X, Y)


def test_the_scoring_monitor_of_scikit_learn():
    monitor = protocol.ScoringMonitor(scoring="accuracy")
    fitted = model().set_callbacks(monitor).fit(X, Y)
    rows = monitor.get_logs().data
    assert len(rows) == 9
    assert rows[-1]["accuracy"] == fitted.score(X, Y)


def test_a_pipeline_that_hands_its_own_down_leaves_ours_alone():
    ours, theirs = ol.callbacks.Iterates(), Stopper()
    pipeline = make_pipeline(StandardScaler(), model().set_callbacks(ours)).set_callbacks(theirs)
    pipeline.fit(X, Y)
    assert len(ours) == 9
    assert sum(told.startswith("end iteration") for told in theirs.told) == 8
    pipeline[-1].fit(X, Y)
    assert len(ours) == 9
    assert sum(told.startswith("end iteration") for told in theirs.told) == 8


class Foreign:
    """What scikit-learn's protocol asks for, where there is no such protocol."""

    def setup(self, estimator, context):
        raise AssertionError("called")

    on_fit_task_begin = on_fit_task_end = teardown = setup


def test_without_scikit_learns_protocol_nothing_breaks(monkeypatch):
    path = adapter.__file__
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    spec = importlib.util.spec_from_file_location("adapter_alone", path)
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    assert alone._support is None
    assert not alone.is_scikit_learns(Foreign())
    monkeypatch.setattr(adapter, "_support", None)
    ours = ol.callbacks.Iterates()
    fitted = model().set_callbacks(ours).fit(X, Y)
    assert len(ours) == fitted.n_iter_ + 1
    with pytest.raises(ol.errors.ParameterError, match=r"callbacks of scikit-learn 1\.9 or later"):
        fitted.set_callbacks(Foreign())
