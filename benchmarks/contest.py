"""Which runs are made: each contestant climbs its ladder once, then the runs that decide are repeated in turn."""

import dataclasses
from typing import Any

from climbing import climb
from gaps import THRESHOLDS, Bounds, decide
from judging import judge
from peers import label
from results import Results
from running import Runner

__all__ = ["Contest"]


@dataclasses.dataclass
class Contest:
    """One problem and those who try it.

    Attributes
    ----------
    problem : Problem
    prepared : Prepared
    peers : list of Peer
    results : Results
    runner : Runner
    ladder_limit : float
        Seconds for all first runs of one contestant together.
    certify_all : bool
        Ask for a certificate of every result, also where those of others tell its gap well enough.
    say : callable
        Takes one line of progress.
    """

    problem: Any
    prepared: Any
    peers: list
    results: Results
    runner: Runner
    ladder_limit: float
    certify_all: bool
    say: Any

    def climb(self, peer):
        """Run a contestant's settings from coarse to tight, once each."""
        climb(
            peer.ladder(self.prepared.task),
            lambda setting: self.measure(peer, setting, 0),
            lambda: self.results.of(self.problem.name),
            self.ladder_limit,
            self.runner.time_limit,
        )

    def repeat(self, times):
        """Run the deciding settings again, so that each contestant has `times` runs of them, one after the other in turn."""
        bounds = self._bounds()
        for turn in range(1, times):
            for peer in self.peers:
                mine = self.results.of(self.problem.name, peer.name)
                settings = []
                for threshold in THRESHOLDS:
                    setting = decide(mine, threshold, bounds)
                    if setting is not None and setting not in settings:
                        settings.append(setting)
                for setting in settings:
                    self.measure(peer, setting, turn)

    def measure(self, peer, setting, turn):
        """Return the run, from the record or made now and judged."""
        known = self.results.find(self.problem.name, peer.name, setting, turn)
        if known is not None and (
            known["outcome"] == "done" or known["time_limit"] >= self.runner.time_limit
        ):
            return known
        report, coefficients = self.runner.run(peer, self.prepared, setting)
        run = {
            "problem": self.problem.name,
            "peer": peer.name,
            "setting": setting,
            "repeat": turn,
            "time_limit": self.runner.time_limit,
            **report,
        }
        if report["outcome"] == "done":
            # Data that exist only on the device were judged there.
            run |= report.get("judgement") or self._judge(coefficients)
        run = self.results.add(run)
        self.say(self._line(run))
        return run

    def _judge(self, coefficients):
        wanted = None if self.certify_all else self._bounds().wants_certificate
        return dataclasses.asdict(
            judge(self.prepared.task, *self.prepared.load(), *coefficients, wanted=wanted)
        )

    def _bounds(self):
        return Bounds.of(self.results.of(self.problem.name))

    def _line(self, run):
        head = f"{run['problem']:24} {run['peer']:26} {label(run['setting']):22}"
        if run["outcome"] != "done":
            return f"{head} {run['outcome']} {run.get('error', '')}".rstrip()
        bounds = self._bounds()
        kind = "gap" if bounds.proven else "above the lowest found"
        return f"{head} {run['seconds']:9.3f} s  {kind} {bounds.gap(run):.1e}"
