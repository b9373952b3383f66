"""What a fit tells its callbacks, in which order, and what they can ask for."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

import onelayer as ol
from instances import PROBLEMS
from onelayer.result import Status
from onelayer.solvers import Start, minimize

X, Y = PROBLEMS["two classes"]()
GD, SGD = ol.solvers.GradientDescent, ol.solvers.SGD


class Diary(ol.callbacks.Callback):
    """Writes down what it is told."""

    def __init__(self, keep=None):
        self.keep, self.told, self.start, self.fitted = keep, [], None, []

    def on_fit_begin(self, start):
        self.told.append("begin")
        self.start = start

    def on_iteration(self, iterate):
        self.told.append(iterate.record.iteration)
        if iterate.record.iteration == self.keep:
            self.weight = iterate.estimator().coef_
            iterate.keep()

    def on_fit_end(self, result):
        self.told.append("end" if result else "failed")

    def on_fitted(self, estimator):
        self.told.append("fitted" if estimator else "not fitted")
        self.fitted.append(estimator)


def test_the_start_is_told_in_full():
    diary = Diary()
    model = ol.LogisticRegression(C=2.0, solver=GD(steps=9), tol=1e-3, max_iter=4, time_limit=60)
    model.set_callbacks(diary)
    with pytest.warns(match="max_iter=4"):
        model.fit(X, Y)
    start = diary.start
    assert isinstance(start, Start)
    assert start.estimator is model
    assert start.solver == GD(steps=9)
    assert (start.loss.name, start.penalty.l2) == ("logistic", 1 / (2.0 * len(Y)))
    assert (start.rows, start.features, start.outputs) == (*X.shape, 1)
    assert (start.tol, start.max_iter, start.time_limit, start.steps) == (1e-3, 4, 60.0, 4)
    assert (start.device, start.dtype) == ("cpu", "float64")
    assert diary.told == ["begin", 0, 1, 2, 3, 4, "end", "fitted"]
    assert diary.fitted == [model]


def test_without_an_estimator():
    diary = Diary()
    objective = ol.LogisticRegression().objective(X, Y)
    outcome = minimize(GD(steps=3), objective, objective.zeros(), tol=0, callbacks=[diary])
    assert diary.start.estimator is None
    assert diary.told == ["begin", 0, 1, 2, 3, "end"]
    assert outcome.result.n_iter == 3


def test_each_start_begins_anew_and_the_model_is_fitted_once():
    diary = Diary()
    loss = ol.losses.ProbabilitySquaredError()
    model = ol.LogisticRegression(loss=loss, solver=GD(steps=2), tol=0, n_init=2, random_state=0)
    model.set_callbacks(diary).fit(X, Y)
    assert diary.told == ["begin", 0, 1, 2, "end", "begin", 0, 1, 2, "end", "fitted"]


def test_a_fit_that_never_began():
    diary = Diary()
    model = ol.LogisticRegression().set_callbacks(diary)
    with pytest.raises(ol.errors.DataError):
        model.fit(X, Y[:-1])
    assert diary.told == ["not fitted"]


def test_one_that_fails_to_begin_is_told_of_the_end_and_later_ones_of_nothing():
    class Fails(Diary):
        def on_fit_begin(self, start):
            super().on_fit_begin(start)
            raise LookupError("mine")

    first, second, third = Diary(), Fails(), Diary()
    model = ol.LogisticRegression().set_callbacks(first, second, third)
    with pytest.raises(LookupError, match="mine"):
        model.fit(X, Y)
    assert first.told == second.told == ["begin", "failed", "not fitted"]
    assert third.told == ["not fitted"]
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("solver", [SGD(0.1, batch_size=10, epochs=6), GD(steps=6), "lbfgs"], ids=str)
@pytest.mark.parametrize("standardize", [False, True])
def test_what_was_kept_is_returned_with_its_own_proof(solver, standardize):
    diary = Diary(keep=2)
    model = ol.LogisticRegression(solver=solver, tol=0, random_state=0, standardize=standardize)
    model.set_params(max_iter=6 if solver == "lbfgs" else None)
    model.set_callbacks(diary).fit(X, Y)
    assert np.array_equal(model.coef_, diary.weight)
    assert model.result_.status is Status.FINISHED
    assert "the coefficients of iteration 2 are kept, as a callback asked" in model.result_.message
    assert model.result_.objective == pytest.approx(model.result_.trace[2].objective, rel=1e-9)
    assert model.certificate_.relative_gap == pytest.approx(ol.certify(model, X, Y).relative_gap, rel=0.1)
    assert model.n_iter_ == 6


def test_a_converged_fit_that_returns_another_iterate_does_not_say_converged():
    model = ol.LogisticRegression().set_callbacks(Diary(keep=0)).fit(X, Y)
    assert not model.coef_.any()
    assert model.result_.status is Status.FINISHED
    assert model.certificate_.relative_gap > 0.1


def test_one_that_keeps_the_last_iterate_changes_nothing():
    plain = ol.LogisticRegression().fit(X, Y)
    kept = ol.LogisticRegression().set_callbacks(Diary(keep=plain.n_iter_)).fit(X, Y)
    assert np.array_equal(kept.coef_, plain.coef_)
    assert kept.result_.status is Status.CONVERGED
    assert kept.result_.message == plain.result_.message


def test_a_callback_needs_no_base_class():
    class Plain:
        def __init__(self):
            self.count = 0

        def on_fit_begin(self, start):
            self.count = 0

        def on_iteration(self, iterate):
            self.count += 1

        def on_fit_end(self, result):
            self.result = result

    plain = Plain()
    model = ol.LogisticRegression().set_callbacks(plain).fit(torch.as_tensor(X), torch.as_tensor(Y))
    assert plain.count == model.n_iter_ + 1
    assert plain.result is model.result_


def test_clones_do_not_carry_ours():
    diary = Diary()
    clone(ol.LogisticRegression().set_callbacks(diary)).fit(X, Y)
    assert diary.told == []
