"""The comparison with peers: all translate the objective alike, and the command writes what it promises."""

import functools
import json
import math
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import machine  # noqa: E402
from climbing import climb  # noqa: E402
from gaps import Bounds, decide  # noqa: E402
from judging import judge  # noqa: E402
from peers import PEERS  # noqa: E402
from peers.base import legs  # noqa: E402
from results import Results  # noqa: E402
from tasks import Task  # noqa: E402

ROWS = 200
TASKS = {
    "logistic": Task("logistic", 0.02, ROWS, 2),
    "unpenalised": Task("logistic", 0.0, ROWS, 2),
    "softmax": Task("softmax", 0.02, ROWS, 3),
    "ridge": Task("squared", 0.02, ROWS),
    "least squares": Task("squared", 0.0, ROWS),
    "huber": Task("huber", 0.02, ROWS, delta=1.345),
}
ABSENT = machine.missing(PEERS.values())


def data(task):
    generator = np.random.default_rng(0)
    # Neither centred nor scaled alike, so that a penalised intercept or a scaled penalty would show.
    X = generator.standard_normal((ROWS, 4)) * [1, 2, 0.5, 1] + [1, 0, -1, 2]
    scores = X @ generator.standard_normal((4, max(task.classes, 1)))
    if task.classes:
        y = (scores + 2 * generator.gumbel(size=scores.shape)).argmax(axis=1)
    else:
        y = scores[:, 0] + 3 + generator.standard_normal(ROWS) + 10 * (generator.random(ROWS) < 0.1)
    return X, y


def fit(name, task, X, y):
    # Tight, but not so tight that saga or coordinate descent would go on for ever; liblinear's tolerance is relative.
    setting = {"tol": 1e-12 if name == "sklearn-liblinear" else 1e-8}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = PEERS[name].fit(task, X, y, setting if "tol" in PEERS[name].ladder(task)[0][-1] else {})
    return np.asarray(fitted.coef).reshape(task.outputs, -1), np.asarray(fitted.intercept).reshape(-1)


@functools.cache
def reference(kind):
    X, y = data(TASKS[kind])
    coef, intercept = fit("onelayer", TASKS[kind], X, y)
    return X, y, coef, judge(TASKS[kind], X, y, coef, intercept).objective


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in PEERS for kind in TASKS if PEERS[name].takes(TASKS[kind], "cpu")],
)
def test_every_peer_minimises_the_very_same_objective(name, kind):
    task, library = TASKS[kind], PEERS[name].distribution
    if library in ABSENT:
        pytest.skip(f"{library}: {ABSENT[library]}")
    X, y, ours, lowest = reference(kind)
    coef, intercept = fit(name, task, X, y)
    judgement = judge(task, X, y, coef, intercept)
    assert judgement.objective == pytest.approx(lowest, rel=1e-6)
    # Where there is no certificate, the two objectives alone are compared.
    assert judgement.reason or judgement.relative_gap < 1e-6
    np.testing.assert_allclose(coef, ours, atol=3e-3)


def test_command_writes_runs_table_and_pictures(tmp_path):
    command = [
        *(
            sys.executable,
            BENCHMARKS / "compare.py",
            "--problems",
            "diabetes",
            "--repeat",
            "1",
            "--threads",
            "1",
        ),
        *("--peers", "onelayer,sklearn-ridge-cholesky", "--time-limit", "30", "--out", tmp_path / "tiny"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "tiny.json").read_text())
    assert {run["peer"] for run in content["runs"]} == {"onelayer", "sklearn-ridge-cholesky"}
    assert all(run["outcome"] == "done" for run in content["runs"])
    assert Bounds.of(content["runs"]).proven
    page = (tmp_path / "tiny.md").read_text()
    assert "| sklearn-ridge-cholesky |" in page
    assert "not reached" not in page
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", ".md", ".png", ".svg"}
    assert str(tmp_path) not in page + json.dumps(content)


