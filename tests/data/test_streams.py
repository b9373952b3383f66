"""Sources of blocks: whatever they read from, and in whatever sizes, the rows are those in memory."""

import dataclasses
import importlib.util

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import scipy.sparse
import torch
from sklearn.datasets import dump_svmlight_file
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from onelayer.data import load, stream
from onelayer.data.streams import Block
from onelayer.data.streams.sizes import parse_bytes, show_bytes

ROWS, FEATURES = 103, 5
CUTS = [(0, 30), (30, 31), (31, 90), (90, ROWS)]
rng = np.random.default_rng(0)
# in 64ths, which text files hold exactly
X = (np.round(64 * rng.normal(size=(ROWS, FEATURES))) / 64).astype(np.float32)
X[X < -1] = 0
y = rng.integers(0, 3, ROWS)
w = rng.uniform(size=ROWS)
TABLE = np.column_stack([X, y]).astype(np.float32)


@dataclasses.dataclass
class Case:
    """A source, and what is to come out of it."""

    source: object
    X: object = dataclasses.field(default_factory=lambda: X)
    y: object = dataclasses.field(default_factory=lambda: y)
    weight: object = None
    names: object = None
    options: dict = dataclasses.field(default_factory=dict)
    dtype: torch.dtype = torch.float32
    known: bool = True
    seekable: bool = False


class Rows(Dataset):
    def __len__(self):
        return ROWS

    def __getitem__(self, row):
        return torch.from_numpy(X[row]), int(y[row])


class Endless(IterableDataset):
    def __iter__(self):
        return ((torch.from_numpy(X[a:b]), torch.from_numpy(y[a:b])) for a, b in CUTS)


class Named:
    """What is used of a Hugging Face data set."""

    column_names = ("embedding", "extra", "label")

    def __init__(self, kind=list):
        self.kind = kind

    def __len__(self):
        return ROWS

    def __iter__(self):
        raise AssertionError("rows are not to be asked for one by one")

    def with_format(self, name):
        assert name == "numpy"
        return Named(np.asarray)

    def iter(self, batch_size):
        for a in range(0, ROWS, 40):
            columns = {"embedding": X[a : a + 40, :4], "extra": X[a : a + 40, 4], "label": y[a : a + 40]}
            yield {name: self.kind(column) for name, column in columns.items()}


def shards(folder, table=TABLE, cuts=CUTS, stem="part"):
    folder.mkdir(exist_ok=True)
    for number, (a, b) in enumerate(cuts):
        np.save(folder / f"{stem}_{number}.npy", table[a:b])
    return folder


def saved(path, array):
    np.save(path, array)
    return path


def pairs(folder, weighted=False):
    shards(folder, X, stem="X")
    shards(folder, y, stem="y")
    return shards(folder, w, stem="weight") if weighted else folder


def frame(rows=slice(None), **more):
    columns = {f"f{j}": X[rows, j] for j in range(FEATURES)}
    return pa.table(columns | {name: values[rows] for name, values in more.items()} | {"y": y[rows]})


def tables(folder, **more):
    folder.mkdir(exist_ok=True)
    for number, (a, b) in enumerate(CUTS):
        parquet.write_table(frame(slice(a, b), **more), folder / f"{number}.parquet", row_group_size=7)
    return folder


def written(path, table, **options):
    parquet.write_table(table, path, **({"row_group_size": 25} | options))
    return path


def texts(folder, zero_based=False, cuts=CUTS):
    folder.mkdir(exist_ok=True)
    for number, (a, b) in enumerate(cuts):
        dump_svmlight_file(
            X[a:b], y[a:b], str(folder / f"{number}.svm"), zero_based=zero_based, comment="a\nb"
        )
    return folder


NAMES = [f"f{j}" for j in range(FEATURES)]
COLORS = np.array(["red", "blue"])[y % 2]
ONE_HOT = np.column_stack([X, COLORS == "blue", COLORS == "red"])
GAPS = np.where(w < 0.5, np.nan, w)


