"""Every fit of a cross-validation is the single fit of its rows, and the choice is that of its rule."""

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV as TheirCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit, StratifiedKFold

import onelayer as ol
from instances import over
from onelayer.errors import DataError, ParameterError
from onelayer.selection.choosing import choose

IRIS, CANCER, DIABETES = (ol.data.load(name) for name in ("iris", "breast-cancer", "diabetes"))
DIGITS = ol.data.load("digits")
WIDE = np.random.default_rng(0).normal(size=(900, 230))
SIDES = (WIDE[:, :20].sum(axis=1) + 4 * np.random.default_rng(1).normal(size=900) > 0).astype(int)
GRID = [0.003, 10.0, 0.3]
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)

CASES = {
    "logistic": (ol.LogisticRegressionCV, {}, CANCER.X, CANCER.y),
    "standardised": (ol.LogisticRegressionCV, {"standardize": True}, CANCER.X, CANCER.y),
    "no intercept": (ol.LogisticRegressionCV, {"fit_intercept": False}, CANCER.X, CANCER.y),
    "three classes": (ol.LogisticRegressionCV, {}, IRIS.X, IRIS.y),
    "softmax of two": (ol.SoftmaxRegressionCV, {}, CANCER.X, CANCER.y),
    "in turn": (ol.SoftmaxRegressionCV, {}, DIGITS.X[:500], DIGITS.y[:500]),
    "in turn, standardised": (ol.SoftmaxRegressionCV, {"standardize": True}, DIGITS.X[:500], DIGITS.y[:500]),
    "together": (ol.LogisticRegressionCV, {}, WIDE, SIDES),
    "together, standardised": (ol.LogisticRegressionCV, {"standardize": True}, WIDE, SIDES),
    "together, float32": (ol.LogisticRegressionCV, {"tol": 1e-5}, WIDE.astype(np.float32), SIDES),
    "together, softmax": (ol.SoftmaxRegressionCV, {}, WIDE, SIDES),
    "sparse": (ol.LogisticRegressionCV, {}, scipy.sparse.csr_array(np.abs(WIDE) * (WIDE > 1)), SIDES),
    "l1": (ol.LogisticRegressionCV, {"l1_ratio": 1.0}, CANCER.X, CANCER.y),
    "least squares": (ol.LinearRegressionCV, {}, DIABETES.X, DIABETES.y),
    "least squares, standardised": (ol.LinearRegressionCV, {"standardize": True}, DIABETES.X, DIABETES.y),
    "two targets": (ol.LinearRegressionCV, {}, DIABETES.X, np.c_[DIABETES.y, DIABETES.y**2]),
    "huber": (ol.LinearRegressionCV, {"loss": "huber"}, DIABETES.X, DIABETES.y),
    "huber, wide": (ol.LinearRegressionCV, {"loss": "huber"}, WIDE, WIDE[:, 0] + 0.1 * WIDE[:, 1] ** 3),
    "lasso": (ol.LinearRegressionCV, {"l1_ratio": 1.0}, DIABETES.X, DIABETES.y),
}


def splits_of(y):
    return list(
        (KFold(3, shuffle=True, random_state=0) if y.dtype.kind == "f" else FOLDS).split(np.zeros(len(y)), y)
    )


def single(model, strength, X, y):
    """The fit of some rows by itself."""
    params = {
        name: value for name, value in model.get_params().items() if name in model._model().get_params()
    }
    params["C" if hasattr(model, "Cs") else "alpha"] = strength
    return model._model(**params).fit(X, y)


