"""The site builds without a warning and asks no other host for anything."""

import html.parser
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import onelayer
import onelayer.sklearn
from docs.pages import ROOT

NEEDED = ("sphinx", "numpydoc", "pydata_sphinx_theme", "latex2mathml")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
WITH_FORMULAS = ("duality-gap", "tilted-point", "without-penalty", "newton", "curvature", "least-squares")
HOW_IT_WORKS = ("certificate", *WITH_FORMULAS, "choosing", "other-solvers")
# What a browser fetches by itself; <a href> is followed by people only.
FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
    ("image", "href"),
}


def pages_of(site):
    # The theme leaves templates among its own files.
    return [page for page in site.rglob("*.html") if "_static" not in page.parts]


class Fetches(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if (tag, name) in FETCHED and value]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if MISSING:
        pytest.skip(f"the docs extra is not installed: {', '.join(MISSING)}")
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("_build", "generated"))
    shutil.copy(ROOT / "CHANGELOG.md", folder)
    command = [
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-n",
        "-q",
        "-b",
        "html",
        folder / "docs",
        folder / "html",
    ]
    # A proxy that refuses: whatever wants to ask another host fails the build.
    offline = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env={**os.environ, **offline}
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_pages_are_there(site):
    for page in (
        "index",
        "quickstart",
        "how-it-works",
        *(f"how-it-works/{page}" for page in HOW_IT_WORKS),
        "command-line",
        "architecture",
        "changelog",
        "api/index",
    ):
        assert (site / f"{page}.html").is_file()


def test_nothing_comes_from_another_host(site):
    for page in pages_of(site):
        parser = Fetches()
        parser.feed(page.read_text(encoding="utf-8"))
        assert [address for address in parser.found if re.match(r"(?:\w+:)?//", address)] == [], page
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(@import|url\()\s*[\"']?(?:https?:)?//", text), sheet


@pytest.mark.parametrize("room", [onelayer, onelayer.sklearn], ids=["own", "drop-in"])
def test_displays_of_estimators_link_to_their_pages(site, room, monkeypatch):
    monkeypatch.setenv("ONELAYER_DOCS", str(site))
    kinds = [
        kind for kind in (getattr(room, name) for name in room.__all__) if hasattr(kind, "_get_doc_link")
    ]
    assert len(kinds) >= 3
    for kind in kinds:
        assert pathlib.Path(kind()._get_doc_link()).is_file(), kind


def test_fetched_files_exist(site):
    for page in pages_of(site):
        parser = Fetches()
        parser.feed(page.read_text(encoding="utf-8"))
        for address in parser.found:
            target = re.split(r"[?#]", address)[0]
            assert not target or target.startswith("data:") or (page.parent / target).exists(), (
                page,
                address,
            )


def test_formulas_are_mathml(site):
    for page in ("how-it-works", "architecture", *(f"how-it-works/{page}" for page in WITH_FORMULAS)):
        text = (site / f"{page}.html").read_text(encoding="utf-8")
        assert text.count("<math ") >= 2
        # latex2mathml leaves a command that it does not know as text.
        assert not re.search(r"<m\w+>\\", text)
        assert "MathJax" not in text
