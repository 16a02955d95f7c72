"""The report on a fitted model: sections of metrics, report.json and its page."""

from amodal.report.evaluate import Evaluation, evaluate
from amodal.report.examples import Shown
from amodal.report.results import Report
from amodal.report.writing import write_evaluation

__all__ = ["Evaluation", "Report", "Shown", "evaluate", "write_evaluation"]
