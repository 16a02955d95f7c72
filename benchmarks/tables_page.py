"""Figures of `benchmarks.tables` as text, and as a part of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PAGE = Path("docs/benchmarks.md")
_BEGIN = "<!-- tables: begin, written by python -m benchmarks.tables --page -->"
_END = "<!-- tables: end -->"
_HEAD = """# Benchmarks

What amodal reaches on tables that nobody here made, beside what others reach. How each figure is taken, and how to
take it again, is told in [benchmarks/README.md](../benchmarks/README.md).
"""


def mean_of_seeds(seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of each number in nested figures of equal form, true being 1; what is no number is that of the first."""
    first = seeds[0]
    mean: dict[str, Any] = {}
    for key, value in first.items():
        values = [seed[key] for seed in seeds]
        if isinstance(value, Mapping):
            mean[key] = mean_of_seeds(values)
        elif isinstance(value, (int, float)) and None not in values:
            mean[key] = float(np.mean(values))
        else:
            mean[key] = value
    return mean


def columns_frame(columns: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row a column: amodal beside its rivals."""
    kept = ("kind", "cells", "amodal", "base", "nearest", "linear", "boosting", "share")
    numbers = ("score, infinite draws", "coverage", "mae", "mae of rivals", "crps", "crps of base")
    frame = pd.DataFrame({name: dict(of) for name, of in columns.items()}).T
    return frame.reindex(columns=[*kept, *numbers]).rename_axis("column")


def summaries_frame(tables: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row a table: what its columns come to."""
    rows = {
        name: {"rows": of["rows"], "epochs": of["mean"]["epochs"], **of["mean"]["completion"]}
        for name, of in tables.items()
    }
    return pd.DataFrame(rows).T.rename_axis("table")


def show(name: str, seed: Mapping[str, Any]) -> str:
    """The figures of one fit."""
    title = f"\n{name}, seed {seed['seed']}: {seed['epochs']} epochs, {seed['fit seconds']} s of fitting"
    columns = columns_frame(seed["columns"]).to_string(na_rep="", float_format=_number)
    return "\n".join([title, columns, *_lines(seed["completion"]), *_lines(seed.get("judged", {}))])


def write_page(records: list[dict[str, Any]], page: Path = PAGE) -> None:
    """Write the tables of several runs into a page, between its markers; the later run of a table counts.

    Raises:
        ValueError: the page has no such part.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else f"{_HEAD}\n{_BEGIN}\n{_END}\n"
    if _BEGIN not in text or _END not in text:
        raise ValueError(
            f"{page} lacks the lines {_BEGIN!r} and {_END!r}, between which figures are written."
        )
    before, rest = text.split(_BEGIN, 1)
    after = rest.split(_END, 1)[1]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"{before}{_BEGIN}\n{_part(records)}\n{_END}{after}", encoding="utf-8")


def _part(records: list[dict[str, Any]]) -> str:
    tables = {name: of | {"record": record} for record in records for name, of in record["tables"].items()}
    if not tables:
        return "## Real tables\n\nNot measured yet."
    lines = [
        "## Real tables",
        "",
        "Each label and number column of held-out rows given all others. Score: accuracy, or R2 of the draws' mean.",
        "Base: the most frequent label, the median. Rivals, each made for its column: the 5 nearest rows, ridge or",
        "logistic regression, gradient boosting. Share: how far from the base to the best rival, cut at 1. As good:",
        "within .01 of the best rival. Below base: by more than .01. Coverage: of 80 % intervals. CRPS skill: less of",
        "the error of the column's own distribution.",
        "",
        _markdown(summaries_frame(tables)),
    ]
    for name, of in tables.items():
        options, machine = of["record"]["options"], of["record"]["machine"]
        lines += [
            "",
            f"### {name}",
            "",
            f"{of['rows']} rows, {options['method']}, time limit {options['time limit'] or 'none'}, "
            f"mean of {len(of['seeds'])} seed{'s' if len(of['seeds']) > 1 else ''}, {machine}, "
            f"amodal {of['record']['amodal']}.",
            "",
            _markdown(columns_frame(of["mean"]["columns"])),
        ]
        judged = _lines(of["mean"].get("judged", {}))
        if judged:
            lines += ["", *(f"- {line}" for line in judged)]
    return "\n".join(lines)


def _lines(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: "
        + (
            "; ".join(_lines(value))
            if isinstance(value, Mapping)
            else _number(value)
            if value is not None
            else "none"
        )
        for name, value in figures.items()
    ]


def _markdown(frame: pd.DataFrame) -> str:
    frame = frame.dropna(axis="columns", how="all").reset_index()
    lines = [list(frame.columns), ["---"] * len(frame.columns)]
    lines += [
        ["" if _missing(cell) else _number(cell) for cell in row] for row in frame.itertuples(index=False)
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and np.isnan(cell))


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
