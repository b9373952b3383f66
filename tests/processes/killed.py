"""A fit with a checkpoint that takes its time, in processes that may be killed; the first one tells of each iteration."""

import json
import os
import random
import signal
import sys
import threading
import time

import onelayer as ol
from onelayer.callbacks import Callback
from onelayer.data import stream
from onelayer.estimators import memory
from onelayer.processes import join

# Seconds of an iteration.
PACE = 0.15


class Telling(Callback):
    """Writes the number of each iteration to a file, and waits."""

    def __init__(self, path, rank):
        self.path, self.rank = path, rank

    def on_iteration(self, iterate):
        if not self.rank:
            with open(self.path, "a") as file:
                file.write(f"{attempt()} {iterate.record.iteration}\n")
        time.sleep(PACE)
        return False


def attempt():
    """Return how often torchrun has started the processes anew."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


def die_later(rank, victims):
    """Let those whose turn it is in this attempt die at some moment of the fit."""
    if attempt() >= len(victims) or rank not in victims[attempt()]:
        return
    after = random.Random(attempt()).uniform(0.1, 4 * PACE)
    threading.Timer(after, os.kill, (os.getpid(), signal.SIGKILL)).start()


def main(rows, folder, victims):
    """Fit and write the outcome."""
    # A sample of about 60 rows: a poor model, so that there are steps.
    budget = memory.Budget(2**22, 60 * (4 * 8 + 80), 20 * 4 * 8, per_output=20)
    memory.Budget.of = staticmethod(lambda *_: budget)
    group = join()
    die_later(group.rank, json.loads(victims))
    model = ol.SoftmaxRegression(C=100.0, tol=1e-13)
    model.set_callbacks(Telling(f"{folder}/iterations.txt", group.rank))
    model.fit(stream(rows, shards="divide"), checkpoint=f"{folder}/kept")
    if not group.rank:
        found = {
            "gap": model.certificate_.gap,
            "objective": model.certificate_.objective,
            "relative_gap": model.certificate_.relative_gap,
            "iterations": model.n_iter_,
            "shards": model.result_.shards,
        }
        with open(f"{folder}/end.json", "w") as file:
            json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
