"""Callbacks: what watches a fit. They are told about each iteration and may stop it."""

from onelayer.callbacks.base import Callback
from onelayer.callbacks.iterates import Iterates
from onelayer.callbacks.live import LiveCurve
from onelayer.callbacks.monitor import Monitor
from onelayer.callbacks.progress import ProgressBar, TraceLog

__all__ = ["Callback", "Iterates", "LiveCurve", "Monitor", "ProgressBar", "TraceLog"]
