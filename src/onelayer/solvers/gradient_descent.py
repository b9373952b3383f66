"""Gradient descent on all rows, as textbooks write it."""

from typing import ClassVar

from onelayer.errors import SolverError
from onelayer.result import Status
from onelayer.solvers.base import Solver, State, check_count, check_rate
from onelayer.solvers.rates import advise_smaller, remark_on_rate

__all__ = ["GradientDescent"]

_MAX_HALVINGS = 60


class GradientDescent(Solver):
    """Full-batch gradient descent: (W, b) ← (W, b) − η ∇P(W, b).

    An L1 part of the penalty is handled by its proximal step (soft thresholding by η·l1), so zeros are exact. For
    losses with kinks it is the subgradient method and needs a fixed learning rate.

    Parameters
    ----------
    learning_rate : float or None, default None
        η. None: backtracking; each step starts at twice the last length and is halved until the objective decreases
        as its own quadratic model promises.
    steps : int, default 1000
        Steps to make; then the fit is FINISHED, and the gap reached is reported. A `tol` that is reached earlier ends
        it CONVERGED.
    stop : Rule, optional
        An extra rule from ``onelayer.stopping``.

    References
    ----------
    A. Cauchy (1847); A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm", SIAM J. Imaging
    Sci. 2 (2009), for the backtracking and the proximal step.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("breast-cancer")
    >>> solver = ol.solvers.GradientDescent(learning_rate=1.0, steps=100)
    >>> model = ol.LogisticRegression(solver=solver, standardize=True).fit(data.X, data.y)
    >>> model.result_.status
    <Status.FINISHED: 'finished'>
    """

    name: ClassVar = "gradient-descent"
    approximate: ClassVar = True
    needs_smooth_loss: ClassVar = False
    handles_l1: ClassVar = True
    step_noun: ClassVar = "steps"

    def __init__(self, learning_rate=None, *, steps=1000, stop=None):
        if learning_rate is not None:
            check_rate(learning_rate, "a number > 0, or None for backtracking")
        check_count("steps", steps)
        self.learning_rate, self._steps, self.stop = learning_rate, int(steps), stop

    @property
    def steps(self):
        return self._steps

    @property
    def parameters(self):
        return {"learning_rate": self.learning_rate, "steps": self.steps, "stop": self.stop}

    def check(self, loss, penalty):
        super().check(loss, penalty)
        if not loss.smooth and self.learning_rate is None:
            raise SolverError(
                f"backtracking needs a smooth loss, and the {loss.name} loss has kinks: give gradient descent a "
                "learning_rate, for example 0.01."
            )

    def explain_divergence(self):
        if self.learning_rate is None:
            return super().explain_divergence()
        return advise_smaller(self.learning_rate)

    def divergence_factor(self, objective):
        # On a smooth loss a step that is short enough never leads up, beyond rounding.
        if self.learning_rate is not None and objective.loss.smooth:
            return 1 + 1e-3
        return super().divergence_factor(objective)

    def remark(self, trace):
        if self.learning_rate is None:
            return None
        return remark_on_rate(trace, self.learning_rate, self.step_noun)

    def init(self, objective, parameters, *, seed=0, tol=0.0):
        del seed, tol
        value, gradient = objective.value_and_gradient(parameters)
        return State(parameters, value, gradient)

    def step(self, objective, state):
        if self.learning_rate is not None:
            parameters = _move(objective, state, self.learning_rate)
            value, gradient = objective.value_and_gradient(parameters)
            return State(parameters, value, gradient, self.learning_rate)
        kink = objective.penalty.kink
        noise = 2 * objective.rounding_unit * abs(state.value)
        length = state.step or 1.0
        # Where a step gains less than rounding hides, the test below cannot tell a good length from a bad one.
        if state.step and length * state.gradient.flat.double().square().sum().item() > 10 * noise:
            length *= 2
        smooth_value = state.value - kink.value(state.parameters.weight)
        for _ in range(_MAX_HALVINGS):
            parameters = _move(objective, state, length)
            point = objective.point(parameters)
            move = parameters.flat.double() - state.parameters.flat.double()
            model = (
                smooth_value
                + (move @ state.gradient.flat.double()).item()
                + (move @ move).item() / (2 * length)
            )
            if point.value - kink.value(parameters.weight) <= model + noise and bool(move.any()):
                return State(parameters, point.value, objective.gradient(point), length)
            length /= 2
        unit = str(objective.dtype).removeprefix("torch.")
        halt = Status.STALLED, f"no step lowers the objective any more in {unit}"
        return State(state.parameters, state.value, state.gradient, state.step, halt)


def _move(objective, state, length):
    parameters = state.parameters.like(state.parameters.flat - length * state.gradient.flat)
    kink = objective.penalty.kink
    if kink.l1:
        parameters.weight.copy_(kink.prox(parameters.weight, length))
    return parameters
