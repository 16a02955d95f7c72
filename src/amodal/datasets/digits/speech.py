"""Speech synthesis of short texts with eSpeak NG, in a process of its own.

eSpeak NG carries tremor, noise and echo over from one utterance to the next, and is reproducible only from a fresh
start. Run as a program, this file reads a JSON list of `Utterance` fields on stdin and writes, for each, its number
of samples (4 bytes) and its 16-bit samples.
"""

from __future__ import annotations

import json
import subprocess
import sys
from ctypes import CDLL, CFUNCTYPE, c_int, c_long, c_void_p, string_at
from dataclasses import astuple, dataclass
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["RATE", "Utterance", "speak"]

RATE = 22_050
"""Sample rate of eSpeak NG in Hz."""

# From speak_lib.h of eSpeak NG 1.52.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4
_POSITION_CHARACTER, _CHARACTERS_UTF8 = 1, 1


@dataclass(frozen=True)
class Utterance:
    """A text with the parameters of its voice.

    Attributes:
        text: English words.
        voice: variant of the American English voice, such as "m3".
        rate: words a minute, 80 to 450.
        pitch: 0 to 99; 50 is the voice's default.
        pitch_range: 0 to 99; 50 is the voice's default.
    """

    text: str
    voice: str
    rate: int
    pitch: int
    pitch_range: int


def speak(utterances: Sequence[Utterance]) -> Iterator[NDArray[np.int16]]:
    """Synthesise utterances one after another, reproducibly.

    Yields:
        The samples of each utterance, int16 (n,), at `RATE`.

    Raises:
        RuntimeError: eSpeak NG failed; the message is its own.
    """
    request = json.dumps([astuple(utterance) for utterance in utterances]).encode()
    # Run by path: the new process need not import amodal, and works from any folder.
    command = [sys.executable, "-P", __file__]
    with (
        TemporaryFile() as errors,
        subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors) as process,  # noqa: S603
    ):
        stdout, stdin = cast("BinaryIO", process.stdout), cast("BinaryIO", process.stdin)
        stdin.write(request)
        stdin.close()
        for _ in utterances:
            length = stdout.read(4)
            if len(length) < 4:
                process.wait()
                errors.seek(0)
                raise RuntimeError(f"eSpeak NG failed: {errors.read().decode(errors='replace').strip()}")
            yield np.frombuffer(stdout.read(2 * int.from_bytes(length, "little")), np.int16)


def _synthesise(utterances: list[Utterance]) -> Iterator[bytes]:
    import espeakng_loader

    espeak = CDLL(espeakng_loader.get_library_path())
    data = Path(espeakng_loader.get_data_path())
    if espeak.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data.parent).encode(), 0) != RATE:
        raise RuntimeError(f"eSpeak NG does not start with its data in {data}")
    # By default the breath noise is seeded with the time of day.
    espeak.espeak_ng_SetRandSeed(c_long(1))
    chunks: list[bytes] = []

    def on_samples(samples: int | None, count: int, _events: int | None) -> int:
        if samples is not None and count > 0:
            chunks.append(string_at(samples, 2 * count))
        return 0

    # Bound to a name, or it would be garbage-collected while eSpeak NG still calls it.
    callback = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)(on_samples)
    espeak.espeak_SetSynthCallback(callback)
    for utterance in utterances:
        # eSpeak NG does not report an unknown variant.
        if not (data / "voices" / "!v" / utterance.voice).is_file():
            raise RuntimeError(f"eSpeak NG has no voice {utterance.voice!r}")
        espeak.espeak_SetVoiceByName(f"en-us+{utterance.voice}".encode())
        espeak.espeak_SetParameter(_PARAMETER_RATE, utterance.rate, 0)
        espeak.espeak_SetParameter(_PARAMETER_PITCH, utterance.pitch, 0)
        espeak.espeak_SetParameter(_PARAMETER_RANGE, utterance.pitch_range, 0)
        text = utterance.text.encode() + b"\0"
        espeak.espeak_Synth(text, len(text), 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None)
        espeak.espeak_Synchronize()
        yield b"".join(chunks)
        chunks.clear()


def _main() -> None:
    for samples in _synthesise([Utterance(*fields) for fields in json.load(sys.stdin)]):
        sys.stdout.buffer.write((len(samples) // 2).to_bytes(4, "little") + samples)


if __name__ == "__main__":
    _main()
