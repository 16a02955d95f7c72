"""Completion of every label and number column given all others, compared with scikit-learn pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.completion_scores import (
    as_good,
    as_label,
    most_frequent,
    number_scores,
    share,
)
from benchmarks.heldout_draws import HeldoutDraws
from benchmarks.real_table import RealTable
from benchmarks.rivals import BASE, RIVALS, Scores, rivals
from benchmarks.table_features import TableFeatures

MIN_CELLS = 30
"""A column with fewer held-out cells is not scored."""


def scored_columns(table: RealTable) -> list[str]:
    """The label and number columns with enough cells to tell how good a completion is."""
    return [
        column
        for column in table.columns("label", "number")
        if table.heldout[column].notna().sum() >= MIN_CELLS and table.training[column].notna().any()
    ]


def rivals_of(table: RealTable) -> dict[str, Scores]:
    """The rivals of each scored column."""
    features = TableFeatures(table)
    return {column: rivals(table, features, column) for column in scored_columns(table)}


def completion(
    drawn: HeldoutDraws, table: RealTable, rival_scores: dict[str, Scores], draws: int, seed: int
) -> dict[str, dict[str, Any]]:
    """The figures of each scored column.

    Args:
        drawn: draws of the model.
        table: table of the held-out rows.
        rival_scores: result of `rivals_of`.
        draws: number of draws of each cell.
        seed: seed of the draws.
    """
    return {
        column: _figures(_own_scores(drawn, table, column, draws, seed), of_rivals, table, column)
        for column, of_rivals in rival_scores.items()
    }


def _own_scores(
    drawn: HeldoutDraws, table: RealTable, column: str, draws: int, seed: int
) -> dict[str, float] | None:
    """The scores of a column's draws; None where the model leaves the column out."""
    if column not in drawn.columns:
        return None
    rows = table.heldout[column].notna().to_numpy()
    others = [name for name in drawn.columns if name != column]
    cells = [drawn.cells(others, [column], rows=rows, seed=seed, draw=draw)[column] for draw in range(draws)]
    if table.kinds[column] == "label":
        predicted = most_frequent([[as_label(cell) for cell in of_draw] for of_draw in cells])
        truth = table.heldout[column][rows].map(as_label).to_numpy()
        return {"score": float((truth == np.array(predicted)).mean())}
    truth = pd.to_numeric(table.heldout[column][rows]).to_numpy(np.float64)
    # Where a model takes a column of numbers for texts, a draw that is no number counts as the median.
    median = pd.to_numeric(table.training[column], errors="coerce").median()
    numbers = np.array(
        [pd.to_numeric(pd.Series(of_draw), errors="coerce").fillna(median) for of_draw in cells], np.float64
    )
    return number_scores(truth, numbers.T)


def _figures(
    own: dict[str, float] | None, of_rivals: Scores, table: RealTable, column: str
) -> dict[str, Any]:
    base = of_rivals[BASE]
    best_name = max(of_rivals, key=lambda name: of_rivals[name]["score"])
    best = of_rivals[best_name]["score"]
    scores = own or base
    figures: dict[str, Any] = {
        "kind": table.kinds[column],
        "cells": int(table.heldout[column].notna().sum()),
        "modelled": own is not None,
        "amodal": scores["score"],
        **{name: of_rivals[name]["score"] for name in (BASE, *RIVALS) if name in of_rivals},
        "best rival": best_name,
        "share": share(scores["score"], base["score"], best),
        "as good": as_good(scores["score"], best),
        "below base": not as_good(scores["score"], base["score"]),
    }
    if table.kinds[column] == "number":
        figures |= {
            "score, infinite draws": scores.get("score, infinite draws", scores["score"]),
            "mae": scores["mae"],
            "mae of base": base["mae"],
            "mae of rivals": min(of_rivals[name]["mae"] for name in of_rivals),
            "coverage": scores.get("coverage"),
            "crps": scores["crps"],
            "crps of base": base["crps"],
        }
    return figures


def summary(columns: dict[str, dict[str, Any]]) -> dict[str, float | int]:
    """Summary over the columns of a table."""
    covered = [of["coverage"] for of in columns.values() if of.get("coverage") is not None]
    # 1 - CRPS / CRPS of the training rows' numbers: the skill score, of columns where there is something to tell.
    skills = [1 - of["crps"] / of["crps of base"] for of in columns.values() if of.get("crps of base")]
    figures: dict[str, float | int] = {
        "columns": len(columns),
        "as good": sum(of["as good"] for of in columns.values()),
        "below base": sum(of["below base"] for of in columns.values()),
        "mean share": float(np.mean([of["share"] for of in columns.values()])),
    }
    if covered:
        figures |= {"coverage": float(np.mean(covered)), "CRPS skill": float(np.mean(skills))}
    if "price" in columns:
        figures["price R2"] = columns["price"]["amodal"]
    return figures
