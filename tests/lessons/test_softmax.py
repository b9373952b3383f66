"""The lesson on softmax regression: from nothing, torch and onelayer take the same way."""

import pytest
import torch

import onelayer as ol
from lessons.running import run, shown

SMALL = {"rows": 500, "epochs": 2, "learning_rate": 0.1, "batch_size": 64}


@pytest.fixture(scope="module")
def page():
    return run("softmax", **SMALL)


def test_the_three_forms_end_at_the_same_weights(page):
    _, names = page
    W, model, net = names["W"], names["model"], names["net"]
    torch.testing.assert_close(model.coef_.T, W, atol=1e-4, rtol=0)
    torch.testing.assert_close(net[1].weight.detach().T, W, atol=1e-4, rtol=0)
    torch.testing.assert_close(model.intercept_, names["b"], atol=1e-4, rtol=0)
    # And they have moved: the start alone would agree as well.
    assert (W - names["first_W"]).abs().max() > 0.01
    assert names["loss_from_nothing"] == pytest.approx(names["loss_of_torch"], abs=1e-5)
    assert names["loss_from_nothing"] == pytest.approx(model.result_.objective, abs=1e-5)


def test_the_start_is_that_of_the_note(page):
    first = page[1]["first_W"]
    assert first.shape == (page[1]["X"].shape[1], 10)
    assert first.std().item() == pytest.approx(0.01, rel=0.1)


def test_cross_entropy_by_picking(page):
    _, names = page
    torch.testing.assert_close(names["picked"], torch.tensor([0.1, 0.5]))
    torch.testing.assert_close(names["by_sum"], -torch.log(names["picked"]))
    torch.testing.assert_close(names["cross_entropy"](names["y_hat"], torch.tensor([0, 2])), names["by_sum"])


def test_classes_beat_class_numbers(page):
    _, names = page
    assert min(names["accuracies"]) > names["accuracy_of_numbers"] + 0.1


def test_ten_probabilities_sum_to_one_and_the_largest_wins(page):
    _, names = page
    probabilities = names["probabilities"]
    assert probabilities.shape == (10,)
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-6)
    sure = probabilities.max() >= 0.6
    assert names["answer_of_model"] == (int(probabilities.argmax()) if sure else None)


def test_the_curve_holds_loss_and_both_accuracies(page):
    trace = page[1]["model"].result_.trace
    assert len(trace) == SMALL["epochs"] + 1
    assert all({"train_accuracy", "test_accuracy"} == set(record.metrics) for record in trace)


def test_the_exact_answer_is_certified(page):
    exact = page[1]["exact"]
    assert exact.result_.status == "converged"
    assert 0 <= exact.certificate_.relative_gap <= 1e-3


def test_a_learning_rate_that_is_too_large_is_named():
    outputs, names = run("softmax", **SMALL | {"learning_rate": 3e4})
    assert "learning_rate=30000" in names["model"].result_.message
    assert names["model"].result_.message in shown(outputs)


def test_without_fashion_mnist_the_digits_do(monkeypatch):
    load = ol.data.load

    def only_digits(name):
        if name != "digits":
            raise ol.errors.DataError(f"{name} is not to be had.")
        return load(name)

    monkeypatch.setattr(ol.data, "load", only_digits)
    _, names = run("softmax", **SMALL | {"epochs": 5})
    assert names["data"].name == "digits"
    assert names["X"].max() == 1
    assert min(names["accuracies"]) > 0.7


def test_what_check_head_finds_is_shown(page):
    assert [("softmax again" in said, "from 1 to 10" in said) for said in page[1]["findings"]] == [
        (True, False),
        (False, True),
    ]


ANSWERS = {
    "return -torch.log(y_hat[range(len(y_hat)), y])": (True, "Right."),
    "return -torch.log(y_hat[torch.arange(len(y)), y])": (True, "Right."),
    "return torch.log(y_hat[range(len(y_hat)), y])": (False, "sign"),
    "return -torch.log(y_hat[:, y])": (False, "Pair each row"),
    "return -torch.log(y_hat[range(len(y_hat)), y]).mean()": (False, "the mean"),
    "return torch.nn.functional.cross_entropy(y_hat, y, reduction='none')": (False, "twice"),
    "return -torch.log10(y_hat[range(len(y_hat)), y])": (False, "natural logarithm"),
    "return y_hat[5]": (False, "IndexError"),
}


@pytest.mark.parametrize(("code", "wanted"), ANSWERS.items(), ids=range(len(ANSWERS)))
def test_the_exercise(page, code, wanted):
    verdict = page[1]["exercise"].check(f"def cross_entropy(y_hat, y):\n    {code}\n")
    assert (verdict.right, wanted[1] in verdict.english) == (wanted[0], True), verdict.english


def test_chinese(monkeypatch):
    monkeypatch.setenv("ONELAYER_LANGUAGE", "zh")
    text = shown(run("softmax", **SMALL | {"epochs": 1})[0])
    assert "十个概率" in text
    assert "Ten probabilities" not in text
