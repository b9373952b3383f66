"""A damaged, foreign or hostile model folder is refused in one sentence, and nothing in it is executed."""

import hashlib
import json
import re

import numpy as np
import pytest

import onelayer as ol
from instances import PROBLEMS
from onelayer.errors import ModelFileError

X, Y = PROBLEMS["three classes"]()


@pytest.fixture
def folder(tmp_path):
    solver = ol.solvers.SGD(epochs=1)
    ol.SoftmaxRegression(loss=ol.losses.CrossEntropy(), solver=solver, tol=0, random_state=0).fit(X, Y).save(
        tmp_path
    )
    return tmp_path


def refused(folder, words):
    with pytest.raises(ModelFileError, match=words) as caught:
        ol.load(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def edit(folder, change):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def rewrite_weights(folder, **arrays):
    """Weights whose checksum and shapes the config confirms: only their meaning is wrong."""
    from safetensors.numpy import save

    content = save(arrays)
    (folder / "model.safetensors").write_bytes(content)
    described = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
    edit(folder, lambda c: c.update(weights=described, weights_sha256=hashlib.sha256(content).hexdigest()))


@pytest.mark.parametrize("keep", [0, 1, 50, -1])
def test_truncated_weights(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    refused(folder, "checksum")


@pytest.mark.parametrize("place", [0, 8, 40, -1])
def test_a_flipped_bit(folder, place):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    refused(folder, "checksum")


@pytest.mark.parametrize("content", [b"", b"garbage" * 10, b"\xff" * 64, b"\x08" + bytes(7) + b"{}      "])
def test_weights_of_no_known_format_under_their_right_checksum(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    edit(folder, lambda c: c.update(weights_sha256=hashlib.sha256(content).hexdigest()))
    refused(folder, "damaged|holds")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[]", "does not describe"),
        ("null", "does not describe"),
        ('{"architectures": ["Bert"]}', "does not describe"),
        ('{"format": "onelayer", "format_version": 1}', "lacks"),
        ("\x00", "JSON"),
        ("[" * 100_000, "JSON"),
    ],
    ids=["empty", "cut", "list", "null", "foreign", "bare", "binary", "deep"],
)
def test_a_config_that_is_none(folder, text, words):
    (folder / "config.json").write_text(text)
    refused(folder, words)


def test_bytes_that_are_no_text(folder):
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")
    refused(folder, "JSON")


def test_another_version_names_the_way_out(folder):
    edit(folder, lambda c: c.update(format_version=99, version="9.9"))
    message = refused(folder, "format 99")
    assert "9.9" in message


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    refused(folder, re.escape(name))


def test_no_folder(tmp_path):
    refused(tmp_path / "nowhere", "no folder")
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file", "no folder")


KEYS = [
    "model", "parameters", "weights", "weights_sha256", "n_features", "feature_names", "classes", "columns",
    "objective", "certificate", "result",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key(folder, key):
    edit(folder, lambda c: c.pop(key))
    refused(folder, key)


@pytest.mark.parametrize("value", [[1], "odd", 7, {"odd": 1}, None], ids=str)
@pytest.mark.parametrize(
    "key", [key for key in KEYS if key not in ("feature_names", "columns", "certificate")]
)
def test_a_key_of_another_kind(folder, key, value):
    edit(folder, lambda c: c.update({key: value}))
    refused(folder, ".")


@pytest.mark.parametrize("names", [["a"], ["a"] * 5, "abcd", [1, 2, 3, 4]], ids=str)
def test_feature_names_that_do_not_fit(folder, names):
    edit(folder, lambda c: c.update(feature_names=names))
    refused(folder, ".")


def classes(values, dtype="<i8"):
    return {"dtype": dtype, "values": values}


@pytest.mark.parametrize(
    "found",
    [
        classes([0, 1]),
        classes([0, 1, 2, 3]),
        classes([]),
        classes(["a", "b", "c"]),
        classes([0, 1, 2], "odd"),
        None,
    ],
    ids=str,
)
def test_classes_that_do_not_fit(folder, found):
    edit(folder, lambda c: c.update(classes=found))
    refused(folder, ".")


GOOD = {"weight": np.ones((3, 4)), "bias": np.ones(3)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weight": np.full((3, 4), np.nan)}, "NaN or infinite"),
        ({"bias": np.array([1, np.inf, 1])}, "NaN or infinite"),
        ({"weight": np.ones((3, 5))}, "shapes"),
        ({"weight": np.ones((2, 4)), "bias": np.ones(2)}, "rows"),
        ({"weight": np.ones(12)}, "shapes"),
        ({"bias": np.ones(2)}, "shapes"),
        ({"weight": np.ones((3, 4), dtype=np.float32)}, "not both"),
        ({"weight": np.ones((3, 4), dtype=np.int64), "bias": np.ones(3, dtype=np.int64)}, "not both"),
        ({"odd": np.ones(1)}, "odd"),
    ],
    ids=["nan", "inf", "wide", "few rows", "flat", "short bias", "mixed", "integers", "more"],
)
def test_weights_that_mean_nothing(folder, change, words):
    rewrite_weights(folder, **{**GOOD, **change})
    refused(folder, words)


def test_two_targets_told_to_be_one(tmp_path):
    ol.LinearRegression().fit(X, X[:, :2]).save(tmp_path)
    edit(tmp_path, lambda c: c.update(two_dimensional=False))
    refused(tmp_path, ".")


HOSTILE = {
    "optimizer of no such name": {"optimizer": {"$optimizer": "Odd"}},
    "optimizer that is a module": {"optimizer": {"$optimizer": "lr_scheduler"}},
    "optimizer with a dot": {"optimizer": {"$optimizer": "sgd.os.system"}},
    "optimizer that is hidden": {"optimizer": {"$optimizer": "__builtins__"}},
    "optimizer that is a number": {"optimizer": {"$optimizer": 3}},
    "option of no such name": {"odd": 1},
    "value of another type": {"batch_size": "many"},
    "value out of range": {"epochs": 0},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=list(HOSTILE))
def test_a_solver_that_is_none(folder, change):
    edit(folder, lambda c: c["parameters"]["solver"]["parameters"].update(change))
    refused(folder, ".")


ODD = {
    "solver": {"$solver": "os.system", "parameters": {}},
    "solver without parameters": {"$solver": "lbfgs"},
    "solver with a list": {"$solver": "lbfgs", "parameters": [1]},
    "loss": {"$loss": "__import__", "parameters": {}},
    "loss that is a base class": {"$loss": "Loss", "parameters": {}},
    "loss with a hidden link": {"$loss": "ProbabilitySquaredError", "parameters": {"link": "__loader__"}},
    "loss with an abstract link": {"$loss": "ProbabilitySquaredError", "parameters": {"link": "Link"}},
    "loss with a list": {"$loss": "CrossEntropy", "parameters": [1]},
    "pairs that are none": {"$pairs": [[1]]},
    "pairs of lists": {"$pairs": [[[], 1]]},
}


@pytest.mark.parametrize("value", ODD.values(), ids=list(ODD))
def test_a_parameter_that_is_none(folder, value):
    edit(folder, lambda c: c["parameters"].update(loss=value))
    refused(folder, ".")


def test_a_parameter_that_the_model_does_not_have(folder):
    edit(folder, lambda c: c["parameters"].update(odd=1))
    refused(folder, "odd")


def test_a_model_that_nobody_knows(folder):
    edit(folder, lambda c: c.update(model="os.system"))
    refused(folder, "does not know")


def test_an_interrupted_save_leaves_the_earlier_model(folder, monkeypatch):
    from onelayer import persistence

    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(descriptor, mode):
        raise KeyboardInterrupt

    monkeypatch.setattr(persistence.os, "fdopen", fail)
    with pytest.raises(KeyboardInterrupt):
        ol.SoftmaxRegression(C=3).fit(X, Y).save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_cannot_be_written(tmp_path):
    from onelayer.errors import OutputError

    (tmp_path / "file").write_text("mine")
    model = ol.SoftmaxRegression().fit(X, Y)
    with pytest.raises(OutputError, match="cannot write") as caught:
        model.save(tmp_path / "file")
    assert isinstance(caught.value, OSError)
    assert (tmp_path / "file").read_text() == "mine"
