import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from amodal.errors import UnreadableCell
from amodal.media import read_sound, resample, sound_shape, write_sound


def tone(seconds: float = 0.5, rate: int = 8000, frequency: float = 440) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def test_a_sound_comes_back_to_one_step_of_sixteen_bits(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", tone(), 8000)
    sound = read_sound(tmp_path / "a.wav")
    assert sound.rate == 8000
    assert sound.seconds == 0.5
    assert sound.samples.dtype == np.float32
    np.testing.assert_allclose(sound.samples, tone(), atol=1 / 65535)
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_writing_what_was_read_gives_the_same_file(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-1.2, 1.2, 5000)
    write_sound(tmp_path / "a.wav", samples, 8000)
    write_sound(tmp_path / "b.wav", read_sound(tmp_path / "a.wav").samples, 8000)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_what_is_too_loud_is_clipped(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", np.array([0.0, 7.0, -7.0]), 8000)
    np.testing.assert_allclose(read_sound(tmp_path / "a.wav").samples, [0, 1, -1], atol=1e-4)


@pytest.mark.parametrize("samples", [np.array([0.0, np.nan]), np.array([0.0, np.inf]), np.zeros((4, 2))])
def test_only_one_row_of_numbers_is_written(tmp_path: Path, samples: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="one row of finite samples"):
        write_sound(tmp_path / "a.wav", samples, 8000)
    assert not list(tmp_path.iterdir())


def test_stereo_is_mixed_down(tmp_path: Path) -> None:
    left, right = tone(1, 44_100), tone(1, 44_100, 1000)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), 44_100)
    sound = read_sound(tmp_path / "a.wav")
    assert sound.rate == 44_100
    np.testing.assert_allclose(sound.samples, (left + right) / 2, atol=1e-4)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.aiff"])
def test_other_formats_are_read(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, tone(), 8000)
    sound = read_sound(tmp_path / name)
    assert abs(sound.seconds - 0.5) < 0.01
    assert abs(float(np.sqrt(np.mean(sound.samples**2))) - 0.5 / np.sqrt(2)) < 0.02


def test_a_long_sound_is_read_in_part_or_in_full(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 600_000)
    write_sound(tmp_path / "a.wav", samples, 8000)
    np.testing.assert_allclose(read_sound(tmp_path / "a.wav").samples, samples, atol=1e-4)


def test_reading_can_stop_early(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", tone(), 8000)
    np.testing.assert_allclose(
        read_sound(tmp_path / "a.wav", max_seconds=0.1).samples, tone()[:800], atol=1e-4
    )
    assert read_sound(tmp_path / "a.wav", max_seconds=9).seconds == 0.5


def test_the_shape_comes_from_the_header(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", tone(0.25, 22_050), 22_050)
    assert sound_shape(tmp_path / "a.wav") == (round(0.25 * 22_050) / 22_050, 22_050)


@pytest.mark.parametrize(("count", "message"), [(0, "0 samples"), (1, "1 sample")])
def test_a_sound_too_short_is_refused(tmp_path: Path, count: int, message: str) -> None:
    write_sound(tmp_path / "a.wav", np.zeros(count), 8000)
    with pytest.raises(UnreadableCell, match=rf"too short \({message}\)"):
        read_sound(tmp_path / "a.wav")
    write_sound(tmp_path / "a.wav", np.zeros(2), 8000)
    assert len(read_sound(tmp_path / "a.wav").samples) == 2


@pytest.mark.parametrize("content", [b"just some text", b"", b"RIFF", b"\0" * 999])
@pytest.mark.parametrize("name", ["a.wav", "a.raw"])
def test_what_is_no_sound_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    for read in (read_sound, sound_shape):
        with pytest.raises(UnreadableCell, match="not a sound that can be read"):
            read(tmp_path / name)


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCell, match="cannot be opened"):
        read_sound(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_sound_is_refused(tmp_path: Path, name: str, kept: float) -> None:
    soundfile.write(tmp_path / name, np.random.default_rng(0).uniform(-1, 1, 30_000), 8000)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: round(len(whole) * kept)])
    with pytest.raises(UnreadableCell, match=r"truncated|can be read"):
        read_sound(tmp_path / name)


def test_a_stream_of_unknown_length_is_read(tmp_path: Path) -> None:
    # As a program leaves it that writes into a pipe.
    samples = (tone() * 32768).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    size = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(b"RIFF" + size + b"WAVE" + form + b"data" + size + samples)
    np.testing.assert_allclose(read_sound(tmp_path / "a.wav").samples, tone(), atol=1e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, bad: float) -> None:
    samples = tone().astype(np.float32)
    samples[7] = bad
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(UnreadableCell, match="not finite"):
        read_sound(tmp_path / "a.wav")


def test_resampling_keeps_the_tone() -> None:
    np.testing.assert_allclose(
        resample(tone(1, 44_100), 44_100, 8000)[500:-500], tone(1)[500:-500], atol=1e-3
    )
    same = tone().astype(np.float32)
    np.testing.assert_array_equal(resample(same, 8000, 8000), same)
    assert np.abs(resample(tone(1, 44_100, 9000), 44_100, 8000)[500:-500]).max() < 1e-3


def mp3_without_a_length(seconds: float) -> bytes:
    """An MP3 of constant frames whose first one, which counts them, is left out; a tag of 4 kB stands before it."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * 44_100))
    soundfile.write(file, noise, 44_100, format="MP3", bitrate_mode="CONSTANT", compression_level=0.0)
    content = file.getvalue()
    second = content.index(b"\xff\xfb", 4)
    return b"ID3\x03\x00\x00" + bytes([0, 0, 32, 0]) + bytes(32 * 128) + content[second:]


def test_an_mp3_that_does_not_say_its_length_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(mp3_without_a_length(1.0))
    sound = read_sound(tmp_path / "a.mp3")
    assert sound.seconds == pytest.approx(1.0, abs=0.1)
    seconds, rate = sound_shape(tmp_path / "a.mp3")
    assert (seconds, rate) == (sound.seconds, 44_100)
    with soundfile.SoundFile(tmp_path / "a.mp3") as file:
        assert file.frames > len(sound.samples), "libsndfile's estimate counts the tag"
    assert read_sound(tmp_path / "a.mp3", max_seconds=0.25).seconds == 0.25
