"""An evaluation's files."""

from __future__ import annotations

from pathlib import Path

from amodal.files import replacing_file
from amodal.report.evaluate import Evaluation
from amodal.report.page import write_page

REPORT, PAGE = "report.json", "report.html"
_SHOWN_ROWS = 12


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write report.json and report.html; each file is there whole or not at all."""
    with replacing_file(folder / REPORT) as beside:
        beside.write_text(evaluation.report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    shown = evaluation.shown(_SHOWN_ROWS)
    write_page(evaluation.report, shown, evaluation.evidence.modalities, folder / PAGE)