CASES = {
    "arrays": lambda tmp: Case((X, y), seekable=True),
    "arrays with weights": lambda tmp: Case((X, y, w), weight=w, seekable=True),
    "arrays and weight=": lambda tmp: Case((X, y), weight=w, options={"weight": w}, seekable=True),
    "text labels": lambda tmp: Case((X, list(COLORS)), y=COLORS, seekable=True),
    "several targets": lambda tmp: Case((X, X[:, :2]), y=X[:, :2], seekable=True),
    "columns first": lambda tmp: Case((np.asfortranarray(X), y), seekable=True),
    "other byte order": lambda tmp: Case((X.astype(">f4"), y.astype(">i2")), seekable=True),
    "tensors": lambda tmp: Case((torch.tensor(X), torch.tensor(y)), seekable=True),
    "bfloat16": lambda tmp: Case(
        (torch.tensor(X).bfloat16(), torch.tensor(y)),
        torch.tensor(X).bfloat16().float().numpy(),
        dtype=torch.bfloat16,
        seekable=True,
    ),
    "TensorDataset": lambda tmp: Case(TensorDataset(torch.tensor(X), torch.tensor(y)), seekable=True),
    "CSR": lambda tmp: Case((scipy.sparse.csr_array(X), y), seekable=True),
    "CSC": lambda tmp: Case((scipy.sparse.csc_matrix(X), y), seekable=True),
    "memory map": lambda tmp: Case((np.load(saved(tmp / "m.npy", X), mmap_mode="r"), y), seekable=True),
    ".npy": lambda tmp: Case(saved(tmp / "t.npy", TABLE), seekable=True),
    ".npy target first": lambda tmp: Case(
        saved(tmp / "t.npy", TABLE[:, ::-1]), X[:, ::-1], options={"target": 0}, seekable=True
    ),
    ".npy with weights": lambda tmp: Case(
        saved(tmp / "t.npy", np.column_stack([w, X, y])),
        weight=w,
        options={"weight": 0},
        dtype=torch.float64,
        seekable=True,
    ),
    ".npy without target": lambda tmp: Case(
        saved(tmp / "t.npy", X), y=None, options={"features": FEATURES}, seekable=True
    ),
    ".npy target=False": lambda tmp: Case(
        saved(tmp / "X.npy", X), y=None, options={"target": False}, seekable=True
    ),
    ".npz": lambda tmp: Case(savez(tmp / "t.npz", X=X, y=y, weight=w), weight=w, seekable=True),
    ".npz CSR": lambda tmp: Case(savez(tmp / "t.npz", **csr_parts(), y=y), seekable=True),
    "shards": lambda tmp: Case(shards(tmp / "s"), seekable=True),
    "shards in a list": lambda tmp: Case(sorted(map(str, shards(tmp / "s").iterdir())), seekable=True),
    "shards by pattern": lambda tmp: Case(f"{shards(tmp / 's')}/part_*.npy", seekable=True),
    "pairs": lambda tmp: Case(pairs(tmp / "s"), seekable=True),
    "pairs with weights": lambda tmp: Case(pairs(tmp / "s", weighted=True), weight=w, seekable=True),
    "pairs without targets": lambda tmp: Case(
        pairs(tmp / "s"), y=None, options={"target": False}, seekable=True
    ),
    "two folders": lambda tmp: Case((shards(tmp / "X", X), shards(tmp / "y", y)), seekable=True),
    "two paths": lambda tmp: Case((saved(tmp / "a.npy", X), saved(tmp / "b.npy", y)), seekable=True),
    "folder and array": lambda tmp: Case((shards(tmp / "X", X), y), seekable=True),
    "Parquet": lambda tmp: Case(written(tmp / "t.parquet", frame()), names=NAMES),
    "Parquet folder": lambda tmp: Case(tables(tmp / "p"), names=NAMES),
    "Parquet list": lambda tmp: Case(sorted(tables(tmp / "p").iterdir()), names=NAMES),
    "Parquet weight": lambda tmp: Case(
        tables(tmp / "p", w=w), weight=w, names=NAMES, options={"weight": "w"}
    ),
    "Parquet columns": lambda tmp: Case(
        tables(tmp / "p", w=w), X[:, [3, 1]], names=["f3", "f1"], options={"columns": ["f3", "f1"]}
    ),
    "Parquet categories": lambda tmp: Case(
        tables(tmp / "p", color=COLORS), ONE_HOT, names=[*NAMES, "color=blue", "color=red"]
    ),
    "Parquet categorical": lambda tmp: Case(
        tables(tmp / "p", k=y % 2),
        np.column_stack([X, y % 2 == 0, y % 2]),
        names=[*NAMES, "k=0", "k=1"],
        options={"categorical": "k"},
    ),
    "Parquet gaps": lambda tmp: Case(
        written(tmp / "t.parquet", frame(g=pa.array(GAPS, from_pandas=True).to_numpy(zero_copy_only=False))),
        np.column_stack([X, GAPS]),
        names=[*NAMES, "g"],
        dtype=torch.float64,
    ),
    "Parquet text target": lambda tmp: Case(
        tables(tmp / "p", c=COLORS),
        np.column_stack([X, y]),
        y=COLORS,
        names=[*NAMES, "y"],
        options={"target": "c"},
        dtype=torch.float64,
    ),
    "svmlight": lambda tmp: Case(texts(tmp / "t", cuts=[(0, ROWS)]), dtype=torch.float64),
    "svmlight folder": lambda tmp: Case(texts(tmp / "t"), dtype=torch.float64),
    "svmlight from 0": lambda tmp: Case(texts(tmp / "t", zero_based=True), dtype=torch.float64),
    "DataLoader": lambda tmp: Case(DataLoader(Rows(), batch_size=8), known=False),
    "DataLoader and workers": lambda tmp: Case(
        DataLoader(Rows(), batch_size=32, num_workers=1, multiprocessing_context="fork"), known=False
    ),
    "Dataset": lambda tmp: Case(Rows()),
    "IterableDataset": lambda tmp: Case(Endless(), known=False),
    "list of batches": lambda tmp: Case(
        [(X[a:b], list(y[a:b]), w[a:b]) for a, b in CUTS], weight=w, known=False
    ),
    "list of CSR batches": lambda tmp: Case(
        [(scipy.sparse.csr_array(X[a:b]), y[a:b]) for a, b in CUTS], known=False
    ),
    "function": lambda tmp: Case(lambda: ((X[a:b], y[a:b]) for a, b in CUTS), known=False),
    "features alone": lambda tmp: Case(
        [X[a:b] for a, b in CUTS], y=None, options={"target": False}, known=False
    ),
    "Hugging Face": lambda tmp: Case(Named(), names=[*(f"embedding[{j}]" for j in range(4)), "extra"]),
    "Hugging Face columns": lambda tmp: Case(
        Named(), X[:, [4]], names=["extra"], options={"columns": ["extra"], "target": "label"}
    ),
    "dicts": lambda tmp: Case(
        [{"x": torch.tensor(X[a:b]), "y": y[a:b]} for a, b in CUTS],
        names=[f"x[{j}]" for j in range(FEATURES)],
        known=False,
    ),
}


