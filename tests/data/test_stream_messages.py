"""What the sources of blocks refuse: one sentence that names what is at fault and the way out."""

import datetime
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

from onelayer.data import ColumnEncoder, stream
from onelayer.data.encoder import Column
from onelayer.data.streams.sizes import parse_bytes
from onelayer.errors import DataError, DataTypeError, ParameterError

X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])
BATCHES = [(X[:4], y[:4]), (X[4:], y[4:])]
LOADER = TensorDataset(torch.tensor(X), torch.tensor(y))
GENERATOR = ((X, y) for _ in range(1))


class Frame:
    columns, dtypes = ("a", "b"), ()


class Odd:
    pass


# source, options, the sentence
IN_MEMORY = [
    ((X, y[:5]), {}, "y has shape (5,) and X has 6 rows: give one value for each row."),
    ((X, y, y[:5]), {}, "weight has shape (5,) and X has 6 rows: give one value for each row."),
    ((X[:, 0], y), {}, "X has shape (6,): give a 2-d array, one row for each sample."),
    ((X[:0], y[:0]), {}, "X has shape (0, 2): give at least one row and one feature."),
    ((X.astype(str), y), {}, "X has dtype <U32: give numbers, and texts as columns of 0 and 1."),
    ((X.astype(object), y), {}, "X has dtype object: give numbers, and texts as columns of 0 and 1."),
    ((X + 1j, y), {}, "X has dtype complex128: give real numbers of another type."),
    ((torch.tensor(X) + 1j, y), {}, "X has dtype complex128: give real numbers of another type."),
    (([[1, 2], [3]], [0, 1]), {}, "X is no array (.*): give numbers in rows of one length."),
    ((X, np.zeros((6, 1, 1))), {}, "y has shape (1, 1, 1) and dtype float64: give one number or text for each row, or several numbers."),
    ((X, y, np.array(list("aaaaaa"))), {}, "weight has shape (1,) and dtype <U1: give one number for each row."),
    ((None, y), {}, "X is None in the pair (X, y): give an array."),
    ((X, y, y), {"weight": y}, "weight was given twice, in the tuple and as an argument: leave one out."),
    ((X, y), {"target": "y"}, "target='y' names a column, and does not apply to a pair (X, y), which says itself what its target is: leave it out."),
    ((X, y), {"columns": ["a"]}, "columns=['a'] names columns of Parquet files or of batches with names, and does not apply to arrays: leave it out."),
    ((X, y), {"categorical": "a"}, "categorical=['a'] names columns of Parquet files, and does not apply to arrays: leave it out."),
    ((X, y), {"features": 3}, "data has 2 features, and the model expects 3: give the columns of the fit."),
    (X, {}, "the source is one array of shape (6, 2): give the pair (X, y), or target=False if there is no target."),
    (X, {"target": 1}, "target=1 does not apply to an array without names: give the pair (X, y)."),
    ((torch.tensor(X).to_sparse(), y), {}, "X is a sparse tensor: give a scipy.sparse matrix or a dense tensor."),
    (GENERATOR, {}, "the source is a generator, which can be read only once: give a list of batches, a DataLoader, or a function that returns a new iterator each time it is called."),
    (lambda: GENERATOR, {}, "the function <lambda> returns one iterator again and again: return a new one."),
    (lambda: 3, {}, "the function <lambda> returned a int: return an iterator of batches."),
    (3, {}, "the source is a int: give a path, a pair of arrays (X, y), or batches (a list, a DataLoader, or a function that returns a new iterator)."),
    (Frame(), {}, "the source is a Frame: write it to a Parquet file and give its path, or give the pair (X, y) of its values."),
    ([], {}, "the list gave no batches: give a list of batches, a DataLoader, or a function that returns a new iterator each time it is called."),
    (DataLoader(LOADER, shuffle=True), {}, "the DataLoader shuffles (its sampler is a RandomSampler), and rows must come in the same order in each pass: make it with shuffle=False."),
    (DataLoader(LOADER, sampler=SubsetRandomSampler([1, 2])), {}, "the DataLoader shuffles (its sampler is a SubsetRandomSampler), .*: make it with shuffle=False."),
    ([(X.reshape(6, 2, 1), y)], {}, "X of batch 1 has shape (6, 2, 1): give rows of numbers, of shape (rows, features); images are flattened with reshape(len(X), -1)."),
    ([(X[:, 0], y)], {}, "X of batch 1 has shape (6,): give rows of numbers, of shape (rows, features); .*"),
    ([(X, y[:3])], {}, "y of batch 1 has 3 rows and X has 6: give one value for each row."),
    ([(X, y, y[:3])], {}, "weight of batch 1 has 3 rows and X has 6: give one value for each row."),
    ([X], {}, "batch 1 is a ndarray of 1 parts: give (X, y) or (X, y, weight), or say target=False if there is no target."),
    ([(X, y, y, y)], {}, "batch 1 is a tuple of 4 parts: give (X, y) or (X, y, weight), .*"),
    ([(X, y)], {"target": "y"}, "target='y' names a column, and batch 1 has no names: give (X, y)."),
    ([{"a": X, "y": y}], {"columns": ["b"]}, "columns='b' is no column of batch 1: its columns are 'a', 'y'."),
    ([{"y": y}], {}, "batch 1 has no column beside the target 'y': add columns of features."),
    ([{"a": y[:3], "b": y, "y": y}], {}, "the columns of batch 1 have 3, 6 rows: give one value for each row."),
    ([{"a": list("aaaaaa"), "y": y}], {}, "column 'a' of batch 1 has dtype <U1: give numbers, and texts as columns of 0 and 1."),
    (BATCHES, {"categorical": "a"}, "categorical=['a'] names columns of Parquet files, and does not apply to batches: leave it out."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "options", "sentence"), IN_MEMORY)