def test_record_is_found_again_and_holds_no_infinities(tmp_path):
    first = Results(tmp_path / "record.json")
    run = {
        "problem": "p",
        "peer": "a",
        "setting": {"tol": 0.1},
        "repeat": 0,
        "outcome": "done",
        "seconds": 2.0,
    }
    first.add({**run, "objective": math.inf, "relative_gap": None})
    first.add({**run, "setting": {"tol": 0.01}, "objective": 0.5, "relative_gap": 1e-7})
    again = Results(tmp_path / "record.json", resume=True)
    assert again.find("p", "a", {"tol": 0.1}, 0)["objective"] is None
    assert again.find("p", "a", {"tol": 0.1}, 1) is None
    bounds = Bounds.of(again.runs)
    assert bounds.gap(again.runs[0]) == math.inf
    assert decide(again.runs, 1e-6, bounds) == {"tol": 0.01}
    assert decide(again.runs, 1e-8, bounds) is None


def test_certificate_of_one_result_bounds_the_gap_of_another():
    near = {"outcome": "done", "objective": 1.0, "relative_gap": 1e-6}
    far = {"outcome": "done", "objective": 1.25, "relative_gap": None}
    bounds = Bounds.of([near, far])
    assert bounds.proven
    assert bounds.gap(far) == pytest.approx((0.25 + 1e-6) / 1.25)
    assert not bounds.wants_certificate(1.25)
    assert bounds.wants_certificate(1 + 1e-7)
    assert Bounds.of([far]).wants_certificate(1.25)
    assert not Bounds.of([far]).proven


@pytest.mark.parametrize("rate", [1, 2, 6])
def test_ladder_finds_the_cheapest_rungs_with_fewer_runs(rate):
    runs = []

    def measure(setting):
        # A tighter tolerance costs more; the gap falls like tol ** rate.
        value = setting["tol"] ** rate
        run = {"setting": setting, "repeat": 0, "outcome": "done", "relative_gap": None}
        runs.append({**run, "objective": 1 / (1 - value), "seconds": 1 - math.log10(setting["tol"])})
        return runs[-1]

    tolerances = [10.0**-k for k in range(1, 10)]
    # A run of someone else proves min P = 1.
    known = {"repeat": 1, "outcome": "done", "objective": 1.0, "relative_gap": 0.0}
    climb([[{"tol": tol} for tol in tolerances]], measure, lambda: [*runs, known], 1e9, 1e9)
    for threshold in (1e-3, 1e-6):
        cheapest = next(tol for tol in tolerances if tol**rate <= threshold * (1 + 1e-9))
        assert decide(runs, threshold * (1 + 1e-9), Bounds(1.0, 1.0)) == {"tol": cheapest}
    assert rate == 1 or len(runs) < len(tolerances)
    assert len({run["setting"]["tol"] for run in runs}) == len(runs)


def test_rungs_before_one_that_took_too_long_are_tried():
    runs = []

    def measure(setting):
        tol = setting["tol"]
        run = {"setting": setting, "repeat": 0, "outcome": "done" if tol > 2e-4 else "time limit"}
        runs.append(
            run | {"certified": True, "relative_gap": tol**0.5, "objective": 1 + tol**0.5, "seconds": 1.0}
        )
        return runs[-1]

    climb([[{"tol": 10.0**-k} for k in range(1, 9)]], measure, lambda: runs, 1e9, 1.0)
    assert min(run["setting"]["tol"] for run in runs if run["outcome"] == "done") == pytest.approx(1e-3)


def test_iteration_limits_follow_a_tolerance_that_was_not_met_in_time():
    runs = []

    def measure(setting):
        done = setting.get("max_iter", math.inf) <= 300
        run = {
            "setting": setting,
            "repeat": 0,
            "outcome": "done" if done else "time limit",
            "certified": True,
        }
        runs.append(run | {"relative_gap": 0.01, "objective": 1.0, "seconds": 1.0})
        return runs[-1]

    climb(legs([0.1, 0.01], [0.1]), measure, lambda: runs, 1e9, 1.0)
    settings = [run["setting"] for run in runs]
    assert settings[0] == {"tol": 0.1}
    assert {"max_iter": 300} in settings
    assert settings[-1] == {"tol": 0.1, "dtype": "float64"}
