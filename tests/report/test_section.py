from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from amodal.metrics import BY_TYPE
from amodal.metrics.by_type import CategoryMetrics, CellErrors
from amodal.report import SECTIONS, Report, evaluate, write_evaluation
from amodal.report.section import Section
from amodal.table import read_table
from tests.report.test_evaluate import Copier, fitted, kinds

TOY = """
from amodal.metrics import MetricUnavailable
from amodal.report import ReportContext, Section
from amodal.report.section import Result


class Toy(Result):
    longest: int


def compute(context: ReportContext) -> Toy:
    if context.target == "odd":
        raise MetricUnavailable("odd targets have none")
    return Toy(longest=max(map(len, context.modalities)))


def view(result: Toy, page: object) -> dict[str, str]:
    return {"stars": "<*>" * result.longest}


SECTION = Section("toy", "Longest name: {result.longest}", compute, view)
"""
TEMPLATE = "<p>{{ result.longest }} letters {{ stars }} {{ percent(0.5) }}</p>\n"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Section:
    """A section of two files, in a package of its own."""
    package = tmp_path / "toy_sections"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "toy.py").write_text(TOY)
    (package / "toy.html.jinja").write_text(TEMPLATE)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("toy_sections.toy").SECTION


def test_a_section_is_two_files(toy: Section, tmp_path: Path) -> None:
    training, heldout = read_table(kinds(60, 0)), read_table(kinds(40, 1))
    model = fitted(training, Copier)
    fidelity = next(section for section in SECTIONS if section.name == "fidelity")
    evaluation = evaluate(model, heldout, sections=(toy, fidelity))
    write_evaluation(evaluation, tmp_path / "out")
    text = (tmp_path / "out" / "report.json").read_text(encoding="utf-8")
    report = json.loads(text)
    assert report["sections"]["toy"] == {"longest": 4}
    assert list(report["sections"]) == ["toy", "fidelity"]
    assert Report.model_validate_json(text).sections["fidelity"] == evaluation.report.sections["fidelity"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '<a href="#toy">Longest name: 4</a>' in page
    assert '<section id="toy">\n<h2>Longest name: 4</h2>\n<p>4 letters &lt;*&gt;' in page
    assert page.index('id="toy"') < page.index('id="fidelity"')

    missing = evaluate(model, heldout, target="odd", sections=(toy,)).report
    assert missing.sections == {}
    assert ("toy", "odd targets have none") in [(each.metric, each.reason) for each in missing.unavailable]


def test_every_section_has_a_name_a_template_and_a_type() -> None:
    names = [section.name for section in SECTIONS]
    assert len(set(names)) == len(names)
    for section in SECTIONS:
        folder = Path(importlib.import_module(section.package).__file__ or "").parent
        assert (folder / section.template).is_file()
        with pytest.raises(ValueError, match="validation error"):
            section.read("no result")


def test_a_type_without_an_entry_is_evaluated_as_far_as_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(BY_TYPE, "category")
    training, heldout = read_table(kinds(300, 0)), read_table(kinds(100, 1))
    evaluation = evaluate(fitted(training, Copier), heldout, training=training, target="kind")
    report = evaluation.report
    fidelity = {column.column: column for column in report.sections["fidelity"]}
    assert fidelity["kind"].metrics[0].name == "Frechet distance"
    assert "kind" not in {column.column for column in report.sections["completion"]}
    reasons = {(each.metric, each.of): each.reason for each in report.unavailable}
    assert reasons["completion", "kind"] == "no completion error is defined for columns of type category"
    assert reasons["target", ""] == "'kind' is of type category, and a target is a category or a number"
    write_evaluation(evaluation, tmp_path / "out")
    assert "north" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_type_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    class Toy(CategoryMetrics):
        typical_name = "first label"

        def errors(self, truth: Any, completed: Any) -> CellErrors:
            return CellErrors((truth != completed).numpy() * 1.0, "toy error", "lower", "Wrong labels.")

    monkeypatch.setitem(BY_TYPE, "category", Toy)
    training, heldout = read_table(kinds(200, 0)), read_table(kinds(60, 1))
    completion = next(section for section in SECTIONS if section.name == "completion")
    report = evaluate(fitted(training, Copier), heldout, training=training, sections=(completion,)).report
    kind = next(column for column in report.sections["completion"] if column.column == "kind")
    assert (kind.model.name, kind.model.better) == ("toy error", "lower")
    assert kind.model.value < 0.1
    assert kind.imputers[0].name == kind.model.floor_kind == "first label"
