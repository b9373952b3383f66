"""What ran the benchmark: processor, cores, versions. No names and no paths."""

import importlib
import importlib.metadata
import importlib.util
import os
import pathlib
import platform
import re
import subprocess
import sys

__all__ = ["describe", "missing"]


def describe(peers, threads, device):
    """Return plain facts for the head of the results."""
    names = {"onelayer", "numpy", "scipy", "torch", *(peer.distribution for peer in peers)}
    facts = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": threads,
        "memory_gb": _memory(),
        # Others' work on the machine makes seconds worthless, most of all with as many threads as cores.
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0,
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in sorted(names)},
    }
    if device == "cuda":
        import torch

        facts["device"] = torch.cuda.get_device_name()
    return facts


def missing(peers):
    """Return {library: reason} for libraries that cannot be imported, each tried in a process of its own."""
    reasons = {}
    for module, name in {peer.module: peer.distribution for peer in peers}.items():
        if importlib.util.find_spec(module) is None:
            reasons[name] = "not installed"
            continue
        tried = subprocess.run(
            [sys.executable, "-c", f"import {module}"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if tried.returncode:
            line = (tried.stderr.strip().splitlines() or ["no message"])[-1]
            reasons[name] = "import fails: " + re.sub(r"(/[\w.+-]+){2,}/?", "…", line)[:200]
    return reasons


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _memory():
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError, AttributeError):
        return None
