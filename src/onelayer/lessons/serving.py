"""Opens a lesson in the browser: marimo as a process of its own, on this machine only."""

import importlib.util
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser

from onelayer.errors import OutputError, ParameterError

__all__ = ["serve"]

HOST = "127.0.0.1"
_PATIENCE = 60.0
# The second is what closing the terminal's window sends; Windows has none.
_ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def serve(lesson, *, port=None, language=None, browser=True, edit=False, announce=print):
    """Run a lesson until it is interrupted, and return marimo's exit code.

    Parameters
    ----------
    lesson : Lesson
    port : int, optional
        Default: a free one.
    language : str, optional
        "zh" opens the page in Chinese.
    browser : bool
        Whether to open a browser window.
    edit : bool
        Open a copy in the current folder for editing, instead of the page.
    announce : callable
        Is told the address.

    Raises
    ------
    ParameterError
        marimo is not installed, or the port is taken.
    OutputError
        The copy cannot be written.
    """
    require_marimo()
    port = _port(port)
    address = f"http://{HOST}:{port}/" + (f"?lang={language}" if language else "")
    with tempfile.TemporaryDirectory(prefix="onelayer-lesson-") as folder:
        # marimo writes a folder beside the page: the installed one stays as it is.
        page = _copy(lesson, pathlib.Path.cwd() if edit else pathlib.Path(folder), keep=edit)
        command = [sys.executable, "-m", "marimo", "-y", "edit" if edit else "run", str(page)]
        command += ["--headless", "--host", HOST, "--port", str(port), "--no-token", "--no-sandbox"]
        command += [] if edit else ["--show-tracebacks"]
        # A session of its own: Ctrl-C is ours to handle, and marimo asks whether one is sure.
        process = subprocess.Popen(
            command, cwd=page.parent, env=_environment(), stdout=subprocess.DEVNULL, start_new_session=True
        )
        before = _on_termination(dict.fromkeys(_ENDINGS, _interrupt))
        try:
            if not _answers(process, port):
                return process.wait()
            announce(f"{lesson.title} ({lesson.chinese_title}): {address}   (Ctrl-C ends it)")
            if edit:
                announce(f"You edit {page}.")
            if browser:
                webbrowser.open(address)
            return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end(process)
            _on_termination(before)


def require_marimo():
    """Raise ParameterError unless marimo can be imported."""
    if importlib.util.find_spec("marimo") is None:
        raise ParameterError("the lessons need marimo: pip install 'onelayer[lessons]'.")


def _port(port):
    with socket.socket() as probe:
        # As servers do, so that the port of a lesson that has just ended counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port or 0))
        except (OSError, OverflowError) as error:
            raise ParameterError(
                f"--port {port} is taken or not allowed: choose another, or none for a free one."
            ) from error
        return probe.getsockname()[1]


def _copy(lesson, folder, *, keep):
    page = folder / lesson.path.name
    if keep and page.is_file():
        return page
    try:
        shutil.copyfile(lesson.path, page)
    except OSError as error:
        raise OutputError(f"cannot write {page}: {error.strerror}; go to a folder of yours.") from error
    return page


def _environment():
    # No question to the network whether there is a newer marimo.
    return {**os.environ, "MARIMO_SKIP_UPDATE_CHECK": "1", "PYTHONUNBUFFERED": "1"}


def _answers(process, port):
    """Wait until the server takes connections; false if it ended instead."""
    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return process.poll() is None


def _on_termination(handlers):
    """Set what happens on these signals and return what happened before; without it marimo would outlive us."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number, handler in handlers.items()}


def _interrupt(number, frame):
    del number, frame
    raise KeyboardInterrupt


def _end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
