from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amodal import TableModel, UsageError
from amodal.media import Sound
from amodal.methods import METHODS

COLUMNS = ["image", "speech", "caption", "thickness", "slant", "seconds", "digit", "voice"]


def same_cells(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    def same(a: object, b: object) -> bool:
        if isinstance(a, Sound) and isinstance(b, Sound):
            return np.array_equal(a.samples, b.samples)
        return np.array_equal(np.asarray(a), np.asarray(b))

    pairs = zip(one.to_numpy().ravel(), other.to_numpy().ravel(), strict=True)
    return list(one) == list(other) and all(same(a, b) for a, b in pairs)


def test_the_demo_tables_columns_are_understood(fitted: TableModel) -> None:
    types = {name: modality.type for name, modality in fitted.schema_.used.items()}
    assert types == dict(
        zip(
            COLUMNS,
            ["image", "audio", "text", "number", "number", "number", "category", "category"],
            strict=True,
        )
    )


def test_sample_gives_whole_rows_of_the_right_kinds(fitted: TableModel) -> None:
    rows = fitted.sample(3)
    assert list(rows) == COLUMNS
    assert len(rows) == 3
    assert not rows.isna().any().any()
    row = rows.iloc[0]
    assert row["image"].shape == (28, 28, 1)
    assert row["image"].dtype == np.uint8
    assert row["speech"].rate == 8000
    assert isinstance(row["caption"], str)
    assert isinstance(row["thickness"], float)
    assert row["voice"] in fitted.schema_.used["voice"].labels


def test_sample_keeps_what_is_given(fitted: TableModel) -> None:
    rows = fitted.sample(4, given={"digit": 7, "voice": "man"})
    assert (rows["digit"] == 7).all()
    assert (rows["voice"] == "man").all()
    assert rows["thickness"].nunique() > 1


def test_completion_fills_the_holes_and_keeps_the_rest(fitted: TableModel, digits: Path) -> None:
    table = pd.read_csv(digits / "metadata.csv", dtype=str, keep_default_na=False, na_values=[""]).head(20)
    full = fitted.complete(table, media_root=digits)
    assert not full.isna().any().any()
    there = table["caption"].notna()
    assert there.any()
    assert (~there).any()
    assert (full.loc[there, "caption"] == table.loc[there, "caption"]).all()
    assert all(isinstance(cell, Sound) for cell in full.loc[table["speech"].isna(), "speech"])


def test_translation_does_not_look_at_what_it_draws(fitted: TableModel, digits: Path) -> None:
    table = pd.read_csv(digits / "heldout.csv", dtype=str).head(6)
    shuffled = table.assign(image=table["image"].to_numpy()[::-1], digit="1")
    one = fitted.complete(table, given=["caption"], columns=["image"], media_root=digits)
    other = fitted.complete(shuffled, given=["caption"], columns=["image"], media_root=digits)
    assert same_cells(one[["image"]], other[["image"]])
    # Without `given` every other column is used, the drawn one never.
    one = fitted.complete(table, columns=["image"], media_root=digits)
    other = fitted.complete(
        table.assign(image=table["image"].to_numpy()[::-1]), columns=["image"], media_root=digits
    )
    assert same_cells(one[["image"]], other[["image"]])


def test_draws_differ_and_are_numbered(fitted: TableModel, digits: Path) -> None:
    table = pd.read_csv(digits / "heldout.csv", dtype=str).head(2)
    drawn = fitted.complete(table, columns=["thickness"], given=["caption"], draws=3, media_root=digits)
    assert drawn["row"].tolist() == [1, 1, 1, 2, 2, 2]
    assert drawn["draw"].tolist() == [1, 2, 3, 1, 2, 3]
    assert drawn["thickness"].nunique() > 3


def test_a_rows_draw_depends_on_the_seed_and_its_number_alone(
    fitted: TableModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = fitted.sample(7, seed=5)
    with monkeypatch.context() as fewer:
        fewer.setattr("amodal.inference._ROWS_AT_ONCE", 5)
        more = fitted.sample(12, seed=5)
    columns = ["image", "caption", "thickness", "digit"]
    assert same_cells(some[columns].iloc[:, 1:], more[columns].iloc[:7, 1:])
    images = [
        np.abs(a.astype(int) - b.astype(int)).max()
        for a, b in zip(some["image"], more["image"][:7], strict=True)
    ]
    assert max(images) <= 1, "sums of other lengths may round differently, no more"
    assert not same_cells(some[columns], fitted.sample(7, seed=6)[columns])


def test_saved_is_loaded(fitted: TableModel, saved: Path, digits: Path) -> None:
    again = TableModel.load(saved, device="cpu")
    assert same_cells(fitted.sample(3, seed=2), again.sample(3, seed=2))
    table = pd.read_csv(digits / "heldout.csv", dtype=str).head(5)
    np.testing.assert_array_equal(
        fitted.embed(table, media_root=digits), again.embed(table, media_root=digits)
    )
    assert (saved / "README.md").read_text().startswith("#")
    assert not list(saved.rglob("*.pkl"))
    assert not list(saved.rglob("*.ckpt"))
    assert len(pd.read_csv(saved / "history.csv")) == len(fitted.history_)


def test_embed_and_score_have_one_entry_a_row(fitted: TableModel, digits: Path) -> None:
    table = pd.read_csv(digits / "heldout.csv", dtype=str).head(7)
    vectors = fitted.embed(table, media_root=digits)
    assert vectors.shape == (7, 16)
    assert np.isfinite(vectors).all()
    scores = fitted.score_samples(table, media_root=digits, samples=5)
    assert scores.shape == (7,)
    assert np.isfinite(scores).all()


def test_a_shuffled_row_scores_lower_on_labels(digits: Path, bfloat16: bool) -> None:
    frame = pd.DataFrame({"a": ["x", "y"] * 100, "b": ["u", "v"] * 100})
    model = TableModel(epochs=100, latent=4, random_state=0).fit(frame)
    right = model.score_samples(frame.head(20)).mean()
    wrong = model.score_samples(frame.head(20).assign(b=["v", "u"] * 10)).mean()
    assert right > wrong + 1


def test_same_seed_same_model(digits: Path, bfloat16: bool) -> None:
    frame = pd.read_csv(digits / "metadata.csv")[["thickness", "slant", "caption", "digit"]].dropna(how="all")
    models = [TableModel(epochs=2, latent=4, random_state=seed).fit(frame) for seed in (0, 0, 1)]
    first, same, other = (model.sample(5, seed=0) for model in models)
    assert same_cells(first, same)
    assert not same_cells(first, other)


@pytest.mark.parametrize("method", [method.name for method in METHODS])
def test_every_method_goes_all_the_way(method: str, digits: Path, tmp_path: Path, bfloat16: bool) -> None:
    frame = pd.read_csv(digits / "metadata.csv", dtype=str).head(40).drop(columns=["speech", "seconds"])
    frame = frame[frame.notna().any(axis=1)]
    model = TableModel(method, epochs=1, latent=8).fit(frame, media_root=digits)
    model.save(tmp_path / "model")
    again = TableModel.load(tmp_path / "model", device="cpu")
    assert same_cells(model.sample(2), again.sample(2))
    assert not again.complete(frame, media_root=digits).isna().any().any()


def test_it_is_a_scikit_learn_estimator(digits: Path) -> None:
    frame = pd.read_csv(digits / "metadata.csv")[["thickness", "digit"]].dropna(how="all")
    model = clone(TableModel(epochs=1, latent=4))
    with pytest.raises(NotFittedError):
        model.embed(frame)
    assert make_pipeline(model, StandardScaler()).fit_transform(frame).shape == (len(frame), 4)


def test_wrong_words_are_answered_with_the_choices(fitted: TableModel, digits: Path) -> None:
    with pytest.raises(UsageError, match=r"Unknown method 'vae'. Choose from latent-flow"):
        TableModel("vae").fit(digits)
    with pytest.raises(UsageError, match=r"no column 'picture'. Choose from image"):
        fitted.sample(1, given={"picture": "x"})
    with pytest.raises(UsageError, match="at least 1"):
        fitted.sample(0)
