"""Page of generated, completed and translated rows, with their images and sounds."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from amodal.files import replacing_file
from amodal.pages import Cell, Role, data_uri, loss_curve, render
from amodal.table.reading import FILE_NAME

_MEDIA = {"image": "image/png", "speech": "audio/wav"}


@dataclass(frozen=True)
class Step:
    """One command of the demonstration.

    Attributes:
        command: the command line.
        seconds: wall time.
    """

    command: str
    seconds: float


Row = list[Cell]


def write_page(folder: Path, steps: Sequence[Step] = ()) -> Path:
    """Write FOLDER/index.html, a self-contained page of the demonstration's tables.

    Args:
        folder: folder of `generated`, `filled`, `from-caption`, `from-image`, `table` and `model`; the model's
            history.csv and model.json are optional.
        steps: the commands that were run.

    Returns:
        Path of the page.
    """
    history = folder / "model" / "history.csv"
    html = render(
        "amodal.demo",
        "page.html.jinja",
        generated=_drawn(folder / "generated"),
        filled=_drawn(folder / "filled", given=folder / "table" / "holes.csv"),
        from_caption=_translated(folder, "caption", ["image", "speech"]),
        from_image=_translated(folder, "image", ["speech"]),
        steps=steps,
        curve=loss_curve(pd.read_csv(history)) if history.is_file() else None,
        versions=_versions(folder / "model" / "model.json"),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    )
    with replacing_file(folder / "index.html") as new:
        new.write_text(html, encoding="utf-8")
    return folder / "index.html"


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file; a missing cell is an empty string."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    # Columns that only `datasets` reads, which repeat others.
    return [{name: cell for name, cell in row.items() if not name.endswith(FILE_NAME)} for row in rows]


def _cell(root: Path, column: str, value: str, role: Role) -> Cell:
    if column not in _MEDIA:
        return Cell(column, "text", value, role)
    content = data_uri((root / value).read_bytes(), _MEDIA[column])
    return Cell(column, "image" if column == "image" else "audio", content, role)


def _drawn(root: Path, given: Path | None = None) -> list[Row]:
    """Rows of a folder; cells that the table `given` has are given, the others drawn."""
    after = _rows(root / "metadata.csv")
    before: list[dict[str, str]] = _rows(given) if given else [{} for _ in after]
    return [
        [_cell(root, name, value, "given" if old.get(name) else "drawn") for name, value in row.items()]
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


def _versions(description: Path) -> dict[str, str]:
    """Library -> version, from model.json."""
    if not description.is_file():
        return {"python": platform.python_version()}
    versions: dict[str, str] = json.loads(description.read_text(encoding="utf-8")).get("versions", {})
    return versions
