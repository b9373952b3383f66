"""Tables in the pages that repeat what the code knows."""

import importlib
import json
import re

import pytest

from docs.pages import ROOT
from onelayer.cli import main
from onelayer.result import Status

MODULES = (
    "losses",
    "links",
    "penalties",
    "solvers",
    "stopping",
    "callbacks",
    "data",
    "plots",
    "errors",
    "sklearn",
)
# A table of names, shown under resolve_solver's page.
UNLISTED = {"solvers.SOLVERS"}


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference(module):
    public = {f"{module}.{name}" for name in importlib.import_module(f"onelayer.{module}").__all__}
    listed = set(re.findall(rf"^   ({module}\.\w+)$", read(f"docs/api/{module}.rst"), re.MULTILINE))
    assert listed == public - UNLISTED


def test_every_name_of_the_room_of_many_fits_is_in_the_reference():
    from onelayer import selection

    listed = set(re.findall(r"^   (?:selection\.)?(\w+)$", read("docs/api/selection.rst"), re.MULTILINE))
    assert listed - {"generated"} == set(selection.__all__)


def test_every_status_is_explained():
    for page in ("README.md", "docs/command-line.rst"):
        text = read(page)
        assert [status.value for status in Status if f"`{status.value}`" not in text] == []


def test_every_key_of_the_json_is_listed(tmp_path, capsys):
    text = read("docs/command-line.rst")
    for data in ("breast-cancer", "diabetes"):
        main(["fit", data, "--no-report", "--json", "--standardize", "--out", str(tmp_path)])
        keys = json.loads(capsys.readouterr().out)
        assert [key for key in keys if f"``{key}``" not in text] == []


def test_every_room_has_its_floor_in_the_architecture():
    text = read("docs/architecture.md")
    rooms = [path for path in (ROOT / "src" / "onelayer").iterdir() if not path.name.startswith("_")]
    names = [f"`{path.name}{'/' if path.is_dir() else ''}`" for path in rooms if path.suffix in ("", ".py")]
    assert [name for name in names if name not in text] == []
