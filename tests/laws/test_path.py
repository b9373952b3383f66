"""A path is its single fits: the same optima to their certificates, in the order of the grid, whatever was learnt on the way."""

import io
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console
from sklearn.exceptions import ConvergenceWarning

import onelayer as ol
from instances import over
from onelayer.errors import DataError, OutputError, ParameterError
from onelayer.selection.progress import Sweep
from onelayer.solvers.trail import Curve

IRIS, CANCER, DIABETES = (ol.data.load(name) for name in ("iris", "breast-cancer", "diabetes"))
DIGITS = ol.data.load("digits")
GRID = [30.0, 1e-3, 0.1, 2.0]

CASES = {
    "logistic": (ol.LogisticRegression(), CANCER.X, CANCER.y),
    "logistic, standardised": (ol.LogisticRegression(standardize=True), CANCER.X, CANCER.y),
    "logistic, no intercept": (ol.LogisticRegression(fit_intercept=False), CANCER.X, CANCER.y),
    "three classes": (ol.LogisticRegression(class_weight="balanced"), IRIS.X, IRIS.y),
    "softmax of two": (ol.SoftmaxRegression(standardize=True), CANCER.X, CANCER.y),
    "many coefficients": (ol.SoftmaxRegression(), DIGITS.X[:600], DIGITS.y[:600]),
    "float32": (ol.SoftmaxRegression(tol=1e-5), DIGITS.X[:600].astype(np.float32), DIGITS.y[:600]),
    "l1": (ol.LogisticRegression(l1_ratio=1.0, standardize=True), CANCER.X, CANCER.y),
    "elastic net": (ol.SoftmaxRegression(l1_ratio=0.5), IRIS.X, IRIS.y),
    "least squares": (ol.LinearRegression(), DIABETES.X, DIABETES.y),
    "least squares, two targets": (ol.LinearRegression(), DIABETES.X, np.c_[DIABETES.y, DIABETES.y**2]),
    "lasso": (ol.LinearRegression(l1_ratio=1.0), DIABETES.X, DIABETES.y),
    "huber": (ol.LinearRegression("huber", standardize=True), DIABETES.X, DIABETES.y),
    "by L-BFGS": (ol.LogisticRegression(solver="lbfgs", standardize=True), CANCER.X, CANCER.y),
}


def single(est, X, y, C, **options):
    """The fit by itself at the strength of a point."""
    params = est.get_params(deep=False)
    rows = len(y) if options.get("sample_weight") is None else options["sample_weight"].sum()
    params |= {"C": C} if "C" in params else {"alpha": 1 / (C * rows)}
    return type(est)(**params).fit(X, y, **options)


@over("case", CASES)
def test_every_point_is_the_single_fit_to_their_certificates(case):
    est, X, y = case
    found = ol.path(est, X, y, Cs=GRID)
    np.testing.assert_allclose(found.Cs, GRID, rtol=1e-12)
    for place, C in enumerate(GRID):
        model, alone = found.estimator(place), single(est, X, y, C)
        apart = abs(model.result_.objective - alone.result_.objective)
        room = 4e-16 * abs(alone.result_.objective)
        assert apart <= model.certificate_.gap + alone.certificate_.gap + room
        assert model.certificate_.relative_gap <= est.tol
        assert model.get_params()["C" if hasattr(est, "C") else "alpha"] == pytest.approx(
            alone.get_params()["C" if hasattr(est, "C") else "alpha"], rel=1e-12
        )
        assert np.shape(model.coef_) == np.shape(alone.coef_)
        assert np.shape(model.intercept_) == np.shape(alone.intercept_)
        # The certificate is of the coefficients that are returned.
        again = ol.certify(model, X, y)
        assert again.objective == pytest.approx(model.result_.objective, rel=1e-6)


def test_a_point_is_an_estimator_like_any_other():
    found = ol.path(ol.LogisticRegression(), CANCER.X, CANCER.y, Cs=GRID)
    model, alone = found.estimator(2), ol.LogisticRegression(C=GRID[2]).fit(CANCER.X, CANCER.y)
    np.testing.assert_array_equal(model.predict(CANCER.X), alone.predict(CANCER.X))
    assert model.penalty_report_.alpha == pytest.approx(alone.penalty_report_.alpha)
    assert model.to_module().weight.shape == (1, 30)
    assert pytest.approx(GRID[1]) == pickle.loads(pickle.dumps(found)).estimator(1).C  # noqa: S301
    assert len(pickle.dumps(found)) < CANCER.X.nbytes


