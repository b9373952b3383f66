"""Weights, offsets, batches that are not counted, proofs, plans and mistakes, with rows in two processes."""

import json

import numpy as np
import pytest

import onelayer as ol
from instances import PROBLEMS
from processes.running import torchrun


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Return what both processes found."""
    folder = tmp_path_factory.mktemp("uses")
    told = torchrun("uses.py", folder)
    assert told.returncode == 0, told.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.timeout(150)
def test_what_is_fitted_is_that_of_all_rows(found):
    X, y = PROBLEMS["two classes"](rows=300)
    plain = ol.LogisticRegression(tol=1e-12).fit(X, y)
    weighted = ol.LogisticRegression(tol=1e-12, class_weight="balanced", standardize=True)
    weighted.fit(X, y, np.arange(300) % 3 + 1, np.linspace(-1, 1, 300))
    for one in found:
        np.testing.assert_allclose(one["weights and offsets"], weighted.coef_.ravel(), atol=1e-5)
        for name in ("batches, 0", "batches, 1", "labels of several kinds"):
            np.testing.assert_allclose(one[name], plain.coef_.ravel(), atol=1e-5)
        for name in ("their score, 0", "their score, 1"):
            assert one[name] == pytest.approx(plain.score(X, y))
        assert one["their predictions"] == 150
        assert one["rows planned"] == 300
        assert one["certified"] <= 1e-10
    assert found[0]["sparse rows of one process"] == found[1]["sparse rows of one process"]


def test_the_first_process_decides(found):
    one, two = found
    assert one["kept by the first"] == two["kept by the first"]
    assert one["kept by the first"][0] == "finished"
    assert one["without a penalty"] == two["without a penalty"] == "time_limit"


def test_mistakes_are_told_to_all(found):
    one, two = found
    for told in found:
        assert "shards='own'" in told["plain coefficients"]
        assert "process 0 gave shape (100,)" in told["weights that are missing"] or (
            "process 1 gave nothing" in told["weights that are missing"]
        )
        assert "process 1 gave shape (199,)" in told["weights that are too few"]
    assert two["a NaN"].startswith("data has a value that is NaN or infinite in row 5, column 1")
    assert one["a NaN"] == f"process 1 of 2: {two['a NaN']}"
