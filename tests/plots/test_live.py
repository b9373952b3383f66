"""The learning curve while the fit goes on: how often, what, and where."""

import io
import subprocess
import sys
import types

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console

import onelayer as ol
from onelayer.callbacks import LiveCurve, Monitor, live, screens
from onelayer.callbacks.sparklines import PLAIN_BLOCKS, sparkline
from onelayer.errors import ParameterError
from onelayer.plots import LearningCurveDisplay
from onelayer.result import Record

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 3))
Y = (X[:, 0] + RANDOM.normal(size=80) > 0).astype(int)


def fit(*callbacks, steps=40):
    solver = ol.solvers.GradientDescent(0.5, steps=steps)
    return ol.LogisticRegression(solver=solver, tol=0).set_callbacks(*callbacks).fit(X, Y)


class Clock:
    """Time as the test has it: an iteration takes `step` seconds, a drawing `drawing`."""

    def __init__(self, step, drawing):
        self.now, self.step, self.drawing, self.figures = 0.0, step, drawing, []

    def perf_counter(self):
        return self.now

    def show(self, figure):
        self.figures.append((self.now, figure))
        self.now += self.drawing

    def run(self, monkeypatch, iterations, **options):
        monkeypatch.setattr(live, "time", self)
        callback = LiveCurve(show=self.show, **options)
        callback.on_fit_begin(None)
        for i in range(iterations):
            self.now += self.step
            callback.on_iteration(types.SimpleNamespace(record=Record(i, self.now, i, 1 / (1 + i))))
        callback.on_fit_end(object())
        return [at for at, _ in self.figures]


def curves(figure):
    """Return the horizontal and vertical numbers of each curve in a figure, by the name of its panel."""
    return {axes.get_ylabel(): axes.lines[0].get_data() for axes in figure.axes if axes.lines}


def test_it_draws_every_so_many_seconds_and_at_the_end(monkeypatch):
    times = Clock(step=0.25, drawing=0.0).run(monkeypatch, 12, every=1.0)
    assert times == [1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize("every", [0.0, 0.5])
def test_drawing_takes_a_tenth_of_the_time_at_most(monkeypatch, every):
    clock = Clock(step=0.01, drawing=0.2)
    times = clock.run(monkeypatch, 1000, every=every)
    *drawn, _ = np.diff(times)
    assert len(times) >= 6
    assert min(drawn) >= 0.2 / 0.1 - 1e-9
    # The one at the end is made in any case.
    assert len(times) * 0.2 <= 0.1 * clock.now + 2 * 0.2


def test_a_quick_drawing_does_not_wait_for_its_share(monkeypatch):
    times = Clock(step=0.01, drawing=0.01).run(monkeypatch, 300, every=0.5)
    np.testing.assert_allclose(np.diff(times)[:-1], 0.5, atol=0.02)


@pytest.mark.parametrize("x", ["passes", "seconds", "iteration"])
@pytest.mark.parametrize("order", [1, -1])
def test_the_last_drawing_has_all_that_the_trace_has(x, order):
    figures = []
    callbacks = [Monitor(X, Y, "train_accuracy", share=0), LiveCurve(every=0, show=figures.append, x=x)]
    trace = fit(*callbacks[::order]).result_.trace
    assert len(figures) >= 1
    assert all(isinstance(figure, Figure) for figure in figures)
    drawn = curves(figures[-1])
    assert list(drawn) == ["Objective", "Accuracy", "Relative gap"]
    where = [getattr(record, x) for record in trace]
    np.testing.assert_array_equal(drawn["Objective"], [where, [record.objective for record in trace]])
    np.testing.assert_array_equal(
        drawn["Accuracy"], [where, [record.metrics["train_accuracy"] for record in trace]]
    )
    assert drawn["Relative gap"][1][-1] == trace[-1].relative_gap


def test_each_fit_starts_a_new_curve():
    figures = []
    callback = LiveCurve(show=figures.append)
    for steps in (30, 10):
        fit(callback, steps=steps)
        assert len(curves(figures[-1])["Objective"][0]) == steps + 1


def test_what_show_raises_is_heard():
    def fail(figure):
        raise LookupError("no screen")

    with pytest.raises(LookupError, match="no screen"):
        fit(LiveCurve(show=fail))
    with pytest.raises(LookupError, match="no screen"):
        fit(LiveCurve(every=0, show=fail))


def test_a_fit_that_fails_is_not_drawn_and_its_error_is_the_one_heard():
    class Fails(ol.callbacks.Callback):
        def on_iteration(self, iterate):
            raise LookupError("mine")

    figures = []
    with pytest.raises(LookupError, match="mine"):
        fit(Fails(), LiveCurve(show=figures.append))
    assert not figures


# ---- on a terminal ----------------------------------------------------------------------------------------------


def terminal(width=72, **options):
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, **options)


