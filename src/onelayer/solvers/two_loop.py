"""The two-loop recursion of quasi-Newton methods."""

__all__ = ["two_loop"]


def two_loop(gradient, pairs, metric):
    """Return H g, H the inverse curvature that pairs of L-BFGS add to a metric.

    Parameters
    ----------
    gradient : tensor of shape (m,)
    pairs : sequence of (step, change of the gradient, 1 / their inner product)
        From the oldest on.
    metric : callable
        Takes a tensor like the gradient and returns the metric's inverse times it.

    References
    ----------
    J. Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp. 35 (1980).
    """
    q, weights = gradient.clone(), []
    for move, change, inverse in reversed(pairs):
        weight = inverse * (move @ q)
        q -= weight * change
        weights.append(weight)
    q = metric(q)
    for (move, change, inverse), weight in zip(pairs, reversed(weights), strict=True):
        q += (weight - inverse * (change @ q)) * move
    return q
