"""A probe whose parts are streams is the probe of their rows."""

import importlib
import itertools

import numpy as np
import pandas as pd
import pytest

import onelayer as ol
from instances import over
from onelayer.errors import DataError, ParameterError

DIGITS, DIABETES = ol.data.load("digits"), ol.data.load("diabetes")
PARTS = [(DIGITS.X[rows], DIGITS.y[rows]) for rows in (slice(500), slice(500, 800), slice(800, 1200))]
REAL = [
    (DIABETES.X[rows], DIABETES.y[rows] + 0.5) for rows in (slice(250), slice(250, 350), slice(350, None))
]
GRID = [1e-4, 1e-3, 1e-2]


def stream(part, **options):
    """Return the rows in several blocks, or in as few as there are."""
    return ol.data.stream(part, **{"memory_limit": "4 MB", **options})


def probe(*parts, **options):
    """Return a probe so exact that ways of reading make no difference."""
    if len(parts) < 4:
        options = {"est": ol.LogisticRegression(tol=1e-10), **options}
    return ol.probe(*parts, **options)


def assert_same(found, expected):
    """Two probes chose and judged alike."""
    assert pytest.approx(expected.C) == found.C
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-4)
    assert found.rows == expected.rows
    assert found.judgements.keys() == expected.judgements.keys()
    for part, judged in found.judgements.items():
        wanted = expected.judgements[part]
        assert judged.score == pytest.approx(wanted.score, rel=1e-3), part
        assert judged.loss == pytest.approx(wanted.loss, rel=1e-3), part
        assert judged.interval.low == pytest.approx(wanted.interval.low, rel=1e-2), part
    np.testing.assert_allclose(found.certificate.relative_gap, 0, atol=1e-6)


@pytest.mark.parametrize(
    "streamed", [kinds for kinds in itertools.product([False, True], repeat=3) if any(kinds)]
)
def test_any_of_its_parts_may_be_a_stream(streamed):
    parts = [stream(part) if there else part for part, there in zip(PARTS, streamed, strict=True)]
    assert_same(probe(*parts, Cs=GRID), probe(*PARTS, Cs=GRID))


OPTIONS = [
    {"rule": "one-standard-error"},
    {"scoring": "neg_log_loss", "scaling": "standardize"},
    {"scoring": "f1_macro"},
    {"interval": "bootstrap", "est": ol.SoftmaxRegression(class_weight="balanced", tol=1e-10)},
]


@over("options", {str(options): options for options in OPTIONS})
def test_it_is_chosen_by_the_same_rule(options):
    parts = [stream(part) for part in PARTS]
    assert_same(probe(*parts, Cs=GRID, **options), probe(*PARTS, Cs=GRID, **options))


def test_folds_of_a_stream_and_targets_beside_it():
    beside = ol.data.stream(PARTS[0][0], target=False, memory_limit="4 MB"), PARTS[0][1]
    expected = probe(PARTS[0], test=PARTS[2], Cs=GRID, cv=3)
    for train in (stream(PARTS[0]), beside):
        assert_same(probe(train, test=stream(PARTS[2]), Cs=GRID, cv=3), expected)
    again = probe(PARTS[0], (ol.data.stream(PARTS[1][0], target=False), PARTS[1][1]), Cs=GRID)
    assert_same(again, probe(*PARTS[:2], Cs=GRID))


def test_real_targets():
    linear = ol.LinearRegression(tol=1e-10)
    assert_same(probe(*map(stream, REAL), linear, Cs=[1e-3, 1e-2]), probe(*REAL, linear, Cs=[1e-3, 1e-2]))
    both = [(X, np.c_[y, -y]) for X, y in REAL]
    assert_same(probe(*map(stream, both), linear, Cs=[1e-3, 1e-2]), probe(*both, linear, Cs=[1e-3, 1e-2]))


class Counted:
    """A stream's blocks, with the reads counted."""

    def __init__(self, part):
        self.part, self.reads = part, 0

    def __call__(self):
        self.reads += 1
        X, y = self.part
        return iter([(X[:200], y[:200]), (X[200:], y[200:])])


def test_a_validation_stream_is_read_once_for_all_strengths():
    counted = [Counted(PARTS[1]) for _ in range(2)]
    for grid, source in zip((GRID[:1], GRID), counted, strict=True):
        ol.probe(PARTS[0], ol.data.stream(source), Cs=grid)
    assert counted[0].reads == counted[1].reads


WEIGHTED = ol.data.stream((*PARTS[0], np.ones(len(PARTS[0][1]))))
SMALL = (PARTS[1][0][:, :5], PARTS[1][1])
STRANGE = (PARTS[1][0], PARTS[1][1] + 5)
WRONG = {
    "rows of norm 1": (
        ParameterError,
        (stream(PARTS[0]), PARTS[1]),
        {"scaling": "l2"},
        "scaling is 'l2', and train is a stream, .* write them with norm 1, and give scaling=None",
    ),
    "both parts": (
        ParameterError,
        (PARTS[0], stream(PARTS[1])),
        {"refit": "train+validation"},
        "validation is a stream, which is not joined to another",
    ),
    "other columns": (DataError, (PARTS[0], stream(SMALL)), {}, "validation has 5 columns and train has 64"),
    "other labels": (
        DataError,
        (stream(PARTS[0]), stream(STRANGE)),
        {},
        "validation holds the label 1[0-4] in row .*, which train has not",
    ),
    "a function": (
        DataError,
        (PARTS[0], stream(PARTS[1])),
        {"scoring": lambda model, X, y: 1.0},
        "may look at rows, and those of a stream are not kept",
    ),
    "no error": (
        ParameterError,
        (PARTS[0], PARTS[1]),
        {"scoring": "f1_macro", "rule": "one-standard-error"},
        "no standard error on one validation part is known",
    ),
    "no target": (
        DataError,
        (ol.data.stream(PARTS[0][0], target=False),),
        {},
        "has no target, and y is None",
    ),
    "weights": (DataError, (WEIGHTED,), {}, "train holds the stream .* with weights"),
    "a number": (ParameterError, (5,), {}, "train is int: give a pair \\(X, y\\), a Dataset, or a stream"),
}


@over("case", WRONG)
def test_what_streams_cannot_have_is_said_before_the_fits(case, monkeypatch):
    error, parts, options, message = case

    def fitted(*arguments, **options):
        raise AssertionError("a fit was made")

    # The function has the name of its module.
    monkeypatch.setattr(importlib.import_module("onelayer.selection.probe"), "path", fitted)
    with pytest.raises(error, match=message):
        ol.probe(*parts, **options)


def test_columns_of_streams_keep_their_order(tmp_path):
    frames = []
    for (X, y), name in zip(PARTS[:2], "ab", strict=True):
        frame = pd.DataFrame(X[:, 20:30], columns=[f"p{place}" for place in range(10)])
        frames.append((frame, y))
        frame = frame if name == "a" else frame[frame.columns[::-1]]
        frame.assign(label=y).to_parquet(tmp_path / f"{name}.parquet")
    train, other = (ol.data.stream(tmp_path / f"{name}.parquet", target="label") for name in "ab")
    with pytest.raises(
        DataError, match="validation is a stream with other columns than train, or in another order"
    ):
        probe(train, other, Cs=GRID)
    turned = frames[1][0][frames[1][0].columns[::-1]], frames[1][1]
    assert_same(probe(train, turned, Cs=GRID), probe(*frames, Cs=GRID))
