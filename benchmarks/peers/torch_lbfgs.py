"""torch.optim.LBFGS on the same objective, written as most people would."""

from typing import ClassVar

from peers.base import MANY, TIGHT, WIDE, Fitted, Peer, legs

__all__ = ["TorchLBFGS"]


class TorchLBFGS(Peer):
    """Autograd, ``nn.functional``'s mean losses, strong Wolfe line search, torch's default history of 100."""

    name = "torch-lbfgs"
    module: ClassVar = "torch"
    distribution: ClassVar = "torch"
    losses = frozenset({"logistic", "softmax", "squared", "huber"})
    devices = ("cpu", "cuda")

    def ladder(self, task):
        del task
        return legs(TIGHT, WIDE)

    def fit(self, task, X, y, setting):
        import torch

        X, y = torch.as_tensor(X), torch.as_tensor(y)
        y = y.long() if task.loss == "softmax" else y.to(X.dtype)
        weight = X.new_zeros((task.outputs, X.shape[1]), requires_grad=True)
        bias = X.new_zeros(task.outputs, requires_grad=True)
        calls = 0

        def losses(scores):
            functional = torch.nn.functional
            if task.loss == "softmax":
                return functional.cross_entropy(scores, y)
            z = scores.squeeze(1)
            if task.loss == "logistic":
                return functional.binary_cross_entropy_with_logits(z, y)
            if task.loss == "squared":
                return functional.mse_loss(z, y) / 2
            return functional.huber_loss(z, y, delta=task.delta)

        def closure():
            nonlocal calls
            calls += 1
            optimizer.zero_grad()
            value = losses(torch.nn.functional.linear(X, weight, bias))
            value = value + task.alpha / 2 * weight.square().sum()
            value.backward()
            return value

        optimizer = torch.optim.LBFGS(
            [weight, bias],
            max_iter=setting.get("max_iter", MANY),
            max_eval=2 * MANY,
            tolerance_grad=setting.get("tol", 0.0),
            # Only the gradient decides: with the default a small step ends the fit on flat objectives.
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )
        optimizer.step(closure)
        return Fitted(weight.detach(), bias.detach(), {"n_iter": calls, "passes": calls})
