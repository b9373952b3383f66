"""The columns of X that the working set has touched, kept dense in float64."""

import torch

__all__ = ["Columns"]


class Columns:
    """Columns of X, fetched when they are first asked for, as the rows of one tensor.

    With an intercept they are centred by their mean, and row 0 holds ones: the intercept's column is then all but
    orthogonal to the others, and coordinate descent does not crawl along their difference.

    Parameters
    ----------
    objective : Objective
        In float64.

    Attributes
    ----------
    rows : float64 tensor of shape (columns so far, n)
    mean : float64 tensor of shape (columns so far,)
        What was taken off each.
    """

    def __init__(self, objective):
        self.objective = objective
        device, dtype = objective.design.device, torch.float64
        first = int(objective.fit_intercept)
        self.rows = torch.ones(first, objective.rows, dtype=dtype, device=device)
        self.mean = torch.zeros(first, dtype=dtype, device=device)
        self._position = torch.full((objective.features,), -1, dtype=torch.int64, device=device)
        weight = objective.sample_weight
        share = torch.ones(objective.rows, dtype=dtype, device=device) if weight is None else weight
        self.share = share / objective.total_weight
        self._gram = torch.zeros(0, 0, dtype=dtype, device=device)

    def positions(self, columns):
        """Return which rows hold these columns (a tensor of column numbers), fetching those that are not there yet."""
        new = torch.unique(columns[self._position[columns] < 0])
        if len(new):
            self._fetch(new)
        return self._position[columns]

    def gram(self):
        """Return (1/S) Σ s_i x_i x_iᵀ of all columns so far; what is known of it is not computed again."""
        known, count = len(self._gram), len(self.rows)
        if known < count:
            new = (self.rows[known:] * self.share) @ self.rows.T
            whole = new.new_empty(count, count)
            whole[:known, :known] = self._gram
            whole[known:], whole[:known, known:] = new, new[:, :known].T
            self._gram = whole
            objective = self.objective
            objective._work.add(
                objective.rows * (count - known) * count / (objective.features * objective.outputs)
            )
        return self._gram

    def _fetch(self, new):
        objective = self.objective
        rows = objective.design.columns(new).T.contiguous()
        objective._work.add(objective.rows * len(new) / objective.features)
        mean = torch.zeros(len(new), dtype=rows.dtype, device=rows.device)
        if objective.fit_intercept:
            mean = rows @ self.share
            rows -= mean.unsqueeze(1)
        self._position[new] = torch.arange(len(self.rows), len(self.rows) + len(new), device=rows.device)
        self.rows = torch.cat([self.rows, rows])
        self.mean = torch.cat([self.mean, mean])
