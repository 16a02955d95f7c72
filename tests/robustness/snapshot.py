"""What a folder holds, to be compared with what it held, or with what another run wrote."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["snapshot", "timeless"]

_TIMES = {"seconds", "memory", "memory_mb"}


def snapshot(folder: Path) -> dict[str, str]:
    """Each entry below a folder, by its path from there: kind, mode, and content or where a link leads."""
    return {str(path.relative_to(folder)): _entry(path) for path in sorted(folder.rglob("*"))}


def timeless(path: Path) -> dict[str, str]:
    """As `snapshot`, of a folder or a file, without modes and without what a clock or memory's size has written."""
    entries = [path, *sorted(path.rglob("*"))] if path.is_dir() and not path.is_symlink() else [path]
    return {
        str(entry.relative_to(path)): _digest(_without_times(entry)) if entry.is_file() else "folder"
        for entry in entries
        if entry.exists()
    }


def _entry(path: Path) -> str:
    mode = path.lstat().st_mode
    kind, permissions = stat.filemode(mode)[0], f"{stat.S_IMODE(mode):o}"
    if stat.S_ISLNK(mode):
        return f"{kind} {path.readlink()}"
    return (
        f"{kind} {permissions} {_digest(path.read_bytes())}"
        if stat.S_ISREG(mode)
        else f"{kind} {permissions}"
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _without_times(path: Path) -> bytes:
    content = path.read_bytes()
    if any(part.startswith(".amodal-") for part in path.parts):
        return content  # a staging folder's file, which a kill may have left half written
    if path.name in ("history.csv", "leaderboard.csv"):
        frame = pd.read_csv(io.BytesIO(content), dtype=str)
        return frame.drop(columns=_TIMES.intersection(frame)).to_csv().encode()
    if path.name in ("report.json", "outcome.json"):
        return json.dumps(_drop(json.loads(content))).encode()
    if path.name == "report.html":
        # Numbers in tables are all in the report beside, where they can be told apart.
        content = re.sub(rb"[\d.,]+ s\b", b"? s", content)
        return re.sub(rb'<td class="figure.*?</td>', b"<td>?</td>", content, flags=re.DOTALL)
    return content


def _drop(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _drop(part) for name, part in value.items() if name not in _TIMES}
    return [_drop(part) for part in value] if isinstance(value, list) else value
