"""Training and validation loss by epoch, as SVG lines."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

_LOSSES = ["train_loss", "val_loss"]


@dataclass(frozen=True)
class LossCurve:
    """Losses as lines in a box of `width` x `height` pixels.

    Attributes:
        width: width of the box.
        height: height of the box.
        lines: "train_loss" and "val_loss" -> points of an SVG polyline.
        low: loss at the bottom of the box.
        high: loss at its top.
        epochs: number of epochs.
        seconds: training time.
    """

    width: int
    height: int
    lines: dict[str, str]
    low: float
    high: float
    epochs: int
    seconds: float


def loss_curve(history: pd.DataFrame, width: int = 600, height: int = 160) -> LossCurve | None:
    """Curve of the losses by epoch; None without complete epochs.

    Args:
        history: one row an epoch, with `train_loss`, `val_loss` and `seconds`, as `TableModel.history_`.
        width: width of the box in pixels.
        height: height of the box in pixels.
    """
    if not {*_LOSSES, "seconds"} <= set(history.columns):
        return None
    table = history.dropna(subset=_LOSSES)
    if table.empty:
        return None
    losses = table[_LOSSES]
    # The steep fall of the first epochs would flatten the rest of the curve.
    low, high = float(losses.min().min()), float(losses.iloc[min(2, len(losses) - 1) :].max().max())
    span, steps = max(high - low, 1e-9), max(len(losses) - 1, 1)

    def points(name: str) -> str:
        ys = ((high - losses[name].clip(upper=high)) / span * height).round(1)
        return " ".join(f"{epoch / steps * width:.1f},{y}" for epoch, y in enumerate(ys))

    lines = {name: points(name) for name in _LOSSES}
    return LossCurve(width, height, lines, low, high, len(table), float(table["seconds"].iloc[-1]))
