"""The command line on data that it reads a block at a time: the same answers as on data that it loads."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from onelayer.cli import main
from onelayer.errors import ParameterError
from onelayer.estimators import memory

ROWS = 3000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table, its halves in a folder, arrays, and svmlight text; three classes, and a target of floats."""
    where = tmp_path_factory.mktemp("streams")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 5)).astype(np.float32)
    codes = (X @ rng.normal(size=(5, 3)) + rng.gumbel(size=(ROWS, 3))).argmax(axis=1)
    value = X @ rng.normal(size=5) + rng.normal(size=ROWS)
    columns = {f"x{k}": X[:, k] for k in range(5)} | {
        "side": np.array(["left", "right"])[(X[:, 0] > 0).astype(int)]
    }
    table = pa.table(columns | {"kind": np.array(["ant", "bee", "cat"])[codes]})
    parquet.write_table(table, where / "kinds.parquet", row_group_size=500)
    parquet.write_table(pa.table(columns | {"value": value}), where / "values.parquet")
    two = pa.table(columns | {"big": np.array(["no", "yes"])[(value > 0).astype(int)]})
    parquet.write_table(two, where / "two.parquet")
    (where / "parts").mkdir()
    parquet.write_table(table.slice(0, 1000), where / "parts" / "a.parquet")
    parquet.write_table(table.slice(1000), where / "parts" / "b.parquet")
    np.save(where / "rows.npy", np.c_[X, codes].astype(np.float32))
    lines = [
        f"{code} " + " ".join(f"{k + 1}:{v:.4f}" for k, v in enumerate(row))
        for code, row in zip(codes, X, strict=True)
    ]
    (where / "rows.svm").write_text("\n".join(lines) + "\n")
    arrow_csv.write_csv(table, where / "kinds.csv")
    return where


@pytest.fixture(autouse=True)
def small(monkeypatch, folder):
    """Blocks of some 200 rows, and a sample of a part of the rows."""
    budget = memory.Budget(2**22, 100_000, 200 * 5 * 8)
    monkeypatch.setattr(memory.Budget, "of", staticmethod(lambda *_: budget))
    monkeypatch.chdir(folder)


def run(capsys, line):
    code = main(line.split())
    out, err = capsys.readouterr()
    return code, out, err


def fitted(capsys, line):
    code, out, err = run(capsys, f"fit {line} --json")
    assert code == 0, err
    return json.loads(out)


CASES = {
    "classes": "kinds.parquet",
    "two classes": "two.parquet",
    "numbers": "values.parquet --alpha 0.01",
    "least squares": "values.parquet",
    "arrays": "rows.npy",
    "sparse text": "rows.svm",
}


@pytest.mark.parametrize("line", CASES.values(), ids=list(CASES))
def test_a_fit_in_blocks_tells_what_a_fit_in_memory_tells(capsys, line):
    options = "--tol 1e-9 --dtype float64"
    streamed = fitted(capsys, f"{line} {options} --memory-limit 4MB --out runs/streamed")
    loaded = fitted(capsys, f"{line} {options} --out runs/loaded")
    assert streamed["reads"] > 1
    assert loaded["reads"] == 0
    for name in ("model", "n_train", "n_features", "n_classes", "status", "loss", "data"):
        assert streamed[name] == loaded[name], name
    for name in [name for name in loaded if name.startswith("train_")]:
        # A Parquet stream of float32 columns is float32, what is loaded is float64; AUC is counted in bins.
        assert streamed[name] == pytest.approx(loaded[name], abs=2e-4), name
    assert streamed["objective"] == pytest.approx(loaded["objective"], rel=1e-6)


def test_a_folder_is_its_files(capsys):
    whole = fitted(capsys, "kinds.parquet --memory-limit 4MB --out runs/whole")
    parts = fitted(capsys, "parts --out runs/parts")
    assert (parts["n_train"], parts["n_features"]) == (ROWS, 7)
    assert parts["objective"] == pytest.approx(whole["objective"], rel=1e-6)


def test_predictions_in_blocks_are_those_of_the_whole(capsys, folder):
    fitted(capsys, "kinds.parquet --memory-limit 4MB --out runs/kinds")
    for options in ("", "--proba", "--abstain 0.7"):
        for ending in ("csv", "parquet"):
            for name, limit in (("blocks", "--memory-limit 4MB"), ("whole", "")):
                line = f"predict runs/kinds kinds.parquet {options} {limit} -o {name}.{ending}"
                code, _, err = run(capsys, line)
                assert code == 0
                assert f"{ROWS:,} predictions" in err
        blocks, whole = (parquet.read_table(folder / f"{name}.parquet") for name in ("blocks", "whole"))
        assert blocks.schema == whole.schema
        assert blocks["prediction"].to_pylist() == whole["prediction"].to_pylist()
    assert (folder / "blocks.csv").read_text().splitlines() == (folder / "whole.csv").read_text().splitlines()
    code, out, _ = run(capsys, "predict runs/kinds kinds.parquet --memory-limit 4MB")
    assert code == 0
    assert len(out.splitlines()) == ROWS + 1


