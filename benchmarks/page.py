"""The page docs/benchmarks.md, from the figures in benchmarks/results: `python -m benchmarks.page` writes it.

A file of figures is what a benchmark wrote with `--json`. Sections are in the order of the files' names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.provenance import provenance_line
from benchmarks.tables_page import markdown_table, number, tables_section

RESULTS = Path(__file__).parent / "results"
PAGE = Path("docs/benchmarks.md")
_HEAD = """# Benchmarks

Figures of amodal and of other tools, each with the command, machine and version that it was measured with;
[how they are measured](../benchmarks/README.md). `python -m benchmarks.page` writes this page from
`benchmarks/results/*.json`."""


def page(folder: Path = RESULTS) -> str:
    """The page's Markdown.

    Raises:
        ValueError: a file holds no record of a known form.
    """
    return "\n\n".join([_HEAD, *map(section, sorted(folder.glob("*.json")))]) + "\n"


def section(file: Path) -> str:
    """The section of one file of figures, in the form that the record's keys tell.

    Raises:
        ValueError: the record is of no known form.
    """
    record = json.loads(file.read_text(encoding="utf-8"))
    for key, form in FORMS.items():
        if key in record:
            return form(record)
    raise ValueError(f"{file} has none of the keys {', '.join(FORMS)}; its keys are {', '.join(record)}.")


def transcribed(record: Mapping[str, Any]) -> str:
    """Tables copied from what a benchmark printed."""
    parts = [f"## {record['title']}", record["text"], provenance_line(record)]
    parts += [markdown_table(table["columns"], table["rows"]) for table in record["tables"]]
    parts += ["\n".join(f"- {note}" for note in record["notes"])] if record["notes"] else []
    return "\n\n".join(parts)


def figures(record: Mapping[str, Any]) -> str:
    """One table of a benchmark, {row: {column: figure}}."""
    rows = record["figures"]
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    cells = [[name, *(number(row.get(column)) for column in columns)] for name, row in rows.items()]
    parts = [
        f"## {record['title']}",
        record["text"],
        provenance_line(record),
        markdown_table(["", *columns], cells),
    ]
    return "\n\n".join(filter(None, parts))


def contention(record: Mapping[str, Any]) -> str:
    """Training beside busy processes, as `benchmarks.contention` measured it."""
    epochs, fair = record["epochs"], record["fair"]
    kept = {busy: count / epochs["0"] for busy, count in epochs.items()}
    training = [
        [busy, f"{epochs[busy]:.1f}", *map(number, (kept[busy], fair[busy], kept[busy] / fair[busy]))]
        for busy in epochs
    ]
    busiest = max((busy for limit in record["limits"].values() for busy in limit), key=int, default="")
    limits = [
        [f"`{limit}`", *(f"{seconds:.0f} s, {count} epochs" for seconds, count in runs.values())]
        for limit, runs in record["limits"].items()
    ]
    parts = [
        "## Training and time limits on a busy machine",
        "Epochs of the stage that trains contexts and conditionals in 60 seconds, alone and beside processes of one "
        "thread that only compute. Fair share: what a program keeps that uses all cores where all threads get as "
        "much. Then the time of `amodal fit --time-limit` from start to end.",
        provenance_line(record),
        markdown_table(["busy processes", "epochs", "kept", "fair share", "kept / fair share"], training),
    ]
    if limits:
        parts.append(markdown_table(["`--time-limit`", "alone", f"beside {busiest} busy processes"], limits))
    return "\n\n".join(parts)


FORMS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "notes": transcribed,
    "figures": figures,
    "limits": contention,
    "problems": tables_section,
}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
