"""Classifiers of digits, trained on real images and real speech."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from amodal.media import Sound, log_mel, read_image, read_sound

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# The number changes with the networks or their training, so that old weights are not loaded into new networks.
_WEIGHTS = "judges-2.safetensors"
_FRAMES = 56


def digit_of(caption: str) -> int:
    """The digit that a caption names, -1 for none or several.

    Example:
        >>> digit_of("a thick seven leaning right"), digit_of("a thin"), digit_of("six seven")
        (7, -1, -1)
    """
    named = [WORDS.index(word) for word in re.findall(r"[a-z]+", caption.lower()) if word in WORDS]
    return named[0] if len(named) == 1 else -1


def as_pictures(cells: list[np.ndarray]) -> Tensor:
    return (
        torch.from_numpy(np.stack([np.asarray(cell).reshape(28, 28) for cell in cells])[:, None]).float()
        / 255
    )


def as_sounds(cells: list[Sound] | Tensor) -> Tensor:
    """Spectrograms (N, 40, 56), of sounds as they are heard, or of a column's scaled tensors (N, 40, T) as they are."""
    if isinstance(cells, Tensor):
        mels = list(cells.float().clamp(0.0, 1.0)[:, :, :_FRAMES].numpy())
    else:
        mels = [
            log_mel(cell.samples, cell.rate, target_rate=8000, n_fft=256, hop=128, mels=40)[:, :_FRAMES]
            for cell in cells
        ]
    return torch.from_numpy(np.stack([np.pad(mel, ((0, 0), (0, _FRAMES - mel.shape[1]))) for mel in mels]))


def _picture_judge() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(1, 24, 3, 2, 1), nn.BatchNorm2d(24), nn.ReLU()),
        *(nn.Conv2d(24, 48, 3, 1, 1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(48, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.ReLU()),
        *(nn.Flatten(), nn.Dropout(0.4), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def _speech_judge() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv1d(40, 64, 4, 2, 1), nn.BatchNorm1d(64), nn.ReLU()),
        *(nn.Conv1d(64, 64, 4, 2, 1), nn.BatchNorm1d(64), nn.ReLU()),
        *(nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * (_FRAMES // 4), 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def _shifted(inputs: Tensor, most: int = 2) -> Tensor:
    """Shift each row at random by up to `most` places, padded with zeros: images along both axes, sounds in time."""
    axes = [-1] if inputs.dim() == 3 else [-1, -2]
    moved = inputs
    for axis in axes:
        size = inputs.shape[axis]
        shape = [len(inputs)] + [1] * (inputs.dim() - 1)
        place = torch.arange(size).view(
            [size if n == inputs.dim() + axis else 1 for n in range(inputs.dim())]
        )
        source = place + torch.randint(-most, most + 1, shape)
        inside = (source >= 0) & (source < size)
        moved = moved.gather(axis, source.clamp(0, size - 1).expand_as(moved)) * inside
    return moved


def train_network(judge: nn.Sequential, inputs: Tensor, digits: Tensor, epochs: int) -> nn.Sequential:
    optimiser = torch.optim.AdamW(judge.parameters(), weight_decay=0.02)
    steps = -(-len(inputs) // 64) * epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    judge.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(64):
            logits = judge(_shifted(inputs[rows]))
            loss = nn.functional.cross_entropy(logits, digits[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return judge.eval()


class Judges:
    """Classifiers of the digit in an image, a sound or a caption."""

    def __init__(self, picture: nn.Sequential, speech: nn.Sequential) -> None:
        self.picture, self.speech = picture.eval(), speech.eval()

    @torch.no_grad()
    def __call__(self, column: str, cells: list | Tensor) -> np.ndarray:
        if column == "image":
            return self.picture(as_pictures(cells)).argmax(1).numpy()
        if column == "speech":
            return self.speech(as_sounds(cells)).argmax(1).numpy()
        if column == "caption":
            return np.array([digit_of(cell) for cell in cells])
        return np.array([int(float(cell)) for cell in cells])

    @torch.no_grad()
    def features(self, column: str, cells: list | Tensor) -> np.ndarray:
        """Last hidden layer of a classifier for images or sounds, (N, 128)."""
        if column == "image":
            return self.picture[:-1](as_pictures(cells)).numpy()
        return self.speech[:-1](as_sounds(cells)).numpy()


def real_cells(folder: Path, frame: pd.DataFrame, column: str) -> list:
    """Cells of a column, with files read as images and sounds."""
    if column == "image":
        return [read_image(folder / cell) for cell in frame[column]]
    if column == "speech":
        return [read_sound(folder / cell) for cell in frame[column]]
    return frame[column].tolist()


def train_judges(folder: Path, epochs: int = 15, *, digits: pd.Series | None = None) -> Judges:
    """Classifiers trained on the real cells of a table of digits; their weights are cached in its folder.

    Args:
        folder: folder of the table, which has the columns image and speech.
        epochs: number of epochs.
        digits: digit of each row; of the demo table by default, where a row whose digit is missing is labelled by its
            caption, and one that has neither is not used.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _judges(folder, epochs, digits)


def _judges(folder: Path, epochs: int, digits: pd.Series | None) -> Judges:
    judges = Judges(_picture_judge(), _speech_judge())
    kept = folder / _WEIGHTS
    networks = nn.ModuleDict({"picture": judges.picture, "speech": judges.speech})
    if kept.is_file():
        networks.load_state_dict(load_file(kept))
        return judges
    table = pd.read_csv(folder / "metadata.csv", dtype=str, keep_default_na=False, na_values=[""])
    if digits is None:
        digits = pd.to_numeric(table["digit"]).fillna(table["caption"].dropna().map(digit_of))
    for column, network, inputs in (
        ("image", judges.picture, as_pictures),
        ("speech", judges.speech, as_sounds),
    ):
        rows = table[column].notna() & (digits >= 0)
        labels = torch.tensor(digits[rows].to_numpy(), dtype=torch.int64)
        train_network(network, inputs(real_cells(folder, table[rows], column)), labels, epochs)
    save_file(networks.state_dict(), kept)
    return judges
