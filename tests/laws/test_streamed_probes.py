"""A probe whose parts are streams is the probe of their rows."""

import importlib
import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

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


def test_a_target_in_a_column_of_its_own():
    column = [(X, y[:, None]) for X, y in REAL]
    linear = ol.LinearRegression(tol=1e-10)
    expected = probe(*REAL, linear, Cs=[1e-3, 1e-2, 10.0])
    assert_same(probe(*map(stream, column), linear, Cs=[1e-3, 1e-2, 10.0]), expected)
    labels = [(X, y[:, None]) for X, y in PARTS]
    assert_same(probe(*map(stream, labels), Cs=GRID), probe(*PARTS, Cs=GRID))


@pytest.mark.parametrize("scoring", ["neg_log_loss", "f1_macro"])
def test_sparse_rows_and_labels_of_text(scoring):
    sparse = [ol.data.stream((scipy.sparse.csr_matrix(X), y.astype(str))) for X, y in PARTS]
    texts = [(X, y.astype(str)) for X, y in PARTS]
    assert_same(probe(*sparse, Cs=GRID, scoring=scoring), probe(*texts, Cs=GRID, scoring=scoring))


def test_a_validation_stream_of_one_class_has_scores():
    one = PARTS[1][0], np.zeros_like(PARTS[1][1])
    for scoring in ("f1_macro", "accuracy"):
        found = probe(stream(PARTS[0]), stream(one), Cs=GRID, scoring=scoring)
        np.testing.assert_allclose(found.scores, probe(PARTS[0], one, Cs=GRID, scoring=scoring).scores)


@pytest.mark.parametrize("change", ["labels", "rows", "order"])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_stream_that_gives_other_rows_is_refused(monkeypatch, part, change):
    fitted = []

    def rows():
        X, y = PARTS[1]
        if fitted:
            y = (y + 1) % 10 if change == "labels" else y
            X, y = {"rows": (X[:-5], y[:-5]), "order": (X[::-1], y[::-1])}.get(change, (X, y))
        yield X, y

    def path(*arguments, **options):
        fitted.append(True)
        return ol.path(*arguments, **options)

    monkeypatch.setattr(importlib.import_module("onelayer.selection.probe"), "path", path)
    parts = {"validation": PARTS[1], "test": PARTS[2], part: ol.data.stream(rows)}
    with pytest.raises(DataError, match="gave other rows than when it was read first"):
        probe(PARTS[0], parts["validation"], parts["test"], Cs=GRID)


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
TEXTS = [(X, np.array([f"digit {label}" for label in y])) for X, y in PARTS]
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
    "a measure of numbers": (
        ParameterError,
        (stream(TEXTS[0]), stream(TEXTS[1])),
        {"scoring": "neg_mean_squared_error", "rule": "one-standard-error"},
        "use 'neg_log_loss' or 'accuracy'",
    ),
    "not a number": (
        DataError,
        (stream(PARTS[0]), (np.where(PARTS[1][0] == 16, np.nan, PARTS[1][0]), PARTS[1][1])),
        {},
        "validation cannot be used: X has .* NaN",
    ),
    "level": (ParameterError, PARTS, {"level": 2}, "level is 2: give a share between 0 and 1"),
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


UNSUITED = {
    "numbers of text": (TEXTS, None, "neg_mean_squared_error"),
    "chances of numbers": (REAL, ol.LinearRegression(), "neg_log_loss"),
    "labels of numbers": (REAL, ol.LinearRegression(), "accuracy"),
}


@over("case", UNSUITED)
def test_a_scoring_that_does_not_suit_is_one_sentence(case):
    parts, est, scoring = case
    with pytest.raises(ParameterError, match="scoring"):
        ol.probe(*map(stream, parts), est, Cs=[1.0], scoring=scoring)


def test_options_are_refused_before_a_stream_is_read():
    counted = Counted(PARTS[0])
    source = ol.data.stream(counted)
    opened = counted.reads
    for options in (
        {"rule": "mine"},
        {"level": 2},
        {"scaling": "max"},
        {"interval": "mine"},
        {"refit": "mine"},
    ):
        with pytest.raises(ParameterError, match=f"^{next(iter(options))} is "):
            ol.probe(source, **options)
    assert counted.reads == opened


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
