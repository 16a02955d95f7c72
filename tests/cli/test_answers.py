"""Conditions and answers on the command line, with real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from amodal.cli.arguments import label_shares
from amodal.errors import UsageError

ROWS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of two kinds of pictures with prices, and its model."""
    folder = tmp_path_factory.mktemp("answers")
    rng = np.random.default_rng(0)
    (folder / "table").mkdir()
    for row in range(ROWS):
        light = 40 if row % 2 else 200
        pixels = rng.normal(light, 10, (12, 12, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "table" / f"{row}.png")
    low = rng.gamma(2, 10, ROWS).round(2)
    frame = pd.DataFrame(
        {
            "image": [f"{row}.png" for row in range(ROWS)],
            "kind": ["dark" if row % 2 else "light" for row in range(ROWS)],
            "low": low,
            "high": (low + rng.gamma(2, 5, ROWS)).round(2),
            "day": pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
        }
    )
    frame.loc[::7, "kind"] = None
    frame.loc[3::9, "high"] = np.nan
    frame.to_csv(folder / "table" / "metadata.csv", index=False)
    return folder


@pytest.fixture
def saved(amodal, folder: Path) -> Path:
    model = folder / "model"
    if not model.exists():
        words = (
            "fit",
            folder / "table",
            "-o",
            model,
            "--epochs",
            2,
            "--set",
            "latent=8",
            "--rule",
            "low <= high",
        )
        amodal(*words, "--type", "day=ignore")
    return model


def test_rules_and_conditions_are_kept(amodal, folder: Path, saved: Path, tmp_path: Path) -> None:
    where = "high > 30 and kind == 'dark' and image is not null"
    amodal("sample", saved, "-n", 40, "-o", tmp_path / "rows", "--where", where)
    rows = pd.read_csv(tmp_path / "rows" / "metadata.csv")
    assert (rows["high"] > 30).all()
    assert (rows["kind"] == "dark").all()
    assert (rows["low"] <= rows["high"]).all()
    assert (tmp_path / "rows" / rows["image"][0]).is_file()


def test_shares_and_holes(amodal, saved: Path, tmp_path: Path) -> None:
    amodal("sample", saved, "-n", 10, "-o", tmp_path / "even", "--balance", "kind")
    assert pd.read_csv(tmp_path / "even" / "metadata.csv")["kind"].value_counts().tolist() == [5, 5]
    amodal("sample", saved, "-n", 10, "-o", tmp_path / "most", "--shares", "kind=dark:.8,light:.2")
    assert (pd.read_csv(tmp_path / "most" / "metadata.csv")["kind"] == "dark").sum() == 8
    amodal("sample", saved, "-n", 60, "-o", tmp_path / "holes", "--holes")
    rows = pd.read_csv(tmp_path / "holes" / "metadata.csv")
    assert rows["kind"].isna().any()
    assert rows["image"].notna().all()


def test_best_completions_with_their_certainty(amodal, folder: Path, saved: Path, tmp_path: Path) -> None:
    amodal("complete", saved, folder / "table", "-o", tmp_path / "full", "--best", "--certainty")
    table = pd.read_csv(folder / "table" / "metadata.csv")
    full = pd.read_csv(tmp_path / "full" / "metadata.csv")
    drawn = pd.read_csv(tmp_path / "full" / "drawn.csv")
    assert not full.drop(columns="day").isna().any().any()
    assert (drawn["kind"] == table["kind"].isna()).all()
    assert (full["low"] <= full["high"]).all()
    certainty = pd.read_csv(tmp_path / "full" / "certainty.csv")
    labels = certainty[certainty["column"] == "kind"]
    assert labels["row"].tolist() == (np.flatnonzero(table["kind"].isna()) + 1).tolist()
    assert labels["probability"].between(0.5, 1).all()
    assert (certainty["column"] == "high").sum() == table["high"].isna().sum()


def test_search_by_a_picture(amodal, folder: Path, saved: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(folder / "table")
    said = amodal("search", saved, ".", "--given", "image=5.png", "-k", 3).stdout
    assert "distance" in said
    amodal("search", saved, ".", "--given", "image=5.png", "-k", 3, "-o", tmp_path / "found.csv")
    found = pd.read_csv(tmp_path / "found.csv")
    assert found["row"].tolist()[0] == 6
    assert len(found) == 3
    amodal("search", saved, ".", "--query", ".", "--columns", "low", "-k", 1, "-o", tmp_path / "all.csv")
    assert len(pd.read_csv(tmp_path / "all.csv")) == ROWS
    amodal("search", saved, ".", "-k", 3, code=2)


def test_scores(amodal, folder: Path, saved: Path, tmp_path: Path) -> None:
    said = amodal("score", saved, folder / "table", "-o", tmp_path / "scores.csv", "--samples", 10).stdout
    scores = pd.read_csv(tmp_path / "scores.csv")
    assert sorted(scores["row"]) == list(range(1, ROWS + 1))
    assert f"row {scores['row'].iloc[0]}" in said


def test_a_split_holds_the_pictures_of_its_rows(amodal, folder: Path, tmp_path: Path) -> None:
    amodal("split", folder / "table", "-o", tmp_path / "parts", "--time", "day", "--test", 0.25)
    parts = {name: pd.read_csv(tmp_path / "parts" / name / "metadata.csv") for name in ("train", "test")}
    assert [len(part) for part in parts.values()] == [45, 15]
    assert parts["train"]["day"].max() < parts["test"]["day"].min()
    assert all((tmp_path / "parts" / "test" / image).is_file() for image in parts["test"]["image"])
    assert "--overwrite" in amodal("split", folder / "table", "-o", tmp_path / "parts", code=2).stderr
    assert (
        "not both"
        in amodal(
            *("split", folder / "table", "-o", tmp_path / "other", "--time", "day", "--group", "kind"), code=2
        ).stderr
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--where", "size > 3"), 2, "there is no column 'size'"),
        (("--where", "high > 'much'"), 2, "'much' is not a"),
        (("--where", "high > 1e9"), 2, "no cell of column 'high'"),
        (("--where", "kind is null"), 2, "--holes"),
        (("--shares", "kind"), 2, "COLUMN=LABEL:SHARE"),
        (("--shares", "kind=dark:.5"), 2, "sum to 0.5"),
        (("--balance", "high"), 2, "has no labels"),
        (("--given", "kind=grey"), 3, "--given kind=grey: 'grey' was not seen in training"),
        (("--given", "high=99999"), 3, "--given high=99999: the cells of 'high' in training go from"),
    ],
)
def test_wrong_conditions_say_what_to_do(
    amodal, saved: Path, tmp_path: Path, words, code: int, said: str
) -> None:
    stderr = amodal("sample", saved, "-n", 2, "-o", tmp_path / "x", *words, code=code).stderr
    assert said in stderr
    assert "--bad-cells" not in stderr


def test_rows_that_break_a_rule_are_shown(amodal, folder: Path, tmp_path: Path) -> None:
    words = ("fit", folder / "table", "-o", tmp_path / "m", "--epochs", 1, "--rule", "high <= low")
    said = amodal(*words, code=3).stderr
    assert "rows break the rule 'high <= low': row 1 has high=" in said


def test_shares_of_several_columns() -> None:
    assert label_shares("u=a:1;v = b c:.5, d:.5") == {"u": {"a": 1.0}, "v": {"b c": 0.5, "d": 0.5}}
    with pytest.raises(UsageError, match="COLUMN=LABEL:SHARE"):
        label_shares("u=a:many")
