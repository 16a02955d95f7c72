"""The page of a comparison."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from amodal.comparison.advice import advice
from amodal.comparison.leaderboard import COSTS, SCORES, Standing, ranked, tied
from amodal.comparison.run_folder import PAGE
from amodal.comparison.split import Split
from amodal.comparison.trial import GENERATED, SHOWN
from amodal.files import replacing_file
from amodal.media import png_bytes, read_image
from amodal.methods import method_named
from amodal.metrics import Estimate, column_metrics, scaled_batch
from amodal.modalities import Modality
from amodal.pages import data_uri, render
from amodal.report.page import formatting
from amodal.report.page.cells import shrink_image
from amodal.table import Table, convert

_PIXELS = 96
_SMOOTH = 64
_COLUMNS = 3


@dataclass(frozen=True)
class Standout:
    """A cell of the leaderboard.

    Attributes:
        shown: the number as a person reads it.
        mark: the score with its interval; None for a cost.
        sign: "best", "tied" with the best within the intervals, or empty.
    """

    shown: str
    mark: Estimate | None
    sign: str


@dataclass(frozen=True)
class Strip:
    """Pictures of one column by one method, or real ones.

    Attributes:
        method: its name; empty for real pictures.
        pictures: data URIs.
        smooth: whether they have so many pixels that none should be seen.
    """

    method: str
    pictures: list[str]
    smooth: bool


def write_page(
    standings: Sequence[Standing],
    split: Split,
    folder: Path,
    modalities: Mapping[str, Any],
    *,
    budget: str,
    seed: int,
    target: str | None,
) -> Path:
    """Write report.html of a comparison: one file that needs no network, and links to each method's own report.

    Args:
        standings: the methods, the best first.
        split: the rows.
        folder: of the comparison, with a folder of each method.
        modalities: column -> its modality.
        budget: that each was fitted under, in words.
        seed: of all of it.
        target: the target column, if there is one.

    Returns:
        The page's path.
    """
    scores = {name: words for name, words in SCORES.items() if any(name in each.scores for each in standings)}
    finished = [each for each in standings if each.report is not None]
    cells = {each.method: _cells(each, standings) for each in standings}
    html = render(
        ("amodal.comparison", "amodal.report.page"),
        "comparison.html.jinja",
        standings=standings,
        finished=finished,
        methods={each.method: method_named(each.method) for each in standings},
        scores=scores,
        costs=COSTS,
        cells=cells,
        close=any(shown["overall"].sign == "tied" for shown in cells.values() if "overall" in shown),
        advice=[_parts(sentence) for sentence in advice(standings, target)],
        strips=_strips(finished, split, folder, modalities),
        columns=len(modalities),
        split=split,
        budget=budget,
        seed=seed,
        target=target,
        versions=finished[0].report.provenance.versions if finished and finished[0].report else {},
        machine=f"{platform.system()} {platform.machine()}",
        **{name: getattr(formatting, name) for name in ("number", "percent", "interval")},
    )
    with replacing_file(folder / PAGE) as beside:
        beside.write_text(html, encoding="utf-8")
    return folder / PAGE


def _parts(sentence: str) -> list[str]:
    """A sentence cut at its backticks: every second part is a name."""
    return sentence.split("`")


def _cells(each: Standing, standings: Sequence[Standing]) -> dict[str, Standout]:
    cells = {name: _score(name, each, standings) for name in each.scores}
    for name, value in each.costs.items():
        least = min(other.costs[name] for other in standings if name in other.costs)
        cells[name] = Standout(formatting.number(float(value)), None, "best" if value == least else "")
    return cells


def _score(name: str, each: Standing, standings: Sequence[Standing]) -> Standout:
    mark, best = each.scores[name], ranked(standings, name)[0]
    sign = "best" if each is best else "tied" if tied(mark, best.scores[name]) else ""
    shown = f"{mark.value:.2f}" if name == "target" else formatting.percent(mark.value)
    return Standout(shown, mark, sign)


def _strips(
    finished: Sequence[Standing], split: Split, folder: Path, modalities: Mapping[str, Any]
) -> dict[str, list[Strip]]:
    """Of each column of pictures, real ones and those of each method."""
    names = [name for name, modality in modalities.items() if column_metrics(modality).display == "image"][
        :_COLUMNS
    ]
    if not names or not finished:
        return {}
    tables = {
        each.method: pd.read_csv(folder / each.method / GENERATED / "metadata.csv") for each in finished
    }
    strips = {}
    for name in names:
        made = [
            _strip(method, [read_image(folder / method / GENERATED / cell) for cell in table[name].dropna()])
            for method, table in tables.items()
        ]
        strips[name] = [_strip("", _real(name, split.heldout, modalities[name])), *made]
    return strips


def _real(name: str, table: Table, modality: Modality) -> Sequence[Any]:
    """Some real pictures, as large as models draw them."""
    cells = table.frame[name].dropna().head(SHOWN)
    some = replace(table, frame=cells.to_frame().reset_index(drop=True))
    batch, _ = convert(some, {name: modality})
    return modality.to_cells(scaled_batch(batch, {name: modality}).column(name))


def _strip(method: str, pictures: Sequence[Any]) -> Strip:
    small = [shrink_image(picture, _PIXELS) for picture in pictures]
    return Strip(
        method,
        [data_uri(png_bytes(picture), "image/png") for picture in small],
        any(max(picture.shape[:2]) > _SMOOTH for picture in small),
    )
