"""Named sets: what scikit-learn bundles, and the list of all."""

import subprocess
import sys

import numpy as np
import pytest

import onelayer
from onelayer.data import Dataset, available, load
from onelayer.errors import DataError

# name, dtype of y, first class name, first feature name, image shape
BUNDLED = [
    ("digits", np.int64, "0", "pixel_0_0", (8, 8)),
    ("breast-cancer", np.int64, "malignant", "mean radius", None),
    ("diabetes", np.float64, None, "age", None),
    ("iris", np.int64, "setosa", "sepal length (cm)", None),
]


@pytest.mark.parametrize(("name", "dtype", "class_name", "feature_name", "image_shape"), BUNDLED)
def test_bundled_sets_are_as_listed(name, dtype, class_name, feature_name, image_shape):
    data = load(name)
    row = next(row for row in available() if row["name"] == name)
    assert data.X.dtype == np.float64
    assert data.y.dtype == dtype
    assert data.X.shape == (row["rows"], row["features"]) == (len(data.y), len(data.feature_names))
    assert data.feature_names[0] == feature_name
    assert data.image_shape == image_shape
    assert (data.name, data.source, row["where"]) == (name, "scikit-learn", "comes with scikit-learn")
    if class_name is None:
        assert (data.class_names, row["classes"], row["task"]) == (None, None, "regression")
    else:
        assert (len(data.class_names), row["task"]) == (row["classes"], "classification")
        assert data.class_names[0] == class_name
        assert {type(text) for text in data.class_names + data.feature_names} == {str}


def test_digits_stay_as_scikit_learn_gives_them():
    assert (load("digits").X.min(), load("digits").X.max()) == (0.0, 16.0)


def test_repr_shows_the_shape_and_not_the_arrays():
    assert repr(load("digits")) == "Dataset('digits': 1797 rows, 64 features; scikit-learn)"
    split = Dataset(np.ones((3, 2)), None, np.ones((1, 2)), None, name="a", source="b")
    assert repr(split) == "Dataset('a': 3 + 1 test rows, 2 features; b)"


ARGUMENT_ERRORS = [
    ("digits", {"target": "y"}, r"target='y' does not apply to digits"),
    (
        "digits",
        {"categorical": "sex"},
        r"categorical=\['sex'\] applies to .csv and .parquet files, not to digits",
    ),
    (
        "digit",
        {},
        r"'digit': no such file, nor a known data set \(digits, breast-cancer, .*mnist\); files end in .csv",
    ),
    ("nowhere/x.csv", {}, r"'nowhere/x.csv': no such file"),
]


@pytest.mark.parametrize(("source", "arguments", "sentence"), ARGUMENT_ERRORS)
def test_arguments_are_refused_in_a_sentence(source, arguments, sentence):
    with pytest.raises(DataError, match=sentence):
        load(source, **arguments)


def test_folders_and_other_kinds_of_file_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"is a folder: name a file in it that ends in .csv, .*or .libsvm\.$"):
        load(tmp_path)
    for name in ("table.xlsx", "table"):
        (tmp_path / name).touch()
        with pytest.raises(DataError, match=rf"{name} does not end in .csv, .*: convert it"):
            load(tmp_path / name)


def test_unreadable_files_are_named(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", "secret.npy")

    (tmp_path / "secret.npy").touch()
    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(
        DataError, match=r"secret.npy cannot be read \(Permission denied\): check its permissions"
    ):
        load(tmp_path / "secret.npy")


def test_import_is_cheap():
    # in a bare package: what onelayer itself loads is not this room's business
    code = """
import sys, types
package = sys.modules["onelayer"] = types.ModuleType("onelayer")
package.__path__ = sys.argv[1:]
import onelayer.data
print([name for name in ("torch", "sklearn", "scipy", "pyarrow", "rich", "urllib.request") if name in sys.modules])
"""
    command = [sys.executable, "-c", code, *onelayer.__path__]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
