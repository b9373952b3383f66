"""Quadratic models with an L1 part, and columns of a design: the parts of proximal Newton on their own."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from instances import DESIGNS, over
from onelayer.designs import Design, StandardizedDesign
from onelayer.solvers.proximal_newton.minimise import lowest, minimise
from onelayer.solvers.proximal_newton.models import GramModel


@over("make", DESIGNS)
def test_columns_are_those_of_the_matrix(make):
    X = np.random.default_rng(0).integers(0, 256, size=(30, 7)).astype(float)
    design = make(X)
    full = (X - design.mean.numpy()) / design.scale.numpy() if isinstance(design, StandardizedDesign) else X
    index = torch.tensor([5, 0, 3])
    found = design.columns(index)
    assert found.dtype == design.dtype
    eps = torch.finfo(design.dtype).eps
    np.testing.assert_allclose(found.numpy(), full[:, index], rtol=8 * eps, atol=8 * eps * 255)
    # What a storage that reads columns no faster falls back on.
    products = Design.columns(design, index)
    np.testing.assert_allclose(products.numpy(), full[:, index], rtol=0, atol=32 * eps * 255)


def quadratic(seed):
    """H of any rank, and duplicates; strengths of any size, some zero (intercepts)."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 30))
    root = rng.normal(size=(int(rng.integers(1, 40)), size)) * 10.0 ** rng.uniform(-1, 1, size=size)
    if size > 3:
        root[:, 1] = root[:, 0]
    gram = root.T @ root / len(root)
    # In the range of H, so that there is a minimum where nothing is penalised.
    pull = gram @ rng.normal(size=size)
    l1 = np.full(size, np.abs(pull).max() * 10.0 ** rng.uniform(-4, 0))
    if rng.random() < 0.5:
        l1[-1] = 0.0
    return gram, pull, l1


@pytest.mark.parametrize("seed", range(40))
def test_the_minimum_of_a_model(seed):
    gram, pull, l1 = quadratic(seed)
    model = GramModel(gram.copy(), pull.copy(), np.zeros(len(pull)), l1)
    goal = 1e-11 * l1[0]
    assert minimise(model, goal) <= goal
    # The gradient that was followed is the gradient.
    np.testing.assert_allclose(model.slope, pull + gram @ model.w, atol=1e-10 * np.abs(pull).max())
    assert (np.abs(model.slope)[model.w == 0] <= l1[model.w == 0] + goal).all()
    used = model.w != 0
    np.testing.assert_allclose(model.slope[used], -(l1 * np.sign(model.w))[used], atol=goal)


@pytest.mark.parametrize("seed", range(60))
def test_the_lowest_point_of_a_ray(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 8))
    w, move, l1 = rng.normal(size=size), rng.normal(size=size), rng.uniform(0, 1, size=size)
    curved, slope = rng.uniform(0.01, 2), rng.normal()

    def value(t):
        return slope * t + curved * t**2 / 2 + l1 @ np.abs(w + t * move)

    if slope + (l1 * np.sign(w)) @ move >= 0:
        slope -= slope + (l1 * np.sign(w)) @ move + 0.5
    t, hit = lowest(w, move, l1, slope, curved)
    best = minimize_scalar(value, bounds=(0, 1e3), method="bounded", options={"xatol": 1e-10})
    assert t > 0
    assert value(t) <= best.fun + 1e-10
    assert hit is None or abs(w[hit] + t * move[hit]) < 1e-12
