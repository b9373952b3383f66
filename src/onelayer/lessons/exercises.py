"""Exercises that say what is wrong: right answers, and the wrong ones that people give."""

import contextlib
import dataclasses
import math
import sys
import traceback
from typing import Any

from onelayer.lessons.fields import read_number

__all__ = ["CodeExercise", "NumberExercise", "Verdict"]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What an exercise says of an answer.

    Attributes
    ----------
    right : bool or None
        None: there is no answer yet.
    english, chinese : str
        One sentence.
    """

    right: bool | None
    english: str
    chinese: str


NOT_YET = Verdict(None, "Your answer is awaited above.", "请在上面写出你的答案。")
RIGHT = Verdict(True, "Right.", "正确。")


class NumberExercise:
    """A question whose answer is one number.

    Parameters
    ----------
    right : float
    mistakes : sequence of (float, str, str)
        A wrong number that people arrive at, and what is wrong with it, in English and Chinese.
    tolerance : float
        Relative to the right number (to 1 where it is smaller).

    Examples
    --------
    >>> exercise = NumberExercise(6, [(3, "That is b: the derivative of b² is 2b.", "这是 b:b² 的导数是 2b。")])
    >>> exercise.check("6").right, exercise.check(3).english
    (True, 'That is b: the derivative of b² is 2b.')
    """

    def __init__(self, right, mistakes=(), *, tolerance=5e-3):
        self.right, self.mistakes, self.tolerance = float(right), tuple(mistakes), tolerance

    def check(self, answer):
        """Return the Verdict on what was typed."""
        if answer is None or str(answer).strip() == "":
            return NOT_YET
        number, problem = read_number(answer)
        if problem:
            return Verdict(False, *problem)
        if self._is(number, self.right):
            return RIGHT
        for wrong, english, chinese in self.mistakes:
            if self._is(number, wrong):
                return Verdict(False, english, chinese)
        if self.right and self._is(number, -self.right):
            return Verdict(False, "The size is right, the sign is not.", "大小对了，符号错了。")
        way = ("small", "小") if number < self.right else ("large", "大")
        return Verdict(False, f"{number:g} is too {way[0]}.", f"{number:g} 太{way[1]}了。")

    def _is(self, number, wanted):
        return math.isclose(
            number, wanted, rel_tol=self.tolerance, abs_tol=self.tolerance * min(1, abs(self.right) or 1)
        )


class CodeExercise:
    """A question whose answer is a function that the reader writes.

    The code is run here, by the reader's own Python, and its results on `cases` are compared with those of the right
    function and of functions with known mistakes.

    Parameters
    ----------
    name : str
        Of the function to write.
    right : callable
    cases : sequence of tuple
        Arguments (tensors and numbers).
    mistakes : sequence of (callable, str, str)
        A wrong function that people write, and what is wrong with it, in English and Chinese.
    start : str
        The code that the reader finds; unchanged it counts as no answer.

    Examples
    --------
    >>> exercise = CodeExercise("double", lambda x: 2 * x, [(3,)], [(lambda x: x**2, "That is the square.", "这是平方。")])
    >>> exercise.check("def double(x): return x * x").english
    'That is the square.'
    >>> exercise.check("def double(x): return y").english
    "Your code stops with NameError in line 1: name 'y' is not defined."
    """

    def __init__(self, name, right, cases, mistakes=(), *, start="", tolerance=1e-5):
        self.name, self.right, self.cases, self.mistakes = name, right, tuple(cases), tuple(mistakes)
        self.start, self.tolerance = start, tolerance

    def check(self, code):
        """Return the Verdict on this code."""
        import torch

        if not code or code.strip() == self.start.strip():
            return NOT_YET
        try:
            names: dict[str, Any] = {"torch": torch, "math": math}
            with _patience():
                exec(compile(code, "answer", "exec"), names)
                if not callable(names.get(self.name)):
                    return Verdict(
                        False, f"There is no function {self.name}.", f"没有名为 {self.name} 的函数。"
                    )
                answers = [names[self.name](*_copies(case)) for case in self.cases]
        except Exception as error:  # noqa: BLE001 - whatever a reader's code raises is the answer to explain
            return _stopped(error)
        return self._compare(answers)

    def _compare(self, answers):
        if any(answer is None for answer in answers):
            return Verdict(
                False,
                f"{self.name} returns nothing: end it with return.",
                f"{self.name} 没有返回值：请用 return 结束。",
            )
        rights = [self.right(*_copies(case)) for case in self.cases]
        if all(self._same(*pair) for pair in zip(answers, rights, strict=True)):
            return RIGHT
        for wrong, english, chinese in self.mistakes:
            if all(
                self._same(answer, wrong(*_copies(case)))
                for answer, case in zip(answers, self.cases, strict=True)
            ):
                return Verdict(False, english, chinese)
        for answer, right, case in zip(answers, rights, self.cases, strict=True):
            if not self._same(answer, right):
                what = f"{self.name}({', '.join(_shown(value) for value in case)})"
                return Verdict(
                    False,
                    f"{what} should be {_shown(right)}, and yours is {_shown(answer)}.",
                    f"{what} 应为 {_shown(right)},你的结果是 {_shown(answer)}。",
                )
        return RIGHT

    def _same(self, one, other):
        import torch

        try:
            one, other = (torch.as_tensor(value, dtype=torch.float64) for value in (one, other))
        except (TypeError, ValueError, RuntimeError):
            return False
        return one.shape == other.shape and torch.allclose(
            one, other, rtol=self.tolerance, atol=self.tolerance, equal_nan=True
        )


@contextlib.contextmanager
def _patience(operations=1_000_000):
    """Stop the reader's code after so many operations: a loop without an end would hang the page."""
    left = operations

    def count(frame, event, argument):
        nonlocal left
        del argument
        if frame.f_code.co_filename != "answer":
            return None
        # Lines would not do: a loop on one line is one of them.
        frame.f_trace_opcodes = True
        left -= event == "opcode"
        if left < 0:
            raise TimeoutError("it does not come to an end")
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)


def _copies(case):
    return [value.clone() if hasattr(value, "clone") else value for value in case]


def _shown(value):
    if hasattr(value, "clone"):
        if value.numel() > 8:
            return f"a tensor of shape {tuple(value.shape)}"
        value = [round(float(v), 4) for v in value.flatten()] if value.ndim == 1 else value.tolist()
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:80]


def _stopped(error):
    if isinstance(error, SyntaxError):
        return Verdict(
            False,
            f"Python cannot read line {error.lineno}: {error.msg}.",
            f"Python 读不懂第 {error.lineno} 行：{error.msg}。",
        )
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "answer"
    ]
    where = lines[-1] if lines else 1
    what = str(error).split("\n")[0].rstrip(".")
    return Verdict(
        False,
        f"Your code stops with {type(error).__name__} in line {where}: {what}.",
        f"你的代码在第 {where} 行出错({type(error).__name__}):{what}。",
    )
