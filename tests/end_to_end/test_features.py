"""Vectors for other tools, beside scikit-learn's and librosa's own calls."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import cv2
import librosa
import nltk
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import soundfile
from PIL import Image
from pyarrow import parquet
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from amodal import DataError, TableModel, UsageError

TYPES = {
    "photo": "image:patches",
    "call": "audio:mfcc",
    "song": "text:bag_of_words",
    "weight": "number",
    "sort": "category",
}


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    """Twelve rows of files, of which each column lacks one."""
    rng = np.random.default_rng(0)
    for row in range(12):
        Image.fromarray(rng.integers(0, 256, (20, 24), dtype=np.uint8)).save(tmp_path / f"{row}.png")
        soundfile.write(tmp_path / f"{row}.wav", rng.normal(size=900 + 100 * row) * 0.05 * row, 8_000)
    frame = pd.DataFrame(
        {
            "photo": [f"{row}.png" for row in range(12)],
            "call": [f"{row}.wav" for row in range(12)],
            "song": [f"The {row % 3} hens, a cat; it isn't {row}" for row in range(12)],
            "weight": rng.normal(size=12).round(3),
            "sort": ["b", "a", "c"] * 4,
        }
    )
    for row, column in enumerate(frame):
        frame.loc[row, column] = None
    frame.to_csv(tmp_path / "metadata.csv", index=False)
    return frame


def about(features: pa.Table) -> dict:
    return json.loads(features.schema.metadata[b"amodal"])


def vectors(features: pa.Table, column: str) -> np.ndarray:
    return np.stack(features[column].drop_null().to_numpy())


def test_vectors_are_those_of_scikit_learn_and_librosa(table: pd.DataFrame, tmp_path: Path) -> None:
    features = TableModel(types=TYPES).features(tmp_path)
    pictures = [cv2.imread(str(tmp_path / cell), cv2.IMREAD_GRAYSCALE) for cell in table["photo"].dropna()]
    patches = np.stack([extract_patches_2d(picture, (16, 16)).ravel() for picture in pictures])
    np.testing.assert_array_equal(vectors(features, "photo"), patches)

    sound = about(features)["call"]["fitted"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clips = [
            librosa.feature.mfcc(
                y=librosa.load(tmp_path / cell, sr=8_000)[0],
                sr=8_000,
                n_mfcc=40,
                n_fft=sound["n_fft"],
                hop_length=sound["hop"],
                n_mels=sound["mels"],
            )
            for cell in table["call"].dropna()
        ]
    scaler = StandardScaler().fit(np.concatenate(clips, axis=1).T)
    np.testing.assert_allclose(sound["mean"], scaler.mean_, atol=1e-4)
    for vector, clip in zip(vectors(features, "call"), clips, strict=True):
        padded = np.zeros((40, sound["frames"]))
        padded[:, : clip.shape[1]] = scaler.transform(clip.T).T
        np.testing.assert_allclose(vector, padded.ravel(), atol=1e-5)

    counter = CountVectorizer(
        tokenizer=lambda text: nltk.word_tokenize(text, preserve_line=True), token_pattern=None
    )
    words = counter.fit_transform(table["song"].dropna()).toarray()
    np.testing.assert_array_equal(vectors(features, "song"), words)
    labels = OneHotEncoder(sparse_output=False).fit_transform(table[["sort"]].dropna())
    np.testing.assert_array_equal(vectors(features, "sort"), labels)


def test_missing_cells_are_null_and_the_schema_says_what_columns_are(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    features = TableModel(types=TYPES).features(table, media_root=tmp_path)
    assert features.num_rows == 12
    for name in TYPES:
        assert features[name].is_null().to_pylist() == table[name].isna().tolist()
        column, kind = about(features)[name], features.schema.field(name).type
        assert pa.types.is_fixed_size_list(kind)
        assert kind.list_size == np.prod(column["shape"])
        assert column["unit"]
    assert about(features)["photo"]["shape"] == [45, 16, 16]
    assert about(features)["photo"]["representation"] == "patches"
    assert about(features)["weight"]["shape"] == [1]


def test_without_types_each_column_has_its_default_representation(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    features = TableModel(types={"song": "text", "sort": "category"}).features(table, media_root=tmp_path)
    kinds = [column["representation"] for column in about(features).values()]
    assert kinds == ["pixels", "mel", "tokens", "quantile", "one_hot"]


def test_a_column_that_is_left_out_has_no_vectors(table: pd.DataFrame, tmp_path: Path) -> None:
    features = TableModel(types={**TYPES, "call": "ignore"}).features(table, media_root=tmp_path)
    assert features.column_names == ["photo", "song", "weight", "sort"]


def test_bad_cells_are_told_of_all_at_once_or_become_null(table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "8.png").write_bytes(b"no picture")
    (tmp_path / "9.wav").write_bytes(b"no sound")
    with pytest.raises(
        DataError, match=r"(?s)photo: 1 cell.*row 9.*call: 1 cell.*row 10.*bad_cells=.missing"
    ):
        TableModel(types=TYPES).features(table, media_root=tmp_path)
    model = TableModel(types=TYPES, bad_cells="missing")
    features = model.features(table, media_root=tmp_path)
    assert features["photo"].null_count == 2
    assert [(cell.column, cell.row) for cell in model.bad_cells_] == [("photo", 9), ("call", 10)]
    with pytest.raises(UsageError, match="Choose from error, missing"):
        TableModel(types=TYPES, bad_cells="fine").features(table, media_root=tmp_path)


def test_odd_cells_have_finite_vectors(tmp_path: Path) -> None:
    for row, size in enumerate([(5, 9), (40, 30), (3, 3), (28, 28)]):
        Image.effect_noise(size, 60).save(tmp_path / f"{row}.png")
    silence, short = np.zeros(4_000), np.full(20, 0.1)
    for row, samples in enumerate([silence, short, silence[:1_000], np.sin(np.arange(3_000))]):
        soundfile.write(tmp_path / f"{row}.wav", samples, 8_000)
    frame = pd.DataFrame(
        {
            "photo": [f"{row}.png" for row in range(4)],
            "call": [f"{row}.wav" for row in range(4)],
            "word": ["hen"] * 4,
            "stop": ["the and", "of", "the", "is the"],
            "empty": ["", "one", "", "two"],
        }
    )
    types = {
        "photo": "image:patches",
        "call": "audio:mfcc",
        "word": "text:bag_of_words",
        "stop": "text:embedding",
        "empty": "text:bag_of_words",
    }
    features = TableModel(types=types).features(frame, media_root=tmp_path)
    assert vectors(features, "word").tolist() == [[1]] * 4
    assert features["empty"].is_null().to_pylist() == [True, False, True, False]
    for name in types:
        assert np.isfinite(vectors(features, name)).all()


def test_the_command_writes_what_the_method_gives(amodal, table: pd.DataFrame, tmp_path: Path) -> None:
    words = [word for name, kind in TYPES.items() for word in ("--type", f"{name}={kind}")]
    output = tmp_path / "vectors.parquet"
    said = amodal("features", tmp_path, "-o", output, *words).stdout
    assert "photo: image:patches, 45x16x16" in said
    written = parquet.read_table(output)
    features = TableModel(types=TYPES).features(tmp_path)
    assert written.to_pydict() == features.to_pydict()
    assert about(written) == about(features)
    assert all(pa.types.is_fixed_size_list(field.type) for field in written.schema)
    assert "--overwrite" in amodal("features", tmp_path, "-o", output, *words, code=2).stderr

    (tmp_path / "8.png").write_bytes(b"no picture")
    again = ("features", tmp_path, "-o", output, *words, "--overwrite")
    assert "row 9" in amodal(*again, code=3).stderr
    assert parquet.read_table(output).equals(written)
    amodal(*again, "--bad-cells", "missing")
    assert parquet.read_table(output)["photo"].null_count == 2
    assert pd.read_csv(tmp_path / "vectors.bad_cells.csv")["row"].tolist() == [9]
