"""All results of an evaluation, as report.json holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import field_validator

from amodal.report.context import UnavailableMetric
from amodal.report.provenance import ColumnInfo, Provenance
from amodal.report.section import Result
from amodal.report.sections import SECTIONS
from amodal.report.summary import Summary


class Report(Result):
    """All results of `amodal evaluate`.

    Attributes:
        format: version of this layout.
        provenance: model, tables and versions.
        columns: of the model, the ignored ones too.
        summary: headlines.
        sections: section -> its result; those that are unavailable, or were not asked for, are absent. Their
            types are in `amodal.report.sections`.
        unavailable: the metrics that could not be computed, and why.
    """

    format: Literal[3] = 3
    provenance: Provenance
    columns: list[ColumnInfo]
    summary: Summary
    sections: dict[str, Any]
    unavailable: list[UnavailableMetric]

    @field_validator("sections")
    @classmethod
    def _read(cls, sections: Mapping[str, Any]) -> dict[str, Any]:
        """Results of the sections that are known from their JSON values; others stay as they are."""
        known = {section.name: section for section in SECTIONS}
        return {name: known[name].read(value) if name in known else value for name, value in sections.items()}