@over("case", CASES)
def test_every_fit_is_the_single_fit_to_their_certificates(case):
    kind, options, X, y = case
    splits = splits_of(y)
    model = kind(GRID, cv=splits, **options).fit(X, y)
    assert (model.gaps_ <= model.tol).all()
    for fold, (train, test) in enumerate(splits):
        for place, strength in enumerate(GRID):
            alone = single(model, strength, X[train], y[train])
            mine = single(model, strength, X[train], y[train])
            mine.coef_, mine.intercept_ = (
                model.coefs_paths_[fold, place],
                model.intercepts_paths_[fold, place],
            )
            if np.ndim(alone.intercept_) == 0:
                mine.intercept_ = mine.intercept_[()]
            mine.certificate_ = None
            at_mine = objective_of(mine, X[train], y[train])
            room = (model.gaps_[fold, place] + alone.certificate_.relative_gap) * abs(at_mine) + 1e-7 * abs(
                at_mine
            )
            assert abs(at_mine - alone.result_.objective) <= room
            expected = model_score(model, alone, X[test], y[test])
            assert model.scores_[fold, place] == pytest.approx(expected, rel=2e-2, abs=2e-3)
    whole = single(model, GRID[model.choice_.index], X, y)
    apart = abs(model.result_.objective - whole.result_.objective)
    assert apart <= model.certificate_.gap + whole.certificate_.gap + 4e-16 * abs(whole.result_.objective)


def objective_of(model, X, y):
    """P at the coefficients of an estimator."""
    objective = model.objective(X, y)
    weight, bias = (
        torch.as_tensor(np.array(part), dtype=torch.float64) for part in (model.coef_, model.intercept_)
    )
    weight, bias = weight.reshape(objective.outputs, -1), bias.reshape(-1)
    if model.standardize:
        mean, scale = objective.design.mean, objective.design.scale
        weight, bias = weight * scale, bias + weight @ mean
    from onelayer.parameters import Parameters

    return objective.as_dtype(torch.float64).value(Parameters.of(weight, bias))


def model_score(model, fitted, X, y):
    from onelayer.selection.scoring import Scorer

    return Scorer(model.scoring, fitted)(fitted, X, y)


def test_one_copy_of_the_rows_and_none_of_a_fold(monkeypatch):
    taken = []
    from onelayer.designs import DenseDesign

    real = DenseDesign.take
    monkeypatch.setattr(
        DenseDesign, "take", lambda self, index: taken.append(len(index)) or real(self, index)
    )
    X, y = np.tile(WIDE, (3, 1)), np.tile(SIDES, 3)
    ol.LogisticRegressionCV([0.1, 1.0], cv=3).fit(X, y)
    assert all(count < len(X) / 2 for count in taken)


@pytest.mark.parametrize("rule", ["best", "one-standard-error"])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy"])
def test_the_choice_is_the_same_for_rows_in_another_order(rule, scoring):
    order = np.random.default_rng(0).permutation(len(CANCER.y))
    place = np.argsort(order)
    splits = splits_of(CANCER.y)
    moved = [(place[train], place[test]) for train, test in splits]
    options = {"rule": rule, "scoring": scoring, "standardize": True, "tol": 1e-8}
    plain = ol.LogisticRegressionCV(6, cv=splits, **options).fit(CANCER.X, CANCER.y)
    other = ol.LogisticRegressionCV(6, cv=moved, **options).fit(CANCER.X[order], CANCER.y[order])
    assert plain.C_ == other.C_
    np.testing.assert_allclose(plain.scores_, other.scores_, atol=1e-4)


def test_folds_given_and_folds_drawn_are_the_same():
    drawn = ol.LogisticRegressionCV(4, cv=FOLDS).fit(IRIS.X, IRIS.y)
    given = ol.LogisticRegressionCV(4, cv=splits_of(IRIS.y)).fit(IRIS.X, IRIS.y)
    np.testing.assert_array_equal(drawn.scores_, given.scores_)
    as_masks = [
        (np.isin(np.arange(150), train), np.isin(np.arange(150), test)) for train, test in splits_of(IRIS.y)
    ]
    masked = ol.LogisticRegressionCV(4, cv=as_masks).fit(IRIS.X, IRIS.y)
    np.testing.assert_array_equal(masked.scores_, given.scores_)


