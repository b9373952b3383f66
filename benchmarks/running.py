"""Start one fit in a fresh process and take in what it reports."""

import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import numpy as np

__all__ = ["Runner"]

# Seconds that a process may take besides the fit: imports, numba's compilation, loading or making the data.
_ALLOWANCE = 300
_CHILD = pathlib.Path(__file__).with_name("child.py")
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


@dataclasses.dataclass(frozen=True)
class Runner:
    """How fits are run.

    Attributes
    ----------
    threads : int
        For every library.
    time_limit : float
        Seconds for the fit alone.
    device : str
    """

    threads: int
    time_limit: float
    device: str = "cpu"

    def run(self, peer, problem, setting):
        """Return (report, coefficients): a dict with ``outcome`` and, where there are any, two arrays."""
        with tempfile.TemporaryDirectory(prefix="onelayer-bench-") as folder:
            report, arrays = pathlib.Path(folder, "report.json"), pathlib.Path(folder, "coefficients.npz")
            order = {
                "peer": peer.name,
                "task": dataclasses.asdict(problem.task),
                "setting": setting,
                "device": self.device,
                "time_limit": self.time_limit,
                "recipe": problem.recipe,
                "X": str(problem.X_file),
                "y": str(problem.y_file),
                "report": str(report),
                "coefficients": str(arrays),
            }
            code, errors = self._execute(json.dumps(order))
            if code == -signal.SIGALRM:
                return {"outcome": "time limit"}, None
            if code == -signal.SIGKILL:
                return {"outcome": "killed (memory?)"}, None
            if code or not report.exists():
                return {"outcome": "failed", "error": _last_line(errors)}, None
            with np.load(arrays) as found:
                coefficients = found["coef"], found["intercept"]
            return {"outcome": "done", **json.loads(report.read_text())}, coefficients

    def _execute(self, order):
        environment = os.environ | dict.fromkeys(_THREADS, str(self.threads))
        if self.device != "cpu":
            # scikit-learn takes tensors only where SciPy was told so before its import.
            environment["SCIPY_ARRAY_API"] = "1"
        process = subprocess.Popen(
            [sys.executable, str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            # Ctrl-C is for this process, which then ends the other.
            start_new_session=True,
        )
        try:
            _, errors = process.communicate(order, timeout=self.time_limit + _ALLOWANCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return -signal.SIGALRM, process.communicate()[1]
        except BaseException:
            process.kill()
            process.wait()
            raise
        return process.returncode, errors


def _last_line(errors):
    """Return the exception's line, without any path of this machine."""
    lines = [line for line in errors.splitlines() if line.strip()]
    return re.sub(r"(/[\w.+-]+){2,}/?", "…", lines[-1])[:300] if lines else "no message"
