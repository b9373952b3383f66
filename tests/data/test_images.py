"""Image sets: the IDX format, and where the files are looked for."""

import gzip

import numpy as np
import pytest

from data.imagefiles import CONTENT, PIXELS, ZIPPED, idx, write
from onelayer.data import available, images, load
from onelayer.data.idx import read_idx
from onelayer.errors import DataError

# ---- the format


@pytest.mark.parametrize("array", [[1, 2, 255], np.arange(12).reshape(2, 3, 2), np.zeros((0, 2, 2))])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_round_trip(tmp_path, array, ending):
    array = np.asarray(array, np.uint8)
    path = tmp_path / f"file{ending}"
    path.write_bytes(gzip.compress(idx(array)) if ending else idx(array))
    np.testing.assert_array_equal(read_idx(path, array.ndim), array)


LABELS = CONTENT["train-labels-idx1-ubyte"]
# Without a time: the texts of a test's cases are its name.
PACKED = gzip.compress(LABELS, mtime=0)
IDX_ERRORS = [
    (
        "a",
        LABELS[:-1],
        r"a should hold 4 bytes after its header and holds 3: delete it and download it again",
    ),
    ("a", LABELS + b"x", r"should hold 4 bytes after its header and holds 5"),
    ("a", b"", r"is not an IDX file of bytes \(it starts with nothing\)"),
    ("a", LABELS[:6], r"is not an IDX file of bytes \(it starts with 00 00 08 01\)"),
    ("a", b"PK\x03\x04" + LABELS, r"is not an IDX file of bytes \(it starts with 50 4b 03 04\)"),
    ("a", idx(PIXELS), r"has 3 dimensions instead of 1"),
    ("a.gz", LABELS, r"a.gz is not a sound gzip file \(Not a gzipped file"),
    ("a.gz", PACKED[:-4], r"is not a sound gzip file \(Compressed file ended"),
    ("a.gz", PACKED[:-6] + b"abcdef", r"is not a sound gzip file \(CRC check failed"),
    ("a.gz", PACKED[:10] + b"\xff" * 20, r"is not a sound gzip file \(Error -3"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), IDX_ERRORS)
def test_damaged_idx_files_are_named(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        read_idx(tmp_path / name, 1)


# ---- where the files are


@pytest.mark.parametrize("content", [ZIPPED, CONTENT], ids=["gz", "raw"])
def test_images_become_rows_between_0_and_1(places, content):
    write(places / "debian" / "fashion-mnist", content)
    data = load("fashion-mnist")
    assert data.X.dtype == data.X_test.dtype == np.float32
    np.testing.assert_array_equal(data.X, PIXELS.reshape(4, 6).astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(data.X_test, data.X[:1])
    assert data.y.dtype == np.int64
    assert (data.y.tolist(), data.y_test.tolist()) == ([3, 1, 4, 1], [9])
    assert data.image_shape == (2, 3)
    assert [data.class_names[label] for label in (0, 9)] == ["T-shirt/top", "Ankle boot"]
    assert data.source == "Debian's package dataset-fashion-mnist"


# folders with files, value of ONELAYER_DATA, set that is asked for, folder that is found
PLACES = [
    (["cache/onelayer/mnist"], None, "mnist", "cache/onelayer/mnist"),
    (["cache/onelayer/mnist"], None, "fashion-mnist", None),
    (["debian/fashion-mnist", "debian/mnist"], None, "mnist", None),
    (
        ["debian/fashion-mnist", "cache/onelayer/fashion-mnist"],
        None,
        "fashion-mnist",
        "cache/onelayer/fashion-mnist",
    ),
    (["own/mnist", "cache/onelayer/mnist"], "own", "mnist", "own/mnist"),
    (["own/mnist"], "own/mnist", "mnist", "own/mnist"),
    (["own/mnist"], "own/mnist", "fashion-mnist", None),
    (["own"], "own", "mnist", "own"),
    (["own"], "own", "fashion-mnist", "own"),
    (["own", "own/fashion-mnist"], "own", "fashion-mnist", "own/fashion-mnist"),
    (["own", "own/fashion-mnist"], "own", "mnist", None),
    (["cache/onelayer/mnist"], "own", "mnist", "cache/onelayer/mnist"),
]

SIZES = {"mnist": 12, "fashion-mnist": 30}


@pytest.mark.parametrize(("folders", "given", "name", "expected"), PLACES)
def test_local_copies_are_found_in_order(places, monkeypatch, folders, given, name, expected):
    for folder in folders:
        write(places / folder)
    if given:
        monkeypatch.setenv("ONELAYER_DATA", str(places / given))
    found = images.find_images(name)
    assert (found and found[0]) == (expected and places / expected)
    where = next(row["where"] for row in available() if row["name"] == name)
    assert where == (str(places / expected) if expected else f"will be downloaded ({SIZES[name]} MB)")


def test_three_files_are_no_copy(places):
    (write(places / "cache" / "onelayer" / "mnist") / "t10k-labels-idx1-ubyte.gz").unlink()
    assert images.find_images("mnist") is None


def test_labels_must_match_images(places):
    folder = write(places / "cache" / "onelayer" / "mnist")
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx([1, 2])))
    with pytest.raises(
        DataError, match=r"holds 2 labels for the 4 images of train-images-idx3-ubyte.gz: delete both"
    ):
        load("mnist")


@pytest.mark.fashion
def test_the_real_fashion_mnist():
    if images.find_images("fashion-mnist") is None:
        pytest.skip("there is no copy of Fashion-MNIST on this machine")
    data = load("fashion-mnist")
    assert (data.X.shape, data.X_test.shape, data.image_shape) == ((60000, 784), (10000, 784), (28, 28))
    assert (data.X.min(), data.X.max()) == (0, 1)
    assert np.bincount(data.y).tolist() == [6000] * 10
    assert np.bincount(data.y_test).tolist() == [1000] * 10