def test_a_grid_in_any_order_gives_its_scores_in_that_order():
    up = ol.LogisticRegressionCV([0.01, 0.1, 1.0], cv=FOLDS).fit(IRIS.X, IRIS.y)
    mixed = ol.LogisticRegressionCV([0.1, 1.0, 0.01], cv=FOLDS).fit(IRIS.X, IRIS.y)
    np.testing.assert_array_equal(mixed.Cs_, [0.1, 1.0, 0.01])
    np.testing.assert_allclose(mixed.scores_, up.scores_[:, [1, 2, 0]], atol=1e-12)
    assert mixed.C_ == up.C_


def test_it_chooses_what_scikit_learn_chooses():
    for data in (IRIS, CANCER):
        X = (data.X - data.X.mean(axis=0)) / data.X.std(axis=0)
        theirs = TheirCV(
            Cs=GRID,
            cv=FOLDS,
            scoring="neg_log_loss",
            l1_ratios=(0,),
            tol=1e-8,
            max_iter=10000,
            use_legacy_attributes=False,
        ).fit(X, data.y)
        ours = ol.LogisticRegressionCV(GRID, cv=FOLDS, tol=1e-9).fit(X, data.y)
        assert ours.C_ == theirs.C_
        np.testing.assert_allclose(ours.scores_, theirs.scores_.reshape(3, 3), atol=2e-4)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=2e-3)


def test_weights_count_as_rows_in_fits_and_in_scores():
    weight = np.random.default_rng(0).integers(0, 3, len(IRIS.y))
    rows = np.repeat(np.arange(150), weight)
    splits = splits_of(IRIS.y)
    repeated = [
        (np.flatnonzero(np.isin(rows, train)), np.flatnonzero(np.isin(rows, test))) for train, test in splits
    ]
    weighted = ol.LogisticRegressionCV(4, cv=splits, tol=1e-9).fit(IRIS.X, IRIS.y, sample_weight=weight)
    plain = ol.LogisticRegressionCV(4, cv=repeated, tol=1e-9).fit(IRIS.X[rows], IRIS.y[rows])
    np.testing.assert_allclose(weighted.scores_, plain.scores_, atol=1e-4)
    assert weighted.C_ == plain.C_


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy", "roc_auc_ovr"])
def test_offsets_count_in_fits_and_in_scores(scoring):
    offset = 3 * np.random.default_rng(0).normal(size=(150, 3))
    splits = splits_of(IRIS.y)
    model = ol.LogisticRegressionCV([1.0], cv=splits, scoring=scoring, tol=1e-10).fit(
        IRIS.X, IRIS.y, offset=offset
    )
    for fold, (train, test) in enumerate(splits):
        alone = ol.LogisticRegression(tol=1e-10).fit(IRIS.X[train], IRIS.y[train], offset=offset[train])
        chances = alone.predict_proba(IRIS.X[test], offset=offset[test])
        expected = {
            "neg_log_loss": np.log(chances[np.arange(len(test)), IRIS.y[test]]).mean(),
            "accuracy": (chances.argmax(axis=1) == IRIS.y[test]).mean(),
            "roc_auc_ovr": roc_auc_score(IRIS.y[test], chances, multi_class="ovr"),
        }[scoring]
        assert model.scores_[fold, 0] == pytest.approx(expected, abs=1e-3)


def test_refit_false_is_the_mean_of_the_best_fits_of_the_folds():
    model = ol.LogisticRegressionCV(GRID, cv=FOLDS, refit=False).fit(IRIS.X, IRIS.y)
    best = model.scores_.argmax(axis=1)
    np.testing.assert_allclose(model.coef_, model.coefs_paths_[range(3), best].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        model.intercept_, model.intercepts_paths_[range(3), best].mean(axis=0), rtol=1e-6
    )
    assert pytest.approx(np.mean([GRID[place] for place in best])) == model.C_
    assert model.certificate_ is None


