"""`--abstain` of predict, evaluate and fit, on real data and real files."""

import csv
import json

import numpy as np
import pyarrow.parquet
import pytest

import onelayer as ol
from onelayer.cli import main


def run(capsys, *arguments):
    """Return the exit code, standard output and standard error of one command."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Saved models: two classes with text labels, ten classes, a regression; and the table of the first."""
    folder = tmp_path_factory.mktemp("models")
    cancer = ol.data.load("breast-cancer")
    rows = np.column_stack([cancer.X[:, :4].astype(str), np.array(["malignant", "benign"])[cancer.y]])
    lines = ["a,b,c,d,kind", *map(",".join, rows)]
    (folder / "cancer.csv").write_text("\n".join(lines) + "\n")
    for name, data in (
        ("text", folder / "cancer.csv"),
        ("cancer", "breast-cancer"),
        ("digits", "digits"),
        ("linear", "diabetes"),
    ):
        assert main(["fit", str(data), "--standardize", "--no-report", "--out", str(folder / name)]) == 0
    return folder


def expected(model, data, abstain):
    """Return the labels in memory, None for uncertain."""
    return ol.load(model).predict(ol.data.load(data).X, abstain=abstain).tolist()


CASES = [("cancer", "breast-cancer", "0.4,0.6", (0.4, 0.6)), ("digits", "digits", "0.9", 0.9)]


@pytest.mark.parametrize(("model", "data", "text", "abstain"), CASES)
def test_uncertain_cells_of_a_csv_are_empty(capsys, models, tmp_path, model, data, text, abstain):
    labels = expected(models / model, data, abstain)
    count = sum(label is None for label in labels)
    assert 0 < count < len(labels) / 4
    path = tmp_path / "p.csv"
    code, out, err = run(capsys, "predict", models / model, data, "--abstain", text, "-o", path)
    assert (code, out) == (0, "")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["prediction"] for row in rows] == ["" if label is None else str(label) for label in labels]
    wrote, uncertain = err.splitlines()
    assert wrote.startswith(f"onelayer: wrote {len(labels):,} predictions")
    assert uncertain == f"onelayer: {count} of {len(labels):,} rows uncertain, left empty."


def test_standard_output_holds_the_table_alone(capsys, models):
    plain = run(capsys, "predict", models / "cancer", "breast-cancer", "--proba")[1].splitlines()
    arguments = ("predict", models / "cancer", "breast-cancer", "--proba", "--abstain", "0.4,0.6")
    code, out, err = run(capsys, *arguments)
    assert code == 0
    assert err.count("\n") == 1
    assert "5 of 569 rows uncertain" in err
    lines = out.splitlines()
    assert len(lines) == len(plain)
    # Probabilities are as before, and so is every label that is left.
    assert [line.split(",")[1:] for line in lines] == [line.split(",")[1:] for line in plain]
    labels = [(line.split(",")[0], was.split(",")[0]) for line, was in zip(lines, plain, strict=True)]
    assert {label for label, was in labels if label != was} == {""}


@pytest.mark.parametrize(("model", "data", "text", "abstain"), CASES)
def test_parquet_has_nulls_among_whole_numbers(capsys, models, tmp_path, model, data, text, abstain):
    path = tmp_path / "p.parquet"
    code, _, err = run(capsys, "predict", models / model, data, "--abstain", text, "-o", path)
    assert code == 0, err
    column = pyarrow.parquet.read_table(path)["prediction"]
    assert column.type == pyarrow.int64()
    assert column.to_pylist() == expected(models / model, data, abstain)


@pytest.mark.parametrize("text", ["0,1", "0.4,0.6", "0.5,0.5"])
def test_parquet_keeps_text_labels_also_where_none_is_left(capsys, models, tmp_path, text):
    path = tmp_path / "p.parquet"
    code, _, err = run(
        capsys, "predict", models / "text", models / "cancer.csv", "--abstain", text, "-o", path
    )
    assert code == 0, err
    column = pyarrow.parquet.read_table(path)["prediction"]
    assert column.type == pyarrow.string()
    assert column.null_count == {"0,1": 569, "0.5,0.5": 0}.get(text, column.null_count)
    assert set(column.to_pylist()) - {None} == (set() if text == "0,1" else {"malignant", "benign"})


def test_evaluate_counts_and_judges_the_rest(capsys, models):
    data = ol.data.load("breast-cancer")
    labels = ol.load(models / "cancer").predict(data.X, abstain=(0.1, 0.9))
    decided = np.array([label is not None for label in labels])
    accuracy = float((labels[decided] == data.y[decided]).mean())

    plain = json.loads(run(capsys, "evaluate", models / "cancer", "breast-cancer", "--json")[1])
    arguments = ("evaluate", models / "cancer", "breast-cancer", "--abstain", "0.1,0.9")
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    uncertain = int((~decided).sum())
    assert json.loads(out) == plain | {
        "abstain": [0.1, 0.9],
        "uncertain": uncertain,
        "accuracy_decided": accuracy,
    }
    assert accuracy > plain["accuracy"]

    out = run(capsys, *arguments)[1]
    percent = f"{uncertain / 5.69:.1f} %"
    assert f"uncertain  {uncertain} of 569 rows ({percent}), accuracy on the rest {accuracy:.4f}\n" in out
    assert "decided" not in out


