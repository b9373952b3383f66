"""The terms of a Kullback-Leibler divergence against fifty digits."""

import mpmath
import pytest
import torch

from onelayer.losses.divergence import divergence_terms

RATIOS = [1 + sign * 10.0**-k for k in range(17) for sign in (1, -1)] + [
    1.0,
    0.0,
    1e-17,
    1e-300,
    3.0,
    50.0,
    1e12,
]


@pytest.mark.parametrize("log_p", [-1e-12, -0.1, -1.0, -18.0, -40.0, -690.0, -800.0, -1e4])
@pytest.mark.parametrize("ratio", RATIOS)
def test_a_term_keeps_its_digits(log_p, ratio):
    given = torch.tensor([log_p], dtype=torch.float64)
    q = (ratio * given.exp()).clamp(max=1.0)
    found = divergence_terms(q, given).item()
    with mpmath.workdps(60):
        p, q = mpmath.exp(mpmath.mpf(log_p)), mpmath.mpf(q.item())
        right = (q * mpmath.log(q / p) if q else mpmath.mpf(0)) - q + p
        # p is rounded to a float64: that moves the term by (p − q) of it, and by its square.
        unit = 4 * max(1.0, -log_p) * 2**-53
        slack = unit * abs(p - q) + unit**2 * p + 1e-11 * right + 5e-324
        assert abs(found - right) <= slack
    assert found >= 0


@pytest.mark.parametrize("log_p", [-800.0, -1e4])
def test_certainty_that_was_wrong(log_p):
    """p has underflown, the divergence has not."""
    given = torch.tensor([log_p], dtype=torch.float64)
    assert divergence_terms(torch.tensor([0.5]).double(), given).item() == pytest.approx(
        0.5 * (torch.tensor(0.5).log().item() - log_p) - 0.5
    )
    assert divergence_terms(torch.zeros(1).double(), given).item() == 0.0
