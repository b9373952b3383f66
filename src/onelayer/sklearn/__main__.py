"""``python -m onelayer.sklearn script.py arguments…``: run a program with our classes in the place of scikit-learn's."""

import pathlib
import runpy
import sys

from onelayer.sklearn.patching import patch

_USAGE = """usage: python -m onelayer.sklearn script.py [arguments…]
       python -m onelayer.sklearn -m module [arguments…]

Runs the program as python would, with the classes of onelayer.sklearn in the place of scikit-learn's.
"""


def main(arguments):
    """Patch, say on standard error what was swapped, and run the program in this process."""
    if not arguments or arguments[0] in ("-h", "--help") or arguments == ["-m"]:
        stream = sys.stdout if arguments and arguments[0] != "-m" else sys.stderr
        stream.write(_USAGE)
        return 0 if stream is sys.stdout else 2
    as_module, program = arguments[0] == "-m", arguments[1:] if arguments[0] == "-m" else arguments
    if not as_module and not pathlib.Path(program[0]).exists():
        sys.stderr.write(f"{program[0]} does not exist: give the path of a Python program.\n")
        return 2
    sys.stderr.write(f"{patch()}\n")
    sys.argv = list(program)
    if as_module:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        # Python puts the program's own folder there; -m put the current one.
        sys.path[0] = str(pathlib.Path(program[0]).resolve().parent)
        runpy.run_path(str(pathlib.Path(program[0]).absolute()), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
