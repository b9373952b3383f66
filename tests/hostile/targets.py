"""y, sample_weight and offset, sound and not."""

import decimal

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
import torch

__all__ = ["LABELS", "NUMBERS", "ODD_LABELS", "ODD_NUMBERS", "ODD_OFFSETS", "ODD_WEIGHTS", "WEIGHTS"]


def _classes(count):
    def labels(n, rng):
        return rng.permutation(np.arange(n) % count)

    return labels


def _two(a, b, dtype=None):
    """Labels a and b, in this dtype."""

    def labels(n, rng):
        return np.array([(a, b)[k] for k in _classes(2)(n, rng)], dtype=dtype)

    return labels


def _of(labels, change):
    return lambda n, rng: change(labels(n, rng))


_INT, _TEXT = _classes(2), _two("no", "yes")

LABELS = {
    "two": _INT,
    "three": _classes(3),
    "text": _TEXT,
    "text as objects": _of(_TEXT, lambda y: y.astype(object)),
    "list of text": _of(_TEXT, list),
    "bool": _of(_INT, lambda y: y == 1),
    "signs": _two(-1, 1),
    "whole floats": _two(-2.0, 3.0),
    "float16": _two(1.0, 2.0, "float16"),
    "longdouble": _two(1.0, 2.0, "longdouble"),
    "extremes of int64": _two(-(2**63), 2**63 - 1),
    "neighbours near 2^53": _two(2**53, 2**53 + 1),
    "uint64": _two(2**64 - 2, 2**64 - 1, "uint64"),
    "int8": _two(-128, 127, "int8"),
    "other byte order": _two(1, 2, ">i4"),
    "rows of their own": lambda n, rng: np.arange(n),
    "column": _of(_INT, lambda y: y[:, None]),
    "negative strides": _of(_INT, lambda y: y[::-1].copy()[::-1]),
    "read-only": lambda n, rng: np.broadcast_to(_INT(n, rng), n),
    "pandas": _of(_TEXT, pd.Series),
    "pandas other index": _of(_INT, lambda y: pd.Series(y, index=[7] * len(y))),
    "pandas category": _of(_TEXT, lambda y: pd.Series(pd.Categorical(y))),
    "pandas string": _of(_TEXT, lambda y: pd.Series(y, dtype="string")),
    "pandas boolean": _of(_INT, lambda y: pd.Series(y == 1, dtype="boolean")),
    "pandas Int64": _of(_INT, lambda y: pd.Series(y, dtype="Int64")),
    "pandas frame": _of(_INT, lambda y: pd.DataFrame({"y": y})),
    "polars": _of(_TEXT, pl.Series),
    "polars int": _of(_INT, pl.Series),
    "polars category": _of(_TEXT, lambda y: pl.Series(y).cast(pl.Categorical)),
    "torch int64": _of(_INT, lambda y: torch.from_numpy(y.copy())),
    "torch uint8": _of(_INT, lambda y: torch.from_numpy(y).to(torch.uint8)),
    "torch bool": _of(_INT, lambda y: torch.from_numpy(y.copy()) == 1),
    "torch bfloat16": _of(_INT, lambda y: torch.from_numpy(y.copy()).to(torch.bfloat16)),
    "torch requires_grad": _of(_INT, lambda y: torch.from_numpy(y.astype(float)).requires_grad_()),
    "torch strided": _of(_INT, lambda y: torch.from_numpy(np.repeat(y, 2))[::2]),
    "list of tensors": _of(_INT, lambda y: list(torch.from_numpy(y.copy()))),
    "object of bools": _of(_INT, lambda y: (y == 1).astype(object)),
    "shares": lambda n, rng: rng.dirichlet([1, 1, 1], size=n),
    "shares of two": lambda n, rng: rng.dirichlet([1, 1], size=n).astype("float32"),
    "torch shares": lambda n, rng: torch.from_numpy(rng.dirichlet([1, 1, 1], size=n)).to(torch.float16),
}

