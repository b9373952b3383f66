"""Least-squares problems with certified answers: NIST's Statistical Reference Datasets, linear regression.

Source: https://www.itl.nist.gov/div898/strd/lls/lls.shtml (National Institute of Standards and Technology; works of the
United States government, public domain). Numbers are strings: the certified coefficients are those of the decimals
as printed, not of their roundings to float64. `exact` finds them again in rational arithmetic, which the tests hold
against the table, so that no digit here rests on a copy.
"""

import dataclasses
from fractions import Fraction

import numpy as np

__all__ = ["SETS", "Reference", "digits", "exact"]


@dataclasses.dataclass(frozen=True)
class Reference:
    """One set: y on the columns of X, with an intercept or without; `certified` starts with the intercept."""

    y: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    certified: tuple[str, ...]
    degree: int = 1
    intercept: bool = True

    def arrays(self):
        """Return X and y in float64; powers of a single column are formed in float64 too."""
        X = np.array(self.columns, dtype=np.float64).T
        if self.degree > 1:
            X = np.column_stack([X[:, 0] ** power for power in range(1, self.degree + 1)])
        return X, np.array([float(Fraction(value)) for value in self.y])

    def rationals(self):
        """Return the rows (1, x, x², …) and y as fractions, exactly."""
        rows = [[Fraction(value) for value in row] for row in zip(*self.columns, strict=True)]
        if self.degree > 1:
            rows = [[row[0] ** power for power in range(1, self.degree + 1)] for row in rows]
        return [[Fraction(1), *row] if self.intercept else row for row in rows], [Fraction(y) for y in self.y]


