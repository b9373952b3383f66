"""Files from the network: mirrors in turn, checked by SHA-256, in place whole or not at all."""

import contextlib
import hashlib
import os
import pathlib
import sys
from collections.abc import Iterable

from onelayer.errors import DataError

__all__ = ["download"]

TIMEOUT = 5.0
CHUNK = 1 << 16


def download(
    files: dict[str, str],
    mirrors: Iterable[str],
    folder: pathlib.Path,
    *,
    way_out: str,
    progress: bool = True,
) -> None:
    """Download files into a folder, each from the first mirror that serves it unharmed.

    Parameters
    ----------
    files : dict
        The SHA-256 of each file, by the file's name; a file that is already there is left as it is.
    mirrors : iterable of str
        Addresses that end in a slash.
    folder : Path
        Made if it is missing. A file appears in it only when it is complete and its checksum is right.
    way_out : str
        The end of the error sentence: what else the user can do.
    progress : bool, default=True
        Show a progress bar, if stderr is a terminal.

    Raises
    ------
    DataError
        If no mirror has a file, or the folder cannot be written.
    """
    with _bar(progress) as track:
        for file, sha256 in files.items():
            if not (folder / file).exists():
                _make(folder)
                _write(folder / file, _fetch(file, sha256, mirrors, track, way_out))


def _fetch(file, sha256, mirrors, track, way_out):
    import http.client

    failures = []
    for mirror in mirrors:
        try:
            content = _read(mirror + file, track)
        # ValueError: a proxy or a mirror that answers with a malformed number or header
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"{mirror}: {getattr(error, 'reason', None) or error or type(error).__name__}")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found == sha256:
            return content
        failures.append(f"{mirror}: its SHA-256 is {found[:8]}… instead of {sha256[:8]}…: not kept")
    raise DataError(f"{file} could not be downloaded ({'; '.join(failures)}): {way_out}.")


def _read(url, track):
    """Return the body in memory: these files are small, and nothing half-written can stay behind."""
    import urllib.error
    import urllib.request

    try:
        response = urllib.request.urlopen(url, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise
    with response:
        total = int(response.headers.get("Content-Length") or 0)
        advance = track(url.rpartition("/")[2], total)
        content = bytearray()
        while chunk := response.read(CHUNK):
            content += chunk
            advance(len(chunk))
    # http.client takes a connection that closes early for the end of the file
    if len(content) < total:
        raise ConnectionError(f"the connection closed after {len(content)} of {total} bytes")
    return bytes(content)


def _make(folder):
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


def _write(path, content):
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with _writing(path.parent):
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _writing(folder):
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written ({error.strerror or error}): make room or grant access there, "
            "or set ONELAYER_DATA to a folder that has the files."
        ) from error


@contextlib.contextmanager
def _bar(progress):
    """Yield ``track(name, total) -> advance``."""
    if not progress or not sys.stderr.isatty():
        yield lambda name, total: lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def track(name, total):
            task = bar.add_task(name, total=total or None)
            return lambda count: bar.advance(task, count)

        yield track
