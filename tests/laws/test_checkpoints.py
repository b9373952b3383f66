"""A fit that was ended goes on where it was, if it is the same fit; and says what differs if it is not."""

import errno
import os

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

import onelayer as ol
from instances import PROBLEMS, over
from onelayer import persistence
from onelayer.callbacks import Callback
from onelayer.cli import main
from onelayer.data import stream
from onelayer.designs import Fingerprint
from onelayer.designs.feed import tensor_of
from onelayer.errors import ModelFileError, OutputError, ParameterError
from onelayer.estimators import memory
from onelayer.processes import ALONE

FILE = "checkpoint.safetensors"


class Ended(Exception):
    """The end of a fit from outside."""


class Ending(Callback):
    """Ends a fit at an iteration, as a kill would: nothing comes after it."""

    def __init__(self, at):
        self.at, self.seen = at, []

    def on_iteration(self, iterate):
        self.seen.append(iterate.record.iteration)
        if iterate.record.iteration == self.at:
            raise Ended
        return False


@pytest.fixture
def small(monkeypatch):
    """Blocks of 7 rows of 4 numbers, and a sample of about 60 rows: a poor model, so that there are steps."""
    budget = memory.Budget(2**22, 60 * (4 * 8 + 80), 7 * 4 * 8, per_output=20)
    monkeypatch.setattr(memory.Budget, "of", staticmethod(lambda *_: budget))


def ended(model, at, *data, **options):
    """Fit until an iteration and return which iterations there were."""
    ending = Ending(at)
    model.set_callbacks(ending)
    with pytest.raises(Ended):
        model.fit(*data, **options)
    model.set_callbacks()
    return ending.seen


def problem(rows=200):
    return PROBLEMS["three classes"](rows=rows)


def test_a_stream_goes_on_and_loses_no_iteration(small, tmp_path):
    X, y = problem()
    whole = ol.SoftmaxRegression(tol=1e-13).fit(stream((X, y)))
    last = whole.n_iter_
    assert last >= 3
    model = ol.SoftmaxRegression(tol=1e-13)
    seen = [ended(model, at, stream((X, y)), checkpoint=tmp_path) for at in range(1, last)]
    # Each run begins where the one before it stood, and loses no iteration.
    assert seen == [[0, 1]] + [[at - 1, at] for at in range(2, last)]
    model.fit(stream((X, y)), checkpoint=tmp_path)
    assert model.n_iter_ == last
    assert [record.iteration for record in model.result_.trace] == list(range(last + 1))
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=0, atol=1e-8)
    assert model.certificate_.relative_gap <= 1e-13
    # A read for labels and sample in each run.
    assert model.result_.reads > whole.result_.reads
    seconds = [record.seconds for record in model.result_.trace]
    assert seconds == sorted(seconds)


@over(
    "solver",
    {name: name for name in ("newton", "lbfgs", "gradient-descent", "sketched-newton")},
)
def test_every_solver_without_draws_goes_on_in_memory(solver, tmp_path):
    X, y = problem()
    model = ol.SoftmaxRegression(solver=solver, tol=1e-9, max_iter=5000)
    whole = ol.SoftmaxRegression(solver=solver, tol=1e-9, max_iter=5000).fit(X, y)
    at = min(2, whole.n_iter_)
    ended(model, at, X, y, checkpoint=tmp_path)
    model.fit(X, y, checkpoint=tmp_path)
    assert model.result_.status == whole.result_.status
    assert [record.iteration for record in model.result_.trace] == list(range(model.n_iter_ + 1))
    gaps = model.certificate_.gap + whole.certificate_.gap
    assert abs(model.certificate_.objective - whole.certificate_.objective) <= gaps


def test_least_squares_and_a_tighter_tolerance(tmp_path):
    X, y = PROBLEMS["linear"](rows=100)
    ol.LinearRegression(alpha=0.1, l1_ratio=0.5, tol=1e-2).fit(X, y, checkpoint=tmp_path)
    model = ol.LinearRegression(alpha=0.1, l1_ratio=0.5, tol=1e-12).fit(X, y, checkpoint=tmp_path)
    assert model.certificate_.relative_gap <= 1e-12


