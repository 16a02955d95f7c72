"""Sounds as mel-frequency cepstral coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from amodal.media import Sound, from_mfcc, mfcc, open_sound, wav_bytes
from amodal.modalities.audio_mel import AudioMel, end_of_sound
from amodal.modalities.file_cells import read_files, read_sample
from amodal.modalities.heads import IsotropicNormalHead
from amodal.modalities.modality import Modality
from amodal.nn import SpectrogramDecoder, SpectrogramEncoder

_COEFFICIENTS = 40
_SMALL_FILE = 100_000


@dataclass(frozen=True)
class AudioMfcc(Modality):
    """A sound as 40 cepstral coefficients a frame (`librosa.feature.mfcc`), each standardised over frames.

    The last row of a cell's tensor is 1 in the frames of the sound and -1 after its end: length is part of the
    tensor, as it is of `AudioMel`, whose rate, frames and limits these are.

    Attributes:
        rate: samples a second; the column's most frequent, up to 16 kHz.
        frames: most frames of a sound; by default enough for the column's longest, up to 8 s.
        mels: bands that the coefficients are computed from.
        n_fft: samples a window.
        hop: samples from frame to frame.
        mean: of each coefficient, over the frames of up to 200 sounds, evenly spread over the column.
        std: its standard deviation over the same frames; 1 where a coefficient never changes.
    """

    type: ClassVar[str] = "audio"
    representation: ClassVar[str] = "mfcc"
    unit: ClassVar[str] = "standard deviations from the mean, over the column's frames; 0 after the end"
    dtype: ClassVar[str] = "float32"
    suffix: ClassVar[str | None] = ".wav"
    latent: ClassVar[int | None] = 32

    rate: int
    frames: int
    mels: int
    n_fft: int
    hop: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return AudioMel.detect(cells, root)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        shared = {name: value for name, value in options.items() if name not in ("mean", "std")}
        unscaled = cls(**AudioMel.fit(cells, root, **shared).to_dict(), mean=(), std=())
        if not {"mean", "std"} <= set(options):
            sample = read_sample(cells, root, unscaled._coefficients)
            options = _mean_and_std(np.concatenate(sample, axis=1).T) | options
        return cls.from_dict(unscaled.to_dict() | options)

    @property
    def shape(self) -> tuple[int, int]:
        return (_COEFFICIENTS + 1, self.frames)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        return (_COEFFICIENTS, self.frames)

    @property
    def summary(self) -> str:
        seconds = self.frames * self.hop / self.rate
        return f"{self.rate} Hz, at most {seconds:.2f} s, {_COEFFICIENTS} coefficients"

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        sounds = read_files(cells, root, self._coefficients, small=_SMALL_FILE)
        tensor = np.zeros((len(sounds), *self.shape), np.float32)
        tensor[:, -1] = -1.0
        for row, coefficients in zip(tensor, sounds, strict=True):
            end = coefficients.shape[1]
            row[:-1, :end], row[-1, :end] = coefficients, 1.0
        return torch.from_numpy(tensor)

    def _coefficients(self, cell: object, root: Path | None) -> np.ndarray[Any, Any]:
        sound = open_sound(cell, root, max_seconds=(self.frames + 1) * self.hop / self.rate)
        return mfcc(
            sound.samples,
            sound.rate,
            target_rate=self.rate,
            coefficients=_COEFFICIENTS,
            n_fft=self.n_fft,
            hop=self.hop,
            mels=self.mels,
        )[:, : self.frames]

    def scale(self, tensor: Tensor) -> Tensor:
        mean, std = (tensor.new_tensor(values)[:, None] for values in (self.mean, self.std))
        presence = tensor[:, -1:]
        return torch.cat([(tensor[:, :-1] - mean) / std * (presence > 0), presence], dim=1)

    def refit(self, tensor: Tensor) -> Self:
        frames = tensor.transpose(1, 2)
        present = frames[frames[:, :, -1] > 0]
        return (
            self.from_dict(self.to_dict() | _mean_and_std(present[:, :-1].numpy())) if len(present) else self
        )

    def features(self, tensor: Tensor) -> Tensor:
        """The standardised coefficients, without the row of presence."""
        return self.scale(tensor)[:, :-1].flatten(1)

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        return [self._sound(rows) for rows in tensor.detach().double().cpu().numpy()]

    def _sound(self, rows: np.ndarray[Any, Any]) -> Sound:
        end = end_of_sound(rows[-1])
        coefficients = rows[:-1, :end] * np.array(self.std)[:, None] + np.array(self.mean)[:, None]
        samples = from_mfcc(coefficients, rate=self.rate, n_fft=self.n_fft, hop=self.hop, mels=self.mels)
        return Sound(samples, self.rate)

    def to_bytes(self, cell: Any) -> bytes:
        sound = open_sound(cell, None)
        return wav_bytes(sound.samples, sound.rate)

    def encoder(self, features: int) -> nn.Module:
        return SpectrogramEncoder(*self.shape, features)

    def head(self, context: int) -> nn.Module:
        return IsotropicNormalHead(SpectrogramDecoder(context, *self.shape), scale=1.0, floor=0.1)


def _mean_and_std(frames: np.ndarray[Any, Any]) -> dict[str, tuple[float, ...]]:
    """Mean and standard deviation of coefficients, given as (frames, coefficients)."""
    scaler = StandardScaler().fit(frames)
    return {"mean": tuple(scaler.mean_.tolist()), "std": tuple(scaler.scale_.tolist())}
