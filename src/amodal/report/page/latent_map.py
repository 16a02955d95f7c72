"""A map of the latent: near rows are alike to the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.media import png_bytes
from amodal.pages import data_uri
from amodal.report.examples import Shown
from amodal.report.page.cells import shrunk
from amodal.report.page.detail import Detail

_POINTS = 600
_MOST_LABELS = 12
_SIDE = 40


@dataclass(frozen=True)
class Thumbnail:
    """A row's picture on the map.

    Attributes:
        x: of its middle, 0 at the left to 100.
        y: of its middle, 0 at the top to 100.
        value: a data URI.
        words: what row it is.
        narrow: whether it is also shown where there is little room.
    """

    x: float
    y: float
    value: str
    words: str
    narrow: bool


@dataclass(frozen=True)
class LabelMap:
    """Where the rows of one label lie: `points` is a path for SVG, in a box of 100 x 100."""

    label: str
    points: str
    rows: int


@dataclass(frozen=True)
class LatentMap:
    """The rows in the plane of the latent's two principal components.

    Attributes:
        points: all of them, as a path for SVG in a box of 100 x 100.
        rows: how many they are.
        picture: the column whose pictures are shown; empty where there is none.
        thumbnails: some rows' pictures.
        column: the column that `labels` are of; empty where there is none.
        labels: of each label, the most frequent first.
    """

    points: str
    rows: int
    picture: str
    thumbnails: list[Thumbnail]
    column: str
    labels: list[LabelMap]


def latent_map(
    shown: Shown, modalities: Mapping[str, Any], detail: Detail, seed: int = 0
) -> LatentMap | None:
    """The map of the rows that the model was judged by; None where fewer than three can be placed.

    Args:
        shown: with `map`, and the rows that the thumbnails are of.
        modalities: column -> its modality.
        detail: how many thumbnails there may be.
        seed: of which rows are shown where they are many.
    """
    places = np.asarray(shown.map, np.float64)
    if len(places) < 3 or not np.isfinite(places).all():
        return None
    order = np.random.default_rng(seed).permutation(len(places))[:_POINTS]
    points = _fitted(places)[order]
    labels = np.asarray(shown.map_labels, object)[order] if shown.map_labels else np.empty(0, object)
    names, counts = np.unique(labels.astype(str), return_counts=True)
    common = names[np.argsort(-counts, kind="stable")][:_MOST_LABELS]
    picture = next((name for name in modalities if modalities[name].type == "image"), "")
    return LatentMap(
        points=_path(points),
        rows=len(points),
        picture=picture,
        thumbnails=_thumbnails(shown, picture, modalities[picture], order, points, detail) if picture else [],
        column=shown.map_column if len(common) else "",
        labels=[
            LabelMap(str(label), _path(points[labels == label]), int((labels == label).sum()))
            for label in common
        ],
    )


def _fitted(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (N, 2) in a box of 100 x 100, the outermost rows drawn in, so that they leave the others room."""
    low, high = np.quantile(places, [0.05, 0.95], axis=0)
    scaled = 2 * (places - low) / np.maximum(high - low, 1e-9) - 1
    beyond = np.sign(scaled) * np.maximum(np.abs(scaled) - 1, 0)
    drawn_in = np.clip(scaled, -1, 1) * 36 + np.tanh(beyond) * 11
    return np.asarray(50 + drawn_in * [1, -1])


def _path(points: NDArray[np.float64]) -> str:
    # Lines of no length with round ends: dots whose size does not grow with the box.
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)


def _thumbnails(
    shown: Shown,
    column: str,
    modality: Any,
    order: NDArray[np.int64],
    points: NDArray[np.float64],
    detail: Detail,
) -> list[Thumbnail]:
    """Pictures of rows that leave each other room: few that do on a narrow page, and more on a wide one."""
    batch = shown.real_rows
    present = batch.mask(column).numpy()[order]
    narrow = _apart(points, present, 9.0, 9.0, [])
    wide = _apart(points, present, 3.2, 5.2, narrow)[: detail.thumbnails]
    if not wide:
        return []
    cells = modality.to_cells(batch.x[column][order[wide]])
    return [
        Thumbnail(
            x=round(float(points[place, 0]), 2),
            y=round(float(points[place, 1]), 2),
            value=data_uri(png_bytes(shrunk(cell, _SIDE)), "image/png"),
            words=f"{column} of row {int(batch.rows[order[place]]) + 1}"
            + (f", {shown.map_labels[order[place]]}" if shown.map_labels else ""),
            narrow=place in narrow,
        )
        for place, cell in zip(wide, cells, strict=True)
    ]


def _apart(
    points: NDArray[np.float64], present: NDArray[np.bool_], wide: float, high: float, first: list[int]
) -> list[int]:
    """Which points lie no nearer to each other than a box of `wide` x `high`, those of `first` among them."""
    kept = list(first)
    for place in np.flatnonzero(present):
        off = np.abs(points[kept] - points[place]) / [wide, high]
        if place not in kept and (not kept or (off.max(axis=1) >= 1).all()):
            kept.append(int(place))
    return kept
