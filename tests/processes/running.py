"""Several processes of one program, as torchrun starts them."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def environment():
    """Return the variables of a process of one thread that finds the tests' modules."""
    paths = os.pathsep.join((str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")))
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}


def torchrun(script, *arguments, processes=2, options=(), timeout=240):
    """Run a script of this folder (or a module, as ``-m name``) in several processes and return what came of it."""
    started = ["-m", script] if script == "onelayer" else [str(HERE / script)]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", *options]
    command += ["--nproc-per-node", str(processes), *started, *map(str, arguments)]
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )
