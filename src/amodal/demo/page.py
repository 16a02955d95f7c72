"""One page that shows a fitted table: generated, filled and translated rows, pictures and sounds in it."""

from __future__ import annotations

import base64
import csv
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from amodal.files import replacing_file

_MEDIA = {"image": "image/png", "speech": "audio/wav"}


@dataclass(frozen=True)
class Step:
    """A command that was run.

    Attributes:
        command: as typed.
        seconds: how long it took.
    """

    command: str
    seconds: float


@dataclass(frozen=True)
class Cell:
    """One cell as the page shows it.

    Attributes:
        column: its column.
        kind: "image", "audio" or "text".
        value: a data URI for a file, else the text.
        role: "given", "drawn" or "real".
    """

    column: str
    kind: str
    value: str
    role: str


Row = list[Cell]


@dataclass(frozen=True)
class Curve:
    """The losses of training as lines in a box of `width` x `height`.

    Attributes:
        width: of the box.
        height: of the box.
        lines: "train_loss" and "val_loss" -> points, as SVG's polyline takes them.
        low: the loss at the bottom of the box.
        high: the loss at its top.
        epochs: how many.
        seconds: how long they took.
    """

    width: int
    height: int
    lines: dict[str, str]
    low: float
    high: float
    epochs: int
    seconds: float


def write_page(folder: Path, steps: Sequence[Step] = ()) -> Path:
    """Write FOLDER/index.html from the tables that the tour wrote there.

    Args:
        folder: with `generated`, `filled`, `from-caption`, `from-image`, `table` and `model`. Of `model`,
            history.csv and model.json are shown where they are.
        steps: the commands that were run, to show.

    Returns:
        The page's path. It needs no other file and no network.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    page = Environment(
        loader=PackageLoader("amodal.demo", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html.jinja")
    html = page.render(
        generated=_generated(folder),
        filled=_filled(folder),
        from_caption=_translated(folder, "caption", ["image", "speech"]),
        from_image=_translated(folder, "image", ["speech"]),
        steps=steps,
        curve=_curve(folder / "model" / "history.csv"),
        versions=_versions(folder / "model" / "model.json"),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    )
    with replacing_file(folder / "index.html") as beside:
        beside.write_text(html, encoding="utf-8")
    return folder / "index.html"


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table; a missing cell is an empty text."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _cell(root: Path, column: str, value: str, role: str) -> Cell:
    if column not in _MEDIA:
        return Cell(column, "text", value, role)
    content = base64.b64encode((root / value).read_bytes()).decode()
    return Cell(
        column, "image" if column == "image" else "audio", f"data:{_MEDIA[column]};base64,{content}", role
    )


def _generated(folder: Path) -> list[Row]:
    root = folder / "generated"
    return [
        [_cell(root, name, value, "drawn") for name, value in row.items()]
        for row in _rows(root / "metadata.csv")
    ]


def _filled(folder: Path) -> list[Row]:
    root = folder / "filled"
    before, after = _rows(folder / "table" / "holes.csv"), _rows(root / "metadata.csv")
    return [
        [_cell(root, name, value, "given" if old[name] else "drawn") for name, value in row.items()]
        for old, row in zip(before, after, strict=True)
    ]


def _translated(folder: Path, source: str, targets: list[str]) -> list[Row]:
    table, translated = folder / "table", folder / f"from-{source}"
    rows = []
    for real, drawn in zip(_rows(table / "whole.csv"), _rows(translated / "metadata.csv"), strict=True):
        row = [_cell(table, source, real[source], "given")]
        for target in targets:
            row.append(_cell(translated, target, drawn[target], "drawn"))
            row.append(_cell(table, target, real[target], "real"))
        rows.append(row)
    return rows


def _curve(history: Path, width: int = 600, height: int = 160) -> Curve | None:
    """The losses by epoch; None where there are none to draw."""
    if not history.is_file():
        return None
    table = pd.read_csv(history).dropna(subset=["train_loss", "val_loss"])
    if table.empty:
        return None
    losses = table[["train_loss", "val_loss"]]
    # The first epochs fall far and would flatten the rest.
    low, high = float(losses.min().min()), float(losses.iloc[min(2, len(losses) - 1) :].max().max())
    span, steps = max(high - low, 1e-9), max(len(losses) - 1, 1)

    def points(name: str) -> str:
        ys = ((high - losses[name].clip(upper=high)) / span * height).round(1)
        return " ".join(f"{place / steps * width:.1f},{y}" for place, y in enumerate(ys))

    lines = {name: points(name) for name in ("train_loss", "val_loss")}
    return Curve(width, height, lines, low, high, len(table), float(table["seconds"].iloc[-1]))


def _versions(description: Path) -> dict[str, str]:
    """Library -> version, as the model's folder tells them."""
    if not description.is_file():
        return {"python": platform.python_version()}
    versions: dict[str, str] = json.loads(description.read_text(encoding="utf-8")).get("versions", {})
    return versions
