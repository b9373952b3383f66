"""``onelayer lessons``."""

import sys

import typer

__all__ = ["lessons"]


def lessons(
    name: str = typer.Argument(
        None, metavar="[NAME]", help="The lesson to open; without it they are listed."
    ),
    language: str = typer.Option(
        None, "--language", "-l", help="en (default) or zh; the page has a switch too."
    ),
    port: int = typer.Option(None, help="Port on 127.0.0.1; default: a free one."),
    browser: bool = typer.Option(True, help="Open a browser window."),
    edit: bool = typer.Option(False, "--edit", help="Copy the lesson into this folder and edit it there."),
    notebook: str = typer.Option(
        None, "--notebook", help="Write the lesson as a Jupyter notebook (.ipynb) instead."
    ),
) -> None:
    """List the lessons, or open one in the browser."""
    from onelayer.errors import ParameterError

    if language is not None and language.lower() not in ("en", "zh"):
        raise ParameterError(f"--language is {language!r}: give en or zh.")
    language = language and language.lower()
    if edit and notebook is not None:
        raise ParameterError("--edit and --notebook are two ways to take a lesson along: give one of them.")
    if name is None and (edit or notebook is not None):
        raise ParameterError("--edit and --notebook need a NAME: onelayer lessons lists them.")
    if name is None:
        _list()
    elif notebook is not None:
        _write_notebook(name, notebook, language)
    else:
        from onelayer.lessons.catalogue import find
        from onelayer.lessons.serving import serve

        raise typer.Exit(
            serve(find(name), port=port, language=language, browser=browser, edit=edit, announce=typer.echo)
        )


def _list():
    from rich.console import Console
    from rich.table import Table

    from onelayer.lessons.catalogue import LESSONS

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("lesson", "about", "中文"):
        table.add_column(column, overflow="fold")
    for lesson in LESSONS:
        table.add_row(lesson.name, lesson.about, lesson.chinese_title)
    console = Console(file=sys.stdout, highlight=False)
    console.print(table)
    console.print("\nOpen one: onelayer lessons NAME (--language zh for Chinese)")


def _write_notebook(name, file, language):
    import pathlib

    from onelayer.cli.inputs import note
    from onelayer.errors import OutputError
    from onelayer.lessons.catalogue import find
    from onelayer.lessons.notebook import to_notebook
    from onelayer.persistence import write_atomically

    path = pathlib.Path(file)
    if path.suffix.lower() != ".ipynb":
        raise OutputError(f"--notebook is {file!r}: give a name that ends in .ipynb.")
    text = to_notebook(find(name), "中文" if language == "zh" else "English")
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another file.") from error
    note(f"wrote {path}.")
