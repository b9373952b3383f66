"""The loss surface: its values are the objective's, its axes the right ones, and a path lies where it went."""

import dataclasses

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

import onelayer as ol
from onelayer.callbacks import Iterates
from onelayer.errors import DataError, ParameterError
from onelayer.parameters import Parameters
from onelayer.plots import LossSurfaceDisplay
from onelayer.plots.planes import limits_around
from onelayer.plots.surfaces import contour_levels
from onelayer.result import Record

GD, SGD = ol.solvers.GradientDescent, ol.solvers.SGD
RANDOM = np.random.default_rng(0)
X1, X2, X5 = (RANDOM.normal(size=(60, columns)) for columns in (1, 2, 5))
BINARY = (X1[:, 0] + RANDOM.normal(size=60) > 0).astype(int)
THREE = (X5 @ RANDOM.normal(size=(5, 3)) + RANDOM.normal(size=(60, 3))).argmax(axis=1)
REAL = X2 @ [1.0, -2.0] + 0.1 * RANDOM.normal(size=60)
WEIGHT = RANDOM.uniform(0.5, 2, size=60)

CASES = {
    "one weight and the bias": (ol.LogisticRegression(), X1, BINARY, None),
    "two weights": (ol.LinearRegression(fit_intercept=False), X2, REAL, None),
    "two outputs": (ol.SoftmaxRegression(fit_intercept=False), X1, BINARY, None),
    "squared probabilities": (ol.LogisticRegression(loss="probability-squared"), X1, BINARY, None),
    "L1 and L2, weighted": (ol.LogisticRegression(C=0.1, l1_ratio=0.3), X1, BINARY, WEIGHT),
    "standardised": (ol.LogisticRegression(C=0.1, standardize=True), 100 * X1 + 7, BINARY, None),
    "float32": (ol.LogisticRegression(dtype="float32"), X1.astype("float32"), BINARY, None),
    "softmax": (ol.SoftmaxRegression(C=0.5), X5, THREE, WEIGHT),
    "three weights": (ol.LinearRegression(alpha=0.1), X2, REAL, None),
    "two targets": (ol.LinearRegression("huber", fit_intercept=False), X2, np.c_[REAL, -REAL], None),
}


def walk(model, X, y, sample_weight=None, solver=None):
    """Return the Iterates of a short fit."""
    path = Iterates()
    model = type(model)(**model.get_params(deep=False))
    model.set_params(solver=solver or GD(0.2, steps=12), tol=0).set_callbacks(path).fit(X, y, sample_weight)
    return path


def surface_of(name, **options):
    model, X, y, weight = CASES[name]
    path = walk(model, X, y, weight)
    return path, LossSurfaceDisplay.from_estimator(model, X, y, [path], sample_weight=weight, **options)


def objective_at(name, flat):
    """Return P at flat parameters, in float64 and from nothing but the objective's own value."""
    model, X, y, weight = CASES[name]
    objective = model.objective(X, y, weight).as_dtype(torch.float64)
    return objective.value(Parameters(torch.as_tensor(flat), objective.outputs, objective.features))


@pytest.mark.parametrize("name", CASES)
def test_values_are_the_objective_at_the_points_of_the_grid(name):
    model, X, y, weight = CASES[name]
    size = model.objective(X, y, weight).zeros().flat.numel()
    center, directions = RANDOM.normal(size=size), RANDOM.normal(size=(2, size))
    objective = model.objective(X, y, weight)
    display = LossSurfaceDisplay.from_objective(
        objective, center=center, directions=directions, limits=((-1, 2), (-3, 1)), resolution=5
    )
    for i, b in enumerate(display.second):
        for j, a in enumerate(display.first):
            expected = objective_at(name, center + a * directions[0] + b * directions[1])
            assert display.values[i, j] == pytest.approx(expected, rel=1e-10, abs=1e-10)
    assert display.explained is None
    assert display.names == ("direction 1", "direction 2")


TWO = {
    "one weight and the bias": ([0, 1], ("weight w (score per unit of x)", "bias b (score)")),
    "squared probabilities": ([0, 1], ("weight w (score per unit of x)", "bias b (score)")),
    "standardised": ([0, 1], ("weight w (score per standard deviation of x)", "bias b (score)")),
    "two weights": ([0, 1], ("weight w₁ (score per unit of x₁)", "weight w₂ (score per unit of x₂)")),
    "two outputs": (
        [0, 1],
        ("weight of output 0 (score per unit of x)", "weight of output 1 (score per unit of x)"),
    ),
}


