"""``onelayer path`` and ``onelayer probe`` on real data and real files."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import onelayer as ol
from instances import over
from onelayer.cli import main
from onelayer.cli.sweeps import read_grid_text
from onelayer.errors import ParameterError


def run(capsys, *arguments):
    """Return the exit code, standard output and standard error of one command."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_path_writes_its_points_coefficients_and_a_report(capsys, tmp_path):
    code, out, err = run(
        capsys,
        "path",
        "breast-cancer",
        "--standardize",
        "--Cs",
        "1e-3:1e3:7",
        "--test",
        "0.2",
        "--out",
        tmp_path / "p",
        "--json",
    )
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert summary == json.loads((tmp_path / "p" / "summary.json").read_text())
    assert [round(point["C"], 9) for point in summary["points"]] == [0.001, 0.01, 0.1, 1, 10, 100, 1000]
    assert all(point["relative_gap"] <= 1e-6 for point in summary["points"])
    assert max(point["test_accuracy"] for point in summary["points"]) > 0.95
    assert np.load(tmp_path / "p" / "coef.npy").shape == (7, 1, 30)
    assert np.load(tmp_path / "p" / "intercept.npy").shape == (7, 1)
    page = (tmp_path / "p" / "report.html").read_text()
    assert "every one of these objectives is within" in page
    assert page.count("<tr>") == 8
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_path_tells_a_table(capsys, tmp_path):
    code, out, _ = run(
        capsys, "path", "diabetes", "--count", 5, "--l1-ratio", 1, "--out", tmp_path, "--no-report"
    )
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["C", "alpha", "objective", "relative", "gap"]
    assert len(lines) == 7
    assert lines[-1].startswith("5 fits in ")
    assert not (tmp_path / "report.html").exists()
    assert not np.load(tmp_path / "coef.npy")[0].any()


def test_a_path_in_the_convention_of_the_mean_loss_and_its_exit_code(capsys, tmp_path):
    code, out, _ = run(capsys, "path", "iris", "--alphas", "0.1,0.01", "--json", "--out", tmp_path)
    assert code == 0
    assert [point["alpha"] for point in json.loads(out)["points"]] == [0.1, 0.01]
    code, out, _ = run(capsys, "path", "iris", "--Cs", "1,1e4", "--tol", "1e-18", "--json", "--out", tmp_path)
    assert code == 3
    assert {point["status"] for point in json.loads(out)["points"]} == {"stalled"}
    assert "fell short" in (tmp_path / "report.html").read_text()


def test_a_path_that_ran_out_of_time_says_so(capsys, tmp_path):
    code, out, _ = run(
        capsys, "path", "digits", "--count", 40, "--time-limit", 0.1, "--no-report", "--out", tmp_path
    )
    assert code == 3
    assert "of 40 points were not reached" in out.splitlines()[-1]


def test_a_probe_writes_a_model_its_protocol_and_a_report(capsys, tmp_path):
    options = ["--Cs", "1e-3,1e-2,1e-1", "--validation", "0.2", "--test", "0.2", "--out", tmp_path / "q"]
    code, out, err = run(capsys, "probe", "digits", *options)
    assert (code, err) == (0, "")
    summary = json.loads((tmp_path / "q" / "summary.json").read_text())
    assert summary["protocol"] in out
    assert summary["rows"] == {"train": 1149, "validation": 288, "test": 360}
    assert summary["test_accuracy"] > 0.93
    assert summary["relative_gap"] <= 1e-6
    model = ol.load(tmp_path / "q")
    assert pytest.approx(summary["chosen"]) == model.C
    page = (tmp_path / "q" / "report.html").read_text()
    assert "The protocol, to paste in a paper" in page
    assert "Confusion" in page
    code, out, _ = run(capsys, "evaluate", tmp_path / "q", "digits", "--json")
    assert code == 0


def test_a_probe_by_folds_and_rows_of_norm_one(capsys, tmp_path):
    code, out, _ = run(
        capsys,
        "probe",
        "iris",
        "--Cs",
        "1,10",
        "--cv",
        3,
        "--scaling",
        "l2",
        "--rule",
        "one-standard-error",
        "--json",
        "--out",
        tmp_path,
    )
    assert code == 0
    summary = json.loads(out)
    assert summary["folds"] == 3
    assert summary["scaling"] == "l2"
    # A saved model would take rows as they are.
    assert not (tmp_path / "model.safetensors").exists()


