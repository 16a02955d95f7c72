"""Figures of `benchmarks.tables` as text and as a section of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.provenance import provenance_line


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
    columns = columns_frame(seed["columns"]).to_string(na_rep="", float_format=number)
    return "\n".join([title, columns, *_lines(seed["completion"]), *_lines(seed.get("judged", {}))])


def tables_section(record: Mapping[str, Any]) -> str:
    """A run's tables as a section of Markdown."""
    options, tables = record["options"], record["tables"]
    parts = [
        f"## Real tables: {options['method']}, time limit {options['time limit'] or 'none'}",
        "Each label and number column of held-out rows given all others. Score: accuracy, or R2 of the draws' mean. "
        "Base: the most frequent label, the median. Other models, each fitted for its column: the 5 nearest rows, "
        "ridge or logistic regression, gradient boosting. Share: how far from the base to the best of them, at most 1. "
        "As good: within .01 of the best of them. Below base: by more than .01. Coverage: of 80 % intervals. "
        "CRPS skill: reduction of the error of the column's own distribution.",
        provenance_line(record),
        _markdown(summaries_frame(tables)),
    ]
    for name, figures in tables.items():
        seeds = len(figures["seeds"])
        parts += [
            f"### {name}",
            f"{figures['rows']} rows, mean of {seeds} seed{'s' if seeds > 1 else ''}.",
            _markdown(columns_frame(figures["mean"]["columns"])),
        ]
        judged = _lines(figures["mean"].get("judged", {}))
        parts += ["\n".join(f"- {line}" for line in judged)] if judged else []
    return "\n\n".join(parts)


def _lines(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: " + ("; ".join(_lines(value)) if isinstance(value, Mapping) else number(value) or "none")
        for name, value in figures.items()
    ]


def _markdown(frame: pd.DataFrame) -> str:
    frame = frame.dropna(axis="columns", how="all").reset_index()
    return markdown_table(
        list(frame.columns), [[number(cell) for cell in row] for row in frame.itertuples(index=False)]
    )


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown, its first row the columns' names."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: Any) -> str:
    """A figure with the digits that matter; empty where it is missing."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
