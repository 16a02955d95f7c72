"""Output folder of a comparison: its settings, which a resumed run must share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amodal.errors import DataError, UsageError
from amodal.files import output_folder
from amodal.methods import METHODS

SETTINGS, LEADERBOARD, PAGE = "comparison.json", "leaderboard.csv", "report.html"


def check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Compare the settings of a comparison begun earlier with those of this call.

    Raises:
        UsageError: they differ, so that results would not be comparable.
        DataError: comparison.json is damaged.
    """
    path = folder / SETTINGS
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise DataError(f"{path} is damaged: {problem}") from problem
    differences = ", ".join(
        f"{name} ({_short(saved.get(name))}, now {_short(value)})"
        for name, value in settings.items()
        if saved.get(name) != value
    )
    if differences:
        raise UsageError(
            f"The comparison in {folder} differs in {differences}: give another path, or pass overwrite=True."
        )


def write_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Begin a comparison's folder with its settings; an earlier comparison is replaced."""
    entries = [LEADERBOARD, PAGE, *(f"{method.name}/" for method in METHODS)]
    with output_folder(folder, "comparison", overwrite=True, entries=entries) as new:
        text = json.dumps(settings, ensure_ascii=False, indent=1) + "\n"
        (new / SETTINGS).write_text(text, encoding="utf-8")


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 16 else text[:12] + "…"
