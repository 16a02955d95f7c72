"""Sound files to samples and back."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from amodal.errors import UnreadableCell
from amodal.media.paths import open_cell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from soundfile import SoundFile

__all__ = ["Sound", "read_sound", "resample", "sound_shape", "wav_bytes", "write_sound"]

_BLOCK = 2**18
_MP3 = "MP3"
"""The format whose length libsndfile estimates by the file's size where no header gives it."""
_UNKNOWN_LENGTH = 0x7FFF_0000
"""A size as large as this, or zero, is left by a writer that did not know the length in advance."""


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


def read_sound(path: Path, max_seconds: float | None = None) -> Sound:
    """Read a sound, its channels mixed down to their mean.

    Args:
        path: a file that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF and others.
        max_seconds: where reading stops; None reads all.

    Returns:
        Two samples or more, all finite.

    Raises:
        UnreadableCell: the file is no sound, damaged, shorter than two samples or has samples that are not
            finite; the message says which.
    """
    with _open(path) as file:
        wanted = (
            file.frames if max_seconds is None else min(file.frames, round(max_seconds * file.samplerate))
        )
        blocks = [
            block[:, 0] if block.shape[1] == 1 else block.mean(axis=1) for block in _blocks(file, wanted)
        ]
        length = sum(len(block) for block in blocks)
        rate, estimated = file.samplerate, file.format == _MP3
    if (length < wanted and not estimated) or _ends_early(path):
        raise UnreadableCell("is truncated: it ends before its header says")
    if length < 2:
        raise UnreadableCell(f"is too short ({length} sample{'' if length == 1 else 's'})")
    samples = np.concatenate(blocks)
    if not np.isfinite(samples).all():
        raise UnreadableCell("has samples that are not finite numbers")
    return Sound(samples, rate)


def sound_shape(path: Path) -> tuple[float, int]:
    """Read duration and rate of a sound from its header; an MP3 without a length in its header is decoded.

    Returns:
        Seconds, and samples a second.

    Raises:
        UnreadableCell: the file is no sound.
    """
    with _open(path) as file:
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


@contextmanager
def _open(path: Path) -> Iterator[SoundFile]:
    from soundfile import LibsndfileError, SoundFile

    try:
        # Without its name, since libsndfile trusts a name that ends in .raw.
        with open_cell(path) as named, SoundFile(_without_name(named), closefd=False) as file:
            yield file
    except LibsndfileError as error:
        raise UnreadableCell(f"is not a sound that can be read ({error.error_string.rstrip('.')})") from error


def _blocks(file: SoundFile, frames: int) -> Iterator[NDArray[np.float32]]:
    """Blocks (n, channels) of up to `frames` samples: a header cannot ask for more memory than its file fills."""
    while frames > 0 and len(block := file.read(min(frames, _BLOCK), dtype="float32", always_2d=True)):
        yield block
        frames -= len(block)


def _without_name(file: BinaryIO) -> int | BinaryIO:
    # A descriptor is read in half the time of a Python file; on Windows Python's are not libsndfile's.
    return file.fileno() if os.name == "posix" else os.fdopen(file.fileno(), "rb", closefd=False)


def _ends_early(path: Path) -> bool:
    """True where a WAV file's samples end before its header says, which libsndfile accepts."""
    with path.open("rb") as file:
        header = file.read(12)
        if header[:4] != b"RIFF" or header[8:] != b"WAVE":
            return False
        size = path.stat().st_size
        while len(chunk := file.read(8)) == 8:
            length = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                return 0 < length < _UNKNOWN_LENGTH and file.tell() + length > size
            file.seek(length + length % 2, 1)
    return False
