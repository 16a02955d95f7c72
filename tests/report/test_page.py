from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amodal.batch import Batch
from amodal.media import Sound
from amodal.metrics import column_metrics
from amodal.report import Report, ReportExamples
from amodal.report.examples import Example
from amodal.report.page import writing
from amodal.report.page.charts import bars, histogram
from amodal.report.page.detail import DETAILS
from amodal.report.page.view import PageView
from amodal.report.page.writing import write_page
from amodal.report.sections import SECTIONS, latent_map
from tests.report.reports import bare_report, examples, full_report

VOID = {"meta", "img", "br", "link", "path", "polygon", "polyline"}


class Page(HTMLParser):
    """A page's elements and words; fails on tags that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.elements if tag in tags]


Write = Callable[..., Page]


@pytest.fixture
def write(tmp_path: Path, modalities: dict[str, Any], real: Batch) -> Write:
    def write(
        report: Report | None = None,
        rows: ReportExamples | None = None,
        columns: dict[str, Any] | None = None,
    ) -> Page:
        columns = modalities if columns is None else columns
        path = write_page(
            report or full_report(columns), rows or examples(columns, real), columns, tmp_path / "report.html"
        )
        assert path.stat().st_size <= writing.MOST_BYTES
        return Page(path.read_text(encoding="utf-8"))

    return write


def test_nothing_is_loaded_from_elsewhere(write: Write) -> None:
    page = write()
    addresses = [
        attrs[name]
        for _, attrs in page.elements
        for name in ("src", "href", "srcset", "data")
        if name in attrs
    ]
    assert {address.split(":")[0] for address in addresses if not address.startswith("#")} == {"data"}
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.elements}
    assert "url(" not in page.html
    assert "@import" not in page.html


def test_all_parts_are_there_and_linked(write: Write) -> None:
    page = write()
    marks = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(marks) == len(set(marks))
    linked = {attrs["href"].removeprefix("#") for attrs in page.all("a")}
    assert linked == {*(section.name for section in SECTIONS), "provenance"}
    assert linked <= set(marks)


def test_the_summary_is_in_plain_words(write: Write) -> None:
    head = write().text.split("Any to any Each")[0]
    assert "63 % of the way from random rows to real ones, by the worst part" in head
    assert "Worst: audio (generated cells are less varied than real ones)." in head
    assert "might be 55 % to 72 %" in head
    assert "Do likelihoods give training rows away? 0.520 AUC" in head
    assert "fitted to 300 rows, evaluated on 40 rows of heldout.csv that it never saw" in head
    assert "The weakest pair is a -> b." in head
    assert "Can generated rows be distinguished from real ones? 0.800 AUC shuffled 1 real rows 0.500" in head
    assert "Were rows copied from training? 4 % shuffled 100 % real rows 5 %" in head


def test_the_matrix_tells_each_pair(write: Write, modalities: dict[str, Any]) -> None:
    page = write()
    table = page.html.split('<table class="matrix">')[1].split("</table>")[0]
    pairs = len(modalities) * (len(modalities) - 1)
    assert table.count("--share:0.500") == pairs - 1
    assert table.count('aria-label="not informative"') == 1
    assert "50 % 0.70 of 0.90" in Page(f"<table>{table}</table>").text
    assert f"{pairs - 1} of {pairs} pairs are informative" in page.text


def test_generated_cells_stand_beside_real_and_nearest_ones(write: Write) -> None:
    page = write()
    section = page.html.split('<section id="fidelity">')[1].split("</section>")[0]
    headings = re.findall(r"<(?:h4|th)[^>]*>(Real|Generated|Nearest training row)<", section)
    assert headings[:3] == ["Real", "Generated", "Nearest training row"]
    # The nearest rows lack the first column's cells, which keep their places.
    panels = [part.count("<li>") for part in section.split("<h4>")[1:4]]
    assert panels == [6, 6, 6]
    assert section.split("<h4>")[3].count('class="missing"') == 6


def test_files_are_in_the_page_itself(write: Write) -> None:
    page = write()
    kinds = {attrs["src"].split(",")[0] for attrs in page.all("img", "audio")}
    assert kinds == {"data:image/png;base64", "data:audio/wav;base64"}
    spectrograms = [attrs for attrs in page.all("img") if attrs.get("class") == "spectrogram"]
    assert len(spectrograms) == len(page.all("audio"))


def test_the_page_can_be_heard(write: Write) -> None:
    page = write()
    assert all(attrs["alt"] for attrs in page.all("img"))
    assert all(attrs["aria-label"] for attrs in page.all("audio"))
    assert all(attrs["aria-label"] for attrs in page.all("svg"))
    assert all(attrs["scope"] in ("row", "col") for attrs in page.all("th"))
    assert page.html.count("<table") == page.html.count("<caption")
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_names_and_cells_cannot_become_part_of_the_page(
    write: Write, modalities: dict[str, Any], real: Batch
) -> None:
    evil = "</style><script>alert('{}')</script>\" onload=\"x"
    names = {name: evil.replace("{}", name) for name in modalities}
    columns = {names[name]: modality for name, modality in modalities.items()}
    batch = Batch({names[name]: cells for name, cells in real.x.items()}, real.present, real.rows)
    rows = examples(columns, batch)
    texts = {name: evil for name in columns if columns[name].type in ("text", "category")}
    cell = [replace(row, cells=row.cells | texts) for row in rows.real]
    rows = replace(
        rows,
        real=cell,
        map_labels=[evil] * len(real),
        real_values={name: [evil] if name in texts else values for name, values in rows.real_values.items()},
    )
    page = write(full_report(columns), rows, columns)
    assert not page.all("script")
    assert len(page.all("style")) == 1
    assert not [attrs for _, attrs in page.elements if "onload" in attrs]
    assert all(name in " ".join(page.words) for name in columns)


def test_what_is_missing_is_left_out(write: Write, modalities: dict[str, Any], real: Batch) -> None:
    rows = replace(
        examples(modalities, real),
        real=[],
        generated=[],
        nearest=[],
        translations=[],
        real_values={},
        generated_values={},
        latent_map=np.empty((0, 2)),
        map_labels=[],
        map_column="",
    )
    page = write(bare_report(modalities), rows)
    assert {attrs["href"] for attrs in page.all("a")} == {"#fidelity", "#provenance"}
    assert "How good the generated rows are" in page.text
    assert "fidelity audio it needs at least 50 rows" in page.text
    assert "id every cell is another number" in page.text
    assert not page.all("img", "audio", "svg")


def test_a_table_without_files(write: Write, modalities: dict[str, Any], real: Batch) -> None:
    columns = {name: modalities[name] for name in ("number", "category")}
    batch = Batch({name: real.x[name] for name in columns}, real.present[:, [2, 3]], real.rows)
    page = write(full_report(columns), examples(columns, batch), columns)
    assert not page.all("img", "audio")
    assert page.html.count('class="dots of-drawn"') == 3


def test_how_it_was_made_is_told(write: Write) -> None:
    text = write().text.split("How it was made")[-1]
    for words in ("mvtcae, latent 32", "1,234,567", "300 rows, seed 3", "seed 5, 12.5 s", "amodal 0.1.0"):
        assert words in text


def test_scores_have_their_numbers(write: Write) -> None:
    text = write().text
    assert "nearest rows" in text
    assert "RMSE cm" in text
    assert "90 % 81 %" in text
    assert "all columns are better than the best single one" in text
    assert "7 epochs in 7 s" in text


def test_large_cells_are_shown_smaller(
    write: Write, modalities: dict[str, Any], real: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (700, 500, 3), dtype=np.uint8)
    noise = Sound(rng.uniform(-1, 1, 16_000 * 7).astype(np.float32), 16_000)
    large = {"image": picture, "audio": noise, "text": "word " * 5_000}

    def grown(row: Example) -> Example:
        return replace(
            row, cells=row.cells | {name: cell for name, cell in large.items() if row.cells[name] is not None}
        )

    rows = examples(modalities, real)
    rows = replace(
        rows,
        real=[grown(row) for row in rows.real[:2]],
        generated=[grown(row) for row in rows.generated[:2]],
        nearest=[grown(row) for row in rows.nearest[:2]],
        translations=[
            replace(pair, row=grown(pair.row), drawn=large.get(pair.target, pair.drawn))
            for pair in rows.translations[:3]
        ],
    )
    assert "below 10 MB" not in write(rows=rows).text
    monkeypatch.setattr(writing, "MOST_BYTES", 1_000_000)
    page = write(rows=rows)
    limits = re.search(r"images are at most (\d+) pixels a side, sounds at most ([\d.]+) s", page.text)
    assert limits
    assert int(limits[1]) < 192
    assert float(limits[2]) < 6


def test_shapes_of_numbers() -> None:
    shape = histogram([float(value) for value in range(1000)], [2000.0])
    assert shape is not None
    assert shape.outside == 1
    # What lies beyond is in the last bin.
    assert shape.generated.split()[-2:] == ["100.00,4.00", "100.00,100.00"]
    assert histogram([], [1.0]) is None
    assert histogram([3.0, 3.0], [3.0]) is not None


def test_shapes_of_labels() -> None:
    real = [str(label) for label in range(20) for _ in range(40 - label)]
    shown_bars = bars(real, ["0", "new"])
    assert [bar.label for bar in shown_bars[:2]] == ["0", "1"]
    assert shown_bars[-1].label == "9 others"
    assert sum(bar.real for bar in shown_bars) == pytest.approx(1)
    assert (shown_bars[0].generated, shown_bars[-1].generated) == (0.5, 0.5)
    assert bars([], []) == []


def test_thumbnails_leave_each_other_room(modalities: dict[str, Any], real: Batch) -> None:
    places = np.zeros((len(real), 2))
    places[0] = 1, 1
    rows = replace(examples(modalities, real), latent_map=places)
    report = full_report(modalities)
    columns = {name: column_metrics(modality) for name, modality in modalities.items()}
    drawn = latent_map.view(report.sections["latent_map"], PageView(report, rows, columns, DETAILS[0]))
    assert len(drawn["thumbnails"]) == 2
    assert drawn["points"].count("M") == len(real)
