"""CSV and Parquet files, and the encoder that they leave behind."""

import csv
import datetime
import decimal
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onelayer.data import load
from onelayer.errors import DataError

law = settings(derandomize=True, max_examples=30, deadline=None, database=None)

NAN = math.nan


def same(data, X, y, names):
    np.testing.assert_array_equal(data.X, X)
    assert data.X.dtype == np.float64
    assert data.feature_names == names
    np.testing.assert_array_equal(data.y, y)
    return True


MIXED = "age,color,y\n1,red,a\n2.5,blue,b\n-3,red,a\n"

# content, arguments, X, y, feature names
TABLES = [
    ("a,b,y\n1,2.5,0\n3,4e1,1\n", {}, [[1, 2.5], [3, 40]], [0, 1], ["a", "b"]),
    ("a,b,y\n1,2.5,0\n3,4,1\n", {"target": "a"}, [[2.5, 0], [4, 1]], [1, 3], ["b", "y"]),
    ("a,y\n1,0.5\n3,1\n", {}, [[1], [3]], [0.5, 1], ["a"]),
    (MIXED, {}, [[1, 0, 1], [2.5, 1, 0], [-3, 0, 1]], ["a", "b", "a"], ["age", "color=blue", "color=red"]),
    ("a,y\n2,0\n10,1\n", {"categorical": ["a"]}, [[0, 1], [1, 0]], [0, 1], ["a=10", "a=2"]),
    ("a,y\n2,0\n10,1\n", {"categorical": "y"}, [[2], [10]], ["0", "1"], ["a"]),
    ("a,y\n2,0\nx,1\n", {"categorical": ("a",)}, [[1, 0], [0, 1]], [0, 1], ["a=2", "a=x"]),
    ("a,b,y\n,NA,0\nNaN,2,1\n", {}, [[NAN, NAN], [NAN, 2]], [0, 1], ["a", "b"]),
    ("a,y\ninf,0\n-inf,1\n", {}, [[np.inf], [-np.inf]], [0, 1], ["a"]),
    ("a,y\n 1,0 \n+2 ,+1\n", {}, [[1], [2]], [0, 1], ["a"]),
    ("a,y\n0x10,0\n0x11,1\n", {}, [[1, 0], [0, 1]], [0, 1], ["a=0x10", "a=0x11"]),
    ('a,y\n"x,1",0\n"p\nq",1\n', {}, [[0, 1], [1, 0]], [0, 1], ["a=p\nq", "a=x,1"]),
    ("\ufeffa,y\r\n1,0\r\n\r\n2,1\r\n", {}, [[1], [2]], [0, 1], ["a"]),
    ({"a": [1, 2], "y": [0, 1]}, {}, [[1], [2]], [0, 1], ["a"]),
    ({"a": [True, None], "b": [None, 1], "y": [True, False]}, {}, [[1, NAN], [NAN, 1]], [1, 0], ["a", "b"]),
    ({"a": ["1", "2"], "y": [1.0, 2.0]}, {}, [[1, 0], [0, 1]], [1.0, 2.0], ["a=1", "a=2"]),
    ({"a": [7, 8], "y": [1, 2]}, {"categorical": ["a", "y"]}, [[1, 0], [0, 1]], ["1", "2"], ["a=7", "a=8"]),
    (
        {"a": pa.array(["u", "v"]).dictionary_encode(), "y": ["p", "q"]},
        {},
        [[1, 0], [0, 1]],
        ["p", "q"],
        ["a=u", "a=v"],
    ),
    ({"a": pa.array([5, 6]).dictionary_encode(), "y": [1, 2]}, {}, [[5], [6]], [1, 2], ["a"]),
    ({"a": pa.array(["u"], pa.large_string()), "y": [1]}, {}, [[1]], [1], ["a=u"]),
    (
        {"a": [decimal.Decimal("1.5")], "b": pa.array([2**60 + 1]), "y": [1]},
        {},
        [[1.5, 2.0**60]],
        [1],
        ["a", "b"],
    ),
    (
        {"a": pa.array([1.5], pa.float16()), "y": pa.array([2**64 - 1], pa.uint64())},
        {},
        [[1.5]],
        [2.0**64],
        ["a"],
    ),
    ({"a": [1.0], "y": [3], "__index_level_0__": ["r"]}, {}, [[1]], [3], ["a"]),
]


@pytest.mark.parametrize(("content", "arguments", "X", "y", "names"), TABLES, ids=range(len(TABLES)))
def test_tables_become_arrays(table, content, arguments, X, y, names):
    path = table(content)
    data = load(path, **arguments)
    assert same(data, X, y, names)
    assert data.y.dtype.kind == np.asarray(y).dtype.kind
    assert (data.name, data.source) == ("file", str(path))
    again = load(path, encoder=data.encoder)
    assert same(again, X, y, names)