def test_groups_stay_together():
    groups = np.arange(150) % 7
    model = ol.LogisticRegressionCV([1.0], cv=GroupKFold(3)).fit(IRIS.X, IRIS.y, groups=groups)
    assert model.scores_.shape == (3, 1)
    with pytest.raises(DataError, match=r"groups has 3 entries and X has 150 rows: give one for each row\."):
        ol.LogisticRegressionCV([1.0], cv=GroupKFold(3)).fit(IRIS.X, IRIS.y, groups=[0, 1, 2])
    with pytest.raises(
        DataError,
        match=r"cannot split these rows \(.*groups.*\): give a number of folds that they have rows and groups for",
    ):
        ol.LogisticRegressionCV([1.0], cv=GroupKFold(3)).fit(IRIS.X, IRIS.y)


def test_folds_that_lack_a_class_are_fitted_without_it():
    y = np.r_[np.zeros(40), np.ones(40), np.full(3, 2.0)]
    X = IRIS.X[:83]
    lacks = [(np.arange(80), np.arange(80, 83)), (np.arange(10, 83), np.arange(10))]
    model = ol.LogisticRegressionCV(GRID, cv=lacks, scoring="accuracy").fit(X, y)
    assert (model.scores_[0] == 0).all()
    alone = ol.LogisticRegression(C=0.3, classes=[0, 1, 2]).fit(X[:80], y[:80])
    np.testing.assert_allclose(model.coefs_paths_[0, 2], alone.coef_, atol=1e-3)
    # A class of fewer rows than folds.
    assert ol.LogisticRegressionCV([1.0], cv=5).fit(X, y).scores_.shape == (5, 1)


def test_a_fold_with_rows_of_its_own_leaves_the_others_alone():
    X, y = DIGITS.X[:500], DIGITS.y[:500]
    lacks = (np.flatnonzero(y < 9), np.flatnonzero(y == 9))
    splits = [lacks, *splits_of(y), lacks]
    model = ol.SoftmaxRegressionCV(GRID, cv=splits, scoring="accuracy").fit(X, y)
    plain = ol.SoftmaxRegressionCV(GRID, cv=splits[1:-1], scoring="accuracy").fit(X, y)
    assert (model.gaps_ <= 1e-6).all()
    np.testing.assert_allclose(model.scores_[1:-1], plain.scores_, atol=0.011)
    assert (model.scores_[[0, -1]] == 0).all()


def test_rows_that_are_drawn_twice_count_twice():
    rows = np.random.default_rng(0).integers(0, 150, 150)
    rest = np.setdiff1d(np.arange(150), rows)
    model = ol.LogisticRegressionCV([1.0], cv=[(rows, rest)], tol=1e-11).fit(IRIS.X, IRIS.y)
    alone = ol.LogisticRegression(tol=1e-11).fit(IRIS.X[rows], IRIS.y[rows])
    np.testing.assert_allclose(model.coefs_paths_[0, 0], alone.coef_, atol=1e-5)


def test_tensors_frames_and_a_single_split():
    import pandas as pd

    X = torch.from_numpy(IRIS.X).float()
    model = ol.SoftmaxRegressionCV([0.1, 1.0], cv=3).fit(X, torch.from_numpy(IRIS.y))
    assert isinstance(model.coef_, torch.Tensor)
    frame = pd.DataFrame(IRIS.X, columns=list("abcd"))
    model = ol.SoftmaxRegressionCV([0.1, 1.0], cv=ShuffleSplit(1, random_state=0)).fit(frame, IRIS.y)
    assert model.feature_names_in_.tolist() == list("abcd")
    assert np.isnan(model.choice_.error)
    assert "on the validation data" in model.choice_.reason


def test_it_is_saved_and_drawn_and_nested(tmp_path):
    model = ol.LogisticRegressionCV(GRID, cv=3).fit(IRIS.X, IRIS.y)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(ol.load(tmp_path / "model").predict(IRIS.X), model.predict(IRIS.X))
    assert model.to_module().weight.shape == (3, 4)
    assert model.plot().ax_.get_xlabel() == "C"
    search = GridSearchCV(ol.LogisticRegressionCV(GRID, cv=2), {"rule": ["best", "one-standard-error"]}, cv=2)
    assert search.fit(IRIS.X, IRIS.y).best_score_ < 0
    assert model.score(IRIS.X, IRIS.y) == pytest.approx(model_score(model, model.estimator_, IRIS.X, IRIS.y))