def test_the_limit_of_time_is_that_of_each_run(tmp_path):
    X, y = problem()
    for _ in range(3):
        slow = ol.solvers.GradientDescent(learning_rate=1e-6, steps=10**6)
        model = ol.SoftmaxRegression(solver=slow, time_limit=0.05)
        with pytest.warns(match="time"):
            model.fit(X, y, checkpoint=tmp_path)
    assert model.result_.seconds >= 0.15


# ---- other fits ---------------------------------------------------------------------------------------------------


def _changed(X, y):
    X = X.copy()
    X[17, 2] += 1e-9
    return X, y


OTHERS = {
    "a number": (_changed, {}, "by the rows of X:"),
    "two rows in each other's place": (
        lambda X, y: (X[[1, 0, *range(2, len(X))]], y),
        {},
        "by the rows of X:",
    ),
    "two columns in each other's place": (lambda X, y: (X[:, [1, 0, 2, 3]], y), {}, "by the rows of X:"),
    "labels": (
        lambda X, y: (X, np.where(np.arange(len(y)) == 5, (y + 1) % 3, y)),
        {},
        "by y or the sample weights:",
    ),
    "names of labels": (
        lambda X, y: (X, y + 1),
        {},
        'by classes (["0", "1", "2"] there, ["1", "2", "3"] here)',
    ),
    "rows": (lambda X, y: (X[:-1], y[:-1]), {}, "by "),
    "C": (lambda X, y: (X, y), {"C": 2.0}, "by alpha ("),
    "the solver": (lambda X, y: (X, y), {"solver": "lbfgs"}, "by solver ("),
    "the arithmetic": (
        lambda X, y: (X, y),
        {"dtype": "float32"},
        'by the arithmetic ("torch.float64" there, "torch.float32" here)',
    ),
    "standardize": (
        lambda X, y: (X, y),
        {"standardize": True},
        "by standardize (false there, true here)",
    ),
    "weights of classes": (lambda X, y: (X, y), {"class_weight": {0: 2.0}}, "by "),
}


@over("other", OTHERS)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_checkpoint_of_another_fit_is_refused_with_the_difference(other, streamed, small, tmp_path):
    change, options, words = other
    X, y = problem()
    ol.SoftmaxRegression().fit(*_given(X, y, streamed), checkpoint=tmp_path)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ParameterError) as caught:
        ol.SoftmaxRegression(**options).fit(*_given(*change(X, y), streamed), checkpoint=tmp_path)
    assert words in str(caught.value)
    assert str(caught.value).endswith(": give another folder, or delete it to begin anew.")
    assert (tmp_path / FILE).read_bytes() == before


def _given(X, y, streamed):
    return (stream((X, y)),) if streamed else (X, y)


def test_weights_and_offsets_belong_to_a_fit(tmp_path):
    X, y = problem()
    model = ol.SoftmaxRegression()
    model.fit(X, y, np.ones(len(y)), checkpoint=tmp_path)
    with pytest.raises(ParameterError, match="sample weights"):
        model.fit(X, y, np.arange(len(y)) % 2 + 0.5, checkpoint=tmp_path)
    with pytest.raises(ParameterError, match="by offset "):
        model.fit(X, y, np.ones(len(y)), np.ones((len(y), 3)), checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("solver", "n_init", "words"), [("sgd", 1, "solver 'sgd', which draws rows"), ("newton", 3, "n_init=3")]
)
def test_what_cannot_go_on_says_so(solver, n_init, words, tmp_path):
    X, y = problem()
    with pytest.raises(ParameterError, match=f"{words} cannot go on from one"):
        ol.SoftmaxRegression(solver=solver, n_init=n_init, random_state=0).fit(X, y, checkpoint=tmp_path)


# ---- files --------------------------------------------------------------------------------------------------------


