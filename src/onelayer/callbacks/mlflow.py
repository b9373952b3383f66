"""A fit as a run of MLflow."""

import math
import tempfile
import time
from typing import Any

from onelayer.callbacks.base import Callback
from onelayer.callbacks.tracking import Steps, certificate_facts, numbers_of, parameters_of, require
from onelayer.errors import ParameterError

__all__ = ["MLflow"]

_LONGEST = 500


class MLflow(Callback):
    """Writes parameters, the numbers of each iteration, certificate, status and the saved model to MLflow.

    They go to the run that is active, which stays open; where there is none, each fit makes a run of its own. With
    ``n_init`` the steps of all starts are counted on. Needs ``pip install 'onelayer[tracking]'``.

    Parameters
    ----------
    run_name : str, optional
        Of the runs that are made.
    model : str or None, default "model"
        The folder among the run's artifacts for the files of ``estimator.save``; None keeps none.
    every : float, default 1.0
        Seconds between two writings, at least.

    Attributes
    ----------
    run_id : str or None
        Of the last fit.

    Raises
    ------
    ParameterError
        If an argument is out of its range, or mlflow is not installed.

    Examples
    --------
    >>> import mlflow
    >>> import onelayer as ol
    >>> callback = ol.callbacks.MLflow("first try")
    >>> model = ol.LogisticRegression().set_callbacks(callback)
    >>> mlflow.set_tracking_uri("http://127.0.0.1:5000")  # doctest: +SKIP
    >>> model = model.fit([[1.0], [2.0], [3.0]], [0, 0, 1])  # doctest: +SKIP
    >>> mlflow.get_run(callback.run_id).data.tags["status"]  # doctest: +SKIP
    'converged'
    """

    _client: Any
    run_id: Any

    def __init__(self, run_name=None, *, model="model", every=1.0):
        if not (isinstance(every, int | float) and 0 <= every < math.inf):
            raise ParameterError(f"every is {every!r}: give a number of seconds ≥ 0.")
        if not (model is None or (isinstance(model, str) and model)):
            raise ParameterError(f"model is {model!r}: give the name of a folder, or None.")
        require("mlflow", "MLflow")
        self.run_name, self.model, self.every = run_name, model, every
        self.run_id = self._fitting = self._client = None

    def __repr__(self):
        return "MLflow()"

    def __getstate__(self):
        return {**vars(self), "_client": None, "_fitting": None}

    def on_fit_begin(self, start):
        import mlflow

        self._due = time.perf_counter() + self.every
        # A further start of the same fit goes on in the run of the first.
        if self._fitting is not None and self._fitting is start.estimator:
            return
        self._client, self._steps, self._waiting = None, Steps(), []
        active = mlflow.active_run()
        self._own = active is None
        self.run_id = self._new_run() if active is None else active.info.run_id
        self._client, self._fitting = mlflow.MlflowClient(), start.estimator
        for name, value in parameters_of(start).items():
            self._client.log_param(self.run_id, name, value[:_LONGEST])

    def on_iteration(self, iterate):
        # Before this record is added: callbacks after this one may still write metrics into it.
        if time.perf_counter() >= self._due:
            self._write()
            self._due = time.perf_counter() + self.every
        self._waiting.append((self._steps.of(iterate.record), iterate.record, int(time.time() * 1000)))

    def on_fit_end(self, result):
        # There is no run where MLflow refused to make one.
        if self._client is None:
            return
        self._write()
        if self._fitting is None:
            self._conclude(result)

    def on_fitted(self, estimator):
        # A fit that failed before it began has no run.
        if self._fitting is None:
            return
        if estimator is not None:
            self._measure(certificate_facts(estimator.certificate_))
            self._tell({"certificate": str(estimator.certificate_)})
            if self.model is not None:
                with tempfile.TemporaryDirectory() as folder:
                    estimator.save(folder)
                    self._client.log_artifacts(self.run_id, folder, self.model)
        self._conclude(estimator and estimator.result_)

    def _conclude(self, result):
        if result is not None:
            self._tell({"status": str(result.status), "message": result.message})
            self._measure({"final_objective": result.objective, "total_passes": result.passes})
        if self._own:
            self._client.set_terminated(self.run_id, "FAILED" if result is None else "FINISHED")
        self._fitting = self._client = None

    def _new_run(self):
        import mlflow

        # Only MLflow's own start knows the experiment that is set; a fit must not leave a run active, though.
        run_id = mlflow.start_run(run_name=self.run_name).info.run_id
        mlflow.end_run()
        mlflow.MlflowClient().update_run(run_id, status="RUNNING")
        return run_id

    def _tell(self, tags):
        for name, value in tags.items():
            self._client.set_tag(self.run_id, name, value)

    def _measure(self, values):
        for name, value in values.items():
            if math.isfinite(value):
                self._client.log_metric(self.run_id, name, value)

    def _write(self):
        from mlflow.entities import Metric

        metrics = [
            Metric(name, value, when, step)
            for step, record, when in self._waiting
            for name, value in numbers_of(record).items()
        ]
        for first in range(0, len(metrics), 1000):
            self._client.log_batch(self.run_id, metrics=metrics[first : first + 1000])
        self._waiting = []
