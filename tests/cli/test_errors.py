"""Bad input: one sentence on standard error, exit code 2, nothing overwritten."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from onelayer.cli import main


def write(path, text):
    path.write_text(text)
    return path


@pytest.fixture
def folder(tmp_path, capsys):
    """Files to complain about, and a finished model in `model`."""
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{a:.3f},{b:.3f},{'yn'[int(a + b > 0)]}" for a, b in rng.normal(size=(30, 2)))
    write(tmp_path / "good.csv", f"a,b,y\n{rows}\n")
    write(tmp_path / "text.csv", f"a,b,y\n{rows}\noops,1,y\n")
    write(tmp_path / "nan.csv", f"a,b,y\n{rows}\n,1,y\n")
    write(tmp_path / "inf.csv", f"a,b,y\n{rows}\ninf,1,y\n")
    write(tmp_path / "one.csv", "a,b,y\n1,2,x\n3,4,x\n")
    write(tmp_path / "other.csv", "a,c,y\n1,2,y\n")
    write(tmp_path / "wide.csv", "a,b,c,y\n1,2,3,y\n")
    np.savez(tmp_path / "short.npz", X=np.zeros((5, 2)), y=np.arange(4))
    np.savez(tmp_path / "three.npz", X=np.zeros((5, 3)), y=np.array([0, 1, 0, 1, 0]))
    write(tmp_path / "damaged.npz", "no zip")
    write(tmp_path / "file", "in the way")
    assert main(["fit", str(tmp_path / "good.csv"), "--out", str(tmp_path / "model"), "--no-report"]) == 0
    for name in ("damaged", "foreign"):
        (tmp_path / name).mkdir()
        for file in ("config.json", "model.safetensors"):
            (tmp_path / name / file).write_bytes((tmp_path / "model" / file).read_bytes())
    (tmp_path / "damaged/model.safetensors").write_bytes(b"cut off")
    write(tmp_path / "foreign/config.json", json.dumps({"format": "other"}))
    capsys.readouterr()
    return tmp_path


CASES = {
    "no such file": ("fit nothing.csv", ["nothing.csv", "no such file"]),
    "no such column": ("fit good.csv --target price", ["price", "'a', 'b', 'y'"]),
    "text in a numeric column": ("fit text.csv", ["column 'a'", "oops", "31"]),
    "NaN": ("fit nan.csv", ["1 value", "row 30", "nan"]),
    "infinity": ("fit inf.csv", ["1 value", "row 30", "inf"]),
    "a single class": ("fit one.csv", ["one class only", "'x'"]),
    "lengths differ": ("fit short.npz", ["5", "4"]),
    "damaged npz": ("fit damaged.npz", ["damaged.npz"]),
    "damaged model": ("predict damaged good.csv", ["checksum"]),
    "foreign model": ("predict foreign good.csv", ["does not describe a onelayer model"]),
    "no model": ("predict nowhere good.csv", ["nowhere is no folder"]),
    "missing and extra columns": ("predict model other.csv", ["other.csv lacks", "b"]),
    "extra column": ("predict model wide.csv", ["'c'"]),
    "other number of features": ("predict model three.npz", ["3 features", "2"]),
    "output cannot be written": ("fit good.csv --out file/model", ["cannot write", "file/model"]),
    "prediction cannot be written": (
        "predict model good.csv -o nowhere/p.csv",
        ["cannot write", "nowhere/p.csv"],
    ),
    "prediction of unknown kind": ("predict model good.csv -o p.txt", [".csv or .parquet"]),
    "unknown option": ("fit good.csv --sovler sgd", ["--sovler", "--solver", "--target"]),
    "unknown command": ("fti good.csv", ["fti", "fit", "predict", "evaluate", "datasets"]),
    "missing argument": ("fit", ["DATA"]),
    "not a number": ("fit good.csv --tol small", ["--tol", "small"]),
    "unknown solver": (
        "fit good.csv --solver adam",
        [
            "adam",
            "auto, newton, sketched-newton, least-squares, proximal-newton, lbfgs, gradient-descent, sgd",
        ],
    ),
    "unknown model": ("fit good.csv --model tree", ["tree", "linear, logistic, softmax"]),
    "unknown loss": ("fit good.csv --loss hinge", ["hinge", "log"]),
    "option of another solver": ("fit good.csv --epochs 3", ["--epochs", "sgd or gradient-descent"]),
    "C and alpha": ("fit good.csv --C 1 --alpha 1", ["--C", "--alpha"]),
    "C zero": ("fit good.csv --C 0", ["C is 0"]),
    "alpha negative": ("fit diabetes --alpha -1", ["alpha is -1", "≥ 0"]),
    "negative tol": ("fit good.csv --tol -1", ["tol is -1"]),
    "bad share": ("fit good.csv --test 1.5", ["--test", "between 0 and 1"]),
    "unknown class weight": ("fit good.csv --class-weight even", ["even", "balanced"]),
    "regression on text": ("fit good.csv --model linear", ["not numeric", "classifier"]),
    "classes of real numbers": ("fit diabetes --model softmax --target y", ["target"]),
    "l1 with a solver for smooth penalties": (
        "fit good.csv --l1-ratio 0.5 --solver newton",
        ["l1_ratio > 0", "proximal-newton", "gradient-descent", "sgd"],
    ),
    "absolute loss with an exact solver": ("fit diabetes --loss absolute", ["absolute", "sgd", "huber"]),
    "quantile loss with an exact solver": (
        "fit diabetes --loss quantile --solver lbfgs",
        ["quantile", "sgd"],
    ),
    "probabilities of a regression": ("predict linear diabetes --proba", ["--proba", "LinearRegression"]),
}


@pytest.mark.parametrize("case", CASES)
def test_one_sentence_and_exit_code_2(folder, capsys, monkeypatch, case):
    line, fragments = CASES[case]
    monkeypatch.chdir(folder)
    if "linear " in line and "predict" in line:
        assert main(["fit", "diabetes", "--out", "linear", "--no-report"]) == 0
        capsys.readouterr()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    code = main(line.split())
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.startswith("onelayer: ")
    assert captured.err.count("\n") == 1
    for fragment in fragments:
        assert fragment in captured.err
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_real_process_has_no_traceback(folder):
    process = subprocess.run(
        [sys.executable, "-m", "onelayer", "fit", "nothing.csv"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert "Traceback" not in process.stderr


def test_help_waits_for_nothing_heavy():
    code = (
        "import sys, onelayer.cli; onelayer.cli.main(['fit', '--help']); "
        "heavy = {'torch', 'sklearn', 'numpy', 'scipy', 'matplotlib', 'pyarrow', 'jinja2'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert "--solver" in process.stdout


def test_json_is_alone_on_standard_output_when_piped(tmp_path):
    process = subprocess.run(
        [sys.executable, "-m", "onelayer", "fit", "iris", "--json", "--no-report", "--out", tmp_path / "m"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.returncode == 0
    assert process.stderr == ""
    assert json.loads(process.stdout)["status"] == "converged"
