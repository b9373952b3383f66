"""A fixed number of conjugate-gradient steps on least squares: what a limit on iterations asks for."""

import dataclasses
from typing import ClassVar

import torch

from onelayer.errors import SolverError
from onelayer.objective import Point
from onelayer.parameters import Parameters
from onelayer.result import Status
from onelayer.solvers.base import Solver, State

__all__ = ["ConjugateGradients"]


@dataclasses.dataclass
class _Search(State):
    """A State with where it began, its direction for W, the mean row of X, and ‖∇‖² of each output."""

    origin: Point | None = None
    direction: torch.Tensor | None = None
    mean: torch.Tensor | None = None
    squares: torch.Tensor | None = None


class ConjugateGradients(Solver):
    """Conjugate gradients on the normal equations of centred least squares, each target for itself.

    In exact arithmetic the k-th step ends where the k-th step of LSQR does (C. Paige and M. Saunders, ACM TOMS 8
    (1982), section 2.2), so that a limit on iterations regularises as ``scipy.sparse.linalg.lsqr`` does; at the latest
    after as many steps as X has rank it is at the optimum. X is seen through its products only.

    Examples
    --------
    >>> import onelayer as ol
    >>> from onelayer.sklearn.conjugate_gradients import ConjugateGradients
    >>> data = ol.data.load("diabetes")
    >>> model = ol.LinearRegression(alpha=0.01, solver=ConjugateGradients(), tol=1e-9).fit(data.X, data.y)
    >>> model.n_iter_ <= 10, str(model.result_.status)
    (True, 'converged')
    """

    name: ClassVar = "conjugate-gradients"

    @property
    def parameters(self):
        return {}

    def check(self, loss, penalty):
        super().check(loss, penalty)
        if loss.name != "squared":
            raise SolverError(
                f"solver {self.name!r} minimises squared error, not the {loss.name} loss: use solver='lbfgs'."
            )

    def init(self, objective, parameters, *, seed=0, tol=0.0):
        del seed, tol
        mean = torch.zeros(objective.features, dtype=torch.float64, device=objective.design.device)
        parameters = parameters.to(torch.float64)
        point = objective.point(parameters)
        if objective.fit_intercept:
            weight = objective.sample_weight
            ones = point.residual.new_ones(objective.rows) if weight is None else weight
            mean = objective.adjoint(ones.unsqueeze(1))[0].double()
            # The best intercept for this W, and from here on for every W.
            bias = parameters.bias - objective.gradient(point).bias
            parameters = Parameters.of(parameters.weight, bias)
            point = objective.point(parameters)
        gradient = objective.gradient(point)
        squares = gradient.weight.square().sum(dim=1)
        return _Search(
            parameters,
            point.value,
            gradient,
            origin=point,
            direction=-gradient.weight,
            mean=mean,
            squares=squares,
        )

    def step(self, objective, state):
        if not bool(state.squares.any()):
            why = "the gradient is zero in this arithmetic"
            return dataclasses.replace(state, halt=(Status.STALLED, why))
        move = Parameters.of(state.direction, -(state.direction @ state.mean))
        # The curvature of squared error is the same everywhere.
        bent = objective.curvature_product(state.origin, move).weight
        curvature = (state.direction * bent).sum(dim=1)
        length = torch.where(curvature > 0, state.squares / curvature, 0.0).unsqueeze(1)
        parameters = Parameters.of(
            state.parameters.weight + length * move.weight, state.parameters.bias + length[:, 0] * move.bias
        )
        gradient = state.gradient.weight + length * bent
        squares = gradient.square().sum(dim=1)
        turn = torch.where(state.squares > 0, squares / state.squares, 0.0).unsqueeze(1)
        return _Search(
            parameters,
            # P falls by half of what the slope promises.
            state.value - (length[:, 0] * state.squares).sum().item() / 2,
            Parameters.of(gradient, torch.zeros_like(parameters.bias)),
            origin=state.origin,
            direction=turn * state.direction - gradient,
            mean=state.mean,
            squares=squares,
        )
