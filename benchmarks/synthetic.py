"""Data drawn from seeds, in float32, block by block so that making them needs little more than they take."""

import numpy as np

__all__ = ["binary", "embeddings", "real", "text"]

_BLOCK = 1 << 14


def binary(rows, features, seed):
    """Return correlated columns with scales over four decades, and labels of a logistic model (errors included)."""
    generator = np.random.default_rng(seed)
    X, standard = _columns(generator, rows, features, decades=4)
    beta = generator.standard_normal(features) / np.sqrt(features)
    # Scores with a standard deviation of about 2: a fifth of the labels is on the wrong side.
    scores = np.empty(rows)
    for start in range(0, rows, _BLOCK):
        scores[start : start + _BLOCK] = (X[start : start + _BLOCK] / standard) @ beta
    scores *= 2 / scores.std()
    y = (generator.random(rows) < 1 / (1 + np.exp(-(scores - 0.5)))).astype(np.int64)
    return X, y


def real(rows, features, seed, outliers=0.0):
    """Return correlated columns with scales over two decades, and a linear target with noise of standard deviation 1.

    A share of `outliers` gets thirty times that noise.
    """
    generator = np.random.default_rng(seed)
    X, standard = _columns(generator, rows, features, decades=2)
    beta = generator.standard_normal(features) / np.sqrt(features)
    noise = generator.standard_normal(rows)
    noise[generator.random(rows) < outliers] *= 30
    y = noise + 10
    for start in range(0, rows, _BLOCK):
        y[start : start + _BLOCK] += (X[start : start + _BLOCK] / standard) @ beta
    return X, y.astype(np.float32)


def embeddings(rows, features, classes, seed):
    """Return rows of length one with a decaying spectrum, like a sentence model's, and labels of classes that differ in size."""
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.standard_normal((features, features)))[0]
    scale = np.arange(1, features + 1) ** -0.5
    X = generator.standard_normal((rows, features)) * scale @ basis
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    weight = 4 * generator.standard_normal((features, classes))
    prior = -1.0 * np.log(np.arange(1, classes + 1))
    y = (X @ weight + prior + generator.gumbel(size=(rows, classes))).argmax(axis=1)
    # Every class at least once, or it would not be one.
    y[:classes] = np.arange(classes)
    return X, y


def _columns(generator, rows, features, decades):
    """Return X = (factors · loadings + noise) · scale with a mean, and the scale of each column."""
    factors = 5
    loadings = generator.standard_normal((factors, features)).astype(np.float32)
    scale = np.logspace(-decades / 2, decades / 2, features)[generator.permutation(features)].astype(
        np.float32
    )
    mean = generator.standard_normal(features).astype(np.float32)
    X = np.empty((rows, features), dtype=np.float32)
    for start in range(0, rows, _BLOCK):
        block = X[start : start + _BLOCK]
        generator.standard_normal(dtype=np.float32, out=block)
        block += generator.standard_normal((len(block), factors), dtype=np.float32) @ loadings + mean
        block *= scale
    return X, scale


def text(rows, features, words, seed):
    """Return a CSR matrix of words drawn by Zipf's law, rows of length one, and labels of a logistic model."""
    import scipy.sparse

    generator = np.random.default_rng(seed)
    places = (generator.zipf(1.2, rows * words) - 1) % features
    starts = np.arange(rows + 1) * words
    X = scipy.sparse.csr_matrix(
        (np.ones(rows * words, dtype=np.float32), places, starts), shape=(rows, features)
    )
    X.sum_duplicates()
    rarity = np.log(rows / (1 + np.bincount(X.indices, minlength=features)))
    X.data *= rarity.astype(np.float32)[X.indices]
    lengths = np.sqrt(np.add.reduceat(X.data.astype(np.float64) ** 2, X.indptr[:-1]))
    X.data /= np.repeat(lengths, np.diff(X.indptr)).astype(np.float32)
    scores = X @ generator.standard_normal(features)
    y = generator.random(rows) < 1 / (1 + np.exp(-3 * scores / scores.std()))
    return X, y.astype(np.int64)
