"""Any-order completion from a real table to real files: odd tables, ways of drawing, interruptions, noise."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from amodal import DataError, TableModel, UsageError, cli
from amodal.models.latent_flow import AnyOrderLoss, ColumnELBO, DistillationLoss

EPOCHS = 30
"""So many that pictures follow their latents."""


def quick(**settings: Any) -> TableModel:
    settings = {"epochs": 4, "latent": 8, "device": "cpu", "precision": "32-true"} | settings
    return TableModel("latent-flow", **settings)


def picture_table(folder: Path, rows: int = 24) -> pd.DataFrame:
    """Pictures as bright as their row's number, which is also named, with holes."""
    rng = np.random.default_rng(0)
    size = rng.random(rows)
    for row, bright in enumerate(size):
        pixels = (255 * bright * rng.uniform(0.8, 1, (8, 8))).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{row}.png")
    frame = pd.DataFrame(
        {
            "photo": [f"{row}.png" for row in range(rows)],
            "size": size.round(3),
            "kind": np.where(size > 0.5, "light", "dark"),
        }
    ).astype({"photo": "object", "kind": "object"})
    frame.loc[::5, "photo"] = None
    frame.loc[1::5, "size"] = None
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    picture_table(folder).to_csv(folder / "metadata.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> TableModel:
    return quick(epochs=EPOCHS).fit(folder)


def complete(model: TableModel, frame: pd.DataFrame, folder: Path, **how: Any) -> pd.DataFrame:
    whole = model.complete(frame, media_root=folder, **how)
    assert len(whole) == len(frame)
    assert not whole[list(model.schema_.used)].isna().any().any()
    return whole


def pictures(frame: pd.DataFrame) -> np.ndarray:
    return np.stack(frame["photo"].tolist())


def test_all_stages_share_one_budget_and_one_history(model: TableModel) -> None:
    history = model.history_
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    # Each of the three stages begins an epoch at least, and ends it where its part of the budget does.
    assert EPOCHS <= len(history) <= EPOCHS + 3
    assert history["seconds"].is_monotonic_increasing
    assert history["val_loss"].notna().all()


def test_a_saved_model_draws_and_scores_the_same(
    model: TableModel, folder: Path, tmp_path: Path, bfloat16: bool
) -> None:
    model.save(tmp_path / "model")
    again = TableModel.load(tmp_path / "model", device="cpu")
    for how in ({}, {"fast": True}, {"guidance": 3.0}):
        one, other = (of.sample(5, seed=2, **how) for of in (model, again))
        assert np.array_equal(pictures(one), pictures(other))
        assert one.drop(columns="photo").equals(other.drop(columns="photo"))
    np.testing.assert_array_equal(*(of.score_samples(folder, samples=10) for of in (model, again)))
    np.testing.assert_array_equal(*(of.embed(folder) for of in (model, again)))


def test_fast_draws_and_guided_ones_differ_in_pictures_alone(model: TableModel, bfloat16: bool) -> None:
    usual = model.sample(8, given={"kind": "light"})
    for how in ({"fast": True}, {"guidance": 6.0}):
        other = model.sample(8, given={"kind": "light"}, **how)
        assert other["size"].tolist() == usual["size"].tolist()
        assert pictures(other).shape == pictures(usual).shape == (8, 8, 8, 1)
        assert not np.array_equal(pictures(other), pictures(usual))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the command line in this process, and give what it says on its way to an exit code."""

    def run(*words: object, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["amodal", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said.err
        return said.out + said.err

    return run


def test_the_command_line_draws_fast_and_guided(
    command: Callable[..., str], model: TableModel, folder: Path, tmp_path: Path
) -> None:
    model.save(tmp_path / "model")
    seen = {}
    for name, more in {"usual": [], "fast": ["--fast"], "guided": ["--guidance", 6]}.items():
        words = [tmp_path / "model", folder, "-o", tmp_path / name, "--columns", "photo", *more]
        command("complete", *words, "--device", "cpu")
        drawn = pd.read_csv(tmp_path / name / "metadata.csv")
        assert len(drawn) == 24
        assert drawn["photo"].notna().all()
        seen[name] = b"".join((tmp_path / name / cell).read_bytes() for cell in drawn["photo"])
    assert len(set(seen.values())) == 3
    command("sample", tmp_path / "model", "-n", 2, "-o", tmp_path / "sampled", "--fast")
    assert len(pd.read_csv(tmp_path / "sampled" / "metadata.csv")) == 2
    both = ["--fast", "--guidance", 2]
    said = command("complete", tmp_path / "model", folder, "-o", tmp_path / "both", *both, code=2)
    assert "not both" in said
    assert "from 0 up" in command(
        "sample", tmp_path / "model", "-n", 1, "-o", tmp_path / "odd", "--guidance", -1, code=2
    )
    assert not (tmp_path / "both").exists()


@pytest.mark.parametrize("how", [{"guidance": 2.0}, {"fast": True}], ids=["guidance", "fast"])
def test_other_methods_refuse_its_ways_of_drawing(
    command: Callable[..., str], how: dict[str, Any], tmp_path: Path
) -> None:
    other = TableModel("mvtcae", epochs=1, latent=2).fit(pd.DataFrame({"a": np.linspace(0.5, 9.5, 30)}))
    (name,) = how
    with pytest.raises(UsageError, match=f"'mvtcae' has no {name}.*latent-flow"):
        other.sample(2, **how)
    other.save(tmp_path / "model")
    flags = ["--fast"] if name == "fast" else ["--guidance", 2]
    said = command("sample", tmp_path / "model", "-n", 1, "-o", tmp_path / "rows", *flags, code=2)
    assert f"has no {name}" in said


def test_a_column_with_one_picture(folder: Path) -> None:
    frame = picture_table(folder)
    frame.loc[frame.index != 7, "photo"] = None
    model = quick().fit(frame, media_root=folder)
    assert model.schema_.used["photo"].type == "image"
    whole = complete(model, frame, folder)
    assert whole["photo"].iloc[7] == "7.png"
    assert np.isfinite(model.score_samples(frame, media_root=folder, samples=10)).all()


def test_columns_that_are_never_present_together(folder: Path) -> None:
    frame = picture_table(folder)[["photo", "size"]]
    frame["photo"] = [f"{row}.png" if row % 2 else None for row in range(len(frame))]
    frame["size"] = [None if row % 2 else row / 7 for row in range(len(frame))]
    model = quick().fit(frame, media_root=folder)
    whole = complete(model, frame, folder)
    assert whole["size"].between(0, 24 / 7).all()
    assert not complete(model, frame, folder, columns=["photo", "size"]).isna().any().any()


def test_a_single_column_of_pictures(folder: Path) -> None:
    frame = pd.DataFrame({"photo": [f"{row}.png" for row in range(24)]})
    model = quick().fit(frame, media_root=folder)
    drawn = pictures(model.sample(6))
    assert drawn.shape == (6, 8, 8, 1)
    assert len(np.unique(drawn, axis=0)) == 6
    assert pictures(model.sample(6, fast=True)).shape == (6, 8, 8, 1)
    assert np.isfinite(model.score_samples(frame, media_root=folder, samples=10)).all()
    assert np.ptp(model.embed(frame.assign(photo=None).astype("object")), axis=0).max() < 1e-5


def test_a_target_that_no_row_ever_had_is_ignored_with_its_reason(folder: Path) -> None:
    frame = picture_table(folder)[["size", "kind"]].assign(later=None)
    model = quick(epochs=1).fit(frame)
    assert model.schema_.ignored == {"later": "every cell is missing"}
    with pytest.raises(UsageError, match="no column 'later'"):
        model.complete(frame, columns=["later"])
    # What the model does not know is kept as it is.
    assert model.complete(frame)["later"].isna().all()
    with pytest.raises(DataError, match="'later' has no cell"):
        quick(types={"later": "number"}).fit(frame)


def test_ten_thousand_categories_fit_in_bounded_memory(tmp_path: Path) -> None:
    rows = 10_000
    frame = pd.DataFrame({"name": [f"n{row}" for row in range(rows)], "size": np.arange(rows) / 7})
    frame.to_csv(tmp_path / "table.csv", index=False)
    words = ["fit", "table.csv", "-o", "model", "--method", "latent-flow", "--type", "name=category"]
    words += ["--epochs", "1", "--batch-size", "500", "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "amodal.cli", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, code, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    process.stderr.close()
    assert process.returncode == 0, said
    assert used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) < 2.5e9
    model = TableModel.load(tmp_path / "model", device="cpu")
    assert len(model.schema_.used["name"].labels) == rows
    assert model.complete(frame.assign(name=None).head(300))["name"].isin(frame["name"]).all()
    assert np.isfinite(model.score_samples(frame.tail(10), samples=10)).all()
    # Unasked, so many different names are no category.
    unasked = quick(epochs=1).fit(frame.head(300))
    assert "name" in unasked.schema_.ignored


def test_heavy_tails_are_drawn_within_what_was_seen() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"tail": rng.standard_cauchy(300), "kind": rng.choice(["a", "b"], 300)})
    frame.loc[:2, "tail"] = [1e12, -1e12, 3e-9]
    model = quick().fit(frame)
    drawn = model.sample(500)["tail"]
    assert np.isfinite(drawn).all()
    assert drawn.between(-1e12, 1e12).all()
    assert drawn.abs().median() < 20, "most is as small as what was seen"
    assert np.isfinite(model.score_samples(frame, samples=10)).all()
    beyond = pd.DataFrame({"tail": [1e300, -1e300, 0.0], "kind": [None] * 3})
    assert model.complete(beyond)["kind"].isin(["a", "b"]).all()
    assert np.isfinite(model.score_samples(beyond, samples=10)).all()


def cut_off(monkeypatch: pytest.MonkeyPatch, objective: type, after: int) -> None:
    """Let a stage fail in its training step of this number."""
    usual, steps = objective.__call__, []

    def failing(self: Any, model: Any, *more: Any, **named: Any) -> Any:
        if model.training:
            steps.append(1)
            if len(steps) == after:
                raise RuntimeError("power cut")
        return usual(self, model, *more, **named)

    monkeypatch.setattr(objective, "__call__", failing)


@pytest.fixture(scope="module")
def unbroken(folder: Path) -> TableModel:
    return quick(epochs=32, batch_size=32).fit(folder)


@pytest.mark.parametrize(("objective", "after"), [(ColumnELBO, 4), (AnyOrderLoss, 4), (DistillationLoss, 2)])
def test_a_run_cut_off_in_any_stage_goes_on_and_ends_where_an_unbroken_one_does(
    objective: type, after: int, unbroken: TableModel, folder: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        cut_off(patch, objective, after)
        with pytest.raises(RuntimeError, match="power cut"):
            quick(epochs=32, batch_size=32).fit(folder, work=tmp_path)
    resumed = quick(epochs=32, batch_size=32).fit(folder, work=tmp_path, resume=True)
    assert len(resumed.history_) == len(unbroken.history_)
    np.testing.assert_allclose(resumed.history_["val_loss"], unbroken.history_["val_loss"], rtol=1e-4)
    for how in ({}, {"fast": True}):
        one, other = (pictures(model.sample(4, **how)).astype(int) for model in (unbroken, resumed))
        assert np.abs(one - other).max() <= 1


KINDS = {
    "north": ("red", "ruby"),
    "east": ("green", "leaf"),
    "south": ("blue", "sky"),
    "west": ("grey", "stone"),
}


def related(rows: int, seed: int) -> pd.DataFrame:
    """A kind, of which a number and a text tell, and a column that tells of nothing."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, len(KINDS), rows)
    words = list(KINDS.values())
    return pd.DataFrame(
        {
            "kind": np.array(list(KINDS))[kind],
            "size": (10 * kind + rng.normal(0, 1, rows)).round(2),
            "text": [f"a {words[k][rng.integers(2)]} {rng.choice(['hat', 'coat'])}" for k in kind],
            "noise": rng.normal(size=rows).round(4),
        }
    )


TABLE, FRESH = related(1_000, 0), related(200, 1)


def accuracy(columns: list[str]) -> dict[str, float]:
    """How often what is drawn of fresh rows belongs to what is given, of a model of these columns."""
    types = {"kind": "category", "size": "number", "text": "text", "noise": "number"}
    model = quick(epochs=60, batch_size=64, latent=64, types={name: types[name] for name in columns})
    model.fit(TABLE[columns])
    rows = FRESH[columns]
    from_size = model.complete(rows.drop(columns="text"), columns=["kind"])["kind"]
    from_text = model.complete(rows, columns=["kind", "size"])
    words = model.complete(rows, columns=["text"])["text"].str.split()
    meant = zip(words, FRESH["kind"], strict=True)
    return {
        "kind, given size": (from_size == FRESH["kind"]).mean(),
        "kind, given text": (from_text["kind"] == FRESH["kind"]).mean(),
        "size, given text": ((from_text["size"] - FRESH["size"]).abs() < 5).mean(),
        "text, given kind and size": np.mean([bool({*KINDS[kind]} & {*said}) for said, kind in meant]),
    }


@pytest.mark.slow
def test_a_column_of_noise_does_not_harm_the_others() -> None:
    without, beside = accuracy(["kind", "size", "text"]), accuracy(["kind", "size", "text", "noise"])
    for what, share in without.items():
        assert share > 0.8, f"{what}: {share}"
        # Of 200 rows, three standard errors of a difference of two such shares.
        assert beside[what] > share - 0.09, f"{what}: {beside[what]} beside noise, {share} without"
