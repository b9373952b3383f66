"""The lessons: plain Python files that run as pages in the browser, as tests and as Jupyter notebooks.

Each page in ``pages/`` is read from top to bottom; it uses torch and the public names of onelayer. What the pages share
is here: the list of them, the switch between English and Chinese, exercises that say what is wrong, and the reading of
numbers that a reader typed. marimo is imported only when a lesson runs.
"""

from onelayer.lessons.catalogue import LESSONS, Lesson, find
from onelayer.lessons.exercises import CodeExercise, NumberExercise, Verdict
from onelayer.lessons.fields import read_number, read_points
from onelayer.lessons.speech import Speaker, language_switch

__all__ = [
    "LESSONS",
    "CodeExercise",
    "Lesson",
    "NumberExercise",
    "Speaker",
    "Verdict",
    "find",
    "language_switch",
    "read_number",
    "read_points",
]
