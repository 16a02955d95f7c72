"""The folder of a comparison: what it is of, and what is finished in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amodal.files import replacing_file
from amodal.methods import METHODS
from amodal.problems import DataProblem, UsageProblem

SETTINGS, LEADERBOARD, PAGE = "comparison.json", "leaderboard.csv", "report.html"


def check_place(folder: Path, *, overwrite: bool) -> bool:
    """Whether a comparison was begun in a folder, which is left as it is.

    Raises:
        UsageProblem: it is taken by something else.
    """
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise UsageProblem(f"{folder} is a file: give another place.")
    if (folder / SETTINGS).is_file():
        return not overwrite
    if any(folder.iterdir()):
        raise UsageProblem(f"{folder} is there and is no comparison: give another place.")
    return False


def check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """See that a comparison that was begun is the one that is asked for.

    Raises:
        UsageProblem: it is another, whose results do not compare with those of this one.
        DataProblem: comparison.json is damaged.
    """
    path = folder / SETTINGS
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise DataProblem(f"{path} is damaged: {problem}") from problem
    changed = [name for name, value in settings.items() if before.get(name) != value]
    if changed:
        differences = ", ".join(
            f"{name} ({_shown(before.get(name))}, now {_shown(settings[name])})" for name in changed
        )
        raise UsageProblem(
            f"The comparison in {folder} differs in {differences}: give another place, or --overwrite."
        )


def begin(folder: Path, settings: Mapping[str, Any]) -> None:
    """Clear away an earlier comparison, and write down what this one is of."""
    names = [method.name for method in METHODS]
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (SETTINGS, LEADERBOARD, PAGE):
        (folder / name).unlink(missing_ok=True)
    with replacing_file(folder / SETTINGS) as beside:
        beside.write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 16 else text[:12] + "…"
