"""Some rows that stand for all of them."""

import torch

from onelayer.curvature.sampling import jittered

__all__ = ["sampled_part", "sketch_of"]

# Of rows in memory, one in so many.
_SHARE = 8


def sketch_of(objective):
    """Return the objective of the rows that are in memory, or of a part of them where all are; weighted to stand for all."""
    kept = objective.design.kept
    if kept is None:
        return sampled_part(objective, max(1, objective.rows // _SHARE))
    return _weighted(objective.take(kept.index, kept.design), kept.factor)


def sampled_part(objective, count):
    """Return the objective of about so many rows, weighted to stand for all of them."""
    return _weighted(*_drawn(objective, count))


def _weighted(part, factor):
    factor = factor.to(part.dtype)
    part.sample_weight = factor if part.sample_weight is None else part.sample_weight * factor
    part.total_weight = part.sample_weight.double().sum().item()
    return part


def _drawn(objective, count):
    """Return the part of some rows and their inverse chances: half alike for all rows, half alike for all classes.

    A class of which the part held no row would run away.
    """
    rows = objective.rows
    share = torch.full((rows,), 1 / rows, dtype=torch.float64, device="cpu")
    y = objective.y.cpu()
    if objective.loss.targets != "real":
        # Of soft labels the class that is most of a row.
        label = y if y.ndim == 1 else (y.argmax(dim=1) if y.shape[1] > 1 else y[:, 0].round().long())
        sizes = torch.bincount(label)
        share = (share + 1 / ((sizes > 0).sum() * sizes[label].double())) / 2
    index, factor = jittered(share, count)
    device = objective.design.device
    return objective.take(index.to(device)), factor.to(device)