def test_weights_and_offsets_are_those_of_single_fits():
    weight = np.random.default_rng(0).uniform(0, 3, len(IRIS.y)).round()
    offset = np.random.default_rng(1).normal(size=(len(IRIS.y), 3))
    est = ol.LogisticRegression(tol=1e-9)
    found = ol.path(est, IRIS.X, IRIS.y, Cs=[0.5, 5.0], sample_weight=weight, offset=offset)
    for place, C in enumerate([0.5, 5.0]):
        alone = single(est, IRIS.X, IRIS.y, C, sample_weight=weight, offset=offset)
        np.testing.assert_allclose(found.coef[place], alone.coef_, atol=1e-4)
    doubled = ol.path(est, np.repeat(IRIS.X, 2, axis=0), np.repeat(IRIS.y, 2), Cs=[0.5])
    np.testing.assert_allclose(
        doubled.coef[0],
        ol.path(est, IRIS.X, IRIS.y, Cs=[0.5], sample_weight=np.full(150, 2.0)).coef[0],
        atol=1e-5,
    )


def test_both_conventions_are_one():
    by_C = ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, Cs=[0.1, 1.0])
    by_alpha = ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, alphas=by_C.alphas)
    np.testing.assert_array_equal(by_alpha.coef, by_C.coef)
    np.testing.assert_allclose(by_C.alphas, [1 / 15, 1 / 150])


@over("case", CASES)
def test_the_usual_grid_begins_where_weights_are_nearly_nothing_and_ends_far_below(case):
    est, X, y = case
    found = ol.path(est, X, y, count=6)
    assert len(found) == 6
    assert (np.diff(found.alphas) < 0).all()
    ratios = found.alphas[1:] / found.alphas[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    assert found.alphas[-1] <= found.alphas[0] / 100
    if est.l1_ratio == 1.0:
        assert not found.coef[0].any()
        assert found.coef[1].any()
    # A thousandth of the best constant model's objective at most is explained at the strongest penalty.
    constant = type(est)(**{**est.get_params(), **({"C": 1e-300} if hasattr(est, "C") else {"alpha": 1e300})})
    value = constant.objective(X, y).constant_value()
    assert value >= found.objective[0] >= 0.998 * value


def test_a_column_times_a_million_changes_nothing_of_a_standardised_path():
    est = ol.LogisticRegression(standardize=True, tol=1e-9)
    X = CANCER.X.copy()
    plain = ol.path(est, X, CANCER.y, count=4)
    X[:, 3] *= 1e6
    scaled = ol.path(est, X, CANCER.y, count=4)
    np.testing.assert_allclose(scaled.objective, plain.objective, rtol=1e-8)


def test_rows_in_another_order_give_the_same_path():
    order = np.random.default_rng(0).permutation(len(CANCER.y))
    est = ol.LogisticRegression(standardize=True, tol=1e-9)
    plain, moved = ol.path(est, CANCER.X, CANCER.y), ol.path(est, CANCER.X[order], CANCER.y[order])
    np.testing.assert_allclose(moved.alphas, plain.alphas, rtol=1e-9)
    np.testing.assert_allclose(moved.objective, plain.objective, rtol=3e-9)


def test_tensors_in_tensors_out_and_streams_too():
    X = torch.from_numpy(IRIS.X).float()
    found = ol.path(ol.SoftmaxRegression(), X, torch.from_numpy(IRIS.y), Cs=[0.1, 1.0])
    assert isinstance(found.estimator(0).coef_, torch.Tensor)
    stream = ol.data.stream((CANCER.X, CANCER.y))
    streamed = ol.path(ol.LogisticRegression(standardize=True), stream, Cs=[0.1, 1.0])
    dense = ol.path(ol.LogisticRegression(standardize=True), CANCER.X, CANCER.y, Cs=[0.1, 1.0])
    assert (abs(streamed.objective - dense.objective) <= streamed.gap + dense.gap).all()


def test_large_coefficients_are_mapped_from_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("onelayer.selection.storage._LARGE", 100)
    plain = ol.path(ol.SoftmaxRegression(), IRIS.X, IRIS.y, Cs=[0.1, 1.0])
    assert isinstance(plain.coef, np.memmap)
    kept = ol.path(ol.SoftmaxRegression(), IRIS.X, IRIS.y, Cs=[0.1, 1.0], coef_file=tmp_path / "coef.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "coef.npy"), kept.coef)
    np.testing.assert_array_equal(kept.estimator(1).coef_, plain.coef[1])
    with pytest.raises(
        OutputError, match=r"coef_file '.*nowhere.*' cannot be written \(No such file.*\): give a file"
    ):
        ol.path(ol.SoftmaxRegression(), IRIS.X, IRIS.y, Cs=[1.0], coef_file=tmp_path / "nowhere" / "coef.npy")


def test_points_that_time_did_not_allow_are_left_out():
    with pytest.warns(
        ConvergenceWarning, match=r"path: \d+ of 20 points were not reached; the others are in the result"
    ):
        found = ol.path(ol.SoftmaxRegression(), DIGITS.X, DIGITS.y, time_limit=0.02)
    assert 0 < len(found) < 20
    assert len(found.coef) == len(found) == len(found.Cs)


def test_no_time_for_the_first_point_is_refused():
    with pytest.raises(
        ParameterError, match=r"time_limit is 1e-09 s, which were over before the first fit could begin"
    ):
        ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, time_limit=1e-9)


def test_progress_is_shown_with_the_time_left_on_a_terminal_only(capsys):
    screen = io.StringIO()
    with Sweep("sweep", 3, console=Console(file=screen, force_terminal=True, width=120)) as sweep:
        sweep.done("C=0.1")
        sweep.done("C=1", count=2)
    assert "3 of 3 C=1" in screen.getvalue()
    assert "left" in screen.getvalue()
    ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, Cs=[1.0], verbose=1)
    assert capsys.readouterr() == ("", "")