def test_refusals_of_arrays_and_batches(source, options, sentence):
    with pytest.raises(DataError) as caught:
        stream(source, **options)
    assert says(caught, sentence)


def says(caught, sentence):
    assert re.fullmatch(re.escape(sentence).replace(r"\.\*", ".*"), str(caught.value)), str(caught.value)
    return True


def test_an_error_of_types_is_a_type_error():
    with pytest.raises(DataTypeError):
        stream((X.astype(object), y))


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ((X.astype("f4"), y), "2 features of float32 in a ndarray, a target"),
        ((torch.tensor(X), y), "2 features of float64 in a Tensor, a target"),
        ((X[:, :1], y), "1 features of float64 in a ndarray, a target"),
        ((X, X), "2 features of float64 in a ndarray, 2 targets"),
        ((X, y, y), "2 features of float64 in a ndarray, a target and a weight"),
        ((X, None), "2 features of float64 in a ndarray, no target"),
    ],
)
def test_batches_must_be_alike(second, sentence):
    with pytest.raises(DataError) as caught:
        list(stream([(X, y), second]).blocks(4))
    assert says(
        caught,
        f"batch 2 has {sentence}, and the first 2 features of float64 in a ndarray, a target: give all batches alike.",
    )


TABLE = np.column_stack([X, y])
TIMES = [datetime.date(2020, 1, 1)] * 6


def npy(name, array):
    return lambda folder: np.save(folder / name, array)


def table(name, **columns):
    return lambda folder: parquet.write_table(pa.table(columns), folder / name)


