"""The best constant model: what every other one is measured by."""

import torch

from onelayer.designs import DenseDesign

__all__ = ["constant_value", "tallied"]

# Labels that are counted at a time.
_HELD = 2**26


def constant_value(objective):
    """Return P at W = 0 with the best b; at b = 0 without an intercept."""
    weight = objective.sample_weight
    if weight is None:
        weight = torch.ones(objective.rows, dtype=torch.float64, device=objective.design.device)
    scores = objective.zero_scores()
    if objective.fit_intercept:
        scores += objective.loss.best_constant(objective.y, weight, objective.outputs).to(scores)
    return objective._mean(objective.loss.value(scores, objective.y))


def tallied(objective):
    """Return an objective of one row for each label, weighted by how many rows have it: the same for constant models."""
    y, weight = objective._given["y"], objective.sample_weight
    tally = torch.zeros(max(objective.outputs, 2), dtype=torch.float64, device=y.device)
    for rows in (slice(start, start + _HELD) for start in range(0, objective.rows, _HELD)):
        share = None if weight is None else weight[rows].double()
        tally += torch.bincount(y[rows].long(), weights=share, minlength=len(tally))
    labels = torch.arange(len(tally), device=y.device)
    return type(objective)(
        DenseDesign(torch.zeros(len(tally), objective.features, dtype=objective.dtype, device=y.device)),
        labels if objective.loss.per_class else labels.double().unsqueeze(1),
        objective.loss,
        objective.penalty,
        outputs=objective.outputs,
        sample_weight=tally,
        fit_intercept=objective.fit_intercept,
    )
