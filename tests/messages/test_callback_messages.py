"""What is set to watch a fit has to be able to."""

import pytest
from sklearn.exceptions import ConvergenceWarning

import onelayer as ol


@pytest.mark.parametrize("given", [3, None, ol.callbacks.Iterates, [ol.callbacks.Iterates()]], ids=repr)
def test_what_is_no_callback_is_refused_at_once(given):
    with pytest.raises(ol.errors.ParameterError, match="give objects of onelayer"):
        ol.LogisticRegression().set_callbacks(given)


def test_a_start_without_a_finite_objective_is_named():
    model = ol.LinearRegression(init=1e308, random_state=0, tol=0)
    with pytest.warns(ConvergenceWarning, match="at the start"):
        model.fit([[1.0], [2.0]], [1.0, 2.0])
