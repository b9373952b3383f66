"""Swapping scikit-learn's classes for a whole program, and back."""

import logging
import pickle
import subprocess
import sys
import types

import joblib
import numpy as np
import pytest
import sklearn.linear_model
import sklearn.linear_model._logistic
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import onelayer as ol
import onelayer.sklearn as dropins
from onelayer.errors import ParameterError
from onelayer.sklearn.__main__ import main
from onelayer.sklearn.names import DROP_INS

NAMES = list(DROP_INS)
X, Y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def unpatched():
    yield
    dropins.unpatch()


def _theirs(name):
    return getattr(sys.modules[DROP_INS[name][1]], name)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_swapped_everywhere_and_put_back(name):
    original, ours = _theirs(name), getattr(dropins, name)
    mine = types.ModuleType("a_module_of_mine")
    mine.Renamed = original
    sys.modules[mine.__name__] = mine
    try:
        swaps = dropins.patch([name])
        assert list(swaps) == [name]
        private = DROP_INS[name][1]
        assert {f"sklearn.linear_model.{name}", f"{private}.{name}", "a_module_of_mine.Renamed"} <= set(
            swaps.places[name]
        )
        assert f"onelayer.sklearn.{name}" in str(swaps)
        assert getattr(sklearn.linear_model, name) is _theirs(name) is mine.Renamed is ours
        assert dropins.unpatch() == [name]
        assert getattr(sklearn.linear_model, name) is _theirs(name) is mine.Renamed is original
    finally:
        del sys.modules[mine.__name__]


def test_all_names_by_default_and_only_once():
    assert list(dropins.patch()) == NAMES
    again = dropins.patch()
    assert not len(again)
    assert str(again) == "nothing was swapped"
    assert dropins.unpatch() == NAMES
    assert dropins.unpatch() == []


def test_a_context_manager_ends_with_what_it_began_with():
    original = sklearn.linear_model.LogisticRegression
    with dropins.patch(["LogisticRegression"]):
        assert sklearn.linear_model.LogisticRegression is dropins.LogisticRegression
    assert sklearn.linear_model.LogisticRegression is original


@pytest.mark.parametrize("act", [dropins.patch, dropins.unpatch])
def test_an_unknown_name_is_refused(act):
    with pytest.raises(
        ParameterError,
        match="there is no drop-in 'Lasso': the known ones are HuberRegressor, LinearRegression, LogisticRegression",
    ):
        act(["LogisticRegression", "Lasso"])
    assert sklearn.linear_model.LogisticRegression is not dropins.LogisticRegression


def test_the_log_says_what_was_swapped_and_what_was_left(caplog):
    mine = types.ModuleType("a_module_of_mine")
    sys.modules[mine.__name__] = mine
    try:
        with caplog.at_level(logging.INFO, logger="onelayer.sklearn"):
            dropins.patch(["LogisticRegression"])
            mine.Late = sklearn.linear_model.LogisticRegression
            dropins.unpatch()
    finally:
        del sys.modules[mine.__name__]
    assert "sklearn.linear_model.LogisticRegression" in caplog.messages[0]
    assert (
        "a_module_of_mine.Late still is onelayer.sklearn.LogisticRegression: import it again"
        in caplog.messages
    )
    assert mine.Late is dropins.LogisticRegression


def test_isinstance_asks_the_class_that_the_name_stands_for():
    theirs = sklearn.linear_model.LogisticRegression()
    with dropins.patch():
        swapped = sklearn.linear_model.LogisticRegression
        assert isinstance(swapped(), swapped)
        assert not isinstance(theirs, swapped)
    assert not isinstance(swapped(), type(theirs))


# ---- what programs do with the classes ---------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", NAMES)
def test_objects_of_both_kinds_survive_pickle_while_swapped(name):
    old = _theirs(name)().fit(X[:100], Y[:100])
    with dropins.patch():
        assert type(pickle.loads(pickle.dumps(old))) is type(old)  # noqa: S301
        new = _theirs(name)().fit(X[:100], Y[:100])
        written, older = pickle.dumps(new), pickle.dumps(old)
    for model, text in ((new, written), (old, older)):
        again = pickle.loads(text)  # noqa: S301
        assert type(again) is type(model)
        assert_allclose(again.predict(X), model.predict(X))


