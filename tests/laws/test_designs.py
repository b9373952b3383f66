"""Laws of designs: three products, the same from every storage and for every number of rows."""

import numpy as np
import pytest
import torch

from instances import CHUNKED, DESIGNS, STORAGE, dense, over, standardized
from onelayer.designs import DenseDesign, StandardizedDesign, products

# Around the edges of the blocks in which products are made: 4096 (split) and 8192 (conversion).
ROWS = [1, 7, 4095, 4096, 5000, 8192, 9000]
FEATURES, OUTPUTS = 5, 3


def matrix(rows, features=FEATURES, seed=0):
    """Whole numbers from 0 to 255, which every storage holds exactly (bfloat16: to 256)."""
    return np.random.default_rng(seed).integers(0, 256, size=(rows, features)).astype(np.float64)


def explicit(X, design):
    """The float64 matrix that a design of X stands for."""
    if isinstance(design, StandardizedDesign):
        return (X - design.mean.numpy()) / design.scale.numpy()
    return X


def draw(*shape, dtype, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).to(dtype)


def assert_product(found, expected, size, terms, dtype):
    """Right to √terms roundings of the largest sum of absolute products: what a sum of `terms` terms can be."""
    assert found.dtype == dtype
    assert tuple(found.shape) == expected.shape
    limit = 4 * np.sqrt(terms + 10) * torch.finfo(dtype).eps * size + 1e-300
    assert np.abs(found.double().numpy() - expected).max() <= limit


@over("make", DESIGNS | CHUNKED)
@pytest.mark.parametrize("rows", ROWS)
def test_products_are_numpys(make, rows):
    X = matrix(rows)
    design = make(X)
    full, dtype = explicit(X, design), design.dtype
    weight, bias = draw(OUTPUTS, FEATURES, dtype=dtype), draw(OUTPUTS, dtype=dtype)
    residual, h = draw(rows, OUTPUTS, dtype=dtype), draw(rows, dtype=dtype).abs()
    W, b, R, H = (part.double().numpy() for part in (weight, bias, residual, h))
    # The size of what is summed, X itself included: a standardised design adds and subtracts multiples of X's mean.
    big = 4 * (np.abs(X) + np.abs(full) + 2)
    scores = full @ W.T
    assert_product(design.scores(weight), scores, (big @ np.abs(W.T)).max(), FEATURES, dtype)
    assert_product(design.scores(weight, bias), scores + b, (big @ np.abs(W.T)).max() + 3, FEATURES, dtype)
    assert_product(design.adjoint(residual), R.T @ full, (np.abs(R.T) @ big).max(), rows, dtype)
    swept = design.swept(weight, bias, residual)
    assert_product(swept[0], scores + b, (big @ np.abs(W.T)).max() + 3, FEATURES, dtype)
    assert_product(swept[1], R.T @ full, (np.abs(R.T) @ big).max(), rows, dtype)
    gram = full.T @ (H[:, None] * full)
    assert_product(design.gram(h), gram, (big.T @ (H[:, None] * big)).max(), rows, dtype)


