"""What ``fit_head`` returns."""

import dataclasses
from typing import Any

import torch
from sklearn.base import is_classifier
from torch import nn

__all__ = ["FittedHead", "ToDtype"]


class ToDtype(nn.Module):
    """Converts to a dtype: between a network in half precision and a head in float32.

    Parameters
    ----------
    dtype : torch.dtype
    """

    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, x):
        """Return x in the dtype."""
        return x.to(self.dtype)

    def extra_repr(self):
        return str(self.dtype)


@dataclasses.dataclass(frozen=True)
class FittedHead:
    """A head that was fitted on the features of a frozen network.

    Attributes
    ----------
    estimator : estimator
        Fitted, with ``certificate_`` and ``result_``.
    backbone : torch.nn.Module
        The one that was given.
    shape : (int, int)
        Of the features: rows and width.
    dtype : torch.dtype
        In which the network gives them.
    flatten : bool
        Whether they had to be made rows.
    seconds_features, seconds_fit : float
        What the network took over the loader, and what the fit took.
    score, validation_score : float
        Accuracy or R² on the loader and on `validation` (None without).
    """

    estimator: Any
    backbone: nn.Module
    shape: tuple[int, int]
    dtype: torch.dtype
    flatten: bool
    seconds_features: float
    seconds_fit: float
    score: float
    validation_score: float | None = None

    @property
    def seconds(self):
        """Both together."""
        return self.seconds_features + self.seconds_fit

    def module(self):
        """Return ``nn.Sequential(backbone, head)``, whose output are the estimator's scores.

        The backbone is the given one, not a copy, and is left in its mode: call ``.eval()`` for predictions. Between the
        two stand ``nn.Flatten`` and a conversion of dtype where the features needed them.
        """
        head = self.estimator.to_module()
        # After a run elsewhere the network went home; its head follows.
        home = next((tensor.device for tensor in self.backbone.parameters()), head.weight.device)
        between: list[nn.Module] = [nn.Flatten()] if self.flatten else []
        between += [ToDtype(head.weight.dtype)] if self.dtype != head.weight.dtype else []
        return nn.Sequential(self.backbone, *between, head.to(home))

    def __str__(self):
        metric = "accuracy" if is_classifier(self.estimator) else "R²"
        text = (
            f"{type(self.estimator).__name__} on {self.shape[0]:,} rows of {self.shape[1]:,} features ({self.seconds_features:.2f} "
            f"s for the features, {self.seconds_fit:.2f} s for the fit): {metric} {self.score:.4g}"
        )
        if self.validation_score is not None:
            text += f", on the validation data {self.validation_score:.4g}"
        return f"{text}. {self.estimator.result_.message}"
