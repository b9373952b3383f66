"""Stopping rules: each fires on what it reads, names its outcome, and combines with others."""

import pytest

import onelayer as ol
from onelayer import stopping
from onelayer.result import Record, Result, Status


def trace(*records):
    return [Record(i, float(i), 2.0 * i, **record) for i, record in enumerate(records)]


QUIET = trace({"objective": 2.0}, {"objective": 1.0})

# rule, the trace on which it fires, what it says, words of its reason
FIRES = {
    "iterations": (stopping.MaxIterations(1), QUIET, Status.MAX_ITER, "max_iter=1"),
    "seconds": (stopping.TimeLimit(0.5), QUIET, Status.TIME_LIMIT, "time_limit=0.5"),
    "change": (stopping.ObjectiveChange(1.0), QUIET, Status.FINISHED, "objective changed by 1"),
    "gradient": (
        stopping.GradientNorm(1e-3),
        trace({"objective": 1.0, "gradient_norm": 1e-3}),
        Status.FINISHED,
        "gradient is 0.001",
    ),
    "gap": (
        stopping.RelativeGap(1e-3),
        trace({"objective": 1.0, "relative_gap": 5e-4}),
        Status.CONVERGED,
        "gap is 0.0005, at most tol=0.001",
    ),
}
SILENT = {
    "iterations": stopping.MaxIterations(2),
    "seconds": stopping.TimeLimit(1.5),
    "change": stopping.ObjectiveChange(0.4),
    "gradient, unknown": stopping.GradientNorm(1e9),
    "gap, unknown": stopping.RelativeGap(1e9),
}


@pytest.mark.parametrize(("rule", "records", "status", "words"), FIRES.values(), ids=list(FIRES))
def test_a_rule_fires_and_names_its_outcome(rule, records, status, words):
    found, reason = rule.check(records)
    assert found is status
    assert words in reason
    assert "\n" not in reason


@pytest.mark.parametrize("rule", SILENT.values(), ids=list(SILENT))
def test_a_rule_is_silent_until_its_time(rule):
    assert rule.check(QUIET) is None


def test_one_record_is_no_change():
    assert stopping.ObjectiveChange(1e9).check(QUIET[:1]) is None


YES, NO = stopping.MaxIterations(0), stopping.MaxIterations(99)


@pytest.mark.parametrize(
    ("rule", "fires"),
    [
        (YES | NO, True),
        (NO | YES, True),
        (NO | NO, False),
        (YES & NO, False),
        (NO & YES, False),
        (YES & YES, True),
        (NO | YES & NO, False),
        ((YES | NO) & YES, True),
        ((NO | NO) & YES, False),
    ],
    ids=repr,
)
def test_rules_combine(rule, fires):
    assert bool(rule.check(QUIET)) == fires


def test_a_conjunction_gives_both_reasons():
    rule = stopping.ObjectiveChange(1.0) & stopping.MaxIterations(1)
    status, reason = rule.check(QUIET)
    assert status is Status.FINISHED
    assert "objective changed" in reason
    assert "max_iter" in reason


@pytest.mark.parametrize(
    "rule", [YES | NO, YES & NO, (YES | NO) & NO, YES | (NO & NO), (YES & NO) | NO], ids=repr
)
def test_repr_is_the_rule(rule):
    assert eval(repr(rule), vars(stopping)) == rule


def test_a_status_is_a_plain_string():
    assert Status.CONVERGED == "converged"
    assert str(Status.MAX_ITER) == "max_iter"
    assert {status for status in Status if status.is_success} == {Status.CONVERGED, Status.FINISHED}


def test_a_result_survives_json():
    import json

    result = ol.LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 3.0]).result_
    assert Result.from_dict(json.loads(json.dumps(result.to_dict()))) == result