# ---- rules ------------------------------------------------------------------------------------------------------

SCORES = np.array([[0.70, 0.80, 0.81, 0.81], [0.72, 0.84, 0.85, 0.85], [0.74, 0.82, 0.83, 0.83]])
STRENGTHS = np.array([0.01, 0.1, 1.0, 10.0])


def chosen(scores, rule="best"):
    return choose(np.asarray(scores), 1 / STRENGTHS, STRENGTHS, rule, name="C", metric="accuracy")


def test_ties_go_to_the_strongest_penalty():
    choice = chosen(SCORES)
    assert choice.index == 2
    assert choice.reason == (
        "C=1 has the best mean accuracy over 3 folds, 0.83 ± 0.012 (standard error); 1 other equals it, and the strongest "
        "penalty is taken."
    )
    reordered = choose(
        SCORES[:, ::-1], 1 / STRENGTHS[::-1], STRENGTHS[::-1], "best", name="C", metric="accuracy"
    )
    assert reordered.index == 1


def test_one_standard_error():
    choice = chosen(SCORES, "one-standard-error")
    assert choice.index == 1
    assert choice.reason == (
        "C=0.1 is the strongest penalty whose mean accuracy over 3 folds, 0.82, is within one standard error of the best one, "
        "0.83 ± 0.012 at C=1."
    )
    assert choice.error == pytest.approx(SCORES[:, 1].std(ddof=1) / np.sqrt(3))


def test_the_end_of_the_grid_is_pointed_out():
    assert (
        "it is the end of the grid: weaker penalties may be better still"
        in chosen([[0.1, 0.2, 0.3, 0.4]]).reason
    )
    assert "stronger penalties may be better still" in chosen([[0.4, 0.2, 0.3, 0.1]]).reason


def test_scores_that_are_not_finite_are_never_chosen():
    assert chosen([[np.nan, 0.2, -np.inf, 0.1]]).index == 1
    with pytest.raises(ParameterError, match="no strength has a finite accuracy: choose another scoring"):
        chosen([[np.nan] * 4])


# ---- bad input --------------------------------------------------------------------------------------------------

WRONG = {
    "zero": (ParameterError, {"Cs": [0.0]}, {}, r"Cs\[0\] is 0: give finite numbers > 0"),
    "twice": (ParameterError, {"Cs": [1.0, 1.0]}, {}, r"Cs holds 1 twice"),
    "no points": (ParameterError, {"Cs": 0}, {}, r"Cs is 0: give a number of points ≥ 1, or a list"),
    "rule": (
        ParameterError,
        {"rule": "worst"},
        {},
        r"rule is 'worst': give one of 'best', 'one-standard-error'\.",
    ),
    "scoring": (
        ParameterError,
        {"scoring": "beauty"},
        {},
        r"scoring is 'beauty': give one name or callable of scikit-learn, for example 'neg_log_loss'",
    ),
    "too many folds": (
        DataError,
        {"cv": 200},
        {},
        r"cv=200 cannot split these rows \(.*\): give a number of folds",
    ),
    "one class": (
        DataError,
        {"cv": [(np.arange(50), np.arange(50, 150))]},
        {},
        r"fold 0 of cv leaves only class 0 to train on: use fewer folds, or sklearn\.model_selection\.StratifiedKFold\.",
    ),
    "no rows": (DataError, {"cv": [(np.arange(150), [])]}, {}, r"fold 0 of cv has no held-out rows"),
    "no folds": (DataError, {"cv": []}, {}, r"gives no folds: give at least one split"),
    "weights": (
        DataError,
        {"cv": [(np.arange(0, 150, 2), np.arange(1, 150, 2))]},
        {"sample_weight": np.arange(150) % 2},
        r"fold 0 of cv has no training rows of positive weight: use fewer folds",
    ),
    "rows that are not there": (
        DataError,
        {"cv": [(np.arange(100), np.arange(100, 151))]},
        {},
        r"fold 0 of cv names rows that are not there \(index 150 is out of bounds .*\): X has 150\.",
    ),
    "refit": (ParameterError, {"refit": "yes"}, {}, r"refit is 'yes'"),
}


