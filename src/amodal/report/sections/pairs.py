"""Any to any: matching accuracy of each column drawn from each other one."""

from __future__ import annotations

from typing import Any

import numpy as np

from amodal.metrics import Metric, MetricUnavailable, PairMatching, pair_matching
from amodal.pages import Cell
from amodal.report.context import ReportContext
from amodal.report.examples import Example, TranslationExample
from amodal.report.page.view import PageView
from amodal.report.section import Result, Section


class PairScore(Result):
    """Matching accuracy of a given and a target column.

    Attributes:
        given: the given column.
        target: the column that is drawn from it alone; of whole generated rows, the other column.
        score: 0.5 by chance, 1 always; the ceiling is real rows, the floor these shuffled.
        is_informative: whether real rows match beyond chance; otherwise no model can be measured by the pair.
        relative: from chance, 0, to real rows, 1, clipped; None where the pair is not informative.
    """

    given: str
    target: str
    score: Metric
    is_informative: bool
    relative: float | None


def compute(context: ReportContext) -> list[PairScore]:
    """Match the cells drawn from each column alone to the given ones."""
    real, scores = context.vectors["evaluated"], []
    for given, drawn in context.translations.items():
        present = context.evaluated.mask(given).numpy()
        for target, cells in drawn.items():
            matcher = context.matcher(given, target)
            if matcher is None:
                continue
            with context.optional("matching accuracy", f"{given} -> {target}"):
                found = pair_matching(
                    matcher,
                    (real[given][present], context.features[target](cells)),
                    (real[given], real[target]),
                    seed=context.seed,
                )
                scores.append(pair_score(context, given, target, found))
    if not scores:
        raise MetricUnavailable("no two columns can be matched")
    return scores


def pair_score(context: ReportContext, given: str, target: str, found: PairMatching) -> PairScore:
    """The score of two columns."""
    return PairScore(
        given=given,
        target=target,
        score=matching_metric(context, found),
        is_informative=found.is_informative,
        relative=float(np.clip(found.relative, 0, 1)) if found.is_informative else None,
    )


def matching_metric(context: ReportContext, found: PairMatching) -> Metric:
    """Matching accuracy between that of shuffled and of real rows."""
    return context.metric(
        found.generated,
        "matching accuracy",
        better="higher",
        description="How often a cell is matched to its own row's rather than another's; 0.5 by chance.",
        ceiling=found.real,
        floor=found.shuffled,
        floor_kind="shuffled",
    )


def view(pairs: list[PairScore], page: PageView) -> dict[str, Any]:
    """The matrix, given columns by target columns in the table's order, and translations of single rows."""
    found = {(pair.given, pair.target): pair for pair in pairs}
    columns = [name for name in page.columns if any(name in pair for pair in found)]
    return {
        "columns": columns,
        "matrix": [[found.get((given, target)) for target in columns] for given in columns],
        "informative": sum(pair.is_informative for pair in pairs),
        "translations": _translations(page),
    }


def _translations(page: PageView) -> list[dict[str, Any]]:
    """Real rows with cells drawn from single ones of them; images and sounds first where there are too many."""

    def order(name: str) -> int:
        column = page.columns[name]
        return 0 if column.display in ("image", "audio") else 1 + column.is_scalar

    examples = sorted(page.examples.translations, key=lambda each: order(each.target) + order(each.given))
    kept = examples[: page.detail.pairs]
    rows = {each.row.row: each.row for each in kept}
    return [
        _translation(row, [each for each in kept if each.row.row == row.row], page) for row in rows.values()
    ]


def _translation(row: Example, examples: list[TranslationExample], page: PageView) -> dict[str, Any]:
    drawn = {(each.given, each.target): each.drawn for each in examples}
    columns = [name for name in page.columns if any(name in pair for pair in drawn)]

    def cell(given: str, target: str) -> Cell | None:
        if given == target:
            return page.cell(given, row.cells.get(given), "given")
        if (given, target) not in drawn:
            return None
        return page.cell(target, drawn[given, target], "drawn")

    return {
        "row": row.row + 1,
        "columns": columns,
        "real": [page.cell(name, row.cells.get(name), "real") for name in columns],
        "lines": {
            given: [cell(given, target) for target in columns]
            for given in columns
            if any(given == source for source, _ in drawn)
        },
    }


SECTION = Section("pairs", "Any to any", compute, view)
