"""What a proven gap says about the optimum: it holds for every row, and it is not an empty word."""

import numpy as np
import pytest
import torch

import onelayer as ol
from exact import Exact
from onelayer.certificates import Certifier
from onelayer.designs import DenseDesign, StandardizedDesign
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import make_penalty

LOSSES = {
    "logistic": ol.losses.Logistic(),
    "cross-entropy": ol.losses.CrossEntropy(),
    "huber": ol.losses.Huber(),
    "squared": ol.losses.SquaredError(),
}


def random_problem(seed, standardize=False):
    """(Exact, Certifier, mean, scale); standardised, `Exact` sees the columns that the solver sees."""
    rng = np.random.default_rng(seed)
    loss = list(LOSSES)[seed % len(LOSSES)]
    rows, features = int(rng.integers(10, 120)), int(rng.integers(1, 7))
    outputs = int(rng.integers(2, 6)) if loss == "cross-entropy" else 1
    X = rng.normal(size=(rows, features)) * 10.0 ** rng.uniform(-1, 1, size=features)
    X += 3 * rng.normal(size=features) * rng.integers(0, 2)
    signal = X / X.std(axis=0) @ rng.normal(size=(features, outputs))
    if loss == "cross-entropy":
        y = (signal + rng.gumbel(size=signal.shape)).argmax(axis=1)
        y[:outputs] = np.arange(outputs)
    elif loss == "logistic":
        y = (signal + rng.logistic(size=signal.shape) > 0)[:, 0].astype(float)
        y[:2] = 0, 1
    else:
        y = (signal + rng.standard_t(2, size=signal.shape))[:, 0]
    weight = offset = None
    if rng.random() < 0.5:
        weight = rng.uniform(0.1, 4, size=rows)
        weight[outputs + 1 :: 4] = 0
    if rng.random() < 0.3:
        offset = rng.normal(size=(rows, outputs))
    l2, fit_intercept = 10 ** rng.uniform(-5, 0), bool(rng.random() < 0.6)
    mean, scale = np.zeros(features), np.ones(features)
    if standardize:
        mean = np.average(X, axis=0, weights=weight) * fit_intercept
        scale = X.std(axis=0)
    seen = (X - mean) / scale
    exact = Exact(seen, y, loss, outputs, weight, offset, l2, fit_intercept)
    mean, scale = torch.from_numpy(mean), torch.from_numpy(scale)
    design = DenseDesign(torch.from_numpy(X))
    objective = Objective(
        StandardizedDesign(design, mean, scale) if standardize else design,
        torch.from_numpy(y) if loss == "cross-entropy" else torch.from_numpy(y).unsqueeze(1),
        LOSSES[loss],
        make_penalty(l2, 0.0),
        outputs=outputs,
        sample_weight=None if weight is None else torch.from_numpy(weight),
        offset=None if offset is None else torch.from_numpy(offset),
        fit_intercept=fit_intercept,
    )
    return exact, Certifier(objective), X, mean, scale


def scores(weight, bias, X):
    return X @ weight.T + bias


def probabilities(z):
    if z.shape[1] == 1:
        return 1 / (1 + np.exp(-np.clip(z, -700, 700)))
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)


def furthest(change):
    """By how much a score changes; of several, any difference of two."""
    return np.abs(change)[:, 0] if change.shape[1] == 1 else change.max(axis=1) - change.min(axis=1)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_the_optimum_is_within_reach(seed, standardize):
    exact, certifier, X, mean, scale = random_problem(seed, standardize)
    best = exact.optimum()
    there = exact.outer(best)
    rng = np.random.default_rng(seed)
    elsewhere = np.r_[X, X + 3 * X.std(axis=0) * rng.normal(size=X.shape)]
    seen = (elsewhere - mean.numpy()) / scale.numpy()
    for size in (10.0, 1.0, 0.1, 1e-2, 1e-4, 1e-7):
        weight, bias = exact.outer(best + size * rng.normal(size=best.shape))
        parameters = Parameters.of(torch.from_numpy(weight), torch.from_numpy(bias))
        certificate = certifier.certify(parameters, aim=0.0)
        undo = (mean, scale) if standardize else (None, None)
        reach = certifier.with_reach(certificate, parameters, *undo).reach
        slack = 1 + 1e-6
        assert (
            reach.weight
            == certificate.weight_radius
            == pytest.approx(np.sqrt(2 * certificate.gap / exact.l2))
        )
        assert np.linalg.norm(weight - there[0]) <= reach.weight * slack
        if exact.outputs > 1 and exact.fit_intercept:
            assert reach.scores(elsewhere) is None
            assert reach.probabilities(elsewhere) is None
            assert "no bound for the intercept" in reach.clause
            continue
        # Offsets are known: what can change is the rest of a score.
        change = furthest(scores(weight, bias, seen) - scores(*there, seen))
        assert (change <= reach.scores(elsewhere).numpy() * slack).all()
        if exact.loss in ("logistic", "cross-entropy"):
            moved = probabilities(scores(weight, bias, seen)) - probabilities(scores(*there, seen))
            bound = reach.probabilities(torch.from_numpy(elsewhere))
            assert (np.abs(moved).max(axis=1) <= bound.numpy() * slack).all()
            assert (bound <= 1).all()


