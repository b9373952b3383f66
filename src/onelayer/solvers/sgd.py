"""Stochastic gradient descent on mini-batches, by any optimiser of torch.optim."""

import dataclasses
from typing import Any, ClassVar

import torch

from onelayer.errors import ParameterError, SolverError
from onelayer.parameters import Parameters
from onelayer.solvers.base import Solver, State, check_count, check_rate
from onelayer.solvers.rates import advise_smaller, remark_on_rate

__all__ = ["SGD", "minibatches"]


@dataclasses.dataclass
class _State(State):
    live: Parameters | None = None
    optimizer: Any = None
    scheduler: Any = None
    generator: torch.Generator | None = None


class SGD(Solver):
    """Mini-batch gradient descent: (W, b) ← (W, b) − η ∇[mean loss of the batch + penalty].

    One iteration of the trace is one epoch. The update rule is torch's own, so momentum, Adam and the rest are there
    by name; gradients come from the loss's closed form. An L1 part of the penalty is handled by a proximal step after
    each update.

    Parameters
    ----------
    learning_rate : float, default 0.1
        η.
    batch_size : int, default 256
        Rows per update, from 1 to all; the last batch of an epoch may be smaller.
    epochs : int, default 10
        Times that every row is used; then the fit is FINISHED.
    optimizer : class, default ``torch.optim.SGD``
        Any optimiser class of torch.optim that needs no closure.
    optimizer_options : dict, optional
        More arguments for it, for example ``{"momentum": 0.9}``.
    scheduler : callable, optional
        Gets the optimiser, returns one of torch's learning-rate schedulers, stepped once per epoch, for example
        ``functools.partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=10)``.
    shuffle : bool, default True
        Draw a new order for each epoch from the estimator's `random_state`; False keeps the order of the rows.
    stop : Rule, optional
        An extra rule from ``onelayer.stopping``, looked at after each epoch.

    References
    ----------
    H. Robbins, S. Monro, "A stochastic approximation method", Ann. Math. Statist. 22 (1951).

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("digits")
    >>> solver = ol.solvers.SGD(learning_rate=0.01, batch_size=64, epochs=5)
    >>> model = ol.SoftmaxRegression(solver=solver, random_state=0).fit(data.X, data.y)
    >>> bool(model.score(data.X, data.y) > 0.9)
    True
    """

    name: ClassVar = "sgd"
    approximate: ClassVar = True
    needs_smooth_loss: ClassVar = False
    handles_l1: ClassVar = True
    draws: ClassVar = True
    step_noun: ClassVar = "epochs"

    def __init__(
        self,
        learning_rate=0.1,
        batch_size=256,
        epochs=10,
        *,
        optimizer=torch.optim.SGD,
        optimizer_options=None,
        scheduler=None,
        shuffle=True,
        stop=None,
    ):
        check_rate(learning_rate, "a number > 0")
        check_count("batch_size", batch_size)
        check_count("epochs", epochs)
        if not (isinstance(optimizer, type) and issubclass(optimizer, torch.optim.Optimizer)):
            raise ParameterError(
                f"optimizer is {optimizer!r}: give a class of torch.optim, for example torch.optim.Adam."
            )
        if issubclass(optimizer, torch.optim.LBFGS):
            raise SolverError("torch.optim.LBFGS needs a closure over all rows: use solver='lbfgs' instead.")
        self.learning_rate, self.batch_size, self.epochs = learning_rate, int(batch_size), int(epochs)
        self.optimizer, self.optimizer_options = optimizer, optimizer_options
        self.scheduler, self.shuffle, self.stop = scheduler, shuffle, stop

    @property
    def steps(self):
        """One step is one epoch."""
        return self.epochs

    @property
    def parameters(self):
        return {
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "epochs": self.epochs,
            "optimizer": self.optimizer,
            "optimizer_options": self.optimizer_options,
            "scheduler": self.scheduler,
            "shuffle": self.shuffle,
            "stop": self.stop,
        }

    def check(self, loss, penalty):
        super().check(loss, penalty)
        if penalty.l1 and not (
            self.optimizer is torch.optim.SGD and not (self.optimizer_options or {}).get("momentum")
        ):
            raise SolverError(
                f"l1_ratio > 0 needs steps that are the learning rate times the gradient, which {self.optimizer.__name__} "
                f"with {self.optimizer_options or 'its defaults'} does not make: use optimizer=torch.optim.SGD without "
                "momentum, or l1_ratio=0."
            )

    def explain_divergence(self):
        return advise_smaller(self.learning_rate)

    def remark(self, trace):
        # A scheduler, or an optimizer that scales its steps, has other knobs to turn.
        if self.scheduler or self.optimizer is not torch.optim.SGD:
            return None
        return remark_on_rate(trace, self.learning_rate, self.step_noun)

    def init(self, objective, parameters, *, seed=0, tol=0.0):
        optimizer, scheduler, live = self.prepare(parameters, objective.fit_intercept)
        # On the CPU whatever the device of X, so that the same seed gives the same batches everywhere.
        generator = torch.Generator("cpu").manual_seed(seed)
        value, gradient = objective.value_and_gradient(parameters)
        return _State(
            parameters,
            value,
            gradient,
            live=live,
            optimizer=optimizer,
            scheduler=scheduler,
            generator=generator,
        )

    def step(self, objective, state):
        length = self.epoch(objective, state.live, state.optimizer, state.generator)
        if state.scheduler:
            state.scheduler.step()
        parameters = state.live.clone()
        # The trace holds P of all rows at the end of the epoch, not the mean of batch losses along the way, which
        # lags behind and flatters no one: it costs one more pass per epoch.
        value, gradient = objective.value_and_gradient(parameters)
        return dataclasses.replace(state, parameters=parameters, value=value, gradient=gradient, step=length)

    def prepare(self, parameters, fit_intercept):
        """Return an optimizer, its scheduler or None, and the Parameters that they move: a copy of the given ones."""
        live = parameters.clone()
        tensors = [live.weight, live.bias] if fit_intercept else [live.weight]
        optimizer = self.optimizer(tensors, lr=self.learning_rate, **(self.optimizer_options or {}))
        return optimizer, self.scheduler(optimizer) if self.scheduler else None, live

    def epoch(self, objective, live, optimizer, generator):
        """Move the parameters by one pass of mini-batches over the objective's rows; return the learning rate."""
        weight, *bias = optimizer.param_groups[0]["params"]
        kink = objective.penalty.kink
        length = optimizer.param_groups[0]["lr"]
        weights = objective.sample_weight
        # Rows without weight are no rows: with them in it, a batch would be another one.
        counted = None if weights is None or bool(weights.all()) else weights.nonzero().squeeze(1)
        rows = objective.rows if counted is None else len(counted)
        for index in minibatches(rows, self.batch_size, generator if self.shuffle else None):
            index = index.to(objective.design.device)
            part = objective.take(index if counted is None else counted[index])
            part.total_weight *= objective.rows / rows
            gradient = part.gradient(part.point(live))
            weight.grad = gradient.weight
            for tensor in bias:
                tensor.grad = gradient.bias
            optimizer.step()
            if kink.l1:
                weight.copy_(kink.prox(weight, length))
        return length


def minibatches(rows, batch_size, generator=None):
    """Return the row numbers of each mini-batch of one epoch, in a random order if a generator is given.

    Parameters
    ----------
    rows, batch_size : int
    generator : torch.Generator, optional

    Examples
    --------
    >>> [batch.tolist() for batch in minibatches(5, 2)]
    [[0, 1], [2, 3], [4]]
    """
    # Like the generator on the CPU, whatever torch's default device is.
    order = (
        torch.arange(rows, device="cpu")
        if generator is None
        else torch.randperm(rows, generator=generator, device="cpu")
    )
    return order.split(batch_size)