def test_a_pickle_from_before_becomes_one_of_ours_and_predicts_the_same():
    old = sklearn.linear_model.LogisticRegression(max_iter=1000).fit(X, Y)
    text = pickle.dumps(old)
    with dropins.patch():
        again = pickle.loads(text)  # noqa: S301
    assert type(again) is dropins.LogisticRegression
    assert_allclose(again.predict_proba(X), old.predict_proba(X))


def test_pipelines_searches_clones_and_joblib(tmp_path):
    with dropins.patch():
        from sklearn.linear_model import LogisticRegression

        model = make_pipeline(StandardScaler(), LogisticRegression())
        search = GridSearchCV(model, {"logisticregression__C": [0.1, 1.0, 10.0]}, cv=3, n_jobs=2).fit(X, Y)
        assert type(search.best_estimator_[-1]) is dropins.LogisticRegression
        assert search.best_estimator_[-1].certificate_.relative_gap <= 1e-10
        assert type(clone(model)[-1]) is dropins.LogisticRegression
        assert cross_val_score(model, X, Y).mean() > 0.9
        joblib.dump(search, tmp_path / "search")
    again = joblib.load(tmp_path / "search")
    assert_allclose(again.predict_proba(X), search.predict_proba(X))


def test_certify_knows_both_kinds_whatever_is_swapped():
    theirs = sklearn.linear_model.LogisticRegression(solver="newton-cholesky", tol=1e-8).fit(X, Y)
    ours = dropins.LogisticRegression(tol=1e-6).fit(X, Y)
    before = [ol.certify(model, X, Y).relative_gap for model in (theirs, ours)]
    with dropins.patch():
        assert [ol.certify(model, X, Y).relative_gap for model in (theirs, ours)] == before
    assert max(before) <= 1e-10


# ---- python -m onelayer.sklearn ------------------------------------------------------------------------------------

SCRIPT = """
import sys
import helper
from sklearn.linear_model import LogisticRegression
print(LogisticRegression.__module__, helper.Model is LogisticRegression, sys.argv[1:], __name__)
sys.exit(3)
"""


def test_a_program_runs_with_our_classes_as_it_would_without(tmp_path):
    program = tmp_path / "programs" / "script.py"
    program.parent.mkdir()
    program.write_text(SCRIPT)
    (program.parent / "helper.py").write_text(
        "from sklearn.linear_model import LogisticRegression as Model\n"
    )
    command = [sys.executable, "-m", "onelayer.sklearn", "programs/script.py", "--fast", "x y"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout == "onelayer.sklearn.logistic True ['--fast', 'x y'] __main__\n"
    assert run.returncode == 3
    for name in NAMES:
        assert f"{name}: onelayer.sklearn.{name} for " in run.stderr
    assert f"sklearn.linear_model.{NAMES[0]}" in run.stderr


def test_a_module_runs_too(tmp_path, monkeypatch, capsys):
    (tmp_path / "a_program_of_mine.py").write_text(
        SCRIPT.replace("helper", "sklearn").replace("sklearn.Model", "None")
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "argv", [])
    with pytest.raises(SystemExit, match="3"):
        main(["-m", "a_program_of_mine", "z"])
    assert capsys.readouterr().out == "onelayer.sklearn.logistic False ['z'] __main__\n"


def test_the_command_line_says_what_is_missing(capsys):
    assert main(["nothing.py"]) == 2
    assert capsys.readouterr().err == "nothing.py does not exist: give the path of a Python program.\n"
    assert main([]) == main(["-m"]) == 2


def test_help_goes_to_standard_output(capsys):
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: python -m onelayer.sklearn script.py")


def test_arrays_given_to_a_swapped_class_are_left_alone():
    given, before = X.copy(), X.copy()
    with dropins.patch():
        sklearn.linear_model.LogisticRegression().fit(given, Y)
    assert np.array_equal(given, before)