def savez(path, **arrays):
    np.savez(path, **arrays)
    return path


def csr_parts():
    sparse = scipy.sparse.csr_array(X)
    return {"data": sparse.data, "indices": sparse.indices, "indptr": sparse.indptr, "shape": sparse.shape}


def dense(values):
    if isinstance(values, torch.Tensor):
        return values.float().numpy() if values.dtype == torch.bfloat16 else values.numpy()
    return values.toarray() if hasattr(values, "toarray") else values


def gathered(blocks):
    columns = zip(*((dense(block.X), block.y, block.weight) for block in blocks), strict=True)
    return [None if parts[0] is None else np.concatenate(parts) for parts in columns]


@pytest.fixture(params=CASES, scope="module")
def case(request, tmp_path_factory):
    made = CASES[request.param](tmp_path_factory.mktemp("stream"))
    return made, stream(made.source, **made.options)


def matches(case, blocks, rows=slice(None)):
    X, y, weight = gathered(blocks)
    np.testing.assert_array_equal(X, case.X[rows])
    for found, expected in ((y, case.y), (weight, case.weight)):
        assert (found is None) == (expected is None)
        if expected is not None:
            np.testing.assert_array_equal(found, expected[rows])
            assert found.dtype.kind == np.asarray(expected).dtype.kind


