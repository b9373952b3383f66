"""Processes that are killed at any moment: what goes on after them is the same fit, and no finished iteration is lost."""

import itertools
import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import onelayer as ol
from instances import PROBLEMS
from processes.running import HERE, environment, torchrun


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Return a file of 601 rows, and the optimum."""
    X, y = PROBLEMS["three classes"](rows=601)
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(path, np.column_stack([X, y]))
    return path, ol.SoftmaxRegression(C=100.0, tol=1e-13).fit(X, y).certificate_


def outcome(folder, proof):
    """Return what the last run says, and (attempt, iteration) of all iterations, after a look at the optimum."""
    found = json.loads((folder / "end.json").read_text())
    assert found["relative_gap"] <= 1e-13
    rounding = 4 * np.finfo(float).eps * proof.objective
    assert abs(found["objective"] - proof.objective) <= found["gap"] + proof.gap + rounding
    lines = [tuple(map(int, line.split())) for line in (folder / "iterations.txt").read_text().splitlines()]
    assert lines[-1][1] == found["iterations"]
    return found, lines


def require_nothing_lost(lines):
    """Each iteration follows the one before it, or is where a run goes on: at the last finished one."""
    iterations = [iteration for _, iteration in lines]
    assert iterations[0] == 0
    assert all(later - earlier in (0, 1) for earlier, later in itertools.pairwise(iterations))


@pytest.mark.timeout(200)
def test_a_process_that_is_killed_again_and_again(rows, tmp_path):
    path, proof = rows
    command = [sys.executable, str(HERE / "killed.py"), str(path), str(tmp_path), "[]"]
    draw = random.Random(0)
    told = tmp_path / "iterations.txt"
    for _ in range(5):
        running = subprocess.Popen(command, env=environment())
        before = told.read_text().count("\n") if told.exists() else 0
        deadline = time.monotonic() + 60
        # From the start of the fit on at some moment.
        while time.monotonic() < deadline and not (told.exists() and told.read_text().count("\n") > before):
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 0.4))
        running.send_signal(signal.SIGKILL)
        running.wait()
    subprocess.run(command, env=environment(), check=True)
    found, lines = outcome(tmp_path, proof)
    require_nothing_lost(lines)
    assert found["shards"] == [601]


@pytest.mark.timeout(200)
def test_workers_that_die_are_started_anew_and_any_number_of_them_goes_on(rows, tmp_path):
    path, proof = rows
    # Of five attempts: who dies.
    victims = [[1], [0], [0, 1], [1], [0]]
    done = torchrun(
        "killed.py",
        path,
        tmp_path,
        json.dumps(victims),
        processes=2,
        options=["--max-restarts", "5"],
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    found, lines = outcome(tmp_path, proof)
    assert len({attempt for attempt, _ in lines}) > 1
    require_nothing_lost(lines)
    assert found["shards"] == [300, 301]
    # The same checkpoint, and another number of processes.
    (tmp_path / "iterations.txt").write_text("0 0\n")
    done = torchrun("killed.py", path, tmp_path, "[]", processes=3)
    assert done.returncode == 0, done.stderr
    again, lines = outcome(tmp_path, proof)
    assert again["shards"] == [200, 200, 201]
    assert lines[1][1] == found["iterations"]
