"""Make the virtual environment of a checkout, with the standard library only.

``python3 tools/setup_venv.py .venv test,lint`` is safe to run again: what is there is kept, what is missing is added.
"""

import importlib.util
import pathlib
import shutil
import subprocess
import sys


def fail(sentence):
    """End with one sentence that says what to do."""
    sys.exit(f"setup: {sentence}")


def works(python):
    """Say whether this interpreter starts at all."""
    return python.exists() and subprocess.run([python, "-c", "pass"], capture_output=True).returncode == 0


def make(folder, python):
    """Create the environment, with or without the ensurepip that some distributions split off."""
    if works(python):
        return
    for command in (["venv"], ["venv", "--without-pip"], ["virtualenv"]):
        shutil.rmtree(folder, ignore_errors=True)
        if subprocess.run(
            [sys.executable, "-m", *command, folder], capture_output=True
        ).returncode == 0 and works(python):
            return
    fail(
        "python3 can make no virtual environment: install your system's python3-venv package and run make again."
    )


def find_pip(python):
    """Return the command that installs into the environment: its own pip, else the outer one."""
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [python, "-m", "pip"]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", python]
    return fail("no pip was found: install your system's python3-pip package and run make again.")


def main(folder, extras):
    """Make the environment and install the project in it, editable, with the tested versions."""
    if sys.version_info < (3, 11):  # noqa: UP036 (this script is what an older python3 runs into)
        fail(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: run for example make PYTHON=python3.12 run."
        )
    folder = pathlib.Path(folder)
    python = folder / "bin" / "python"
    make(folder, python)
    pip = [str(part) for part in find_pip(python)]
    print(f"setting up {folder} (a few minutes the first time: PyTorch is large) …", flush=True)
    # The build is not isolated, so that the backend is pinned as well and a later call works without a network.
    for request in (["hatchling", "editables"], ["--no-build-isolation", "-e", f".[{extras}]"]):
        command = [*pip, "install", "-q", "--disable-pip-version-check", "-c", "constraints.txt", *request]
        if subprocess.run(command).returncode != 0:
            fail(
                "pip could not install the packages (its message is above): check the network and run make again."
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
