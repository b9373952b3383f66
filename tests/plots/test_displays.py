"""Displays compute the right arrays, and draw them wherever they are told to."""

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from scipy import sparse

from onelayer.errors import DataError, ParameterError
from onelayer.plots import (
    ConfusionDisplay,
    LearningCurveDisplay,
    PredictionsDisplay,
    ReliabilityDisplay,
    WeightsDisplay,
)
from onelayer.plots.drawing import label
from onelayer.plots.inputs import as_array, as_images, name_classes, take_rows
from onelayer.result import Record
from report import fakes

HOSTILE = [
    "<b>&amp;</b>",
    "$x_1$ and $",
    "two\nlines\x00",
    "类别",
    "🙂" * 40,
    "'\"",
    "\\frac{",
    "\ud800",
    "",
    "_",
]


@pytest.fixture(scope="module")
def digits():
    X, y, X_test, y_test = fakes.digits()
    return fakes.classifier(X, y), X_test, y_test


@pytest.fixture(scope="module")
def displays(digits):
    model, X, y = digits
    regressor = fakes.regressor(*fakes.diabetes()[:2])
    many = fakes.many_classes()
    big = fakes.classifier(*many[:2])
    return {
        "learning curve": LearningCurveDisplay.from_estimator(model),
        "learning curve of one record": LearningCurveDisplay.from_trace([Record(0, 0.0, 0.0, 1.0)]),
        "confusion": ConfusionDisplay.from_estimator(model, X, y),
        "confusion of 51": ConfusionDisplay.from_estimator(big, *many[2:]),
        "weights as bars": WeightsDisplay.from_estimator(model),
        "weights as images": WeightsDisplay.from_estimator(model, (8, 8)),
        "weights of 51": WeightsDisplay.from_estimator(big),
        "images of 51": WeightsDisplay.from_estimator(big, (4, 5)),
        "coefficients": WeightsDisplay.from_estimator(regressor),
        "one coefficient": WeightsDisplay([[0.0]], ["only"]),
        "wrong predictions": PredictionsDisplay.from_estimator(model, X, y, (8, 8)),
        "no predictions": PredictionsDisplay.from_predictions(X, y, y, image_shape=(8, 8)),
        "reliability": ReliabilityDisplay.from_estimator(model, X, y),
    }


CASES = [
    "learning curve",
    "learning curve of one record",
    "confusion",
    "confusion of 51",
    "weights as bars",
    "weights as images",
    "weights of 51",
    "images of 51",
    "coefficients",
    "one coefficient",
    "wrong predictions",
    "no predictions",
    "reliability",
]


@pytest.mark.parametrize("name", CASES)
def test_each_display_draws_alone_and_into_given_axes(displays, name):
    display = displays[name]
    assert display.plot() is display
    display.figure_.draw_without_rendering()

    figure = Figure()
    _, ax = figure.subplots(1, 2)
    assert display.plot(ax).figure_ is figure
    assert display.ax_ is ax


def test_what_is_no_axes_is_refused(displays):
    for display in displays.values():
        with pytest.raises(ParameterError, match="ax is 3: give axes of matplotlib, or leave it out"):
            display.plot(3)


def test_panels_go_where_axes_without_a_grid_were(displays):
    display = displays["learning curve"]

    free = Figure()
    display.plot(free.add_axes((0.1, 0.1, 0.8, 0.8)))
    free.draw_without_rendering()


def test_the_case_table_is_complete(displays):
    assert list(displays) == CASES


def test_drawing_leaves_no_trace_in_matplotlib(displays):
    import matplotlib

    before = dict(matplotlib.rcParams)
    for display in displays.values():
        display.plot()
    assert dict(matplotlib.rcParams) == before


def test_learning_curve_reads_the_trace():
    trace = [
        Record(0, 0.0, 0.0, 100.0, metrics={"train_r2": 0.1, "test_r2": 0.0}),
        Record(1, 0.5, 2.0, np.inf, relative_gap=0.1, metrics={"train_r2": 0.5, "noise": 3.0}),
        Record(2, 1.0, 4.0, 1.0, relative_gap=1e-3, metrics={"train_r2": np.nan}),
    ]
    display = LearningCurveDisplay.from_trace(trace, x="seconds").plot()
    np.testing.assert_array_equal(display.x, [0, 0.5, 1])
    np.testing.assert_array_equal(display.objective, [100, np.nan, 1])
    np.testing.assert_array_equal(display.relative_gap, [np.nan, 0.1, 1e-3])
    np.testing.assert_array_equal(display.metrics["train_r2"], [0.1, 0.5, np.nan])
    assert [ax.get_ylabel() for ax in display.axes_] == ["Objective", "R²", "Noise", "Relative gap"]
    assert [ax.get_yscale() for ax in display.axes_] == ["log", "linear", "linear", "log"]
    assert display.axes_[-1].get_xlabel() == "Time (s)"
    assert [text.get_text() for text in display.axes_[1].get_legend().get_texts()] == ["train", "test"]


