"""Evaluation of a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amodal.files import replacing_file
from amodal.parallel import in_parallel
from amodal.persistence import FittedModel
from amodal.report.context import ReportContext
from amodal.report.examples import ReportExamples, report_examples
from amodal.report.page.writing import write_page
from amodal.report.provenance import column_infos, provenance
from amodal.report.report import Report
from amodal.report.section import Section
from amodal.report.sections import SECTIONS
from amodal.report.summary import summarize
from amodal.table import BadCellPolicy, Table

REPORT, PAGE = "report.json", "report.html"
_EXAMPLES = 12


@dataclass(frozen=True)
class Evaluation:
    """A report with the rows it is of.

    Attributes:
        report: the results.
        context: the rows, draws and features.
        sections: those of the report and its page.
    """

    report: Report
    context: ReportContext
    sections: Sequence[Section]

    def examples(self, rows: int = 8) -> ReportExamples:
        """Some real and generated rows' cells, converted when this is called."""
        return report_examples(self.context, rows)


def evaluate(
    fitted: FittedModel,
    heldout: Table,
    *,
    training: Table | None = None,
    target: str | None = None,
    seed: int = 0,
    bad_cells: BadCellPolicy = "error",
    sections: Sequence[Section] = SECTIONS,
) -> Evaluation:
    """Evaluate a model on rows that it was not fitted to, up to 2,000.

    Features, matchers, classifiers and imputers are fitted to other real rows: training rows where they are given, and
    else one half of the held-out rows.

    Args:
        fitted: the model.
        heldout: rows that it was not fitted to.
        training: the rows that it was fitted to; copies are searched for only where they are given.
        target: a column of categories or numbers to predict from the others.
        seed: of draws, splits, subsamples and intervals.
        bad_cells: "error" refuses cells that cannot be read, and labels that training rows did not have; "missing"
            takes them as missing.
        sections: of the report and its page, in order.

    Raises:
        UsageError: the model has no such target.
        DataError: a table has none of the model's columns, or cells that cannot be used.
    """
    context = ReportContext(fitted, heldout, training=training, target=target, seed=seed, bad_cells=bad_cells)
    results: dict[str, Any] = {}

    def compute(section: Section) -> None:
        with context.optional(section.name):
            result = section.compute(context)
            if result is not None:
                results[section.name] = result

    for _ in in_parallel(compute, sections, label="Evaluating", workers=1):
        pass
    origin = provenance(context)
    report = Report(
        provenance=origin,
        columns=column_infos(context),
        summary=summarize(context, origin, results),
        sections=results,
        unavailable=context.unavailable,
    )
    return Evaluation(report, context, sections)


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write report.json and report.html, each completely or not at all."""
    report, context = evaluation.report, evaluation.context
    with replacing_file(folder / REPORT) as partial:
        partial.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    examples = evaluation.examples(_EXAMPLES)
    write_page(report, examples, context.modalities, folder / PAGE, sections=evaluation.sections)
