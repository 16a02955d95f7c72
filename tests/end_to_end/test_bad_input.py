"""Tables that are wrong, or merely odd: each gives a clear error, or works."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from amodal import DataError, TableModel


def quick(**settings: object) -> TableModel:
    return TableModel(epochs=1, latent=4, **settings)


def media_table(folder: Path, rows: int = 12) -> pd.DataFrame:
    for row in range(rows):
        Image.effect_noise((16, 16), 60).save(folder / f"{row}.png")
        soundfile.write(folder / f"{row}.wav", np.random.default_rng(row).normal(size=2000) * 0.1, 8000)
    return pd.DataFrame(
        {"photo": [f"{row}.png" for row in range(rows)], "call": [f"{row}.wav" for row in range(rows)]}
    )


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100)))


def test_all_bad_cells_are_told_of_at_once_and_can_become_missing(amodal, tmp_path: Path) -> None:
    frame = media_table(tmp_path)
    (tmp_path / "huge.png").write_bytes(png_header(20_000, 20_000))
    (tmp_path / "half.png").write_bytes((tmp_path / "0.png").read_bytes()[:150])
    (tmp_path / "note.wav").write_text("a note")
    frame.loc[3, "photo"], frame.loc[5, "photo"] = "huge.png", "half.png"
    frame.loc[4, "call"] = "note.wav"
    frame.to_csv(tmp_path / "table.csv", index=False)
    words = ("fit", tmp_path / "table.csv", "-o", tmp_path / "model", "--epochs", 1)
    said = amodal(*words, code=3).stderr
    for told in (
        "photo: 2 cells",
        "row 4: 'huge.png'",
        "20",
        "row 6: 'half.png'",
        "row 5: 'note.wav'",
        "--bad-cells",
    ):
        assert told in said
    assert not (tmp_path / "model").exists()
    amodal(*words, "--bad-cells", "missing")
    listed = pd.read_csv(tmp_path / "model" / "bad_cells.csv")
    assert listed["row"].tolist() == [4, 6, 5]


def test_rows_without_a_cell_are_left_out_with_their_numbers(caplog: pytest.LogCaptureFixture) -> None:
    frame = pd.DataFrame({"a": [1.5, None, 2.5, 3.25] * 5, "b": ["x", None, "y", "x"] * 5})
    quick().fit(frame)
    assert "2, 6, 10 and 2 more" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,a\n1,2\n", "a"), ("a,b\n", "no rows"), ("", "table.csv")],
    ids=["duplicate names", "no rows", "nothing"],
)
def test_tables_that_are_none(amodal, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "table.csv").write_text(content)
    assert said in amodal("fit", tmp_path / "table.csv", "-o", tmp_path / "model", code=3).stderr


def test_infinities_in_a_file_are_bad_cells(tmp_path: Path) -> None:
    cells = [f"{value:.2f}" for value in np.random.default_rng(0).normal(size=40)]
    cells[7], cells[9], cells[11] = "inf", "-Infinity", "NaN"
    pd.DataFrame({"x": cells, "y": ["u", "v"] * 20}).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match="row 8: 'inf'"):
        quick().fit(tmp_path / "table.csv")
    model = quick(bad_cells="missing").fit(tmp_path / "table.csv")
    assert [cell.cell for cell in model.bad_cells_] == ["inf", "-Infinity"], "NaN is missing"


def test_an_unseen_category_is_an_error_or_missing() -> None:
    model = quick().fit(pd.DataFrame({"pet": ["cat", "dog"] * 20, "size": np.linspace(0, 1, 40)}))
    unseen = pd.DataFrame({"pet": ["cow", "cat"], "size": [0.1, None]})
    with pytest.raises(DataError, match="'cow' was not seen in training"):
        model.complete(unseen)
    assert model.complete(unseen, bad_cells="missing")["pet"].isin(["cat", "dog"]).all()


def test_one_row() -> None:
    with pytest.raises(DataError, match="no column that can be used"):
        quick().fit(pd.DataFrame({"a": [1.5], "b": ["x"]}))
    forced = quick(types={"a": "number", "b": "category"}).fit(pd.DataFrame({"a": [1.5], "b": ["x"]}))
    assert forced.sample(2).to_dict("list") == {"a": [1.5, 1.5], "b": ["x", "x"]}


def test_one_column() -> None:
    model = quick().fit(pd.DataFrame({"a": np.linspace(0.5, 9.5, 30)}))
    assert model.sample(5)["a"].between(0.5, 9.5).all()


@pytest.mark.parametrize("method", ["mvtcae", "mopoe"])
def test_thirty_columns(method: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{n}": rng.normal(size=40) for n in range(29)}).assign(c=["u", "v"] * 20)
    model = quick(method=method).fit(frame.mask(rng.random(frame.shape) < 0.3))
    assert model.sample(3).shape == (3, 30)


def test_a_column_almost_all_missing() -> None:
    frame = pd.DataFrame({"a": np.linspace(0, 1, 200), "b": [0.5, 1.5, 2.5, 3.5, 4.5] * 2 + [None] * 190})
    model = quick().fit(frame)
    assert not model.complete(frame).isna().any().any()


def test_texts_in_every_script(tmp_path: Path) -> None:
    texts = ["一只 🐦 在唱歌", "طائر يغني الآن", "ein Vogel singt laut 🎵", "鳥が歌っている"]
    frame = pd.DataFrame(
        {"song": [f"{text} {n}" for n, text in enumerate(texts * 6)], "n": np.arange(24) / 7}
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    model = quick(types={"song": "text"}).fit(tmp_path / "table.csv")
    kept = model.complete(tmp_path / "table.csv", columns=["n"])
    assert kept["song"].tolist() == frame["song"].tolist()
    assert model.sample(3)["song"].str.len().gt(0).all()


def test_a_very_long_text() -> None:
    frame = pd.DataFrame(
        {"t": ["one two three", "two four"] * 20 + ["word " * 10_000], "n": np.arange(41) / 3}
    )
    assert len(quick(types={"t": "text"}).fit(frame).sample(2)) == 2


def test_a_damaged_model_says_so(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved, folder)
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(DataError, match="damaged"):
        TableModel.load(folder)


def test_a_newer_format_says_so(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved, folder)
    description = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(description | {"format": 99, "novelty": True}))
    with pytest.raises(DataError, match=r"99.*update amodal"):
        TableModel.load(folder)
    (folder / "model.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        TableModel.load(folder)
