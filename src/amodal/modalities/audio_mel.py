"""Sounds as mel spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from amodal.distributions import RowNoise
from amodal.media import AUDIO_SUFFIXES, Sound, from_log_mel, log_mel, open_sound, sound_cell_shape, wav_bytes
from amodal.modalities.file_cells import detect_files, read_files, read_sample
from amodal.modalities.heads import IsotropicNormalHead
from amodal.modalities.modality import Modality
from amodal.nn import SpectrogramDecoder, SpectrogramEncoder

_MAX_RATE = 16_000
_MAX_SECONDS = 8.0
_MAX_HEADERS = 5_000
_SMALL_FILE = 100_000
_MAX_MASK = 0.15
"""Largest share of bands, and of frames, that is masked in training."""
_PADDING = -0.1
"""Value of the frames after a sound's end: below silence, which is 0, so that length is part of the tensor.

Not far below: an autoencoder spends most of its latent on the end of the sound where the step there is larger than the
sound's own differences.
"""


@dataclass(frozen=True)
class AudioMel(Modality):
    """A sound as its mel spectrogram in decibels, 0 for silence to 1 for full scale.

    Any rate is resampled to the column's, stereo is mixed down, and a sound longer than `frames` is cut.

    Attributes:
        rate: samples a second; the column's most frequent, up to 16 kHz.
        frames: most frames of a sound; by default enough for the column's longest, up to 8 s.
        mels: bands.
        n_fft: samples a window.
        hop: samples from frame to frame.
    """

    type: ClassVar[str] = "audio"
    representation: ClassVar[str] = "mel"
    unit: ClassVar[str] = "decibels above -80 of full scale, over 80; -0.1 after the end"
    dtype: ClassVar[str] = "float16"
    suffix: ClassVar[str | None] = ".wav"
    latent: ClassVar[int | None] = 32

    rate: int
    frames: int
    mels: int
    n_fft: int
    hop: int

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return detect_files(cells, root, sound_cell_shape, "audio", AUDIO_SUFFIXES)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        shapes = np.array(read_sample(cells, root, sound_cell_shape, _MAX_HEADERS))
        rates, counts = np.unique(shapes[:, 1], return_counts=True)
        rate = int(options.get("rate", min(rates[counts.argmax()], _MAX_RATE)))
        # Frames of 16 ms in windows of 32 ms, as is usual for speech.
        n_fft = 2 ** round(np.log2(0.032 * rate))
        hop = n_fft // 2
        seconds = min(float(shapes[:, 0].max()), _MAX_SECONDS)
        state: dict[str, Any] = {
            "rate": rate,
            "frames": int(np.ceil(seconds * rate / hop)) + 1,
            "mels": 40 if rate <= 8_000 else 64,
            "n_fft": n_fft,
            "hop": hop,
        }
        return cls(**(state | options))

    @property
    def shape(self) -> tuple[int, int]:
        return (self.mels, self.frames)

    @property
    def summary(self) -> str:
        return f"{self.rate} Hz, at most {self.frames * self.hop / self.rate:.2f} s, {self.mels} bands"

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        spectrograms = read_files(cells, root, self._spectrogram, small=_SMALL_FILE)
        tensor = np.full((len(spectrograms), *self.shape), _PADDING, np.float16)
        for row, spectrogram in zip(tensor, spectrograms, strict=True):
            row[:, : spectrogram.shape[1]] = spectrogram
        return torch.from_numpy(tensor)

    def _spectrogram(self, cell: object, root: Path | None) -> np.ndarray[Any, Any]:
        sound = open_sound(cell, root, max_seconds=(self.frames + 1) * self.hop / self.rate)
        return log_mel(
            sound.samples, sound.rate, target_rate=self.rate, n_fft=self.n_fft, hop=self.hop, mels=self.mels
        )[:, : self.frames]

    def scale(self, tensor: Tensor) -> Tensor:
        return tensor.float()

    def augment(self, tensor: Tensor, noise: RowNoise) -> Tensor:
        """Silence a span of bands and one of frames (SpecAugment: Park et al., arXiv 1904.08779)."""
        masked = tensor
        for side, size, chance in zip((1, 2), self.shape, noise.uniform(2, 2).unbind(1), strict=True):
            width = chance[:, :1] * (size * _MAX_MASK)
            start = chance[:, 1:] * (size - width)
            index = torch.arange(size, device=tensor.device)
            span = (index >= start) & (index < start + width)
            # Frames after the end keep their value: a mask leaves a sound's length as it is.
            masked = torch.where(span.unsqueeze(3 - side) & (masked > 0), 0.0, masked)
        return masked

    def linear_features(self, tensor: Tensor) -> Tensor:
        """The mean and the deviation of each band until the sound's end, and the share of frames that it has."""
        heard = (tensor.mean(1, keepdim=True) > _PADDING / 2).float()
        frames = heard.sum(2).clamp_min(1.0)
        mean = (tensor * heard).sum(2) / frames
        deviation = ((tensor - mean[..., None]).square() * heard).sum(2).div(frames).sqrt()
        return torch.cat([mean, deviation, heard.mean(2)], dim=1)

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        return [self._sound(spectrogram) for spectrogram in tensor.detach().float().cpu().numpy()]

    def _sound(self, spectrogram: np.ndarray[Any, Any]) -> Sound:
        end = end_of_sound(spectrogram.mean(0) - _PADDING / 2)
        mel = np.clip(spectrogram[:, :end], 0.0, 1.0)
        return Sound(from_log_mel(mel, rate=self.rate, n_fft=self.n_fft, hop=self.hop), self.rate)

    def to_bytes(self, cell: Any) -> bytes:
        sound = open_sound(cell, None)
        return wav_bytes(sound.samples, sound.rate)

    def encoder(self, features: int) -> nn.Module:
        return SpectrogramEncoder(*self.shape, features)

    def head(self, context: int) -> nn.Module:
        return IsotropicNormalHead(SpectrogramDecoder(context, *self.shape), scale=0.3, floor=0.02)


def end_of_sound(presence: np.ndarray[Any, Any]) -> int:
    """The number of frames, at least 1, that best splits frames into positive presence before and negative after.

    Example:
        >>> end_of_sound(np.array([1.0, -0.2, 1.0, -1.0]))
        3
    """
    return max(1, int(np.concatenate([[0.0], np.cumsum(presence)]).argmax()))
