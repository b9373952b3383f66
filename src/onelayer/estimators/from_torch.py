"""Estimators from torch's coefficients, and their coefficients in torch's form."""

import abc
import math
from typing import Any

import numpy as np
import torch

from onelayer.errors import ParameterError
from onelayer.estimators.labels import folded, label_array
from onelayer.estimators.stream import forget
from onelayer.estimators.strengths import penalty_of
from onelayer.estimators.validation import as_tensor
from onelayer.modules import LinearPart, as_coefficients, read_linear
from onelayer.parameters import Parameters
from onelayer.result import Result, Status

__all__ = ["ClassifierExchange", "RegressorExchange", "TorchExchange"]


class TorchExchange(abc.ABC):
    """``from_module``, ``state_dict`` and ``load_state_dict`` of a linear model. Abstract."""

    l1_ratio: float
    fit_intercept: bool
    standardize: bool
    to_module: Any
    _set_parameters: Any

    @classmethod
    def from_module(cls, module, *, classes=None, **parameters):
        """Return a fitted estimator with the coefficients of a torch module.

        It predicts, can be saved, and fitted further: ``polish(X, y)`` ends at the certified optimum of its objective,
        ``fit`` starts from these coefficients if ``warm_start=True``. Nothing is known yet about how good they are:
        ``certificate_`` is None.

        Parameters
        ----------
        module : torch.nn.Linear or torch.nn.Sequential
            Sequential: Flatten or Identity, exactly one Linear, and for classifiers Softmax or LogSoftmax (or Sigmoid
            on one output) at the end, which ``predict_proba`` does itself. float16 and bfloat16 weights become float32,
            which holds them exactly. A layer without a bias gives ``fit_intercept=False`` and an intercept of 0.
        classes : sequence, optional
            The label of each output; for one output the two labels of a score below and above 0. Default: 0, 1, 2, ….
            ``classes_`` is sorted, and the outputs with it: with labels in another order ``to_module()`` returns the
            outputs in the order of ``classes_``.
        **parameters
            Of the estimator, for example ``C=10``.

        Returns
        -------
        estimator
            Its ``coef_`` and ``intercept_`` are tensors on the module's device, a copy of its weights: ``to_module()``
            gives the same scores to the last bit. An output of a module for regression becomes the scores of a 1-d
            target if it is the only one.

        Raises
        ------
        ParameterError
            The module computes something else than a linear model, or `classes` does not fit its outputs.

        Notes
        -----
        A LogisticRegression has one score for two classes. Of a module with two outputs it takes the difference of the
        two rows, which has the same probabilities, where floating-point numbers hold that difference exactly (in float64
        if need be, which is where nearly all float32 layers end up), and refuses it otherwise. SoftmaxRegression keeps
        both rows as they are.

        Examples
        --------
        >>> import numpy as np
        >>> import torch
        >>> import onelayer as ol
        >>> layer = torch.nn.Linear(4, 3)
        >>> model = ol.SoftmaxRegression.from_module(layer, classes=["setosa", "versicolor", "virginica"])
        >>> bool((model.to_module().weight == layer.weight).all())
        True
        >>> data = ol.data.load("iris")
        >>> model.polish(data.X, np.array(data.class_names)[data.y]).certificate_.relative_gap <= 1e-6
        True
        """
        part = read_linear(module)
        if part.bias is None:
            parameters = {"fit_intercept": False, **parameters}
        model = cls(**parameters)
        model._returns_tensors = True
        model._adopt(part, classes, "module")
        return model

    def state_dict(self):
        """Return ``{"weight": W, "bias": b}``, tensors as in the state of a ``torch.nn.Linear``; copies.

        Without an intercept the bias is 0.
        """
        return dict(self.to_module().state_dict())

    def load_state_dict(self, state, *, classes=None):
        """Take the coefficients of a ``torch.nn.Linear``'s state.

        Parameters
        ----------
        state : mapping
            "weight" of shape (outputs, features), and "bias" of shape (outputs,), which may be missing where
            ``fit_intercept=False``. A fitted estimator takes the shapes it has, in the order of its ``classes_``.
        classes : sequence, optional
            For a classifier that is not fitted: as in :meth:`from_module`.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            The state is that of something else, or has other shapes.
        """
        part = _state_part(state, self.fit_intercept)
        if not hasattr(self, "coef_"):
            self._returns_tensors = True
        elif classes is not None:
            raise ParameterError(
                "classes= is for an estimator that is not fitted: this one keeps its classes_."
            )
        else:
            shape = tuple(self.to_module().weight.shape)
            if tuple(part.weight.shape) != shape:
                raise ParameterError(
                    f"state has a weight of shape {tuple(part.weight.shape)} and this model one of shape {shape}: load it "
                    "into a new estimator."
                )
            classes = getattr(self, "classes_", None)
        self._adopt(part, classes, "state")
        return self

    def _adopt(self, part, classes, name):
        """Be fitted with these coefficients; `name` is what they came in, for messages."""
        part, known = self._arranged(part, classes, name)
        outputs, features = part.weight.shape
        bias = part.weight.new_zeros(outputs) if part.bias is None else part.bias.to(part.weight)
        if not self.fit_intercept and bool(bias.any()):
            raise ParameterError(
                f"fit_intercept is False and {name} has a bias that is not 0: give fit_intercept=True."
            )
        forget(self)
        vars(self).update(known)
        self.n_features_in_ = features
        self._set_parameters(Parameters.of(part.weight, bias))
        self.certificate_ = None
        self.n_iter_ = 0
        self.result_ = Result(
            Status.FINISHED,
            f"The coefficients are those of a torch {name}; nothing was fitted and nothing is known about their distance "
            "to the optimum: polish(X, y) measures it and ends there.",
            math.nan,
            0.0,
            0.0,
            0,
            [],
            "none",
            "",
            str(part.weight.device),
            str(part.weight.dtype).removeprefix("torch."),
        )
        self._describe_objective(outputs)

    def _describe_objective(self, outputs):
        """Set objective_record_, of which nothing that depends on data is known."""
        loss = self._loss_of(outputs)
        alpha, l1_ratio = penalty_of(self, math.nan, loss, outputs)
        self.objective_record_ = {
            "loss": loss.name,
            "loss_parameter": loss.parameters,
            "alpha": float(alpha),
            "l1_ratio": float(l1_ratio),
            "fit_intercept": bool(self.fit_intercept),
            "standardize": bool(self.standardize),
            "n_samples": 0,
            "n_features": self.n_features_in_,
            "n_outputs": outputs,
        }

    @abc.abstractmethod
    def _arranged(self, part, classes, name):
        """Return the LinearPart as this model keeps it, and a dict of what else it knows from it."""

    @abc.abstractmethod
    def _loss_of(self, outputs):
        """Return the Loss for so many outputs."""


