"""``fit --init``, ``--n-init`` and ``--live``."""

import json

import pytest

from onelayer.cli import main

FIT = [
    "fit",
    "breast-cancer",
    "--loss",
    "probability-squared",
    "--standardize",
    "--solver",
    "gradient-descent",
]
FIT += ["--learning-rate", "0.5", "--epochs", "30", "--tol", "0", "--no-report"]


def fit(capsys, tmp_path, *options):
    code = main([*FIT, "--out", str(tmp_path), *options])
    return code, *capsys.readouterr()


def test_several_starts_keep_the_lowest(capsys, tmp_path):
    objectives = []
    for count in ("1", "4"):
        code, out, _ = fit(capsys, tmp_path, "--init", "2.0", "--n-init", count, "--json")
        assert code == 0
        objectives.append(json.loads(out)["objective"])
    assert objectives[1] <= objectives[0]
    assert "Best of 4 starts" in json.loads(out)["message"]


WRONG = {
    "name": (["--init", "hello"], "init is 'hello'"),
    "negative": (["--init", "-2"], "init is -2.0"),
    "none": (["--n-init", "0"], "n_init is 0"),
}


@pytest.mark.parametrize(("options", "words"), WRONG.values(), ids=WRONG)
def test_bad_starts_are_one_sentence(capsys, tmp_path, options, words):
    code, out, error = fit(capsys, tmp_path, *options)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert words in error


def test_a_live_curve_stays_silent_where_nobody_looks(capsys, tmp_path):
    code, out, error = fit(capsys, tmp_path, "--live", "--json")
    assert code == 0
    assert json.loads(out)["status"] == "finished"
    assert "▁" not in error
