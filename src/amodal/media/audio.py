"""Sound files to samples and back."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from amodal.errors import UnreadableCell
from amodal.media.paths import open_cell
from amodal.pages import data_uri

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from soundfile import SoundFile

__all__ = [
    "Sound",
    "read_sound",
    "resample",
    "sound_array",
    "sound_shape",
    "wav_bytes",
    "write_sound",
]

_BLOCK = 2**18
_MP3 = "MP3"
"""The format whose length libsndfile estimates by the file's size where no header gives it."""
_UNKNOWN_LENGTH = 0x7FFF_0000
"""A size as large as this, or zero, is left by a writer that did not know the length in advance."""
_SLACK = 64
"""Bytes that a WAV file may lack: writers count its header, which has 44 or a few more, as samples."""
_MAX_RATE = 10_000_000


@dataclass(frozen=True)
class Sound:
    """One channel of sound.

    Attributes:
        samples: float32 (n,), full scale is -1 to 1.
        rate: samples a second, in hertz.
    """

    samples: NDArray[np.float32]
    rate: int

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.rate

    def _repr_html_(self) -> str:
        """A player, for notebooks."""
        uri = data_uri(wav_bytes(self.samples, self.rate), "audio/wav")
        return f'<audio controls preload="none" src="{uri}"></audio> {self.seconds:.2f} s'


def read_sound(source: Path | bytes, max_seconds: float | None = None) -> Sound:
    """Read a sound, its channels mixed down to their mean.

    A WAV file whose header gives no length, or one that is a few bytes too long, is read to its end.

    Args:
        source: a file that libsndfile reads, or its content: WAV, FLAC, OGG, MP3, AIFF and others.
        max_seconds: where reading stops; None reads all.

    Returns:
        Two samples or more, all finite.

    Raises:
        UnreadableCell: the file is no sound, damaged, shorter than two samples or has samples that are not
            finite; the message says which.
    """
    with _open(source) as file:
        wanted = (
            file.frames if max_seconds is None else min(file.frames, round(max_seconds * file.samplerate))
        )
        blocks = [
            block[:, 0] if block.shape[1] == 1 else block.mean(axis=1) for block in _blocks(file, wanted)
        ]
        length = sum(len(block) for block in blocks)
        rate, estimated = file.samplerate, file.format == _MP3
    if (length < wanted and not estimated) or _missing_bytes(source) > _SLACK:
        raise UnreadableCell("is truncated: it ends before its header says")
    if length < 2:
        raise UnreadableCell(f"is too short ({length} sample{'' if length == 1 else 's'})")
    samples = np.concatenate(blocks)
    if not np.isfinite(samples).all():
        raise UnreadableCell("has samples that are not finite numbers")
    return Sound(samples, rate)


def sound_shape(source: Path | bytes) -> tuple[float, int]:
    """Read duration and rate of a sound from its header; an MP3 without a length in its header is decoded.

    Returns:
        Seconds, and samples a second.

    Raises:
        UnreadableCell: the file is no sound.
    """
    with _open(source) as file:
        frames = file.frames
        if file.format == _MP3:
            frames = sum(len(block) for block in _blocks(file, frames))
        return frames / file.samplerate, file.samplerate