def lines_of(console):
    """Return the lines of the last drawing, without the codes that move the cursor."""
    return [
        line.rstrip()
        for line in console.file.getvalue().split("\x1b[2K")[-1].splitlines()
        if line.strip("\x1b[?25lh")
    ]


def test_a_terminal_shows_a_row_for_each_curve():
    console = terminal()
    trace = fit(Monitor(X, Y, "train_accuracy", share=0), LiveCurve(every=0, console=console)).result_.trace
    text = console.file.getvalue()
    last = trace[-1]
    for part in (
        "objective",
        "train accuracy",
        "relative gap (log)",
        f"{last.objective:.6g}",
        "iteration 40",
    ):
        assert part in text
    assert f"{last.metrics['train_accuracy']:.4f}" in text
    assert f"{last.relative_gap:.1e}" in text
    row = next(line for line in lines_of(console) if "objective" in line)
    bars = row.split()[1]
    assert bars[0] == "█"
    assert bars[-1] == "▁"
    assert len(row) == 72


def test_a_terminal_without_blocks_gets_letters(monkeypatch):
    class Ascii(io.StringIO):
        encoding = "ascii"

    console = Console(file=Ascii(), force_terminal=True, width=60, color_system=None)
    fit(LiveCurve(console=console))
    assert set(console.file.getvalue()) & set("▁▂▃▄▅▆▇█") == set()
    assert "#" in console.file.getvalue()


def test_a_narrow_terminal_is_no_error():
    fit(LiveCurve(every=0, console=terminal(width=12)))


def test_the_cursor_comes_back_after_an_error():
    class Fails(ol.callbacks.Callback):
        def on_iteration(self, iterate):
            if iterate.record.iteration == 5:
                raise LookupError("mine")

    console = terminal()
    with pytest.raises(LookupError, match="mine"):
        fit(LiveCurve(every=0, console=console), Fails())
    text = console.file.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


@pytest.mark.parametrize(
    ("x", "values", "width", "options", "text"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 7], 80, {}, "▁▂▃█"),
        ([0, 1, 2, 3], [0, 0, 7, 7], 2, {}, "▁█"),
        # Where the axis has no record the value before stays.
        ([0, 8, 9, 10], [0, 7, 3, 7], 4, {}, "▁▁▁█"),
        ([0, 1, 2], [1e-6, 1e-3, 1.0], 9, {"log": True}, "▁▅█"),
        ([0, 1, 2, 3], [1e-2, 0.0, -1.0, 1.0], 9, {"log": True}, "▁▁▁█"),
        ([0, 1, 2], [np.nan, 1.0, 2.0], 9, {}, " ▁█"),
        ([0, 1, 2], [1.0, np.inf, 2.0], 9, {}, "▁▁█"),
        ([0, 1, 2], [3.0, 3.0, 3.0], 9, {}, "▁▁▁"),
        ([0], [3.0], 9, {}, "▁"),
        ([0, 0, 0], [1.0, 2.0, 3.0], 9, {}, "▁▁▁"),
        ([0, 1], [np.nan, np.nan], 9, {}, ""),
        ([0, 1], [0.0, 1.0], 0, {}, ""),
        ([0, 1], [0.0, 1.0], 9, {"blocks": PLAIN_BLOCKS}, "_#"),
    ],
)
def test_sparklines(x, values, width, options, text):
    assert sparkline(x, values, width, **options) == text


