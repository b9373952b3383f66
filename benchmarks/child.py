"""One fit in a process of its own: started by `running.py`, never by hand.

Reads an order as JSON from standard input and writes what came of it to the files named there. After one tiny fit, which
pays for imports, compilers and thread pools, the data are loaded and fitted; the clock runs for the fit alone, and
memory is the growth of the peak from before the data.
"""

import dataclasses
import json
import pathlib
import signal
import sys
import time
import warnings

import memory
import numpy as np
from peers import PEERS
from tasks import Task, load_matrix

__all__ = ["main"]


def main():
    """Carry out the order."""
    order = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    peer, task, device = PEERS[order["peer"]], Task(**order["task"]), order["device"]
    setting, limit = dict(order["setting"]), order["time_limit"]
    dtype = setting.pop("dtype", None)
    if peer.name == "onelayer":
        # It can stop by the clock and then tell how far it came; the others are ended by the alarm below.
        setting["time_limit"] = 0.95 * limit
    report = _warm_up(peer, task, device, dtype, setting)
    begin = memory.resident_bytes() if memory.reset_peak() else None
    X, y = _data(order, device)
    synchronize = _synchronizer(device)
    # The default action of the signal ends the process, also inside of compiled code.
    signal.setitimer(signal.ITIMER_REAL, limit)
    start = time.perf_counter()
    fitted = peer.fit(task, _as_dtype(X, dtype), y, setting)
    synchronize()
    report["seconds"] = time.perf_counter() - start
    signal.setitimer(signal.ITIMER_REAL, 0)
    peak = memory.peak_bytes()
    report["memory"] = None if begin is None or peak is None else peak - begin
    report |= fitted.info
    if device == "cuda":
        from on_device import after_fit

        report |= after_fit(task, X, report)
    if order["recipe"] is not None:
        # These data exist only here, so they are judged here.
        from judging import judge

        report["judgement"] = dataclasses.asdict(judge(task, X, y, fitted.coef, fitted.intercept))
    np.savez(order["coefficients"], coef=_as_array(fitted.coef), intercept=_as_array(fitted.intercept))
    pathlib.Path(order["report"]).write_text(json.dumps(report))


def _warm_up(peer, task, device, dtype, setting):
    """Fit forty rows per class."""
    rows = 40 * max(task.classes, 1)
    generator = np.random.default_rng(0)
    X = generator.standard_normal((rows, 5)).astype(np.float32)
    y = np.arange(rows) % task.classes if task.classes else X[:, 0] + generator.standard_normal(rows)
    y = y if task.classes else y.astype(np.float32)
    tiny = Task(task.loss, max(task.alpha, 1e-3) if task.alpha else 0.0, rows, task.classes, task.delta)
    if device == "cuda":
        import torch

        X, y = torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)
    start = time.perf_counter()
    loose = setting | {key: value for key, value in (("tol", 1e-3), ("max_iter", 5)) if key in setting}
    if task.sparse:
        import scipy.sparse

        X = scipy.sparse.csr_matrix(X)
    peer.fit(tiny, _as_dtype(X, dtype), y, loose)
    return {"warm_up_seconds": time.perf_counter() - start}


def _data(order, device):
    if order["recipe"] is not None:
        from on_device import make

        return make(order["recipe"], device)
    X, y = load_matrix(order["X"]), np.load(order["y"])
    if device == "cpu":
        return X, y
    import torch

    return torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)


def _as_dtype(X, dtype):
    if dtype is None:
        return X
    return X.double() if hasattr(X, "double") else X.astype(dtype)


def _as_array(part):
    return np.asarray(part.cpu() if hasattr(part, "cpu") else part)


def _synchronizer(device):
    if device == "cpu":
        return lambda: None
    import torch

    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.synchronize


if __name__ == "__main__":
    main()