@pytest.mark.parametrize(("gap", "objective"), [(0.0, 0.0), (-0.0, -1.0), (None, np.nan)])
def test_learning_curve_stays_linear_where_a_logarithm_has_no_meaning(gap, objective, tmp_path):
    display = LearningCurveDisplay.from_trace(
        [Record(i, i, i, objective, relative_gap=gap) for i in range(3)]
    )
    display.plot().figure_.savefig(tmp_path / "x.png", dpi=40)
    assert {ax.get_yscale() for ax in display.axes_} == {"linear"}


def test_learning_curve_refuses_what_it_cannot_draw():
    with pytest.raises(ParameterError, match="'hours'"):
        LearningCurveDisplay.from_trace([Record(0, 0, 0, 1)], x="hours")
    with pytest.raises(DataError, match="empty"):
        LearningCurveDisplay.from_trace([])


def test_confusion_counts_and_shares():
    display = ConfusionDisplay.from_predictions(
        torch.tensor([0, 0, 2, 7]), [0, 2, 2, 0], classes=[0, 1, 2], class_names=["a", "b", "c"]
    )
    assert display.class_names == ["a", "b", "c", "7"]
    np.testing.assert_array_equal(display.counts, [[1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(display.shares[:2], [[0.5, 0, 0.5, 0], [0, 0, 0, 0]])


def test_confusion_of_many_classes_has_no_numbers_and_few_names(displays):
    ax = displays["confusion of 51"].plot().ax_
    assert not ax.texts
    assert len(ax.get_yticks()) == 26
    assert len(displays["confusion"].plot().ax_.texts) == 100


def test_reliability_agrees_with_counting():
    proba = np.array([0.05, 0.05, 0.95, 0.95, 0.55])
    display = ReliabilityDisplay.from_predictions([0, 1, 1, 1, 0], proba, [0, 1], class_names=["no", "yes"])
    np.testing.assert_allclose(display.mean_confidence, [0.05, 0.55, 0.95])
    np.testing.assert_allclose(display.frequency, [0.5, 0, 1])
    np.testing.assert_array_equal(display.counts, [2, 1, 2])
    assert display.about == "yes"
    assert display.expected_calibration_error == pytest.approx((2 * 0.45 + 0.55 + 2 * 0.05) / 5)
    two_columns = ReliabilityDisplay.from_predictions([0, 1, 1, 1, 0], np.c_[1 - proba, proba], [0, 1])
    np.testing.assert_array_equal(two_columns.counts, display.counts)


def test_reliability_of_many_classes_is_about_the_top_label():
    proba = torch.tensor([[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.1, 0.1, float("nan")]])
    display = ReliabilityDisplay.from_predictions(["a", "c", "a"], proba, ["a", "b", "c"])
    np.testing.assert_array_equal(display.counts, [1, 1])
    np.testing.assert_array_equal(display.frequency, [0, 1])
    with pytest.raises(DataError, match="finite"):
        ReliabilityDisplay.from_predictions([0], [[np.nan, np.nan]], [0, 1])


def test_weights_take_the_largest_by_size():
    display = WeightsDisplay(
        [[1.0, -3.0, 2.0], [0.0, 0.0, 5.0]], ["a", "b"], feature_names=["x", "y", "z"], top=2
    )
    np.testing.assert_array_equal(display.order, [[1, 2], [2, 0]])


def test_weights_of_two_classes_say_what_a_positive_one_means():
    X, y, *_ = fakes.breast_cancer()
    display = WeightsDisplay.from_estimator(fakes.classifier(X, y), class_names=["malignant", "benign"])
    assert display.titles == ["Positive speaks for benign"]
    np.testing.assert_array_equal(display.weight.shape, (1, 30))


def test_weights_say_how_many_are_not_shown(displays):
    assert "39 more" in displays["weights of 51"].plot().axes_[-1].get_xlabel()


def test_weights_as_images_share_one_scale_around_zero(displays):
    limits = {image.get_clim() for image in displays["weights as images"].plot().ax_.images}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high < 0


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: WeightsDisplay([[np.nan]], ["a"]), "not finite"),
        (lambda: WeightsDisplay([[1.0, 2.0]], ["a"], feature_names=["x"]), "feature_names has 1"),
        (lambda: WeightsDisplay([[1.0, 2.0]], ["a"], image_shape=(2, 2)).plot(), r"image_shape=\(2, 2\)"),
        (lambda: name_classes(["a", "b"], ["A"]), "class_names has 1"),
        (lambda: PredictionsDisplay.from_predictions([], [], [], image_shape=(1, 1), which="odd"), "'odd'"),
    ],
)
def test_refusals_name_the_argument(build, sentence):
    with pytest.raises(ValueError, match=sentence):
        build()


