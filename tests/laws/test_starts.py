"""Where fits start, and what several starts are good for."""

import math
import warnings

import numpy as np
import pytest

import onelayer as ol
from onelayer.result import Status

X, Y = np.array([[1.0], [2.0], [3.0]]), [0, 0, 1]
GD = ol.solvers.GradientDescent


def teaching(**options):
    """Squared error on probabilities: not convex, so the start matters."""
    options = {"solver": GD(0.5, steps=200), "tol": 0, "C": math.inf, "random_state": 0, **options}
    return ol.LogisticRegression(loss="probability-squared", **options)


def start_of(model):
    """Return the coefficients before the first step."""
    path = []

    class First(ol.callbacks.Callback):
        def on_iteration(self, iterate):
            path.append(iterate.parameters.flat.clone().numpy())

    model.set_callbacks(First()).fit(X, Y)
    return path[0]


@pytest.mark.parametrize(
    ("init", "deviation", "bias"), [("zeros", 0, 0), ("normal", 0.01, 0), (0.5, 0.5, 0.5), (8, 8, 8)]
)
def test_a_start_has_the_size_it_was_asked_for(init, deviation, bias):
    draws = np.array([start_of(teaching(init=init, random_state=seed)) for seed in range(60)])
    spread = np.sqrt((draws**2).mean(axis=0))
    # Within a third of σ for 60 draws: a chance of 1e-4, and the seeds are fixed.
    np.testing.assert_allclose(spread, [deviation, bias], rtol=0.35)


def test_without_an_intercept_none_is_drawn():
    model = teaching(init=3.0, n_init=3, fit_intercept=False).fit(X, Y)
    assert model.intercept_ == 0


def test_the_best_of_several_starts_is_kept_and_all_are_told():
    model = teaching(init=5.0, n_init=6).fit(X, Y)
    starts = model.result_.starts
    assert len(starts) == 6
    assert model.result_.objective == min(starts) < 0.05 < 0.3 < max(starts)
    assert "Best of 6 starts" in model.result_.message
    value = model.objective(X, Y)
    np.testing.assert_allclose(np.mean((model.predict_proba(X)[:, 1] - Y) ** 2), min(starts), rtol=1e-6)
    assert value.rows == 3


def test_more_starts_are_never_worse_and_begin_with_the_same():
    ends = [teaching(init=5.0, n_init=n).fit(X, Y).result_ for n in (1, 2, 4)]
    assert ends[0].objective >= ends[1].objective >= ends[2].objective
    assert ends[2].starts[:2] == ends[1].starts


def test_given_coefficients_are_the_first_start():
    bad = ([[-20.0]], [30.0])
    alone = teaching(init=bad).fit(X, Y)
    several = teaching(init=bad, n_init=8).fit(X, Y)
    assert several.result_.starts[0] == alone.result_.objective
    assert several.result_.objective < alone.result_.objective / 3


def test_a_certified_optimum_needs_no_second_start():
    model = ol.LogisticRegression(n_init=9).fit(X, Y)
    assert model.result_.status is Status.CONVERGED
    assert len(model.result_.starts) == 1


def test_the_time_limit_is_that_of_all_starts():
    model = teaching(solver=GD(1e-6, steps=10**7), n_init=5, time_limit=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, Y)
    assert model.result_.seconds < 2
    assert len(model.result_.starts) < 5


def test_work_of_all_starts_is_booked():
    one, three = (teaching(n_init=n).fit(X, Y).result_ for n in (1, 3))
    assert three.passes == pytest.approx(3 * one.passes)
    assert three.trace[0].passes == one.trace[0].passes


# ---- what a learning rate does, in the message --------------------------------------------------------------------

RATES = {
    "far too large": (1e4, Status.DIVERGED, "learning_rate=10000 is too large"),
    "too large": (3, Status.DIVERGED, "learning_rate=3 is too large"),
    "a little too large": (1.5, Status.FINISHED, "rose in"),
    "right": (1.0, Status.FINISHED, "as asked; the certified"),
    "too small": (0.01, Status.FINISHED, "raise learning_rate=0.01"),
    "far too small": (1e-6, Status.FINISHED, "raise learning_rate=1e-06"),
}


@pytest.mark.parametrize(("rate", "status", "words"), RATES.values(), ids=RATES)
def test_the_message_judges_the_learning_rate(rate, status, words):
    model = ol.LogisticRegression(C=1, solver=GD(rate, steps=200), tol=0, init=([[1.0]], [-1.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = model.fit(X, Y).result_
    assert (result.status, words in result.message) == (status, True), result.message


def test_leaving_a_good_start_by_noise_is_no_divergence():
    best = ol.LogisticRegression(C=1).fit(X, Y)
    again = ol.LogisticRegression(C=1, solver=GD(0.5, steps=50), tol=0, init=(best.coef_, best.intercept_))
    assert again.fit(X, Y).result_.status is Status.FINISHED
