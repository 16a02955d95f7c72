"""One page that shows a fitted table: generated, filled and translated rows, pictures and sounds in it."""

from __future__ import annotations

import base64
import csv
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


def write_page(folder: Path, steps: Sequence[Step] = ()) -> Path:
    """Write FOLDER/index.html from the tables that the tour wrote there.

    Args:
        folder: with `generated`, `filled`, `from-caption`, `from-image`, `table` and `model`.
        steps: the commands that were run, to show.

    Returns:
        The page's path. It needs no other file and no network.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    page = Environment(
        loader=PackageLoader("amodal.demo", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("page.html.jinja")
    history = pd.read_csv(folder / "model" / "history.csv")
    html = page.render(
        generated=_generated(folder),
        filled=_filled(folder),
        from_caption=_translated(folder, "caption", ["image", "speech"]),
        from_image=_translated(folder, "image", ["speech"]),
        steps=steps,
        curve=_curve(history),
        epochs=len(history),
        seconds=float(history["seconds"].iloc[-1]),
        machine=f"Python {platform.python_version()}, {os.cpu_count()} cores",
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


def _curve(history: pd.DataFrame, width: int = 600, height: int = 160) -> dict[str, str]:
    """Points of the losses' lines, by name, within a box of this size."""
    losses = history[["train_loss", "val_loss"]]
    # The first epochs fall far and would flatten the rest.
    low, high = losses.min().min(), losses.iloc[min(2, len(losses) - 1) :].max().max()
    span, steps = max(high - low, 1e-9), max(len(losses) - 1, 1)

    def points(name: str) -> str:
        ys = ((high - losses[name].clip(upper=high)) / span * height).round(1)
        return " ".join(f"{place / steps * width:.1f},{y}" for place, y in enumerate(ys))

    return {name: points(name) for name in ("train_loss", "val_loss")}
