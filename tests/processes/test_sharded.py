"""Rows that lie with several processes: the same answer as rows in one of them, to the bit the same on each."""

import itertools
import json
import math

import numpy as np
import pytest

from processes.fits import ESTIMATORS, PENALTIES, SHARDS, dealt, estimator_of, shares_of
from processes.running import torchrun


@pytest.fixture(scope="module", params=[1, 2, 4])
def fits(request, tmp_path_factory):
    """Return what each process says of each fit."""
    folder = tmp_path_factory.mktemp("fits")
    told = torchrun("fits.py", folder, processes=request.param)
    assert told.returncode == 0, told.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(request.param)]


@pytest.mark.timeout(300)
def test_every_shard_has_the_optimum_of_all_rows(fits):
    assert len(fits[0]) == len(dealt(len(fits))) * len(ESTIMATORS) * len(PENALTIES)
    for kind, penalty in itertools.product(ESTIMATORS, PENALTIES):
        X, y, model = estimator_of(kind, penalty)
        proof = model.fit(X, y).certificate_
        score = model.score(X, y)
        for shares in dealt(len(fits)):
            found = fits[0]["; ".join((shares, kind, penalty))]
            assert found["relative_gap"] <= 1e-13, (shares, kind, penalty)
            rounding = 4 * np.finfo(float).eps * abs(proof.objective)
            assert abs(found["objective"] - proof.objective) <= found["gap"] + proof.gap + rounding
            alpha, l1_ratio = PENALTIES[penalty]
            if alpha and l1_ratio < 1:
                l2 = alpha * (1 - l1_ratio)
                radius = sum(math.sqrt(2 * gap / l2) for gap in (found["gap"], proof.gap))
                coef = [float.fromhex(value) for value in found["coef"]]
                assert np.linalg.norm(np.array(coef) - np.ravel(model.coef_)) <= radius
            assert found["score"] == pytest.approx(score, abs=1e-6)


def test_all_processes_have_the_same_bits_and_the_rows_that_they_were_given(fits):
    for key, found in fits[0].items():
        for other in fits[1:]:
            for name in ("coef", "intercept", "objective", "gap", "shards", "passes", "score"):
                assert other[key][name] == found[name], (key, name)
        shares = SHARDS[key.split(";")[0]]
        assert sum(found["shards"]) == 200
        np.testing.assert_allclose(found["shards"], 200 * shares_of(shares, len(fits)), atol=1)
