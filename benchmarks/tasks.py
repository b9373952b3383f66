"""What a contestant is asked to minimise, and the value of that objective in float64.

P(W, b) = mean loss + alpha/2 ‖W‖², the intercept b is never penalised. The losses are log(1 + exp(z)) − y z
("logistic"), the cross-entropy of the softmax ("softmax"), ½(y − z)² ("squared"), and Huber's with a fixed delta
("huber").
"""

import dataclasses
import math

__all__ = ["Task", "load_matrix", "objective"]

# Rows of X that are turned into float64 at a time.
_BLOCK = 1 << 14


@dataclasses.dataclass(frozen=True)
class Task:
    """One objective.

    Attributes
    ----------
    loss : {"logistic", "softmax", "squared", "huber"}
    alpha : float
        Strength of the penalty on the mean loss, ≥ 0.
    rows : int
    classes : int
        0 for a regression; y then holds numbers, else 0, 1, …, classes − 1.
    delta : float
        Of Huber's loss.
    sparse : bool
        Whether X is a CSR matrix of SciPy.
    """

    loss: str
    alpha: float
    rows: int
    classes: int = 0
    delta: float = 0.0
    sparse: bool = False

    @property
    def C(self):
        """scikit-learn's inverse strength on the summed loss."""
        return 1 / (self.alpha * self.rows) if self.alpha else math.inf

    @property
    def outputs(self):
        """Rows of W."""
        return self.classes if self.classes > 2 else 1


def objective(task, X, y, coef, intercept):
    """Return P(W, b) in float64, independently of any contestant (arrays, tensors on any device, CSR matrices)."""
    import torch

    whole, y = X, torch.as_tensor(y)
    X = None if task.sparse else torch.as_tensor(X)
    device = torch.device("cpu") if X is None else X.device
    weight = torch.as_tensor(coef).to(device, torch.float64).reshape(task.outputs, -1)
    bias = torch.as_tensor(intercept).to(device, torch.float64).reshape(-1)
    total = 0.0
    for start in range(0, len(y), _BLOCK):
        rows = slice(start, start + _BLOCK)
        if X is None:
            scores = torch.from_numpy(whole[rows].astype("float64") @ weight.numpy().T) + bias
        else:
            scores = X[rows].double() @ weight.T + bias
        total += _losses(task, scores, y[rows].to(device)).sum().item()
    return total / len(y) + task.alpha / 2 * weight.square().sum().item()


def load_matrix(path):
    """Return the array or the CSR matrix in a file."""
    path = str(path)
    if path.endswith(".npy"):
        import numpy as np

        return np.load(path)
    import scipy.sparse

    return scipy.sparse.csr_matrix(scipy.sparse.load_npz(path))


def _losses(task, scores, y):
    import torch

    if task.loss == "softmax":
        return torch.nn.functional.cross_entropy(scores, y.long(), reduction="none")
    z, y = scores.squeeze(1), y.double()
    if task.loss == "logistic":
        return torch.nn.functional.softplus((1 - 2 * y) * z)
    distance = (z - y).abs()
    clipped = distance if task.loss == "squared" else distance.clamp(max=task.delta)
    return clipped * (distance - clipped / 2)
