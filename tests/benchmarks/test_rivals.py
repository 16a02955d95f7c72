import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal.errors import DataError
from amodal.media import write_image, write_sound
from amodal.metrics.feature_blocks import mel_bands, thumbnail
from benchmarks.real_table import RealTable
from benchmarks.rivals import RIVALS, rivals
from benchmarks.table_completion import rivals_of, scored_columns, summary
from benchmarks.table_features import TableFeatures

ROWS, HELDOUT = 120, 60


def frame(rows: int, seed: int) -> pd.DataFrame:
    """A price that is the sum of a word's and a size's, a label of the size, and one that nothing tells."""
    generator = np.random.default_rng(seed)
    word, size = generator.integers(0, 3, rows), generator.normal(size=rows).round(2)
    table = pd.DataFrame(
        {
            "title": [f"{('red', 'blue', 'green')[number]} thing a" for number in word],
            "size": size.astype(str),
            "price": (10 * word + size).round(2).astype(str),
            "large": np.where(size > 0, "yes", "no"),
            "noise": generator.choice(["left", "right"], rows, p=[0.7, 0.3]),
        }
    )
    table.loc[::10, "size"] = None
    table.loc[5::10, "price"] = None
    return table


@pytest.fixture
def table(tmp_path: Path) -> RealTable:
    place = tmp_path / "things"
    place.mkdir()
    frame(ROWS, 0).to_csv(place / "metadata.csv", index=False)
    frame(HELDOUT, 1).to_csv(place / "heldout.csv", index=False)
    table = RealTable.read("things", tmp_path, tmp_path)
    kinds = {"title": "text", "size": "number", "price": "number", "large": "label", "noise": "label"}
    return RealTable(table.name, table.folder, table.training, table.heldout, kinds, table.content)


def test_rivals_learn_what_other_columns_tell(table: RealTable) -> None:
    scores = rivals_of(table)
    assert list(scores) == ["size", "price", "large", "noise"]
    assert all(list(of) == ["base", *RIVALS] for of in scores.values())
    assert scores["price"]["base"]["score"] <= 0
    assert scores["price"]["linear"]["score"] > 0.95
    assert scores["price"]["linear"]["mae"] < scores["price"]["base"]["mae"] / 4
    assert scores["price"]["boosting"]["score"] > 0.8
    assert scores["price"]["nearest"]["score"] > 0.8
    assert max(scores["large"][name]["score"] for name in RIVALS) > 0.9
    majority = table.heldout["noise"].eq("left").mean()
    assert scores["noise"]["base"]["score"] == pytest.approx(majority)


def test_rows_without_the_cell_are_left_out(table: RealTable) -> None:
    heldout = table.heldout.copy()
    heldout.loc[heldout.index[30:], "large"] = None
    cut = RealTable(table.name, table.folder, table.training, heldout, table.kinds, "cut")
    base = rivals(cut, TableFeatures(cut), "large")["base"]["score"]
    majority = table.training["large"].mode().iloc[0]
    assert base == pytest.approx((heldout["large"][:30] == majority).mean())
    heldout.loc[heldout.index[29:], "large"] = None
    assert "large" not in scored_columns(cut)


def test_rivals_are_fitted_once_for_the_same_rows(table: RealTable) -> None:
    first = rivals_of(table)
    files = sorted(table.folder.glob("rivals-*.json"))
    assert len(files) == 4
    record = json.loads(files[0].read_text(encoding="utf-8"))
    record["result"]["base"]["score"] = 0.123
    files[0].write_text(json.dumps(record), encoding="utf-8")
    again = rivals_of(table)
    column = record["options"]["column"]
    assert again[column]["base"]["score"] == 0.123
    assert {name: of for name, of in again.items() if name != column} == {
        name: of for name, of in first.items() if name != column
    }
    rivals_of(table.first(50, None))
    assert len(list(table.folder.glob("rivals-*.json"))) == 8


def test_a_column_of_one_label_has_its_base_alone(table: RealTable) -> None:
    training = table.training.assign(noise="left")
    constant = RealTable(table.name, table.folder, training, table.heldout, table.kinds, "constant")
    assert list(rivals(constant, TableFeatures(constant), "noise")) == ["base"]


def test_pictures_and_sounds_tell_labels_and_are_read_once(
    table: RealTable,
) -> None:
    frames, generator = [], np.random.default_rng(0)
    for part, of in (("training", table.training), ("heldout", table.heldout)):
        bright, high = generator.integers(0, 2, (2, len(of)))
        for row in range(len(of)):
            noise = generator.integers(0, 60, (8, 8, 3))
            write_image(table.folder / f"{part}{row}.png", (noise + 150 * bright[row]).astype(np.uint8))
            turns = np.arange(2000) / 8000 * (2000 if high[row] else 300)
            write_sound(table.folder / f"{part}{row}.wav", 0.5 * np.sin(2 * np.pi * turns), 8000)
        names = [f"{part}{row}" for row in range(len(of))]
        frames.append(
            pd.DataFrame(
                {
                    "picture": [f"{name}.png" for name in names],
                    "sound": [f"{name}.wav" for name in names],
                    "bright": np.where(bright, "bright", "dark"),
                    "high": np.where(high, "high", "low"),
                }
            )
        )
        frames[-1].loc[3::20, "picture"] = None
    kinds = {"picture": "image", "sound": "audio", "bright": "label", "high": "label"}
    media = RealTable("media", table.folder, *frames, kinds, "media")
    scores = rivals_of(media)
    for name in RIVALS:
        assert scores["bright"][name]["score"] > 0.9
        assert scores["high"][name]["score"] > 0.95
    for path in table.folder.glob("*.png"):
        path.unlink()
    TableFeatures(media).block("picture")


def test_vectors_are_of_one_length_whatever_the_picture_or_sound() -> None:
    from amodal.media import Sound

    assert (
        len(thumbnail(np.zeros((5, 9, 3), np.uint8))) == len(thumbnail(np.zeros((40, 30), np.uint8))) == 768
    )
    silence = [Sound(np.zeros(count, np.float32), rate) for count, rate in ((10, 8000), (50_000, 44_100))]
    assert len(mel_bands(silence[0])) == len(mel_bands(silence[1])) == 129


def test_a_table_that_is_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no table 'nowhere'.*--archives"):
        RealTable.read("nowhere", tmp_path, tmp_path)


def test_a_summary_counts_columns() -> None:
    columns = {
        "price": {"as good": True, "below base": False, "share": 1.0, "amodal": 0.8, "coverage": 0.7}
        | {"crps": 1.0, "crps of base": 4.0},
        "colour": {"as good": False, "below base": True, "share": -0.5, "amodal": 0.2},
    }
    assert summary(columns) == {
        "columns": 2,
        "as good": 1,
        "below base": 1,
        "mean share": 0.25,
        "coverage": 0.7,
        "CRPS skill": 0.75,
        "price R2": 0.8,
    }
