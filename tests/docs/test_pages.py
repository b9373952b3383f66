"""What the pages show is run as it stands, block after block, in an empty folder."""

import contextlib
import doctest
import io
import re
import shlex
import subprocess
import sys
import textwrap

import pytest

from docs.pages import PAGES, ROOT, blocks
from onelayer.cli import main

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Shown to readers, and neither code that runs nor output that is compared.
OTHER = {"math"}
CODE_PAGES = [page for page in PAGES if any(block.kind not in OTHER for block in blocks(page))]


class Page:
    """Runs blocks in one namespace, as a reader would type them."""

    def __init__(self, name):
        self.name = name
        self.names = {"__name__": "page"}
        self.output = ""

    def run(self, block):
        place = f"{self.name}, line {block.line}"
        getattr(self, f"_{block.kind}", self._unknown)(block, place)

    def _unknown(self, block, place):
        pytest.fail(f"{place}: a block of kind {block.kind!r} is not run by any test")

    def _python(self, block, place):
        # The empty lines make a traceback point at the line of the page.
        code = compile("\n" * (block.line - 1) + block.code, place, "exec")
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            exec(code, self.names)
        self.output = stdout.getvalue()

    def _doctest(self, block, place):
        parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=OPTIONS)
        example = parser.get_doctest(block.code, self.names, place, self.name, block.line - 1)
        report = io.StringIO()
        failed = runner.run(example, out=report.write, clear_globs=False).failed
        self.names.update(example.globs)
        assert not failed, report.getvalue()

    def _text(self, block, place):
        assert without_numbers(self.output) == without_numbers(block.code), place

    def _sh(self, block, place):
        for line in textwrap.dedent(block.code).splitlines():
            words = shlex.split(line, comments=True)
            if not words:
                continue
            if words[0] == "onelayer":
                assert main(words[1:]) == 0, f"{place}: {line}"
            elif words[0] == "torchrun":
                # By its module: the command is in the folder of whichever python this is.
                subprocess.run([sys.executable, "-m", "torch.distributed.run", *words[1:]], check=True)
            elif words[0] == "make":
                targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
                assert words[1] in targets, f"{place}: {line}"
            elif words[:2] == ["pip", "install"]:
                extras = set(re.search(r"\[(.*)\]", words[2])[1].split(","))
                assert extras <= set(
                    re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
                ), place
            else:
                assert words[0] == "printf", f"{place}: {line!r} is not run by any test"
                subprocess.run(["sh", "-c", line], check=True)


def without_numbers(text):
    return re.sub(r"\d+(\.\d+)?(e-?\d+)?", "N", text).split()


@pytest.mark.parametrize("page", CODE_PAGES)
def test_code_of_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # A page that is served ends by Ctrl-C only; tests/lessons do that.
    monkeypatch.setattr("onelayer.lessons.serving.serve", lambda lesson, **options: 0)
    reader = Page(page)
    for block in blocks(page):
        if block.kind not in OTHER:
            reader.run(block)


def test_blocks_are_found():
    kinds = {page: {block.kind for block in blocks(page)} for page in PAGES}
    assert {"python", "sh", "text"} <= kinds["README.md"]
    assert {"python", "text"} <= kinds["CONTRIBUTING.md"]
    assert {"doctest", "sh"} <= kinds["docs/quickstart.rst"]
    assert "sh" in kinds["docs/command-line.rst"]


@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith(".md")])
def test_relative_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert "://" in target or ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_no_path_of_one_machine(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.search(r"/(home|work|root|Users|tmp)/", text)
