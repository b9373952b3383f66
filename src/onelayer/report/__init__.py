"""What fits amount to, for machines (``summarise``) and for people (``write_report`` and its like)."""

from onelayer.report.metrics import evaluate
from onelayer.report.page import write_report
from onelayer.report.summary import summarise
from onelayer.report.sweeps import write_path_report, write_probe_report

__all__ = ["evaluate", "summarise", "write_path_report", "write_probe_report", "write_report"]
