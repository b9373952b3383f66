"""A lesson as a Jupyter notebook: text becomes Markdown in one language, code stays code."""

import ast
import importlib.util
import re
import textwrap

from onelayer.errors import ParameterError
from onelayer.lessons.speech import LANGUAGES

__all__ = ["to_notebook"]

# The page shows code beside its result; a notebook does so by itself.
_SHOWN = re.compile(r"^mo\.show_code\((.*), position=\"above\"\)$", re.MULTILINE)


def to_notebook(lesson, language="English"):
    """Return the notebook as JSON text.

    Made from the page's source, not by marimo's own export: that one leaves the texts of both languages in code.

    Parameters
    ----------
    lesson : Lesson
    language : {"English", "中文"}

    Raises
    ------
    ParameterError
        nbformat is not installed.

    Examples
    --------
    >>> from onelayer.lessons import find
    >>> '"cell_type": "markdown"' in to_notebook(find("gradients"))
    True
    """
    if importlib.util.find_spec("nbformat") is None:
        raise ParameterError("a notebook needs nbformat: pip install 'onelayer[lessons]'.")
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells = []
    source = lesson.path.read_text(encoding="utf-8")
    for number, function in enumerate(_cells(source)):
        text = _speech(function, language == LANGUAGES[1])
        cell = new_code_cell(_code(function, source, language)) if text is None else new_markdown_cell(text)
        cell["id"] = f"{lesson.name}-{number}"
        cells.append(cell)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.writes(new_notebook(cells=cells, metadata=kernel))


def _cells(source):
    """Return the functions under ``@app.cell``, in the order of the page."""
    return [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(mark).startswith("app.cell") for mark in node.decorator_list)
    ]


def _speech(function, chinese):
    """Return the Markdown of a cell that only says something, else None."""
    first = function.body[0]
    call = first.value if isinstance(first, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "say"):
        return None
    try:
        texts = [ast.literal_eval(argument) for argument in call.args]
    except ValueError:
        return None
    return textwrap.dedent(texts[chinese]).strip()


def _code(function, source, language):
    """Return the cell's lines, comments included, without what only the page needs."""
    body = [node for node in function.body if not isinstance(node, ast.Return)]
    lines = source.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    code = textwrap.dedent("\n".join(lines))
    code = _SHOWN.sub(r"\1", code)
    return code.replace("language_switch()", f"language_switch({language!r})")
