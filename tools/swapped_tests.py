"""A pytest plugin for ``sklearn_tests.py``: swap classes before the tests import them, and note who constructs them.

``ONELAYER_SWAP`` holds the names to swap ("" for none), ``ONELAYER_WATCH`` those whose construction is noted, and
``ONELAYER_OUTCOMES`` the file that one line of JSON for each test is written to.
"""

import functools
import importlib
import json
import os

import pytest

from onelayer.sklearn.names import DROP_INS

_constructed = set()
_outcomes = {}


def pytest_configure(config):
    """Swap and watch, before any test module is imported."""
    config.addinivalue_line("markers", "thread_unsafe: of scikit-learn's own runs in parallel")
    swap = [name for name in os.environ["ONELAYER_SWAP"].split(",") if name]
    if swap:
        from onelayer.sklearn import patch

        patch(swap)
    for name in os.environ["ONELAYER_WATCH"].split(","):
        ours, theirs = DROP_INS[name]
        _watch(getattr(importlib.import_module(ours if name in swap else theirs), name), name)


def _watch(kind, name):
    init = kind.__init__

    @functools.wraps(init)
    def noted(self, *args, **kwargs):
        _constructed.add(name)
        init(self, *args, **kwargs)

    kind.__init__ = noted


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Begin each test with nothing constructed."""
    _constructed.clear()
    _outcomes[item.nodeid] = {"test": item.nodeid, "outcome": "passed", "error": "", "constructed": []}
    done = yield
    _outcomes[item.nodeid]["constructed"] = sorted(_constructed)
    with open(os.environ["ONELAYER_OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(_outcomes.pop(item.nodeid)) + "\n")
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Keep the worst outcome of set-up, call and tear-down, and the first line of its error."""
    report = yield
    kept = _outcomes[item.nodeid]
    if report.skipped and kept["outcome"] == "passed":
        kept["outcome"] = "xfailed" if hasattr(report, "wasxfail") else "skipped"
    elif report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        text = crash.message if crash else str(report.longrepr)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        kept["outcome"], kept["error"] = "failed", " ".join(lines[:3])[:300]
    return report