def test_what_is_known_before_the_first_read(case):
    case, data = case
    assert data.rows == (ROWS if case.known else None)
    assert data.features == case.X.shape[1]
    assert data.feature_names == case.names
    assert data.dtype == case.dtype
    assert data.has_target == (case.y is not None)
    assert data.source.seekable == case.seekable
    assert f"{data.features} features, {'sparse ' * data.sparse}{data.source.storage}; " in repr(data)


@pytest.mark.parametrize("size", [1, 7, 30, ROWS, 1000])
def test_blocks_have_the_rows_in_order_and_just_the_size(case, size):
    case, data = case
    blocks = list(data.blocks(size))
    matches(case, blocks)
    assert [len(block) for block in blocks] == [size] * (ROWS // size) + [ROWS % size] * (ROWS % size > 0)
    for block in blocks:
        assert scipy.sparse.issparse(block.X) == data.sparse
        assert str(block.X.dtype).removeprefix("torch.") == data.source.storage
        assert data.sparse or (
            block.X.is_contiguous() if isinstance(block.X, torch.Tensor) else block.X.flags.c_contiguous
        )
        assert not isinstance(block.X, np.memmap)
    # those of batches are counted by now
    assert data.rows == ROWS


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (0, 30), (29, 33), (31, None), (50, 102), (102, 200), (40, 40)]
)
def test_reading_starts_and_stops_anywhere(case, start, stop):
    case, data = case
    blocks = list(data.source.read(7, start, stop))
    if start == stop:
        assert not blocks
        return
    matches(case, blocks, slice(start, stop))
    assert {len(block) for block in blocks[:-1]} <= {7}


@pytest.mark.parametrize("index", [[0], [3, 29, 30, 31, 89, 90, 102], list(range(ROWS)), []])
def test_taking_rows(case, index):
    case, data = case
    if data.source.seekable:
        matches(case, [data.source.take(np.array(index, dtype=np.int64))], index)
    else:
        with pytest.raises(NotImplementedError, match=r"has no random access: read it in order\."):
            data.source.take(np.array(index))


# dtype of the user, dtype of the blocks
DTYPES = {
    **{name: name for name in ("uint8", "float16", "float32", "float64")},
    **dict.fromkeys(("bool", "int8", "int16", "uint16"), "float32"),
    **dict.fromkeys(("int32", "uint32", "int64", "uint64", "longdouble"), "float64"),
}


@pytest.mark.parametrize(("given", "expected"), DTYPES.items())
def test_dtypes(tmp_path, given, expected):
    values = np.abs(X).astype(given)
    sources = [values, saved(tmp_path / "X.npy", values)]
    # torch has no long double
    sources += [torch.tensor(values)] if given != "longdouble" else []
    for source in sources:
        data = stream((source, y))
        assert data.dtype == getattr(torch, expected)
        (block,) = data.blocks(ROWS)
        assert str(block.X.dtype).removeprefix("torch.") == expected
        np.testing.assert_array_equal(dense(block.X), values.astype(expected))