@pytest.mark.parametrize("count", [1, 2, 7, 79, 80, 81, 1000])
@pytest.mark.parametrize("width", [1, 7, 80])
def test_a_sparkline_fills_the_width_and_ends_with_the_last_value(count, width):
    values = np.arange(count)[::-1] % 13
    line = sparkline(np.arange(count), values, width)
    assert len(line) == min(width, count)
    assert line[-1] == "▁"


# ---- in a notebook, and nowhere ---------------------------------------------------------------------------------


@pytest.fixture
def kernel(monkeypatch):
    """A Jupyter kernel that remembers what it was given to show."""
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(("update", data, raw))

    def display(data, raw, display_id):
        shown.append(("display", data, raw))
        assert display_id is True
        return Handle()

    ipython = types.ModuleType("IPython")
    # matplotlib asks for it.
    ipython.version_info = (9, 0)
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return shown


def test_a_kernel_updates_one_output_in_place(kernel, monkeypatch):
    monkeypatch.setattr(live, "_SHARE", 1.0)
    fit(LiveCurve(every=0))
    assert [kind for kind, *_ in kernel] == ["display"] + ["update"] * (len(kernel) - 1)
    assert len(kernel) >= 3
    _, data, raw = kernel[-1]
    assert raw is True
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == "learning curve of 41 iterations"


def test_ipython_on_a_terminal_is_no_kernel(monkeypatch):
    shell = types.SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert screens.find_screen() is None
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert screens.find_screen() is None
    assert isinstance(screens.find_screen(terminal()), screens.Terminal)


def test_a_pipe_gets_nothing_and_ipython_is_not_imported():
    code = (
        "import sys, onelayer as ol; "
        "ol.LogisticRegression(verbose=2).set_callbacks(ol.callbacks.LiveCurve(every=0))"
        ".fit([[1.0], [2.0], [3.0]], [0, 0, 1]); "
        "sys.exit('IPython' in sys.modules or 'matplotlib.figure' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"every": -1}, "every is -1: give a number of seconds ≥ 0"),
        ({"every": "often"}, "every is 'often'"),
        ({"every": float("nan")}, "every is nan"),
        ({"show": "here"}, "show is 'here': give a function that takes a figure"),
        ({"x": "hours"}, "x is 'hours': give one of 'passes', 'seconds', 'iteration'"),
    ],
)
def test_refusals_name_the_argument(options, sentence):
    with pytest.raises(ParameterError, match=sentence):
        LiveCurve(**options)
    assert repr(LiveCurve()) == "LiveCurve(every=0.5, x='passes')"


def test_a_curve_is_read_from_a_model_over_seconds_too():
    model = fit(Monitor(X, Y, "test_accuracy", share=0))
    display = LearningCurveDisplay.from_estimator(model, x="seconds").plot()
    np.testing.assert_array_equal(display.x, [record.seconds for record in model.result_.trace])
    assert [axes.get_ylabel() for axes in display.axes_] == ["Objective", "Accuracy", "Relative gap"]


@pytest.mark.parametrize(
    ("gaps", "scale"), [([0.1, 1e-3], "log"), ([0.9, 0.8], "linear"), ([0.1, 0.0], "log")]
)
def test_the_gap_has_a_logarithmic_axis_where_decades_or_zero_ask_for_one(gaps, scale):
    trace = [Record(i, i, i, 1.0, relative_gap=gap) for i, gap in enumerate(gaps)]
    assert LearningCurveDisplay.from_trace(trace).plot().axes_[-1].get_yscale() == scale