def test_the_picture_names_the_largest_coefficients_and_goes_from_strong_to_weak():
    frame = pd.DataFrame(DIABETES.X, columns=[f"c{place}" for place in range(10)])
    found = ol.path(ol.LinearRegression(l1_ratio=1.0), frame, DIABETES.y, count=6)
    top, bottom = found.plot().axes_
    largest = np.argsort(-abs(found.coef).max(axis=0))[:6]
    assert [text.get_text() for text in top.get_legend().get_texts()] == [f"c{place}" for place in largest]
    assert len({line.get_color() for line in top.get_lines() if not line.get_label().startswith("_")}) == 6
    assert bottom.xaxis_inverted()
    plain = ol.path(
        ol.LogisticRegression(standardize=True), CANCER.X, CANCER.y, Cs=np.logspace(-3, 3, 7)
    ).plot()
    assert plain.axes_[0].get_yscale() == "symlog"
    assert not plain.axes_[1].xaxis_inverted()
    assert plain.axes_[0].get_legend() is None


def test_points_that_fall_short_are_named():
    with pytest.warns(
        ConvergenceWarning, match=r"path: 2 of 2 points ended without what was asked for, the first at alpha="
    ):
        ol.path(ol.LogisticRegression(max_iter=1), CANCER.X, CANCER.y, Cs=[1.0, 10.0])


def test_scores_of_every_point_on_other_data():
    found = ol.path(ol.LogisticRegression(), IRIS.X[::2], IRIS.y[::2], Cs=[0.01, 1.0])
    expected = [found.estimator(place).score(IRIS.X[1::2], IRIS.y[1::2]) for place in range(2)]
    np.testing.assert_array_equal(found.scores(IRIS.X[1::2], IRIS.y[1::2]), expected)
    assert (found.scores(IRIS.X[1::2], IRIS.y[1::2], scoring="neg_log_loss") < 0).all()