def test_labels_among_floats_are_whole_only_if_all_are(tmp_path):
    table = np.column_stack([X, y]).astype(np.float64)
    table[-1, -1] = 0.5
    for source in (saved(tmp_path / "t.npy", table), shards(tmp_path / "s", table)):
        blocks = list(stream(source).blocks(10))
        assert {block.y.dtype for block in blocks} == {np.dtype(np.float64)}
        np.testing.assert_array_equal(gathered(blocks)[1], table[:, -1])
    path = tmp_path / "t.svm"
    path.write_text("1 1:2\n0.5 2:1\n")
    assert [block.y.tolist() for block in stream(path).blocks(1)] == [[1.0], [0.5]]


def test_a_block_of_a_memory_map_is_a_copy(tmp_path):
    mapped = np.load(saved(tmp_path / "m.npy", X), mmap_mode="r+")
    (block,) = stream((mapped, y)).blocks(ROWS)
    mapped[:] = 7
    np.testing.assert_array_equal(block.X, X)


def test_a_parquet_stream_is_what_load_reads(tmp_path):
    table = frame(
        color=COLORS, flag=y > 0, small=y.astype(np.int8), gap=pa.array(GAPS, from_pandas=True).to_pandas()
    )
    path = written(tmp_path / "t.parquet", table.append_column("__index_level_0__", [range(ROWS)]))
    whole, data = load(path), stream(path)
    X, y_, _ = gathered(data.blocks(11))
    np.testing.assert_array_equal(X, whole.X)
    np.testing.assert_array_equal(y_, whole.y)
    assert data.encoder == whole.encoder
    assert data.feature_names == whole.feature_names


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        (pa.array(y % 2 == 0), torch.float32),
        (pa.array(y, pa.int8()), torch.float32),
        (pa.array(y, pa.uint16()), torch.float32),
        (pa.array(X[:, 0].astype(np.float16)), torch.float32),
        (pa.nulls(ROWS), torch.float32),
        (pa.array(COLORS).dictionary_encode(), torch.float32),
        (pa.array(y).dictionary_encode(), torch.float64),
        (pa.array(y, pa.int32()), torch.float64),
        (pa.array(list(map(str, y))).cast(pa.decimal128(5, 2)), torch.float64),
        (pa.array([None, *w[1:]]), torch.float64),
        (pa.array([None, *w[1:]], pa.float32()), torch.float32),
    ],
)
def test_types_of_parquet_columns(tmp_path, column, dtype):
    path = written(tmp_path / "t.parquet", pa.table({"a": X[:, 0], "b": column, "y": y}))
    data = stream(path)
    assert data.dtype == dtype
    np.testing.assert_array_equal(gathered(data.blocks(10))[0], load(path).X)


def test_a_further_table_is_read_by_the_encoder_of_the_first(tmp_path):
    encoder = stream(tables(tmp_path / "fit", color=COLORS)).encoder
    colors = np.full(ROWS, "red")
    path = written(tmp_path / "new.parquet", frame(color=colors).select(["color", *NAMES[::-1]]))
    data = stream(path, encoder=encoder)
    assert not data.has_target
    np.testing.assert_array_equal(
        gathered(data.blocks(9))[0], np.column_stack([X, np.tile([0, 1], (ROWS, 1))])
    )
    full = written(tmp_path / "full.parquet", frame(color=COLORS))
    matches(Case(None, ONE_HOT), stream(full, encoder=encoder).blocks(9))
    assert not stream(full, False, encoder=encoder).has_target
    empty = written(
        tmp_path / "empty.parquet", frame(color=COLORS).drop_columns("y").append_column("y", pa.nulls(ROWS))
    )
    assert not stream(empty, encoder=encoder).has_target
    # columns that were left out in the fit are left out again if columns= says so
    chosen = ["f1", "f2"]
    encoder = stream(full, columns=chosen).encoder
    np.testing.assert_array_equal(
        gathered(stream(full, columns=chosen, encoder=encoder).blocks(9))[0], X[:, [1, 2]]
    )


