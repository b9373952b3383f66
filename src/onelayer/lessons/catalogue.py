"""Which lessons there are, in the order in which they build on each other."""

import dataclasses
import pathlib

from onelayer.errors import DataError

__all__ = ["LESSONS", "Lesson", "find"]

PAGES = pathlib.Path(__file__).parent / "pages"


@dataclasses.dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    name : str
        As in ``onelayer lessons NAME``; the page is ``pages/name.py`` with ``_`` for ``-``.
    title, chinese_title : str
    about : str
        What it is about, in one line.
    """

    name: str
    title: str
    chinese_title: str
    about: str

    @property
    def path(self):
        """The page: a Python file."""
        return PAGES / f"{self.name.replace('-', '_')}.py"


LESSONS = (
    Lesson("gradients", "Gradients and backpropagation", "梯度与反向传播", "What a gradient is, and the chain rule by hand."),
    Lesson("losses", "The losses", "损失函数", "Squared, absolute, Huber and cross-entropy, with their likelihoods."),
    Lesson("likelihood", "Likelihood", "似然", "Coin flips, maximum likelihood, and why its logarithm is the loss."),
    Lesson("sigmoids", "The sigmoids", "S 形函数", "From any real number to a probability; a family of functions."),
    Lesson("logistic", "Logistic regression", "逻辑斯蒂回归", "Hours of study and an exam; when to say “uncertain”."),
    Lesson("cross-entropy", "Why cross-entropy", "为什么用交叉熵", "Squared error on probabilities is flat: the same bad start, two losses."),
    Lesson("gradient-descent", "Gradient descent", "梯度下降", "Batch, stochastic, mini-batch; learning rates; when to stop; local minima."),
    Lesson("linear-regression", "Linear regression by hand", "手写线性回归", "A line through 100 points, w and b step by step."),
    Lesson("softmax", "Softmax regression on images", "图像上的 softmax 回归", "Ten classes of clothes: from nothing, in short form, with onelayer."),
)  # fmt: skip


def find(name):
    """Return the lesson of this name.

    Raises
    ------
    DataError
        There is none; the message lists them.

    Examples
    --------
    >>> find("gradients").chinese_title
    '梯度与反向传播'
    """
    for lesson in LESSONS:
        if lesson.name == name.replace("_", "-").lower():
            return lesson
    raise DataError(
        f"there is no lesson {name!r}; the lessons are {', '.join(lesson.name for lesson in LESSONS)}."
    )
