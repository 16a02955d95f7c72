from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.feature_extraction.image import extract_patches_2d

from amodal.errors import BadCells, UsageError
from amodal.modalities import ImagePatches

RNG = np.random.default_rng(0)


def saved(folder: Path, *pictures: np.ndarray) -> pd.Series:
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return pd.Series([f"{number}.png" for number in range(len(pictures))])


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    "shape", [(28, 28), (64, 64, 3), (29, 41, 3), (16, 16), (13, 40), (5, 8, 3), (3, 2), (1, 1), (1, 30)]
)
def test_a_picture_that_is_covered_whole_comes_back_exactly(shape: tuple[int, ...], tmp_path: Path) -> None:
    pictures = [noise(*shape) for _ in range(2)]
    cells = saved(tmp_path, *pictures)
    modality = ImagePatches.fit(cells, tmp_path)
    back = modality.to_cells(modality.scale(modality.to_tensor(cells, tmp_path)))
    for number, (one, other) in enumerate(zip(back, pictures, strict=True)):
        np.testing.assert_array_equal(one.reshape(shape), other)
        (tmp_path / f"again-{number}.png").write_bytes(modality.to_bytes(one))
        again = cv2.imread(str(tmp_path / f"again-{number}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(again, other if other.ndim == 2 else other[:, :, ::-1])


@pytest.mark.parametrize(("patch", "step"), [(8, 8), (8, 4), (8, 1), (6, 2), (10, 5)])
def test_any_grid_comes_back_exactly(patch: int, step: int, tmp_path: Path) -> None:
    picture = noise(21, 17, 3)
    cells = saved(tmp_path, picture)
    modality = ImagePatches.fit(cells, tmp_path, patch=patch, step=step)
    (back,) = modality.to_cells(modality.scale(modality.to_tensor(cells, tmp_path)))
    np.testing.assert_array_equal(back, picture)


def test_the_grid_holds_scikit_learns_patches(tmp_path: Path) -> None:
    picture = noise(32, 24, 3)
    cells = saved(tmp_path, picture)
    modality = ImagePatches.fit(cells, tmp_path)
    assert (modality.patch, modality.step, modality.shape) == (16, 8, (768, 3, 2))
    reference = extract_patches_2d(picture, (16, 16)).reshape(17, 9, -1)[::8, ::8]
    stored = modality.to_tensor(cells, tmp_path)[0].permute(1, 2, 0)
    np.testing.assert_array_equal(stored.numpy(), reference)


@pytest.mark.parametrize("shape", [(28, 28), (30, 22, 3), (5, 8, 3), (4, 3)])
def test_features_are_all_patches_as_scikit_learn_has_them(shape: tuple[int, ...], tmp_path: Path) -> None:
    pictures = [noise(*shape) for _ in range(3)]
    cells = saved(tmp_path, *pictures)
    modality = ImagePatches.fit(cells, tmp_path)
    side = min(16, *shape[:2])
    expected = [extract_patches_2d(picture, (side, side)).ravel() for picture in pictures]
    vectors = modality.features(modality.to_tensor(cells, tmp_path))
    np.testing.assert_array_equal(vectors, expected)
    assert modality.feature_shape[1:3] == (side, side)


def test_features_are_at_most_a_thousand_patches_at_the_same_places(tmp_path: Path) -> None:
    pictures = [noise(64, 60) for _ in range(2)]
    cells = saved(tmp_path, *pictures)
    modality = ImagePatches.fit(cells, tmp_path)
    expected = [
        extract_patches_2d(picture, (16, 16), max_patches=1000, random_state=0).ravel()
        for picture in pictures
    ]
    np.testing.assert_array_equal(modality.features(modality.to_tensor(cells, tmp_path)), expected)
    assert modality.feature_shape == (1000, 16, 16)


def test_pictures_of_different_sizes_have_the_same_patches(tmp_path: Path) -> None:
    cells = saved(tmp_path, noise(20, 30), noise(20, 30, 3), noise(7, 5), noise(90, 200, 3))
    modality = ImagePatches.fit(cells, tmp_path)
    tensor = modality.to_tensor(cells, tmp_path)
    assert tensor.shape == (4, *modality.shape)
    assert modality.channels == 3
    assert all(cell.shape == (20, 30, 3) for cell in modality.to_cells(modality.scale(tensor)))


def test_patches_that_overlap_are_averaged() -> None:
    modality = ImagePatches(height=2, width=3, channels=1, patch=2, step=1)
    grid = torch.zeros(1, 4, 1, 2)
    grid[..., 1] = 1.0
    (picture,) = modality.to_cells(grid)
    assert picture[..., 0].tolist() == [[0, 128, 255]] * 2


def test_draws_outside_the_range_are_clipped() -> None:
    modality = ImagePatches(height=2, width=2, channels=1, patch=2, step=1)
    (picture,) = modality.to_cells(torch.tensor([-3.0, 0.0, 1.0, 7.0]).view(1, 4, 1, 1))
    assert picture[..., 0].tolist() == [[0, 0], [255, 255]]


@pytest.mark.parametrize(
    "options",
    [
        {"patch": 20},
        {"step": 5},
        {"step": 0},
        {"patch": 4, "step": 8},
        {"height": 512, "width": 512},
    ],
)
def test_patches_that_do_not_fit_say_what_to_do(options: dict[str, int], tmp_path: Path) -> None:
    cells = saved(tmp_path, noise(18, 18))
    with pytest.raises(UsageError, match="`step`"):
        ImagePatches.fit(cells, tmp_path, **options)


def test_a_broken_picture_is_a_bad_cell(tmp_path: Path) -> None:
    cells = saved(tmp_path, noise(18, 18))
    modality = ImagePatches.fit(cells, tmp_path)
    (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:60])
    with pytest.raises(BadCells) as caught:
        modality.to_tensor(pd.Series(["0.png", "broken.png"]), tmp_path)
    assert list(caught.value.reasons) == [1]


def test_a_thousand_patches_and_one_more(tmp_path: Path) -> None:
    for height, width, count in ((55, 40, 1000), (22, 158, 1001)):
        picture = noise(height, width)
        cells = saved(tmp_path, picture)
        modality = ImagePatches.fit(cells, tmp_path, height=height, width=width)
        expected = extract_patches_2d(
            picture, (16, 16), max_patches=1000 if count > 1000 else None, random_state=0
        )
        vectors = modality.features(modality.to_tensor(cells, tmp_path))
        np.testing.assert_array_equal(vectors[0], expected.ravel())
        assert (height - 15) * (width - 15) == count
