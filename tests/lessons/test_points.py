"""Draggable points: what arrives from the browser is finite and inside the plot, whatever was sent."""

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from onelayer.errors import DataError, ParameterError
from onelayer.lessons.points import DraggablePoints

START = [[1, 2], [3, 4]]


def plot(points=START, **options):
    return DraggablePoints(points, **{"x_range": [0, 5], "y_range": [0, 5], **options})


BAD_POINTS = {
    "nan": ([[1, math.nan], [3, 4]], "points[0] must be finite"),
    "infinite": ([[1, 2], [math.inf, 4]], "points[1] must be finite"),
    "outside": ([[1, 2], [3, 9]], "points[1] = [3.0, 9.0] lies outside"),
    "three numbers": ([[1, 2, 3]], "points[0] must be two numbers"),
    "text": ("ab", "points must be a list of [x, y] numbers"),
    "none": (None, "points must be a list of [x, y] numbers"),
}


@pytest.mark.parametrize(("points", "words"), BAD_POINTS.values(), ids=BAD_POINTS)
def test_bad_points_are_one_sentence_and_change_nothing(points, words):
    widget = plot()
    with pytest.raises(DataError) as caught:
        widget.points = points
    assert words in str(caught.value)
    assert widget.points == START


BAD_OPTIONS = {
    "range": ({"x_range": [2, 2]}, "low < high"),
    "range of one": ({"x_range": [2]}, "two numbers"),
    "band": ({"band": [0, math.nan]}, "band must be finite"),
    "kinds": ({"kinds": [0]}, "kinds has 1 entries for 2 points"),
    "unknown": ({"colour": "red"}, "no option 'colour'"),
}


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_bad_options_are_one_sentence(options, words):
    with pytest.raises((DataError, ParameterError)) as caught:
        plot(**options)
    assert words in str(caught.value)


def test_a_point_dragged_out_of_range_stays_at_the_edge():
    widget = plot()
    widget.set_state({"points": [[50, -3], [3, 4]]})
    assert widget.points == [[5, 0], [3, 4]]


def test_a_class_has_two_places():
    widget = plot([[1, 0], [3, 1]], y_range=[-0.2, 1.2], y_snap=[0, 1])
    widget.set_state({"points": [[1, 0.7], [3, 0.4]]})
    assert widget.points == [[1, 1], [3, 0]]


numbers = st.floats() | st.none() | st.text(max_size=2)


@given(st.lists(st.lists(numbers, max_size=3), max_size=3) | numbers)
def test_messages_of_any_kind_leave_points_that_one_can_compute_with(message):
    widget = plot()
    widget.set_state({"points": message, "x_range": [9, 9]})
    assert len(widget.points) == 2
    assert widget.x_range == [0, 5]
    assert all(0 <= value <= 5 for pair in widget.points for value in pair)