@pytest.mark.parametrize("which", ["wrong", "right", "first"])
@pytest.mark.parametrize("kind", [np.asarray, torch.tensor, sparse.csr_array])
def test_predictions_choose_rows(which, kind):
    X, y, predicted = (
        np.arange(24.0).reshape(6, 4),
        np.array([0, 1, 2, 0, 1, 2]),
        np.array([0, 1, 1, 1, 1, 0]),
    )
    display = PredictionsDisplay.from_predictions(
        kind(X), y, predicted, image_shape=(2, 2), which=which, n=2, class_names=["a", "b", "c"]
    )
    rows = {"wrong": [2, 3], "right": [0, 1], "first": [0, 1]}[which]
    np.testing.assert_array_equal(display.rows, rows)
    np.testing.assert_array_equal(display.images, X[rows].reshape(2, 2, 2))
    np.testing.assert_array_equal(display.wrong, [which == "wrong"] * 2)
    assert display.true_names == [["a", "b", "c"][label] for label in y[rows]]


def test_errors_are_marked_by_more_than_colour():
    display = PredictionsDisplay(np.eye(4).reshape(2, 2, 4), ["a", "b"], ["a", "a"], [False, True]).plot()
    texts = [text.get_text() for text in display.ax_.texts]
    assert [text for text in texts if "✗" in text] == ["✗ a"]
    right, wrong = display.ax_.patches
    assert right.get_linestyle() != wrong.get_linestyle()


@pytest.mark.filterwarnings("ignore:Glyph .* missing from")
def test_hostile_names_are_drawn_as_they_are(digits, tmp_path):
    model, X, y = digits
    features = (HOSTILE * 7)[:64]
    for number, display in enumerate(
        [
            ConfusionDisplay.from_estimator(model, X, y, class_names=HOSTILE),
            WeightsDisplay.from_estimator(model, feature_names=features, class_names=HOSTILE),
            WeightsDisplay.from_estimator(model, (8, 8), class_names=HOSTILE),
            PredictionsDisplay.from_estimator(model, X, y, (8, 8), HOSTILE, which="first"),
        ]
    ):
        display.plot().figure_.savefig(tmp_path / f"{number}.svg")


def test_label_is_one_short_line_without_mathematics():
    assert label("a\nb\tc  d\x00") == "a b c d"
    assert label("$x$") == r"\$x\$"
    assert label("x" * 50, 11) == "xxxxx…xxxxx"
    assert len(label("0123456789" * 3, 14)) == 14


def test_arrays_come_out_of_anything():
    bfloat = torch.tensor([1.5], dtype=torch.bfloat16, requires_grad=True)
    np.testing.assert_array_equal(as_array(bfloat), [1.5])
    np.testing.assert_array_equal(take_rows(sparse.eye_array(3, format="csr"), [1]), [[0, 1, 0]])
    pandas = pytest.importorskip("pandas")
    np.testing.assert_array_equal(take_rows(pandas.DataFrame({"a": [1, 2]}), [1]), [[2]])


def test_names_follow_classes_or_labels():
    assert name_classes(np.array([1, 3]), ["zero", "one", "two", "three"]) == ["one", "three"]
    assert name_classes(np.array([5, 6]), ["a", "b"]) == ["a", "b"]
    assert name_classes(np.array(["x", "y"])) == ["x", "y"]


@pytest.mark.parametrize(
    ("image_shape", "shape"),
    [((2, 6), (3, 2, 6)), ((2, 2, 3), (3, 2, 2, 3)), ((3, 2, 2), (3, 2, 2, 3)), ((2, 6, 1), (3, 2, 6))],
)
def test_images_in_grey_and_in_colours(image_shape, shape, tmp_path):
    images = as_images(np.arange(36).reshape(3, 12), image_shape)
    assert images.shape == shape
    display = PredictionsDisplay(images, "abc", "abd", [False, False, True]).plot()
    display.figure_.savefig(tmp_path / "x.png", dpi=40)


def test_a_trace_that_left_all_bounds_can_be_drawn():
    trace = [Record(i, 0.1 * i, i, 10.0 ** (30 * i)) for i in range(11)]
    display = LearningCurveDisplay.from_trace(trace).plot()
    display.figure_.savefig(io.BytesIO())
    assert np.isfinite(display.objective).sum() == 7


REFUSED = {
    "abstained": (lambda: ConfusionDisplay.from_predictions([0, 1], [None, 1]), "y_pred has 1 None"),
    "lengths": (lambda: ConfusionDisplay.from_predictions([0, 1], [0, 1, 1]), "give one label of each"),
    "shares": (lambda: ConfusionDisplay([[0.5, 0.5], [0, 1]]), "square matrix of whole numbers"),
    "not square": (lambda: ConfusionDisplay([[1, 2, 3]]), "square matrix of whole numbers"),
    "gallery": (
        lambda: PredictionsDisplay.from_predictions(
            np.eye(4), [0, 1, 2, 3], [0, 1, 2, None], image_shape=(2, 2)
        ),
        "y_pred has 1 None",
    ),
}


@pytest.mark.parametrize(("build", "words"), REFUSED.values(), ids=REFUSED)
def test_labels_that_cannot_be_compared_are_refused(build, words):
    with pytest.raises(DataError, match=words):
        build()
