"""SGD against a loop written by hand with autograd and torch.optim, and against its own promises."""

import functools

import numpy as np
import pytest
import torch

import onelayer as ol
from instances import PROBLEMS
from onelayer.solvers import SGD, minibatches

X, Y = PROBLEMS["three classes"]()
SCHEDULERS = {
    "constant": None,
    "steps": functools.partial(torch.optim.lr_scheduler.StepLR, step_size=2, gamma=0.5),
    "cosine": functools.partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=5),
}
OPTIMIZERS = {
    "plain": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.1}),
    "rmsprop": (torch.optim.RMSprop, {}),
}
EPOCHS, RATE = 5, 0.05


def fit(seed=0, model=ol.SoftmaxRegression, data=(X, Y), weight=None, settings=None, **options):
    solver = SGD(RATE, options.pop("batch_size", 8), EPOCHS, **options)
    return model(solver=solver, tol=0, random_state=seed, **(settings or {})).fit(*data, weight)


def seed_of(random_state):
    """The number that the estimator draws for the order of the rows."""
    return int(np.random.RandomState(random_state).randint(2**31 - 1))


def by_hand(optimizer, options, scheduler, batch_size, *, weight=None, alpha=None, intercept=True):
    """What a course teaches: a Linear layer, autograd, an optimiser, a loop."""
    layer = torch.nn.Linear(X.shape[1], 3, bias=intercept, dtype=torch.float64)
    torch.nn.init.zeros_(layer.weight)
    if intercept:
        torch.nn.init.zeros_(layer.bias)
    features, target = torch.from_numpy(X), torch.from_numpy(Y)
    s = torch.ones(len(Y), dtype=torch.float64) if weight is None else torch.from_numpy(weight)
    alpha = 1 / s.sum() if alpha is None else alpha
    steps = optimizer(layer.parameters(), lr=RATE, **options)
    rates = scheduler(steps) if scheduler else None
    generator = torch.Generator().manual_seed(seed_of(0))
    for _ in range(EPOCHS):
        for batch in minibatches(len(Y), batch_size, generator):
            steps.zero_grad()
            losses = torch.nn.functional.cross_entropy(
                layer(features[batch]), target[batch], reduction="none"
            )
            mean = (s[batch] / s.mean() * losses).mean()
            (mean + alpha / 2 * (layer.weight**2).sum()).backward()
            steps.step()
        if rates:
            rates.step()
    return layer.weight.detach().numpy(), layer.bias.detach().numpy() if intercept else np.zeros(3)


@pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=list(SCHEDULERS))
@pytest.mark.parametrize(("optimizer", "options"), OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_equals_the_loop_written_by_hand(optimizer, options, scheduler):
    weight, bias = by_hand(optimizer, options, scheduler, 8)
    model = fit(optimizer=optimizer, optimizer_options=options, scheduler=scheduler)
    # The same operations in float64; Adam divides by roots of small numbers, which magnifies their rounding.
    np.testing.assert_allclose(model.coef_, weight, atol=1e-6, rtol=0)
    np.testing.assert_allclose(model.intercept_, bias, atol=1e-6, rtol=0)
    assert model.result_.status == "finished"


@pytest.mark.parametrize("batch_size", [1, 7, 60, 61, 10**6])
def test_any_batch_size(batch_size):
    model = fit(batch_size=batch_size)
    weight, bias = by_hand(torch.optim.SGD, {}, None, batch_size)
    np.testing.assert_allclose(model.coef_, weight, atol=1e-10, rtol=0)
    np.testing.assert_allclose(model.intercept_, bias, atol=1e-10, rtol=0)
    assert model.result_.n_iter == EPOCHS


def test_with_weights_and_without_an_intercept():
    weight = np.random.default_rng(0).uniform(0, 3, size=len(Y))
    found = fit(weight=weight, settings={"fit_intercept": False})
    expected = by_hand(torch.optim.SGD, {}, None, 8, weight=weight, intercept=False)[0]
    np.testing.assert_allclose(found.coef_, expected, atol=1e-10, rtol=0)
    assert (found.intercept_ == 0).all()


@pytest.mark.parametrize("model", [ol.SoftmaxRegression, ol.LogisticRegression])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_seed_gives_the_same_bits(model, dtype):
    one, same, other = (fit(seed, model, settings={"dtype": dtype}).coef_ for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_without_a_seed_every_fit_differs_and_with_a_random_state_goes_on():
    assert not np.array_equal(fit(None).coef_, fit(None).coef_)
    state = np.random.RandomState(0)
    assert not np.array_equal(fit(state).coef_, fit(state).coef_)
    assert np.array_equal(fit(np.random.RandomState(0)).coef_, fit(0).coef_)


def test_without_shuffling_the_seed_does_not_matter():
    assert np.array_equal(fit(0, shuffle=False).coef_, fit(1, shuffle=False).coef_)


@pytest.mark.parametrize("rows", [1, 5, 8, 9])
@pytest.mark.parametrize("shuffled", [True, False])
def test_minibatches_hold_every_row_once(rows, shuffled):
    generator = torch.Generator().manual_seed(0) if shuffled else None
    batches = minibatches(rows, 4, generator)
    assert sorted(torch.cat(batches).tolist()) == list(range(rows))
    assert [len(batch) for batch in batches[:-1]] == [4] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= 4


@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_an_l1_part_gives_exact_zeros(ratio):
    data = np.c_[X, np.random.default_rng(1).normal(size=(len(Y), 6))], Y
    model = fit(data=data, settings={"C": 0.15, "l1_ratio": ratio})
    assert 0 < (model.coef_ == 0).mean() < 1
    assert (fit(data=data).coef_ != 0).all()


def test_l1_with_all_rows_in_a_batch_reaches_the_optimum():
    settings = {"C": 0.15, "l1_ratio": 1.0}
    exact = ol.SoftmaxRegression(solver="gradient-descent", tol=1e-7, **settings).fit(X, Y)
    solver = SGD(0.2, 10**6, 1000)
    model = ol.SoftmaxRegression(solver=solver, tol=1e-7, random_state=0, **settings).fit(X, Y)
    assert model.result_.objective == pytest.approx(exact.result_.objective, rel=1e-6)


def test_a_stopping_rule_is_looked_at_after_each_epoch():
    model = fit(stop=ol.stopping.ObjectiveChange(0.5))
    assert model.result_.n_iter == 1
    assert "objective changed" in model.result_.message


def test_one_solver_object_serves_many_fits():
    solver = SGD(RATE, 8, EPOCHS, optimizer_options={"momentum": 0.9})
    coefs = [ol.SoftmaxRegression(solver=solver, tol=0, random_state=0).fit(X, Y).coef_ for _ in range(2)]
    assert np.array_equal(*coefs)


def test_the_learning_rate_of_the_trace_follows_the_scheduler():
    trace = fit(scheduler=SCHEDULERS["steps"]).result_.trace
    assert [record.step for record in trace[1:]] == pytest.approx([RATE, RATE, RATE / 2, RATE / 2, RATE / 4])