def exact(reference):
    """Return the coefficients of least squares as fractions: the normal equations, by Gauss in rational numbers."""
    rows, y = reference.rationals()
    size = len(rows[0])
    system = [
        [sum(row[i] * row[j] for row in rows) for j in range(size)]
        + [sum(row[i] * target for row, target in zip(rows, y, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        system[i] = [entry / system[i][i] for entry in system[i]]
        for other in range(size):
            if other != i:
                factor = system[other][i]
                system[other] = [a - factor * b for a, b in zip(system[other], system[i], strict=True)]
    return [row[-1] for row in system]


def digits(found, certified):
    """Return the number of right digits, the least over the coefficients: −log₁₀ of the relative error, at most 15."""
    found, certified = (np.asarray(values, dtype=np.float64) for values in (found, certified))
    error = np.abs(found - certified) / np.abs(certified)
    return float(min(15.0, -np.log10(error.max() + 1e-300)))


def _numbers(text):
    return tuple(text.split())


_NORRIS = Reference(
    y=_numbers(
        "0.1 338.8 118.1 888.0 9.2 228.1 668.5 998.5 449.1 778.9 559.2 0.3 0.1 778.1 668.8 339.3 448.9 10.8 "
        "557.7 228.3 998.0 888.8 119.6 0.3 0.6 557.6 339.3 888.0 998.5 778.9 10.2 117.6 228.9 668.4 449.2 0.2"
    ),
    columns=(
        _numbers(
            "0.2 337.4 118.2 884.6 10.1 226.5 666.3 996.3 448.6 777.0 558.2 0.4 0.6 775.5 666.9 338.0 447.5 11.6 "
            "556.0 228.1 995.8 887.6 120.2 0.3 0.3 556.8 339.1 887.2 999.0 779.0 11.1 118.3 229.2 669.1 448.9 0.5"
        ),
    ),
    certified=("-0.262323073774029", "1.00211681802045"),
)

_PONTIUS = Reference(
    y=_numbers(
        ".11019 .21956 .32949 .43899 .54803 .65694 .76562 .87487 .98292 1.09146 1.20001 1.30822 1.41599 1.52399 "
        "1.63194 1.73947 1.84646 1.95392 2.06128 2.16844 .11052 .22018 .32939 .43886 .54798 .65739 .76596 .87474 "
        ".98300 1.09150 1.20004 1.30818 1.41613 1.52408 1.63159 1.73965 1.84696 1.95445 2.06177 2.16829"
    ),
    columns=(tuple(str(150_000 * step) for step in range(1, 21)) * 2,),
    certified=("0.673565789473684E-03", "0.732059160401003E-06", "-0.316081871345029E-14"),
    degree=2,
)

_NO_INTERCEPT_1 = Reference(
    y=tuple(str(130 + i) for i in range(11)),
    columns=(tuple(str(60 + i) for i in range(11)),),
    certified=("2.07438016528926",),
    intercept=False,
)

_NO_INTERCEPT_2 = Reference(
    y=("3", "4", "4"), columns=(("4", "5", "6"),), certified=("0.727272727272727",), intercept=False
)

_FILIP = Reference(
    y=_numbers(
        "0.8116 0.9072 0.9052 0.9039 0.8053 0.8377 0.8667 0.8809 0.7975 0.8162 0.8515 0.8766 0.8885 0.8859 0.8959 "
        "0.8913 0.8959 0.8971 0.9021 0.9090 0.9139 0.9199 0.8692 0.8872 0.8900 0.8910 0.8977 0.9035 0.9078 0.7675 "
        "0.7705 0.7713 0.7736 0.7775 0.7841 0.7971 0.8329 0.8641 0.8804 0.7668 0.7633 0.7678 0.7697 0.7700 0.7749 "
        "0.7796 0.7897 0.8131 0.8498 0.8741 0.8061 0.8460 0.8751 0.8856 0.8919 0.8934 0.8940 0.8957 0.9047 0.9129 "
        "0.9209 0.9219 0.7739 0.7681 0.7665 0.7703 0.7702 0.7761 0.7809 0.7961 0.8253 0.8602 0.8809 0.8301 0.8664 "
        "0.8834 0.8898 0.8964 0.8963 0.9074 0.9119 0.9228"
    ),
    columns=(
        _numbers(
            "-6.860120914 -4.324130045 -4.358625055 -4.358426747 -6.955852379 -6.661145254 -6.355462942 -6.118102026 "
            "-7.115148017 -6.815308569 -6.519993057 -6.204119983 -5.853871964 -6.109523091 -5.79832982 -5.482672118 "
            "-5.171791386 -4.851705903 -4.517126416 -4.143573228 -3.709075441 -3.499489089 -6.300769497 -5.953504836 "
            "-5.642065153 -5.031376979 -4.680685696 -4.329846955 -3.928486195 -8.56735134 -8.363211311 -8.107682739 "
            "-7.823908741 -7.522878745 -7.218819279 -6.920818754 -6.628932138 -6.323946875 -5.991399828 -8.781464495 "
            "-8.663140179 -8.473531488 -8.247337057 -7.971428747 -7.676129393 -7.352812702 -7.072065318 -6.774174009 "
            "-6.478861916 -6.159517513 -6.835647144 -6.53165267 -6.224098421 -5.910094889 -5.598599459 -5.290645224 "
            "-4.974284616 -4.64454848 -4.290560426 -3.885055584 -3.408378962 -3.13200249 -8.726767166 -8.66695597 "
            "-8.511026475 -8.165388579 -7.886056648 -7.588043762 -7.283412422 -6.995678626 -6.691862621 -6.392544977 "
            "-6.067374056 -6.684029655 -6.378719832 -6.065855188 -5.752272167 -5.132414673 -4.811352704 -4.098269308 "
            "-3.66174277 -3.2644011"
        ),
    ),
    certified=_numbers(
        "-1467.48961422980 -2772.17959193342 -2316.37108160893 -1127.97394098372 -354.478233703349 -75.1242017393757 "
        "-10.8753180355343 -1.06221498588947 -0.670191154593408E-01 -0.246781078275479E-02 -0.402962525080404E-04"
    ),
    degree=10,
)

_LONGLEY = Reference(
    y=_numbers(
        "60323 61122 60171 61187 63221 63639 64989 63761 66019 67857 68169 66513 68655 69564 69331 70551"
    ),
    columns=(
        _numbers("83.0 88.5 88.2 89.5 96.2 98.1 99.0 100.0 101.2 104.6 108.4 110.8 112.6 114.2 115.7 116.9"),
        _numbers(
            "234289 259426 258054 284599 328975 346999 365385 363112 397469 419180 442769 444546 482704 502601 "
            "518173 554894"
        ),
        _numbers("2356 2325 3682 3351 2099 1932 1870 3578 2904 2822 2936 4681 3813 3931 4806 4007"),
        _numbers("1590 1456 1616 1650 3099 3594 3547 3350 3048 2857 2798 2637 2552 2514 2572 2827"),
        _numbers(
            "107608 108632 109773 110929 112075 113270 115094 116219 117388 118734 120445 121950 123366 125368 "
            "127852 130081"
        ),
        tuple(str(year) for year in range(1947, 1963)),
    ),
    certified=_numbers(
        "-3482258.63459582 15.0618722713733 -0.358191792925910E-01 -2.02022980381683 -1.03322686717359 "
        "-0.511041056535807E-01 1829.15146461355"
    ),
)


# What Wampler added to the polynomial, times 1, 100 and 10,000: orthogonal to every column.
_DELTA = (759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048)
_DELTA = (*_DELTA, *_DELTA[-2::-1])


def _wampler(base, size):
    x = range(21)
    polynomial = [sum(Fraction(base) ** power * i**power for power in range(6)) for i in x]
    y = tuple(str(value + size * delta) for value, delta in zip(polynomial, _DELTA, strict=True))
    certified = tuple(str(float(Fraction(base) ** power)) for power in range(6))
    return Reference(y, (tuple(map(str, x)),), certified, degree=5)


SETS = {
    "Norris": _NORRIS,
    "Pontius": _PONTIUS,
    "NoInt1": _NO_INTERCEPT_1,
    "NoInt2": _NO_INTERCEPT_2,
    "Filip": _FILIP,
    "Longley": _LONGLEY,
    "Wampler1": _wampler("1", 0),
    "Wampler2": _wampler("1/10", 0),
    "Wampler3": _wampler("1", 1),
    "Wampler4": _wampler("1", 100),
    "Wampler5": _wampler("1", 10_000),
}