# content, arguments, sentence
ERRORS = [
    ("", {}, r"file.csv is empty: it needs a header and rows of data"),
    ("\n\n", {}, r"is empty"),
    ("a,y", {}, r"has a header and no rows"),
    ("a,y\n", {}, r"has a header and no rows"),
    (
        {"a": pa.array([], pa.int64()), "y": pa.array([], pa.int64())},
        {},
        r"file.parquet has a header and no rows",
    ),
    ({}, {}, r"file.parquet has a header and no rows"),
    ("y\n1\n", {}, r"has one column only, 'y', which is the target"),
    ("a;y\n1;2\n", {}, r"one column only, 'a;y', .* separated by commas"),
    ("a,a,y\n1,2,3\n", {}, r"2 columns named 'a': give each its own name"),
    (pa.table([[1], [2]], names=["a", "a"]), {}, r"file.parquet has 2 columns named 'a'"),
    (",a,y\n0,1,2\n", {}, r"column 1 has no name: name it, or leave it out if it only numbers the rows"),
    ("a,y\n1,2\n\n3\n", {}, r"row 2 \(line 4\) has 1 values for 2 columns: correct it"),
    ('a,y\n"p\nq",2\n3,4,5\n', {}, r"row 2 \(line 4\) has 3 values for 2 columns"),
    (b"a,y\n1,2\n1,\xff\n", {}, r"file.csv is not UTF-8 text \(byte 0xff in line 3\): save it as UTF-8"),
    (b"a,y\n1,2,\xff\n", {}, r"row 1 \(line 2\) has 3 values for 2 columns"),
    (b"a\xe9,y\n1,2\n", {}, r"is not UTF-8 text \(byte 0xe9 in line 1\)"),
    ("a,b,y\n1,2,3\n", {"target": "z"}, r"target='z' is no column of .*: its columns are 'a', 'b', 'y'\."),
    ("a,b,y\n1,2,3\n", {"categorical": ["a", "z"]}, r"categorical='z' is no column"),
    (",".join("abcdefghijklm") + "\n" + "1," * 12 + "1\n", {"target": "z"}, r"'i', 'j', …\.$"),
    (
        "a,y\n1,0\n\nx,1\n2,1\n",
        {},
        r"'a' is numeric, but row 2 \(line 4\) holds 'x': correct .* --categorical a\.",
    ),
    ("a,y\nx,0\n,1\n2,1\n", {}, r"'a' is numeric, but row 1 \(line 2\) holds 'x'"),
    ("a,y\n1,0\n ,1\n", {}, r"'a' is numeric, but row 2 \(line 3\) holds ' '"),
    ("a,y\n1,0\n2,x\n", {}, r"'y' is numeric, but row 2 \(line 3\) holds 'x'"),
    ("a,y\nu,0\n,1\nNA,1\n", {}, r"'a' misses 2 of 3 values, the first in row 2 \(line 3\): fill them in"),
    ("a,y\n1,u\n2,\n", {}, r"'y' misses 1 of 2 values, the first in row 2 \(line 3\)"),
    ("a,y\n1,NA\n2,1.5\n", {}, r"'y' misses 1 of 2 values, the first in row 1 \(line 2\)"),
    ("a,y\n1,\n2,\n", {}, r"'y' misses 2 of 2 values"),
    ({"a": [1, 2], "y": [1.5, NAN]}, {}, r"'y' misses 1 of 2 values, the first in row 2: fill"),
    ({"a": ["u", None], "y": [1, 2]}, {}, r"'a' misses 1 of 2 values, the first in row 2: fill"),
    (
        {"a": [datetime.datetime(2020, 1, 1)], "y": [1]},
        {},
        r"'a' holds values of type timestamp\[us\]: convert it",
    ),
    ({"a": [[1]], "y": [1]}, {}, r"'a' holds values of type list"),
    (
        "a,y\n" + "".join(f"u{i},0\n" for i in range(1001)),
        {},
        r"'a' holds 1001 different texts, and at most 1000",
    ),
]


@pytest.mark.parametrize(("content", "arguments", "sentence"), ERRORS, ids=range(len(ERRORS)))
def test_unusable_tables_are_refused(table, content, arguments, sentence):
    with pytest.raises(DataError, match=sentence):
        load(table(content), **arguments)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"text" * 9])
def test_damaged_parquet_files_are_named(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"a.parquet is not a sound Parquet file \(.*\): write it again"):
        load(tmp_path / "a.parquet")


def test_a_parquet_file_cut_short_or_changed_inside_is_named(table):
    path = table({"a": np.arange(1000.0), "y": np.arange(1000)})
    content = path.read_bytes()
    for damaged in (content[:-100], content[:200] + b"\xff" * 3000 + content[3200:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="is not a sound Parquet file"):
            load(path)


def test_a_parquet_text_that_is_not_utf8_is_named(table):
    text = pa.array([b"\xff"]).view(pa.string())
    with pytest.raises(DataError, match=r"is not a sound Parquet file \(.*UTF8"):
        load(table({"a": text, "y": [1]}))


def test_folders_of_a_path_add_no_columns(table, tmp_path):
    (tmp_path / "b=7").mkdir()
    assert load(table({"a": [1.0], "y": [1]}, "b=7/file")).feature_names == ["a"]


# ---- laws

FLOATS = st.floats(allow_nan=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8).map(
    "t{}".format
)


@law
@given(data=st.data(), rows=st.integers(1, 8))
def test_csv_round_trip(tmp_path_factory, data, rows):
    def column(values):
        return data.draw(st.lists(values, min_size=rows, max_size=rows))

    numbers, texts, labels = column(st.one_of(FLOATS, st.just(NAN))), column(TEXTS), column(TEXTS)
    path = tmp_path_factory.mktemp("law") / "file.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("n", "t", "y"), *zip(numbers, texts, labels, strict=True)])
    loaded = load(path)
    categories = sorted(set(texts))
    np.testing.assert_array_equal(loaded.X[:, 0], numbers)
    np.testing.assert_array_equal(
        loaded.X[:, 1:], [[text == other for other in categories] for text in texts]
    )
    assert loaded.feature_names == ["n", *(f"t={text}" for text in categories)]
    assert loaded.y.tolist() == labels


@law
@given(labels=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8))
def test_whole_labels_are_exact(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("law") / "file.csv"
    path.write_text("a,y\n" + "".join(f"1,{label}\n" for label in labels))
    assert load(path).y.tolist() == labels
