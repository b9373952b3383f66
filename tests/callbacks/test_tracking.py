"""Fits as runs of MLflow and curves of TensorBoard: what was written is read back with the tools' own readers."""

import math
import pickle

import numpy as np
import pytest
from sklearn.base import clone

import onelayer as ol
from instances import PROBLEMS
from onelayer.solvers import minimize

X, Y = PROBLEMS["two classes"]()
GD = ol.solvers.GradientDescent(0.1, steps=5)


class Fails(ol.callbacks.Callback):
    def on_iteration(self, iterate):
        if iterate.record.iteration == 3:
            raise LookupError("mine")


def model(**settings):
    return ol.LogisticRegression(**{"solver": GD, "tol": 0, **settings})


# ---- MLflow ---------------------------------------------------------------------------------------------------


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    # Tests write files, and tell nobody.
    for name in ("MLFLOW_ALLOW_FILE_STORE", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    found = pytest.importorskip("mlflow")
    before = found.get_tracking_uri()
    found.set_tracking_uri((tmp_path / "runs").as_uri())
    yield found
    found.set_tracking_uri(before)


def history(mlflow, run_id, name):
    return [(m.step, m.value) for m in mlflow.MlflowClient().get_metric_history(run_id, name)]


@pytest.mark.parametrize("every", [0, 60.0])
def test_a_run_of_mlflow(mlflow, every, tmp_path):
    callback = ol.callbacks.MLflow("mine", every=every)
    monitor = ol.callbacks.Monitor(X, Y, "train_accuracy", share=0)
    fitted = model(C=2.0).set_callbacks(callback, monitor).fit(X, Y)
    run, trace = mlflow.get_run(callback.run_id), fitted.result_.trace
    assert mlflow.active_run() is None
    assert (run.info.run_name, run.info.status) == ("mine", "FINISHED")
    assert run.data.params["model"] == "LogisticRegression"
    assert run.data.params["C"] == "2.0"
    assert run.data.params["rows"] == str(len(X))
    assert run.data.params["solver_used"] == repr(GD)
    assert history(mlflow, callback.run_id, "objective") == [(r.iteration, r.objective) for r in trace]
    assert history(mlflow, callback.run_id, "passes") == [(r.iteration, r.passes) for r in trace]
    assert [value for _, value in history(mlflow, callback.run_id, "train_accuracy")] == [
        record.metrics["train_accuracy"] for record in trace
    ]
    assert run.data.tags["status"] == "finished"
    assert run.data.tags["message"] == fitted.result_.message
    assert run.data.tags["certificate"] == str(fitted.certificate_)
    assert run.data.metrics["certified_relative_gap"] == fitted.certificate_.relative_gap
    folder = mlflow.artifacts.download_artifacts(
        run_id=callback.run_id, artifact_path="model", dst_path=str(tmp_path)
    )
    again = ol.load(folder)
    assert np.array_equal(again.coef_, fitted.coef_)
    assert again.certificate_ == fitted.certificate_


def test_the_active_run_is_used_and_stays_open(mlflow):
    callback = ol.callbacks.MLflow(model=None)
    with mlflow.start_run() as run:
        model().set_callbacks(callback).fit(X, Y)
        assert mlflow.active_run().info.run_id == run.info.run_id == callback.run_id
    assert mlflow.get_run(callback.run_id).data.tags["status"] == "finished"


def test_each_fit_is_a_run_of_the_experiment_that_is_set(mlflow):
    callback = ol.callbacks.MLflow(model=None)
    mlflow.set_experiment("mine")
    try:
        estimator = model().set_callbacks(callback)
        runs = {estimator.fit(X, Y) and callback.run_id for _ in range(2)}
        names = {run.info.run_id for run in mlflow.search_runs(output_format="list")}
        assert runs == names
    finally:
        mlflow.set_experiment("Default")


def test_several_starts_are_one_run(mlflow):
    callback = ol.callbacks.MLflow(model=None)
    loss = ol.losses.ProbabilitySquaredError()
    model(loss=loss, n_init=2, random_state=0).set_callbacks(callback).fit(X, Y)
    assert [step for step, _ in history(mlflow, callback.run_id, "objective")] == list(range(12))
    assert mlflow.get_run(callback.run_id).data.tags["certificate"] == "None"


def test_a_fit_that_fails_is_a_failed_run(mlflow):
    callback = ol.callbacks.MLflow()
    estimator = model().set_callbacks(callback, Fails())
    with pytest.raises(LookupError, match="mine"):
        estimator.fit(X, Y)
    assert mlflow.get_run(callback.run_id).info.status == "FAILED"
    failed = callback.run_id
    with pytest.raises(ol.errors.DataError):
        estimator.fit(X, Y[:-1])
    estimator.set_callbacks(callback).fit(X, Y)
    assert callback.run_id != failed
    assert mlflow.get_run(callback.run_id).info.status == "FINISHED"
    assert pickle.loads(pickle.dumps(callback)).run_id == callback.run_id  # noqa: S301


def test_without_an_estimator_too(mlflow):
    callback = ol.callbacks.MLflow()
    objective = model().objective(X, Y)
    minimize(GD, objective, objective.zeros(), tol=0, callbacks=[callback])
    run = mlflow.get_run(callback.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["loss"] == "logistic"
    assert run.data.tags["status"] == "finished"


# ---- TensorBoard ----------------------------------------------------------------------------------------------


def events(folder):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = reader.EventAccumulator(str(folder))
    found.Reload()
    return found


def scalars(found, name):
    return [(event.step, event.value) for event in found.Scalars(name)]


def text(found, name):
    (event,) = found.Tensors(f"{name}/text_summary")
    return event.tensor_proto.string_val[0].decode()


def test_curves_of_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    monitor = ol.callbacks.Monitor(X, Y, "train_accuracy", share=0)
    callback = ol.callbacks.TensorBoard(tmp_path)
    fitted = model(C=2.0).set_callbacks(callback, monitor).fit(X, Y)
    found, trace = events(tmp_path), fitted.result_.trace
    for name in ("objective", "passes", "gradient_norm"):
        assert scalars(found, name) == [(r.iteration, pytest.approx(getattr(r, name))) for r in trace]
    assert [step for step, _ in scalars(found, "train_accuracy")] == list(range(6))
    assert scalars(found, "certified_gap") == [(5, pytest.approx(fitted.certificate_.gap))]
    assert "| C | 2.0 |" in text(found, "parameters")
    assert text(found, "status") == f"finished: {fitted.result_.message}"
    assert text(found, "certificate") == str(fitted.certificate_)
    assert callback._writer is None
    pickle.dumps(callback)


def test_a_fit_that_fails_closes_its_file(tmp_path):
    pytest.importorskip("tensorboard")
    callback = ol.callbacks.TensorBoard(tmp_path)
    estimator = model().set_callbacks(callback, Fails())
    with pytest.raises(LookupError, match="mine"):
        estimator.fit(X, Y)
    assert callback._writer is None
    assert [step for step, _ in scalars(events(tmp_path), "objective")] == [0, 1, 2, 3]
    with pytest.raises(ol.errors.DataError):
        estimator.fit(X, Y[:-1])
    objective = clone(estimator).objective(X, Y)
    minimize(GD, objective, objective.zeros(), tol=0, callbacks=[callback])
    assert callback._writer is None
    assert scalars(events(tmp_path), "objective")[-1][0] == 9


def test_what_is_not_finite_is_left_out():
    from onelayer.callbacks.tracking import certificate_facts, numbers_of
    from onelayer.result import Record

    record = Record(0, 0.0, 1.0, math.inf, None, None, None, {"score": math.nan})
    assert numbers_of(record) == {"passes": 1.0, "seconds": 0.0}
    assert certificate_facts(None) == {}