def test_a_probe_of_files_with_a_validation_file(capsys, tmp_path):
    data = ol.data.load("iris")
    for name, rows in {"train": slice(0, 150, 2), "held": slice(1, 150, 4), "test": slice(3, 150, 4)}.items():
        lines = [
            ",".join(map(str, row)) + f",kind {label}"
            for row, label in zip(data.X[rows], data.y[rows], strict=True)
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["a,b,c,d,kind", *lines]) + "\n")
    files = [tmp_path / f"{name}.csv" for name in ("train", "held", "test")]
    code, out, _ = run(
        capsys,
        "probe",
        files[0],
        "--validation",
        files[1],
        "--test",
        files[2],
        "--refit",
        "train+validation",
        "--json",
        "--out",
        tmp_path / "q",
    )
    assert code == 0
    summary = json.loads(out)
    assert summary["rows"] == {"train": 75, "validation": 38, "test": 37}
    code, out, _ = run(capsys, "predict", tmp_path / "q", files[2])
    assert code == 0
    assert "kind 1" in out


def test_a_probe_of_a_regression(capsys, tmp_path):
    code, out, _ = run(
        capsys, "probe", "diabetes", "--test", "0.3", "--scaling", "standardize", "--json", "--out", tmp_path
    )
    assert code == 0
    summary = json.loads(out)
    assert summary["strength"] == "alpha"
    assert summary["test_r2"] > 0.3
    assert summary["test_interval_kind"] == "bootstrap"


def test_grids_in_words():
    assert read_grid_text("--Cs", "0.1,1,10") == [0.1, 1.0, 10.0]
    np.testing.assert_allclose(read_grid_text("--Cs", "1e-4:1e2:20"), np.logspace(-4, 2, 20))
    assert read_grid_text("--Cs", None) is None
    for text in ("a", "1:2", "0:1:3", "1,0", "1,-1", "nan", "1e-320,1", "1:2:1", "1:inf:3", "1,,2", "1:2:x"):
        with pytest.raises(
            ParameterError, match=r"--Cs is '.*': give numbers > 0 with commas, or LOW:HIGH:COUNT"
        ):
            read_grid_text("--Cs", text)


WRONG = {
    "grid": (["path", "iris", "--Cs", "1,0"], "--Cs is '1,0': give numbers > 0 with commas"),
    "both": (
        ["path", "iris", "--Cs", "1", "--alphas", "1"],
        "--Cs and --alphas are two ways to say which strengths: give one of them.",
    ),
    "count": (["path", "iris", "--Cs", "1,2", "--count", "5"], "--Cs and --count are two ways to say which"),
    "model": (
        ["path", "iris", "--model", "forest"],
        "--model is 'forest': the known ones are linear, logistic, softmax.",
    ),
    "weights": (
        ["path", "iris", "--class-weight", "heavy"],
        "--class-weight is 'heavy': the known one is balanced.",
    ),
    "linear": (
        ["path", "diabetes", "--class-weight", "balanced"],
        "--class-weight applies to logistic and softmax",
    ),
    "threads": (["path", "iris", "--threads", "0"], "--threads is 0: give a number ≥ 1."),
    "file": (["path", "nothing.csv"], "nothing.csv"),
    "rule": (["probe", "iris", "--rule", "mine"], "rule is 'mine': give one of"),
    "scaling": (
        ["probe", "iris", "--scaling", "max"],
        "--scaling is 'max': the known ones are standardize and l2.",
    ),
    "share": (
        ["probe", "iris", "--validation", "1.5"],
        "--validation is 1.5: give a share of the rows between 0 and 1",
    ),
    "folds": (["probe", "iris", "--cv", "500"], "cv=500 cannot split these rows"),
}


