"""Decisions over one and two features: curves, crossings, bands and regions against closed forms."""

import types

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from scipy.special import expit, logit
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import onelayer as ol
from onelayer.errors import DataError, ParameterError
from onelayer.plots import DecisionDisplay

HOURS, PASSED = np.array([[1.0], [2.0], [3.0]]), np.array(["fail", "fail", "pass"])
show = DecisionDisplay.from_estimator


def line(weight, bias, classes=("fail", "pass")):
    """Return a model with p(second class) = σ(wx + b), dressed as a classifier."""

    def predict_proba(X):
        p = expit(X @ np.atleast_1d(weight) + bias)
        return np.c_[1 - p, p]

    return types.SimpleNamespace(
        classes_=np.array(classes),
        predict_proba=predict_proba,
        predict=lambda X: np.array(classes)[predict_proba(X).argmax(axis=1)],
    )


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X[:, 2:], np.array(["setosa", "versicolor", "virginica"])[y]


@pytest.fixture(scope="module")
def ring():
    """Return rows of twelve classes, around a circle."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 12
    return 5 * np.c_[np.cos(y * np.pi / 6), np.sin(y * np.pi / 6)] + 0.4 * rng.normal(size=(120, 2)), y


@pytest.fixture(scope="module")
def displays(iris, ring):
    X, y = iris
    X12, y12 = ring
    far = np.array([[-9e99], [9e99]])
    return {
        "hours": show(line(4, -10), HOURS, PASSED, abstain=(0.4, 0.6), limits=(0, 10)),
        "no data": show(line(4, -10), HOURS),
        "one row": show(line(4, -10), HOURS[:1], PASSED[:1]),
        "far apart": show(line(1e-99, 0), far, PASSED[1:]),
        "never one class": show(line(0, 5), HOURS, PASSED),
        "always uncertain": show(line(0, 0), HOURS, PASSED, abstain=(0.4, 0.6)),
        "three curves": show(LogisticRegression().fit(X[:, :1], y), X[:, :1], y, abstain=0.7),
        "twelve curves": show(LogisticRegression().fit(X12[:, :1], y12), X12[:, :1], y12, abstain=0.3),
        "a tree": show(DecisionTreeClassifier().fit(X[:, :1], y == "virginica"), X[:, :1], y == "virginica"),
        "two regions": show(line([1, 2], 0), X, abstain=(0.2, 0.8)),
        "three regions": show(LogisticRegression().fit(X, y), X, y, abstain=0.7),
        "twelve regions": show(
            RandomForestClassifier(5, random_state=0).fit(X12, y12), X12, y12, abstain=0.5
        ),
        "regions without probabilities": show(LinearSVC().fit(X, y), X, y),
        "ties": show(KNeighborsClassifier(2).fit(X, y), X, y, abstain=0.6),
        "one region": show(line([0, 0], 5), X),
        "one row of two": show(line([1, 2], 0), X[:1], PASSED[:1]),
        "all uncertain": show(line([0, 0], 0), X, abstain=(0.4, 0.6)),
    }


CASES = [
    "hours",
    "no data",
    "one row",
    "far apart",
    "never one class",
    "always uncertain",
    "three curves",
    "twelve curves",
    "a tree",
    "two regions",
    "three regions",
    "twelve regions",
    "regions without probabilities",
    "ties",
    "one region",
    "one row of two",
    "all uncertain",
]


@pytest.mark.parametrize("name", CASES)
def test_each_draws_alone_and_into_given_axes(displays, name, tmp_path):
    display = displays[name]
    assert display.plot() is display
    display.figure_.savefig(tmp_path / "x.png", dpi=40)

    figure = Figure()
    _, ax = figure.subplots(1, 2)
    assert display.plot(ax).figure_ is figure
    assert display.ax_ is ax
    figure.draw_without_rendering()


def test_the_case_table_is_complete(displays):
    assert list(displays) == CASES


# ---- one feature ---------------------------------------------------------------------------------------------


def test_the_curve_is_the_models_over_the_limits_asked_for(displays):
    display = displays["hours"]
    (x,) = display.grid
    assert (x[0], x[-1]) == (0, 10)
    np.testing.assert_allclose(display.proba[:, 1], expit(4 * x - 10))
    np.testing.assert_array_equal(display.predicted, x > 2.5)
    ax = display.plot().ax_
    assert ax.get_xlim() == (0, 10)
    assert ax.get_ylabel() == "Probability of pass"


@pytest.mark.parametrize("weight", [4.0, -0.3, 1e5])
def test_crossing_and_band_have_a_closed_form(weight):
    bias = -2.52525 * weight
    display = show(line(weight, bias), HOURS, abstain=(0.4, 0.7), limits=(-20, 30))
    np.testing.assert_allclose(display.crossings, [2.52525], rtol=1e-9)
    ends = np.sort((logit([0.4, 0.7]) - bias) / weight)
    np.testing.assert_allclose(display.bands, [ends], rtol=1e-9)
    np.testing.assert_array_equal(
        display.uncertain, (display.proba[:, 1] > 0.4) & (display.proba[:, 1] < 0.7)
    )


def test_onelayers_own_model_crosses_where_its_coefficients_say():
    model = ol.LogisticRegression(C=10).fit(HOURS, PASSED)
    display = show(model, HOURS, PASSED, abstain=(0.4, 0.6), limits=(0, 10))
    np.testing.assert_allclose(display.crossings, -model.intercept_ / model.coef_[0], rtol=1e-6)
    assert 2 < display.crossings[0] < 3
    inside = np.linspace(*display.bands[0], 11)[1:-1, None]
    assert set(model.predict(inside, abstain=(0.4, 0.6))) == {None}


def test_bands_reach_the_ends_of_the_picture(displays):
    (x,) = displays["always uncertain"].grid
    np.testing.assert_array_equal(displays["always uncertain"].bands, [[x[0], x[-1]]])
    # Where both are equally probable nothing changes hands.
    assert not len(displays["always uncertain"].crossings)
    assert not len(displays["never one class"].crossings)
    assert not len(displays["no data"].bands)


def test_of_many_classes_the_answer_changes_at_crossings(displays, iris):
    display = displays["three curves"]
    X, y = iris
    model = LogisticRegression().fit(X[:, :1], y)
    before, after = (model.predict(display.crossings[:, None] + shift).tolist() for shift in (-1e-6, 1e-6))
    assert before == ["setosa", "versicolor"]
    assert after == ["versicolor", "virginica"]
    top = model.predict_proba(display.bands.reshape(-1, 1)).max(axis=1)
    np.testing.assert_allclose(top, 0.7, rtol=1e-9)


@pytest.mark.parametrize(("least", "band"), [(0.6, (0.4, 0.6)), (0.9, (0.1, 0.9))])
def test_of_two_classes_the_least_top_probability_is_a_band(least, band):
    one, two = (show(line(4, -10), HOURS, abstain=abstain) for abstain in (least, band))
    np.testing.assert_allclose(one.bands, two.bands)
    assert len(one.bands) == 1
    assert not len(show(line(4, -10), HOURS, abstain=0.5).bands)


def test_what_one_sees_of_hours(displays):
    ax = displays["hours"].plot().ax_
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["fail", "pass", "uncertain"]
    assert [text.get_text() for text in ax.texts] == ["2.5"]
    levels = {
        line.get_ydata()[0] for line in ax.lines if len(line.get_ydata()) == 2 and line.get_xdata()[0] == 0
    }
    assert levels == {0.4, 0.5, 0.6}
    (band,) = ax.patches
    np.testing.assert_allclose(band.get_x() + np.array([0, band.get_width()]), displays["hours"].bands[0])
    assert band.get_hatch()
    data = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert data["fail"] == [[1, 0], [2, 0]]
    assert data["pass"] == [[3, 1]]


def test_without_labels_no_data_are_drawn(displays):
    ax = displays["no data"].plot().ax_
    assert ax.get_legend() is None


def test_default_limits_hold_the_data_with_room():
    assert show(line(4, -10), HOURS).grid[0][[0, -1]].tolist() == [0.8, 3.2]
    assert show(line(4, -10), [[5.0]]).grid[0][[0, -1]].tolist() == [4, 6]


# ---- two features --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [LogisticRegression(), make_pipeline(StandardScaler(), LinearSVC()), KNeighborsClassifier(3)],
    ids=lambda model: type(model).__name__,
)
def test_regions_are_what_the_model_predicts(model, iris):
    X, y = iris
    model = model.fit(X, y)
    display = show(model, X, y, grid_resolution=30)
    assert display.predicted.shape == (30, 30)
    for row, column in [(0, 0), (3, 17), (29, 5)]:
        point = [[display.grid[0][column], display.grid[1][row]]]
        assert model.classes_[display.predicted[row, column]] == model.predict(point)[0]
        if hasattr(model, "predict_proba"):
            np.testing.assert_allclose(display.proba[row, column], model.predict_proba(point)[0])
    assert (display.proba is None) == (not hasattr(model, "predict_proba"))
    np.testing.assert_array_equal(model.classes_[display.y], y)


def test_uncertain_regions_have_a_closed_form(displays):
    display = displays["two regions"]
    first, second = np.meshgrid(*display.grid)
    p = expit(first + 2 * second)
    np.testing.assert_array_equal(display.uncertain, (p > 0.2) & (p < 0.8))
    least = displays["three regions"]
    np.testing.assert_array_equal(least.uncertain, least.proba.max(axis=2) < 0.7)


def test_grids_agree_with_scikit_learns_display(iris):
    from sklearn.inspection import DecisionBoundaryDisplay

    X, y = iris
    model = LogisticRegression().fit(X, y)
    theirs = DecisionBoundaryDisplay.from_estimator(
        model, X, eps=0.5, grid_resolution=40, response_method="predict_proba", ax=Figure().subplots()
    )
    limits = [(column.min() - 0.5, column.max() + 0.5) for column in X.T]
    ours = show(model, X, limits=limits, grid_resolution=40)
    np.testing.assert_allclose(np.stack(np.meshgrid(*ours.grid)), [theirs.xx0, theirs.xx1])
    np.testing.assert_allclose(ours.proba, theirs.response)


def test_regions_are_told_apart_by_name_lightness_and_marker(displays):
    from matplotlib.colors import rgb_to_hsv

    display = displays["twelve regions"].plot()
    image = display.ax_.collections[0]
    greys = [image.cmap(image.norm(index))[:3] @ np.array([0.299, 0.587, 0.114]) for index in range(12)]
    assert len(np.unique(np.round(greys, 3))) == 12
    assert min(greys) > 0.75
    assert len({tuple(rgb_to_hsv(image.cmap(image.norm(index))[:3]).round(2)) for index in range(12)}) == 12
    marks = {(line.get_marker(), line.get_fillstyle()) for line in display.ax_.lines}
    assert len(marks) == 12
    assert {text.get_text() for text in display.ax_.texts} <= set(map(str, range(12)))


def test_hatches_lie_on_the_uncertain_region_only(displays):
    def hatched(name):
        return [c for c in displays[name].plot().ax_.collections if getattr(c, "hatches", [None])[0]]

    (area,) = hatched("two regions")
    first, second = area.get_paths()[0].vertices.T
    p = expit(first + 2 * second)
    assert p.min() > 0.15
    assert p.max() < 0.85
    assert not hatched("one region")
    assert len(hatched("all uncertain")) == 1


# ---- what callers hold ---------------------------------------------------------------------------------------


def test_frames_are_asked_with_frames(iris):
    pandas = pytest.importorskip("pandas")
    X, y = iris
    frame = pandas.DataFrame(X, columns=["length (cm)", "width (cm)"])
    labels = pandas.Series(y)
    display = show(LogisticRegression().fit(frame, labels), frame, labels).plot()
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("length (cm)", "width (cm)")
    named = show(LogisticRegression().fit(frame, labels), frame, feature_names=["a", "b"])
    assert named.feature_names == ["a", "b"]


def test_tensors_do_as_well():
    model = line(4, -10, classes=(0, 1))
    display = show(model, torch.tensor(HOURS, dtype=torch.float32), torch.tensor([0, 0, 1]))
    np.testing.assert_array_equal(display.y, [0, 0, 1])
    np.testing.assert_allclose(display.crossings, [2.5])


@pytest.mark.filterwarnings("ignore:Glyph .* missing from")
@pytest.mark.parametrize("features", [1, 2])
def test_names_are_drawn_as_they_are(iris, features, tmp_path):
    X, y = iris[0][:, :features], iris[1]
    names = {
        "feature_names": ["花瓣长度 (cm)", "$x_1$ and $"][:features],
        "class_names": ["山鸢尾", "$", "a\nb"],
    }
    display = show(LogisticRegression().fit(X, y), X, y, **names).plot()
    display.figure_.savefig(tmp_path / "x.svg")
    assert display.ax_.get_xlabel() == "花瓣长度 (cm)"
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["山鸢尾", r"\$", "a b"]


def test_true_and_false_are_labels():
    display = show(line(4, -10, classes=(False, True)), HOURS, [False, False, True])
    np.testing.assert_array_equal(display.y, [0, 0, 1])
    assert display.plot().ax_.get_ylabel() == "Probability of True"


@pytest.mark.parametrize(
    ("X", "options", "error", "sentence"),
    [
        (np.eye(3), {}, DataError, r"X has 3 features .* choose columns, as X\[:, \[0, 1\]\]"),
        (np.empty((3, 0)), {}, DataError, "X has 0 features"),
        ([1.0, 2.0], {}, DataError, r"X has shape \(2,\).*reshape\(-1, 1\)"),
        (np.empty((0, 1)), {}, DataError, "X has 0 rows"),
        ([[np.nan]], {}, DataError, "leave out rows with NaN"),
        ([["long"]], {}, DataError, "no numbers"),
        (HOURS, {"y": [0, 1]}, DataError, "y has 2 labels and X has 3 rows"),
        (HOURS, {"y": ["fail", "pass", "absent"]}, DataError, "y has the label 'absent'.* 2 classes"),
        (HOURS, {"feature_names": ["a", "b"]}, DataError, "feature_names has 2 entries, and X has 1"),
        (HOURS, {"class_names": ["a"]}, DataError, "class_names has 1"),
        (HOURS, {"limits": (3, 3)}, ParameterError, r"limits is \(3, 3\): give \(low, high\)"),
        (HOURS, {"limits": (0, np.nan)}, ParameterError, "finite, with low < high"),
        (HOURS, {"limits": "all"}, ParameterError, "limits is 'all'"),
        (np.eye(2), {"limits": (0, 1)}, ParameterError, r"\(\(low, high\), \(low, high\)\)"),
        (HOURS, {"grid_resolution": 1}, ParameterError, "grid_resolution is 1"),
        (HOURS, {"grid_resolution": 20.5}, ParameterError, "grid_resolution is 20.5"),
        (HOURS, {"abstain": (0.6, 0.4)}, ParameterError, r"abstain is \(0.6, 0.4\).*lo ≤ hi"),
        (HOURS, {"abstain": 1.2}, ParameterError, "abstain is 1.2"),
        (HOURS, {"abstain": (0.1, 0.2, 0.3)}, ParameterError, "give a pair"),
        (HOURS, {"abstain": np.nan}, ParameterError, "abstain is nan"),
        (HOURS, {"abstain": True}, ParameterError, "abstain is True"),
        (HOURS, {"abstain": ()}, ParameterError, r"abstain is \(\)"),
    ],
)
def test_refusals_name_the_argument_and_the_way_out(X, options, error, sentence):
    with pytest.raises(error, match=sentence):
        show(line(4, -10), X, **options)


def test_models_that_cannot_be_drawn_are_refused(iris):
    X, y = iris
    with pytest.raises(
        ParameterError, match=r"LinearRegression\(\), which has no classes_.*fitted classifier"
    ):
        show(LinearRegression().fit(X, X[:, 0]), X)
    with pytest.raises(ParameterError, match="fitted classifier"):
        show(LogisticRegression(), X)
    several = KNeighborsClassifier().fit(X, np.c_[y, y])
    with pytest.raises(ParameterError, match="of one target"):
        show(several, X)
    machine = LinearSVC().fit(X[:, :1], y)
    with pytest.raises(ParameterError, match="no predict_proba, and a curve over one feature needs it"):
        show(machine, X[:, :1])
    with pytest.raises(ParameterError, match=r"no predict_proba, and abstain=0.6 needs it"):
        show(LinearSVC().fit(X, y), X, abstain=0.6)
    with pytest.raises(ParameterError, match="3 classes: give one number"):
        show(LogisticRegression().fit(X, y), X, abstain=(0.4, 0.6))
    with pytest.raises(DataError, match=r"not finite.*smaller learning rate"):
        show(line(np.nan, 0), HOURS)
