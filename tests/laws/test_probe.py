"""A probe is a path, a choice and a judgement: each as it would be made by hand."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from scipy.stats import binomtest
from sklearn.preprocessing import normalize

import onelayer as ol
from instances import over
from onelayer.errors import DataError, ParameterError
from onelayer.selection.intervals import bootstrap, wilson

DIGITS, DIABETES = ol.data.load("digits"), ol.data.load("diabetes")
TRAIN, VALIDATION, TEST = (
    (DIGITS.X[rows], DIGITS.y[rows]) for rows in (slice(800), slice(800, 1200), slice(1200, None))
)
GRID = [1e-3, 0.1, 1e-2]


def test_on_a_validation_part_it_is_the_best_point_of_the_path():
    found = ol.probe(TRAIN, VALIDATION, TEST, Cs=GRID)
    path = ol.path(ol.LogisticRegression(), *TRAIN, Cs=GRID)
    scores = path.scores(*VALIDATION, scoring="neg_log_loss")
    np.testing.assert_allclose(found.scores[0], scores, rtol=1e-12)
    best = int(np.argmax(scores))
    assert pytest.approx(GRID[best]) == found.C
    assert found.accuracy == path.estimator(best).score(*TEST)
    assert found.certificate.relative_gap <= 1e-6
    assert found.rows == {"train": 800, "validation": 400, "test": 597}
    np.testing.assert_array_equal(found.predict(TEST[0]), path.estimator(best).predict(TEST[0]))


def test_without_one_it_is_the_cross_validated_estimator():
    found = ol.probe(TRAIN, test=TEST, Cs=GRID, cv=3)
    model = ol.LogisticRegressionCV(GRID, cv=3).fit(*TRAIN)
    np.testing.assert_array_equal(found.scores, model.scores_)
    assert pytest.approx(model.C_) == found.C
    np.testing.assert_array_equal(found.estimator.coef_, model.coef_)
    assert found.choice.reason == model.choice_.reason


def test_a_data_set_brings_its_test_part():
    data = ol.data.Dataset(*TRAIN, *TEST)
    found = ol.probe(data, Cs=[0.01, 0.1], cv=2)
    assert found.rows["test"] == 597
    assert found.judged == "test"


def test_the_last_fit_is_of_both_parts_where_that_is_asked_for():
    found = ol.probe(TRAIN, VALIDATION, TEST, Cs=GRID, refit="train+validation")
    X, y = np.concatenate([TRAIN[0], VALIDATION[0]]), np.concatenate([TRAIN[1], VALIDATION[1]])
    alone = ol.LogisticRegression(C=found.C, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(found.estimator.coef_, alone.coef_, atol=1e-3)
    # The validation rows judge the fit that had not seen them.
    before = ol.probe(TRAIN, VALIDATION, TEST, Cs=GRID)
    assert found.judgements["validation"] == before.judgements["validation"]


@pytest.mark.parametrize("kind", ["array", "frame", "sparse", "tensor"])
def test_rows_of_norm_one(kind):
    make = {
        "array": np.asarray,
        "frame": lambda X: pd.DataFrame(X, columns=[f"pixel {k}" for k in range(64)]),
        "sparse": scipy.sparse.csr_array,
        "tensor": torch.from_numpy,
    }[kind]
    found = ol.probe(
        (make(TRAIN[0]), TRAIN[1]),
        (make(VALIDATION[0]), VALIDATION[1]),
        Cs=[1.0, 10.0],
        scaling="l2",
        refit="train+validation",
    )
    by_hand = ol.probe(
        (normalize(TRAIN[0]), TRAIN[1]), (normalize(VALIDATION[0]), VALIDATION[1]), Cs=[1.0, 10.0]
    )
    np.testing.assert_allclose(found.scores, by_hand.scores, rtol=1e-5)
    predicted = np.asarray(found.predict(make(TEST[0])))
    assert np.mean(predicted == TEST[1]) > 0.85
    if kind == "tensor":
        scores = found.to_module()(torch.from_numpy(TEST[0]).to(found.estimator.coef_.dtype))
        assert (scores.argmax(dim=1).numpy() == predicted).mean() > 0.999


def test_standardised_columns():
    found = ol.probe(TRAIN, VALIDATION, Cs=GRID, scaling="standardize")
    path = ol.path(ol.LogisticRegression(standardize=True), *TRAIN, Cs=GRID)
    np.testing.assert_allclose(found.scores[0], path.scores(*VALIDATION, scoring="neg_log_loss"), rtol=1e-12)


def test_the_one_standard_error_rule_on_a_validation_part_counts_rows():
    found = ol.probe(TRAIN, VALIDATION, Cs=33, rule="one-standard-error")
    best = ol.probe(TRAIN, VALIDATION, Cs=33)
    chances = best.predict_proba(VALIDATION[0])[np.arange(400), VALIDATION[1]]
    enough = best.choice.mean - np.log(chances).std(ddof=1) / np.sqrt(400)
    within = best.scores[0] >= enough
    assert pytest.approx(best.strengths[within].min()) == found.C
    assert "is within one standard error of the best one" in found.choice.reason
    with pytest.raises(ParameterError, match="of which no standard error on one validation part is known"):
        ol.probe(TRAIN, VALIDATION, Cs=3, rule="one-standard-error", scoring="f1_macro")


def test_real_targets():
    X, y = DIABETES.X, DIABETES.y
    found = ol.probe((X[:250], y[:250]), (X[250:350], y[250:350]), (X[350:], y[350:]), scaling="standardize")
    assert found.judgements["test"].metric == "R²"
    assert found.score == pytest.approx(found.estimator.score(X[350:], y[350:]))
    assert found.interval.low < found.score < found.interval.high
    assert found.interval.kind == "bootstrap"
    assert "Linear regression with an L2 penalty" in found.protocol
    again = ol.probe((X[:250], y[:250]), (X[250:350], y[250:350]), (X[350:], y[350:]), scaling="standardize")
    assert again.interval == found.interval


def test_what_it_says():
    found = ol.probe(TRAIN, VALIDATION, TEST, Cs=GRID, scoring="accuracy")
    assert found.protocol == (
        "Multinomial logistic regression with an L2 penalty (the intercept is not penalised) on 64 features of 800 training "
        "rows and 10 classes; features as they are. C was chosen from 3 values of C from 0.001 to 0.1 on 400 validation rows, by "
        f"the best mean score (accuracy; ties to the strongest penalty): C={found.C:.4g}. The reported fit is that of the "
        f"training rows; it is the optimum to a proven relative gap of {found.certificate.relative_gap:.1g} of its objective "
        f"(onelayer 0.1.0, float64). On 597 test rows the accuracy is {found.accuracy:.4f} ({found.interval})."
    )
    assert str(found).startswith(found.choice.reason)
    numbers = json.loads(json.dumps(found.to_dict()))
    assert numbers["test_accuracy"] == found.accuracy
    assert numbers["chosen"] == pytest.approx(found.C)
    assert found.plot().ax_.get_ylabel() == "Accuracy"


def test_the_choice_is_the_same_for_rows_in_another_order():
    order = np.random.default_rng(0).permutation(800)
    plain, moved = (
        ol.probe((TRAIN[0][rows], TRAIN[1][rows]), VALIDATION, Cs=6) for rows in (slice(None), order)
    )
    assert pytest.approx(moved.C) == plain.C
    np.testing.assert_allclose(plain.scores, moved.scores, atol=2e-3)


# ---- intervals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("right", "rows"), [(0, 10), (7, 10), (10, 10), (950, 1000)])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_wilsons_interval_is_scipys(right, rows, level):
    theirs = binomtest(right, rows).proportion_ci(level, method="wilson")
    ours = wilson(right / rows, rows, level)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("units", [10_000, 100])
def test_the_bootstrap_of_a_mean_is_about_the_normal_interval(monkeypatch, units):
    values = np.random.default_rng(0).normal(size=430)
    monkeypatch.setattr("onelayer.selection.intervals._NUMBERS", 100_000)
    monkeypatch.setattr("onelayer.selection.intervals._UNITS", units)
    found = bootstrap(values[:, None], lambda sums, rows: sums[:, 0] / rows, 0.9)
    half = 1.645 * values.std() / 430**0.5
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)
    assert found.rows == 430


def test_an_accuracy_by_the_bootstrap_is_near_wilsons():
    wilsons, boots = (
        ol.probe(TRAIN, VALIDATION, TEST, Cs=GRID, interval=kind).interval for kind in ("wilson", "bootstrap")
    )
    assert (boots.low, boots.high) == pytest.approx((wilsons.low, wilsons.high), abs=0.01)
    assert boots.kind == "bootstrap"


# ---- bad input --------------------------------------------------------------------------------------------------

STRANGE = (VALIDATION[0], np.where(np.arange(400) == 7, 11, VALIDATION[1]))
WRONG = {
    "labels": (
        DataError,
        (TRAIN, STRANGE),
        {},
        r"validation holds the label 11 in row 7, which train has not: leave such rows",
    ),
    "columns": (
        DataError,
        (TRAIN, None, (TEST[0][:, :9], TEST[1])),
        {},
        r"test has 9 columns and train has 64: give the same",
    ),
    "no pair": (
        ParameterError,
        (TRAIN[0],),
        {},
        r"train is ndarray: give a pair \(X, y\), a Dataset, or a stream\.",
    ),
    "no targets": (DataError, ((TRAIN[0], None),), {}, r"train has no targets: give a pair"),
    "lengths": (DataError, ((TRAIN[0], TRAIN[1][:5]),), {}, r"X has 800 rows and y has 5 entries"),
    "one axis": (
        DataError,
        ((TRAIN[1], TRAIN[1]),),
        {},
        r"train has X of shape \(800,\): give \(n_samples, n_features\)",
    ),
    "grid": (
        ParameterError,
        (TRAIN, VALIDATION),
        {"Cs": [1.0, -1.0]},
        r"Cs\[1\] is -1: give finite numbers > 0",
    ),
    "rule": (ParameterError, (TRAIN,), {"rule": "mine"}, r"rule is 'mine'"),
    "scaling": (
        ParameterError,
        (TRAIN,),
        {"scaling": "max"},
        r"scaling is 'max': give None, 'standardize' or 'l2'\.",
    ),
    "refit": (
        ParameterError,
        (TRAIN,),
        {"refit": "all"},
        r"refit is 'all': give 'train' or 'train\+validation'\.",
    ),
    "both": (
        ParameterError,
        (TRAIN,),
        {"refit": "train+validation"},
        r"and there is no validation part: give one",
    ),
    "interval": (
        ParameterError,
        (TRAIN,),
        {"interval": "wald"},
        r"interval is 'wald': give 'wilson' or 'bootstrap'\.",
    ),
    "level": (
        ParameterError,
        (TRAIN, VALIDATION),
        {"level": 95, "Cs": [1.0]},
        r"level is 95: give a share between 0 and 1",
    ),
    "est": (ParameterError, (TRAIN,), {"est": "logistic"}, r"est is 'logistic': give a LinearRegression"),
}


@over("case", WRONG)
def test_bad_input_is_refused_in_one_sentence(case):
    error, parts, options, message = case
    with pytest.raises(error, match=message):
        ol.probe(*parts, **options)


def test_wilsons_interval_is_not_for_real_targets():
    with pytest.raises(
        ParameterError, match="interval is 'wilson', which is for accuracies: give 'bootstrap' for R²"
    ):
        ol.probe((DIABETES.X, DIABETES.y), interval="wilson")
