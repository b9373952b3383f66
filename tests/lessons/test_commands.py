"""``onelayer lessons``: the list, a page that is served, notebooks, and sentences for what cannot be."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import nbclient
import nbformat
import pytest
from jupyter_client.manager import KernelManager

from onelayer.cli import main
from onelayer.lessons import LESSONS
from onelayer.lessons.notebook import to_notebook

NAMES = [lesson.name for lesson in LESSONS]


def test_the_list_names_all_lessons(capsys):
    assert main(["lessons"]) == 0
    text = capsys.readouterr().out
    assert [name for name in NAMES if name not in text] == []
    assert "梯度与反向传播" in text


def test_every_lesson_has_a_page_and_every_page_is_a_lesson():
    pages = {path for path in LESSONS[0].path.parent.glob("*.py") if not path.name.startswith("_")}
    assert {lesson.path for lesson in LESSONS} == pages


WRONG = {
    "unknown": (["nothing"], "there is no lesson 'nothing'; the lessons are gradients, "),
    "language": (["gradients", "--language", "fr"], "--language is 'fr': give en or zh."),
    "port": (["gradients", "--port", "99999", "--no-browser"], "--port 99999 is taken or not allowed"),
    "notebook": (["gradients", "--notebook", "a.txt"], "give a name that ends in .ipynb"),
    "folder": (["gradients", "--notebook", "nowhere/there/a.ipynb"], "cannot write nowhere"),
    "edit what": (["--edit"], "--edit and --notebook need a NAME"),
    "two ways": (["gradients", "--edit", "--notebook", "a.ipynb"], "give one of them"),
    "unknown notebook": (["nothing", "--notebook", "a.ipynb"], "there is no lesson"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_bad_usage_is_one_sentence(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["lessons", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_one_sentence(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["lessons", "gradients", "--port", str(port), "--no-browser"]) == 2
    assert f"--port {port} is taken" in capsys.readouterr().err


@pytest.mark.parametrize(
    "ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda ending: ending.name
)
def test_a_lesson_is_served_on_this_machine_only_and_ends_with_its_terminal(tmp_path, ending):
    command = [sys.executable, "-m", "onelayer", "lessons", "gradients", "--no-browser", "-l", "zh"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/\?lang=zh", line)
        assert address, line
        with urllib.request.urlopen(address[0], timeout=30) as answer:
            assert answer.status == 200
            assert b"marimo" in answer.read()
    finally:
        os.killpg(process.pid, ending)
        assert process.wait(timeout=30) == 0
        process.stdout.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address[0], timeout=5)
    # Nothing is left in the reader's folder.
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def kernel():
    """One kernel for all notebooks: each would wait for torch again."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_lesson_is_a_notebook_that_runs_as_it_is(name, kernel, tmp_path, capsys):
    file = tmp_path / "lesson.ipynb"
    language = ("en", "zh")[NAMES.index(name) % 2]
    assert main(["lessons", name, "--notebook", str(file), "--language", language]) == 0
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    # The kernel's working folder is nowhere special; a failing cell raises here.
    client = nbclient.NotebookClient(
        notebook, km=kernel, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    try:
        client.execute()
    finally:
        client.kc.stop_channels()
    kinds = {cell.cell_type for cell in notebook.cells}
    assert kinds == {"code", "markdown"}


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_notebook_speaks_one_language_and_shows_no_machinery(lesson):
    texts = {}
    for language in ("English", "中文"):
        cells = json.loads(to_notebook(lesson, language))["cells"]
        texts[language] = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        assert not any("mo.show_code" in "".join(cell["source"]) for cell in cells)
    assert len(texts["English"]) == len(texts["中文"]) > 3
    chinese = re.compile("[\u4e00-\u9fff]")
    assert [text for text in texts["English"] if chinese.search(text)] == []
    assert [text for text in texts["中文"] if not chinese.search(text)] == []


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_page_says_everything_twice_and_keeps_to_public_names(lesson):
    source = pathlib.Path(lesson.path).read_text(encoding="utf-8")
    assert source.count("language_switch()") == 1
    # A space in a Chinese line where the source wraps, or half-width punctuation after a Chinese character.
    assert re.findall("[\u4e00-\u9fff][,:;?!]", source) == []
    assert re.findall(r"onelayer\.\w+\._|ol\._", source) == []
    imports = set(re.findall(r"^\s*(?:from|import) (onelayer[\w.]*)", source, re.MULTILINE))
    assert imports <= {"onelayer", "onelayer.lessons", "onelayer.lessons.points"}
