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
from torch.distributions import Distribution

from amodal.distributions import IsotropicNormal, RowNoise
from amodal.media import Sound, from_log_mel, log_mel, read_sound, sound_shape, write_sound
from amodal.modalities.files_column import accept_files, read_all, read_sample
from amodal.modalities.modality import Modality
from amodal.nn import LearnedScale, SpectrogramDecoder, SpectrogramEncoder

_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".au", ".opus", ".m4a")
_HIGHEST_RATE = 16_000
_LONGEST_SECONDS = 8.0
_HEADERS = 5_000
_SMALL = 100_000
_MASKED = 0.15
"""Largest share of bands, and of frames, that a spectrogram is masked of in training."""
_AFTER = -0.5
"""Value of the frames after a sound's end: below silence, which is 0, so that length is part of the tensor."""


@dataclass(frozen=True)
class AudioMel(Modality):
    """A sound as its mel spectrogram in decibels, 0 for silence to 1 for full scale.

    Any rate is resampled to the column's, stereo is mixed down, and a sound may be of any length up to the
    limit; it is cut there.

    Attributes:
        rate: samples a second; the column's most frequent, up to 16 kHz.
        frames: most frames of a sound; by default enough for the column's longest, up to 8 s.
        mels: bands.
        n_fft: samples a window.
        hop: samples from frame to frame.
    """

    type: ClassVar[str] = "audio"
    representation: ClassVar[str] = "mel"
    suffix: ClassVar[str | None] = ".wav"
    unit: ClassVar[str] = "decibels above -80 of full scale, over 80; -0.5 after the end"
    latent: ClassVar[int | None] = 32

    rate: int
    frames: int
    mels: int
    n_fft: int
    hop: int

    @classmethod
    def accepts(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return accept_files(cells, root, sound_shape, "audio", _SUFFIXES)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        shapes = np.array(read_sample(cells, root, sound_shape, most=_HEADERS))
        rates, counts = np.unique(shapes[:, 1], return_counts=True)
        rate = int(options.get("rate", min(rates[counts.argmax()], _HIGHEST_RATE)))
        # Frames of 16 ms seen through windows of 32 ms, as is usual for speech.
        n_fft = 2 ** round(np.log2(0.032 * rate))
        hop = n_fft // 2
        seconds = min(float(shapes[:, 0].max()), _LONGEST_SECONDS)
        state: dict[str, Any] = {
            "rate": rate,
            "frames": int(np.ceil(seconds * rate / hop)) + 1,
            "mels": 40 if rate <= 8_000 else 64,
            "n_fft": n_fft,
            "hop": hop,
        }
        return cls(**(state | options))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.mels, self.frames)

    @property
    def dtype(self) -> str:
        return "float16"

    @property
    def summary(self) -> str:
        return f"{self.rate} Hz, at most {self.frames * self.hop / self.rate:.2f} s, {self.mels} bands"

    @property
    def size(self) -> float:
        return float(self.mels * self.frames)

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        def spectrogram(path: Path) -> np.ndarray[Any, Any]:
            sound = read_sound(path, max_seconds=(self.frames + 1) * self.hop / self.rate)
            mel = log_mel(
                sound.samples,
                sound.rate,
                target_rate=self.rate,
                n_fft=self.n_fft,
                hop=self.hop,
                mels=self.mels,
            )[:, : self.frames]
            return np.pad(mel, ((0, 0), (0, self.frames - mel.shape[1])), constant_values=_AFTER)

        spectrograms = read_all(cells, root, spectrogram, small=_SMALL)
        stacked = np.stack(spectrograms) if spectrograms else np.empty((0, *self.shape))
        return torch.from_numpy(stacked.astype(np.float16))

    def scaled(self, tensor: Tensor) -> Tensor:
        return tensor.float()

    def augmented(self, tensor: Tensor, noise: RowNoise) -> Tensor:
        """Spectrograms of which a span of bands and one of frames is silent (Park et al., arXiv 1904.08779)."""
        heard = tensor
        for side, size, chance in zip((1, 2), self.shape, noise.uniform(2, 2).unbind(1), strict=True):
            width = chance[:, :1] * (size * _MASKED)
            start = chance[:, 1:] * (size - width)
            places = torch.arange(size, device=tensor.device)
            masked = (places >= start) & (places < start + width)
            # What is after the end stays so: a mask says nothing of a sound's length.
            heard = torch.where(masked.unsqueeze(3 - side) & (heard > 0), 0.0, heard)
        return heard

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        spectrograms = tensor.detach().float().cpu().numpy()
        return [self._sound(spectrogram) for spectrogram in spectrograms]

    def _sound(self, spectrogram: np.ndarray[Any, Any]) -> Sound:
        # The end is where what is sounding before it and what is not after it fit best.
        sounding = spectrogram.mean(0) - _AFTER / 2
        end = max(1, int(np.concatenate([[0.0], np.cumsum(sounding)]).argmax()))
        mel = np.clip(spectrogram[:, :end], 0.0, 1.0)
        return Sound(from_log_mel(mel, rate=self.rate, n_fft=self.n_fft, hop=self.hop), self.rate)

    def encoder(self, features: int) -> nn.Module:
        return SpectrogramEncoder(self.mels, self.frames, features)

    def decoder(self, latent: int) -> nn.Module:
        return _MelDecoder(latent, self.mels, self.frames)

    def draw(self, likelihood: Distribution, noise: RowNoise) -> Tensor:
        """The mean: the noise that a likelihood allows each band is no part of a sound."""
        return likelihood.mean

    def write(self, path: Path, cell: Any) -> None:
        write_sound(path, cell.samples, cell.rate)


class _MelDecoder(nn.Module):
    def __init__(self, latent: int, mels: int, frames: int) -> None:
        super().__init__()
        self.network = SpectrogramDecoder(latent, mels, frames)
        self.scale = LearnedScale(start=0.3, floor=0.02)

    def forward(self, latents: Tensor) -> IsotropicNormal:
        return IsotropicNormal(self.network(latents), self.scale())
