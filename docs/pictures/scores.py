"""The pictures of the guides: `python docs/pictures/scores.py`; measured on the demo table, drawn by matplotlib."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from amodal.datasets.digits import make_digits
from amodal.metrics import (
    column_fidelity,
    fit_fidelity_features,
    impute_typical,
    scaled_batch,
    shuffled_values,
)
from amodal.modalities import MODALITIES
from amodal.table import encode, infer_schema, read_table

mpl.use("agg")
from matplotlib import pyplot as plt

FOLDER = Path(__file__).parent
INK, SOFT, LINE, DRAWN = "#1d2230", "#5d6475", "#e3e1d9", "#9a4a20"
ROWS = 600


def main() -> None:
    """Draw all pictures again."""
    mpl.rcParams.update({"font.size": 10, "text.color": INK, "axes.edgecolor": LINE})
    floors(FOLDER / "floors.png")
    bar(FOLDER / "bar.png")
    intervals(FOLDER / "intervals.png")


def floors(path: Path) -> None:
    """Metrics of real images, of two random baselines and of blurred images."""
    real, known, show, modality = _pictures()
    features = fit_fidelity_features(modality, known)
    blur = known.numpy()
    for axis in (2, 3):
        blur = gaussian_filter1d(blur, 1.5, axis)
    kinds = {
        "other real pictures\n(the ceiling)": known,
        "each pixel from another one\n(a floor: looks like nothing)": shuffled_values(known),
        "one mean picture repeated\n(a floor: not varied)": impute_typical(modality, known, len(known)),
        "real pictures, blurred\n(sigma 1.5)": torch.from_numpy(blur),
    }
    names = ("precision", "recall", "coverage", "sharpness")
    figure, axes = plt.subplots(len(kinds), 10, figsize=(9.6, 3.4), width_ratios=[4.9] + [1] * 5 + [1.3] * 4)
    for row, (words, cells) in zip(axes, kinds.items(), strict=True):
        found = column_fidelity(modality, features, real, known, cells)
        values = {metric.name: metric.value for metric in found}
        for axis in row:
            axis.axis("off")
        row[0].text(0, 0.5, words, va="center", transform=row[0].transAxes)
        for axis, picture in zip(row[1:6], show(cells[:5]), strict=True):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
        for axis, name in zip(row[6:], names, strict=True):
            axis.text(
                0.5, 0.5, f"{values[name]:.2f}", va="center", ha="center", size=12, transform=axis.transAxes
            )
    for axis, name in zip(axes[0][6:], names, strict=True):
        axis.set_title(name, size=10, color=SOFT)
    _save(figure, path)


def _pictures() -> tuple[Tensor, Tensor, Any, Any]:
    """Two lots of real pictures, and what makes arrays of them."""
    with tempfile.TemporaryDirectory() as folder:
        make_digits(Path(folder) / "table", rows=ROWS, missing=0.0, seed=0)
        table = read_table(Path(folder) / "table")
        ignored = {name: "ignore" for name in table.columns if name != "image"}
        modalities = infer_schema(table, MODALITIES, ignored).used
        batch = encode(table, modalities)
    cells = scaled_batch(batch, modalities).x["image"]
    modality = modalities["image"]

    def show(some: Tensor) -> list[np.ndarray]:
        return [np.asarray(picture).squeeze() for picture in modality.to_cells(some)]

    return cells[: ROWS // 2], cells[ROWS // 2 :], show, modality


def bar(path: Path) -> None:
    """A bar of the report, from floor to ceiling."""
    figure, axis = plt.subplots(figsize=(8.6, 1.9))
    axis.set(xlim=(-0.17, 1.17), ylim=(-1.5, 1.5))
    axis.axis("off")
    _track(axis, 0.0, 0.62, (0.55, 0.7))
    ends = (
        (0.0, "right", "the floor\nrandom rows: 0.50"),
        (1.0, "left", "the ceiling\nreal rows: 0.92"),
    )
    for x, side, words in ends:
        axis.text(x + (0.02 if x else -0.02), 0, words, ha=side, va="center", color=SOFT, size=9)
    axis.annotate(
        "the model: 0.76, which is 62 % of the way",
        (0.62, 0.12),
        (0.3, 1.1),
        ha="center",
        color=DRAWN,
        arrowprops={"arrowstyle": "-", "color": DRAWN},
    )
    axis.annotate(
        "the 95 % interval: where it would be with other rows",
        (0.7, -0.12),
        (0.78, -1.2),
        ha="center",
        arrowprops={"arrowstyle": "-", "color": INK},
    )
    _save(figure, path)


def intervals(path: Path) -> None:
    """Overlapping and separate intervals."""
    figure, axis = plt.subplots(figsize=(8.6, 2.1))
    axis.set(xlim=(-0.3, 1.62), ylim=(-0.6, 2.6))
    axis.axis("off")
    lines = (
        ("●", "method a", 0.71, (0.64, 0.78), "the best"),
        ("○", "method b", 0.66, (0.59, 0.73), "overlaps the best: as good, as far as we know"),
        ("", "method c", 0.4, (0.34, 0.46), "worse, and not by chance"),
    )
    for place, (sign, name, value, ends, words) in enumerate(lines):
        y = 2 - place
        axis.text(-0.3, y, sign, color=DRAWN, va="center", size=8)
        axis.text(-0.26, y, name, va="center")
        _track(axis, y, value, ends)
        axis.text(1.04, y, words, va="center", color=SOFT, size=9)
    axis.axvspan(0.64, 0.78, ymin=0.05, ymax=0.95, color=DRAWN, alpha=0.1, lw=0)
    _save(figure, path)


def _track(axis: Any, y: float, value: float, ends: tuple[float, float]) -> None:
    axis.plot([0, 1], [y, y], color=LINE, lw=7, solid_capstyle="butt")
    axis.plot([0, value], [y, y], color=DRAWN, lw=7, solid_capstyle="butt")
    axis.errorbar(
        sum(ends) / 2, y, xerr=(ends[1] - ends[0]) / 2, color=INK, capsize=5, lw=1, capthick=1, fmt="none"
    )


def _save(figure: Any, path: Path) -> None:
    # On its own ground, so that it can be read in a dark page too.
    figure.savefig(path, dpi=130, bbox_inches="tight", pad_inches=0.15, facecolor="#fff", metadata={})
    plt.close(figure)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
