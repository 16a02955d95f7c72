from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from amodal.errors import BadCells, DataError, RejectColumn
from amodal.modalities import ImagePixels

RNG = np.random.default_rng(0)


def saved(folder: Path, *pictures: np.ndarray) -> pd.Series:
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return pd.Series([f"{number}.png" for number in range(len(pictures))])


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(5, 8, 3), (8, 5), (1, 1), (64, 64, 3)])
def test_pictures_of_their_own_size_come_back_exactly(shape: tuple[int, ...], tmp_path: Path) -> None:
    pictures = [noise(*shape) for _ in range(3)]
    cells = saved(tmp_path, *pictures)
    modality = ImagePixels.fit(cells, tmp_path)
    assert modality.shape == (3 if len(shape) == 3 else 1, *shape[:2])
    back = modality.to_cells(modality.scale(modality.to_tensor(cells, tmp_path)))
    for one, other in zip(back, pictures, strict=True):
        np.testing.assert_array_equal(one.reshape(shape), other)


def test_grey_saved_in_colour_is_grey(tmp_path: Path) -> None:
    cells = saved(tmp_path, np.repeat(noise(6, 6, 1), 3, axis=2), noise(6, 6))
    assert ImagePixels.fit(cells, tmp_path).channels == 1


def test_one_coloured_picture_makes_the_column_coloured(tmp_path: Path) -> None:
    cells = saved(tmp_path, noise(6, 6), noise(6, 6, 3))
    modality = ImagePixels.fit(cells, tmp_path)
    assert modality.channels == 3
    grey = modality.to_tensor(cells, tmp_path)[0]
    assert torch.equal(grey[0], grey[1])
    assert torch.equal(grey[0], grey[2])


def test_large_pictures_are_shrunk_and_keep_their_sides_ratio(tmp_path: Path) -> None:
    cells = saved(tmp_path, noise(100, 200, 3), noise(100, 200, 3))
    assert ImagePixels.fit(cells, tmp_path).shape == (3, 32, 64)


def test_values_outside_the_range_are_clipped(tmp_path: Path) -> None:
    modality = ImagePixels(2, 2, 1)
    (cell,) = modality.to_cells(torch.tensor([[[[-1.0, 0.0], [1.0, 7.0]]]]))
    assert cell[..., 0].tolist() == [[0, 0], [255, 255]]


def test_options_set_the_size(tmp_path: Path) -> None:
    cells = saved(tmp_path, noise(6, 6, 3))
    assert ImagePixels.fit(cells, tmp_path, height=4, channels=1).shape == (1, 4, 6)


def test_broken_and_missing_files_are_bad_cells(tmp_path: Path) -> None:
    cells = saved(tmp_path, noise(6, 6), noise(6, 6))
    modality = ImagePixels.fit(cells, tmp_path)
    (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:40])
    (tmp_path / "empty.png").write_bytes(b"")
    named = pd.Series(["0.png", "broken.png", "gone.png", "1.png", "empty.png", "../0.png"])
    with pytest.raises(BadCells) as caught:
        modality.to_tensor(named, tmp_path)
    assert sorted(caught.value.reasons) == [1, 2, 4, 5]
    assert all(caught.value.reasons.values())


def test_names_of_pictures_that_do_not_open_are_a_problem_and_not_a_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="media-root"):
        ImagePixels.detect(pd.Series(["a.png", "b.png", "c.jpg"]), tmp_path)


def test_words_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(RejectColumn, match="0 of 2"):
        ImagePixels.detect(pd.Series(["a word", "b"]), tmp_path)