@pytest.mark.parametrize("name", TWO)
def test_two_parameters_are_the_axes_in_their_order(name):
    path, display = surface_of(name, resolution=7)
    columns, names = TWO[name]
    assert display.names == names
    assert display.explained is None
    np.testing.assert_allclose(display.paths[0], path.parameters[:, columns], atol=1e-14)
    flat = np.zeros(path.parameters.shape[1])
    flat[columns] = display.first[2], display.second[5]
    assert display.values[5, 2] == pytest.approx(objective_at(name, flat), rel=1e-12)
    np.testing.assert_allclose(display.path_values[0], path.objectives, rtol=1e-10)


@pytest.mark.parametrize("name", TWO)
def test_a_path_of_two_columns_is_the_same_as_one_of_all_parameters(name):
    model, X, y, _ = CASES[name]
    path, display = surface_of(name, resolution=3)
    short = LossSurfaceDisplay.from_estimator(model, X, y, path.parameters[:, :2], resolution=3)
    np.testing.assert_array_equal(short.paths[0], display.paths[0])
    np.testing.assert_array_equal(short.values, display.values)


def test_principal_directions_give_back_iterates_that_lie_in_a_plane():
    model, X, y, weight = CASES["softmax"]
    size = 3 * 6
    spanning, steps = RANDOM.normal(size=(2, size)), RANDOM.normal(size=(9, 2)) * [3, 1]
    center = RANDOM.normal(size=size)
    path = center + (steps - steps[-1]) @ spanning
    display = LossSurfaceDisplay.from_estimator(model, X, y, [path], sample_weight=weight, resolution=3)
    assert sum(display.explained) == pytest.approx(1, abs=1e-12)
    assert display.explained[0] > display.explained[1]
    np.testing.assert_allclose(display.paths[0][-1], 0, atol=1e-12)
    # Distances in the plane are those in the space, and the heights are those of the iterates.
    distances = np.linalg.norm(path[:, None] - path, axis=-1)
    found = np.linalg.norm(display.paths[0][:, None] - display.paths[0], axis=-1)
    np.testing.assert_allclose(found, distances, atol=1e-10)
    expected = [objective_at("softmax", flat) for flat in path]
    np.testing.assert_allclose(display.path_values[0], expected, rtol=1e-10)


@pytest.mark.parametrize("name", ["softmax", "three weights", "two targets"])
def test_the_plane_of_a_fit_says_how_much_of_its_path_it_shows(name):
    path, display = surface_of(name, resolution=3)
    steps = path.parameters - path.parameters[-1]
    sizes = np.linalg.svd(steps, compute_uv=False)
    np.testing.assert_allclose(display.explained, (sizes**2 / (sizes**2).sum())[:2], atol=1e-12)
    share = np.floor(1000 * display.explained[0]) / 10
    assert display.names[0] == f"direction 1 ({share:.3g} % of the path)"
    # The end of the path is the origin, and the path went towards positive coordinates.
    np.testing.assert_allclose(display.paths[0][-1], 0, atol=1e-12)
    assert (display.paths[0][0] <= 1e-12).all()
    assert display.path_values[0][-1] == pytest.approx(objective_at(name, path.parameters[-1]), rel=1e-10)


def test_what_is_not_free_stays_where_it_is():
    model, X, y, _ = CASES["two targets"]
    path = walk(model, X, y).parameters
    path[:, -2:] = 3.0
    display = LossSurfaceDisplay.from_estimator(model, X, y, path, resolution=3)
    assert display.path_values[0][-1] == pytest.approx(objective_at("two targets", path[-1]), rel=1e-12)


def test_several_paths_share_the_plane_that_their_iterates_span_together():
    model, X, y, weight = CASES["softmax"]
    one = walk(model, X, y, weight)
    two = walk(model, X, y, weight, SGD(0.1, batch_size=10, epochs=5))
    display = LossSurfaceDisplay.from_estimator(
        model, X, y, [one, two], path_names=["all rows", "ten rows"], sample_weight=weight, resolution=5
    )
    assert [len(path) for path in display.paths] == [13, 6]
    # Both start at zero.
    np.testing.assert_allclose(display.paths[0][0], display.paths[1][0], atol=1e-12)
    legend = display.plot().ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()][:2] == ["all rows", "ten rows"]


