"""Further tables read in the way of the first, and the encoder as a record."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from onelayer.data import ColumnEncoder, load
from onelayer.errors import DataError

NAN = math.nan

MIXED = "age,color,y\n1,red,a\n2.5,blue,b\n-3,red,a\n"

# ---- at predict time

# further table, X, y
FURTHER = [
    ("color,y,age\nblue,b,4\n", [[4, 1, 0]], ["b"]),
    ("color,age\nblue,4\n", [[4, 1, 0]], None),
    ("color,y,age\nblue,,4\nred,,\n", [[4, 1, 0], [NAN, 0, 1]], None),
    ("age,color,y\n4,red,1\n", [[4, 0, 1]], ["1"]),
    ({"age": [4], "color": ["red"]}, [[4, 0, 1]], None),
    ({"age": pa.array([None], pa.string()), "color": ["red"]}, [[NAN, 0, 1]], None),
]


@pytest.mark.parametrize(("content", "X", "y"), FURTHER, ids=range(len(FURTHER)))
def test_further_tables_are_read_like_the_first(table, content, X, y):
    encoder = load(table(MIXED)).encoder
    data = load(table(content, "further"), encoder=encoder)
    np.testing.assert_array_equal(data.X, X)
    assert (data.y if y is None else data.y.tolist()) == y
    assert data.encoder is encoder


FURTHER_ERRORS = [
    ("age,y\n4,a\n", {}, r"further.csv lacks the column 'color' of the training table: add it"),
    ("y\na\n", {}, r"lacks the columns 'age', 'color' of the training table: add them"),
    ("age,color,y,k\n4,red,a,x\n", {}, r"has the column 'k' unknown to the training table: leave it out"),
    (
        "k,age,l,color\nx,4,1,red\n",
        {},
        r"has the columns 'k', 'l' unknown to the training table: leave them out",
    ),
    (
        "age,color\n4,red\n5,pink\n",
        {},
        r"'color' holds 'pink' in row 2 \(line 3\), a category unseen in .*'blue', 'red'",
    ),
    ({"age": [4], "color": ["pink"]}, {}, r"'color' holds 'pink' in row 1, a category unseen"),
    ("age,color\n4,red\n5,\n", {}, r"'color' misses 1 of 2 values, the first in row 2 \(line 3\)"),
    ({"age": ["4"], "color": ["red"]}, {}, r"'age' is numeric, but row 1 holds '4'"),
    ("age,color\n,red\nold,red\n", {}, r"'age' is numeric, but row 2 \(line 3\) holds 'old'"),
    ("age,color\n4,red\nold,red\n", {}, r"'age' is numeric, but row 2 \(line 3\) holds 'old'"),
    ("age,color,y\n4,red,a\n4,red,\n", {}, r"'y' misses 1 of 2 values"),
    ("age,color\n4,red\n", {"target": "age"}, r"target='age' .* settled by the encoder, whose target is 'y'"),
    ("age,color\n4,red\n", {"categorical": "age"}, r"categorical=\['age'\] are settled by the encoder"),
]


@pytest.mark.parametrize(("content", "arguments", "sentence"), FURTHER_ERRORS, ids=range(len(FURTHER_ERRORS)))
def test_further_tables_that_do_not_fit_are_refused(table, content, arguments, sentence):
    encoder = load(table(MIXED)).encoder
    with pytest.raises(DataError, match=sentence):
        load(table(content, "further"), encoder=encoder, **arguments)


def test_a_text_in_a_target_of_numbers_is_refused(table):
    encoder = load(table("a,y\n1,0\n2,1\n")).encoder
    with pytest.raises(DataError, match=r"'y' is numeric, but row 1 \(line 2\) holds 'yes'"):
        load(table("a,y\n1,yes\n", "further"), encoder=encoder)


# ---- the encoder as a record


def test_the_encoder_survives_json(table):
    encoder = load(table(MIXED)).encoder
    record = {
        "columns": [{"name": "age", "categories": None}, {"name": "color", "categories": ["blue", "red"]}],
        "target": "y",
        "text_target": True,
    }
    assert encoder.to_dict() == record
    assert ColumnEncoder.from_dict(json.loads(json.dumps(record))) == encoder


GOOD = {"columns": [{"name": "a", "categories": None}], "target": "y", "text_target": False}
DAMAGED = [
    None,
    [],
    {},
    {**GOOD, "columns": None},
    {**GOOD, "columns": ["a"]},
    {**GOOD, "columns": []},
    {**GOOD, "columns": [{"name": "a"}]},
    {**GOOD, "columns": [{"name": 1, "categories": None}]},
    {**GOOD, "columns": [{"name": "a", "categories": "xyz"}]},
    {**GOOD, "columns": [{"name": "a", "categories": []}]},
    {**GOOD, "columns": [{"name": "a", "categories": ["x", "x"]}]},
    {**GOOD, "columns": [{"name": "a", "categories": ["x", 1]}]},
    {**GOOD, "columns": GOOD["columns"] * 2},
    {**GOOD, "target": "a"},
    {**GOOD, "target": None},
    {**GOOD, "text_target": "no"},
]


@pytest.mark.parametrize("record", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_records_are_refused(record):
    with pytest.raises(
        DataError, match=r"The record of the columns is damaged \(.*\): save the model again\.$"
    ):
        ColumnEncoder.from_dict(record)
