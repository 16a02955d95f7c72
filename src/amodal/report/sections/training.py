"""Training: the loss by epoch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from amodal.metrics import MetricUnavailable
from amodal.pages import loss_curve
from amodal.report.context import ReportContext
from amodal.report.page.view import PageView
from amodal.report.section import Section

Value = float | int | str | None


def compute(context: ReportContext) -> list[dict[str, Value]]:
    """The history, one mapping an epoch; None where a value was not measured."""
    if not len(context.fitted.history):
        raise MetricUnavailable("the model has no training history")
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in context.fitted.history.to_dict(orient="records")
    ]


def _plain(value: Any) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


def view(result: list[dict[str, Value]], _: PageView) -> dict[str, Any]:
    """The curve; None where no epoch has a loss."""
    return {"curve": loss_curve(pd.DataFrame(result))}


SECTION = Section("training", "Training", compute, view)
