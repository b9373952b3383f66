"""What the logger "onelayer" hears, and that nobody else hears anything."""

import logging
import re
import subprocess
import sys

import numpy as np
import pytest

import onelayer as ol
from instances import PROBLEMS

X, Y = PROBLEMS["two classes"]()
GD = ol.solvers.GradientDescent


def messages(caplog, level):
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def test_start_and_end(caplog):
    caplog.set_level(logging.INFO, logger="onelayer")
    model = ol.LogisticRegression(C=2.0).fit(X, Y)
    begin, end = messages(caplog, logging.INFO)
    assert begin == (
        "LogisticRegression: fit begins with newton: 60 rows, 4 features, 1 output, logistic loss, "
        f"L2({1 / 120!r}), tol=1e-06, float64 on cpu"
    )
    assert re.match(
        r"LogisticRegression: converged after \d+ iterations?, [\d.]+ passes and [\d.e-]+ s\. ", end
    )
    assert end.endswith(model.result_.message)
    assert {record.name for record in caplog.records} == {"onelayer"}


def test_iterations(caplog):
    caplog.set_level(logging.DEBUG, logger="onelayer")
    ol.LogisticRegression(solver=GD(steps=3), tol=0).fit(X, Y)
    lines = messages(caplog, logging.DEBUG)
    assert [line.split("  ")[0] for line in lines] == [f"LogisticRegression: iteration {i}" for i in range(4)]
    assert all("objective 0." in line for line in lines)


def test_copies(caplog):
    caplog.set_level(logging.INFO, logger="onelayer")
    model = ol.LogisticRegression().fit(np.asfortranarray(X), Y)
    found = messages(caplog, logging.INFO)
    assert model.result_.copies == ["X was copied to row order"]
    assert found[0] == "LogisticRegression: X was copied to row order"


def test_an_error(caplog):
    class Fails(ol.callbacks.Callback):
        def on_iteration(self, iterate):
            raise LookupError("mine")

    caplog.set_level(logging.INFO, logger="onelayer")
    with pytest.raises(LookupError):
        ol.LogisticRegression().set_callbacks(Fails()).fit(X, Y)
    assert messages(caplog, logging.INFO)[-1] == "LogisticRegression: the fit ended with an error"


def test_minimize(caplog):
    caplog.set_level(logging.INFO, logger="onelayer")
    objective = ol.LogisticRegression().objective(X, Y)
    start = objective.zeros()
    ol.solvers.minimize(GD(steps=1), objective, start, tol=0, callbacks=[ol.callbacks.FitLog()])
    begin, end = messages(caplog, logging.INFO)
    assert begin.startswith("minimize: fit begins with gradient-descent: 60 rows")
    assert end.startswith("minimize: finished after 1 iteration, ")


SILENT = """
import logging
import onelayer as ol
X, y = [[1.0], [2.0], [3.0]], [0, 0, 1]
ol.LogisticRegression().fit(X, y).predict(X)
ol.SoftmaxRegression(solver=ol.solvers.SGD(epochs=2), tol=0, random_state=0).fit(X, y)
ol.LinearRegression().fit(X, [1.0, 2.0, 4.0])
assert all(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("onelayer").handlers)
logging.getLogger("onelayer").warning("a warning that nobody asked to see")
"""


def test_nothing_is_printed_by_default():
    done = subprocess.run([sys.executable, "-c", SILENT], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
