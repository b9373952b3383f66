"""Resident memory of this process, from Linux' /proc; None elsewhere."""

import pathlib

__all__ = ["peak_bytes", "resident_bytes", "reset_peak"]

_STATUS = pathlib.Path("/proc/self/status")


def resident_bytes():
    """Return what is resident now."""
    return _field("VmRSS")


def peak_bytes():
    """Return the most that was resident since `reset_peak`, or since the start where that was refused."""
    return _field("VmHWM")


def reset_peak():
    """Let the peak start from what is resident now; without that, imports may count."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _field(name):
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(name + ":"):
            return 1024 * int(line.split()[1])
    return None