WRONG = {
    "zero": (
        {"Cs": [1.0, 0.0]},
        r"Cs\[1\] is 0: give finite numbers > 0 \(for no penalty fit the estimator by itself\)\.",
    ),
    "negative": ({"alphas": [-1.0]}, r"alphas\[0\] is -1: give finite numbers > 0 \(leave it out\)\."),
    "infinite": ({"Cs": [np.inf]}, r"Cs\[0\] is inf: give finite numbers > 0 \(for no penalty fit"),
    "NaN": ({"Cs": [np.nan]}, r"Cs\[0\] is nan"),
    "twice": ({"Cs": [1.0, 2.0, 1.0]}, r"Cs holds 1 twice, at 0 and 2: give each C once\."),
    "empty": ({"alphas": []}, r"alphas is \[\]: give a list of positive numbers, one for each fit\."),
    "text": ({"Cs": "many"}, r"Cs is 'many': give a list of positive numbers"),
    "both": (
        {"Cs": [1.0], "alphas": [1.0]},
        r"Cs and alphas are two names for the strengths: give one of them\.",
    ),
    "count": ({"count": 0}, r"count is 0"),
}


@over("case", WRONG)
def test_bad_grids_are_refused_in_one_sentence(case):
    options, message = case
    with pytest.raises(ParameterError, match=message):
        ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, **options)


def test_what_is_no_estimator_of_ours_is_refused():
    with pytest.raises(
        ParameterError, match=r"est is 3: give a LinearRegression, LogisticRegression or SoftmaxRegression"
    ):
        ol.path(3, IRIS.X, IRIS.y)
    with pytest.raises(DataError, match="X has 150 rows and y has 3 entries"):
        ol.path(ol.LogisticRegression(), IRIS.X, [0, 1, 0])
    found = ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, Cs=[1.0])
    with pytest.raises(ParameterError, match=r"index is 5: the path has points 0 to 0\."):
        found.estimator(5)


def test_the_estimator_that_is_given_is_left_as_it_is():
    est = ol.LogisticRegression(C=7.0)
    ol.path(est, IRIS.X, IRIS.y, Cs=[1.0])
    assert est.C == 7.0
    assert not hasattr(est, "coef_")


def test_warm_starts_save_most_of_the_work():
    est = ol.SoftmaxRegression()
    Cs = np.logspace(-3, 1, 9)
    found = ol.path(est, DIGITS.X, DIGITS.y, Cs=Cs)
    alone = sum(ol.SoftmaxRegression(C=C).fit(DIGITS.X, DIGITS.y).result_.passes for C in Cs)
    assert found.passes.sum() < 0.75 * alone


def test_nothing_global_is_changed():
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, Cs=[1.0])
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, dtype)
    assert torch.is_grad_enabled()


def test_a_curve_is_the_parabola_through_its_last_three_places():
    curve = Curve()
    assert curve.at(1.0) == 0
    for place in (-1.0, 0.0, 2.0, 3.0):
        curve.add(place, torch.tensor([place**2 + 1, 5.0 if place < 0 else 2 * place]))
        assert len(curve) <= 3
    torch.testing.assert_close(curve.at(7.0), torch.tensor([50.0, 14.0]))
    # What is found out at a place that was known takes the place of that.
    curve.add(2.0, torch.tensor([0.0, 0.0]))
    torch.testing.assert_close(curve.at(2.0), torch.tensor([0.0, 0.0]))
    torch.testing.assert_close(curve.at(3.0), torch.tensor([10.0, 6.0]))
    assert len(curve) == 3


def test_strengths_are_the_numbers_that_were_given():
    Cs = [0.003, 0.07, 1 / 3, 12.3]
    found = ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, Cs=Cs)
    assert found.Cs.tolist() == Cs
    assert [model.C for model in found] == Cs
    search = ol.LogisticRegressionCV(Cs, cv=3).fit(IRIS.X, IRIS.y)
    assert search.path_.Cs.tolist() == Cs
    assert search.estimator_.C == search.C_


def test_rows_that_cannot_be_scored_are_not_blamed_on_the_scoring():
    found = ol.path(ol.LogisticRegression(), IRIS.X, IRIS.y, Cs=[1.0])
    with pytest.raises(DataError, match=r"^X has 150 values that are NaN"):
        found.scores(np.where(np.arange(4) == 2, np.nan, IRIS.X), IRIS.y, scoring="accuracy")
