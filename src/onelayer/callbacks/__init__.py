"""Callbacks: what watches a fit. They are told about each iteration and may stop it."""

from onelayer.callbacks.base import Callback
from onelayer.callbacks.early_stopping import EarlyStopping
from onelayer.callbacks.iterates import Iterates
from onelayer.callbacks.live import LiveCurve
from onelayer.callbacks.logs import FitLog
from onelayer.callbacks.mlflow import MLflow
from onelayer.callbacks.monitor import Monitor
from onelayer.callbacks.progress import ProgressBar, TraceLog
from onelayer.callbacks.tensorboard import TensorBoard

__all__ = [
    "Callback",
    "EarlyStopping",
    "FitLog",
    "Iterates",
    "LiveCurve",
    "MLflow",
    "Monitor",
    "ProgressBar",
    "TensorBoard",
    "TraceLog",
]
