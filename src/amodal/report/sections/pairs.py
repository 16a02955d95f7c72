"""Any to any: matching accuracy of each column drawn from each other one."""

from __future__ import annotations

from typing import Any

from amodal.metrics import MetricUnavailable, pair_matching
from amodal.pages import Cell
from amodal.report.context import ReportContext
from amodal.report.examples import Example, TranslationExample
from amodal.report.page.view import PageView
from amodal.report.section import Section
from amodal.report.sections.matching import PairScore, pair_score


def compute(context: ReportContext) -> list[PairScore]:
    """How often a target cell is matched to the given cell it is drawn from, for each ordered pair of columns."""
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
        return 0 if column.display != "text" else 1 + column.is_scalar

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
