"""The download of an image set, from servers on this machine."""

import contextlib
import functools
import hashlib
import http.server
import io
import socketserver
import sys
import threading

import pytest

from data.imagefiles import ZIPPED, mirrors, write
from onelayer.data import load
from onelayer.data.download import download
from onelayer.errors import DataError


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class Halved(Quiet):
    """Promises the whole file and closes the connection after half of it."""

    def copyfile(self, source, outputfile):
        content = source.read()
        outputfile.write(content[: len(content) // 2])


@contextlib.contextmanager
def serving(folder, handler=Quiet):
    with socketserver.TCPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


def test_download_fills_the_cache(places, monkeypatch, capsys):
    with serving(write(places / "server")) as address:
        mirrors(monkeypatch, address)
        data = load("mnist")
    assert (data.source, data.X.shape) == ("downloaded", (4, 6))
    cache = places / "cache" / "onelayer" / "mnist"
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == ZIPPED
    assert capsys.readouterr() == ("", "")
    mirrors(monkeypatch)
    assert load("mnist").y.tolist() == [3, 1, 4, 1]


@pytest.mark.parametrize("first", ["dead", "empty", "changed", "halved"])
def test_the_second_mirror_steps_in(places, monkeypatch, first):
    good = write(places / "good")
    bad = write(
        places / "bad", {} if first == "empty" else {name: content[::-1] for name, content in ZIPPED.items()}
    )
    handler = Halved if first == "halved" else Quiet
    with serving(good) as address, serving(good if first == "halved" else bad, handler) as other:
        mirrors(monkeypatch, "http://127.0.0.1:9/" if first == "dead" else other, address)
        load("mnist")
    assert {path.name for path in (places / "cache" / "onelayer" / "mnist").iterdir()} == set(ZIPPED)


CHANGED = dict.fromkeys(ZIPPED, b"something else")
WAYS_OUT = (
    r"set ONELAYER_DATA to a folder with the four IDX files of mnist, put them into .*onelayer/mnist, "
    r"or connect to the network \(the set 'digits' needs none\)\.$"
)
# what the mirror holds, how it serves, the reason in the sentence
FAILURES = [
    (CHANGED, Quiet, r"http://127.0.0.1:\d+/: its SHA-256 is f41f3fa6… instead of [0-9a-f]{8}…: not kept"),
    ({}, Quiet, r"http://127.0.0.1:\d+/: File not found"),
    (ZIPPED, Halved, r"http://127.0.0.1:\d+/: the connection closed after \d+ of \d+ bytes"),
]


@pytest.mark.parametrize(("content", "handler", "reason"), FAILURES, ids=["changed", "empty", "halved"])
def test_a_failed_download_names_the_reason_and_leaves_no_file(places, monkeypatch, content, handler, reason):
    with serving(write(places / "server", content), handler) as address:
        mirrors(monkeypatch, address)
        with pytest.raises(
            DataError, match=rf"^train-images-idx3-ubyte.gz could not .* \({reason}\): {WAYS_OUT}"
        ):
            load("mnist")
    assert [path for path in (places / "cache").rglob("*") if path.is_file()] == []


def test_offline_names_the_ways_out(places, monkeypatch):
    mirrors(monkeypatch, "http://127.0.0.1:9/", "http://127.0.0.1:9/again/")
    with pytest.raises(
        DataError, match=rf"9/: .*refused; http://127.0.0.1:9/again/: .*refused\): {WAYS_OUT}"
    ):
        load("mnist")
    with pytest.raises(DataError, match=r"on Debian run apt-get install dataset-fashion-mnist, or connect"):
        load("fashion-mnist")


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(self, target):
        raise OSError(28, "No space left on device")

    name, content = next(iter(ZIPPED.items()))
    monkeypatch.setattr("pathlib.Path.replace", fail)
    with serving(write(tmp_path / "server")) as address:
        sums = {name: hashlib.sha256(content).hexdigest()}
        with pytest.raises(
            DataError, match=r"target cannot be written \(No space left on device\): make room"
        ):
            download(sums, [address], tmp_path / "target", way_out="nothing")
    assert list((tmp_path / "target").iterdir()) == []


def test_a_file_in_the_way_of_the_cache_is_named(places):
    (places / "cache").write_text("")
    with pytest.raises(
        DataError, match=r"onelayer/mnist cannot be written \(Not a directory\).*set ONELAYER_DATA"
    ):
        load("mnist")


@pytest.mark.parametrize("progress", [True, False])
def test_progress_goes_to_a_terminal_on_stderr(places, monkeypatch, progress):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    with serving(write(places / "server")) as address:
        mirrors(monkeypatch, address)
        load("mnist", progress=progress)
    assert ("t10k-labels" in terminal.getvalue()) == progress