def text(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def twins(folder):
    fields = [pa.array([1]), pa.array([2])]
    parquet.write_table(pa.Table.from_arrays(fields, names=["a", "a"]), folder / "a.parquet")


CSV = (
    "a CSV file cannot be read from its middle: load it with onelayer.data.load(path), or, if it does not fit into memory, "
    "convert it first with pyarrow.dataset.write_dataset(pyarrow.dataset.dataset(path, format='csv'), folder, "
    "format='parquet')."
)
MANY = [f"t{row}" for row in range(1001)]
FLOATS, LABELS = list(X[:, 0]), list(map(int, y))
ENCODER = ColumnEncoder((Column("a"),), "y")

# writers, what is streamed inside their folder, options, the sentence, in which {} is the folder
IN_FILES = [
    ([], "none", {}, "'{}/none': no such file or folder: correct the path."),
    ([], "none*.npy", {}, "'{}/none*.npy': no file has a name of this pattern: correct it."),
    ([], "", {}, "{} holds no file that ends in .npy, .npz, .parquet, .svm or .libsvm: name a folder with such files."),
    ([text("a.csv", b"a,y\n1,2\n")], "a.csv", {}, "{}/a.csv: " + CSV),
    ([text("a.csv", b"a,y\n1,2\n")], "", {}, "{}/a.csv: " + CSV),
    ([text("a.txt", b"1")], "a.txt", {}, "{}/a.txt does not end in .npy, .npz, .parquet, .svm or .libsvm: convert it to one of these kinds."),
    ([npy("a.npy", TABLE), text("b.svm", b"1 1:1\n")], "", {}, "{}/a.npy and {}/b.svm are files of two kinds: give files of one kind, in a folder of their own."),
    ([text("a.npy", b"")], "a.npy", {}, "{}/a.npy is damaged, empty or holds Python objects: save a plain array with numpy.save."),
    ([text("a.npy", b"\x93NUMPY\x01\x00garbage")], "a.npy", {}, "{}/a.npy is damaged, empty or holds Python objects: save a plain array with numpy.save."),
    ([npy("a.npy", np.array([None]))], "a.npy", {}, "{}/a.npy is damaged, empty or holds Python objects: save a plain array with numpy.save."),
    ([npy("a.npy", y)], "a.npy", {}, "{}/a.npy has shape (6,): save a 2-d array with the target as a column, or give (X, y) with y's path."),
    ([npy("a.npy", TABLE[:, :1])], "a.npy", {}, "{}/a.npy has shape (6, 1): give at least one row and one feature."),
    ([npy("a.npy", TABLE)], "a.npy", {"target": 7}, "target=7 is no column of {}/a.npy: give an index from 0 to 2."),
    ([npy("a.npy", TABLE)], "a.npy", {"target": "y"}, "target='y' is no column of {}/a.npy: give an index from 0 to 2."),
    ([npy("a.npy", TABLE)], "a.npy", {"weight": 2}, "target=2 and weight=2 are one column of {}/a.npy: give two."),
    ([npy("a.npy", TABLE)], "a.npy", {"features": 4}, "a has 2 features, and the model expects 4: give the columns of the fit."),
    ([npy("a.npy", TABLE)], "a.npy", {"columns": ["a"]}, "columns=['a'] names columns of Parquet files or of batches with names, and does not apply to {}/a.npy: leave it out."),
    ([npy("a.npy", TABLE), npy("b.npy", X)], "", {}, "{}/b.npy has shape (6, 2) and dtype float64, and {}/a.npy (6, 3) and float64: save all shards with the same columns and dtype."),
    ([npy("a.npy", TABLE), npy("b.npy", TABLE.astype("f4"))], "", {}, "{}/b.npy has shape (6, 3) and dtype float32, and {}/a.npy (6, 3) and float64: save all shards with the same columns and dtype."),
    ([npy("X_0.npy", X), npy("X_1.npy", X)], "", {}, "{}/X_0.npy and its like have no files named y_0.npy beside them: add these, say which column is the target (target=-1), or that there is none (target=False)."),
    ([npy("X_0.npy", X), npy("X_1.npy", X), npy("y_0.npy", y)], "", {}, "X_1.npy and y_1.npy belong together, and only one of them is in {}: add the other."),
    ([npy("X_0.npy", X), npy("y_0.npy", y[:3])], "", {}, "{}/y_0.npy has 3 rows and {}/X_0.npy has 6: save one row for each."),
    ([npy("X_0.npy", X), npy("y_0.npy", y)], "", {"target": 1}, "target=1 does not apply to {}/X_0.npy, beside which files y* and weight* say it: leave it out."),
    ([npy("a.npy", X), npy("b.npy", X)], ("a.npy", "b.npy"), {}, "the pair ({}/a.npy, {}/b.npy) would be X and y, and both have 2 columns: if they are two shards, give them as a list."),
    ([npy("a.npy", X), text("b.svm", b"1 1:1\n")], ("a.npy", "b.svm"), {}, "y names {}/b.svm, and only .npy files go in pairs, not .svm: save one array each."),
    ([lambda f: np.savez(f / "a.npz", X=X), lambda f: np.savez(f / "b.npz", X=X)], "", {}, "{}/a.npz is one of 2 .npz files: give one, or save .npy files instead."),
    ([lambda f: np.savez(f / "a.npz", X=X)], "a.npz", {"weight": "w"}, "weight='w' is no array of {}/a.npz: it holds X."),
    ([text("a.svm", b"1 1:x\n")], "a.svm", {}, "{}/a.svm is not svmlight text (.*): write lines 'label index:value ...'."),
    ([text("a.svm", b"label 1:1\n")], "a.svm", {}, "{}/a.svm is not svmlight text (.*): write lines 'label index:value ...'."),
    ([text("a.svm", b"1 2:1 1:1\n")], "a.svm", {}, "{}/a.svm is not svmlight text (.*): write lines 'label index:value ...'."),
    ([text("a.svm", b"# nothing\n")], "a.svm", {}, "{}/a.svm holds no rows: write lines 'label index:value ...'."),
    ([text("a.svm", b"1 3:1\n")], "a.svm", {"features": 2}, "{}/a.svm has columns beyond the 2 of the model: give the columns of the fit."),
    ([text("a.svm", b"1 3:1\n")], "a.svm", {"target": "y"}, "target='y' names a column, and does not apply to {}/a.svm: leave it out."),
    ([text("a.svm", b"1 3:1\n")], "a.svm", {"weight": "y"}, "weight='y' names a column, and does not apply to {}/a.svm: leave it out."),
    ([text("a.parquet", b"PAR1")], "a.parquet", {}, "{}/a.parquet is not a sound Parquet file (.*): write it again."),
    ([table("a.parquet", a=FLOATS, y=LABELS), lambda f: cut(f / "a.parquet")], "a.parquet", {}, "{}/a.parquet is not a sound Parquet file (.*): write it again."),
    ([table("a.parquet", a=FLOATS, y=LABELS), lambda f: spoil(f / "a.parquet")], "a.parquet", {}, "{}/a.parquet is not a sound Parquet file (.*): write it again."),
    ([twins], "a.parquet", {}, "{}/a.parquet has 2 columns named 'a': give each its own name."),
    ([table("a.parquet", **{"": FLOATS}, y=LABELS)], "a.parquet", {}, "{}/a.parquet: column 1 has no name: name it, or leave it out if it only numbers the rows."),
    ([table("a.parquet", a=[], y=[])], "a.parquet", {}, "{}/a.parquet has columns and no rows: add rows of data."),
    ([table("a.parquet", a=TIMES, y=LABELS)], "a.parquet", {}, "{}/a.parquet: column 'a' holds values of type date32[day]: convert it to numbers or text, or leave it out."),
    ([table("a.parquet", y=LABELS)], "a.parquet", {}, "{}/a.parquet has no column beside the target 'y': add columns of features."),
    ([table("a.parquet", a=FLOATS, y=LABELS)], "a.parquet", {"target": "z"}, "target='z' is no column of {}/a.parquet: its columns are 'a', 'y'."),
    ([table("a.parquet", a=FLOATS, y=LABELS)], "a.parquet", {"weight": "z"}, "weight='z' is no column of {}/a.parquet: its columns are 'a', 'y'."),
    ([table("a.parquet", a=FLOATS, y=LABELS)], "a.parquet", {"columns": ["z"]}, "columns='z' is no column of {}/a.parquet: its columns are 'a', 'y'."),
    ([table("a.parquet", a=FLOATS, y=LABELS)], "a.parquet", {"columns": ["a", "a"]}, "columns names 'a' twice: name each column once."),
    ([table("a.parquet", a=FLOATS, y=LABELS)], "a.parquet", {"categorical": "z"}, "categorical='z' is no column of {}/a.parquet: its columns are 'a', 'y'."),
    ([table("a.parquet", a=FLOATS, y=LABELS)], "a.parquet", {"target": "y", "weight": "y"}, "target='y' and weight='y' are one column: give two."),
    ([table("a.parquet", a=MANY, y=[1] * 1001)], "a.parquet", {}, "{}/a.parquet: column 'a' holds more than 1000 different texts, and at most so many categories become features: leave the column out or group its values."),
    ([table("a.parquet", a=["p", None], y=[1, 2])], "a.parquet", {}, "{}/a.parquet: column 'a' misses 1 of 2 values, the first in row 2: fill them in or leave these rows out."),
    ([table("a.parquet", a=[1], y=[1]), table("b.parquet", b=[1], y=[1])], "", {}, "{}/b.parquet and {}/a.parquet have different columns ('a', 'b' only in one of them): write all files with the same columns."),
    ([table("a.parquet", a=[1], y=[1]), table("b.parquet", a=[1.0], y=[1])], "", {}, "{}/b.parquet: column 'a' holds double, and in {}/a.parquet int64: write all files with the same types."),
    ([table("a.parquet", b=[1], y=[1])], "a.parquet", {"encoder": ENCODER}, "{}/a.parquet lacks the column 'a' of the training table: add it."),
    ([table("a.parquet", a=[1], b=[1], y=[1])], "a.parquet", {"encoder": ENCODER}, "{}/a.parquet has the column 'b' unknown to the training table: leave it out."),
    ([table("a.parquet", a=[1], y=[1])], "a.parquet", {"encoder": ENCODER, "target": "a"}, "target='a' and categorical=[] are settled by the encoder, whose target is 'y': leave them out."),
    ([table("a.parquet", a=[1], b=[1], y=[1])], "a.parquet", {"encoder": ENCODER, "columns": ["b"]}, "columns=['b'] are not those of the encoder ('a'): leave columns out."),
]  # fmt: skip


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def spoil(path):
    content = bytearray(path.read_bytes())
    content[4:24] = b"\xff" * 20
    path.write_bytes(content)


@pytest.mark.parametrize(("writers", "name", "options", "sentence"), IN_FILES)
def test_refusals_of_files(tmp_path, writers, name, options, sentence):
    for write in writers:
        write(tmp_path)
    source = tuple(tmp_path / part for part in name) if isinstance(name, tuple) else tmp_path / name
    with pytest.raises(DataError) as caught:
        # some faults stand in the rows
        list(stream(source, **options).blocks(4))
    assert says(caught, sentence.replace("{}", str(tmp_path)))


# a table whose seventh row is at fault, read in blocks of 4 by the encoder of the good rows
@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"c": [*"ababab", "z"]}, "column 'c' holds 'z' in row 7, a category unseen in training ('a', 'b'): correct it, .*"),
        ({"c": [*"ababab", None]}, "column 'c' misses 1 of 3 values, the first in row 7: fill them in or leave these rows out."),
        ({"a": ["1"] * 7}, "column 'a' is numeric, but row 1 holds '1': correct the value, .*"),
        ({"y": [*range(6), None]}, "column 'y' misses 1 of 3 values, the first in row 7: fill them in or leave these rows out."),
        ({"y": ["0"] * 7}, "column 'y' is numeric, but row 1 holds '0': correct the value, .*"),
    ],
)  # fmt: skip
def test_a_row_at_fault_is_named(tmp_path, columns, sentence):
    good = {"a": [1.0] * 7, "c": [*"abababa"], "y": [0] * 7}
    table("good.parquet", **good)(tmp_path)
    table("bad.parquet", **(good | columns))(tmp_path)
    encoder = stream(tmp_path / "good.parquet").encoder
    with pytest.raises(DataError) as caught:
        list(stream(tmp_path / "bad.parquet", encoder=encoder).blocks(4))
    assert says(caught, f"{tmp_path}/bad.parquet: {sentence}")


@pytest.mark.parametrize(
    "amount",
    ["", "much", "1XB", "-1GB", "0", 0, -5, 0.5, float("nan"), float("inf"), True, None, [], "1 GB GB"],
)
def test_no_amount_of_memory(amount):
    with pytest.raises(ParameterError) as caught:
        parse_bytes(amount)
    assert says(
        caught,
        f"memory_limit={amount!r} is no amount of memory: give bytes, or a text such as '1GB', '500 MB' or '1.5GiB'.",
    )


@pytest.mark.parametrize("size", [0, -1, 2.5, "4", True, None])
def test_no_size_of_a_block(size):
    with pytest.raises(ParameterError) as caught:
        stream((X, y)).blocks(size)
    assert says(caught, f"size={size!r} is no number of rows: give a whole number above 0.")
