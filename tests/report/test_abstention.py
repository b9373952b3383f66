"""Abstentions are counted right, whoever predicts, and told in words that stay text."""

import json
import math

import numpy as np
import pytest

import onelayer as ol
from onelayer.errors import ParameterError
from onelayer.report import evaluate, summarise, write_report
from report import fakes
from report.test_page import EVIL, Reader

MODELS = {
    "ours": (ol.LogisticRegression(), fakes.breast_cancer, (0.3, 0.7)),
    "ours, many classes": (ol.SoftmaxRegression(), fakes.many_classes, 0.5),
    "tensors of two classes": (ol.SoftmaxRegression(), fakes.breast_cancer, 0.8),
}


@pytest.mark.parametrize("name", MODELS)
def test_metrics_agree_with_predict(name):
    model, load, abstain = MODELS[name]
    X, y, X_test, y_test = load()
    labels = model.fit(X, y).predict(X_test, abstain=abstain)
    decided = np.array([label is not None for label in labels])
    values = evaluate(model, X_test, y_test, abstain=abstain)
    assert values["uncertain"] == (~decided).sum() > 0
    assert values["accuracy_decided"] == pytest.approx((labels[decided] == y_test[decided]).mean())
    # The other metrics are of all rows.
    rest = {key: value for key, value in values.items() if key not in ("uncertain", "accuracy_decided")}
    assert rest == evaluate(model, X_test, y_test)


def test_another_librarys_classifier_is_measured_too():
    X, y, X_test, y_test = fakes.breast_cancer()
    model = fakes.classifier(X, y)
    p = model.predict_proba(X_test)[:, 1]
    values = evaluate(model, X_test, y_test, abstain=(0.2, 0.8))
    assert values["uncertain"] == ((p > 0.2) & (p < 0.8)).sum() > 0


def test_nothing_decided():
    X, y, X_test, y_test = fakes.breast_cancer()
    model = fakes.classifier(X, y)
    model.predict_proba = lambda X: np.full((len(X), 2), np.nan)
    values = evaluate(model, X_test, y_test, abstain=(0.5, 0.5))
    assert values["uncertain"] == len(y_test)
    assert math.isnan(values["accuracy_decided"])
    summary = summarise(model, "data", X, y, X_test, y_test, model="logistic", abstain=(0.5, 0.5))
    assert summary["test_accuracy_decided"] is None
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_a_regression_cannot_abstain():
    X, y, *_ = fakes.diabetes()
    with pytest.raises(
        ParameterError, match=r"abstain is 0\.6, which needs a classifier .* Ridge: leave it out\.$"
    ):
        evaluate(fakes.regressor(X, y), X, y, abstain=0.6)


def page_of(folder, model, data, abstain, **options):
    summary = summarise(model, "data", *data, out="runs/a b", model="logistic", abstain=abstain)
    write_report(folder / "report.html", model, summary, *data, **options)
    return summary, (folder / "report.html").read_text(encoding="utf-8")


def test_the_page_counts_both_parts_and_names_the_band(tmp_path):
    data = fakes.breast_cancer()
    model = fakes.classifier(*data[:2])
    summary, page = page_of(tmp_path, model, data, (0.3, 0.7), class_names=["bad", EVIL])
    text = Reader(page).text
    assert "<script" not in page
    for part, noun in (("test", "test"), ("train", "training")):
        count, rows = summary[f"{part}_uncertain"], summary[f"n_{part}"]
        accuracy = summary[f"{part}_accuracy_decided"]
        assert (
            f"{count} of {rows} {noun} rows ({100 * count / rows:.1f} %), accuracy on the rest {accuracy:.4f}"
            in text
        )
    assert f"Here uncertain means a probability of class {EVIL} strictly between 0.3 and 0.7." in text
    assert "model.predict(X, abstain=(0.3, 0.7))" in text
    assert "onelayer predict 'runs/a b' DATA --abstain 0.3,0.7" in text


def test_the_page_of_a_number_without_a_test_part(tmp_path):
    data = fakes.iris()[:2]
    _, page = page_of(tmp_path, fakes.classifier(*data), data, 0.75)
    text = Reader(page).text
    assert "Uncertain:" in text
    assert "test row" not in text
    assert "no class has a probability of at least 0.75." in text
    assert "model.predict(X, abstain=0.75)" in text


@pytest.mark.parametrize("abstain", [np.array([0.3, 0.7]), np.float64(0.7), (np.float64(0.3), 0.7)], ids=repr)
def test_bounds_of_numpy_are_plain_in_the_summary(abstain):
    data = fakes.breast_cancer()
    summary = summarise(fakes.classifier(*data[:2]), "data", *data, model="logistic", abstain=abstain)
    assert json.loads(json.dumps(summary))["abstain"] == np.asarray(abstain).tolist()


def test_zero_is_a_number_that_was_given(tmp_path):
    data = fakes.iris()[:2]
    _, page = page_of(tmp_path, fakes.classifier(*data), data, 0)
    assert "Uncertain: 0 of 105 training rows (0.0 %)" in Reader(page).text


def test_names_that_do_not_fit_lose_no_report(tmp_path):
    data = fakes.breast_cancer()
    labels = [np.array(["bad", "good"])[y] if y.ndim == 1 else y for y in data]
    _, page = page_of(
        tmp_path, fakes.classifier(*labels[:2]), labels, (0.4, 0.6), class_names=["one", "two", "three"]
    )
    assert "a probability of class good strictly" in Reader(page).text


def test_a_page_without_it_says_nothing_of_it(tmp_path):
    data = fakes.iris()
    summary, page = page_of(tmp_path, fakes.classifier(*data[:2]), data, None)
    assert "abstain" not in summary
    assert "ncertain" not in Reader(page).text
    assert "abstain" not in Reader(page).text
