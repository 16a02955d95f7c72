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
from torch.distributions import Distribution

from amodal.distributions import IsotropicNormal, RowNoise
from amodal.media import Sound, from_mfcc, mfcc, read_sound, write_sound
from amodal.modalities.audio_mel import AudioMel
from amodal.modalities.files_column import read_all, read_sample
from amodal.modalities.modality import Modality
from amodal.nn import LearnedScale, SpectrogramDecoder, SpectrogramEncoder

_COEFFICIENTS = 40
_SMALL = 100_000
_LASTS, _ENDED = 1.0, -1.0


@dataclass(frozen=True)
class AudioMfcc(Modality):
    """A sound as 40 cepstral coefficients a frame (`librosa.feature.mfcc`), each standardised over frames.

    A cell's tensor has one row more, which says of each frame whether the sound lasts (1) or has ended (-1):
    length is part of the tensor, as it is of `AudioMel`, whose rate, frames and limits these are.

    Attributes:
        rate: samples a second; the column's most frequent, up to 16 kHz.
        frames: most frames of a sound; by default enough for the column's longest, up to 8 s.
        mels: bands that the coefficients are made of.
        n_fft: samples a window.
        hop: samples from frame to frame.
        mean: of each coefficient, over the frames of up to 200 sounds, evenly spread over the column.
        scale: its standard deviation over the same frames; 1 where a coefficient never changes.
    """

    type: ClassVar[str] = "audio"
    representation: ClassVar[str] = "mfcc"
    suffix: ClassVar[str | None] = ".wav"
    unit: ClassVar[str] = "standard deviations from the mean, over the column's frames; 0 after the end"
    latent: ClassVar[int | None] = 32

    rate: int
    frames: int
    mels: int
    n_fft: int
    hop: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def accepts(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return AudioMel.accepts(cells, root)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        shared = {name: value for name, value in options.items() if name not in ("mean", "scale")}
        unscaled = cls(**AudioMel.fit(cells, root, **shared).to_dict(), mean=(), scale=())
        if not {"mean", "scale"} <= set(options):
            heard = read_sample(cells, root, unscaled._coefficients)
            options = _standard(np.concatenate(heard, axis=1).T) | options
        return cls.from_dict(unscaled.to_dict() | options)

    @property
    def shape(self) -> tuple[int, ...]:
        return (_COEFFICIENTS + 1, self.frames)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        return (_COEFFICIENTS, self.frames)

    @property
    def dtype(self) -> str:
        return "float32"

    @property
    def summary(self) -> str:
        seconds = self.frames * self.hop / self.rate
        return f"{self.rate} Hz, at most {seconds:.2f} s, {_COEFFICIENTS} coefficients"

    @property
    def size(self) -> float:
        return float(np.prod(self.shape))

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        sounds = read_all(cells, root, self._coefficients, small=_SMALL)
        tensor = np.zeros((len(sounds), *self.shape), np.float32)
        tensor[:, -1] = _ENDED
        for row, coefficients in zip(tensor, sounds, strict=True):
            end = coefficients.shape[1]
            row[:-1, :end], row[-1, :end] = coefficients, _LASTS
        return torch.from_numpy(tensor)

    def _coefficients(self, path: Path) -> np.ndarray[Any, Any]:
        sound = read_sound(path, max_seconds=(self.frames + 1) * self.hop / self.rate)
        return mfcc(
            sound.samples,
            sound.rate,
            target_rate=self.rate,
            coefficients=_COEFFICIENTS,
            n_fft=self.n_fft,
            hop=self.hop,
            mels=self.mels,
        )[:, : self.frames]

    def scaled(self, tensor: Tensor) -> Tensor:
        mean, scale = (tensor.new_tensor(values)[:, None] for values in (self.mean, self.scale))
        lasts = tensor[:, -1:]
        return torch.cat([(tensor[:, :-1] - mean) / scale * (lasts > 0), lasts], dim=1)

    def calibrated(self, tensor: Tensor) -> Self:
        frames = tensor.transpose(1, 2)
        lasting = frames[frames[:, :, -1] > 0]
        return self.from_dict(self.to_dict() | _standard(lasting[:, :-1].numpy())) if len(lasting) else self

    def features(self, tensor: Tensor) -> Tensor:
        """The standardised coefficients, without the row that says where a sound ends."""
        return self.scaled(tensor)[:, :-1].flatten(1)

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        return [self._sound(rows) for rows in tensor.detach().double().cpu().numpy()]

    def _sound(self, rows: np.ndarray[Any, Any]) -> Sound:
        # The end is where frames that last before it and that do not after it fit best.
        end = max(1, int(np.concatenate([[0.0], np.cumsum(rows[-1])]).argmax()))
        coefficients = rows[:-1, :end] * np.array(self.scale)[:, None] + np.array(self.mean)[:, None]
        samples = from_mfcc(coefficients, rate=self.rate, n_fft=self.n_fft, hop=self.hop, mels=self.mels)
        return Sound(samples, self.rate)

    def encoder(self, features: int) -> nn.Module:
        return SpectrogramEncoder(_COEFFICIENTS + 1, self.frames, features)

    def decoder(self, latent: int) -> nn.Module:
        return _MfccDecoder(latent, self.frames)

    def draw(self, likelihood: Distribution, noise: RowNoise) -> Tensor:
        """The mean: the noise that a likelihood allows each coefficient is no part of a sound."""
        return likelihood.mean

    def write(self, path: Path, cell: Any) -> None:
        write_sound(path, cell.samples, cell.rate)


def _standard(frames: np.ndarray[Any, Any]) -> dict[str, tuple[float, ...]]:
    """Mean and scale of coefficients, given as (frames, coefficients)."""
    scaler = StandardScaler().fit(frames)
    return {"mean": tuple(scaler.mean_.tolist()), "scale": tuple(scaler.scale_.tolist())}


class _MfccDecoder(nn.Module):
    def __init__(self, latent: int, frames: int) -> None:
        super().__init__()
        self.network = SpectrogramDecoder(latent, _COEFFICIENTS + 1, frames)
        self.scale = LearnedScale(start=1.0, floor=0.1)

    def forward(self, latents: Tensor) -> IsotropicNormal:
        return IsotropicNormal(self.network(latents), self.scale())