@over("make", DESIGNS | CHUNKED)
@pytest.mark.parametrize("rows", ROWS)
def test_moments_and_norms_are_numpys(make, rows):
    X = matrix(rows)
    design = make(X)
    full = explicit(X, design)
    for weight in (torch.ones(rows), draw(rows, dtype=torch.float64).abs() + 0.01):
        s = weight.double().numpy()
        mean, deviation = design.moments(weight)
        expected = np.average(full, axis=0, weights=s)
        spread = np.sqrt(np.average((full - expected) ** 2, axis=0, weights=s))
        norms = np.sqrt(s @ full**2)
        assert mean.dtype == deviation.dtype == design.column_norms(weight).dtype == torch.float64
        np.testing.assert_allclose(mean.numpy(), expected, rtol=1e-12)
        np.testing.assert_allclose(deviation.numpy(), spread, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(design.column_norms(weight).numpy(), norms, rtol=1e-12)


def test_moments_of_a_column_far_from_zero():
    """E[x²] − E[x]² would have no digit left."""
    X = 1e8 + np.random.default_rng(0).normal(size=(9000, 2))
    mean, deviation = DenseDesign(torch.from_numpy(X)).moments(torch.ones(9000))
    np.testing.assert_allclose(mean.numpy(), X.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(deviation.numpy(), X.std(axis=0), rtol=1e-7)


@over("make", DESIGNS | CHUNKED)
def test_take_is_the_design_of_those_rows(make):
    X = matrix(100)
    design, index = make(X), torch.tensor([3, 99, 3, 0])
    part, weight = design.take(index), draw(OUTPUTS, FEATURES, dtype=design.dtype)
    assert (part.rows, part.features, part.dtype) == (4, FEATURES, design.dtype)
    torch.testing.assert_close(part.scores(weight), design.scores(weight)[index])
    torch.testing.assert_close(
        part.gram(torch.ones(4, dtype=design.dtype)).double().numpy(),
        explicit(X, design)[index.numpy()].T @ explicit(X, design)[index.numpy()],
        rtol=1e-4,
        atol=0.5 if design.dtype == torch.float32 else 1e-9,
    )


@over("make", DESIGNS)
def test_other_arithmetic_shares_the_storage(make):
    design = make(matrix(50))
    wide = design.as_dtype(torch.float64)
    assert wide.dtype == torch.float64
    plain = [part.base if isinstance(part, StandardizedDesign) else part for part in (design, wide)]
    storage = [part.matrix.values if design.sparse else part.X for part in plain]
    assert storage[0].data_ptr() == storage[1].data_ptr()
    weight = draw(OUTPUTS, FEATURES, dtype=torch.float64)
    expected = explicit(matrix(50), design) @ weight.numpy().T
    np.testing.assert_allclose(wide.scores(weight).numpy(), expected, rtol=1e-11, atol=1e-10)


@pytest.mark.parametrize("storage", STORAGE, ids=str)
def test_arithmetic_is_float32_unless_the_input_is_float64(storage):
    design = dense(matrix(3), storage)
    assert design.dtype == (torch.float64 if storage == torch.float64 else torch.float32)


@pytest.mark.parametrize("kind", [dense, standardized], ids=["dense", "standardized"])
def test_sums_of_bytes_do_not_wrap(kind):
    X = np.full((9000, 2), 255.0)
    design = kind(X, torch.uint8)
    full, ones = explicit(X, design), torch.ones(9000, 1)
    np.testing.assert_allclose(design.adjoint(ones).numpy()[0], full.sum(axis=0), rtol=1e-4)
    np.testing.assert_allclose(design.gram(ones[:, 0]).numpy(), full.T @ full, rtol=1e-4)
    np.testing.assert_allclose(design.scores(torch.ones(1, 2))[:, 0].numpy(), full.sum(axis=1), rtol=1e-4)


@over("make", DESIGNS)
def test_no_rows_are_rows_too(make):
    design = make(matrix(0))
    dtype = design.dtype
    weight, residual = draw(OUTPUTS, FEATURES, dtype=dtype), torch.zeros(0, OUTPUTS, dtype=dtype)
    assert design.scores(weight).shape == (0, OUTPUTS)
    assert torch.equal(design.adjoint(residual), torch.zeros(OUTPUTS, FEATURES, dtype=dtype))
    assert torch.equal(design.gram(residual[:, 0]), torch.zeros(FEATURES, FEATURES, dtype=dtype))


@over("make", DESIGNS | CHUNKED)
def test_adjoint_is_the_adjoint_of_scores(make):
    design = make(matrix(5000)).as_dtype(torch.float64)
    weight, residual = draw(OUTPUTS, FEATURES, dtype=torch.float64), draw(5000, OUTPUTS, dtype=torch.float64)
    left = (design.scores(weight) * residual).sum().item()
    right = (weight * design.adjoint(residual)).sum().item()
    # Sums of 15,000 terms of size 200.
    assert left == pytest.approx(right, abs=1e-8)


@pytest.mark.parametrize("rows", [1, 4095, 4096, 5003])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("by_class", [False, True])
def test_sums_over_rows_are_float64(rows, outputs, dtype, by_class):
    residual = torch.randn(rows, outputs, generator=torch.Generator().manual_seed(0), dtype=dtype)
    residual = residual.T.contiguous().T if by_class else residual
    total = products.sums(residual)
    assert total.dtype == torch.float64
    # Short sums in float32 may lose a few of its roundings for each row, and no more the longer they are put together.
    bound = 16 * torch.finfo(dtype).eps * residual.double().abs().sum(dim=0)
    assert (total - residual.double().sum(dim=0)).abs().le(bound).all()
