"""Which columns depend on each other: rank, the columns that are combinations of earlier ones, and words for them."""

import dataclasses

import numpy as np
import scipy.linalg
import torch

__all__ = [
    "Revealed",
    "dependent_columns",
    "dependent_columns_message",
    "last_of_each",
    "like",
    "reveal",
    "reveal_from_gram",
    "solve_triangle",
    "to_numpy",
]

# Names of columns in a message; the others are counted.
_NAMES = 5
# Columns that are searched for combinations at a time.
_WIDTH = 256


@dataclasses.dataclass
class Revealed:
    """A pivoted triangle: A[:, order] = Q [[lead, rest], [0, 0]] up to noise.

    Attributes
    ----------
    order : array of shape (columns,)
        First a basis, best columns first, then the others.
    lead, rest : arrays of shapes (rank, rank) and (rank, columns − rank)
    rotation : array or None
        An orthonormal basis of their span.
    margin : float
        How many times larger than the noise the least distance in the basis is.
    """

    order: np.ndarray
    lead: np.ndarray
    rest: np.ndarray
    rotation: np.ndarray | None
    margin: float

    @property
    def rank(self):
        return len(self.lead)

    def combinations(self):
        """Return T with A[:, others] = A[:, basis] T."""
        return solve_triangle(self.lead, self.rest)


def reveal(matrix, noise):
    """Return the Revealed of a small matrix: QR with column pivoting (Businger and Golub 1965).

    Columns are measured in units of their `noise`: a column that is nearer to the span of the basis than that is one
    of its combinations, for all that can be told.
    """
    rotation, triangle, order = scipy.linalg.qr(
        matrix / noise, mode="economic", pivoting=True, check_finite=False
    )
    distance = np.abs(np.diag(triangle))
    rank = int(np.argmax(distance <= 1)) if bool((distance <= 1).any()) else len(distance)
    unit = noise[order]
    return Revealed(
        order,
        triangle[:rank, :rank] * unit[:rank],
        triangle[:rank, rank:] * unit[rank:],
        rotation[:, :rank],
        float(distance[rank - 1]) if rank else np.inf,
    )


def reveal_from_gram(gram):
    """Return the Revealed of a Gram matrix: Cholesky with pivoting. It sees half of the digits."""
    size = np.sqrt(np.maximum(np.diag(gram), 0))
    unit = np.where(size > 0, size, 1.0)
    scaled = gram / unit / unit[:, None]
    (pivoted_cholesky,) = scipy.linalg.get_lapack_funcs(("pstrf",), dtype=np.float64)
    least = 32 * len(gram) * np.finfo(float).eps
    # It leaves what it did not reach as it was.
    factor, order, rank, _ = pivoted_cholesky(scaled, tol=least)
    factor, order = np.triu(factor[:rank]), order - 1
    unit = unit[order]
    margin = factor[rank - 1, rank - 1] / np.sqrt(least) if rank else np.inf
    return Revealed(
        order, factor[:, :rank] * unit[:rank], factor[:, rank:] * unit[rank:], None, float(margin)
    )


def dependent_columns(part, features, rows, rank, noise):
    """Return the indices of the columns that are combinations of columns before them, in order.

    Parameters
    ----------
    part : callable
        ``part(start, stop)`` gives columns of a matrix of so many `rows` that has the same combinations as A.
    features, rows, rank : int
        At `rank` independent columns the search ends.
    noise : array of shape (features,)
        As for `reveal`.
    """
    found, basis = [], np.zeros((rows, 0))
    for start in range(0, features, _WIDTH):
        if basis.shape[1] >= rank:
            return (*found, *range(start, features))
        block = part(start, min(start + _WIDTH, features))
        revealed = reveal(_without(basis, block), noise[start : start + _WIDTH])
        found += [start + column for column in last_of_each(revealed)]
        new = np.linalg.qr(_without(basis, revealed.rotation))[0]
        basis = np.concatenate([basis, new], axis=1)
    return tuple(found)


def _without(basis, block):
    """Return what is orthogonal to the basis; the second time for what rounding left the first time."""
    for _ in range(2 if basis.size else 0):
        block = block - basis @ (basis.T @ block)
    return block


def last_of_each(revealed):
    """Return the last column of each independent combination that is zero.

    The combinations are an orthonormal basis of the null space. Turned so that one vector alone reaches the last row
    that is not zero, that row is a column which earlier ones make up; the other vectors are ended before it.
    """
    order, rank = revealed.order, revealed.rank
    null = np.zeros((len(order), len(order) - rank))
    null[order[:rank]] = -revealed.combinations()
    null[order[rank:]] = np.eye(len(order) - rank)
    null = np.linalg.qr(null)[0]
    tolerance = min(1e-2, max(1e-10, 10 / revealed.margin))
    found = []
    while null.shape[1]:
        last = int(np.flatnonzero(np.linalg.norm(null, axis=1) > tolerance)[-1])
        found.append(last)
        mirror = null[last].copy()
        mirror[0] += np.copysign(np.linalg.norm(mirror), mirror[0])
        mirror /= np.linalg.norm(mirror)
        null = (null - 2 * np.outer(null @ mirror, mirror))[:last, 1:]
    return sorted(found)


def dependent_columns_message(columns, rank, features):
    """Return one sentence on columns that are linear combinations of others, for a warning; "" where there are none.

    Parameters
    ----------
    columns : sequence of str or int
        Names or indices of the dependent columns.
    rank, features : int

    Examples
    --------
    >>> from onelayer.solvers.least_squares import dependent_columns_message
    >>> print(dependent_columns_message(["x3", "x7"], rank=8, features=10))
    2 of 10 columns are linear combinations of others ('x3', 'x7'): the coefficients are the shortest of the
    infinitely many optimal ones; drop those columns for unique ones.
    """
    count = features - rank
    if not count:
        return ""
    shown = [repr(column) if isinstance(column, str) else str(int(column)) for column in columns[:_NAMES]]
    names = ", ".join(shown) + (f" and {len(columns) - _NAMES} more" if len(columns) > _NAMES else "")
    verb, them = (
        ("is a linear combination", "it") if count == 1 else ("are linear combinations", "those columns")
    )
    return (
        f"{count} of {features} columns {verb} of others ({names}): the coefficients are the shortest of the "
        f"infinitely many optimal ones; drop {them} for unique ones."
    )


def solve_triangle(triangle, right, transposed=False):
    """Return the solution of an upper triangular system, or of its transpose; also of an empty one."""
    if not len(triangle):
        return np.zeros((0, right.shape[1]))
    return scipy.linalg.solve_triangular(triangle, right, trans=int(transposed), check_finite=False)


def to_numpy(tensor):
    """Return a tensor of any device as an array."""
    return tensor.detach().cpu().numpy()


def like(array, tensor):
    """Return an array as a tensor where that one is."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(tensor)