def test_of_many_rows_some_at_equal_distances_are_used_and_the_figure_says_so():
    model, X, y, weight = CASES["L1 and L2, weighted"]
    objective = model.objective(X, y, weight)
    display = LossSurfaceDisplay.from_objective(
        objective, limits=((-1, 1), (-1, 1)), resolution=3, max_rows=20
    )
    part = objective.take(torch.arange(0, 60, 3))
    start = part.zeros()
    start.flat.copy_(torch.tensor([1.0, -1.0]))
    assert display.values[0, 2] == pytest.approx(part.value(start), rel=1e-12)
    assert display.plot().ax_.get_title(loc="right") == "on 20 of 60 rows"
    assert LossSurfaceDisplay.from_objective(objective, limits=((0, 1), (0, 1)), max_rows=60).note == ""


def test_a_surface_leaves_the_work_of_the_objective_uncounted():
    objective = ol.LogisticRegression().objective(X1, BINARY)
    before = objective.passes
    LossSurfaceDisplay.from_objective(objective, limits=((0, 1), (0, 1)), resolution=3)
    assert objective.passes == before


def test_limits_hold_the_path_and_a_minimum_that_is_near():
    path = np.array([[0.0, 0.0], [1.0, 2.0]])
    (left, right), (bottom, top) = limits_around([path])
    assert (left, right, bottom, top) == pytest.approx((-0.15, 1.15, -0.3, 2.3))
    near = limits_around([path], lambda a, b: (a - 1.5) ** 2 + (b - 1) ** 2)
    assert near[0][1] > 1.5
    assert near[1] == (bottom, top)
    far = limits_around([path], lambda a, b: (a - 50) ** 2 + b**2)
    assert far == ((left, right), (bottom, top))


@pytest.mark.parametrize("path", [[[3.0, 0.0]], [[-4.0, -6.0], [-4.00001, -6.0]], [[0.0, 0.0]]])
def test_limits_around_a_path_that_went_nowhere_are_wide(path):
    for (low, high), place in zip(limits_around([np.array(path)]), path[0], strict=True):
        assert low <= 0 <= high
        assert low < place < high


def test_a_run_that_left_the_finite_numbers_is_drawn_as_far_as_it_was_finite():
    path = np.array([[0.0, 0.0], [1.0, 1.0], [np.inf, 1.0], [np.nan, 2.0]])
    display = LossSurfaceDisplay.from_estimator(ol.LogisticRegression(), X1, BINARY, [path], resolution=3)
    np.testing.assert_array_equal(display.paths[0], path[:2])
    display.plot(kind="both").figure_.draw_without_rendering()
    display = LossSurfaceDisplay.from_estimator(
        ol.LogisticRegression(), X1, BINARY, [path, path[2:]], path_names=["some", "none"], resolution=3
    )
    assert [len(path) for path in display.paths] == [2, 0]
    display.plot(kind="both").figure_.draw_without_rendering()


def test_a_plain_function_with_its_own_names():
    def f(a, b):
        return (a**2 - 1) ** 2 + 0.3 * a + b**2

    path = np.array([[2.0, 1.0], [1.0, 0.5]])
    display = LossSurfaceDisplay.from_function(
        f, [(-2, 2), (-1, 1)], [path], resolution=41, names=("a", "b"), value_name="height"
    ).plot()
    np.testing.assert_array_equal(display.values, f(*np.meshgrid(display.first, display.second)))
    np.testing.assert_array_equal(display.path_values[0], f(*path.T))
    assert display.minimum == pytest.approx((-1, 0), abs=0.1)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("a", "b")
    assert display.figure_.axes[1].get_ylabel() == "height"
    marked = [line for line in display.ax_.lines if line.get_marker() == "+"]
    np.testing.assert_allclose(np.ravel(marked[0].get_data()), display.minimum)


def test_values_that_are_not_finite_are_left_blank():
    display = LossSurfaceDisplay.from_function(
        lambda a, b: np.log(a) + 0 * b, [(-1, 1), (0, 1)], resolution=5
    )
    assert np.isnan(display.values[:, 0]).all()
    assert display.minimum[0] == 0.5
    display.plot(kind="both").figure_.draw_without_rendering()
    with pytest.raises(DataError, match="finite"):
        LossSurfaceDisplay.from_function(lambda a, b: a * np.nan, [(0, 1), (0, 1)])


def test_levels_grow_above_the_smallest_value_however_far_the_values_reach():
    for values in (np.linspace(3, 4, 500), 1e-9 + np.geomspace(1e-5, 1e5, 500)):
        levels = contour_levels(values)
        gaps = np.diff(levels)
        assert levels[0] == values.min()
        assert levels[-1] == pytest.approx(values.max(), rel=1e-12)
        np.testing.assert_allclose(gaps[2:] / gaps[1:-1], gaps[2] / gaps[1], rtol=1e-6)
        # The lowest level holds some of the surface, and not most of it.
        assert 0.01 < np.mean(values <= levels[1]) < 0.8


