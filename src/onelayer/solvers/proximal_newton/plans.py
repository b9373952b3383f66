"""Where the quadratic model leads from a point, and what that proves about the point."""

import copy
import dataclasses
import math

import numpy as np
import torch

from onelayer.certificates import Tilt
from onelayer.certificates.fenchel import FenchelGap
from onelayer.certificates.tilt import tilted
from onelayer.parameters import Parameters
from onelayer.penalties import ElasticNet
from onelayer.solvers.proximal_newton.entries import Entries, chosen
from onelayer.solvers.proximal_newton.minimise import minimise
from onelayer.solvers.proximal_newton.models import model_of

__all__ = ["Plan", "Workshop"]

# What the model still promises to gain, over what the proof may say: from here on it is not worth an estimate.
_HOPELESS = 4
# How exactly a model is solved, in units of the largest push times itself: that leaves steps as good as quadratic.
_FORCING, _LOOSEST, _FINEST = 0.01, 0.03, 1e-13


@dataclasses.dataclass(frozen=True)
class Plan:
    """The minimum of a model on a working set.

    Attributes
    ----------
    entries : Entries
    start, target : float64 tensors of shape (m,)
        Coefficients at the point and at the minimum; intercepts are those of centred columns.
    decrease : float
        What the model's first order and the penalty promise, < 0.
    slope : float64 tensor of shape (m,)
        Of the loss's part of the model at the minimum.
    """

    entries: Entries
    start: torch.Tensor
    target: torch.Tensor
    decrease: float
    slope: torch.Tensor


class Workshop:
    """What all steps of one fit share.

    Parameters
    ----------
    objective : Objective
        In float64.
    columns : Columns
    tol : float
        The relative gap to prove.
    """

    def __init__(self, objective, columns, tol):
        self.objective, self.columns, self.tol = objective, columns, tol
        self.fenchel = FenchelGap(objective)
        self.norms = self.fenchel.column_norms.clamp(min=1e-300)
        objective._work.add(objective.rows / objective.outputs)
        size = objective.features * objective.outputs
        # Pushes of ε times the unit change P by about ε, those against the L2 part alone by ε².
        self._bowl = math.sqrt(2 * objective.penalty.l2 * abs(objective.constant_value()) / size)

    @property
    def unit(self):
        """What pushes are measured in."""
        return max(self.objective.penalty.l1, self._bowl, 1e-300)

    def at_level(self, l1):
        """Return the same for an L1 part of another strength."""
        other, l2 = copy.copy(self), self.objective.penalty.l2
        other.objective = copy.copy(self.objective)
        other.objective.penalty = ElasticNet(l1 + l2, l1 / (l1 + l2))
        return other

    def largest_push(self, parameters, gradient):
        """Return the largest entry of the least subgradient in units of what the penalty holds against it."""
        push = self.objective.penalty.least_subgradient(parameters.weight, gradient.weight)
        size = max(push.abs().max().item(), gradient.bias.abs().max().item())
        return size / self.unit

    # Numbers at the end of float64 are told of where the objective is no number any more.
    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def plan(self, point, gradient, before=None, *, majorised=False):
        """Return the Plan from a Point whose gradient (of the smooth part of P) is known."""
        objective, columns = self.objective, self.columns
        loss, penalty = objective.loss, objective.penalty
        entries = chosen(
            objective, columns, point.parameters, gradient, self.norms, before and before.entries
        )
        shape = loss.majorant if majorised else loss.curvature
        start = self._coefficients(entries, point.parameters)
        model = model_of(columns, entries, shape(point.scores, objective.y), point.residual, start, penalty)
        first = model.slope.copy()
        push = self.largest_push(point.parameters, gradient)
        share = min(_LOOSEST, max(_FINEST, _FORCING * push * push))
        minimise(model, share * self.unit)
        old, new = start.cpu().numpy(), model.w
        decrease = first @ (new - old) + model.l1 @ (np.abs(new) - np.abs(old))
        l2 = np.where(model.l1 > 0, penalty.l2, 0.0)
        return Plan(
            entries,
            start,
            torch.from_numpy(new).to(start.device),
            float(decrease),
            torch.from_numpy(model.slope - l2 * new).to(start.device),
        )

    def at(self, plan, t):
        """Return the Point at step t of a plan, from the columns of its working set alone."""
        objective = self.objective
        values = plan.target if t == 1.0 else plan.start + t * (plan.target - plan.start)
        scores = self._scores(plan, values)
        scores = scores if objective.offset is None else scores + objective.offset
        return objective.point(self._parameters(plan.entries, values), scores)

    def tilt(self, plan, point, gradient):
        """Return the Tilt that the plan makes for a proof about its own start, with an estimate of its gap."""
        objective = self.objective
        move = plan.target - plan.start
        slopes = self._scores(plan, move)
        there = self._parameters(plan.entries, plan.target)
        direction = there.like(there.flat - point.parameters.flat)
        tilt = Tilt(point.parameters, direction, point.scores, slopes, math.inf, own=True)
        if -plan.decrease > _HOPELESS * self.tol * abs(point.value):
            return tilt
        dual = self.fenchel.legal(tilted(objective, tilt)[0])
        # What the dual point's product with X will be: known on the working set, elsewhere nearly the gradient's.
        product = gradient.weight - objective.penalty.l2 * point.parameters.weight
        seen = plan.entries.penalised
        product[plan.entries.output[seen], plan.entries.column[seen]] = plan.slope[seen]
        return dataclasses.replace(tilt, gap=self.fenchel.gap(point, dual, product))

    def _scores(self, plan, values):
        columns, outputs = self.columns, self.objective.outputs
        table = plan.entries.spread(values, (outputs, len(columns.rows)))
        self.objective._work.add(self.objective.rows * len(columns.rows) / self.objective.features)
        return columns.rows.T @ table.T

    def _coefficients(self, entries, parameters):
        weight, bias = parameters.weight, parameters.bias
        values = entries.of(weight, bias)
        if self.objective.fit_intercept:
            seen = entries.penalised
            moved = torch.zeros_like(bias).index_add_(
                0, entries.output[seen], (values * self.columns.mean[entries.position])[seen]
            )
            values = values + torch.where(seen, 0.0, moved[entries.output])
        return values

    def _parameters(self, entries, values):
        objective, seen = self.objective, entries.penalised
        weight = values.new_zeros(objective.outputs, objective.features)
        weight[entries.output[seen], entries.column[seen]] = values[seen]
        bias = values.new_zeros(objective.outputs)
        if objective.fit_intercept:
            bias[entries.output[~seen]] = values[~seen]
            shift = (values * self.columns.mean[entries.position])[seen]
            bias.index_add_(0, entries.output[seen], -shift)
        return Parameters.of(weight, bias)
