"""Several processes of one program, as torchrun starts them."""

import os
import pathlib
import socket
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


def free_port():
    """Return a port that nobody listens at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def processes(script, *arguments, count=2, started=None):
    """Start a script of this folder in several processes without torchrun, which would end all where one ends."""
    port, found = free_port(), []
    for rank in range(count if started is None else started):
        told = {"RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        found.append(
            subprocess.Popen(
                [sys.executable, str(HERE / script), *map(str, arguments)],
                env=environment() | {name: str(value) for name, value in told.items()},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return found
