"""Laws of links: a mean that inverts, rises, saturates and has the derivative it says."""

import math

import pytest
import torch

from instances import LINKS, over
from onelayer import links

SIGMOIDS = {name: link for name, link in LINKS.items() if name not in ("identity", "softmax")}
SCALAR = {name: link for name, link in LINKS.items() if name != "softmax"}
FLOATS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def grid(link, reach=3.0):
    if isinstance(link, links.Softmax):
        return reach * torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.linspace(
        -reach, reach, 60, dtype=torch.float64
    )  # without 0, where softsign's slope has a kink


@over("link", LINKS)
def test_scores_invert_the_mean(link):
    z = grid(link)
    if isinstance(link, links.Softmax):
        z = z - z.mean(dim=1, keepdim=True)
    # At |z| = 3 a mean lies up to 2e-5 from its limit (erf), which magnifies its rounding 1e-16 by as much as 1e5.
    torch.testing.assert_close(link.scores(link.mean(z)), z, rtol=0, atol=1e-10)


@over("link", LINKS)
def test_mean_inverts_the_scores(link):
    mean = link.mean(grid(link, 2.0))
    torch.testing.assert_close(link.mean(link.scores(mean)), mean, rtol=0, atol=1e-14)


@over("link", SCALAR)
def test_derivative_is_autograds(link):
    z = grid(link, 5.0).requires_grad_()
    # clone: the identity returns its argument.
    (slope,) = torch.autograd.grad(link.mean(z.clone()).sum(), z)
    # Autograd goes through 1 − tanh² and the like, which lose digits relative to the slope but not to 1.
    torch.testing.assert_close(link.derivative(z.detach()), slope, rtol=1e-12, atol=1e-15)


@over("link", SCALAR)
def test_derivative_is_the_central_difference(link):
    z, h = grid(link, 5.0), 1e-5
    difference = (link.mean(z + h) - link.mean(z - h)) / (2 * h)
    # Truncation h² f'''/6 ≈ 1e-10 at most, rounding 1e-16/h = 1e-11.
    torch.testing.assert_close(link.derivative(z), difference, rtol=0, atol=1e-9)


def test_derivative_of_softmax_is_its_jacobian():
    link, z = LINKS["softmax"], grid(LINKS["softmax"])
    jacobian = torch.stack([torch.autograd.functional.jacobian(link.mean, row) for row in z])
    torch.testing.assert_close(link.derivative(z), jacobian, rtol=0, atol=1e-15)


@over("link", LINKS)
def test_pullback_is_the_transposed_jacobian_times_v(link):
    z = grid(link).requires_grad_()
    v = torch.randn(z.shape, generator=torch.Generator().manual_seed(1), dtype=z.dtype)
    (expected,) = torch.autograd.grad(link.mean(z.clone()), z, v)
    torch.testing.assert_close(link.pullback(z.detach(), v), expected, rtol=1e-12, atol=1e-15)


@over("link", SCALAR)
def test_mean_rises(link):
    z = torch.linspace(-3, 3, 601, dtype=torch.float64)
    assert (link.mean(z).diff() > 0).all()
    assert (link.derivative(z) > 0).all()


@FLOATS
@over("link", SIGMOIDS)
def test_limits_are_reached(link, dtype):
    z = torch.tensor([-1e4, 1e4], dtype=dtype)
    # The slowest of them (softsign) is 1/|z| = 1e-4 away.
    torch.testing.assert_close(link.mean(z), torch.tensor(link.limits, dtype=dtype), rtol=0, atol=1.1e-4)


@FLOATS
@over("link", LINKS)
def test_scores_of_ten_thousand_are_finite_and_inside(link, dtype):
    z = torch.tensor([[-1e4, -40, -1, 0, 1, 40, 1e4]], dtype=dtype)
    mean, slope = link.mean(z), link.derivative(z)
    assert mean.dtype == slope.dtype == dtype
    assert torch.isfinite(mean).all()
    assert torch.isfinite(slope).all()
    low, high = link.limits
    assert ((mean >= low) & (mean <= high)).all()
    if not isinstance(link, links.Softmax):
        assert (slope >= 0).all()
    assert torch.isfinite(link.pullback(z, torch.ones_like(z))).all()


@over("link", SIGMOIDS)
def test_slope_at_zero_is_one_and_a_quarter_for_the_logistic(link):
    expected = 0.25 if isinstance(link, links.LogisticSigmoid) else 1.0
    assert link.derivative(torch.zeros(1, dtype=torch.float64)).item() == pytest.approx(expected, rel=1e-15)


@over("link", SIGMOIDS)
def test_sigmoids_are_symmetric_about_their_middle(link):
    z, (low, high) = torch.linspace(0, 30, 301, dtype=torch.float64), link.limits
    torch.testing.assert_close(
        link.mean(z) + link.mean(-z), torch.full_like(z, low + high), rtol=0, atol=1e-15
    )


@over("link", SIGMOIDS)
def test_small_slopes_keep_their_digits_in_float32(link):
    # σ(1 − σ) or 1 − tanh² would be 0 at z = 12 already.
    z = torch.tensor([2.0, 4.0, 8.0])
    torch.testing.assert_close(link.derivative(z).double(), link.derivative(z.double()), rtol=2e-5, atol=0)


FORMULAS = {
    "logistic": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "erf": lambda x: math.erf(math.sqrt(math.pi) / 2 * x),
    "arctan": lambda x: 2 / math.pi * math.atan(math.pi * x / 2),
    "gudermannian": lambda x: 2 / math.pi * 2 * math.atan(math.tanh(math.pi * x / 4)),
    "algebraic": lambda x: x / math.sqrt(1 + x * x),
    "softsign": lambda x: x / (1 + abs(x)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_mean_is_the_formula_of_the_textbook(name):
    z = grid(LINKS[name])
    expected = torch.tensor([FORMULAS[name](x) for x in z.tolist()], dtype=torch.float64)
    torch.testing.assert_close(LINKS[name].mean(z), expected, rtol=1e-14, atol=1e-16)


def test_torch_has_the_same_functions():
    z = torch.linspace(-50, 50, 201)
    rows = z.view(-1, 3)
    for ours in (torch.sigmoid(z), torch.nn.Sigmoid()(z)):
        assert torch.equal(LINKS["logistic"].mean(z), ours)
    assert torch.equal(LINKS["tanh"].mean(z), torch.nn.Tanh()(z))
    assert torch.equal(LINKS["softsign"].mean(z), torch.nn.Softsign()(z))
    assert torch.equal(LINKS["softmax"].mean(rows), torch.nn.Softmax(dim=1)(rows))


def test_links_of_a_kind_are_equal():
    assert links.Tanh() == links.Tanh()
    assert hash(links.Tanh()) == hash(links.Tanh())
    assert links.Tanh() != links.Erf()
    assert repr(links.AlgebraicSigmoid()) == "AlgebraicSigmoid()"