@pytest.mark.parametrize("rounding", [0.0, 1e-15])
def test_a_flat_surface_has_one_colour_and_no_contours(rounding):
    noise = np.arange(9).reshape(3, 3) % 2 * rounding
    display = LossSurfaceDisplay(range(3), range(3), 0.25 + noise, paths=[[[1.0, 1.0]]]).plot(kind="both")
    flat, deep = display.axes_
    display.figure_.draw_without_rendering()
    assert len(flat.collections) == 1
    assert len(np.unique(deep.collections[0].get_facecolor(), axis=0)) == 1
    assert not [line for line in flat.lines if line.get_marker() == "+"]


@pytest.fixture(scope="module")
def drawn():
    return {name: surface_of(name, resolution=9)[1] for name in ("one weight and the bias", "softmax")}


@pytest.mark.parametrize("name", ["one weight and the bias", "softmax"])
@pytest.mark.parametrize("kind", ["contour", "3d", "both"])
def test_each_kind_draws_alone_and_in_the_place_of_given_axes(drawn, name, kind):
    display = drawn[name]
    assert display.plot(kind=kind) is display
    display.figure_.draw_without_rendering()
    projections = {"contour": ["rectilinear"], "3d": ["3d"], "both": ["rectilinear", "3d"]}[kind]
    for projection in (None, "3d"):
        figure = Figure()
        figure.add_subplot(1, 2, 1)
        ax = figure.add_subplot(1, 2, 2, projection=projection)
        assert display.plot(ax, kind=kind).ax_ is ax
        assert [panel.name for panel in display.axes_] == projections
        figure.draw_without_rendering()
        assert (display.axes_ == [ax]) == (projections == [ax.name])


def test_start_and_end_are_marked_in_both_kinds(drawn):
    display = drawn["one weight and the bias"].plot(kind="both")
    for panel in display.axes_:
        marks = {line.get_marker(): line for line in panel.lines if len(line.get_data()[0]) == 1}
        assert marks["o"].get_markerfacecolor() == "white"
        for marker, place in (("o", 0), ("*", -1)):
            line = marks[marker]
            point = np.ravel(line.get_data_3d() if hasattr(line, "get_data_3d") else line.get_data())
            expected = [*display.paths[0][place], display.path_values[0][place]][: len(point)]
            np.testing.assert_allclose(point, expected)


def test_in_three_dimensions_a_path_ends_where_the_axes_do():
    display = LossSurfaceDisplay.from_function(
        lambda a, b: a**2 + b**2, [(-1, 1), (-1, 1)], [np.array([[0.0, 0.0], [3.0, 0.0]])]
    ).plot(kind="3d")
    points = np.array(display.axes_[0].lines[0].get_data_3d())
    np.testing.assert_array_equal(points[:, 0], 0)
    assert np.isnan(points[:, 1]).all()


@pytest.mark.filterwarnings("ignore:Glyph .* missing from")
def test_names_in_any_script_are_drawn_as_they_are(tmp_path):
    paths = [np.array([[0.0, 0.0], [0.5, 0.5]])] * 2
    display = LossSurfaceDisplay.from_function(
        lambda a, b: a + b,
        [(0, 1), (0, 1)],
        paths,
        path_names=["梯度下降", "$x_1$\n"],
        names=("权重 w", "\ud800"),
    )
    display.plot(kind="both").figure_.savefig(tmp_path / "x.svg")


LIMITS = ((0, 1), (0, 1))
SQUARE = np.zeros((3, 2))


def of_softmax(*paths, **options):
    return LossSurfaceDisplay.from_estimator(ol.SoftmaxRegression(), X5, THREE, list(paths), **options)


