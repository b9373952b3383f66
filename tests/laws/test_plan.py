"""What a plan says is what the fit then does; and nothing is fitted, read or written for it."""

import json

import numpy as np
import pytest
import torch

import onelayer as ol
from instances import over
from onelayer.cli import main
from onelayer.data import stream
from onelayer.errors import DataError, OnelayerError


def rows(count, features, classes, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, features)).astype(np.float32)
    scores = X @ rng.normal(size=(features, classes)) / np.sqrt(features) + rng.gumbel(size=(count, classes))
    return X, scores.argmax(axis=1)


STREAMS = {
    "two classes": (40_000, 20, 2, "4 MB", ol.LogisticRegression()),
    "ten classes": (40_000, 20, 10, "8 MB", ol.SoftmaxRegression()),
    "wide": (20_000, 200, 2, "8 MB", ol.LogisticRegression(C=0.01)),
    "tight": (40_000, 20, 2, "4 MB", ol.LogisticRegression(tol=1e-10)),
    "all rows are the sample": (2_000, 20, 2, "20 MB", ol.LogisticRegression()),
    "numbers": (40_000, 20, 2, "4 MB", ol.LinearRegression(alpha=0.1)),
}


@over("case", STREAMS)
def test_a_stream_is_read_as_often_as_planned_and_held_as_planned(case):
    count, features, classes, limit, model = case
    X, y = rows(count, features, classes)
    found = ol.plan(model, stream((X, y), memory_limit=limit))
    assert not hasattr(model, "coef_")
    assert found.fits
    assert found.bytes < found.free == float(limit.split()[0]) * 10**6
    assert (found.rows, found.features) == (count, features)
    fitted = model.fit(stream((X, y), memory_limit=limit))
    assert found.outputs == np.atleast_1d(fitted.intercept_).size
    assert found.solver == fitted.result_.solver
    assert found.dtype in fitted.result_.dtype
    low, high = found.reads
    assert low <= fitted.result_.reads <= high
    low, high = found.passes
    assert low <= fitted.result_.passes <= high


@over(
    "case",
    {
        "newton": ("newton", {}),
        "proximal newton": ("proximal-newton", {"l1_ratio": 0.5}),
        "sgd": ("sgd", {"solver": ol.solvers.SGD(epochs=7)}),
        "lbfgs": ("lbfgs", {"solver": "lbfgs"}),
    },
)
def test_data_in_memory(case):
    solver, options = case
    X, y = rows(2_000, 20, 3)
    model = ol.SoftmaxRegression(**options, random_state=0)
    found = ol.plan(model, X, y)
    assert (found.solver, found.rows, found.outputs, found.reads) == (solver, 2_000, 3, None)
    assert found.fits
    fitted = model.fit(X, y)
    low, high = found.passes
    assert low <= fitted.result_.passes <= high
    # A copy is held, X itself is there.
    assert ol.plan(model, X.astype(int), y).bytes - found.bytes >= X.size * 8
    assert ol.plan(model, torch.from_numpy(X), y).bytes == found.bytes


def test_one_class_in_the_first_rows_is_no_error_and_no_target_is_one():
    X, y = rows(5_000, 5, 2)
    order = np.argsort(y, kind="stable")
    found = ol.plan(ol.LogisticRegression(), stream((X[order], y[order]), memory_limit="4 MB"))
    assert found.outputs == 1
    with pytest.raises(DataError, match="have no target"):
        ol.plan(ol.LogisticRegression(), stream(X, target=False))
    with pytest.raises(OnelayerError, match="draws its rows at random"):
        ol.plan(ol.LogisticRegression(solver="sgd"), stream((X, y)))


def test_rows_that_are_not_counted_are_not_guessed():
    X, y = rows(5_000, 5, 2)
    found = ol.plan(ol.LogisticRegression(), stream(lambda: iter([(X, y)]), memory_limit="4 MB"))
    assert found.rows is None
    assert "rows not yet counted" in str(found)


def test_the_command_plans_and_writes_nothing(tmp_path, capsys):
    X, y = rows(5_000, 5, 2)
    path = tmp_path / "rows.npy"
    np.save(path, np.column_stack([X, y]))
    assert main(["fit", str(path), "--memory-limit", "4MB", "--plan", "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("data      5,000 rows × 5 features, 1 output\nsolver    sketched-newton: ")
    assert "reads" in told.splitlines()[-1]
    assert main(["fit", "iris", "--plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["solver"] == "newton"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.npy"]
