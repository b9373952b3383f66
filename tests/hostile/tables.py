"""X in every container, dtype, layout and shape that somebody passes sooner or later; each a function of a small table."""

import decimal
import fractions
import warnings

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
import torch

__all__ = ["ODD_TABLES", "SOUND_TABLES", "table"]

_INTEGERS = ["int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]


def table(name, A, rng):
    """Return the table A (float64) in the container of this name."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {**SOUND_TABLES, **ODD_TABLES}[name](A, rng)


def _cast(dtype):
    def cast(A, rng):
        del rng
        if np.dtype(dtype).kind in "iub":
            A = np.clip(np.nan_to_num(A), -100, 100)
            A = np.abs(A) if np.dtype(dtype).kind == "u" else A
        return (3 * A).astype(dtype)

    return cast


def _read_only(A, rng):
    A = A.copy()
    A.flags.writeable = False
    return A


def _strided(A, rng):
    wide = np.full((2 * A.shape[0], 3 * A.shape[1] + 1), np.nan)
    wide[::2, 1::3] = A
    return wide[::2, 1::3]


def _unaligned(A, rng):
    memory = np.zeros(A.nbytes + 1, dtype=np.uint8)[1:]
    B = memory[: A.nbytes].view(A.dtype).reshape(A.shape)
    B[:] = A
    return B


def _names(A):
    return [f"feature {k}" for k in range(A.shape[1])]


def _frame(dtype=None):
    def frame(A, rng):
        return pd.DataFrame(
            A if dtype is None else np.nan_to_num(A).clip(-100, 100).round(), columns=_names(A)
        ).astype(dtype or float)

    return frame


def _frame_and(column):
    def frame(A, rng):
        return pd.DataFrame(A, columns=_names(A)).assign(more=column(len(A)))

    return frame


def _named(names):
    def frame(A, rng):
        return pd.DataFrame(A, columns=names(A.shape[1]))

    return frame


def _polars_and(column):
    def frame(A, rng):
        return pl.DataFrame(A, schema=_names(A)).with_columns(pl.Series("more", column(len(A))))

    return frame


def _holed(A, rng):
    return np.where(rng.random(A.shape) < 0.4, 0.0, A)


def _scipy(kind, dtype=None):
    def matrix(A, rng):
        A = _holed(A, rng)
        return getattr(sp, kind)(A if dtype is None else np.nan_to_num(3 * A).clip(-100, 100).astype(dtype))

    return matrix


def _wide_indices(A, rng):
    X = sp.csr_array(_holed(A, rng))
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def _twice(kind):
    def matrix(A, rng):
        """Each entry as two halves, in any order, with zeros that are stored."""
        rows, columns = np.nonzero(np.ones(A.shape))
        half = A.ravel() / 2
        order = rng.permutation(2 * A.size)
        values = np.concatenate([half, half])[order]
        places = np.concatenate([rows, rows])[order], np.concatenate([columns, columns])[order]
        X = sp.coo_array((values, places), shape=A.shape)
        if kind == "coo":
            return X
        # By hand: SciPy's own conversion would add the halves up.
        major, minor = (places[0], places[1]) if kind == "csr" else (places[1], places[0])
        order = np.argsort(major, kind="stable")
        count = A.shape[0 if kind == "csr" else 1]
        starts = np.concatenate([[0], np.cumsum(np.bincount(major, minlength=count))])
        return getattr(sp, f"{kind}_array")((values[order], minor[order], starts), shape=A.shape)

    return matrix


def _empty_rows(A, rng):
    A = A.copy()
    A[:: max(1, rng.integers(1, 4))] = 0
    return sp.csr_matrix(A)


def _damaged(A, rng):
    X = sp.csr_array(np.ones(A.shape))
    X.indices = X.indices.copy()
    X.indices[-1:] = rng.choice([-3, 7, 2**31 - 1])
    return X


def _torn(A, rng):
    X = sp.csr_array(np.ones(A.shape))
    X.indptr = X.indptr.copy()
    X.indptr[-1:] = 10**6
    return X


def _tensor(dtype):
    def tensor(A, rng):
        if not (dtype.is_floating_point or dtype.is_complex):
            A = np.abs(np.clip(np.nan_to_num(3 * A), -100, 100))
        return torch.from_numpy(A.copy()).to(dtype)

    return tensor


def _of_tensor(change):
    return lambda A, rng: change(torch.from_numpy(A.copy()))


def _torch_csr(dtype=torch.float64, index=torch.int64):
    def tensor(A, rng):
        X = torch.from_numpy(_holed(A, rng)).to(dtype).to_sparse_csr()
        return torch.sparse_csr_tensor(
            X.crow_indices().to(index), X.col_indices().to(index), X.values(), size=X.shape
        )

    return tensor


def _torch_twice(A, rng):
    rows, columns = np.nonzero(np.ones(A.shape))
    places = torch.tensor(np.array([[*rows, *rows], [*columns, *columns]]))
    half = torch.from_numpy(A.ravel() / 2)
    return torch.sparse_coo_tensor(places, torch.cat([half, half]), size=A.shape, check_invariants=False)


def _inference(A, rng):
    with torch.inference_mode():
        return torch.from_numpy(A.copy()) * 1.0


class _Lazy:
    """Nothing but the protocol of NumPy."""

    def __init__(self, A):
        self._A = A

    def __array__(self, dtype=None, copy=None):
        return np.array(self._A, dtype=dtype)


class _Array(np.ndarray):
    """A subclass with nothing of its own."""


class _Tensor(torch.Tensor):
    """A subclass with nothing of its own."""


# Tables that a fit should take where the values allow it.
SOUND_TABLES = {
    "float64": lambda A, rng: A.copy(),
    "float32": _cast("float32"),
    "float16": _cast("float16"),
    "longdouble": _cast("longdouble"),
    "other byte order": _cast(">f8"),
    "bool": lambda A, rng: A > 0,
    "uint8": _cast("uint8"),
    **{dtype: _cast(dtype) for dtype in _INTEGERS},
    "object of floats": lambda A, rng: A.astype(object),
    "column order": lambda A, rng: np.asfortranarray(A),
    "negative strides": lambda A, rng: A[::-1, ::-1].copy()[::-1, ::-1],
    "strided": _strided,
    "read-only": _read_only,
    "unaligned": _unaligned,
    "zero strides": lambda A, rng: np.broadcast_to(A[:1], A.shape),
    "subclass of ndarray": lambda A, rng: A.copy().view(_Array),
    "lists": lambda A, rng: A.tolist(),
    "tuples": lambda A, rng: tuple(map(tuple, A.tolist())),
    "list of arrays": lambda A, rng: list(A.copy()),
    "protocol": lambda A, rng: _Lazy(A.copy()),
    "pandas": _frame(),
    "pandas float32": _frame("float32"),
    "pandas int64": _frame("int64"),
    "pandas Int64": _frame("Int64"),
    "pandas Float64": _frame("Float64"),
    "pandas bool column": _frame_and(lambda n: np.arange(n) % 2 == 0),
    "pandas other index": lambda A, rng: pd.DataFrame(A, index=[3] * len(A)),
    "pandas twice the name": _named(lambda k: ["x"] * k),
    "pandas numbers as names": _named(range),
    "pandas two levels": _named(lambda k: pd.MultiIndex.from_product([["a"], range(k)])),
    "pandas sparse": lambda A, rng: pd.DataFrame(_holed(A, rng)).astype(pd.SparseDtype("float64", 0.0)),
    "polars": lambda A, rng: pl.DataFrame(A, schema=_names(A)),
    "polars float32": lambda A, rng: pl.DataFrame(A.astype("float32"), schema=_names(A)),
    "polars bool column": _polars_and(lambda n: [row % 2 == 0 for row in range(n)]),
    **{
        f"scipy {kind}": _scipy(kind)
        for kind in ("csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_matrix")
    },
    **{
        f"scipy {kind}": _scipy(kind)
        for kind in (
            "coo_array",
            "dok_matrix",
            "lil_matrix",
            "dia_matrix",
            "bsr_matrix",
            "dok_array",
            "dia_array",
        )
    },
    **{
        f"scipy {dtype}": _scipy("csr_matrix", dtype)
        for dtype in ("bool", "int8", "int64", "float32", "longdouble")
    },
    "scipy int64 indices": _wide_indices,
    "scipy coo twice": _twice("coo"),
    "scipy csr twice": _twice("csr"),
    "scipy csc twice": _twice("csc"),
    "scipy empty rows": _empty_rows,
    "torch float64": _tensor(torch.float64),
    "torch float32": _tensor(torch.float32),
    "torch float16": _tensor(torch.float16),
    "torch bfloat16": _tensor(torch.bfloat16),
    "torch bool": _tensor(torch.bool),
    "torch uint8": _tensor(torch.uint8),
    "torch int64": _tensor(torch.int64),
    "torch requires_grad": _of_tensor(lambda X: X.requires_grad_()),
    "torch with a graph": _of_tensor(lambda X: X.requires_grad_() * 1.0),
    "torch Parameter": _of_tensor(torch.nn.Parameter),
    "torch subclass": _of_tensor(lambda X: X.as_subclass(_Tensor)),
    "torch inference": _inference,
    "torch transposed": _of_tensor(lambda X: X.T.contiguous().T),
    "torch strided": _of_tensor(lambda X: torch.cat([X, X], dim=1)[:, ::2] if X.shape[1] > 1 else X[:, :1]),
    "torch expanded": _of_tensor(lambda X: X[:1].expand(X.shape)),
    "torch negative view": _of_tensor(lambda X: torch.complex(X, X).conj().imag),
    "torch csr": _torch_csr(),
    "torch csr int32": _torch_csr(index=torch.int32),
    "torch csr float32": _torch_csr(torch.float32),
    "torch csr float16": _torch_csr(torch.float16),
    "torch csc": lambda A, rng: torch.from_numpy(_holed(A, rng)).to_sparse_csc(),
    "torch coo": lambda A, rng: torch.from_numpy(_holed(A, rng)).to_sparse(),
    "torch coo twice": _torch_twice,
    "torch csr requires_grad": lambda A, rng: torch.from_numpy(A.copy()).to_sparse_csr().requires_grad_(),
}

# Tables that most fits refuse.
ODD_TABLES = {
    "complex": _cast("complex128"),
    "object with None": lambda A, rng: np.where(A.max(initial=-np.inf) == A, None, A.astype(object)),
    "object with text": lambda A, rng: np.where(A.max(initial=-np.inf) == A, "five", A.astype(object)),
    "object with lists": lambda A, rng: np.array(
        [[[1.0]] * A.shape[1]] * len(A) + [[None] * A.shape[1]], dtype=object
    ),
    "object of decimals": lambda A, rng: np.array(
        [[decimal.Decimal(repr(float(x))) for x in row] for row in A], dtype=object
    ).reshape(A.shape),
    "object of fractions": lambda A, rng: np.array(
        [[fractions.Fraction(int(x), 7) for x in row] for row in np.nan_to_num(A).clip(-9, 9)], dtype=object
    ).reshape(A.shape),
    "object of large integers": lambda A, rng: np.full(A.shape, 10**400, dtype=object),
    "text": lambda A, rng: A.astype(str),
    "words": lambda A, rng: np.full(A.shape, "word"),
    "bytes": lambda A, rng: A.astype("S"),
    "dates": lambda A, rng: np.nan_to_num(A).clip(-99, 99).astype("datetime64[s]"),
    "missing dates": lambda A, rng: np.full(A.shape, np.datetime64("NaT")),
    "durations": lambda A, rng: np.nan_to_num(A).clip(-99, 99).astype("timedelta64[s]"),
    "records": lambda A, rng: np.zeros(len(A), dtype=[("a", "f8"), ("b", "f8")]),
    "void": lambda A, rng: np.zeros(A.shape, dtype="V8"),
    "np.matrix": lambda A, rng: np.asmatrix(A.copy()),
    "masked": lambda A, rng: np.ma.masked_greater(A.copy(), 0.5),
    "0-d": lambda A, rng: np.array(1.0),
    "1-d": lambda A, rng: A[:, 0].copy() if A.shape[1] else A.ravel(),
    "3-d": lambda A, rng: A[:, :, None].copy(),
    "no rows": lambda A, rng: A[:0].copy(),
    "no columns": lambda A, rng: A[:, :0].copy(),
    "nothing": lambda A, rng: np.zeros((0, 0)),
    "empty list": lambda A, rng: [],
    "list of empty lists": lambda A, rng: [[] for _ in A],
    "ragged": lambda A, rng: [row[: len(row) - k % 2] for k, row in enumerate(A.tolist())],
    "ragged and deep": lambda A, rng: [*A.tolist(), [[1.0]]],
    "lists with None": lambda A, rng: [[None, *row[1:]] for row in A.tolist()],
    "lists with text": lambda A, rng: [["a", *row[1:]] for row in A.tolist()],
    "lists of numbers as text": lambda A, rng: [list(map(str, row)) for row in A.tolist()],
    "lists of large integers": lambda A, rng: [[10**400] * A.shape[1] for _ in A],
    "None": lambda A, rng: None,
    "a number": lambda A, rng: 3.0,
    "a word": lambda A, rng: "table",
    "an object": lambda A, rng: object(),
    "a class": lambda A, rng: np.ndarray,
    "a dict": lambda A, rng: {k: column.tolist() for k, column in enumerate(A.T)},
    "a set": lambda A, rng: set(A.ravel().tolist()),
    "an iterator": lambda A, rng: iter(A.tolist()),
    "a list of dicts": lambda A, rng: [dict(enumerate(row)) for row in A.tolist()],
    "pandas NaN": lambda A, rng: pd.DataFrame(A).mask(A > 0.5),
    "pandas NA": lambda A, rng: pd.DataFrame(A).astype("Float64").mask(A > 0.5),
    "pandas strings": _frame_and(lambda n: ["a"] * n),
    "pandas numbers as strings": lambda A, rng: pd.DataFrame(A).astype(str),
    "pandas categories": _frame_and(lambda n: pd.Categorical(["a", "b"][row % 2] for row in range(n))),
    "pandas numeric categories": _frame_and(lambda n: pd.Categorical(row % 2 for row in range(n))),
    "pandas dates": _frame_and(lambda n: pd.to_datetime(["2020-01-01"] * n)),
    "pandas durations": _frame_and(lambda n: pd.to_timedelta(["1D"] * n)),
    "pandas all dates": lambda A, rng: pd.DataFrame(
        {"a": pd.to_datetime(["2020-01-01", None] * len(A))[: len(A)]}
    ),
    "pandas complex": _frame_and(lambda n: [1j] * n),
    "pandas lists": _frame_and(lambda n: [[1.0]] * n),
    "pandas mixed names": _named(lambda k: ["a", *range(k - 1)][:k]),
    "pandas Series": lambda A, rng: pd.Series(A[:, 0] if A.shape[1] else []),
    "pandas empty": lambda A, rng: pd.DataFrame(),
    "pandas no rows": lambda A, rng: pd.DataFrame(A[:0], columns=_names(A)),
    "polars null": _polars_and(lambda n: [None, *[1.0] * n][:n]),
    "polars strings": _polars_and(lambda n: ["a"] * n),
    "polars categories": lambda A, rng: pl.DataFrame(A, schema=_names(A)).with_columns(
        pl.Series("more", ["a"] * len(A)).cast(pl.Categorical)
    ),
    "polars lists": _polars_and(lambda n: [[1.0]] * n),
    "polars Series": lambda A, rng: pl.Series(A[:, 0] if A.shape[1] else []),
    "polars lazy": lambda A, rng: pl.DataFrame(A, schema=_names(A)).lazy(),
    "polars empty": lambda A, rng: pl.DataFrame(),
    "scipy complex": lambda A, rng: sp.csr_matrix(A.astype(complex)),
    "scipy no entries": lambda A, rng: sp.csr_matrix(A.shape),
    "scipy no rows": lambda A, rng: sp.csr_matrix((0, A.shape[1])),
    "scipy no columns": lambda A, rng: sp.csr_matrix((A.shape[0], 0)),
    "scipy 1-d": lambda A, rng: sp.coo_array(A[:, 0] if A.shape[1] else np.ones(3)),
    "scipy damaged": _damaged,
    "scipy torn": _torn,
    "torch complex": _tensor(torch.complex64),
    "torch float8": _tensor(torch.float8_e4m3fn),
    "torch uint16": _tensor(torch.uint16),
    "torch 0-d": _of_tensor(lambda X: X.sum()),
    "torch 1-d": _of_tensor(lambda X: X.flatten()),
    "torch 3-d": _of_tensor(lambda X: X.unsqueeze(0)),
    "torch no rows": _of_tensor(lambda X: X[:0]),
    "torch no columns": _of_tensor(lambda X: X[:, :0]),
    "torch meta": _of_tensor(lambda X: X.to("meta")),
    "torch quantized": lambda A, rng: torch.quantize_per_tensor(
        torch.from_numpy(np.nan_to_num(A).astype("float32")), 0.1, 0, torch.qint8
    ),
    "torch nested": lambda A, rng: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "torch list": lambda A, rng: list(torch.from_numpy(A.copy())),
    "torch list requires_grad": lambda A, rng: list(torch.from_numpy(A.copy()).requires_grad_()),
    "torch bsr": lambda A, rng: torch.from_numpy(A.copy()).to_sparse_bsr((1, 1)),
    "torch csr complex": lambda A, rng: torch.from_numpy(A.astype(complex)).to_sparse_csr(),
    "torch csr bool": lambda A, rng: (torch.from_numpy(A.copy()) > 0).to_sparse_csr(),
    "torch csr no rows": lambda A, rng: torch.zeros((0, max(A.shape[1], 1))).to_sparse_csr(),
    "torch csr damaged": lambda A, rng: torch.sparse_csr_tensor(
        torch.arange(len(A) + 1),
        torch.full((len(A),), 99),
        torch.ones(len(A)),
        size=A.shape,
        check_invariants=False,
    ),
    "torch coo 1-d": _of_tensor(lambda X: X.flatten().to_sparse()),
    "torch coo dense rows": _of_tensor(lambda X: X.to_sparse(1)),
    "torch csr meta": _of_tensor(lambda X: X.to_sparse_csr().to("meta")),
}