def of_line(*paths, **options):
    return LossSurfaceDisplay.from_estimator(ol.LogisticRegression(), X1, BINARY, list(paths), **options)


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (
            lambda: of_softmax(),
            "18 free parameters needs at least three different iterates.*Iterates callback",
        ),
        (lambda: of_softmax(np.ones((5, 18))), "at least three different iterates"),
        (lambda: of_softmax(np.ones((5, 7))), r"paths\[0\] has 7 columns but this model has 18 parameters"),
        (
            lambda: of_softmax(Iterates()),
            r"paths\[0\] has the shape \(0, 0\): give an Iterates callback after",
        ),
        (lambda: of_softmax(np.ones(18)), r"paths\[0\] has the shape \(18,\)"),
        (lambda: of_softmax(center=np.ones(3)), r"center has the shape \(3,\): .* of shape \(18,\)"),
        (lambda: of_softmax(directions=np.ones((2, 18))), "directions span no plane"),
        (lambda: of_softmax(directions=np.ones(18)), r"directions has the shape \(18,\)"),
        (lambda: of_softmax(directions=np.eye(18)[:2]), "limits is None and no path has"),
        (lambda: of_line(), "limits is None and no path has"),
        (lambda: of_line(limits=(0, 1)), r"limits is \(0, 1\): give \(\(low, high\), \(low, high\)\)"),
        (lambda: of_line(limits=((1, 0), (0, 1))), "the lower one first"),
        (lambda: of_line(limits=((0, np.inf), (0, 1))), "finite"),
        (lambda: of_line(limits=LIMITS, resolution=1), "resolution is 1"),
        (lambda: of_line(limits=LIMITS, max_rows=0), "max_rows is 0"),
        (lambda: of_line(SQUARE, path_names=["a", "b"]), "path_names has 2 entries but there are 1 paths"),
        (
            lambda: of_line(SQUARE, resolution=3).plot(kind="4d"),
            "kind='4d' is none of 'contour', '3d', 'both'",
        ),
        (
            lambda: LossSurfaceDisplay([0, 1], [0, 1], [[1, 2, 3]]),
            r"values has the shape \(1, 3\): give \(2, 2\)",
        ),
        (
            lambda: LossSurfaceDisplay.from_function(np.add, LIMITS, [np.ones((2, 3))]),
            r"paths\[0\] has 3 columns",
        ),
        (
            lambda: LossSurfaceDisplay.from_estimator(object(), X1, BINARY),
            "object does not tell its objective",
        ),
    ],
)
def test_refusals_name_the_argument_and_the_way_out(build, sentence):
    with pytest.raises(ParameterError, match=sentence):
        build()


# ---- the callback that keeps the path ---------------------------------------------------------------------------


@dataclasses.dataclass
class FakeIterate:
    record: Record
    parameters: Parameters


def told(callback, count):
    """Tell a callback of so many iterations; parameters and objective say which one it is."""
    callback.on_fit_begin(None)
    for i in range(count):
        flat = torch.tensor([i, -i], dtype=torch.float32)
        callback.on_iteration(FakeIterate(Record(i, 0.0, 0.0, 10.0 * i), Parameters(flat, 1, 1)))
        # Solvers may go on in the same memory.
        flat.zero_()
    callback.on_fit_end(None)
    return callback


@pytest.mark.parametrize("most", [2, 3, 4, 5, 10, 1000])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 16, 17, 100, 1025])
def test_never_more_than_most_are_kept_and_the_first_and_the_last_always(most, count):
    path = told(Iterates(most), count)
    kept = path.iterations
    assert len(path) == len(kept) <= most
    assert (kept[0], kept[-1]) == (0, count - 1)
    np.testing.assert_array_equal(path.parameters, np.outer(kept, [1, -1]))
    np.testing.assert_array_equal(path.objectives, 10.0 * kept)
    if count <= most:
        np.testing.assert_array_equal(kept, np.arange(count))
    # Evenly spread, but for the last; and not far fewer than there is room for.
    gaps = np.diff(kept)
    assert len(set(gaps[:-1])) <= 1
    assert len(kept) >= min(count, most / 2)


def test_the_path_of_a_fit_is_its_trace_and_is_cleared_by_the_next():
    path = Iterates()
    model = ol.LogisticRegression(solver=GD(0.5, steps=5), tol=0).set_callbacks(path)
    for steps in (5, 3):
        model.set_params(solver=GD(0.5, steps=steps)).fit(X1, BINARY)
        np.testing.assert_array_equal(path.iterations, np.arange(steps + 1))
        np.testing.assert_array_equal(path.objectives, [record.objective for record in model.result_.trace])
        np.testing.assert_array_equal(path.parameters[0], [0, 0])
        np.testing.assert_array_equal(path.parameters[-1], [*model.coef_[0], *model.intercept_])
    assert path.parameters.dtype == float
    assert repr(path) == "Iterates(most=1000)"


@pytest.mark.parametrize("most", [1, 0, 2.5, "all"])
def test_fewer_than_two_iterates_are_refused(most):
    with pytest.raises(ParameterError, match=f"most is {most!r}: give a whole number of at least 2"):
        Iterates(most)
