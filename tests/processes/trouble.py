"""A fit in several processes in which something goes wrong in one of them; each prints how it ended."""

import os
import signal
import sys
import time
import warnings

import numpy as np

import onelayer as ol
from instances import PROBLEMS
from onelayer.callbacks import Callback
from onelayer.data import stream
from onelayer.errors import OnelayerError
from onelayer.estimators import memory
from onelayer.processes import group, join, launch

# Rows of a block, so that a read is many of them.
SIZE = 20


class At(Callback):
    """Does something at the first iteration, where the number of this process is the given one."""

    def __init__(self, rank, act):
        self.rank, self.act = rank, act

    def on_iteration(self, iterate):
        if iterate.record.iteration == 1 and join().rank == self.rank:
            return self.act()
        return False


class Changing:
    """Rows of which one is another from the third read on, where the number of this process is 1."""

    def __init__(self, X, y):
        self.X, self.y, self.reads = X, y, 0

    def __call__(self):
        self.reads += 1
        for start in range(0, len(self.X), SIZE):
            X = self.X[start : start + SIZE].copy()
            if self.reads > 3 and start == 10 * SIZE and join().rank == 1:
                X[0, 0] += 1
            yield X, self.y[start : start + SIZE]


def fail():
    """Fail as a user's function would."""
    raise RuntimeError("the disk of the tracker is full")


def interrupt():
    """Press Ctrl-C."""
    raise KeyboardInterrupt


def stop():
    """Ask for the end of the fit, as a rule of the user's would."""
    return True


def gone():
    """Die without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


def mute():
    """Neither die nor work."""
    os.kill(os.getpid(), signal.SIGSTOP)


def slow():
    """Take longer than others wait for one that is not heard of."""
    end = time.monotonic() + 8
    while time.monotonic() < end:
        time.sleep(0.05)


ACTS = {"fail": fail, "interrupt": interrupt, "stop": stop, "gone": gone, "mute": mute, "slow": slow}


def fit(name, rank):
    """Fit with the trouble of this name in the process of this number, and say how it ended."""
    X, y = PROBLEMS["three classes"](rows=300)
    clock = 1e-9 if name == "clock" and rank == join().rank else None
    model = ol.SoftmaxRegression(tol=1e-13, time_limit=clock)
    if name in ACTS:
        model.set_callbacks(At(rank, ACTS[name]))
    source = Changing(X, y) if name == "changing" else (X, y)
    if name == "nan" and join().rank == rank:
        X[200, 1] = np.nan
    if name == "other columns" and join().rank == rank:
        source = (X[:, :3], y)
    if name == "another program" and join().rank == rank:
        with join().shared() as processes:
            processes.agreed(1)
    model.fit(stream(source, shards="own" if name in ("nan", "other columns") else "divide"))
    return f"fitted {model.result_.status} {model.coef_.ravel()[0].hex()}"


def main(troubles):
    """Fit with one trouble after the other."""
    launch._ARRIVAL, group._PATIENCE, group._SIGN_OF_LIFE = launch._ARRIVAL / 15, 4.0, 1.0
    # A sample of some 60 rows: a poor model of the others, so that there are steps.
    budget = memory.Budget(2**22, 60 * (4 * 8 + 80), SIZE * 4 * 8, per_output=20)
    memory.Budget.of = staticmethod(lambda *_: budget)
    for trouble in troubles:
        name, rank = trouble.split(":")
        try:
            end = fit(name, int(rank))
        except KeyboardInterrupt:
            end = "interrupted"
        except (OnelayerError, RuntimeError) as error:
            end = f"{type(error).__name__} {error}"
        print(end, flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])
