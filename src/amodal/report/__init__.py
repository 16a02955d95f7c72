"""The report on a fitted model: sections of metrics, as report.json and as a page."""

from amodal.report.context import ReportContext
from amodal.report.evaluate import Evaluation, evaluate, write_evaluation
from amodal.report.examples import ReportExamples
from amodal.report.report import Report
from amodal.report.section import Section
from amodal.report.sections import SECTIONS

__all__ = [
    "SECTIONS",
    "Evaluation",
    "Report",
    "ReportContext",
    "ReportExamples",
    "Section",
    "evaluate",
    "write_evaluation",
]