def test_svmlight_is_what_load_reads(tmp_path, monkeypatch):
    monkeypatch.setattr("onelayer.data.streams.svmlight.PIECE_BYTES", 50)
    path = tmp_path / "t.svm"
    path.write_bytes(b"# head\n1 qid:3 2:1.5 4:2 # tail\r\n\n-1 1:7\n+1\n1e0 3:1\n  0 1:1 2:2 3:3 4:4 5:5")
    whole = load(path)
    for size in (1, 2, 10):
        X, y_, _ = gathered(stream(path).blocks(size))
        np.testing.assert_array_equal(X, whole.X.toarray())
        np.testing.assert_array_equal(y_, whole.y)
        assert y_.dtype == whole.y.dtype
    assert stream(path, features=9).features == 9
    assert not stream(path, False).has_target


def test_zero_based_is_for_all_files_to_say(tmp_path):
    (tmp_path / "a.svm").write_text("1 1:2\n" * 3)
    (tmp_path / "b.svm").write_text("1 0:2\n")
    X, _, _ = gathered(stream(tmp_path).blocks(1))
    np.testing.assert_array_equal(X, [[0, 2]] * 3 + [[2, 0]])


def test_a_loader_leaves_the_generator_alone():
    loader = DataLoader(Rows(), batch_size=8)
    before = torch.get_rng_state()
    list(stream(loader).blocks(50))
    assert torch.equal(before, torch.get_rng_state())


def test_rows_one_by_one_and_shards_without_rows(tmp_path):
    data = stream([(X[row], y[row], w[row]) for row in range(ROWS)])
    matches(Case(None, weight=w), data.blocks(20))
    shards(tmp_path / "s", cuts=[(0, 50), (50, 50), (50, ROWS)])
    matches(Case(None), stream(tmp_path / "s").blocks(20))


@pytest.mark.skipif(
    importlib.util.find_spec("datasets") is None, reason="the library datasets is not installed"
)
def test_hugging_face_itself():
    import datasets

    made = datasets.Dataset.from_dict({"x": X.tolist(), "y": y.tolist()})
    for source in (made, made.to_iterable_dataset()):
        data = stream(source)
        X_, y_, _ = gathered(data.blocks(10))
        np.testing.assert_array_equal(X_.astype(np.float32), X)
        np.testing.assert_array_equal(y_, y)


def test_a_stream_of_a_stream_has_another_limit():
    data = stream((X, y), memory_limit="1 GB")
    assert data.memory_limit == 10**9
    assert stream(data).memory_limit == 10**9
    assert stream(data, memory_limit=5e6).memory_limit == 5_000_000
    assert stream(data.source).memory_limit is None
    assert repr(data) == "Stream('data': 103 rows, 5 features, float32; arrays; within 1 GB)"
    assert repr(next(data.blocks(4))) == "Block(4 rows, 5 features, float32)"
    assert isinstance(next(data.blocks(np.int64(4))), Block)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1GB", 10**9), ("500 MB", 5 * 10**8), ("1.5GiB", 3 * 2**29), ("2k", 2000), ("3 TiB", 3 * 2**40),
        (".5 kB", 500), ("12", 12), ("7 b", 7), (12, 12), (np.int64(3), 3), (1e9, 10**9),
    ],
)  # fmt: skip
def test_amounts_of_memory(text, count):
    assert parse_bytes(text) == count


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "1 bytes"),
        (999, "999 bytes"),
        (999.6, "1 kB"),
        (1.5e9, "1.5 GB"),
        (2.345e6, "2.35 MB"),
        (7e15, "7,000 TB"),
    ],
)
def test_memory_for_people(count, text):
    assert show_bytes(count) == text
