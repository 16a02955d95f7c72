from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.signal import butter, sosfiltfilt
from torch import Tensor

from amodal.media import Sound, log_mel
from amodal.metrics import Metric, column_fidelity, fit_fidelity_features, lowest_mark
from amodal.modalities import Modality
from amodal.modalities.audio_mel import AudioMel
from amodal.modalities.image_pixels import ImagePixels
from amodal.modalities.text_tokens import TextTokens
from tests.metrics.pictures import PICTURES, RATE, Images, blurred, notes, worthless

ROWS = 160


class Judge:
    """Fidelity of cells beside the second of three parts of real ones, with the first as reference."""

    def __init__(self, modality: Modality, cells: Tensor) -> None:
        self.modality = modality
        self.reference, self.real, self.other = cells.split(ROWS)
        self.features = fit_fidelity_features(modality, self.reference)

    def metrics(self, generated: Tensor) -> dict[str, Metric]:
        found = column_fidelity(self.modality, self.features, self.real, self.reference, generated)
        return {metric.name: metric for metric in found}

    def score(self, generated: Tensor) -> float:
        mark = lowest_mark(self.metrics(generated).values())
        assert mark is not None
        assert mark.interval[0] <= mark.value <= mark.interval[1]
        return mark.value


def tensors(images: Images) -> Tensor:
    """As `ImagePixels.scale` has them: (N, C, H, W), 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255


@pytest.fixture(scope="module", params=PICTURES)
def pictures(request: pytest.FixtureRequest) -> tuple[Judge, Images]:
    images = PICTURES[request.param](3 * ROWS)
    modality = ImagePixels(*images.shape[1:])
    return Judge(modality, tensors(images)), images[2 * ROWS :]


def test_other_real_pictures_are_as_good_as_real(pictures: tuple[Judge, Images]) -> None:
    judge, images = pictures
    np.testing.assert_array_equal(np.stack(judge.modality.to_cells(judge.other)), images)
    assert judge.score(judge.other) > 0.8


def test_blurred_pictures_are_not(pictures: tuple[Judge, Images]) -> None:
    judge, images = pictures
    some = [judge.score(tensors(blurred(images, sigma))) for sigma in (0.5, 1.5, 3)]
    assert some == sorted(some, reverse=True)
    assert some[1] < 0.6
    assert judge.metrics(tensors(blurred(images, 1.5)))["sharpness"].value < 0.5


@pytest.mark.parametrize("kind", worthless(np.zeros((1, 2, 2, 1), np.uint8)))
def test_pictures_of_nothing_are_worth_nothing(pictures: tuple[Judge, Images], kind: str) -> None:
    judge, images = pictures
    metrics = judge.metrics(tensors(worthless(images)[kind]))
    mark = lowest_mark(metrics.values())
    assert mark is not None
    assert mark.value < 0.1
    assert metrics["coverage"].value < 0.1
    assert ("noise" not in kind) or metrics["precision"].value < 0.1


def test_half_as_good_pictures_are_about_half_as_good(pictures: tuple[Judge, Images]) -> None:
    judge, images = pictures
    half = images.copy()
    half[::2] = worthless(images)["uniform noise"][::2]
    assert 0.3 < judge.score(tensors(half)) < 0.65


def test_pictures_of_one_colour_are_compared_without_sharpness() -> None:
    rng = np.random.default_rng(0)
    flat = np.broadcast_to(rng.integers(0, 256, (3 * ROWS, 1, 1, 3)), (3 * ROWS, 8, 8, 3)).astype(np.uint8)
    judge = Judge(ImagePixels(8, 8, 3), tensors(flat))
    assert "sharpness" not in judge.metrics(judge.other)
    assert judge.score(judge.other) > 0.8
    assert judge.score(tensors(np.full_like(flat[:ROWS], 127))) < 0.1


SOUND = AudioMel(rate=RATE, frames=32, mels=40, n_fft=256, hop=128)


def spectrograms(sounds: Iterable[Sequence[float] | np.ndarray[Any, Any]]) -> Tensor:
    cells = [
        log_mel(np.asarray(each, np.float32), RATE, target_rate=RATE, n_fft=256, hop=128, mels=40)[:, :32]
        for each in sounds
    ]
    return torch.from_numpy(np.stack(cells)).float()


@pytest.fixture(scope="module")
def sounds() -> tuple[Judge, list[Any]]:
    made = notes(3 * ROWS)
    return Judge(SOUND, spectrograms(made)), made[2 * ROWS :]


def test_real_and_vocoded_sounds_are_as_good_as_real(sounds: tuple[Judge, list[Any]]) -> None:
    judge, _ = sounds
    assert judge.score(judge.other) > 0.8
    heard: list[Sound] = list(SOUND.to_cells(judge.other))
    assert judge.score(spectrograms(sound.samples for sound in heard)) > 0.7


def random_phases(sound: Any) -> Any:
    spectrum = np.fft.rfft(sound)
    turns = np.random.default_rng(len(sound)).uniform(0, 2 * np.pi, len(spectrum))
    return np.fft.irfft(np.abs(spectrum) * np.exp(1j * turns), len(sound))


def white_noise(sound: Any) -> Any:
    return np.random.default_rng(int(1e6 * abs(sound[-1]))).normal(size=len(sound)) * np.std(sound)


def muffled(sound: Any) -> Any:
    return sosfiltfilt(butter(6, 500, fs=RATE, output="sos"), sound)


@pytest.mark.parametrize("spoil", [random_phases, white_noise, muffled])
def test_spoiled_sounds_are_not(sounds: tuple[Judge, list[Any]], spoil: Callable[[Any], Any]) -> None:
    judge, heard = sounds
    assert judge.score(spectrograms(map(spoil, heard))) < (0.1 if spoil is white_noise else 0.4)


def test_spectrograms_of_nothing_are_worth_nothing(sounds: tuple[Judge, list[Any]]) -> None:
    judge, _ = sounds
    noise = torch.from_numpy(np.random.default_rng(0).uniform(size=judge.real.shape)).float()
    smooth = judge.real.mean(0, keepdim=True).expand_as(judge.real)
    for cells in (noise, smooth, torch.zeros_like(noise)):
        assert judge.score(cells) < 0.1


def test_texts_of_unseen_words_are_judged_by_them() -> None:
    rng = np.random.default_rng(0)

    def texts(words: Sequence[str]) -> list[str]:
        return [" ".join(rng.choice(words, 4)) for _ in range(ROWS)]

    seen, unseen = [[f"{letter}{number}" for number in range(30)] for letter in "ab"]
    modality = TextTokens.fit(pd.Series(texts(seen)), None)

    def score(real: list[str], generated: list[str]) -> float:
        reference = np.array(real[ROWS // 2 :], object)
        features = fit_fidelity_features(modality, reference)
        drawn = modality.to_tensor(pd.Series(generated), None)
        scaled = modality.to_tensor(pd.Series(list(reference)), None)
        found = column_fidelity(
            modality, features, np.array(real[: ROWS // 2], object), reference, drawn, scaled=scaled
        )
        mark = lowest_mark(found)
        assert mark is not None
        return mark.value

    assert score(texts(seen), texts(seen)) > 0.6
    assert score(texts(unseen), texts(unseen)) < 0.1