@pytest.mark.parametrize("name", ["kinds", "two", "values"])
def test_evaluation_in_blocks_is_that_of_the_whole(capsys, name):
    fitted(capsys, f"{name}.parquet --alpha 0.001 --out runs/{name}")
    found = []
    for limit in ("--memory-limit 4MB", ""):
        code, out, _ = run(capsys, f"evaluate runs/{name} {name}.parquet --json {limit}")
        assert code == 0
        found.append(json.loads(out))
    blocks, whole = found
    assert blocks.keys() == whole.keys()
    for key, value in whole.items():
        assert blocks[key] == (pytest.approx(value, abs=2e-4) if isinstance(value, float) else value), key


def test_uncertain_rows_of_a_stream_are_counted(capsys):
    streamed = fitted(capsys, "two.parquet --memory-limit 4MB --abstain 0.3,0.7 --out runs/band")
    loaded = fitted(capsys, "two.parquet --abstain 0.3,0.7 --out runs/band2")
    assert streamed["train_uncertain"] == pytest.approx(loaded["train_uncertain"], abs=2)
    assert streamed["train_accuracy_decided"] == pytest.approx(loaded["train_accuracy_decided"], abs=1e-3)


def test_test_data_of_a_stream_are_loaded_or_streamed(capsys):
    for test in ("kinds.parquet", "parts"):
        summary = fitted(capsys, f"kinds.parquet --memory-limit 4MB --test {test} --out runs/tested")
        assert summary["n_test"] == ROWS
        assert summary["test_accuracy"] == pytest.approx(summary["train_accuracy"], abs=1e-3)


def test_the_report_is_of_a_sample_of_the_rows(capsys, folder):
    code, out, _ = run(capsys, "fit kinds.parquet --memory-limit 4MB --out runs/report")
    assert code == 0
    assert " reads of the data" in out
    page = (folder / "runs" / "report" / "report.html").read_text()
    assert "reads of it" in page
    assert f"The pictures are of {ROWS:,} rows, drawn alike from {ROWS:,}." in page


BAD = {
    "a share of rows": (
        "fit kinds.parquet --memory-limit 4MB --test 0.2",
        ["--test is 0.2", "test data of their own"],
    ),
    "csv": ("fit kinds.csv --memory-limit 4MB", ["kinds.csv is CSV", "Parquet"]),
    "a named set": (
        "fit digits --memory-limit 4MB",
        ["digits is a named data set", "leave --memory-limit out"],
    ),
    "no size": ("fit kinds.parquet --memory-limit many", ["memory_limit", "many"]),
    "an empty folder": ("fit runs", ["runs", "folder"]),
    "unknown target": ("fit kinds.parquet --memory-limit 4MB --target colour", ["colour"]),
    "sgd": ("fit kinds.parquet --memory-limit 4MB --solver sgd", ["'sgd' draws its rows at random"]),
    "abstaining from numbers": ("fit values.parquet --memory-limit 4MB --abstain 0.4,0.6", ["--abstain"]),
}


@pytest.mark.parametrize("case", BAD)
def test_one_sentence_and_exit_code_2(capsys, folder, case):
    line, fragments = BAD[case]
    (folder / "runs").mkdir(exist_ok=True)
    code, out, err = run(capsys, line)
    assert (code, out) == (2, "")
    assert err.startswith("onelayer: ")
    assert len(err.strip().splitlines()) == 1
    for fragment in fragments:
        assert fragment in err


def test_too_little_memory_is_one_sentence(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(ParameterError, match=r"memory_limit is 1,000 bytes, .* give 4 MB or more"):
        memory.Budget.of(1000)


def test_a_failed_predict_leaves_no_half_a_file(capsys, folder):
    fitted(capsys, "kinds.parquet --memory-limit 4MB --out runs/half")
    damaged = pa.table({"x0": [1.0, 2.0]})
    parquet.write_table(damaged, folder / "damaged.parquet")
    (folder / "kept.csv").write_text("before")
    code, _, err = run(capsys, "predict runs/half damaged.parquet --memory-limit 4MB -o kept.csv")
    assert code == 2
    assert "damaged" in err
    assert (folder / "kept.csv").read_text() == "before"
    assert not list(folder.glob(".kept*"))
