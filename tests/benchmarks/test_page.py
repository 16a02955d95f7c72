import json
from pathlib import Path

import pytest

from benchmarks.page import PAGE, page, section
from benchmarks.provenance import write_figures

ROOT = Path(__file__).parents[2]


def test_the_published_page_is_generated_from_the_results() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), "Run `python -m benchmarks.page`."


def test_every_section_says_command_machine_version_and_date() -> None:
    for file in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        provenance = json.loads(file.read_text(encoding="utf-8"))["provenance"]
        assert {"command", "machine", "amodal", "date"} <= provenance.keys(), file


def test_figures_become_a_table_with_a_gap_where_one_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    write_figures(file, "Two methods", {"one": {"share": 0.5, "rows": 1234}, "other": {"share": None}})
    text = section(file)
    assert text.startswith("## Two methods\n")
    assert "| one | 0.500 | 1,234 |" in text
    assert "| other |  |  |" in text


def test_an_unknown_record_is_refused_by_its_file_and_keys(tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    file.write_text('{"surprise": 1}')
    with pytest.raises(ValueError, match=r"odd\.json has none of the keys .*; its keys are surprise"):
        section(file)
