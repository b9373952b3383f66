"""``torchrun -m onelayer``: the first process speaks and writes, and all of them work."""

import json

import numpy as np
import pytest

from instances import PROBLEMS
from processes.running import torchrun


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Return a file of 501 rows."""
    X, y = PROBLEMS["three classes"](rows=501)
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(path, np.column_stack([X, y]))
    return path


@pytest.mark.timeout(120)
def test_a_file_is_divided_and_one_process_tells(rows, tmp_path):
    from onelayer.cli import main

    done = torchrun("onelayer", "fit", rows, "--out", tmp_path / "two", "--tol", "1e-12", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["shards"] == [250, 251]
    assert told == json.loads((tmp_path / "two" / "summary.json").read_text())
    assert (tmp_path / "two" / "report.html").exists()
    main(["fit", str(rows), "--out", str(tmp_path / "one"), "--tol", "1e-12", "--model", "softmax"])
    alone = json.loads((tmp_path / "one" / "summary.json").read_text())
    assert alone["shards"] == [501]
    for name in ("n_train", "n_features", "n_classes"):
        assert told[name] == alone[name]
    for name in ("objective", "train_accuracy", "train_log_loss", "train_brier"):
        assert told[name] == pytest.approx(alone[name], rel=1e-6)


@pytest.mark.timeout(120)
def test_named_data_are_divided_too_and_numbers_are_measured_together(tmp_path):
    done = torchrun("onelayer", "fit", "diabetes", "--no-report", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["shards"] == [221, 221]
    assert told["train_r2"] == pytest.approx(0.5177, abs=1e-3)


@pytest.mark.timeout(120)
def test_a_mistake_is_told_once(tmp_path):
    done = torchrun("onelayer", "fit", tmp_path / "nothing.npy")
    assert done.returncode
    assert done.stderr.count("onelayer: ") == 1
    assert "nothing.npy" in done.stderr
    done = torchrun("onelayer", "datasets")
    assert done.returncode == 0
    assert done.stdout.count("breast-cancer") == 1
