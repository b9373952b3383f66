"""Arrays of other libraries, where scikit-learn's ``array_api_dispatch`` lets them through."""

from numbers import Real

import numpy as np
import torch
from scipy import sparse
from sklearn.utils._array_api import get_namespace_and_device

__all__ = ["Namespace"]


class Namespace:
    """Where an array lives, and the way from there to what our engines take, and back.

    Without ``sklearn.set_config(array_api_dispatch=True)`` everything is NumPy.

    Parameters
    ----------
    array : array, sparse matrix, list or tensor
    """

    def __init__(self, array):
        self.xp, _, self.device = get_namespace_and_device(array)
        name = self.xp.__name__
        self.is_torch = "torch" in name
        self.is_numpy = not self.is_torch and self.xp.asarray([0.0]).__class__ is np.ndarray

    def as_numpy(self, array):
        """Return a NumPy array of these numbers; None stays None, and one number a number."""
        if array is None or isinstance(array, Real | np.ndarray) or sparse.issparse(array):
            return array
        if isinstance(array, torch.Tensor):
            return array.detach().cpu().numpy()
        if self.is_numpy or not hasattr(array, "dtype"):
            return np.asarray(array)
        from sklearn.utils._array_api import _convert_to_numpy

        return _convert_to_numpy(array, self.xp)

    def native(self, X):
        """Return X as our estimators take it: NumPy, sparse or a tensor stay, others become NumPy."""
        return X if self.is_numpy or self.is_torch else self.as_numpy(X)

    def array(self, values):
        """Return a tensor, or an array of labels, as an array of this namespace on its device."""
        if self.is_torch:
            return torch.as_tensor(values, device=self.device)
        values = values.cpu().numpy() if isinstance(values, torch.Tensor) else values
        return values if self.is_numpy else self.xp.asarray(values, device=self.device)