# Whatever is drawn for y when it is meant to be wrong, for classes and for numbers alike.
_ANYTHING = {
    "None": lambda n, rng: None,
    "a number": lambda n, rng: 1.0,
    "a word": lambda n, rng: "y" * n,
    "0-d": lambda n, rng: np.array(1),
    "torch 0-d": lambda n, rng: torch.tensor(1.0),
    "an object": lambda n, rng: object(),
    "a set": lambda n, rng: set(range(n)),
    "a dict": lambda n, rng: dict.fromkeys(range(n), 1),
    "an iterator": lambda n, rng: iter([0, 1] * n),
    "empty": lambda n, rng: [],
    "one more": lambda n, rng: np.arange(n + 1) % 2,
    "one less": lambda n, rng: np.arange(max(n - 1, 0)) % 2,
    "row": lambda n, rng: (np.arange(n) % 2)[None],
    "3-d": lambda n, rng: np.ones((n, 1, 1)),
    "no columns": lambda n, rng: np.ones((n, 0)),
    "ragged": lambda n, rng: [[1.0] * (1 + k % 2) for k in range(n)],
    "NaN": lambda n, rng: np.where(np.arange(n) == n // 2, np.nan, np.arange(n) % 2),
    "infinite": lambda n, rng: np.where(np.arange(n) == n // 2, -np.inf, np.arange(n) % 2),
    "complex": lambda n, rng: np.arange(n) + 1j,
    "objects of complex": lambda n, rng: (np.arange(n) + 1j).astype(object),
    "dates": lambda n, rng: (np.arange(n) % 2).astype("datetime64[s]"),
    "durations": lambda n, rng: (np.arange(n) % 2).astype("timedelta64[s]"),
    "missing date": lambda n, rng: np.full(n, np.datetime64("NaT")),
    "decimals": lambda n, rng: np.array([decimal.Decimal(k % 2) for k in range(n)], dtype=object),
    "large integers": lambda n, rng: [10**400 * (k % 2) for k in range(n)],
    "objects": lambda n, rng: np.array([object() for _ in range(n)], dtype=object),
    "lists": lambda n, rng: np.array([*[[k] for k in range(n)], None], dtype=object)[:n],
    "None among numbers": lambda n, rng: np.array(
        [None if k == n // 2 else k % 2 for k in range(n)], dtype=object
    ),
    "None among text": lambda n, rng: np.array(
        [None if k == n // 2 else "ab"[k % 2] for k in range(n)], dtype=object
    ),
    "NaN among text": lambda n, rng: np.array(
        [np.nan if k == n // 2 else "ab"[k % 2] for k in range(n)], dtype=object
    ),
    "text and numbers": lambda n, rng: np.array([("a", 1)[k % 2] for k in range(n)], dtype=object),
    "list of text and numbers": lambda n, rng: [("a", 1)[k % 2] for k in range(n)],
    "text and bytes": lambda n, rng: np.array([("a", b"a")[k % 2] for k in range(n)], dtype=object),
    "bytes": lambda n, rng: np.array([(b"no", b"yes")[k % 2] for k in range(n)]),
    "numbers as text": lambda n, rng: np.array([("1", "2")[k % 2] for k in range(n)]),
    "text": _TEXT,
    "records": lambda n, rng: np.zeros(n, dtype=[("a", "i4")]),
    "pandas NA": lambda n, rng: pd.Series([pd.NA if k == n // 2 else k % 2 for k in range(n)], dtype="Int64"),
    "pandas string NA": lambda n, rng: pd.Series([pd.NA if k == n // 2 else "ab"[k % 2] for k in range(n)]),
    "pandas category missing": lambda n, rng: pd.Series(
        pd.Categorical([None if k == n // 2 else "ab"[k % 2] for k in range(n)])
    ),
    "pandas dates": lambda n, rng: pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"] * n)[:n]),
    "polars null": lambda n, rng: pl.Series(
        [None if k == n // 2 else k % 2 for k in range(n)], dtype=pl.Int64
    ),
    "polars null text": lambda n, rng: pl.Series(
        [None if k == n // 2 else "ab"[k % 2] for k in range(n)], dtype=pl.String
    ),
    "sparse": lambda n, rng: sp.csr_matrix((np.arange(n) % 2)[:, None]),
    "sparse row": lambda n, rng: sp.csr_matrix(np.arange(n) % 2),
    "sparse array": lambda n, rng: sp.csr_array((np.arange(n) % 2)[:, None]),
    "torch sparse": lambda n, rng: (torch.arange(n) % 2).double().to_sparse(),
    "torch csr": lambda n, rng: (torch.arange(n) % 2).double()[:, None].to_sparse_csr(),
    "torch complex": lambda n, rng: torch.ones(n, dtype=torch.complex64),
    "torch meta": lambda n, rng: torch.ones(n, device="meta"),
    "torch 3-d": lambda n, rng: torch.ones(n, 1, 1),
    "torch NaN": lambda n, rng: torch.full((n,), torch.nan),
    "torch float8": lambda n, rng: torch.ones(n).to(torch.float8_e5m2),
}

ODD_LABELS = {
    **_ANYTHING,
    "one class": lambda n, rng: np.ones(n, dtype=int),
    "one class as text": lambda n, rng: ["a"] * n,
    "fractions": lambda n, rng: np.arange(n) / 2 + 0.25,
    "huge floats": lambda n, rng: np.where(np.arange(n) % 2, 1e300, -1e300),
    "shares that miss one": lambda n, rng: np.full((n, 3), 0.3),
    "negative shares": lambda n, rng: np.tile([1.5, -0.5], (n, 1)),
    "shares with NaN": lambda n, rng: np.tile([1.0, np.nan], (n, 1)),
    "counts": lambda n, rng: np.ones((n, 2), dtype=int),
    "one share": lambda n, rng: np.ones((n, 1)),
    "shares of one class": lambda n, rng: np.tile([0.0, 1.0, 0.0], (n, 1)),
    "lists of labels": lambda n, rng: [["a", "b"] for _ in range(n)],
}


def _normal(scale=1.0, dtype="float64", shape=()):
    return lambda n, rng: (scale * rng.normal(size=(n, *shape))).astype(dtype)


_REAL = _normal()

NUMBERS = {
    "normal": _REAL,
    "float32": _normal(dtype="float32"),
    "float16": _normal(dtype="float16"),
    "longdouble": _normal(dtype="longdouble"),
    "other byte order": _normal(dtype=">f8"),
    "two targets": _normal(shape=(2,)),
    "one target in a column": _normal(shape=(1,)),
    "targets in column order": _of(_normal(shape=(2,)), np.asfortranarray),
    "ints": _classes(3),
    "bool": _of(_INT, lambda y: y == 1),
    "extremes of int64": _two(-(2**63), 2**63 - 1),
    "uint64": _two(0, 2**64 - 1, "uint64"),
    "constant": lambda n, rng: np.full(n, 0.1),
    "zero": lambda n, rng: np.zeros(n),
    "an outlier": lambda n, rng: np.append(rng.normal(size=n - 1), 1e6) if n else np.zeros(0),
    "list": _of(_REAL, list),
    "objects": _of(_REAL, lambda y: y.astype(object)),
    "negative strides": _of(_REAL, lambda y: y[::-1]),
    "read-only": lambda n, rng: np.broadcast_to(rng.normal(size=n), n),
    "pandas": _of(_REAL, pd.Series),
    "pandas other index": _of(_REAL, lambda y: pd.Series(y, index=[7] * len(y))),
    "pandas Float64": _of(_REAL, lambda y: pd.Series(y, dtype="Float64")),
    "pandas frame": _of(_normal(shape=(2,)), pd.DataFrame),
    "polars": _of(_REAL, pl.Series),
    "polars frame": _of(_normal(shape=(2,)), pl.DataFrame),
    "torch": _of(_REAL, torch.from_numpy),
    "torch bfloat16": _of(_REAL, lambda y: torch.from_numpy(y).to(torch.bfloat16)),
    "torch float16": _of(_REAL, lambda y: torch.from_numpy(y).to(torch.float16)),
    "torch int": _of(_INT, lambda y: torch.from_numpy(y).to(torch.int32)),
    "torch requires_grad": _of(_REAL, lambda y: torch.from_numpy(y).requires_grad_()),
    "torch two targets": _of(_normal(shape=(2,)), lambda y: torch.from_numpy(y).T.contiguous().T),
}

ODD_NUMBERS = {
    **_ANYTHING,
    **{f"size {scale:g}": _normal(scale) for scale in (1e300, 1e160, 1e30, 1e-30, 1e-160, 1e-300, 5e-324)},
    "size 1e38 in float32": _normal(3e37, "float32"),
    "huge and not": lambda n, rng: np.where(np.arange(n) == 0, 1e308, rng.normal(size=n)),
    "beyond float64": lambda n, rng: np.full(n, np.longdouble("1e4000")),
}

WEIGHTS = {
    "none": lambda n, rng: None,
    "ones": lambda n, rng: np.ones(n),
    "plain": lambda n, rng: rng.uniform(0.5, 2, size=n),
    "counts": lambda n, rng: rng.integers(1, 4, size=n),
    "some zeros": lambda n, rng: rng.integers(0, 2, size=n) * 1.0,
    "float32": lambda n, rng: rng.uniform(0.5, 2, size=n).astype("float32"),
    "list": lambda n, rng: [1.0] * n,
    "bool": lambda n, rng: np.arange(n) > 0,
    "negative strides": lambda n, rng: rng.uniform(0.5, 2, size=n)[::-1],
    "read-only": lambda n, rng: np.broadcast_to(2.0, n),
    "pandas": lambda n, rng: pd.Series(rng.uniform(0.5, 2, size=n), index=[1] * n),
    "polars": lambda n, rng: pl.Series(rng.uniform(0.5, 2, size=n)),
    "torch": lambda n, rng: torch.from_numpy(rng.uniform(0.5, 2, size=n)),
    "torch bfloat16": lambda n, rng: torch.ones(n, dtype=torch.bfloat16),
    "torch requires_grad": lambda n, rng: torch.ones(n).requires_grad_(),
}

ODD_WEIGHTS = {
    "all zero": lambda n, rng: np.zeros(n),
    "one row": lambda n, rng: (np.arange(n) == 0) * 1.0,
    "mixed sizes": lambda n, rng: rng.choice([0.0, 1e-30, 1.0, 1e30], size=n),
    "huge": lambda n, rng: rng.uniform(1, 2, size=n) * 1e300,
    "tiny": lambda n, rng: rng.uniform(1, 2, size=n) * 1e-300,
    "subnormal": lambda n, rng: np.full(n, 5e-324),
    "overflow": lambda n, rng: np.full(n, 1.7e308),
    "huge in float32": lambda n, rng: np.full(n, 3e38, dtype="float32"),
    "negative": lambda n, rng: np.where(np.arange(n) == 0, -1.0, 1.0),
    "negative zero": lambda n, rng: np.where(np.arange(n) == 0, -0.0, 1.0),
    "NaN": lambda n, rng: np.where(np.arange(n) == 0, np.nan, 1.0),
    "infinite": lambda n, rng: np.where(np.arange(n) == 0, np.inf, 1.0),
    "one more": lambda n, rng: np.ones(n + 1),
    "empty": lambda n, rng: [],
    "0-d": lambda n, rng: np.array(2.0),
    "a number": lambda n, rng: 2,
    "zero": lambda n, rng: 0.0,
    "negative number": lambda n, rng: -1.0,
    "NaN number": lambda n, rng: float("nan"),
    "column": lambda n, rng: np.ones((n, 1)),
    "3-d": lambda n, rng: np.ones((n, 1, 1)),
    "text": lambda n, rng: ["heavy"] * n,
    "numbers as text": lambda n, rng: ["1"] * n,
    "a word": lambda n, rng: "balanced",
    "complex": lambda n, rng: np.ones(n) + 1j,
    "dates": lambda n, rng: np.ones(n).astype("datetime64[s]"),
    "objects": lambda n, rng: np.array([None, *[1.0] * n], dtype=object)[:n],
    "decimals": lambda n, rng: [decimal.Decimal(1)] * n,
    "ragged": lambda n, rng: [[1.0] * (1 + k % 2) for k in range(n)],
    "a dict": lambda n, rng: {0: 1.0, 1: 2.0},
    "an object": lambda n, rng: object(),
    "an iterator": lambda n, rng: iter([1.0] * n),
    "large integers": lambda n, rng: [10**400] * n,
    "pandas NA": lambda n, rng: pd.Series([pd.NA, *[1] * n][:n], dtype="Int64"),
    "polars null": lambda n, rng: pl.Series([None, *[1] * n][:n], dtype=pl.Int64),
    "sparse": lambda n, rng: sp.csr_matrix(np.ones((n, 1))),
    "torch 0-d": lambda n, rng: torch.tensor(2.0),
    "torch complex": lambda n, rng: torch.ones(n, dtype=torch.complex64),
    "torch meta": lambda n, rng: torch.ones(n, device="meta"),
    "torch sparse": lambda n, rng: torch.ones(n).to_sparse(),
}

ODD_OFFSETS = {
    "plain": _REAL,
    "column": _normal(shape=(1,)),
    "torch bfloat16": lambda n, rng: torch.ones(n, dtype=torch.bfloat16),
    "torch requires_grad": lambda n, rng: torch.ones(n).requires_grad_(),
    "pandas": lambda n, rng: pd.Series(np.ones(n)),
    "size 1e300": _normal(1e300),
    "size 1e8": _normal(1e8),
    "two": _normal(shape=(2,)),
    "three": _normal(shape=(3,)),
    **{name: odd for name, odd in ODD_WEIGHTS.items() if name != "all zero"},
}
