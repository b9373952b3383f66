"""What sweeps make of unusual input: the same answer in another form, or one sentence."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn.metrics import f1_score, make_scorer, r2_score
from sklearn.model_selection import KFold, LeaveOneOut

import onelayer as ol
from instances import over
from onelayer.errors import DataError, OutputError, ParameterError
from onelayer.selection.choosing import choose

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
Y = (X[:, 0] + RNG.normal(size=90) > 0).astype(int)
REAL = X @ [1.0, 2.0, 0.0, 1.0] + RNG.normal(size=90)
GRID = [0.01, 1.0, 100.0]
CANCER, DIGITS, IRIS = (ol.data.load(name) for name in ("breast-cancer", "digits", "iris"))


# ---- the same answer in another form --------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-25, 1e-10, 1.0, 1e10, 1e25])
def test_the_usual_grid_follows_the_unit_of_the_targets(unit):
    plain, scaled = (ol.path(ol.LinearRegression(), X, REAL * one, count=4) for one in (1.0, unit))
    # The gradient of ½ (y − z)² and the loss itself are both squares of the unit.
    np.testing.assert_allclose(scaled.alphas, plain.alphas, rtol=1e-6)
    np.testing.assert_allclose(scaled.coef, plain.coef * unit, rtol=1e-3, atol=1e-4 * unit)


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_the_usual_grid_follows_the_unit_of_the_features(unit):
    plain, scaled = (ol.path(ol.LogisticRegression(), X * one, Y, count=4) for one in (1.0, unit))
    np.testing.assert_allclose(scaled.alphas, plain.alphas * unit**2, rtol=1e-6)


@pytest.mark.parametrize("given", [(np.zeros((80, 2)), Y[:80]), (X, np.full(90, 0.1)), (X, np.zeros(90))])
def test_where_nothing_explains_anything_the_grid_is_an_ordinary_one(given):
    est = ol.LogisticRegression() if given[1].dtype.kind == "i" else ol.LinearRegression()
    found = ol.path(est, *given, count=3)
    np.testing.assert_allclose(found.alphas, [1.0, 1e-5, 1e-10])
    assert np.abs(found.coef).max() < 1e-6


@pytest.mark.parametrize("form", [lambda y: y[:, None], lambda y: pd.DataFrame({"y": y})])
@pytest.mark.filterwarnings("ignore:A column-vector")
def test_a_column_of_labels_is_its_labels(form):
    order = np.argsort(Y, kind="stable")
    flat, column = (ol.LogisticRegressionCV(GRID, cv=3).fit(X[order], y) for y in (Y[order], form(Y[order])))
    np.testing.assert_array_equal(column.scores_, flat.scores_)
    parts = (X[:40], Y[:40]), (X[40:60], Y[40:60]), (X[60:], Y[60:])
    plain = ol.probe(*parts, Cs=GRID, rule="one-standard-error")
    formed = ol.probe(*((rows, form(y)) for rows, y in parts), Cs=GRID, rule="one-standard-error")
    assert formed.to_dict() | {"seconds": 0} == plain.to_dict() | {"seconds": 0}


def test_rows_of_no_weight_are_rows_that_are_not_there():
    labels = np.arange(90) % 3
    weight = np.where((labels == 2) & (np.arange(90) >= 30), 0.0, 1.0)
    with pytest.raises(DataError, match="fold 0 of cv leaves only class 0 to train on"):
        ol.LogisticRegressionCV(GRID, cv=KFold(3)).fit(X, (labels == 2) * 1, sample_weight=weight)
    kept = weight > 0
    splits = [(np.arange(30, 90), np.arange(30)), (np.arange(60), np.arange(60, 90))]
    place = np.cumsum(kept) - 1
    dropped = [[place[rows[kept[rows]]] for rows in split] for split in splits]
    weighted = ol.LogisticRegressionCV(GRID, cv=splits, tol=1e-9).fit(X, labels, sample_weight=weight)
    expected = ol.LogisticRegressionCV(GRID, cv=dropped, tol=1e-9).fit(X[kept], labels[kept])
    np.testing.assert_allclose(weighted.scores_, expected.scores_, rtol=1e-4)
    assert (weighted.gaps_ <= 1e-9).all()
    with pytest.raises(DataError, match="fold 0 of cv holds out rows of weight zero only"):
        ol.LogisticRegressionCV(GRID, cv=KFold(3)).fit(X, Y, sample_weight=(np.arange(90) >= 30) * 1.0)
    one, each = (ol.LogisticRegressionCV(GRID, cv=3).fit(X, Y, sample_weight=w) for w in (5, np.full(90, 5)))
    np.testing.assert_array_equal(one.scores_, each.scores_)


@pytest.mark.parametrize("weights", ["balanced", {0: 1.0, 1: 7.0}])
@pytest.mark.parametrize("own", [False, True], ids=["one X", "an X each"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scales_are_those_of_each_problems_weights(weights, own, dtype):
    many = DIGITS.X[:300].astype(dtype)
    targets = (DIGITS.y[:300, None] == range(4)).astype(int)
    est = ol.LogisticRegression(C=0.01, standardize=True, class_weight=weights)
    found = (
        ol.fit_many(np.stack([many] * 4), np.ascontiguousarray(targets.T), est)
        if own
        else ol.fit_many(many, targets, est)
    )
    for place in range(4):
        proof = ol.certify(found[place], many, targets[:, place])
        # Rounding of the coefficients that are returned is all that may come on top.
        assert proof.relative_gap <= 2e-6
        alone = ol.LogisticRegression(**est.get_params() | {"tol": 1e-9}).fit(many, targets[:, place])
        near = np.abs(found[place].predict_proba(many) - alone.predict_proba(many)).max()
        assert near < 2e-3


def test_stacks_are_standardised_without_a_copy_that_is_rounded():
    size = np.array([1, 10, 100, 1, 0.1])
    stack = (RNG.normal(size=(3, 200, 5)) * size + [1, 10, 100, 1, 1]).astype(np.float32)
    targets = stack.astype(float) @ [1, 0.1, 0.01, -1, 5] + 1e-5 * RNG.normal(size=(3, 200))
    est = ol.LinearRegression(alpha=1e-9, standardize=True, dtype="float64")
    found = ol.fit_many(stack, targets, est)
    for place in range(3):
        # The optimum of a copy in float32 is about 1e-8 off where residuals are this small; 2e-16 was claimed of it.
        assert ol.certify(found[place], stack[place], targets[place]).relative_gap <= 1e-12


@pytest.mark.parametrize("mean", [10.0, 1e4, 1e5])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_is_proven_is_of_the_coefficients_as_they_are_rounded(mean):
    # In float32 an intercept that takes up weights times ten thousand deviations is rounded by more than tol allows.
    rows = (np.random.default_rng(0).normal(size=(500, 8)) + mean).astype(np.float32)
    labels = (rows[:, 0] + rows[:, 1] > 2 * mean).astype(int)
    settings = {"standardize": True, "tol": 1e-8}
    alone = ol.LogisticRegression(**settings).fit(rows, labels)
    fits = [
        alone,
        *ol.path(ol.LogisticRegression(**settings), rows, labels, Cs=[0.1, 1.0]),
        *ol.fit_many(rows, np.c_[labels, labels], ol.LogisticRegression(**settings)),
        *ol.fit_many(np.stack([rows] * 2), labels, ol.LogisticRegression(**settings)),
    ]
    for one in fits:
        assert one.coef_.dtype == np.float32
        true, claimed = ol.certify(one, rows, labels), one.certificate_
        # Either bounds the same distance from above; what rounding adds to it is known to all digits.
        assert claimed.gap >= true.gap - 1e-8 * true.objective
        assert one.result_.status.is_success == (claimed.relative_gap <= 1e-8)
    assert alone.result_.status.is_success == (mean == 10)
    if mean > 10:
        assert "float32 holds no better coefficients of features whose means" in alone.result_.message
        # Rounding of weights alone proved six times as much: the intercept makes up for it.
        assert alone.certificate_.relative_gap <= 2e-14 * mean**2


def test_norms_of_float16_rows_are_taken_in_float32():
    rows = (np.random.default_rng(1).normal(size=(300, 60)) * 3000).astype(np.float16)
    labels = (rows[:, 0].astype(float) + rows[:, 1] > 0).astype(int)
    for form in (lambda a: a, torch.from_numpy):
        half, single = (
            ol.probe(
                (form(one[:200]), labels[:200]),
                test=(form(one[200:]), labels[200:]),
                Cs=[1.0, 100.0],
                scaling="l2",
            )
            for one in (rows, rows.astype(np.float32))
        )
        assert half.C == single.C
        assert half.accuracy == single.accuracy


def test_columns_are_taken_by_their_names():
    frame = pd.DataFrame(X, columns=list("abcd"))
    turned = frame[list("dbca")]
    plain = ol.probe((frame[:60], Y[:60]), test=(frame[60:], Y[60:]), Cs=GRID, cv=3)
    assert (
        ol.probe((frame[:60], Y[:60]), test=(turned[60:], Y[60:]), Cs=GRID, cv=3).accuracy == plain.accuracy
    )
    with pytest.raises(
        DataError, match="test and train do not have the same columns: a, e is in one of them only"
    ):
        ol.probe((frame[:60], Y[:60]), test=(frame[60:].rename(columns={"a": "e"}), Y[60:]), Cs=GRID, cv=3)


def test_several_real_targets_are_judged_as_scikit_learn_does():
    both = np.c_[REAL, 30 * REAL**2]
    found = ol.probe((X[:60], both[:60]), test=(X[60:], both[60:]), Cs=[1e-3, 0.1], cv=3)
    assert found.score == pytest.approx(r2_score(both[60:], found.predict(X[60:])))
    model = ol.LinearRegression(alpha=0.01).fit(X, both)
    refits = np.stack(
        [
            # The penalty keeps its strength against the sum of the losses.
            ol.LinearRegression(alpha=0.01 * 90 / 89).fit(X[rest], both[rest]).predict(X[[row]])[0]
            for rest, (row,) in LeaveOneOut().split(X)
        ]
    )
    assert model.loo_score(X, both, scoring="r2") == pytest.approx(r2_score(both, refits), rel=1e-6)


def test_leave_one_out_weights_its_mean_by_what_is_given_only():
    model = ol.LogisticRegression(C=0.1, class_weight={0: 1, 1: 5}).fit(X, Y)
    scores = model.loo_decision_function(X, Y)
    expected = -np.logaddexp(0, np.where(Y == 1, -scores, scores)).mean()
    assert model.loo_score(X, Y) == pytest.approx(expected)
    weight = RNG.uniform(0.5, 2, 90)
    right = (
        ((model.fit(X, Y, weight).loo_decision_function(X, Y, weight) > 0) == (Y == 1))
        @ weight
        / weight.sum()
    )
    assert model.loo_score(X, Y, weight, scoring="accuracy") == pytest.approx(right)
    constant = ol.LinearRegression(alpha=1.0).fit(X, np.full(90, 3.0))
    assert constant.loo_score(X, np.full(90, 3.0), scoring="r2") <= 1


def test_a_target_of_zeros_is_solved_beside_the_others():
    found = ol.fit_many(X, np.c_[REAL, np.zeros(90)], ol.LinearRegression(alpha=0.1))
    assert found.relative_gap[1] == 0
    np.testing.assert_array_equal(found[1].coef_, 0)


def test_constant_labels_are_those_of_rows_with_a_weight():
    labels = np.c_[Y, np.r_[np.ones(80), np.zeros(10)]].astype(int)
    weight = np.r_[np.ones(80), np.zeros(10)]
    with pytest.warns(UserWarning, match="all rows have the same value of label 1"):
        model = ol.MultilabelLogisticRegression().fit(X, labels, weight)
    assert (model.predict_proba(X)[:, 1] == 1).all()
    kept = model.coef_.copy()
    with pytest.raises(DataError, match="sample_weight has the negative value"):
        model.fit(X[:, :2], labels, -weight)
    np.testing.assert_array_equal(model.coef_, kept)
    assert model.predict(X).shape == (90, 2)


# ---- answers of streams, tensors and offsets --------------------------------------------------------------------------


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy", None, make_scorer(f1_score)])
def test_streams_are_scored_as_their_rows(scoring):
    model = ol.LogisticRegressionCV(GRID, cv=3, scoring=scoring).fit(X, Y)
    stream = ol.data.stream((X, Y))
    assert model.score(stream) == pytest.approx(model.score(X, Y))
    found = ol.path(ol.LogisticRegression(), X, Y, Cs=GRID)
    np.testing.assert_allclose(found.scores(stream, scoring=scoring), found.scores(X, Y, scoring=scoring))
    linear = ol.LinearRegressionCV([0.1, 1.0], cv=3).fit(X, REAL)
    assert linear.score(ol.data.stream((X, REAL))) == pytest.approx(linear.score(X, REAL))


def test_scores_know_labels_that_these_rows_do_not_show():
    found = ol.path(ol.LogisticRegression(), X, Y, Cs=GRID)
    some = Y == 1
    expected = [-np.mean(-np.log(one.predict_proba(X[some])[:, 1])) for one in found]
    np.testing.assert_allclose(found.scores(X[some], Y[some], scoring="neg_log_loss"), expected)


@pytest.mark.parametrize("scoring", ["neg_mean_squared_error", None, "r2"])
def test_offsets_are_a_part_of_every_score(scoring):
    offset = np.linspace(-1, 1, 90)
    model = ol.LinearRegressionCV([1e-3], cv=3, scoring=scoring).fit(X, REAL, offset=offset)
    moved = ol.LinearRegressionCV([1e-3], cv=3, scoring="neg_mean_squared_error").fit(X, REAL - offset)
    if scoring == "neg_mean_squared_error":
        np.testing.assert_allclose(model.scores_, moved.scores_, rtol=1e-6)
    assert np.isfinite(model.scores_).all()


def test_tensors_are_scored_by_every_scorer():
    for scoring in ("accuracy", "roc_auc", None):
        of_tensors = ol.LogisticRegressionCV(GRID, cv=3, scoring=scoring).fit(
            torch.tensor(X), torch.tensor(Y)
        )
        of_arrays = ol.LogisticRegressionCV(GRID, cv=3, scoring=scoring).fit(X, Y)
        np.testing.assert_allclose(of_tensors.scores_, of_arrays.scores_, atol=1e-6)


def test_averages_say_what_they_are(tmp_path):
    model = ol.LogisticRegressionCV(GRID, cv=3, refit=False).fit(torch.tensor(X), torch.tensor(Y))
    assert isinstance(model.coef_, torch.Tensor)
    assert model.estimator_.C == model.C_
    assert "Coefficients are the mean of each fold's best fit, at a mean C of" in str(model.choice_)
    with pytest.raises(ParameterError, match="refit is False: an average of fits is the optimum of nothing"):
        model.save(tmp_path)
    thirds = np.digitize(X[:, 0], [-0.6, 0.6])
    lacking = [(np.flatnonzero(thirds != 2), np.arange(60, 90)), (np.arange(60), np.arange(60, 90))]
    with pytest.raises(DataError, match="fold 0 of cv lacks a class, and refit=False averages"):
        ol.LogisticRegressionCV(GRID, cv=lacking, refit=False).fit(X, thirds)


# ---- files --------------------------------------------------------------------------------------------------------------


def test_a_file_of_coefficients_is_replaced_and_whoever_has_the_earlier_one_keeps_it(tmp_path):
    file = tmp_path / "c.npy"
    first = ol.path(ol.LogisticRegression(), X, Y, Cs=GRID, coef_file=file)
    before = np.array(first.coef)
    second = ol.path(ol.LogisticRegression(), X, 1 - Y, Cs=GRID[:1], coef_file=file)
    np.testing.assert_array_equal(first.coef, before)
    np.testing.assert_array_equal(np.load(file), second.coef)
    assert [path.name for path in tmp_path.iterdir()] == ["c.npy"]
    with pytest.raises(ParameterError):
        ol.path(ol.LogisticRegression(), X, Y, Cs=[1.0, 1.0], coef_file=file)
    np.testing.assert_array_equal(np.load(file), second.coef)
    for wrong in (3, tmp_path / "nowhere" / "c.npy"):
        with pytest.raises(
            OutputError, match=r"coef_file .* cannot be written \(.*\): give a file in a folder"
        ):
            ol.path(ol.LogisticRegression(), X, Y, Cs=GRID, coef_file=wrong)


@pytest.mark.filterwarnings("ignore:path. 1 of 1 points")
def test_a_path_is_a_sequence_of_estimators():
    found = ol.path(ol.LogisticRegression(), X, Y, Cs=GRID)
    assert [one.C for one in found] == pytest.approx(GRID)
    np.testing.assert_array_equal(found[1].coef_, found.estimator(1).coef_)
    np.testing.assert_array_equal(found[-1].coef_, found.coef[-1])
    for wrong in (slice(2), 3, "a"):
        with pytest.raises(ParameterError, match="the path has points 0 to 2"):
            found[wrong]
    free = ol.path(ol.LogisticRegression(loss="probability-squared"), X, Y, Cs=[1.0])
    assert "nothing proven" in repr(free)


def test_an_estimators_own_time_limit_is_that_of_each_fit():
    with pytest.warns(UserWarning, match="points ended without what was asked for"):
        found = ol.path(ol.LogisticRegression(time_limit=1e-9), X, Y, Cs=GRID)
    assert not any(point.result.status.is_success for point in found.points)


# ---- the rule, and what is said of it -----------------------------------------------------------------------------------


def test_the_rule_holds_beside_strengths_without_a_score():
    scores = np.array([[-1.0, -0.5, -0.45, np.nan], [-1.0, -0.6, -0.5, -0.1], [-1.0, -0.4, -0.5, -0.1]])
    alphas = np.array([1.0, 0.1, 0.01, 0.001])
    found = choose(scores, alphas, 1 / alphas, "one-standard-error", name="C", metric="score")
    alone = choose(scores[:, :3], alphas[:3], 1 / alphas[:3], "one-standard-error", name="C", metric="score")
    assert found.index == alone.index == 1
    assert "1 of 4 strengths are left out, for their score is not finite" in found.reason
    edge = choose(
        -scores[:, :2] * 0 - 1, alphas[:2], 1 / alphas[:2], "one-standard-error", name="C", metric="score"
    )
    assert "it is the end of the grid: stronger penalties may do as well" in edge.reason
    with pytest.raises(ParameterError, match="a single split has no standard error"):
        ol.LogisticRegressionCV(GRID, cv=[(np.arange(60), np.arange(60, 90))], rule="one-standard-error").fit(
            X, Y
        )
    with pytest.raises(ParameterError, match="one validation row has no standard error"):
        ol.probe((X, Y), (X[:1], Y[:1]), Cs=GRID, rule="one-standard-error")
    named = ol.LogisticRegressionCV(GRID, cv=3, scoring=make_scorer(f1_score)).fit(X, Y)
    assert "best mean f1 score over 3 folds" in str(named.choice_)


PROTOCOLS = {
    "standardised by the estimator": (
        {"est": ol.LogisticRegression(standardize=True)},
        "features standardised by the rows of each fit",
    ),
    "both scalings": (
        {"est": ol.LogisticRegression(standardize=True), "scaling": "l2"},
        "every row scaled to Euclidean norm 1, then features standardised by the rows of each fit",
    ),
    "class weights": ({"est": ol.LogisticRegression(class_weight="balanced")}, "classes weighted balanced"),
    "an early end": (
        {"est": ol.LogisticRegression(max_iter=1)},
        "it ended early, with a proven relative gap of",
    ),
    "one value": ({"Cs": [1.0]}, "was chosen from one value of C by cross-validation on them (3 splits)"),
    "refit": (
        {"refit": "train+validation", "validation": (X[60:], Y[60:])},
        "On 30 validation rows, by which it was chosen, and for the fit of the training rows alone, the accuracy is",
    ),
    "one row": ({"validation": (X[60:61], Y[60:61])}, "on 1 validation row, by the best mean score"),
    "no proof": (
        {"est": ol.LogisticRegression(loss="probability-squared"), "validation": (X[60:], Y[60:])},
        "nothing is proven of it",
    ),
}


@over("case", PROTOCOLS)
@pytest.mark.filterwarnings("ignore")
def test_the_protocol_says_what_was_done(case):
    options, words = case
    found = ol.probe((X[:60], Y[:60]), **{"Cs": [0.1, 1.0], "cv": 3} | options)
    assert words in found.protocol
    assert "nan" not in found.protocol
    json.loads(json.dumps(found.to_dict(), allow_nan=False))


def test_the_protocol_names_the_loss():
    found = ol.probe((X, REAL), est=ol.LinearRegression(loss="huber"), Cs=[0.1, 1.0], cv=3)
    assert found.protocol.startswith("Linear regression with the huber loss and an L2 penalty")


# ---- one sentence -------------------------------------------------------------------------------------------------------

CV, LINEAR = ol.LogisticRegressionCV, ol.LinearRegressionCV
WRONG = {
    "soft labels": (lambda: CV(GRID).fit(X, np.c_[1 - Y, Y] * 0.9 + 0.05), "y holds probabilities of classes"),
    "splits in columns": (lambda: CV(GRID, cv=[(np.arange(90)[:, None], np.arange(90))]).fit(X, Y), "fold 0 of cv names rows by int64 of shape"),
    "splits by name": (lambda: CV(GRID, cv=[(["a"], [0])]).fit(X, Y), "fold 0 of cv names rows by <U1"),
    "max_iter": (lambda: CV(GRID, max_iter="a").fit(X, Y), "max_iter is 'a': give a number"),
    "verbose": (lambda: CV(GRID, verbose="x").fit(X, Y), "verbose is 'x': give a number"),
    "no points": (lambda: LINEAR(-1).fit(X, REAL), "alphas is -1: give a number of points"),
    "time": (lambda: ol.path(ol.LogisticRegression(), X, Y, time_limit="a"), "time_limit is 'a'"),
    "time is nan": (lambda: ol.path(ol.LogisticRegression(), X, Y, time_limit=math.nan), "time_limit is nan"),
    "tiny": (lambda: ol.path(ol.LogisticRegression(), X, Y, Cs=[1e-320, 1]), r"Cs\[0\] is 9.99989e-321: give numbers from 1e-200"),
    "several scorings": (lambda: CV(GRID, scoring=["accuracy", "f1"]).fit(X, Y), "give one name or callable of scikit-learn"),
    "scoring of another kind": (lambda: LINEAR([1.0], scoring="neg_log_loss").fit(X, REAL), "scoring by neg log loss fails here"),
    "a scorer without weights": (
        lambda: CV(GRID, scoring=lambda model, X, y: 0.5).fit(X, Y, sample_weight=np.ones(90)),
        "scoring by <lambda> fails here .*sample_weight",
    ),
    "a scorer of words": (lambda: CV(GRID, scoring=lambda model, X, y: "x").fit(X, Y), "scoring by <lambda> fails here"),
    "other lengths": (lambda: CV(GRID, cv=3).fit(X, Y).score(X, Y[:4]), "X has 90 rows and y has 4 entries"),
    "other labels": (lambda: CV(GRID, cv=3).fit(X, Y).score(X, Y + 7), "these rows have no log loss"),
    "a strange solver of all": (lambda: ol.fit_many(X, np.c_[Y, 1 - Y], ol.LogisticRegression(solver="a")), "solver is 'a'|solver 'a'"),
    "leverage": (lambda: ol.LinearRegression().fit(X[:4], REAL[:4]).loo_score(X[:4], REAL[:4]), "row 0 has a leverage of 1"),
    "fewer rows left out": (lambda: ol.LogisticRegression().fit(X, Y).loo_score(X[:80], Y[:80]), "these data have 80 rows, and 90 were fitted"),
    "other columns left out": (lambda: ol.LogisticRegression().fit(X, Y).loo_score(X[:, :2], Y), "these data have 2 columns, and 4 were fitted"),
    "other labels left out": (lambda: ol.LogisticRegression().fit(X, Y).loo_score(X, Y + 5), r"y has the labels \[5, 6\], and \[0, 1\] were fitted"),
    "probabilities": (lambda: ol.probe((X, np.c_[1 - Y, Y] * 0.9 + 0.05), est=ol.SoftmaxRegression()), "train has probabilities of classes as y"),
    "targets of NaN": (lambda: ol.probe((X, REAL), test=(X, np.where(Y == 1, np.nan, REAL))), "y of test"),
    "targets of words": (lambda: ol.probe((X, REAL), test=(X, np.full(90, "a"))), "test has y of dtype <U1, and train has numbers"),
    "more targets": (lambda: ol.probe((X, REAL), test=(X, np.c_[REAL, REAL])), r"test has y of shape \(90, 2\) and train of shape \(90,\)"),
    "no rows": (lambda: ol.probe((X[:0], Y[:0]), (X, Y)), r"train has X of shape \(0, 4\)"),
    "no values of C": (lambda: ol.probe((X, Y), (X, Y), Cs=0), "Cs is 0: give a number of points"),
    "seed": (lambda: ol.probe((X, Y), random_state=-1), "random_state is -1: give a number ≥ 0"),
    "a loss that folds lose": (lambda: ol.probe((X, Y), est=ol.LogisticRegression(loss="probability-squared")), "est has loss='probability-squared', which folds"),
    "classes that folds lose": (
        lambda: ol.probe((X, Y), est=ol.LogisticRegression(classes=np.array([0, 1, 2]))), "est has classes=array"
    ),
    "two containers": (
        lambda: ol.probe((X, Y), (scipy.sparse.csr_array(X), Y), Cs=GRID, refit="train+validation"),
        "X is ndarray in train and csr_array in validation: give both as one of these",
    ),
    "NaN in a stack": (lambda: ol.fit_many(np.stack([X, np.where(X > 2.2, np.nan, X)]), Y), r"X of problem 1 is not finite in row \d+, column \d: mend it"),
    "problems of two shapes": (lambda: ol.fit_many([X, X[:, :2]], Y), "X is no array .*: give problems of one shape"),
    "labels of a stack": (lambda: ol.MultilabelLogisticRegression().fit(X[None], np.c_[Y, Y]), r"X has shape \(1, 90, 4\): give"),
    "norms of NaN": (lambda: ol.probe((np.where(X > 2, np.nan, X), Y), scaling="l2"), "train has rows without a norm"),
}  # fmt: skip


@over("case", WRONG)
@pytest.mark.filterwarnings("ignore")
def test_it_is_told_in_one_sentence(case):
    call, sentence = case
    with pytest.raises((DataError, ParameterError, ol.errors.SolverError), match=sentence) as told:
        call()
    assert "\n" not in str(told.value)
