"""Writing the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amodal.files import replacing_file
from amodal.metrics import column_metrics
from amodal.modalities import Modality
from amodal.pages import render
from amodal.report.examples import ReportExamples
from amodal.report.page import formatting
from amodal.report.page.detail import DETAILS
from amodal.report.page.view import PageView
from amodal.report.report import Report
from amodal.report.section import Section
from amodal.report.sections import SECTIONS

MOST_BYTES = 10_000_000
_PACKAGE = "amodal.report.page"
_FORMATTING = {
    name: getattr(formatting, name) for name in ("number", "percent", "interval", "signed", "joined")
}


def write_page(
    report: Report,
    examples: ReportExamples,
    modalities: Mapping[str, Modality],
    path: Path,
    *,
    sections: Sequence[Section] = SECTIONS,
) -> Path:
    """Write a report as one file of at most 10 MB, which needs no other and no network.

    Where images and sounds are large, they are scaled down, cut and fewer; a note on the page gives the limits.

    Args:
        report: the results.
        examples: cells to show.
        modalities: column -> its modality, as the model has them.
        path: the file to write or replace.
        sections: in the page's order; those without a result are skipped.

    Returns:
        `path`.
    """
    columns = {name: column_metrics(modality) for name, modality in modalities.items()}
    for detail in DETAILS:
        html = _page(PageView(report, examples, columns, detail), sections).encode()
        if len(html) <= MOST_BYTES:
            break
    with replacing_file(path) as partial:
        partial.write_bytes(html)
    return path


def _page(page: PageView, sections: Sequence[Section]) -> str:
    parts: list[dict[str, Any]] = []
    for section in sections:
        result = page.report.sections.get(section.name)
        if result is not None:
            view = section.view(result, page)
            html = render((section.package, _PACKAGE), section.template, result=result, **view, **_FORMATTING)
            parts.append({"name": section.name, "title": section.heading(result), "html": html})
    return render(
        _PACKAGE,
        "page.html.jinja",
        report=page.report,
        sections=parts,
        detail=page.detail,
        is_reduced=page.detail is not DETAILS[0],
        **_FORMATTING,
    )
