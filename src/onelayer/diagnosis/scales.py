"""Columns whose sizes differ too much for the arithmetic."""

import dataclasses

import torch

from onelayer.diagnosis.words import column, columns

__all__ = ["ScaleFinding", "find_scales"]

# A deviation of less than this share of the mean is what rounding leaves of a constant column.
_CONSTANT = 1e-13


@dataclasses.dataclass(frozen=True)
class ScaleFinding:
    """The widest and the narrowest column.

    Attributes
    ----------
    small, large : int
        Their numbers.
    deviations : (float, float)
        Their weighted standard deviations (without an intercept: their root mean squares).
    ratio : float
        Of the larger to the smaller.
    constant : tuple of int
        Columns that do not vary; they are never the narrowest.
    what : str
        What `deviations` are, in words.
    """

    small: int
    large: int
    deviations: tuple[float, float]
    ratio: float
    constant: tuple[int, ...]
    what: str

    action = "standardize=True"

    def sentence(self, names=None):
        """Return the finding in words."""
        small, large = self.deviations
        said = (
            f"{column(self.large, names)} has the {self.what} {large:.2g} and {column(self.small, names)} {small:.2g}, "
            f"a ratio of {self.ratio:.2g}"
        )
        if self.constant:
            verb = "is" if len(self.constant) == 1 else "are"
            said += f" ({columns(self.constant, names)} {verb} constant)"
        return said[0].upper() + said[1:]


def find_scales(objective):
    """Return the ScaleFinding of columns that differ too much for the arithmetic of the objective, or None.

    Too much is a ratio of ε^(−1/4), 54 in float32 and 8.2·10³ in float64. A step that is right for the widest column
    brings the coefficient of the narrowest forward by ratio⁻² of its way. At this ratio that share is √ε: a sum of
    such steps has lost half of its digits, and takes of the order of 1/√ε steps. What follows the curvature of each
    column (the metric of L-BFGS) bears much more, so this is a cause only of a fit that did end short.

    Examples
    --------
    >>> import onelayer as ol
    >>> from onelayer.diagnosis import find_scales
    >>> X = [[1.0, 2e6], [2.0, -3e6], [3.0, 1e6], [4.0, 4e6]]
    >>> print(find_scales(ol.LogisticRegression().objective(X, [0, 1, 0, 1])).sentence(["age", "income"]))
    Column 'income' has the standard deviation 2.5e+06 and column 'age' 1.1, a ratio of 2.3e+06
    """
    design, weight = objective.design, objective.sample_weight
    weight = (
        torch.ones(objective.rows, dtype=torch.float64, device=design.device) if weight is None else weight
    )
    mean, size = design.moments(weight)
    varies = size > _CONSTANT * mean.abs()
    what = "standard deviation"
    if not objective.fit_intercept:
        # Nothing takes the mean out: it counts, and a constant column is an intercept.
        size, what = torch.hypot(mean, size), "root mean square"
        varies = size > 0
    varies &= torch.isfinite(size)
    if int(varies.sum()) < 2:
        return None
    small = int(torch.where(varies, size, torch.inf).argmin())
    large = int(torch.where(varies, size, -torch.inf).argmax())
    ratio = (size[large] / size[small]).item()
    if not ratio >= objective.rounding_unit**-0.25:
        return None
    constant = tuple(torch.nonzero(~varies).squeeze(1).tolist())
    return ScaleFinding(small, large, (size[small].item(), size[large].item()), ratio, constant, what)
