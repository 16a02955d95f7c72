"""Writing the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from amodal.files import replacing_file
from amodal.pages import loss_curve, render
from amodal.report.examples import Shown
from amodal.report.page import wording
from amodal.report.page.columns import column_sections
from amodal.report.page.detail import DETAILS, Detail
from amodal.report.page.fills import fill_table
from amodal.report.page.latent_map import latent_map
from amodal.report.page.matrix import matrix
from amodal.report.page.rows import translations, whole_rows
from amodal.report.page.target_chart import WAYS, target_chart
from amodal.report.results import Report

MOST_BYTES = 10_000_000


def write_page(report: Report, shown: Shown, modalities: Mapping[str, Any], path: Path) -> Path:
    """Write an evaluation as one file of at most 10 MB, which needs no other and no network.

    Where pictures and sounds are large, they are shown smaller, shorter and fewer, and the page says so.

    Args:
        report: what was found.
        shown: what was drawn.
        modalities: column -> its modality, as the model has them.
        path: the file to write or replace.

    Returns:
        `path`.
    """
    for detail in DETAILS:
        html = _page(report, shown, modalities, detail).encode()
        if len(html) <= MOST_BYTES:
            break
    with replacing_file(path) as beside:
        beside.write_bytes(html)
    return path


def _page(report: Report, shown: Shown, modalities: Mapping[str, Any], detail: Detail) -> str:
    names = [note.name for note in report.columns if note.type is not None]
    return render(
        "amodal.report.page",
        "report.html.jinja",
        report=report,
        detail=detail,
        whole=detail is DETAILS[0],
        used=[note for note in report.columns if note.type is not None],
        ignored=[note for note in report.columns if note.type is None],
        matrix=matrix(report.pairs, names),
        translations=translations(report, shown, detail),
        rows=whole_rows(report, shown, detail),
        columns=column_sections(report, shown, detail),
        fills=fill_table(report.completion),
        map=latent_map(shown, modalities, detail, report.made.seed),
        curve=loss_curve(pd.DataFrame(report.history)),
        target=report.target and target_chart(report.target),
        ways=WAYS,
        number=wording.number,
        percent=wording.percent,
        interval=wording.interval,
        measured=wording.measured,
        signed=wording.signed,
        joined=wording.joined,
    )
