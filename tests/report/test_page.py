"""The page is whole, safe, self-contained, repeatable, and written for odd fits too."""

import base64
import json
import re
import types
import xml.dom.minidom
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

import onelayer as ol
from onelayer.errors import DataError, OutputError
from onelayer.report import summarise, write_report
from onelayer.result import Record, Status
from report import fakes

EVIL = "<script>alert(1)</script>"
HOSTILE = [
    EVIL,
    "$x_1$ $",
    '" onload="x',
    "two\nlines\x00",
    "类别 一",
    "🙂",
    "'\"><img src=x>",
    "\\frac{",
    "\ud800",
    "",
]


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that tags nest."""

    VOID = frozenset({"meta", "img", "br", "mspace"})

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.images, self.words = [], [], [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def write(folder, model, kind, data, *, name="data", **options):
    summary = summarise(model, name, *data, out="runs/a b", model=kind)
    json.dumps(summary, allow_nan=False)
    write_report(folder / "report.html", model, summary, *data, **options)
    assert [path.name for path in folder.iterdir()] == ["report.html"]
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def digits():
    data = fakes.digits()
    return fakes.classifier(*data[:2]), data


@pytest.fixture(scope="module")
def digits_page(digits, tmp_path_factory):
    model, data = digits
    names = [f"digit {i}" for i in range(10)]
    return write(
        tmp_path_factory.mktemp("page"), model, "softmax", data, class_names=names, image_shape=(8, 8)
    )


def test_page_is_complete(digits_page):
    page = Reader(digits_page)
    for words in (
        "Softmax regression on data",
        "Certified: this objective is within 3.1e-7 (relative) of the best possible.",
        "Log loss",
        "Learning curve",
        "Reliability",
        "Confusion",
        "Weights",
        "Wrong predictions",
        "Right predictions",
        "28.5 passes over the data",
        "X: float64 to float32",
        "onelayer predict 'runs/a b' DATA",
        "model = ol.load('runs/a b')",
    ):
        assert words in page.text
    assert len(page.images) == 6
    assert all(image["alt"] for image in page.images)
    assert any(tag == "math" for tag, _ in page.tags)
    assert len(digits_page) < 600_000


def test_page_asks_for_nothing_outside(digits_page):
    assert "<script" not in digits_page
    assert "http://" not in digits_page
    assert "https://" not in digits_page
    assert "@import" not in digits_page
    for tag, attributes in Reader(digits_page).tags:
        assert tag not in {"script", "link", "iframe", "object"}
        assert attributes.get("src", "data:").startswith("data:")


def test_pictures_ask_for_nothing_outside(digits_page):
    for image in Reader(digits_page).images:
        svg = base64.b64decode(image["src"].partition(",")[2]).decode()
        references = re.findall(r'href="([^"]*)"', svg) + re.findall(r"url\(([^)]*)\)", svg)
        assert all(reference.startswith(("#", "data:")) for reference in references)


def test_the_same_model_gives_the_same_bytes(digits, digits_page, tmp_path):
    import matplotlib

    model, data = digits
    names = [f"digit {i}" for i in range(10)]
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 20}):
        again = write(tmp_path, model, "softmax", data, class_names=names, image_shape=(8, 8))
    assert again == digits_page


@pytest.mark.parametrize(
    ("load", "kind", "options"),
    [
        (fakes.digits, "softmax", {"class_names": HOSTILE, "image_shape": (8, 8)}),
        (fakes.breast_cancer, "logistic", {"class_names": HOSTILE[:2], "feature_names": HOSTILE * 3}),
    ],
)
def test_hostile_names_stay_text(load, kind, options, tmp_path):
    data = load()
    model = fakes.classifier(*data[:2])
    model.result_.copies.append(EVIL)
    page = write(tmp_path, model, kind, data, name=EVIL, title=f'{EVIL} & "title"', **options)
    reader = Reader(page)
    assert "<script" not in page
    assert f'{EVIL} & "title"' in reader.text
    assert not any("onload" in attributes for _, attributes in reader.tags)
    for image in reader.images:
        svg = base64.b64decode(image["src"].partition(",")[2])
        assert not xml.dom.minidom.parseString(svg).getElementsByTagName("script")


def one_feature():
    X, y, X_test, y_test = fakes.iris()
    data = X[:, :1], y, X_test[:, :1], y_test
    return fakes.classifier(*data[:2]), "softmax", data


def one_test_row():
    X, y, X_test, y_test = fakes.breast_cancer()
    return fakes.classifier(X, y), "logistic", (X, y, X_test[:1], y_test[:1])


def one_test_row_of_regression():
    X, y, X_test, y_test = fakes.diabetes()
    return fakes.regressor(X, y), "linear", (X, y, X_test[:1], y_test[:1])


def tensors():
    data = tuple(torch.as_tensor(part) for part in fakes.breast_cancer())
    return fakes.classifier(*data[:2]), "logistic", data


def text_labels():
    X, y, X_test, y_test = fakes.iris()
    names = np.array(["setosa", "versicolor", "virginica"])
    return fakes.classifier(X, names[y]), "softmax", (X, names[y], X_test, names[y_test])


def without_test_part():
    data = fakes.diabetes()[:2]
    return fakes.regressor(*data), "linear", data


def many_classes():
    data = fakes.many_classes()
    return fakes.classifier(*data[:2]), "softmax", data


def two_rows_of_weights():
    X, y, X_test, y_test = fakes.breast_cancer()
    model = fakes.classifier(X, y)
    model.coef_ = np.vstack([-model.coef_, model.coef_])
    model.intercept_ = np.hstack([-model.intercept_, model.intercept_])
    model.objective_record_["loss"] = "cross-entropy"
    model.predict_proba = lambda X: fakes.classifier(*fakes.breast_cancer()[:2]).predict_proba(X)
    model.predict = lambda X: model.classes_[model.predict_proba(X).argmax(axis=1)]
    return model, "softmax", (X, y, X_test, y_test)


def two_targets():
    X, y, X_test, y_test = fakes.diabetes()
    data = X, np.c_[y, -y], X_test, np.c_[y_test, -y_test]
    return fakes.regressor(*data[:2]), "linear", data


def certificate_without_a_bound():
    model, kind, data = without_test_part()
    none = types.SimpleNamespace(gap=np.inf, relative_gap=np.inf, kind="fenchel", dtype="float64", message="")
    model.certificate_, model.result_.status = none, Status.STALLED
    return model, kind, data


def diverged(model, kind, data):
    records = [
        Record(i, 0.1 * i, i, value, metrics={"train_r2": -np.inf})
        for i, value in enumerate([1.0, 1e200, np.inf])
    ]
    message = "the objective left the finite numbers at iteration 2; a smaller `--learning-rate` helps."
    fakes.dress(model, *data[:2], certificate=None, status=Status.DIVERGED, message=message, records=records)
    model.result_.objective = float("inf")
    model.coef_ = np.full_like(model.coef_, np.nan)
    return model, kind, data


def diverged_classifier():
    data = fakes.breast_cancer()
    model, kind, data = diverged(LogisticRegression().fit(*data[:2]), "logistic", data)
    model.predict_proba = lambda X: np.full((len(X), 2), np.nan)
    model.predict = lambda X: np.zeros(len(X), dtype=int)
    return model, kind, data


def diverged_regressor():
    data = fakes.diabetes()
    model, kind, data = diverged(LinearRegression().fit(*data[:2]), "linear", data)
    model.predict = lambda X: np.full(len(X), np.nan)
    return model, kind, data


ODD = [
    one_feature,
    one_test_row,
    one_test_row_of_regression,
    tensors,
    text_labels,
    without_test_part,
    many_classes,
    two_rows_of_weights,
    two_targets,
    certificate_without_a_bound,
    diverged_classifier,
    diverged_regressor,
]


@pytest.mark.parametrize("case", ODD, ids=lambda case: case.__name__)
def test_odd_fits_are_reported(case, tmp_path):
    model, kind, data = case()
    page = Reader(write(tmp_path, model, kind, data))
    assert not re.search(r"\b(nan|inf|None)\b", page.text)


def test_a_figure_that_cannot_be_drawn_says_why(tmp_path):
    page = Reader(write(tmp_path, *diverged_classifier()))
    assert "Diverged: the objective left the finite numbers" in page.text
    assert "the coefficients are not finite" in page.text
    assert "no probability is finite" in page.text


@pytest.mark.parametrize(
    ("kind", "model", "load"),
    [
        ("softmax", ol.SoftmaxRegression(), fakes.iris),
        ("softmax", ol.SoftmaxRegression(loss="probability-squared"), fakes.iris),
        ("logistic", ol.LogisticRegression(C=2.0), fakes.breast_cancer),
        ("linear", ol.LinearRegression(alpha=0.1), fakes.diabetes),
        ("linear", ol.LinearRegression("huber"), fakes.diabetes),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_our_own_models_are_reported(kind, model, load, tmp_path):
    data = tuple(torch.as_tensor(part) for part in load())
    page = Reader(write(tmp_path, model.fit(*data[:2]), kind, data))
    verdict = "Certified:" if model.result_.status.is_success else "Not certified:"
    assert verdict in page.text


LOSSES = [
    ("squared", {}),
    ("absolute", {}),
    ("huber", {"delta": 1.35}),
    ("quantile", {"tau": 0.9}),
    ("logistic", {}),
    ("cross-entropy", {}),
    ("probability-squared", {}),
    ("my own <loss>", {}),
]


@pytest.mark.parametrize(("loss", "parameter"), LOSSES)
@pytest.mark.parametrize(("alpha", "l1_ratio"), [(0.0, 0.0), (1.5e-5, 0.0), (0.25, 1.0), (3.0, 0.4)])
def test_formula_of_each_loss_and_penalty(loss, parameter, alpha, l1_ratio):
    from onelayer.report.page import environment

    values = {
        "loss": loss,
        "loss_parameter": parameter,
        "alpha": alpha,
        "l1_ratio": l1_ratio,
        "n_train": 60000,
    }
    values |= {"fit_intercept": alpha > 0, "n_features": 784, "n_outputs": 10}
    formula = environment().get_template("formula.html.jinja").module.formula(values)
    math = Reader(formula)
    assert "60,000" in math.text
    assert "10 × 784" in math.text
    assert ("‖ W ‖" in math.text) == (alpha > 0)
    assert ("1.5 · 10 −5" in math.text) == (alpha == 1.5e-5)
    assert ("not penalised" in math.text) == (alpha > 0)
    assert all(f"{value}" in math.text for value in parameter.values())


def test_a_failed_write_keeps_what_was_there(tmp_path, monkeypatch):
    model, kind, data = without_test_part()
    summary = summarise(model, "data", *data, model=kind)
    target = tmp_path / "report.html"
    target.write_text("before")

    def full(self, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_report(target, model, summary, *data)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_missing_folder_is_named(tmp_path):
    model, kind, data = without_test_part()
    summary = summarise(model, "data", *data, model=kind)
    with pytest.raises(OutputError, match="nowhere"):
        write_report(tmp_path / "nowhere" / "report.html", model, summary, *data)


def test_summary_has_what_scripts_rely_on(digits):
    model, data = digits
    summary = summarise(model, "digits", *data, out=None, model="softmax")
    assert {
        "model": "softmax",
        "data": "digits",
        "solver": "lbfgs",
        "status": "converged",
        "relative_gap": 3.1e-7,
        "certificate": "fenchel",
        "n_train": 1257,
        "n_test": 540,
        "n_features": 64,
        "n_classes": 10,
        "iterations": 19,
        "loss": "cross-entropy",
        "out": None,
    }.items() <= summary.items()
    assert {"train_accuracy", "test_accuracy", "train_log_loss", "test_brier"} <= summary.keys()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_summary_refuses_labels_the_model_does_not_know(digits):
    model, (X, y, X_test, y_test) = digits
    with pytest.raises(DataError, match="the label 11"):
        summarise(model, "digits", X, y, X_test, np.full_like(y_test, 11), model="softmax")
