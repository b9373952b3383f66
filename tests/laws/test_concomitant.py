"""Laws of Huber's regression with a scale: its optimum, and the bound on the distance from it."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.optimize
import torch

from onelayer.certificates import ConcomitantGap
from onelayer.concomitant import ConcomitantHuber
from onelayer.designs import DenseDesign
from onelayer.parameters import Parameters
from onelayer.result import Status
from onelayer.solvers.concomitant import fit_concomitant


@dataclasses.dataclass(frozen=True)
class Case:
    rows: int
    columns: int
    epsilon: float = 1.35
    alpha: float = 1e-4
    noise: float = 1.0
    intercept: bool = True
    twins: bool = False

    def data(self):
        generator = np.random.default_rng(self.rows + self.columns)
        X = generator.normal(size=(self.rows, self.columns))
        if self.twins:
            X[:, -1] = X[:, 0] - 2 * X[:, 1]
        y = X @ generator.normal(size=self.columns) + self.noise * generator.normal(size=self.rows) + 3
        far = generator.random(self.rows) < 0.15
        y[far] += 10 * generator.standard_cauchy(far.sum())
        return X, y, generator.integers(1, 4, self.rows).astype(float)

    def fit(self, X=None, y=None, weight=None, **options):
        data = [
            given if given is not None else own
            for given, own in zip((X, y, weight), self.data(), strict=True)
        ]
        X, y, weight = (torch.tensor(part) for part in data)
        options = {"epsilon": self.epsilon, "alpha": self.alpha, "fit_intercept": self.intercept} | options
        return fit_concomitant(DenseDesign(X, torch.float64), y, weight, **options)

    def problem(self):
        X, y, weight = (torch.tensor(part) for part in self.data())
        design = DenseDesign(X, torch.float64)
        return ConcomitantHuber(design, y, self.epsilon, self.alpha, weight, fit_intercept=self.intercept)


def objective(case, w, b, scale, data=None):
    """F, written from its formula."""
    X, y, weight = data or case.data()
    t = np.abs(y - X @ w - b) / scale
    huber = np.where(t < case.epsilon, t**2, 2 * case.epsilon * t - case.epsilon**2)
    return weight @ (scale + huber * scale) + case.alpha * w @ w


CASES = {
    "plain": Case(60, 4),
    "no intercept": Case(60, 4, intercept=False),
    "no penalty": Case(60, 4, alpha=0.0),
    "strong penalty": Case(60, 4, alpha=50.0),
    "nearly squares": Case(60, 4, epsilon=50.0, alpha=1.0),
    "nearly absolute": Case(60, 4, epsilon=1.02),
    "absolute": Case(60, 4, epsilon=1.0),
    "absolute, no penalty": Case(60, 4, epsilon=1.0, alpha=0.0),
    "no noise": Case(60, 4, noise=0.0),
    "no noise, no penalty": Case(60, 4, noise=0.0, alpha=0.0),
    "few rows": Case(16, 10),
    "fewer rows than columns": Case(8, 12, alpha=1.0),
    "interpolated": Case(8, 12, alpha=1e-4),
    "dependent columns": Case(40, 4, alpha=0.0, twins=True),
}
AT_ZERO = {
    "nearly absolute",
    "absolute",
    "absolute, no penalty",
    "no noise",
    "no noise, no penalty",
    "few rows",
    "interpolated",
    "fewer rows than columns",
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def fitted(case):
    return case.fit()


def coefficients(outcome):
    return outcome.parameters.weight.squeeze(0).numpy(), outcome.parameters.bias.item()


def test_the_optimum_is_proven_to_rounding(case, fitted):
    assert fitted.result.status is Status.CONVERGED
    assert fitted.result.n_iter <= 40
    certificate = fitted.certificate
    # Where the infimum is at scale 0, the smallest scale that is told from it has a price.
    price = 2e-14 * case.data()[2].sum() * np.abs(case.data()[1]).max()
    assert certificate.gap <= 1e-12 * certificate.objective + price
    assert certificate.objective == pytest.approx(
        objective(case, *coefficients(fitted), fitted.scale), rel=1e-12
    )


def test_no_other_solver_finds_less(case, fitted):
    X, _, _ = case.data()
    columns = X.shape[1]

    def value(theta):
        b = theta[-2] if case.intercept else 0.0
        return objective(case, theta[:columns], b, math.exp(theta[-1]))

    w, b = coefficients(fitted)
    least = fitted.certificate.objective - fitted.certificate.gap
    for factor in (1.0, 0.9):
        start = np.append(np.append(factor * w, factor * b), math.log(max(fitted.scale, 1e-3) * 1.1))
        found = scipy.optimize.minimize(value, start, method="BFGS", options={"maxiter": 60})
        assert found.fun >= least
    # The peer comes near, so that the law above says something.
    if fitted.scale > 1e-3:
        assert found.fun == pytest.approx(fitted.certificate.objective, rel=1e-5)


def test_scales_of_zero_are_where_they_should_be(fitted, request):
    name = request.node.callspec.params["case"]
    assert (fitted.scale < 1e-10) == (name in AT_ZERO)
    assert ("least at scale 0" in fitted.result.message) == (name in AT_ZERO)


@pytest.mark.parametrize("far", [10.0, 0.1, 1e-3, 1e-7])
def test_the_bound_is_never_below_the_distance(case, fitted, far):
    """Random coefficients and scales, near the optimum and far from it, σ = 0 too."""
    problem, generator = case.problem(), np.random.default_rng(3)
    gap = ConcomitantGap(problem)
    least = fitted.certificate.objective - fitted.certificate.gap
    for scale in (0.0, fitted.scale, fitted.scale * (1 + far), generator.exponential()):
        flat = fitted.parameters.flat + far * torch.tensor(generator.normal(size=len(fitted.parameters.flat)))
        if not case.intercept:
            flat[-1] = 0.0
        certificate = gap.certify(fitted.parameters.like(flat), scale)
        # The optimum itself is known from above: F − F(optimum) ≤ F − min F ≤ bound.
        distance = certificate.objective - fitted.certificate.objective
        assert certificate.gap >= distance - 1e-14 * certificate.objective
        # u = 0 proves that F ≥ 0, so no bound is worse than that.
        assert certificate.gap <= certificate.objective * (1 + 1e-9)
        assert certificate.objective >= least


@pytest.mark.parametrize("name", sorted(CASES.keys() - AT_ZERO))
def test_the_bound_follows_the_distance(name):
    """It is no constant that is always right: near the optimum it is hardly more than the distance itself."""
    case = CASES[name]
    fitted, gap = case.fit(), ConcomitantGap(case.problem())
    move = torch.tensor(np.random.default_rng(1).normal(size=len(fitted.parameters.flat)))
    move[-1] = move[-1] if case.intercept else 0.0
    for far in (1e-4, 1e-6):
        certificate = gap.certify(fitted.parameters.like(fitted.parameters.flat + far * move), fitted.scale)
        distance = certificate.objective - fitted.certificate.objective
        assert certificate.gap <= 2 * distance + 1e-10 * certificate.objective


def test_the_sum_of_terms_is_primal_minus_dual():
    """The form that does not cancel against F − D(u), at dual points that satisfy the conditions."""
    case = CASES["plain"]
    problem, (X, y, weight) = case.problem(), case.data()
    gap, generator = ConcomitantGap(problem), np.random.default_rng(0)
    for _ in range(20):
        w, b, scale = generator.normal(size=4), generator.normal(), generator.exponential()
        dual = generator.uniform(-1, 1, len(y))
        dual -= weight @ dual / weight.sum()
        share = min(1.0, math.sqrt(4 * weight.sum() / (weight @ dual**2)))
        parameters = Parameters.of(torch.tensor(w).unsqueeze(0), torch.tensor([b]))
        residuals = problem.residuals(parameters)
        u = torch.tensor(share * dual)
        pulled = problem.pulled(u).weight.squeeze(0)
        ours = gap._at_share(parameters, residuals, scale, u, pulled, 1.0)
        lower = weight @ (u.numpy() * y) - ((weight * u.numpy()) @ X) @ ((weight * u.numpy()) @ X) / (
            4 * case.alpha
        )
        assert ours == pytest.approx(objective(case, w, b, scale) - lower, rel=1e-9)


@pytest.mark.parametrize("epsilon", [1.0, 1.35, 4.0])
def test_the_bracket_is_a_support_function(epsilon):
    """σ + σ H(r/σ) = max over |u| ≤ 2ε of u r + σ (1 − u²/4): the fact that the bound rests on."""
    design = DenseDesign(torch.ones(1, 1, dtype=torch.float64))
    u = np.linspace(-2 * epsilon, 2 * epsilon, 20001)
    for r in (-7.0, -1.0, 0.0, 0.3, 2.0, 50.0):
        y = torch.tensor([r], dtype=torch.float64)
        problem = ConcomitantHuber(design, y, epsilon, 0.0, torch.ones(1, dtype=torch.float64))
        for scale in (0.0, 1e-3, 0.5, 1.0, 30.0):
            value = problem.value(problem.zeros(), y, scale)
            assert value == pytest.approx((u * r + scale * (1 - u**2 / 4)).max(), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("epsilon", [1.0, 1.1, 1.35, 5.0])
def test_the_best_scale_is_the_best(epsilon):
    generator = np.random.default_rng(0)
    for size in (1, 2, 7, 100):
        y, weight = generator.standard_cauchy(size), generator.uniform(0.1, 3, size)
        design = DenseDesign(torch.ones(size, 1, dtype=torch.float64))
        problem = ConcomitantHuber(design, torch.tensor(y), epsilon, 0.0, torch.tensor(weight))
        zero, y = problem.zeros(), torch.tensor(y)
        found = problem.best_scale(y)
        scales = np.append(np.geomspace(1e-8, 1e5, 801), found)
        values = [problem.value(zero, y, scale) for scale in scales]
        assert values[-1] <= min(values) * (1 + 1e-12)
        for near in (found / 100, found * 100, 1e-12):
            assert problem.best_scale(y, 0.0, near) == pytest.approx(found, rel=1e-9)
        assert problem.best_scale(y, 2 * found + 1) == 2 * found + 1


def test_a_scale_of_residuals_that_are_mostly_zero_is_the_floor():
    design = DenseDesign(torch.ones(10, 1, dtype=torch.float64))
    y = torch.zeros(10, dtype=torch.float64)
    problem = ConcomitantHuber(design, y, 1.35, 0.0, torch.ones(10, dtype=torch.float64))
    # 1/1.35² = 0.549 of the rows: with five that are not met there is no root, with six there is.
    residuals = torch.tensor([0.0] * 5 + [1.0, -2.0, 3.0, 4.0, 5.0], dtype=torch.float64)
    assert problem.best_scale(residuals, 1e-9) == 1e-9
    residuals[4] = 0.5
    assert problem.best_scale(residuals, 1e-9) > 0.1


def test_epsilon_one_is_the_linear_programme_of_absolute_errors():
    case = CASES["absolute, no penalty"]
    X, y, weight = case.data()
    rows, columns = X.shape
    eye = np.eye(rows)
    found = scipy.optimize.linprog(
        np.concatenate([np.zeros(columns + 1), 2 * weight, 2 * weight]),
        A_eq=np.hstack([X, np.ones((rows, 1)), eye, -eye]),
        b_eq=y,
        bounds=[(None, None)] * (columns + 1) + [(0, None)] * (2 * rows),
    )
    outcome = case.fit()
    assert outcome.certificate.objective == pytest.approx(found.fun, rel=1e-10)
    np.testing.assert_allclose(outcome.parameters.flat, found.x[: columns + 1], rtol=1e-7, atol=1e-9)


def test_a_large_epsilon_is_ridge_with_its_own_scale():
    """No row outside the bounds: σ² is the mean square of residuals, and w solves ridge regression with penalty α σ."""
    case = CASES["nearly squares"]
    X, y, weight = case.data()
    outcome = case.fit()
    w, b = coefficients(outcome)
    residuals = y - X @ w - b
    assert outcome.scale == pytest.approx(math.sqrt(weight @ residuals**2 / weight.sum()), rel=1e-12)
    assert weight @ residuals == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(
        X.T @ (weight * residuals), case.alpha * outcome.scale * w, rtol=1e-9, atol=1e-10
    )


@pytest.mark.parametrize("name", ["plain", "no penalty", "absolute", "few rows"])
@pytest.mark.parametrize("factor", [1e-150, 1e-30, 3.0, 1e30, 1e150])
def test_units_of_targets_do_not_matter(name, factor):
    case = CASES[name]
    _X, y, _weight = case.data()
    plain, scaled = case.fit(), case.fit(y=y * factor, alpha=case.alpha / factor)
    np.testing.assert_allclose(scaled.parameters.flat / factor, plain.parameters.flat, rtol=1e-7, atol=1e-9)
    assert scaled.certificate.objective / factor == pytest.approx(plain.certificate.objective, rel=1e-10)
    assert torch.equal(scaled.outliers, plain.outliers)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_units_of_weights_do_not_matter(factor):
    case = CASES["plain"]
    _X, _y, weight = case.data()
    plain, scaled = case.fit(), case.fit(weight=weight * factor, alpha=case.alpha * factor)
    np.testing.assert_allclose(scaled.parameters.flat, plain.parameters.flat, rtol=1e-9)
    assert scaled.scale == pytest.approx(plain.scale, rel=1e-10)


def test_dependent_columns_get_the_shortest_coefficients():
    case = CASES["dependent columns"]
    X, _y, _weight = case.data()
    outcome = case.fit()
    w, _b = coefficients(outcome)
    flat = np.array([1.0, -2.0, 0.0, -1.0])
    np.testing.assert_allclose(X @ flat, 0, atol=1e-12)
    assert w @ flat == pytest.approx(0, abs=1e-12)
    fewer = case.fit(X=X[:, :-1].copy())
    assert outcome.certificate.objective == pytest.approx(fewer.certificate.objective, rel=1e-13)


def test_interpolation_without_a_penalty_is_the_shortest():
    case = Case(8, 12, alpha=0.0)
    X, y, _weight = case.data()
    outcome = case.fit()
    w, b = coefficients(outcome)
    np.testing.assert_allclose(X @ w + b, y, rtol=1e-9)
    centred = X - X.mean(axis=0)
    # In the span of the rows; the mean of the rows belongs to b.
    inside = np.linalg.lstsq(X, X @ w, rcond=None)[0]
    np.testing.assert_allclose(inside, w, atol=1e-9)
    assert np.linalg.matrix_rank(centred) == 7
    assert outcome.certificate.relative_gap == 0.0


@pytest.mark.parametrize("y", [np.full(30, 5.0), np.zeros(30)], ids=["constant", "zero"])
def test_targets_without_variation(y):
    case = Case(30, 3)
    outcome = case.fit(y=y)
    w, b = coefficients(outcome)
    np.testing.assert_allclose(w, 0, atol=1e-12)
    assert b == pytest.approx(y[0], rel=1e-12)
    assert 0 < outcome.scale < 1e-13
    assert not outcome.outliers.any()
    assert outcome.result.status is Status.CONVERGED


def test_conjugate_gradients_find_the_same(monkeypatch):
    case = Case(400, 30, alpha=1.0)
    dense = case.fit()
    monkeypatch.setattr("onelayer.solvers.concomitant.newton._DENSE_COEFFICIENTS", 8)
    krylov = case.fit()
    assert "conjugate gradients" in krylov.result.message
    assert krylov.result.status is Status.CONVERGED
    np.testing.assert_allclose(krylov.parameters.flat, dense.parameters.flat, rtol=1e-8, atol=1e-10)


def test_steps_are_counted_and_end_when_told_to():
    case = CASES["nearly absolute"]
    whole = case.fit()
    values = []
    for most in (0, 1, 2, 5, whole.result.n_iter - 1, whole.result.n_iter):
        outcome = case.fit(max_iter=most)
        assert outcome.result.n_iter == most == len(outcome.result.trace) - 1
        values.append(outcome.certificate.objective - outcome.certificate.gap)
        assert values[-1] <= whole.certificate.objective
    assert outcome.result.status is Status.CONVERGED
    assert case.fit(max_iter=2).result.status is Status.MAX_ITER