@over("case", WRONG)
def test_bad_input_is_one_sentence_and_exit_code_two(capsys, tmp_path, case):
    arguments, sentence = case
    code, out, err = run(capsys, *arguments, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_folder_holds_one_run(capsys, tmp_path):
    code, _, _ = run(capsys, "probe", "iris", "--Cs", "0.1,1", "--cv", "3", "--out", tmp_path)
    assert code == 0
    assert (tmp_path / "model.safetensors").exists()
    code, _, _ = run(
        capsys, "probe", "iris", "--Cs", "1", "--cv", "3", "--scaling", "l2", "--no-report", "--out", tmp_path
    )
    assert code == 0
    # A model that takes rows as they are would be another one's, and so would the page.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["summary.json"]
    code, _, _ = run(capsys, "path", "iris", "--Cs", "1", "--out", tmp_path)
    names = ["coef.npy", "intercept.npy", "report.html", "summary.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    code, _, _ = run(capsys, "path", "iris", "--Cs", "1,-1", "--out", tmp_path)
    assert code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_summary_names_what_the_numbers_belong_to(capsys, tmp_path):
    code, out, _ = run(capsys, "path", "iris", "--Cs", "1", "--standardize", "--json", "--out", tmp_path)
    found = json.loads(out)
    assert code == 0
    assert len(found["feature_names"]) == 4
    assert len(found["class_names"]) == 3
    assert found["standardize"] is True


def test_rows_that_cannot_be_judged_are_refused(capsys, tmp_path):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    rows = [f"{number % 7},{number % 5},{'ab'[number % 2]}" for number in range(40)]
    train.write_text("\n".join(["p,q,label", *rows]) + "\n")
    test.write_text("p,q,label\n1,2,c\n")
    for arguments, sentence in (
        (
            ["path", train, "--Cs", "1", "--test", test],
            "test holds the label 'c' in row 0, which train has not",
        ),
        (
            ["probe", train, "--Cs", "1", "--test", test],
            "test holds the label 'c' in row 0, which train has not",
        ),
        (
            ["probe", train, "--Cs", "1", "--validation", "0.999"],
            "--validation 0.999 leaves too few of 40 rows",
        ),
        (["path", train, "--Cs", "1", "--seed", "-1"], "--seed is -1: give a whole number ≥ 0"),
        (["probe", train, "--Cs", "1", "--scoring", "r2"], "scoring by r2 fails here"),
    ):
        code, out, err = run(capsys, *arguments, "--out", tmp_path / "out")
        assert (code, out) == (2, "")
        assert sentence in err
        assert "Traceback" not in err


def test_tables_that_are_read_in_blocks(capsys, tmp_path):
    digits = ol.data.load("digits")
    frame = pd.DataFrame(digits.X, columns=[f"p{place}" for place in range(64)]).assign(label=digits.y)
    for name, rows in {"train/a": slice(300), "train/b": slice(300, 600), "test": slice(600, 900)}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        frame[rows].to_parquet(tmp_path / f"{name}.parquet")
    frame[:600].to_parquet(tmp_path / "all.parquet")
    folder, whole, test = tmp_path / "train", tmp_path / "all.parquet", tmp_path / "test.parquet"
    asked = ["--Cs", "1e-4,1e-3,1e-2", "--tol", "1e-10", "--json", "--test", test]
    for command, extra in {"path": (), "probe": ("--validation", test)}.items():
        found = []
        for data, limit in ((folder, ()), (whole, ("--memory-limit", "4MB")), (whole, ())):
            out = tmp_path / command
            code, told, _ = run(capsys, command, data, *asked, *extra, *limit, "--out", out)
            assert code == 0
            summary = json.loads(told)
            rows = summary["n_train"] if command == "path" else summary["rows"]["train"]
            scores = summary.get("mean_scores") or [point["test_accuracy"] for point in summary["points"]]
            found.append([rows, summary.get("chosen", 0.0), *scores])
            assert (out / "report.html").exists()
        np.testing.assert_allclose(found[:2], found[1:], rtol=1e-4)
    for command, options, message in (
        ("path", ("--test", 0.2), "--test is 0.2, a share of rows, and .*train is read in blocks"),
        (
            "probe",
            ("--validation", 0.2),
            "--validation is 0.2, a share of rows, and .*train is read in blocks",
        ),
        ("probe", ("--scaling", "l2"), "scaling is 'l2', and train is a stream"),
    ):
        code, _, err = run(capsys, command, folder, *options, "--out", tmp_path / "no")
        assert code == 2
        assert re.search(message, err)
        assert err.count("\n") == 1


def test_a_regression_of_rows_in_blocks(capsys, tmp_path):
    diabetes = ol.data.load("diabetes")
    frame = pd.DataFrame(diabetes.X, columns=diabetes.feature_names).assign(target=diabetes.y + 0.5)
    frame.to_parquet(tmp_path / "all.parquet")
    found = []
    for limit in ((), ("--memory-limit", "4MB")):
        code, told, _ = run(
            capsys,
            "probe",
            tmp_path / "all.parquet",
            *limit,
            "--Cs",
            "1,10",
            "--cv",
            3,
            "--json",
            "--out",
            tmp_path,
        )
        assert code == 0
        summary = json.loads(told)
        found.append([*summary["strengths"], *summary["mean_scores"], summary["train_r2"]])
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_pictures_of_long_streams_say_that_they_are_of_a_sample(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("onelayer.report.measured._SAMPLE", 50)
    iris = ol.data.load("iris")
    frame = pd.DataFrame(iris.X, columns=["a", "b", "c", "d"]).assign(kind=iris.y.astype(str))
    frame.to_parquet(tmp_path / "iris.parquet")
    data = tmp_path / "iris.parquet", "--memory-limit", "4MB", "--Cs", 1, "--cv", 3, "--out", tmp_path
    assert run(capsys, "probe", *data)[0] == 0
    assert "A sample of 50 rows of the train data" in (tmp_path / "report.html").read_text()