def write_sound(path: Path, samples: NDArray[np.floating], rate: int) -> None:
    """Write one channel as 16-bit WAV.

    Reading the file gives the same samples to 1/65536, and writing those again gives the same file.

    Args:
        path: the file to write or replace.
        samples: as `wav_bytes` takes them.
        rate: samples a second, in hertz.
    """
    content = wav_bytes(samples, rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def wav_bytes(samples: NDArray[np.floating], rate: int) -> bytes:
    """The 16-bit WAV file of one channel.

    Args:
        samples: (n,), finite; clipped to -1 to 1.
        rate: samples a second, in hertz.
    """
    import soundfile

    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise ValueError("a sound is one row of finite samples")
    # Readers divide by 32,768.
    integers = np.clip(np.rint(np.asarray(samples, np.float64) * 32768), -32768, 32767).astype(np.int16)
    file = BytesIO()
    soundfile.write(file, integers, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def resample(samples: NDArray[np.floating], rate: int, target_rate: int) -> NDArray[np.float32]:
    """Change the sampling rate of a sound, frequencies above half the new rate filtered out.

    Args:
        samples: (n,).
        rate: their samples a second, in hertz.
        target_rate: the new samples a second.

    Returns:
        float32, about n * target_rate / rate samples.
    """
    import librosa

    samples = np.asarray(samples, np.float32)
    if rate == target_rate:
        return samples
    return np.asarray(librosa.resample(samples, orig_sr=rate, target_sr=target_rate), np.float32)


def sound_array(samples: NDArray[Any], rate: int) -> Sound:
    """A sound of an array of samples, its channels mixed down to their mean.

    Args:
        samples: (n,), (n, channels) or (channels, n), the longer axis being time; numbers of which 1 is full scale, or
            integers of which their type's largest is.
        rate: samples a second, in hertz.

    Raises:
        UnreadableCell: the array is of another shape, too short, or has samples that are not finite.

    Example:
        >>> sound_array(np.array([[0, 0], [16384, -16384], [32767, 32767]], np.int16), 8000).samples.tolist()
        [0.0, 0.0, 0.999969482421875]
    """
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "uif":
        raise UnreadableCell(
            f"is an array of {samples.dtype} of shape {samples.shape}, no sound: (n,) or (n, channels)"
        )
    if not 0 < rate < _MAX_RATE:
        raise UnreadableCell(f"has {rate} samples a second")
    if samples.dtype.kind == "f":
        scaled = samples.astype(np.float32)
    else:
        info = np.iinfo(samples.dtype)
        middle = 0 if info.min < 0 else (info.max + 1) // 2
        scaled = ((samples.astype(np.float64) - middle) / (info.max + 1 - middle)).astype(np.float32)
    if scaled.ndim == 2:
        scaled = scaled.mean(axis=int(scaled.shape[0] >= scaled.shape[1]))
    if len(scaled) < 2:
        raise UnreadableCell(f"is too short ({len(scaled)} sample{'' if len(scaled) == 1 else 's'})")
    if not np.isfinite(scaled).all():
        raise UnreadableCell("has samples that are not finite numbers")
    return Sound(scaled, int(rate))


@contextmanager
def _open(source: Path | bytes) -> Iterator[SoundFile]:
    from soundfile import LibsndfileError, SoundFile

    try:
        # Without its name, since libsndfile trusts a name that ends in .raw.
        with _opened(source) as named, SoundFile(_without_name(named), closefd=False) as file:
            yield file
    except LibsndfileError as error:
        raise UnreadableCell(f"is not a sound that can be read ({error.error_string.rstrip('.')})") from error


def _opened(source: Path | bytes) -> BinaryIO:
    """The source; a WAV file whose header gives a wrong length with the right one, in memory."""
    with _raw(source) as file:
        chunk = _wav_data(file)
        size = file.seek(0, os.SEEK_END)
        if chunk is not None and chunk.length in (0, 0xFFFF_FFFF) and chunk.start < size:
            file.seek(0)
            content = bytearray(file.read())
            content[chunk.start - 4 : chunk.start] = min(size - chunk.start, 0xFFFF_FFFE).to_bytes(
                4, "little"
            )
            return BytesIO(content)
    return _raw(source)


def _raw(source: Path | bytes) -> BinaryIO:
    return BytesIO(source) if isinstance(source, bytes) else open_cell(source)


def _blocks(file: SoundFile, frames: int) -> Iterator[NDArray[np.float32]]:
    """Blocks (n, channels) of up to `frames` samples: a header cannot ask for more memory than its file fills."""
    while frames > 0 and len(block := file.read(min(frames, _BLOCK), dtype="float32", always_2d=True)):
        yield block
        frames -= len(block)


def _without_name(file: BinaryIO) -> int | BinaryIO:
    if isinstance(file, BytesIO):
        return file
    # A descriptor is read in half the time of a Python file; on Windows Python's are not libsndfile's.
    return file.fileno() if os.name == "posix" else os.fdopen(file.fileno(), "rb", closefd=False)


@dataclass(frozen=True)
class _WavData:
    """The chunk of samples of a WAV file: its first byte, and its length by the header."""

    start: int
    length: int


def _wav_data(file: BinaryIO) -> _WavData | None:
    header = file.read(12)
    if header[:4] != b"RIFF" or header[8:] != b"WAVE":
        return None
    while len(chunk := file.read(8)) == 8:
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return _WavData(file.tell(), length)
        file.seek(length + length % 2, 1)
    return None


def _missing_bytes(source: Path | bytes) -> int:
    """Bytes that a WAV file's samples end before its header says, which libsndfile accepts; 0 for other files."""
    with _raw(source) as file:
        chunk = _wav_data(file)
        if chunk is None or not 0 < chunk.length < _UNKNOWN_LENGTH:
            return 0
        return max(0, chunk.start + chunk.length - file.seek(0, os.SEEK_END))