class RegressorExchange(TorchExchange):
    """The outputs are the targets. Abstract."""

    _loss: Any

    def _arranged(self, part, classes, name):
        if classes is not None:
            raise ParameterError(
                f"classes= is for classifiers, and {type(self).__name__} predicts numbers: leave it out."
            )
        if part.ending is not None:
            raise ParameterError(
                f"{name} ends with {part.ending}, and {type(self).__name__} predicts the scores themselves: use "
                "LogisticRegression or SoftmaxRegression, or leave the ending out."
            )
        outputs = len(part.weight)
        flat = outputs == 1 and not getattr(self, "_two_dimensional", False)
        return part, {"_two_dimensional": not flat, "rank_": None}

    def _loss_of(self, outputs):
        del outputs
        return self._loss()


class ClassifierExchange(TorchExchange):
    """The outputs are the classes, or one output is the score of the second of two. Abstract."""

    _outputs: Any
    _loss: Any

    def _arranged(self, part, classes, name):
        outputs = len(part.weight)
        _check_ending(part.ending, outputs)
        needed = max(outputs, 2)
        labels = label_array(np.arange(needed) if classes is None else classes)
        if len(labels) != needed:
            raise ParameterError(
                f"classes has {len(labels)} labels and {name} has {outputs} output{'s' if outputs > 1 else ''}: give {needed}."
            )
        order = np.argsort(labels, kind="stable")
        part = _ordered(part, order)
        rows = self._outputs(needed)
        if rows == 1 and outputs == 2:
            part = LinearPart(*folded(part.weight, part.bias, name))
        elif rows != outputs:
            raise ParameterError(
                f"{name} has one output, and {type(self).__name__} keeps one for each class: use LogisticRegression."
            )
        return part, {"classes_": labels[order]}

    def _loss_of(self, outputs):
        return self._loss(outputs)


def _ordered(part, order):
    if len(part.weight) == 1:
        if order[0] == 0:
            return part
        return LinearPart(-part.weight, None if part.bias is None else -part.bias)
    index = torch.as_tensor(order, device=part.weight.device)
    return LinearPart(part.weight[index], None if part.bias is None else part.bias[index])


def _check_ending(ending, outputs):
    if outputs == 1 and ending in ("Softmax", "LogSoftmax"):
        raise ParameterError(
            f"module ends with {ending} over one output, which is constant: it takes Sigmoid."
        )
    if outputs > 1 and ending == "Sigmoid":
        raise ParameterError(
            f"module ends with Sigmoid on {outputs} outputs, which are {outputs} models of yes or no: hand over a Linear with "
            "one output for each, or leave Sigmoid out if the classes exclude each other."
        )


def _state_part(state, fit_intercept):
    keys = list(state) if hasattr(state, "keys") else None
    if keys is None or not {"weight"} <= set(keys) <= {"weight", "bias"}:
        found = f"the keys {keys}" if keys is not None else f"{type(state).__name__}"
        raise ParameterError(
            f"state is {found}: give the state_dict() of one torch.nn.Linear, with 'weight' and 'bias'."
        )
    if "bias" not in keys and fit_intercept:
        raise ParameterError(
            "state has no 'bias' and fit_intercept is True: give one, or fit_intercept=False."
        )
    weight = as_tensor(state["weight"])
    bias = as_tensor(state["bias"]) if "bias" in keys else None
    if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[:1]):
        shapes = " and ".join(str(tuple(part.shape)) for part in (weight, bias) if part is not None)
        raise ParameterError(
            f"state has the shapes {shapes}: a Linear has (outputs, features) and (outputs,)."
        )
    return LinearPart(as_coefficients(weight, "state"), as_coefficients(bias, "state"))