@over("case", WRONG)
def test_bad_input_is_refused_in_one_sentence(case):
    error, options, given, message = case
    with pytest.raises(error, match=message):
        ol.LogisticRegressionCV(**options).fit(IRIS.X, IRIS.y, **given)


STREAMED = {
    name: CASES[name]
    for name in (
        "logistic",
        "standardised",
        "three classes",
        "sparse",
        "least squares",
        "huber",
        "two targets",
    )
} | {"l1": (ol.LogisticRegressionCV, {"l1_ratio": 1.0, "tol": 1e-8}, CANCER.X, CANCER.y)}


@over("case", STREAMED)
def test_a_stream_is_split_as_its_rows_in_memory_are(case):
    kind, options, X, y = case
    model = kind(GRID, cv=splits_of(y), **{"tol": 1e-10} | options)
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    offset = np.linspace(-0.2, 0.2, len(y))
    several = kind is ol.SoftmaxRegressionCV or (y.dtype.kind != "f" and len(set(y)) > 2) or y.ndim > 1
    offset = None if several else offset
    expected = clone(model).fit(X, y, weight, offset=offset)
    model.fit(ol.data.stream((X, y)), sample_weight=weight, offset=offset)
    np.testing.assert_allclose(model.scores_, expected.scores_, rtol=1e-4)
    assert model.choice_.index == expected.choice_.index
    assert (model.gaps_ <= model.tol).all()
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-2, atol=1e-3)


def test_labels_and_weights_of_a_stream_are_split_and_scored(tmp_path):
    import pandas as pd

    names = np.array(["b", "c", "a"])[IRIS.y]
    frame = pd.DataFrame(IRIS.X, columns=list("wxyz")).assign(name=names, often=np.arange(150) % 3 + 1.0)
    frame.to_parquet(tmp_path / "iris.parquet")
    stream = ol.data.stream(tmp_path / "iris.parquet", target="name", weight="often")
    model = ol.LogisticRegressionCV([0.1, 1.0], cv=3, scoring="accuracy", tol=1e-9).fit(stream)
    expected = ol.LogisticRegressionCV([0.1, 1.0], cv=3, scoring="accuracy", tol=1e-9)
    expected.fit(IRIS.X, names, frame["often"].to_numpy())
    assert model.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(model.scores_, expected.scores_)
    assert model.C_ == expected.C_


def test_what_a_stream_cannot_give_is_said():
    stream = ol.data.stream((IRIS.X, IRIS.y))
    with pytest.raises(
        DataError, match=r"fold 0 of cv has no row of class 0 to train on: use sklearn.*, or rows in memory"
    ):
        ol.LogisticRegressionCV(cv=KFold(3)).fit(stream)

    def distances(model, X, y):
        return np.linalg.norm(X[:, 0] - model.predict(X))

    with pytest.raises(
        DataError,
        match=r"scoring is the function 'distances', which may look at rows, and those of a stream are not kept: give a name",
    ):
        ol.LogisticRegressionCV([1.0], cv=3, scoring=distances).fit(stream)


def test_short_fits_are_told():
    with pytest.warns(
        ConvergenceWarning,
        match=r"LogisticRegressionCV: .* \d+ of 6 fits of folds ended above tol=1e-06; gaps_ has",
    ):
        ol.LogisticRegressionCV([1.0, 10.0], cv=3, max_iter=1).fit(IRIS.X, IRIS.y)
    with pytest.raises(AttributeError, match=r"LogisticRegressionCV has no attribute 'coef_' before fit\."):
        _ = ol.LogisticRegressionCV().coef_
