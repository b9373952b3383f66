"""A cross-validation with rows in one process or in two chooses the same, and so does one with the rows in another order."""

import json

import numpy as np
import pytest

import onelayer as ol
from processes.choices import GRID, KINDS, data, judged, splitters
from processes.running import torchrun


@pytest.fixture(scope="module", params=[1, 2])
def found(request, tmp_path_factory):
    """Return what each process found."""
    folder = tmp_path_factory.mktemp("choices")
    told = torchrun("choices.py", folder, processes=request.param)
    assert told.returncode == 0, told.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(request.param)]


@pytest.mark.timeout(300)
def test_every_process_finds_the_same_bits(found):
    for other in found[1:]:
        assert other == found[0]


@pytest.mark.parametrize("name", ["in order", "drawn"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_chosen_is_what_one_table_in_memory_chooses(found, kind, name):
    X, y, weight = data(kind)
    folds = list(splitters(kind)[name].split(X, y))
    search = KINDS[kind][1]
    one = found[0][f"{kind}, {name}"]
    order = np.random.default_rng(1).permutation(len(y))
    place = np.argsort(order)
    permuted = [(place[train], place[test]) for train, test in folds]
    for rows, cv in ((slice(None), folds), (order, permuted)):
        model = search(GRID, cv=cv, tol=1e-10).fit(X[rows], y[rows], weight[rows])
        assert one["chosen"] == (model.C_ if hasattr(model, "C_") else model.alpha_)
        np.testing.assert_allclose(one["scores"], model.scores_, rtol=1e-4)
    assert np.max(one["gaps"]) <= 1e-10


def test_draws_are_those_of_the_first_process_and_paths_those_of_all_rows(found):
    assert found[0]["drawn by the first process"]["chosen"] in GRID
    X, y, _ = data("logistic")
    coef, gaps = found[0]["path"]
    expected = ol.path(ol.LogisticRegression(tol=1e-10), X, y, Cs=GRID)
    np.testing.assert_allclose(coef, np.ravel(expected.coef), rtol=1e-3, atol=1e-5)
    assert max(gaps) <= 1e-10


def test_a_probe_of_a_shared_stream_is_that_of_all_rows(found):
    X, y, _ = data("logistic")
    few, exact = (X[:60], y[:60]), ol.LogisticRegression(tol=1e-10)
    expected = [ol.probe((X, y), few, (X, y), exact, Cs=GRID), ol.probe(few, (X, y), est=exact, Cs=GRID)]
    for one, other in zip(found[0]["probes"], map(judged, expected), strict=True):
        assert one[0] == pytest.approx(other[0])
        np.testing.assert_allclose(one[1], other[1], rtol=1e-4)
        assert one[2] == other[2]
        assert one[3].keys() == other[3].keys()
        for name, numbers in one[3].items():
            np.testing.assert_allclose(numbers, other[3][name], rtol=1e-4)
