"""The folder of a comparison: what it is of, and what is finished in it."""

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
    """See that a comparison that was begun is the one that is asked for.

    Raises:
        UsageError: it is another, whose results do not compare with those of this one.
        DataError: comparison.json is damaged.
    """
    path = folder / SETTINGS
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise DataError(f"{path} is damaged: {problem}") from problem
    changed = [name for name, value in settings.items() if before.get(name) != value]
    if changed:
        differences = ", ".join(
            f"{name} ({_shown(before.get(name))}, now {_shown(settings[name])})" for name in changed
        )
        raise UsageError(
            f"The comparison in {folder} differs in {differences}: give another place, or pass "
            "overwrite=True."
        )


def begin(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write down what a comparison is of, in the place of an earlier one."""
    entries = [LEADERBOARD, PAGE, *(f"{method.name}/" for method in METHODS)]
    with output_folder(folder, "comparison", overwrite=True, entries=entries) as beside:
        text = json.dumps(settings, ensure_ascii=False, indent=1) + "\n"
        (beside / SETTINGS).write_text(text, encoding="utf-8")


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 16 else text[:12] + "…"
