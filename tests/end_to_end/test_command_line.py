from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest


def test_inspect_says_types_and_reasons(amodal, digits: Path) -> None:
    rows = json.loads(amodal("inspect", digits, "--json").stdout)
    assert [row["type"] for row in rows][:3] == ["image", "audio", "text"]
    assert all(row["reason"] for row in rows)
    assert "caption" in amodal("inspect", digits).stdout


def test_from_table_to_files_and_back(amodal, process, digits: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    process("fit", digits, "-o", model, "--epochs", 2, "--device", "cpu")
    assert {path.name for path in model.iterdir()} == {
        "model.safetensors",
        "model.json",
        "history.csv",
        "README.md",
        ".amodal.json",
    }
    assert not (tmp_path / "model.training").exists()

    process("sample", model, "-n", 3, "-o", tmp_path / "generated", "--given", "digit=7")
    generated = pd.read_csv(tmp_path / "generated" / "metadata.csv")
    assert (generated["digit"] == 7).all()
    for column in ("image", "speech"):
        assert all((tmp_path / "generated" / cell).is_file() for cell in generated[column])

    amodal("complete", model, digits, "-o", tmp_path / "filled")
    filled = pd.read_csv(tmp_path / "filled" / "metadata.csv")
    assert len(filled) == 160
    assert not filled.isna().any().any()

    # What is written is a table like any other.
    again = tmp_path / "again"
    amodal("fit", tmp_path / "filled", "-o", again, "--epochs", 1)
    few = tmp_path / "few.csv"
    pd.read_csv(digits / "heldout.csv").head(20).to_csv(few, index=False)
    amodal("embed", again, few, "-o", tmp_path / "embedding.parquet", "--media-root", digits)
    assert pq.read_table(tmp_path / "embedding.parquet").num_rows == 20

    amodal(
        *("complete", model, few, "-o", tmp_path / "said", "--media-root", digits),
        *("--given", "caption", "--columns", "speech", "--draws", 2),
    )
    said = pd.read_csv(tmp_path / "said" / "metadata.csv")
    assert len(said) == 40
    assert all((tmp_path / "said" / cell).is_file() for cell in said["image"])


def test_nothing_is_overwritten_unasked(amodal, saved: Path, digits: Path, tmp_path: Path) -> None:
    before = (saved / "model.json").read_bytes()
    said = amodal("fit", digits, "-o", saved, "--epochs", 1, code=2).stderr
    assert "--overwrite" in said
    assert (saved / "model.json").read_bytes() == before
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mum.txt").write_text("dear mum")
    amodal("sample", saved, "-n", 1, "-o", tmp_path / "letters", "--overwrite", code=2)
    assert (tmp_path / "letters" / "mum.txt").read_text() == "dear mum"


def test_a_process_ends_with_the_code_of_its_problem(process, tmp_path: Path) -> None:
    assert process("--version").stdout.startswith("amodal ")
    (tmp_path / "there").mkdir()
    assert "is a folder" in process("features", "x.csv", "-o", tmp_path / "there", code=2).stderr
    assert "x.csv" in process("inspect", tmp_path / "x.csv", code=3).stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("fit", "nowhere.csv", "-o", "x"), 3, "nowhere.csv"),
        (("sample", "nowhere", "-n", "1", "-o", "x"), 3, "is no model"),
        (("fit", "{digits}", "-o", "x", "--method", "vae"), 2, "Choose from latent-flow"),
        (("fit", "{digits}", "-o", "x", "--type", "caption"), 2, "COLUMN=VALUE"),
        (("fit", "{digits}", "-o", "x", "--type", "caption=poem"), 2, "image"),
        (("fit", "{digits}", "-o", "x", "--type", "captoin=text"), 2, "caption"),
        (("fit", "{digits}", "-o", "x", "--time-limit", "soon"), 2, "5m"),
        (("sample", "{saved}", "-n", "1", "-o", "x", "--given", "digit=11"), 3, "was not seen in training"),
    ],
)
def test_wrong_calls_say_what_to_do(amodal, digits, saved, tmp_path, words, code, said) -> None:
    filled = [word.format(digits=digits, saved=saved) for word in words]
    filled = [str(tmp_path / "x") if word == "x" else word for word in filled]
    assert said in amodal(*filled, code=code).stderr


def test_settings_come_from_a_file_and_flags_win(amodal, digits: Path, tmp_path: Path) -> None:
    config = tmp_path / "fit.yaml"
    config.write_text("method: mvtcae\nlatent: 8\nepochs: 5\noptions:\n  image: {height: 14, width: 14}\n")
    amodal("fit", digits, "-o", tmp_path / "model", "--config", config, "--epochs", 1)
    model = json.loads((tmp_path / "model" / "model.json").read_text())
    assert model["settings"]["model"]["latent"] == 8
    image = next(column for column in model["table"]["columns"] if column["name"] == "image")
    assert image["modality"]["height"] == 14
    assert len(pd.read_csv(tmp_path / "model" / "history.csv")) == 1
    config.write_text("latnet: 8\n")
    assert "latent" in amodal("fit", digits, "-o", tmp_path / "other", "--config", config, code=2).stderr


def test_columns_that_are_left_out_are_told(amodal, tmp_path: Path) -> None:
    rows = pd.DataFrame({"size": range(40), "same": "x", "key": [f"id-{row:03}" for row in range(40)]})
    rows.assign(size=rows["size"] * 1.5 + 0.25).to_csv(tmp_path / "table.csv", index=False)
    told = amodal("fit", tmp_path / "table.csv", "-o", tmp_path / "model", "--epochs", 1).stderr
    assert "same was left out:" in told
    assert "key was left out:" in told
    assert "size was left out" not in told
