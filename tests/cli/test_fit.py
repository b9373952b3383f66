"""`onelayer fit` from end to end, on real files."""

import json

import numpy as np
import pytest

import onelayer as ol
from onelayer.cli import main


def run(capsys, *arguments):
    """Return the exit code, standard output and standard error of one command."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def fit_json(capsys, *arguments):
    code, out, err = run(capsys, "fit", *arguments, "--json", "--no-report")
    assert code == 0, err
    assert len(out.strip().splitlines()) == 1
    return json.loads(out)


@pytest.fixture
def table(tmp_path):
    """A CSV with a numeric and a categorical column and string labels."""
    rng = np.random.default_rng(0)
    rows = 120
    size, color = rng.normal(size=rows), rng.choice(["red", "green", "blue"], size=rows)
    label = np.where(size + (color == "red") + 0.5 * rng.normal(size=rows) > 0.3, "yes", "no")
    path = tmp_path / "table.csv"
    lines = [f"{s:.6f},{c},{y}" for s, c, y in zip(size, color, label, strict=True)]
    path.write_text("\n".join(["size,color,bought", *lines]) + "\n")
    return path


def test_digits_reach_the_promised_accuracy(capsys, tmp_path):
    summary = fit_json(capsys, "digits", "--model", "softmax", "--test", 0.25, "--out", tmp_path / "m")
    assert summary["test_accuracy"] >= 0.95
    assert summary["status"] == "converged"
    assert summary["relative_gap"] <= 1e-6
    expected = {
        "model",
        "solver",
        "status",
        "objective",
        "relative_gap",
        "passes",
        "seconds",
        "n_train",
        "n_test",
    }
    expected |= {"n_features", "n_classes", "train_accuracy", "test_accuracy", "out"}
    assert expected <= set(summary)
    assert (summary["model"], summary["solver"], summary["n_classes"]) == ("softmax", "newton", 10)


def test_all_four_files_are_left(capsys, tmp_path):
    code, out, _ = run(capsys, "fit", "iris", "--out", tmp_path / "m")
    assert code == 0
    names = {path.name for path in (tmp_path / "m").iterdir()}
    assert names == {"model.safetensors", "config.json", "summary.json", "report.html"}
    lines = out.strip().splitlines()
    assert str(tmp_path / "m" / "report.html") in lines[-2]
    assert lines[-1].startswith("predict: onelayer predict ")
    assert "Certified" in out


@pytest.mark.parametrize(
    ("source", "model"),
    [("iris", "softmax"), ("breast-cancer", "logistic"), ("diabetes", "linear")],
)
def test_the_model_follows_from_the_target(capsys, tmp_path, source, model):
    summary = fit_json(capsys, source, "--out", tmp_path / "m", "--standardize")
    assert summary["model"] == model
    assert summary["status"] == "converged"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_predictions_of_the_saved_model_are_those_in_memory(capsys, tmp_path, table, kind):
    if kind == "parquet":
        import pyarrow.csv
        import pyarrow.parquet

        parquet = table.with_suffix(".parquet")
        pyarrow.parquet.write_table(pyarrow.csv.read_csv(table), parquet)
        table = parquet
    fit_json(capsys, table, "--target", "bought", "--out", tmp_path / "m")
    data = ol.data.load(table, target="bought")
    memory = ol.LogisticRegression(random_state=0).fit(data.X, data.y)

    again = ol.load(tmp_path / "m")
    assert (again.predict(data.X) == memory.predict(data.X)).all()
    assert (again.predict_proba(data.X) == memory.predict_proba(data.X)).all()

    code, _, err = run(capsys, "predict", tmp_path / "m", table, "--proba", "--output", tmp_path / "p.csv")
    assert code == 0, err
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert lines[0] == "prediction,no,yes"
    labels = [line.split(",")[0] for line in lines[1:]]
    written = np.array([[float(number) for number in line.split(",")[1:]] for line in lines[1:]])
    assert labels == list(memory.predict(data.X))
    assert (written == memory.predict_proba(data.X)).all()


def test_predict_without_the_target_column(capsys, tmp_path, table):
    fit_json(capsys, table, "--out", tmp_path / "m")
    bare = tmp_path / "bare.csv"
    bare.write_text("\n".join(line.rsplit(",", 1)[0] for line in table.read_text().splitlines()) + "\n")
    _, with_target, _ = run(capsys, "predict", tmp_path / "m", table)
    code, without, _ = run(capsys, "predict", tmp_path / "m", bare)
    assert code == 0
    assert with_target == without
    code, _, err = run(capsys, "evaluate", tmp_path / "m", bare)
    assert code == 2
    assert "no target" in err


def test_float32_probabilities_read_back_exactly(capsys, tmp_path):
    data = ol.data.load("iris")
    path = tmp_path / "iris.npz"
    np.savez(path, X=data.X.astype(np.float32), y=data.y)
    fit_json(capsys, path, "--out", tmp_path / "m")
    _, out, _ = run(capsys, "predict", tmp_path / "m", path, "--proba")
    written = np.array([line.split(",")[1:] for line in out.splitlines()[1:]], dtype=np.float32)
    assert (written == ol.load(tmp_path / "m").predict_proba(data.X.astype(np.float32))).all()


def test_evaluate_agrees_with_the_fit(capsys, tmp_path):
    summary = fit_json(capsys, "breast-cancer", "--standardize", "--out", tmp_path / "m")
    code, out, _ = run(capsys, "evaluate", tmp_path / "m", "breast-cancer", "--json")
    assert code == 0
    assert json.loads(out)["accuracy"] == summary["train_accuracy"]
    assert json.loads(out)["auc"] == summary["train_auc"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predict_writes_both_kinds(capsys, tmp_path, ending):
    fit_json(capsys, "iris", "--out", tmp_path / "m")
    target = tmp_path / f"p.{ending}"
    code, out, _ = run(capsys, "predict", tmp_path / "m", "iris", "-o", target)
    assert (code, out) == (0, "")
    assert target.stat().st_size > 100


def test_a_separate_test_file(capsys, tmp_path, table):
    summary = fit_json(capsys, table, "--test", table, "--out", tmp_path / "m")
    assert summary["n_test"] == summary["n_train"] == 120
    assert summary["test_accuracy"] == summary["train_accuracy"]


def test_sgd_is_approximate_as_asked_and_repeats(capsys, tmp_path):
    arguments = ("digits", "--solver", "sgd", "--learning-rate", 0.01, "--epochs", 3, "--init", "normal")
    one = fit_json(capsys, *arguments, "--seed", 1, "--out", tmp_path / "a")
    two = fit_json(capsys, *arguments, "--seed", 1, "--out", tmp_path / "b")
    other = fit_json(capsys, *arguments, "--seed", 2, "--out", tmp_path / "c")
    assert one["status"] == "finished"
    assert one["iterations"] == 3
    assert one["objective"] == two["objective"] != other["objective"]
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()


def test_gradient_descent_with_an_l1_penalty(capsys, tmp_path):
    arguments = (
        "breast-cancer",
        "--standardize",
        "--solver",
        "gradient-descent",
        "--l1-ratio",
        1,
        "--C",
        0.1,
    )
    summary = fit_json(capsys, *arguments, "--out", tmp_path / "m")
    assert summary["status"] in ("finished", "converged")
    assert (ol.load(tmp_path / "m").coef_ == 0).any()


def test_not_converged_is_3_and_still_writes(capsys, tmp_path):
    code, out, _ = run(
        capsys, "fit", "digits", "--max-iter", 3, "--out", tmp_path / "m", "--json", "--no-report"
    )
    assert code == 3
    assert json.loads(out)["status"] == "max_iter"
    assert "set max_iter=" in json.loads(out)["message"]
    assert ol.load(tmp_path / "m").n_iter_ == 3


def test_tol_zero_is_approximate_as_asked(capsys, tmp_path):
    code, out, _ = run(
        capsys,
        "fit",
        "iris",
        "--solver",
        "gradient-descent",
        "--tol",
        0,
        "--epochs",
        5,
        "--out",
        tmp_path,
        "--json",
    )
    assert code == 0
    assert json.loads(out)["status"] == "finished"


def test_a_fallback_is_said_in_one_line(capsys, tmp_path, monkeypatch):
    from onelayer.data import loading
    from onelayer.errors import DataError

    load_named = loading.load_named

    def offline(name, *, progress):
        if name == "mnist":
            raise DataError("mnist was not found.")
        return load_named(name, progress=progress)

    monkeypatch.setattr(loading, "load_named", offline)
    code, out, err = run(capsys, "fit", "mnist", "--fallback", "iris", "--out", tmp_path / "m", "--no-report")
    assert code == 0
    assert err == "onelayer: using iris instead of mnist, because mnist was not found.\n"
    assert "iris" in out


def test_ctrl_c_keeps_the_best_iterate(capsys, tmp_path, monkeypatch):
    from onelayer.solvers import SGD

    step = SGD.step

    def interrupted(self, objective, state):
        if state.step is not None:
            raise KeyboardInterrupt
        return step(self, objective, state)

    monkeypatch.setattr(SGD, "step", interrupted)
    code, out, _ = run(
        capsys, "fit", "digits", "--solver", "sgd", "--learning-rate", 0.01, "--out", tmp_path / "m"
    )
    assert code == 130
    assert "Interrupted" in out
    assert ol.load(tmp_path / "m").n_iter_ == 1


def test_verbose_says_what_happens(capsys, tmp_path):
    code, _, err = run(capsys, "fit", "iris", "--verbose", "--no-report", "--out", tmp_path / "m")
    assert code == 0
    assert "Dataset('iris'" in err
    assert "iteration 1 " in err


def test_sparse_files_are_fitted_as_they_are(capsys, tmp_path):
    path = tmp_path / "small.svm"
    path.write_text("0 1:1.0 3:2.0\n1 2:1.0\n0 1:2.0\n1 2:3.0 3:1.0\n")
    code, out, err = run(capsys, "fit", path, "--out", tmp_path / "m", "--json")
    assert code == 0
    assert json.loads(out)["n_features"] == 3
    assert "dense" not in err
    assert (tmp_path / "m" / "report.html").stat().st_size > 10_000
    assert run(capsys, "evaluate", tmp_path / "m", path)[0] == 0
    assert run(capsys, "predict", tmp_path / "m", path, "--output", tmp_path / "p.csv", "--proba")[0] == 0
