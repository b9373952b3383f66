"""What a trace says about the learning rate that led through it."""

import itertools

from onelayer.result import Record

__all__ = ["advise_smaller", "remark_on_rate"]

# A quarter of the steps uphill is no accident. A last tenth that still gains this share of the objective is no end, nor
# one that gains this share of all that was gained: then the way has hardly begun.
_UPHILL, _STILL_FALLING, _HARDLY_BEGUN = 0.25, 1e-4, 0.05
_NOISE = 1e-6


def advise_smaller(learning_rate):
    """Return one clause for a run that left the finite numbers, or ended above its start."""
    return (
        f"learning_rate={learning_rate:g} is too large for these data: divide it by 10, or scale the features"
    )


def remark_on_rate(trace: list[Record], learning_rate, noun):
    """Return one clause where the objective went up and down, or still fell at the end; else None.

    Parameters
    ----------
    trace : list of Record
        With the start.
    learning_rate : float
    noun : str
        What a step is called.

    Examples
    --------
    >>> trace = [Record(i, 0.0, i, value) for i, value in enumerate([1.0, 0.5, 0.7, 0.4, 0.6])]
    >>> remark_on_rate(trace, 3, "steps")
    'the objective rose in 2 of 4 steps, so learning_rate=3 is too large'
    """
    values = [record.objective for record in trace]
    steps = len(values) - 1
    if steps < 3:
        return None
    rises = sum(after > before * (1 + _NOISE) for before, after in itertools.pairwise(values))
    if rises > 1 and rises >= _UPHILL * steps:
        return f"the objective rose in {rises} of {steps} {noun}, so learning_rate={learning_rate:g} is too large"
    last = -(-steps // 10)
    fall = values[-1 - last] - values[-1]
    size, gained = abs(values[-1]), values[0] - values[-1]
    if fall > _STILL_FALLING * size or fall > max(_HARDLY_BEGUN * gained, 1e-9 * size):
        which = f"the last {last} {noun}" if last > 1 else f"the last of the {noun}"
        return f"{which} still lowered it by {fall:.2g}: make more, or raise learning_rate={learning_rate:g}"
    return None
