"""The command, machine and version that figures were measured with."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any


def provenance() -> dict[str, str]:
    """Command, machine, version and date of this run, for its JSON record."""
    command = ["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]
    return {
        "command": shlex.join(command),
        "machine": f"{os.cpu_count()} cores of {_processor()}",
        "amodal": version("amodal"),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def write_figures(path: Path, title: str, figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Write one table, {row: {column: figure}}, as a section of docs/benchmarks.md."""
    record = {"title": title, "text": "", "provenance": provenance(), "figures": figures}
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def provenance_line(record: Mapping[str, Any]) -> str:
    """One line of Markdown that says how a record was measured."""
    made = record["provenance"]
    line = f"`{made['command']}`; {made['machine']}; amodal {made['amodal']}; {made['date']}."
    return f"{line} {made['note']}" if "note" in made else line


def _processor() -> str:
    """The processor's name on Linux, its architecture elsewhere."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
