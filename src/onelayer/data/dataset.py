"""The record that every source of data ends in."""

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onelayer.data.encoder import ColumnEncoder

__all__ = ["Dataset"]


# eq=False: comparing arrays field by field has no truth value. repr=False: the arrays would fill the screen.
@dataclasses.dataclass(eq=False, repr=False)
class Dataset:
    """Features, target and their names.

    Attributes
    ----------
    X : ndarray or scipy.sparse.csr_array of shape (n_samples, n_features)
        In the dtype of its source: float64 for tables, float32 for images, whatever an array file holds.
    y : ndarray of shape (n_samples,), or None
        int64 labels, float64 values, or the text labels themselves. None where the file has no target.
    X_test, y_test : like ``X`` and ``y``, or None
        The test part, where the source comes with one.
    feature_names : list of str or None
    class_names : list of str or None
        ``class_names[k]`` names the integer label ``k``. None for text labels: they are their own names.
    image_shape : tuple of int or None
        Height and width, where a row of ``X`` is an image.
    name : str
        The name of the set, or the file's name without its ending.
    source : str
        Where the data came from, in a few words for people.
    encoder : ColumnEncoder or None
        How the columns of a CSV or Parquet file became ``X``; pass it to :func:`onelayer.data.load`
        to read further files in the same way.
    """

    X: Any
    y: Any
    X_test: Any = None
    y_test: Any = None
    feature_names: list[str] | None = None
    class_names: list[str] | None = None
    image_shape: tuple[int, ...] | None = None
    name: str = ""
    source: str = ""
    encoder: "ColumnEncoder | None" = None

    def __repr__(self):
        rows, features = self.X.shape
        test = "" if self.X_test is None else f" + {self.X_test.shape[0]} test"
        return f"Dataset({self.name!r}: {rows}{test} rows, {features} features; {self.source})"
