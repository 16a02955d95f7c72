"""No column costs another what it can learn: columns that are hard to read, and columns of noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from amodal import TableModel

DRAWS = 15


def fitted(frame: pd.DataFrame, root: Path | None = None, **settings: Any) -> TableModel:
    settings = {"device": "cpu", "precision": "32-true"} | settings
    return TableModel("latent-flow", **settings).fit(frame, media_root=root)


def completed(
    model: TableModel, rows: pd.DataFrame, target: str, given: list[str], root: Path | None = None
) -> pd.Series:
    """The most frequent label, or the mean number, of several draws of each row."""
    drawn = model.complete(rows, columns=[target], given=given, draws=DRAWS, media_root=root)
    by_row = drawn.groupby("row")[target]
    if pd.api.types.is_numeric_dtype(rows[target]):
        return by_row.mean().reset_index(drop=True)
    return by_row.agg(lambda cells: cells.mode().iloc[0]).reset_index(drop=True)


def pictures(folder: Path, rows: int, seed: int) -> pd.DataFrame:
    """Pictures of two stripes whose label is whether they differ, and their brightness."""
    rng = np.random.default_rng(seed)
    cells = []
    for row in range(rows):
        left, right = rng.integers(0, 2, 2)
        pixels = np.zeros((8, 8))
        pixels[:, :4], pixels[:, 4:] = left, right
        pixels = (pixels * rng.uniform(0.6, 1.0) * 255 * rng.uniform(0.8, 1.0, (8, 8))).astype(np.uint8)
        path = folder / f"{seed}-{row}.png"
        Image.fromarray(pixels).save(path)
        cells.append((path.name, "differ" if left != right else "alike", float(pixels.mean().round(3))))
    return pd.DataFrame(cells, columns=["photo", "kind", "brightness"])


@pytest.mark.slow
def test_a_picture_is_read_as_well_beside_a_number_that_is_its_brightness(tmp_path: Path) -> None:
    table, fresh = pictures(tmp_path, 600, 0), pictures(tmp_path, 200, 1)
    types = {"photo": "image", "kind": "category", "brightness": "number"}
    right = []
    for columns in (["photo", "kind"], ["photo", "kind", "brightness"]):
        model = fitted(table[columns], tmp_path, types={name: types[name] for name in columns}, epochs=60)
        kinds = completed(model, fresh[columns], "kind", ["photo"], tmp_path)
        right.append((kinds == fresh["kind"]).mean())
    assert right[0] > 0.95
    assert right[1] > right[0] - 0.02


WORDS = {"north": "pine", "east": "palm", "south": "olive", "west": "birch"}


def related(rows: int, seed: int) -> pd.DataFrame:
    """A region, of which a number and a tree tell, and a price of both."""
    rng = np.random.default_rng(seed)
    region = rng.integers(0, 4, rows)
    names = np.array(list(WORDS))
    tree = np.where(rng.random(rows) < 0.8, region, rng.integers(0, 4, rows))
    height = (3.0 * region + rng.normal(0, 1.0, rows)).round(3)
    return pd.DataFrame(
        {
            "region": names[region],
            "tree": np.array(list(WORDS.values()))[tree],
            "height": height,
            "price": (height * np.where(region % 2, 1.0, -1.0) + rng.normal(0, 0.5, rows)).round(3),
        }
    )


def noise_column(kind: str, rows: int, seed: int) -> pd.Series:
    """Cells that no other column tells of."""
    rng = np.random.default_rng((seed, 7))
    if kind == "text":
        letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
        return pd.Series([" ".join("".join(rng.choice(letters, 5)) for _ in range(3)) for _ in range(rows)])
    if kind == "category":
        return pd.Series([f"label {number}" for number in rng.integers(0, 30, rows)])
    return pd.Series(rng.standard_cauchy(rows).round(4))


TYPES = {"region": "category", "tree": "category", "height": "number", "price": "number"}


def scores(table: pd.DataFrame, fresh: pd.DataFrame, types: dict[str, str]) -> dict[str, float]:
    """Accuracy, or one minus the mean squared error over the variance, of each column given all others."""
    model, found = fitted(table, types=types, epochs=150 if len(table) < 1_000 else 40), {}
    for name in TYPES:
        cells = completed(model, fresh, name, [column for column in table if column != name])
        if TYPES[name] == "category":
            found[name] = float((cells == fresh[name]).mean())
        else:
            found[name] = 1.0 - float(((cells - fresh[name]) ** 2).mean() / fresh[name].var())
    return found


def check_noise(kind: str, rows: int) -> None:
    table, fresh = related(rows, 0), related(1_000, 1)
    alone = scores(table, fresh, TYPES)
    with_noise = [
        frame.assign(noise=noise_column(kind, len(frame), seed)) for seed, frame in enumerate((table, fresh))
    ]
    beside = scores(*with_noise, TYPES | {"noise": kind})
    assert min(alone.values()) > 0.5, alone
    assert np.mean([beside[name] - alone[name] for name in alone]) > -0.02, (alone, beside)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "category", "number"])
@pytest.mark.parametrize("rows", [250, 4_000])
def test_a_column_of_noise_costs_the_others_less_than_a_fiftieth(kind: str, rows: int) -> None:
    check_noise(kind, rows)