def test_a_bias_that_is_off_alone_is_seen():
    """W may be perfect while b is not: the gap is small in W's terms, but β must carry the rest."""
    exact, certifier, X, _, _ = random_problem(
        next(s for s in range(0, 99, 4) if random_problem(s)[0].fit_intercept)
    )
    weight, bias = exact.outer(exact.optimum())
    for shift in (1e-6, 1e-2, 3.0, -40.0):
        parameters = Parameters.of(torch.from_numpy(weight), torch.from_numpy(bias + shift))
        reach = certifier.with_reach(certifier.certify(parameters, aim=0.0), parameters).reach
        assert reach.intercept >= abs(shift) * (1 - 1e-6) - 1e-9
        # Where the losses are all but straight the best b is enclosed by powers of ten.
        assert reach.intercept <= abs(shift) * (1 + 1e-6 if abs(shift) < 10 else 10) + 1e-6
        assert (reach.scores(X) >= abs(shift) * (1 - 1e-6) - 1e-9).all()


def test_a_bound_at_the_optimum_is_worth_something():
    """Two probabilities in a thousand, not one."""
    exact, certifier, X, _, _ = random_problem(8)
    parameters = Parameters.of(*map(torch.from_numpy, exact.outer(exact.optimum())))
    reach = certifier.with_reach(certifier.certify(parameters, aim=0.0), parameters).reach
    assert reach.probabilities(X).max() < 1e-3


def test_without_an_l2_penalty_there_is_none():
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    certificate = ol.certify((np.zeros((1, 2)), [0.0]), X, y, loss="log", alpha=0.0)
    assert certificate.reach is None
    assert certificate.weight_radius is None
    assert ol.certify((np.zeros((1, 2)), [0.0]), X, y, loss="log", alpha=0.1, l1_ratio=1.0).reach is None


def test_rows_of_no_weight_do_not_widen_it():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(40, 2)), np.arange(40) % 2
    far, labels, weight = np.r_[X, [[1e6, 1e6]]], np.r_[y, 0], np.r_[np.ones(40), 0]
    given = np.array([[0.1, 0.2]]), np.array([0.3])
    one = ol.certify(given, X, y, loss="log", alpha=0.1)
    two = ol.certify(given, far, labels, weight, loss="log", alpha=0.1)
    assert two.reach.spread == pytest.approx(one.reach.spread)
    np.testing.assert_allclose(two.reach.scores(X), one.reach.scores(X), rtol=1e-6)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize(
    "kind", [np.asarray, torch.as_tensor, np.ndarray.tolist], ids=["array", "tensor", "list"]
)
def test_reach_through_certify(kind, standardize):
    """As the user meets it: an estimator, original units, rows in any form."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(80, 3)) * [1.0, 100.0, 0.01] + [5.0, -300.0, 0.0]
    y = (X / [1.0, 100.0, 0.01] @ [1.0, -1.0, 0.5] + rng.logistic(size=80) > 8).astype(int)
    loose = ol.LogisticRegression(standardize=standardize, tol=1e-2).fit(X, y)
    sharp = ol.LogisticRegression(standardize=standardize, tol=1e-13).fit(X, y)
    reach = ol.certify(loose, X, y).reach
    change = np.abs(loose.decision_function(X) - sharp.decision_function(X))
    bound = np.asarray(reach.scores(kind(X)))
    assert (change <= bound + 1e-6).all()
    moved = np.abs(loose.predict_proba(X) - sharp.predict_proba(X)).max(axis=1)
    assert (moved <= np.asarray(reach.probabilities(kind(X))) + 1e-6).all()
    text = str(ol.certify(loose, X, y))
    assert "no score of a row of the fit is off by more than" in text
    assert "\n" not in text
    # Coefficients of standardised features, where the penalty lives.
    scale = X.std(axis=0) if standardize else np.ones(3)
    assert np.linalg.norm((loose.coef_ - sharp.coef_) * scale) <= reach.weight + 1e-6
