"""``fit_head``: one pass of a frozen network over a loader, then the exact head."""

import time

import torch

from onelayer.backbones.batches import Batches
from onelayer.backbones.features import Network, collect
from onelayer.backbones.frozen import frozen, home_of
from onelayer.backbones.outcome import FittedHead
from onelayer.errors import ParameterError
from onelayer.estimators import LogisticRegression

__all__ = ["fit_head"]


def fit_head(
    backbone,
    loader,
    estimator=None,
    *,
    device=None,
    validation=None,
    flatten=False,
    keys=None,
    progress=True,
):
    """Run a frozen network once over a loader and fit the last layer on its features, exactly.

    The network runs in evaluation mode and without gradients; afterwards each of its parts is in the mode that it was in,
    on the device that it was on, with the same ``requires_grad``, and torch's random numbers go on as if nothing had
    happened. Then ``estimator.fit`` minimises its own objective on the features: the head comes with a certificate.

    Parameters
    ----------
    backbone : torch.nn.Module
        Turns a batch of inputs into features, shape (n, width).
    loader : iterable
        A DataLoader, or any iterable of batches: ``(x, y)``, ``(x, y, weight)``, or dicts with `keys`. x is a tensor, or
        a list, tuple or dict of tensors, and is handed to the network as it is; y holds a label (text, whole number) or
        a target for each row. It is read once. An augmentation drawn in it counts as the data.
    estimator : LinearRegression, LogisticRegression or SoftmaxRegression, optional
        Is fitted and returned with the result. Default: ``LogisticRegression()``.
    device : str or torch.device, optional
        Where the network runs and the features are kept; it is moved there and back. Default: where it is.
    validation : iterable, optional
        Batches of the same form, on which the fitted head is scored.
    flatten : bool, default False
        Make rows of features that are not, such as maps of shape (n, channels, height, width).
    keys : sequence of str, optional
        For batches that are dicts: the keys of x, y and, if there are three, of the weights.
    progress : bool, default True
        Show rows, rows per second and the time left on standard error, if that is a terminal.

    Returns
    -------
    FittedHead
        With ``estimator`` and ``module()``, network and head as one module.

    Raises
    ------
    ParameterError
        An argument is of the wrong kind.
    DataError
        The loader is empty or has no labels, or the features are no table of finite numbers; the message names the batch.

    Notes
    -----
    Features are kept in the dtype in which the network gives them, float16 and bfloat16 too: 1,281,167 rows of 768
    numbers take 1.8 GiB in half precision. Where the loader knows its number of rows they are written into one table,
    which is allocated at once.

    Examples
    --------
    >>> import torch
    >>> from torch.utils.data import DataLoader, TensorDataset
    >>> import onelayer as ol
    >>> data = ol.data.load("digits")
    >>> images = torch.tensor(data.X, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    >>> loader = DataLoader(TensorDataset(images, torch.tensor(data.y)), batch_size=256)
    >>> backbone = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 3), torch.nn.ReLU(), torch.nn.Flatten())
    >>> head = ol.fit_head(backbone, loader, ol.SoftmaxRegression(C=1.0))
    >>> head.shape, head.estimator.certificate_.relative_gap <= 1e-6
    ((1797, 576), True)
    >>> head.module()(images[:2]).shape
    torch.Size([2, 10])
    """
    estimator = _checked(backbone, estimator)
    network = Network(backbone, home_of(backbone, device), flatten)
    with frozen(backbone, network.device):
        train = collect(network, Batches(loader, keys, "loader"), "features", show=progress)
        held_out = None
        if validation is not None:
            held_out = collect(network, Batches(validation, keys, "validation"), "validation", show=progress)
    began = time.perf_counter()
    weight = {} if train.weight is None else {"sample_weight": train.weight}
    estimator.fit(train.features, train.y, **weight)
    seconds = time.perf_counter() - began
    return FittedHead(
        estimator,
        backbone,
        tuple(train.features.shape),
        train.features.dtype,
        bool(flatten and network.flattened),
        train.seconds,
        seconds,
        train.score(estimator),
        None if held_out is None else held_out.score(estimator),
    )


def _checked(backbone, estimator):
    if not isinstance(backbone, torch.nn.Module) or isinstance(backbone, type):
        raise ParameterError(
            f"backbone is {_kind(backbone)}: give a torch.nn.Module that turns a batch into features."
        )
    if estimator is None:
        return LogisticRegression()
    if isinstance(estimator, type) or not (hasattr(estimator, "fit") and hasattr(estimator, "to_module")):
        raise ParameterError(
            f"estimator is {_kind(estimator)}: give an object of LinearRegression, LogisticRegression or SoftmaxRegression."
        )
    return estimator


def _kind(value):
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
