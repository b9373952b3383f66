"""Laws of the loop: every ending has a name, the trace is an honest account, and the best iterate is kept."""

import itertools
import math
import re
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import onelayer as ol
from instances import PROBLEMS, SOLVERS, LogCosh, over, regression
from onelayer.callbacks import Callback, Monitor, TraceLog
from onelayer.result import Status

X, Y = PROBLEMS["two classes"]()


class At(Callback):
    """Do something at one iteration."""

    def __init__(self, iteration, action):
        self.iteration, self.action = iteration, action
        self.seen, self.began, self.ended = [], 0, []

    def on_fit_begin(self, start):
        self.began += 1

    def on_iteration(self, iterate):
        self.seen.append(iterate.record.iteration)
        return self.action(iterate) if iterate.record.iteration == self.iteration else None

    def on_fit_end(self, result):
        self.ended.append(result)


def interrupt(iterate):
    raise KeyboardInterrupt


def separable():
    return np.linspace(-2, 2, 20)[:, None], (np.arange(20) >= 10).astype(int)


def logistic(**settings):
    return ol.LogisticRegression(**settings)


GD, SGD, LBFGS = ol.solvers.GradientDescent, ol.solvers.SGD, ol.solvers.LBFGS
ENDINGS = {
    "converged": (logistic(), (X, Y), "certified relative gap"),
    "converged, asked to be approximate": (
        logistic(solver=GD(steps=5000), tol=1e-4),
        (X, Y),
        "at most tol=0.0001",
    ),
    "finished": (logistic(solver=GD(steps=7), tol=0), (X, Y), "all 7 steps were made"),
    "finished, epochs": (
        logistic(solver=SGD(epochs=3), tol=0, random_state=0),
        (X, Y),
        "all 3 epochs were made",
    ),
    "finished, rule": (
        logistic(solver=LBFGS(stop=ol.stopping.GradientNorm(1e-2)), tol=1e-12),
        (X, Y),
        "largest entry of the gradient",
    ),
    "max_iter": (logistic(max_iter=2, tol=1e-12), (X, Y), "max_iter=2 was reached"),
    "max_iter, epochs": (
        logistic(solver=SGD(epochs=9), max_iter=2, tol=0, random_state=0),
        (X, Y),
        "max_iter=2 ",
    ),
    "time_limit": (logistic(time_limit=1e-9, tol=1e-12), (X, Y), "time_limit=1e-09 s was reached"),
    "stalled": (logistic(tol=1e-300), (X, Y), "no gain|no step"),
    "finished, at the floor": (logistic(tol=0), (X, Y), "tol=0"),
    "finished, fewer than asked": (logistic(max_iter=2, tol=0), (X, Y), "max_iter=2 was reached"),
    "stalled, nothing proven": (ol.LinearRegression(LogCosh()), (X, X[:, 0] ** 2), "gives no conjugate"),
    "diverged": (logistic(solver=GD(1e6, steps=50), tol=0), (1e3 * X, Y), "learning_rate=1e.06 is too large"),
    "diverged, sgd": (
        logistic(solver=SGD(1e6, epochs=5), tol=0, random_state=0),
        (1e3 * X, Y),
        "learning_rate=1e.06 is too large",
    ),
    "diverged, overflow": (
        ol.LinearRegression(solver=GD(1e6, steps=500), tol=0),
        (1e3 * X, X[:, 0]),
        "not finite after .* learning_rate=1e.06",
    ),
    "separated": (logistic(C=math.inf), separable(), "set C=1.0"),
    "separated, softmax": (ol.SoftmaxRegression(C=math.inf), separable(), "set C=1.0"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_every_ending_has_its_name_and_one_sentence(name):
    model, data, words = ENDINGS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data)
    result = model.result_
    assert result.status == name.split(",")[0]
    assert "\n" not in result.message
    assert result.message.endswith(".")
    assert re.search(words, result.message, re.IGNORECASE)
    assert np.isfinite(model.coef_).all()
    failed = [warning for warning in caught if warning.category is ConvergenceWarning]
    assert len(failed) == len(caught) == (0 if result.status.is_success else 1)
    for warning in failed:
        assert result.message in str(warning.message)
        # The line that the user wrote.
        assert warning.filename == __file__


@over("solver", SOLVERS)
def test_the_trace_is_an_honest_account(solver):
    model = logistic(solver=solver, tol=1e-5, random_state=0).fit(X, Y)
    result, trace = model.result_, model.result_.trace
    assert [record.iteration for record in trace] == list(range(len(trace)))
    # One begins at the optimum of a sample.
    at_zero = solver.name != "sketched-newton"
    assert trace[0].objective <= math.log(2) * (1 + 1e-12)
    assert not at_zero or trace[0].objective == pytest.approx(math.log(2), rel=1e-12)
    assert trace[0].step is None
    for before, after in itertools.pairwise(trace):
        assert after.seconds >= before.seconds
        assert after.passes > before.passes
        assert after.step > 0
    assert result.n_iter == model.n_iter_ == trace[-1].iteration
    assert result.passes >= trace[-1].passes
    assert result.seconds >= trace[-1].seconds
    assert result.objective == pytest.approx(trace[-1].objective, rel=1e-9)
    assert trace[-1].relative_gap == model.certificate_.relative_gap <= 1e-5
    assert result.settings == repr(solver)
    assert result.solver == solver.name
    assert (result.device, result.dtype) == ("cpu", "float64")


def test_the_pairs_of_lbfgs_are_worth_their_memory():
    """The textbook's recursion needs 40 iterations here, one with a wrong sign 104, steepest descent thousands."""
    wide, target = regression(rows=200, features=6)
    model = logistic(solver=LBFGS(precondition=False), tol=1e-10)
    assert model.fit(wide * 2.0 ** np.arange(6), target > 0).n_iter_ < 60


def test_an_iteration_of_gradient_descent_is_one_pass_and_an_epoch_is_two():
    for solver, passes in [(GD(0.1, steps=4), 1), (SGD(0.1, batch_size=10, epochs=4), 2)]:
        trace = logistic(solver=solver, tol=0, random_state=0).fit(X, Y).result_.trace
        assert [record.passes for record in trace] == pytest.approx([1 + passes * i for i in range(5)])


@pytest.mark.parametrize("solver", [LBFGS(), GD(0.1, steps=50), SGD(0.1, epochs=50)], ids=lambda s: s.name)
def test_an_interrupted_fit_keeps_the_best_iterate(solver):
    watcher = At(3, interrupt)
    model = logistic(solver=solver, C=1e4, tol=1e-13, random_state=0).set_callbacks(watcher)
    with pytest.warns(ConvergenceWarning, match="[Ii]nterrupted"):
        model.fit(X, Y)
    result = model.result_
    assert result.status is Status.INTERRUPTED
    assert result.n_iter == 3
    assert result.objective == pytest.approx(min(record.objective for record in result.trace), rel=1e-9)
    assert model.score(X, Y) > 0.6
    assert watcher.ended == [result]


@pytest.mark.parametrize("end", ["max_iter", "interrupted"])
def test_the_best_iterate_is_kept_when_later_ones_are_worse(end):
    # The step is far too long: only the start and a lucky epoch are any good.
    model = logistic(solver=SGD(50.0, batch_size=7, epochs=9), tol=1e-12, random_state=0)
    model.set_params(max_iter=6).set_callbacks(
        At(6, interrupt if end == "interrupted" else lambda iterate: None)
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y)
    values = [record.objective for record in model.result_.trace]
    assert model.result_.status == end
    assert values[-1] > 2 * min(values)
    assert model.result_.objective == pytest.approx(min(values), rel=1e-12)
    assert ol.certify(model, X, Y).objective == pytest.approx(min(values), rel=1e-12)


def test_a_callback_may_stop_the_fit():
    watcher = At(2, lambda iterate: True)
    model = logistic(C=1e4, tol=1e-13).set_callbacks(watcher).fit(X, Y)
    assert model.result_.status is Status.FINISHED
    assert model.result_.n_iter == 2
    assert watcher.seen == [0, 1, 2]
    assert watcher.began == 1
    assert watcher.ended == [model.result_]


def test_a_callback_that_fails_is_heard_and_the_others_are_told():
    def fail(iterate):
        raise LookupError("mine")

    watcher = At(-1, None)
    model = logistic().set_callbacks(watcher, At(1, fail))
    with pytest.raises(LookupError, match="mine"):
        model.fit(X, Y)
    assert watcher.ended == [None]


def test_callbacks_see_the_model_as_it_stands():
    scores = []
    watcher = At(3, lambda iterate: scores.append(iterate.estimator().score(X, Y)))
    logistic(C=1e4, standardize=True, tol=1e-12).set_callbacks(watcher).fit(X, Y)
    assert 0.6 < scores[0] <= 1


def test_monitor_writes_its_metric_into_the_trace(tmp_path):
    with (tmp_path / "log").open("w+") as log:
        model = logistic(solver=GD(0.5, steps=25), tol=0)
        model.set_callbacks(Monitor(X, Y, "accuracy", share=0), TraceLog(log)).fit(X, Y)
        log.seek(0)
        lines = log.read().splitlines()
    assert all(0 <= record.metrics["accuracy"] <= 1 for record in model.result_.trace)
    assert model.result_.trace[-1].metrics["accuracy"] == model.score(X, Y)
    assert [int(line.split()[1]) for line in lines] == [*range(11), 20]


def test_tol_zero_makes_all_the_steps():
    for solver in (GD(0.5, steps=300), SGD(0.5, epochs=300, batch_size=10**6)):
        assert logistic(C=0.01, solver=solver, tol=0, random_state=0).fit(X, Y).result_.n_iter == 300


def test_warm_start_begins_where_the_last_fit_ended():
    model = logistic(warm_start=True).fit(X, Y)
    before = model.result_
    again = model.fit(X, Y).result_
    assert again.n_iter == 0
    assert again.trace[0].objective == pytest.approx(before.objective, rel=1e-12)


@pytest.mark.parametrize("standardize", [False, True])
def test_init_is_where_the_fit_begins(standardize):
    start = np.array([[0.1, -0.2, 0.3, 0.4]]), np.array([0.5])
    model = logistic(init=start, solver=GD(1e-12, steps=1), tol=0, standardize=standardize).fit(X + 3, Y)
    np.testing.assert_allclose(model.coef_, start[0], atol=1e-9)
    np.testing.assert_allclose(model.intercept_, start[1], atol=1e-9)


def test_normal_init_has_standard_deviation_one_hundredth():
    wide = np.random.default_rng(0).normal(size=(10, 5000))
    settings = {"init": "normal", "solver": GD(1e-12, steps=1), "tol": 0}
    coefs = [logistic(random_state=s, **settings).fit(wide, Y[:10]).coef_ for s in (0, 0, 1)]
    assert np.std(coefs[0]) == pytest.approx(0.01, rel=0.05)
    assert np.array_equal(coefs[0], coefs[1])
    assert not np.array_equal(coefs[0], coefs[2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_more_precision_than_the_arithmetic_has_ends_at_its_floor(dtype):
    wide, target = regression(rows=200, features=6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = ol.LinearRegression("huber", alpha=1e-3, tol=1e-300, dtype=dtype).fit(wide, target)
    assert model.result_.status is Status.STALLED
    # float32 fits go on in float64, and only the rounding of W is left.
    assert model.certificate_.relative_gap < (1e-11 if dtype == "float32" else 1e-13)
    assert model.result_.dtype == {"float32": "float32, last steps in float64", "float64": "float64"}[dtype]
    assert model.coef_.dtype == dtype
