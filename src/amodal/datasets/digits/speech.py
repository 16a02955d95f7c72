"""Reads short texts aloud with eSpeak NG, in a process of its own.

eSpeak NG carries tremor, noise and echo over from one utterance to the next, and so says the same twice only
from a fresh start. Run as a program this file reads a JSON list of `Utterance` fields on standard input, and
writes each one's number of samples (4 bytes) and 16-bit samples.
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
"""Samples a second of all that eSpeak NG says."""

# From speak_lib.h of eSpeak NG 1.52.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4
_POSITION_CHARACTER, _CHARACTERS_UTF8 = 1, 1


@dataclass(frozen=True)
class Utterance:
    """What is said, and how.

    Attributes:
        text: English words.
        voice: a variant of the American English voice, such as "m3".
        rate: words a minute, 80 to 450.
        pitch: 0 to 99; 50 is the voice's own.
        liveliness: range of the pitch, 0 to 99; 50 is the voice's own.
    """

    text: str
    voice: str
    rate: int
    pitch: int
    liveliness: int


def speak(utterances: Sequence[Utterance]) -> Iterator[NDArray[np.int16]]:
    """Say one after another, the same way each time it is called.

    Yields:
        The samples of each utterance, int16 (n,), `RATE` a second.

    Raises:
        RuntimeError: eSpeak NG failed; the message is its own.
    """
    request = json.dumps([astuple(utterance) for utterance in utterances]).encode()
    # By its path, so that the new process need not import amodal, and works from any folder.
    command = [sys.executable, "-P", __file__]
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=complaints) as process,  # noqa: S603
    ):
        speaker, listener = cast("BinaryIO", process.stdout), cast("BinaryIO", process.stdin)
        listener.write(request)
        listener.close()
        for _ in utterances:
            length = speaker.read(4)
            if len(length) < 4:
                process.wait()
                complaints.seek(0)
                raise RuntimeError(f"eSpeak NG failed: {complaints.read().decode(errors='replace').strip()}")
            yield np.frombuffer(speaker.read(2 * int.from_bytes(length, "little")), np.int16)


def _say_all(utterances: list[Utterance]) -> Iterator[bytes]:
    import espeakng_loader

    espeak = CDLL(espeakng_loader.get_library_path())
    data = Path(espeakng_loader.get_data_path())
    if espeak.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data.parent).encode(), 0) != RATE:
        raise RuntimeError(f"eSpeak NG does not start with its data in {data}")
    # Else the noise of breath begins with the time of day.
    espeak.espeak_ng_SetRandSeed(c_long(1))
    heard: list[bytes] = []

    def hear(samples: int | None, count: int, _events: int | None) -> int:
        if samples is not None and count > 0:
            heard.append(string_at(samples, 2 * count))
        return 0

    # Named, or it would be collected while eSpeak NG still calls it.
    callback = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)(hear)
    espeak.espeak_SetSynthCallback(callback)
    for said in utterances:
        # eSpeak NG itself says nothing of a variant that it does not have.
        if not (data / "voices" / "!v" / said.voice).is_file():
            raise RuntimeError(f"eSpeak NG has no voice {said.voice!r}")
        espeak.espeak_SetVoiceByName(f"en-us+{said.voice}".encode())
        espeak.espeak_SetParameter(_PARAMETER_RATE, said.rate, 0)
        espeak.espeak_SetParameter(_PARAMETER_PITCH, said.pitch, 0)
        espeak.espeak_SetParameter(_PARAMETER_RANGE, said.liveliness, 0)
        text = said.text.encode() + b"\0"
        espeak.espeak_Synth(text, len(text), 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None)
        espeak.espeak_Synchronize()
        yield b"".join(heard)
        heard.clear()


def _main() -> None:
    for samples in _say_all([Utterance(*fields) for fields in json.load(sys.stdin)]):
        sys.stdout.buffer.write((len(samples) // 2).to_bytes(4, "little") + samples)


if __name__ == "__main__":
    _main()