def test_a_damaged_file_is_an_error_and_stays(tmp_path):
    X, y = problem()
    ol.SoftmaxRegression().fit(X, y, checkpoint=tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    flipped = whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:]
    for damaged in (b"", whole[:7], whole[:100], whole[: len(whole) // 2], whole[:-1], flipped, b"x" * 200):
        (tmp_path / FILE).write_bytes(damaged)
        with pytest.raises(ModelFileError, match=r"checkpoint .* is damaged \(.*\): delete it to begin anew"):
            ol.SoftmaxRegression().fit(X, y, checkpoint=tmp_path)
        assert (tmp_path / FILE).read_bytes() == damaged


def test_a_full_disk_leaves_the_last_checkpoint_and_a_sentence(small, tmp_path, monkeypatch):
    X, y = problem()
    whole = ol.SoftmaxRegression(tol=1e-13).fit(stream((X, y)))
    calls = []

    def full(handle):
        calls.append(handle)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(persistence.os, "fsync", full)
    model = ol.SoftmaxRegression(tol=1e-13)
    with pytest.raises(
        OutputError, match=r"cannot be written \(No space left on device\); the one of the iteration before"
    ):
        model.fit(stream((X, y)), checkpoint=tmp_path)
    assert not hasattr(model, "coef_")
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    monkeypatch.undo()
    monkeypatch.setattr(memory.Budget, "of", staticmethod(lambda *_: memory.Budget(2**22, 6720, 224, 20)))
    model.fit(stream((X, y)), checkpoint=tmp_path)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=0, atol=1e-8)


def test_the_command_goes_on_and_refuses_in_one_sentence(tmp_path, capsys):
    command = [
        "fit",
        "iris",
        "--no-report",
        "--out",
        str(tmp_path / "out"),
        "--checkpoint",
        str(tmp_path / "kept"),
    ]
    assert main([*command, "--max-iter", "1", "--tol", "1e-12"]) == 3
    assert main([*command, "--tol", "1e-12"]) == 0
    capsys.readouterr()
    assert main([*command, "--C", "3"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("onelayer: the checkpoint ")
    assert told.count("\n") == 1
    assert "by alpha (" in told


# ---- the fingerprint ----------------------------------------------------------------------------------------------


def taken(X, sizes):
    """Return the fingerprint of rows that come in blocks of these sizes."""
    found, start = Fingerprint(X.shape[1]), 0
    for size in sizes:
        found.add(tensor_of(X[start : start + size]), start)
        start += size
    return found.value(ALONE)


@over("make", {
    "float32": lambda X: X.astype(np.float32),
    "float64": lambda X: X,
    "float16": lambda X: X.astype(np.float16),
    "uint8": lambda X: (10 * np.abs(X)).astype(np.uint8),
    "sparse": lambda X: csr_array(np.where(np.abs(X) < 0.5, 0, X)),
})  # fmt: skip
def test_a_fingerprint_knows_rows_and_places_and_not_how_they_were_cut(make):
    X, _ = problem(rows=60)
    X = make(X)
    whole = taken(X, [60])
    assert taken(X, [7] * 8 + [4]) == whole == taken(X, [59, 1])
    order = np.arange(60)
    for swapped in ([1, 0], [0, 59], [30, 31]):
        other = order.copy()
        other[swapped] = other[swapped[::-1]]
        assert taken(X[other], [60]) != whole
    assert taken(X[:, [0, 1, 3, 2]], [60]) != whole
    assert taken(X[:59], [59]) != whole


def test_a_fingerprint_is_that_of_the_bits(tmp_path):
    X = torch.arange(12.0).reshape(3, 4).numpy()
    assert taken(X, [3]) == taken(X.copy(order="F"), [3])
    for dtype in (np.float16, np.float32, np.float64):
        signs = X.astype(dtype)
        signs[1, :2] *= -1
        assert len({taken(X.astype(dtype), [3]), taken(-X.astype(dtype), [3]), taken(signs, [3])}) == 3
    # Rows that are permuted crosswise: all sums of rows and of columns stay.
    ones = np.eye(3)[[0, 1, 2, 0, 1, 2]]
    assert taken(ones, [6]) != taken(ones[[1, 0, 2, 0, 1, 2]], [6])
