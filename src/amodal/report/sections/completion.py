"""Completion of hidden cells by the model and by baselines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from amodal.metrics import (
    Cells,
    Metric,
    Predict,
    Vectors,
    completion_error,
    impute_iterative,
    impute_nearest,
    impute_supervised,
    impute_typical,
    join_blocks,
    need_rows,
    predict_boosting,
    predict_linear,
)
from amodal.report.context import ReportContext, Which
from amodal.report.page.view import PageView
from amodal.report.section import Result, Section

_MOST_TREES = 300
_SUPERVISED: dict[str, Predict] = {
    "linear model": predict_linear,
    "gradient boosting": partial(predict_boosting, max_trees=_MOST_TREES),
}


class ColumnCompletion(Result):
    """Error of a column's hidden cells, drawn given the row's others.

    Attributes:
        column: its name.
        type: its type.
        consensus: how draws are summarised: "mean of 19 draws", "most frequent of 19 draws" or "one draw".
        model: the error or accuracy; its floor is that of the typical cell.
        imputers: the same of baselines: "mean", "most frequent" or "mean cell"; "nearest rows"; and of numbers and
            categories "IterativeImputer", and "linear model" and "gradient boosting", fitted for the column.
        best: "model" or a baseline's name.
    """

    column: str
    type: str
    consensus: str
    model: Metric
    imputers: list[Metric]
    best: str


def compute(context: ReportContext) -> list[ColumnCompletion]:
    """Hide each column in turn and draw it given the row's other cells.

    Numbers are compared by the mean and labels by the most frequent of 19 draws, as imputers do not sample either;
    images, sounds and texts by one draw. Baselines are fitted to the reference rows, up to 2,000, which may be fewer
    than the model was fitted to.
    """
    return context.per_column("completion", _column, context.features)


def _column(context: ReportContext, name: str) -> ColumnCompletion:
    column = context.column(name)
    need_rows(int(context.evaluated.mask(name).sum()), 10, "hidden cells")
    truth, real = context.table_cells("evaluated", name), context.table_cells("reference", name)
    completed, consensus = column.consensus(context.completions(name))
    error = completion_error(column.modality, truth, completed, seed=context.seed)

    def metric(name: str, found: Metric, floor: Metric | None = None) -> Metric:
        return context.metric(
            found,
            name,
            better=found.better,
            unit=found.unit,
            description=found.description,
            floor=floor,
            floor_kind=column.typical_name,
        )

    def imputed(cells: Cells) -> Metric:
        return completion_error(column.modality, truth, cells, seed=context.seed)

    others = [other for other in context.features if other != name]
    typical = imputed(impute_typical(column.modality, real, len(truth)))
    imputers = [metric(column.typical_name, typical)]
    for called, impute in _imputers(context, name, others).items():
        with context.optional(f"completion by {called}", name):
            need_rows(len(others), 1, "other columns")
            imputers.append(metric(called, imputed(impute(column.modality, real))))
    model = metric(error.name, error, typical)
    sign = 1 if error.better == "higher" else -1
    candidates = {"model": model} | {each.name: each for each in imputers}
    return ColumnCompletion(
        column=name,
        type=column.modality.type,
        consensus=consensus,
        model=model,
        imputers=imputers,
        best=max(candidates, key=lambda each: sign * candidates[each].value),
    )


def _imputers(context: ReportContext, name: str, others: list[str]) -> dict[str, Callable[..., Cells]]:
    """Baselines from the other columns: nearest rows, and for scalars regressions."""

    def given(which: Which, columns: list[str]) -> Vectors:
        batch = context.evaluated if which == "evaluated" else context.reference
        vectors = [context.vectors[which][column] for column in columns]
        return np.concatenate([np.empty((len(batch), 0)), *vectors], axis=1)[batch.mask(name).numpy()]

    def near(which: Which) -> Vectors:
        return np.nan_to_num(given(which, others))

    imputers: dict[str, Callable[..., Cells]] = {
        "nearest rows": partial(
            impute_nearest, seed=context.seed, real_given=near("reference"), given=near("evaluated")
        )
    }
    if context.column(name).is_scalar and others:
        scalars = [other for other in others if context.column(other).is_scalar]
        known, hidden = given("reference", scalars), given("evaluated", scalars)
        imputers["IterativeImputer"] = partial(
            impute_iterative, seed=context.seed, real_given=known, given=hidden
        )
        masks = [batch.mask(name).numpy() for batch in (context.reference, context.evaluated)]
        inputs = join_blocks([context.blocks[other] for other in others]).rows(*masks)
        for called, predict in _SUPERVISED.items():
            imputers[called] = partial(impute_supervised, inputs=inputs, predict=predict)
    return imputers


def view(result: list[ColumnCompletion], _: PageView) -> dict[str, Any]:
    """A table, of which the imputers of typical cells share one column."""

    def heading(column: ColumnCompletion, imputer: Metric) -> str:
        return "typical cell" if imputer.name == column.model.floor_kind else imputer.name

    names = dict.fromkeys(heading(column, imputer) for column in result for imputer in column.imputers)
    return {
        "imputers": list(names),
        "lines": [
            (column, {heading(column, imputer): imputer for imputer in column.imputers}) for column in result
        ],
        "won": sum(column.best == "model" for column in result),
    }


SECTION = Section("completion", "Holes filled", compute, view)
