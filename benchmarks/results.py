"""The record of all runs: one JSON file, written after each run, so that nothing measured is lost."""

import json
import math
import os
import pathlib

__all__ = ["Results"]


class Results:
    """Runs as plain dicts, found again by problem, contestant, setting and repeat.

    Parameters
    ----------
    file : path
        The JSON file.
    resume : bool
        Go on with what the file holds, instead of an empty record.
    """

    def __init__(self, file, *, resume=False):
        self.file = pathlib.Path(file)
        self.head = {}
        self.problems = {}
        self.runs = []
        self._index = {}
        if resume and self.file.exists():
            found = json.loads(self.file.read_text())
            self.head, self.problems = found["head"], found["problems"]
            for run in found["runs"]:
                self._keep(run)

    def find(self, problem, peer, setting, repeat):
        """Return the run, or None."""
        return self._index.get(_key(problem, peer, setting, repeat))

    def add(self, run):
        """Keep a run and write the file."""
        self._keep({key: _finite(value) for key, value in run.items()})
        self.write()
        return self.runs[-1]

    def write(self):
        """Write the file under a temporary name, then rename it."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.file.with_suffix(".json.tmp")
        content = {"head": self.head, "problems": self.problems, "runs": self.runs}
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False))
        os.replace(temporary, self.file)

    def of(self, problem, peer=None):
        """Return the runs of a problem (and of one contestant)."""
        return [
            run for run in self.runs if run["problem"] == problem and (peer is None or run["peer"] == peer)
        ]

    def _keep(self, run):
        key = _key(run["problem"], run["peer"], run["setting"], run["repeat"])
        if key in self._index:
            # A run with more time takes the place of one that had too little.
            self.runs.remove(self._index[key])
        self.runs.append(run)
        self._index[key] = run


def _key(problem, peer, setting, repeat):
    return problem, peer, json.dumps(setting, sort_keys=True), repeat


def _finite(value):
    """Return the value with numbers that JSON does not know as None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return value
