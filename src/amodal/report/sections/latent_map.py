"""Map of the latent: evaluated rows in the first two principal components of their embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.media import png_bytes
from amodal.metrics import need_rows
from amodal.pages import data_uri
from amodal.report.context import ReportContext
from amodal.report.page.cells import shrink_image
from amodal.report.page.view import PageView
from amodal.report.section import Result, Section

_POINTS = 600
_MOST_LABELS = 12
_SIDE = 40
_Points = NDArray[np.float64]


class LatentMap(Result):
    """Principal components of the embeddings.

    Attributes:
        rows: number of embedded rows.
        explained_variance: share of the variance that each of the two components explains.
    """

    rows: int
    explained_variance: tuple[float, float]


def compute(context: ReportContext) -> LatentMap:
    """Principal components of the evaluated rows."""
    need_rows(len(context.evaluated), 3, "held-out rows")
    points, explained = context.latent_pca
    return LatentMap(rows=len(points), explained_variance=explained)


@dataclass(frozen=True)
class Thumbnail:
    """A row's image on the map.

    Attributes:
        x: of its centre, 0 at the left to 100.
        y: of its centre, 0 at the top to 100.
        value: a data URI.
        description: its column and row.
        is_sparse: whether it is also shown on a narrow page.
    """

    x: float
    y: float
    value: str
    description: str
    is_sparse: bool


def view(_: LatentMap, page: PageView) -> dict[str, Any]:
    """Points of up to 600 rows as paths for SVG in a box of 100 x 100, all and by label, and thumbnails."""
    examples = page.examples
    order = np.random.default_rng(page.report.provenance.seed).permutation(len(examples.latent_map))[:_POINTS]
    points = _in_box(examples.latent_map)[order]
    labels = np.asarray(examples.map_labels or [""] * len(examples.latent_map), object)[order]
    names, counts = np.unique(labels.astype(str), return_counts=True)
    common = names[np.argsort(-counts, kind="stable")][:_MOST_LABELS]
    image = next((name for name, column in page.columns.items() if column.display == "image"), None)
    return {
        "points": _path(points),
        "rows": len(points),
        "thumbnails": _thumbnails(page, image, order, points) if image else [],
        "label_column": examples.map_column,
        "labels": [
            (str(label), _path(points[labels == label]), int((labels == label).sum())) for label in common
        ]
        if examples.map_labels
        else [],
    }


def _in_box(points: _Points) -> _Points:
    """Points (N, 2) in a box of 100 x 100, with outliers compressed to leave the others room."""
    low, high = np.quantile(points, [0.05, 0.95], axis=0)
    scaled = 2 * (points - low) / np.maximum(high - low, 1e-9) - 1
    beyond = np.sign(scaled) * np.maximum(np.abs(scaled) - 1, 0)
    return np.asarray(50 + (np.clip(scaled, -1, 1) * 36 + np.tanh(beyond) * 11) * [1, -1])


def _path(points: _Points) -> str:
    # Lines of no length with round ends: dots whose size does not grow with the box.
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)


def _thumbnails(page: PageView, column: str, order: NDArray[np.int64], points: _Points) -> list[Thumbnail]:
    """Images of rows that do not overlap: few on a narrow page, and more on a wide one."""
    batch, labels = page.examples.real_rows, page.examples.map_labels
    present = batch.mask(column).numpy()[order]
    sparse = _spaced(points, present, 9.0, 9.0, [])
    dense = _spaced(points, present, 3.2, 5.2, sparse)[: page.detail.thumbnails]
    if not dense:
        return []
    cells = page.columns[column].modality.to_cells(batch.x[column][order[dense]])
    return [
        Thumbnail(
            x=round(float(points[place, 0]), 2),
            y=round(float(points[place, 1]), 2),
            value=data_uri(png_bytes(shrink_image(cell, _SIDE)), "image/png"),
            description=f"{column} of row {int(batch.rows[order[place]]) + 1}"
            + (f", {labels[order[place]]}" if labels else ""),
            is_sparse=place in sparse,
        )
        for place, cell in zip(dense, cells, strict=True)
    ]


def _spaced(
    points: _Points, present: NDArray[np.bool_], width: float, height: float, first: list[int]
) -> list[int]:
    """Numbers of points, after those of `first`, that lie no nearer to each other than a box."""
    kept = list(first)
    for place in np.flatnonzero(present):
        distance = np.abs(points[kept] - points[place]) / [width, height]
        if place not in kept and (not kept or (distance.max(axis=1) >= 1).all()):
            kept.append(int(place))
    return kept


SECTION = Section("latent_map", "Map of the latent", compute, view)
