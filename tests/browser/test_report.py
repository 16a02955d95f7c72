"""The report in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amodal.batch import Batch
from amodal.metrics import scaled_batch
from amodal.modalities import MODALITIES
from amodal.report.page.writing import write_page
from amodal.table import Table, encode, infer_schema
from tests.report.reports import bare_report, examples, full_report

pytestmark = pytest.mark.browser


@dataclass
class Seen:
    """A page that was opened, and what its browser did and said."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Open = Callable[[Path], Seen]


@pytest.fixture(scope="session")
def columns(five_columns: Table) -> dict[str, Any]:
    return dict(infer_schema(five_columns, MODALITIES).used)


@pytest.fixture(scope="session")
def rows(five_columns: Table, columns: dict[str, Any]) -> Batch:
    return scaled_batch(encode(five_columns, columns), columns)


@pytest.fixture(scope="session")
def report(columns: dict[str, Any], rows: Batch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    return write_page(full_report(columns), examples(columns, rows), columns, path)


@pytest.fixture(params=[(width, scheme) for width in (400, 1400) for scheme in ("light", "dark")], ids=str)
def opened(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Open]:
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)

    def opened(path: Path) -> Seen:
        seen = Seen(context.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.goto(path.as_uri(), wait_until="load")
        return seen

    yield opened
    context.close()


def test_it_loads_itself_alone_and_complains_of_nothing(opened: Open, report: Path) -> None:
    seen = opened(report)
    seen.page.wait_for_timeout(300)
    assert [url for url in seen.requests if not url.startswith("data:")] == [report.as_uri()]
    assert not seen.complaints


def test_nothing_is_wider_than_the_page(opened: Open, report: Path) -> None:
    page = opened(report).page
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_pictures_and_sounds_are_there(opened: Open, report: Path) -> None:
    page = opened(report).page
    assert page.evaluate("document.images.length") > 40
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    page.wait_for_function("[...document.querySelectorAll('audio')].every(sound => sound.duration > 0)")
    assert page.evaluate("document.querySelectorAll('audio').length") > 10


def test_headings_say_what_is_there(opened: Open, report: Path) -> None:
    page = opened(report).page
    assert page.get_by_role("heading", level=1).count() == 1
    for heading in (
        "Any to any",
        "Whole rows",
        "Columns",
        "Holes filled",
        "Predicting category",
        "New or copied",
    ):
        assert page.get_by_role("heading", name=heading, exact=True, level=2).count() == 1


def test_words_stand_out_from_what_is_behind_them(opened: Open, report: Path) -> None:
    """By WCAG's formula, 4.5 to 1 for words; pictures and players are not looked at."""
    faint = opened(report).page.evaluate(CONTRAST)
    assert not faint


def test_each_link_leads_somewhere_and_scrolls_there(opened: Open, report: Path) -> None:
    page = opened(report).page
    for link in page.locator("nav a").all():
        target = page.locator(link.get_attribute("href"))
        assert target.count() == 1
        assert target.bounding_box()["height"] > 50


def test_a_report_of_nothing_is_a_page_too(
    opened: Open, columns: dict[str, Any], rows: Batch, tmp_path: Path
) -> None:
    seen = opened(write_page(bare_report(columns), examples(columns, rows), columns, tmp_path / "bare.html"))
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= seen.page.viewport_size["width"]
    assert not seen.complaints


def test_it_prints_within_the_paper(chromium: Any, report: Path) -> None:
    # A4 between margins of 14 mm.
    page = chromium.new_page(viewport={"width": 688, "height": 1000}, color_scheme="dark")
    page.emulate_media(media="print")
    page.goto(report.as_uri(), wait_until="load")
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    # The page keeps ink and paper apart even where the screen is dark.
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


CONTRAST = """
() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((part, i) => part * top[3] + below[i] * (1 - top[3]));
  const light = colour => {
    const linear = part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
    const [r, g, b] = colour.map(part => linear(part / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = element => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.push(rgba(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const faint = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const element = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !element.checkVisibility() || element.closest('style, .unseen')) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const ink = rgba(style.color);
    ink[3] *= style.opacity;
    const [one, two] = [light(over(ink, back)), light(back)].sort((x, y) => y - x);
    const ratio = (one + .05) / (two + .05);
    if (ratio < 4.5) faint.push(`${words.currentNode.data.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}
"""
