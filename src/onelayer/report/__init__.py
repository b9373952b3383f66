"""What a fit amounts to, for machines (``summarise``) and for people (``write_report``)."""

from onelayer.report.metrics import evaluate
from onelayer.report.page import write_report
from onelayer.report.summary import summarise

__all__ = ["evaluate", "summarise", "write_report"]
