"""The losses of training as lines."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

_LOSSES = ["train_loss", "val_loss"]


@dataclass(frozen=True)
class LossCurve:
    """The losses of training as lines in a box of `width` x `height`.

    Attributes:
        width: of the box.
        height: of the box.
        lines: "train_loss" and "val_loss" -> points, as SVG's polyline takes them.
        low: the loss at the bottom of the box.
        high: the loss at its top.
        epochs: how many.
        seconds: how long they took.
    """

    width: int
    height: int
    lines: dict[str, str]
    low: float
    high: float
    epochs: int
    seconds: float


def loss_curve(history: pd.DataFrame, width: int = 600, height: int = 160) -> LossCurve | None:
    """The losses by epoch; None where there are none to draw.

    Args:
        history: one row an epoch, with `train_loss`, `val_loss` and `seconds`, as `TableModel.history_`.
        width: of the box.
        height: of the box.
    """
    if not {*_LOSSES, "seconds"} <= set(history.columns):
        return None
    table = history.dropna(subset=_LOSSES)
    if table.empty:
        return None
    losses = table[_LOSSES]
    # The first epochs fall far and would flatten the rest.
    low, high = float(losses.min().min()), float(losses.iloc[min(2, len(losses) - 1) :].max().max())
    span, steps = max(high - low, 1e-9), max(len(losses) - 1, 1)

    def points(name: str) -> str:
        ys = ((high - losses[name].clip(upper=high)) / span * height).round(1)
        return " ".join(f"{place / steps * width:.1f},{y}" for place, y in enumerate(ys))

    lines = {name: points(name) for name in _LOSSES}
    return LossCurve(width, height, lines, low, high, len(table), float(table["seconds"].iloc[-1]))