def test_where_nothing_is_decided_there_is_no_accuracy(capsys, models):
    arguments = ("evaluate", models / "cancer", "breast-cancer", "--abstain", "0,1")
    values = json.loads(run(capsys, *arguments, "--json")[1])
    assert (values["uncertain"], values["accuracy_decided"]) == (569, None)
    assert "569 of 569 rows (100.0 %), none is left to judge" in run(capsys, *arguments)[1]


@pytest.mark.parametrize(
    ("data", "text", "abstain", "bounds"),
    [
        (
            "breast-cancer",
            "0.4,0.6",
            [0.4, 0.6],
            "a probability of class benign strictly between 0.4 and 0.6",
        ),
        ("digits", "0.9", 0.9, "no class has a probability of at least 0.9"),
    ],
)
def test_fit_counts_in_the_summary_and_in_the_report(capsys, tmp_path, data, text, abstain, bounds):
    arguments = ("fit", data, "--standardize", "--test", 0.25, "--out", tmp_path / "m")
    code, out, err = run(capsys, *arguments, "--abstain", text)
    assert code == 0, err
    summary = json.loads((tmp_path / "m/summary.json").read_text())
    count, rows = summary["test_uncertain"], summary["n_test"]
    assert summary["abstain"] == abstain
    assert 0 < count < rows
    assert summary["test_accuracy"] < summary["test_accuracy_decided"] <= 1
    assert 0 <= summary["train_uncertain"] < summary["n_train"]
    sentence = (
        f"{count} of {rows} test rows ({100 * count / rows:.1f} %), accuracy on the rest "
        f"{summary['test_accuracy_decided']:.4f}"
    )
    assert f"uncertain     {sentence}; " in out
    page = " ".join((tmp_path / "m/report.html").read_text().split())
    assert f"<b>Uncertain:</b> {sentence}; " in page
    assert f"Here uncertain means {'that ' if 'no class' in bounds else ''}{bounds}." in page
    assert f"DATA --abstain {text}" in page

    # The model itself knows nothing of it.
    model = (tmp_path / "m/config.json").read_text()
    assert "abstain" not in model
    code, out, _ = run(capsys, *arguments, "--no-report", "--json")
    assert code == 0
    plain = json.loads(out)
    new = {"abstain"} | {
        f"{part}_{name}" for part in ("train", "test") for name in ("uncertain", "accuracy_decided")
    }
    assert set(summary) - set(plain) == new
    # Another fit: its last bits may differ with where the arrays lie in memory.
    assert {
        name: summary[name] for name in plain if name.startswith(("train_", "test_", "n_"))
    } == pytest.approx(
        {name: plain[name] for name in plain if name.startswith(("train_", "test_", "n_"))}, abs=1e-3
    )


HOW = ["LOW,HIGH", "0.4,0.6", "as in 0.6"]
BAD = {
    "a dash": ("predict cancer breast-cancer --abstain 0.4-0.6", ["'0.4-0.6'", *HOW]),
    "text": ("predict cancer breast-cancer --abstain abc", ["'abc'", *HOW]),
    "reversed": ("predict cancer breast-cancer --abstain 0.6,0.4", ["'0.6,0.4'", *HOW]),
    "three": ("evaluate cancer breast-cancer --abstain 0.1,0.2,0.3", ["'0.1,0.2,0.3'", *HOW]),
    "half": ("evaluate cancer breast-cancer --abstain 0.4,", ["'0.4,'", *HOW]),
    "NaN": ("fit breast-cancer --abstain nan", ["'nan'", *HOW]),
    "per cent": ("fit breast-cancer --abstain 60", ["'60'", *HOW]),
    "negative": ("fit breast-cancer --abstain -0.1", ["'-0.1'", *HOW]),
    "before the data are looked for": ("fit nowhere.csv --abstain abc", ["'abc'", *HOW]),
    "predict, regression": ("predict linear diabetes --abstain 0.6", ["classifier", "LinearRegression"]),
    "evaluate, regression": ("evaluate linear diabetes --abstain 0.6", ["classifier", "LinearRegression"]),
    "fit, regression": ("fit diabetes --abstain 0.6", ["logistic and softmax", "not to linear"]),
    "predict, ten classes": ("predict digits digits --abstain 0.4,0.6", ["10 classes", "as in 0.6"]),
    "evaluate, ten classes": ("evaluate digits digits --abstain 0.4,0.6", ["10 classes", "as in 0.6"]),
    "fit, ten classes": ("fit digits --abstain 0.4,0.6", ["10 classes", "as in 0.6"]),
}


@pytest.mark.parametrize("case", BAD)
def test_one_sentence_and_exit_code_2(capsys, models, monkeypatch, case):
    line, fragments = BAD[case]
    monkeypatch.chdir(models)
    before = sorted(models.rglob("*"))
    code, out, err = run(capsys, *line.split())
    assert (code, out) == (2, "")
    assert err.startswith("onelayer: --abstain ")
    assert err.count("\n") == 1
    for fragment in fragments:
        assert fragment in err
    assert sorted(models.rglob("*")) == before


@pytest.mark.parametrize("command", ["fit", "predict", "evaluate"])
def test_the_help_names_it(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert "--abstain" in out
