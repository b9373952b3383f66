"""The programs that draw the pictures of the pages run; those that must be what they draw are."""

import importlib.util

import pytest

from docs.pages import ROOT


def program(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_of_the_floors_is_that_of_the_table():
    drawn = program("make_floors").draw()
    committed = (ROOT / "docs" / "_static" / "floors.svg").read_text(encoding="utf-8")
    assert committed == drawn, "run docs/make_floors.py"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["tilted", "orders", "separation", "newton", "preconditioners", "nist"])
def test_pictures_of_how_it_works_can_be_drawn_again(name, tmp_path, monkeypatch):
    pictures = program("make_pictures_how")
    (tmp_path / "_static").mkdir()
    (tmp_path / "how-it-works").mkdir()
    monkeypatch.setattr(pictures, "HERE", tmp_path)
    pictures.main([name])
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 1
    committed = ROOT / "docs" / written[0].relative_to(tmp_path)
    if name == "nist":
        # The digits reached depend on the machine by one or so; the problems do not.
        first = [line.split(",")[:2] for line in committed.read_text(encoding="utf-8").splitlines()]
        assert [line.split(",")[:2] for line in written[0].read_text(encoding="utf-8").splitlines()] == first
    else:
        assert written[0].stat().st_size > committed.stat().st_size / 2
