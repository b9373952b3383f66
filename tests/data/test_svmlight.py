"""Text lines ``label index:value ...``."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import dump_svmlight_file

from onelayer.data import load
from onelayer.errors import DataError

X = np.arange(12.0).reshape(4, 3)
y = np.array([0, 1, 2, 1])


@pytest.mark.parametrize("ending", [".svm", ".libsvm", ".SVM"])
def test_svmlight_round_trip(tmp_path, ending):
    path = tmp_path / f"file{ending}"
    dump_svmlight_file(X, y, str(path), zero_based=False)
    data = load(path)
    assert isinstance(data.X, scipy.sparse.csr_array)
    np.testing.assert_array_equal(data.X.toarray(), X)
    np.testing.assert_array_equal(data.y, y)
    assert data.y.dtype == np.int64


def test_svmlight_with_the_features_of_a_model(tmp_path):
    path = tmp_path / "file.svm"
    path.write_text("0.5 1:2\n1 2:3\n")
    data = load(path, features=7)
    assert data.X.shape == (2, 7)
    assert data.y.tolist() == [0.5, 1.0]
    with pytest.raises(
        DataError, match=r"file.svm has columns beyond the 1 of the model: give the columns of the fit"
    ):
        load(path, features=1)
    with pytest.raises(DataError, match=r"target='y' does not apply to .*file.svm"):
        load(path, target="y")
