"""Data that are not separated, but nearly: the optimum exists, far out."""

import dataclasses

import torch

from onelayer.diagnosis.sides import margins
from onelayer.diagnosis.words import some_rows
from onelayer.links import Identity

__all__ = ["Nearness", "find_nearness"]

# At most so many rows, or this share of all of them, on the wrong side.
_FEW, _SHARE = 3, 0.01
# Half of the rows are surer than 0.999: most of the data have hardly any curvature left.
_SURE = 7.0


@dataclasses.dataclass(frozen=True)
class Nearness:
    """How close to separated data are, at some coefficients.

    Attributes
    ----------
    wrong, total : int
        Rows on the wrong side (or on the boundary), of how many of positive weight.
    rows : tuple of int
        The first of them.
    margin : float
        The median of what rows are on their own side by.
    """

    wrong: int
    total: int
    rows: tuple[int, ...]
    margin: float

    def sentence(self):
        """Return the finding in words."""
        sides = (
            f"All {self.total} rows are on the right side"
            if not self.wrong
            else f"All but {self.wrong} of {self.total} rows are on the right side (wrong: "
            f"{some_rows(self.rows, self.wrong)})"
        )
        return f"{sides}, half of them by a score of {self.margin:.2g} or more, so the optimum lies far out"


def find_nearness(objective, parameters):
    """Return the Nearness of the data at these coefficients, or None where they are not nearly separated.

    Nearly means that at most 3 rows, or 1% of them, are on the wrong side, and half of the rows have a probability of
    more than 0.999. Costs half a pass, booked nowhere.
    """
    loss = objective.loss
    if loss.targets == "real" or isinstance(loss.link, Identity):
        return None
    wide = objective.counted_anew().as_dtype(torch.float64)
    least = margins(wide, wide.scores(parameters.to(torch.float64))).amin(dim=1)
    rows = torch.arange(len(least), device=least.device)
    if wide.sample_weight is not None:
        least, rows = least[wide.sample_weight > 0], rows[wide.sample_weight > 0]
    wrong = rows[least <= 0]
    margin = least.median().item()
    if len(wrong) > max(_FEW, _SHARE * len(rows)) or not margin >= _SURE:
        return None
    return Nearness(len(wrong), len(rows), tuple(wrong[:3].tolist()), margin)
