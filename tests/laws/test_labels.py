"""Labels become class numbers as numpy.unique makes them, however they are counted."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelayer.estimators.targets import encoded

KINDS = [np.int8, np.uint8, np.int32, np.int64, np.uint32, np.uint64]


def assert_like_unique(y):
    with warnings.catch_warnings():
        # scikit-learn's doubt whether so many classes are meant.
        warnings.simplefilter("ignore", UserWarning)
        classes, index = encoded(y)
    expected, numbers = np.unique(y, return_inverse=True)
    assert classes.dtype == y.dtype
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(index, numbers)


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_whole_numbers(kind, data):
    info = np.iinfo(kind)
    low = data.draw(st.integers(info.min, info.max))
    high = data.draw(st.integers(low, min(info.max, low + 300)))
    numbers = data.draw(st.lists(st.integers(low, high), min_size=4, max_size=60))
    assert_like_unique(np.array(numbers * data.draw(st.integers(1, 20)), dtype=kind))


@pytest.mark.parametrize(
    "y",
    [
        np.array([True, False] * 5),
        np.array([-128, 127] * 300, dtype=np.int8),
        np.array([0, 2**63] * 4, dtype=np.uint64),
        np.array([-(2**63), 2**63 - 1] * 4),
        np.array(["b", "a", "b", "b"]),
        np.array([1.0, 3.0, 1.0, 1.0]),
    ],
    ids=["bool", "all of int8", "uint64", "all of int64", "text", "whole floats"],
)
def test_labels_of_other_kinds(y):
    assert_like_unique(y)


def test_numbers_that_are_no_classes_are_refused():
    with pytest.raises(ValueError, match="continuous"):
        encoded(np.array([0.5, 1.5, 2.5]))
