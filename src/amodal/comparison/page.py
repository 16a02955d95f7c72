"""The comparison's HTML page."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from amodal.comparison.advice import advice
from amodal.comparison.leaderboard import COSTS, SCORES, MethodResult, intervals_overlap, rank
from amodal.comparison.run_folder import PAGE
from amodal.comparison.split import Split
from amodal.comparison.trial import GENERATED, NUM_SAMPLES
from amodal.files import replacing_file
from amodal.media import png_bytes, read_image
from amodal.methods import method_named
from amodal.metrics import Estimate, column_metrics, scaled_batch
from amodal.modalities import Modality
from amodal.pages import data_uri, render
from amodal.report.page import formatting
from amodal.report.page.cells import shrink_image
from amodal.table import Table, encode_cells

_THUMBNAIL_PIXELS = 96
_MIN_SMOOTH_PIXELS = 64
_MAX_COLUMNS = 3


@dataclass(frozen=True)
class LeaderboardCell:
    """One cell of the leaderboard.

    Attributes:
        text: the formatted number.
        score: the score with its interval; None for a cost.
        rank: "best", "tied" (interval overlaps that of the best), or empty.
    """

    text: str
    score: Estimate | None
    rank: str


@dataclass(frozen=True)
class ImageStrip:
    """Images of one column by one method, or real ones.

    Attributes:
        method: name of the method; empty for real images.
        images: data URIs.
        smooth: true for images large enough to be interpolated instead of shown as pixels.
    """

    method: str
    images: list[str]
    smooth: bool


def write_page(
    results: Sequence[MethodResult],
    split: Split,
    folder: Path,
    modalities: Mapping[str, Any],
    *,
    budget: str,
    seed: int,
    target: str | None,
) -> Path:
    """Write report.html: a self-contained file with links to each method's own report.

    Args:
        results: the methods, the best first.
        split: training and held-out rows.
        folder: the comparison's folder, which holds a folder for each method.
        modalities: column name -> modality.
        budget: budget of each method, in words.
        seed: seed of the comparison.
        target: name of the target column.

    Returns:
        Path of the page.
    """
    finished = [result for result in results if result.report is not None]
    cells = {result.method: _leaderboard_cells(result, results) for result in results}
    html = render(
        ("amodal.comparison", "amodal.report.page"),
        "comparison.html.jinja",
        results=results,
        finished=finished,
        methods={result.method: method_named(result.method) for result in results},
        scores={
            name: label for name, label in SCORES.items() if any(name in result.scores for result in results)
        },
        costs=COSTS,
        cells=cells,
        has_tie=any(row["overall"].rank == "tied" for row in cells.values() if "overall" in row),
        # Every second part of a sentence cut at its backticks is a method's name.
        advice=[sentence.split("`") for sentence in advice(results, target)],
        strips=_image_strips(finished, split, folder, modalities),
        columns=len(modalities),
        split=split,
        budget=budget,
        seed=seed,
        target=target,
        versions=finished[0].report.provenance.versions if finished and finished[0].report else {},
        machine=f"{platform.system()} {platform.machine()}",
        **{name: getattr(formatting, name) for name in ("number", "percent", "interval")},
    )
    with replacing_file(folder / PAGE) as new:
        new.write_text(html, encoding="utf-8")
    return folder / PAGE


def _leaderboard_cells(result: MethodResult, results: Sequence[MethodResult]) -> dict[str, LeaderboardCell]:
    cells = {name: _score_cell(name, result, results) for name in result.scores}
    for name, cost in result.costs.items():
        lowest = min(other.costs[name] for other in results if name in other.costs)
        cells[name] = LeaderboardCell(formatting.number(float(cost)), None, "best" if cost == lowest else "")
    return cells


def _score_cell(name: str, result: MethodResult, results: Sequence[MethodResult]) -> LeaderboardCell:
    score, best = result.scores[name], rank(results, name)[0]
    place = "best" if result is best else "tied" if intervals_overlap(score, best.scores[name]) else ""
    text = f"{score.value:.2f}" if name == "target" else formatting.percent(score.value)
    return LeaderboardCell(text, score, place)


def _image_strips(
    finished: Sequence[MethodResult], split: Split, folder: Path, modalities: Mapping[str, Any]
) -> dict[str, list[ImageStrip]]:
    """Image column -> its real images, and those of each method."""
    displays = {name: column_metrics(modality).display for name, modality in modalities.items()}
    names = [name for name, display in displays.items() if display == "image"][:_MAX_COLUMNS]
    if not names:
        return {}
    folders = {result.method: folder / result.method / GENERATED for result in finished}
    tables = {method: pd.read_csv(root / "metadata.csv") for method, root in folders.items()}
    return {
        name: [
            _image_strip("", _real_images(name, split.heldout, modalities[name])),
            *(
                _image_strip(method, [read_image(folders[method] / path) for path in table[name].dropna()])
                for method, table in tables.items()
            ),
        ]
        for name in names
    }


def _real_images(name: str, table: Table, modality: Modality) -> Sequence[Any]:
    """Held-out images at the resolution of drawn ones."""
    cells = table.frame[name].dropna().head(NUM_SAMPLES)
    column = replace(table, frame=cells.to_frame().reset_index(drop=True))
    batch, _ = encode_cells(column, {name: modality})
    return modality.to_cells(scaled_batch(batch, {name: modality}).column(name))


def _image_strip(method: str, images: Sequence[Any]) -> ImageStrip:
    thumbnails = [shrink_image(image, _THUMBNAIL_PIXELS) for image in images]
    return ImageStrip(
        method,
        [data_uri(png_bytes(image), "image/png") for image in thumbnails],
        any(max(image.shape[:2]) > _MIN_SMOOTH_PIXELS for image in thumbnails),
    )
