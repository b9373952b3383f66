"""Whether an unpenalised optimum exists at all."""

import math

from onelayer.links import Identity

__all__ = ["is_separated"]


def is_separated(objective, point):
    """Return whether the scores put every row strictly on its own side, so that without a penalty no minimum exists.

    Scaling W and b up then lowers the loss for ever. (One offset away from this the question is another one: with
    offsets the answer is no.)
    """
    loss = objective.loss
    if objective.offset is not None or loss.targets == "real" or isinstance(loss.link, Identity):
        return False
    scores, y = point.scores, objective.y
    if objective.soft:
        # A row that belongs to several classes is on no one's side.
        return False
    if loss.per_class:
        own = scores.gather(1, y.unsqueeze(1))
        rival = scores.scatter(1, y.unsqueeze(1), -math.inf).amax(dim=1, keepdim=True)
        margin = own - rival
    else:
        margin = (2 * y - 1) * scores
    if objective.sample_weight is not None:
        margin = margin[objective.sample_weight > 0]
    return bool((margin > 0).all())
