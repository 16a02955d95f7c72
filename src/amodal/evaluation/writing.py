"""An evaluation's files."""

from __future__ import annotations

from pathlib import Path

from amodal.evaluation.evaluate import Evaluation
from amodal.files import replacing_file

REPORT = "report.json"


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write report.json; each file is there whole or not at all."""
    with replacing_file(folder / REPORT) as beside:
        beside.write_text(evaluation.report.model_dump_json(indent=1) + "\n", encoding="utf-8")
