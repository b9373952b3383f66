"""How the columns of a table become features, as a plain record that is saved with a model."""

import dataclasses

import numpy as np

from onelayer.data.columns import is_text, numbers, settle, texts
from onelayer.data.tables import Table, some
from onelayer.errors import DataError

__all__ = ["Column", "ColumnEncoder"]

# One-hot features are dense: a column of names or identifiers would fill the memory and teach nothing.
MAX_CATEGORIES = 1000


@dataclasses.dataclass(frozen=True)
class Column:
    """One column: numeric, or with the ``categories`` that each become a feature."""

    name: str
    categories: tuple[str, ...] | None = None

    @property
    def feature_names(self) -> list[str]:
        """One name for a numeric column, ``"color=red"`` for each category."""
        return [self.name] if self.categories is None else [f"{self.name}={text}" for text in self.categories]

    def encode(self, table: Table, out: np.ndarray) -> None:
        """Fill ``out``, zeros of shape (n_samples, len(feature_names)), from a settled table."""
        if self.categories is None:
            out[:, 0] = numbers(table, self.name)
            return
        import pyarrow as pa
        import pyarrow.compute as pc

        column = texts(table, self.name)
        known = pc.SetLookupOptions(pa.array(self.categories))
        codes = pc.call_function("index_in", [column], known).fill_null(-1).to_numpy()
        if (codes < 0).any():
            row = int((codes < 0).argmax())
            raise DataError(
                f"{table.path}: column {self.name!r} holds {column[row].as_py()!r} in {table.place(row)}, "
                f"a category unseen in training ({some(self.categories)}): correct it, leave the row out, "
                "or fit again with it."
            )
        out[np.arange(len(codes)), codes] = 1.0


@dataclasses.dataclass(frozen=True)
class ColumnEncoder:
    """The columns of a training table, so that further tables are read in the same way.

    Attributes
    ----------
    columns : tuple of Column
        The feature columns in the order of the training table.
    target : str
        The name of the target column.
    text_target : bool
        Whether the labels are text.
    """

    columns: tuple[Column, ...]
    target: str
    text_target: bool = False

    @classmethod
    def from_table(cls, table: Table, target: str) -> "ColumnEncoder":
        """Take the types and categories of a settled table.

        Raises
        ------
        DataError
            If the table has no column beside the target, or one with missing or too many categories.
        """
        columns = tuple(_column(table, name) for name in table.names if name != target)
        if not columns:
            raise DataError(
                f"{table.path} has one column only, {target!r}, which is the target: "
                "add columns of features (they are separated by commas in a CSV file)."
            )
        return cls(columns, target, is_text(table, target))

    @classmethod
    def from_dict(cls, record: dict) -> "ColumnEncoder":
        """Rebuild an encoder from :meth:`to_dict`.

        Raises
        ------
        DataError
            If the record is not of the shape that :meth:`to_dict` writes.
        """
        try:
            columns = tuple(Column(item["name"], _tuple(item["categories"])) for item in record["columns"])
            encoder = cls(columns, record["target"], record["text_target"])
        except (KeyError, TypeError) as error:
            raise DataError(
                f"The record of the columns is damaged ({error!r}): save the model again."
            ) from error
        names = (*(column.name for column in columns), encoder.target)
        for group in (names, *(column.categories for column in columns if column.categories is not None)):
            if not all(isinstance(text, str) for text in group) or not len(set(group)) == len(group) > 0:
                raise DataError(
                    f"The record of the columns is damaged (at {some(group)}): save the model again."
                )
        if not columns or not isinstance(encoder.text_target, bool):
            raise DataError("The record of the columns is damaged (a part is missing): save the model again.")
        return encoder

    def to_dict(self) -> dict:
        """Return the encoder as dicts, lists and strings, ready for JSON."""
        columns = [{"name": c.name, "categories": c.categories and list(c.categories)} for c in self.columns]
        return {"columns": columns, "target": self.target, "text_target": self.text_target}

    @property
    def feature_names(self) -> list[str]:
        """The names of the features, in the order of the columns of ``X``."""
        return [name for column in self.columns for name in column.feature_names]

    def encode(self, table: Table) -> np.ndarray:
        """Return ``X``, float64 of shape (n_samples, len(feature_names)), from a settled table.

        Raises
        ------
        DataError
            If a numeric column holds text, or a categorical one an unseen category or a missing value.
        """
        X = np.zeros((table.data.num_rows, len(self.feature_names)))
        start = 0
        for column in self.columns:
            stop = start + len(column.feature_names)
            column.encode(table, X[:, start:stop])
            start = stop
        return X

    def match(self, table: Table) -> Table:
        """Settle another table as the training table was, after a check that it has the same columns."""
        found, known = set(table.names), {self.target, *(column.name for column in self.columns)}
        if missing := [column.name for column in self.columns if column.name not in found]:
            raise DataError(
                f"{table.path} lacks {_columns(missing)} of the training table: add {_them(missing)}."
            )
        if extra := [name for name in table.names if name not in known]:
            raise DataError(
                f"{table.path} has {_columns(extra)} unknown to the training table: leave {_them(extra)} out."
            )
        text = {column.name for column in self.columns if column.categories is not None}
        return settle(table, text | ({self.target} if self.text_target else set()))


def _column(table, name):
    if not is_text(table, name):
        return Column(name)
    categories = sorted(texts(table, name).unique().to_pylist())
    if len(categories) > MAX_CATEGORIES:
        raise DataError(
            f"{table.path}: column {name!r} holds {len(categories)} different texts, and at most "
            f"{MAX_CATEGORIES} categories become features: leave the column out or group its values."
        )
    return Column(name, tuple(categories))


def _columns(names):
    return f"the column{'s' * (len(names) > 1)} {some(names)}"


def _them(names):
    return "them" if len(names) > 1 else "it"


def _tuple(categories):
    if not isinstance(categories, list | None):
        raise TypeError(categories)
    return None if categories is None else tuple(categories)
