from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.batch import Batch
from amodal.metrics import (
    MetricUnavailable,
    calibration,
    completion_error,
    fit_table_features,
    impute_iterative,
    impute_nearest,
    impute_typical,
    mel_distance,
    row_vectors,
    ssim,
    token_f1,
)

RNG = np.random.default_rng(0)
PERFECT = {"image": 1.0, "audio": 0.0, "text": 1.0, "number": 0.0, "category": 1.0}


@pytest.mark.parametrize("column", PERFECT)
def test_real_cells_complete_themselves_and_others_do_not(
    column: str, real: Batch, modalities: dict[str, Any]
) -> None:
    cells = real.x[column]
    same = completion_error(modalities[column], cells, cells)
    other = completion_error(modalities[column], cells, cells.roll(1, 0))
    assert same.value == pytest.approx(PERFECT[column])
    sign = 1 if same.better == "higher" else -1
    assert sign * same.value > sign * other.value
    assert other.low is not None
    assert other.high is not None
    assert other.low <= other.value <= other.high


def test_errors_are_in_the_units_of_cells(real: Batch, modalities: dict[str, Any]) -> None:
    numbers = modalities["number"]
    error = completion_error(numbers, real.x["number"], real.x["number"].roll(1, 0))
    cells = np.array(numbers.to_cells(real.x["number"]))
    assert (error.name, error.unit) == ("RMSE", "the column's own")
    assert error.value == pytest.approx(np.sqrt(np.mean((cells - np.roll(cells, 1)) ** 2)))
    silence, loud = torch.full((10, 40, 5), -0.5), torch.full((10, 40, 5), 1.0)
    error = completion_error(modalities["audio"], silence, loud)
    assert (error.name, error.unit, error.value) == ("mel distance", "dB", 80.0)


def test_similarity_is_one_of_equal_pictures_and_zero_of_unrelated_ones() -> None:
    pictures = RNG.integers(0, 256, (4, 32, 24, 3), dtype=np.uint8)
    np.testing.assert_allclose(ssim(pictures, pictures), 1.0)
    assert np.abs(ssim(pictures, pictures[::-1])).max() < 0.2
    brighter = np.clip(pictures.astype(int) + 20, 0, 255)
    assert (ssim(pictures, brighter) < 1).all()
    assert (ssim(pictures, brighter) > 0.8).all()


def test_similarity_is_that_of_the_paper_at_each_pixel() -> None:
    one, other = RNG.integers(0, 256, (2, 1, 15, 13, 1)).astype(float)
    place = np.arange(-5, 6)
    window = np.exp(-(place**2) / (2 * 1.5**2))
    window = np.outer(window, window) / window.sum() ** 2
    padded = [np.pad(picture[0, :, :, 0], 5, mode="symmetric") for picture in (one, other)]
    values = []
    for row in range(15):
        for column in range(13):
            x, y = (picture[row : row + 11, column : column + 11] for picture in padded)
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            values.append((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    assert ssim(one, other)[0] == pytest.approx(np.mean(values), abs=1e-9)


def test_pictures_of_one_pixel_and_of_other_sizes() -> None:
    dot = np.full((2, 1, 1, 1), 7)
    np.testing.assert_allclose(ssim(dot, dot), 1.0)
    with pytest.raises(ValueError, match="do not compare"):
        ssim(dot, np.zeros((2, 3, 3, 1)))


def test_words_and_frames_are_compared_one_row_at_a_time() -> None:
    assert token_f1(["A red hen", "b"], ["hen red a", "c"]).tolist() == [1.0, 0.0]
    assert mel_distance(np.zeros((2, 3, 4)), np.full((2, 3, 4), 2.0)).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("column", PERFECT)
def test_baselines_fill_every_type(column: str, real: Batch, modalities: dict[str, Any]) -> None:
    modality, cells = modalities[column], real.x[column]
    typical = impute_typical(modality, cells, 7)
    assert typical.shape == (7, *modality.shape)
    given = row_vectors(fit_table_features(real, modalities), real)
    nearest = impute_nearest(modality, cells, given, given[:7])
    assert nearest.shape == (7, *modality.shape)
    for filled in (typical, nearest):
        assert len(modality.to_cells(filled)) == 7
        completion_error(modality, torch.cat([cells[:7]] * 2), torch.cat([filled] * 2))


def test_typical_cells_are_the_mean_and_the_mode(modalities: dict[str, Any]) -> None:
    labels = torch.tensor([2, 0, 2, 1])
    assert impute_typical(modalities["category"], labels, 3).tolist() == [2, 2, 2]
    numbers = modalities["number"]
    low, high = numbers.quantiles[40 // 4], numbers.quantiles[-40 // 4]
    cells = numbers.to_tensor(pd.Series([low, high]), None)
    filled = numbers.to_cells(impute_typical(numbers, cells, 1))
    assert filled[0] == pytest.approx((low + high) / 2, abs=0.05)


def test_neighbours_and_regressions_use_what_is_given(modalities: dict[str, Any]) -> None:
    numbers, labels = modalities["number"], modalities["category"]
    given = RNG.normal(size=(400, 2))
    low, high = numbers.quantiles[0], numbers.quantiles[-1]
    told = (low + high) / 2 + (high - low) / 8 * given[:, 0].clip(-3, 3)
    cells = numbers.to_tensor(pd.Series(told.tolist()), None)
    known, hidden = slice(0, 300), slice(300, 400)
    typical = completion_error(numbers, cells[hidden], impute_typical(numbers, cells[known], 100)).value
    near = impute_nearest(numbers, cells[known], given[known], given[hidden])
    holed = np.where(RNG.random(given.shape) < 0.1, np.nan, given)
    holed[:, 0] = given[:, 0]
    regressed = impute_iterative(numbers, cells[known], holed[known], holed[hidden])
    for filled in (near, regressed):
        assert completion_error(numbers, cells[hidden], filled).value < typical / 2
    # Each label has a side of its own: one between others is never the most likely by straight lines.
    turn = np.arange(3) * 2 * np.pi / 3
    named = torch.from_numpy((given @ np.stack([np.cos(turn), np.sin(turn)])).argmax(axis=1))
    regressed = impute_iterative(labels, named[known], holed[known], holed[hidden])
    assert completion_error(labels, named[hidden], regressed).value > 0.8


def test_baselines_are_left_out_with_the_reason(real: Batch, modalities: dict[str, Any]) -> None:
    given = np.zeros((40, 2))
    with pytest.raises(MetricUnavailable, match="column of type image"):
        impute_iterative(modalities["image"], real.x["image"], given, given)
    with pytest.raises(MetricUnavailable, match="none is given"):
        impute_iterative(modalities["number"], real.x["number"], given[:, :0], given[:, :0])
    with pytest.raises(MetricUnavailable, match="at least 5 real cells"):
        impute_nearest(modalities["number"], real.x["number"][:4], given[:4], given)
    with pytest.raises(MetricUnavailable, match="at least 1 real cells"):
        impute_typical(modalities["number"], real.x["number"][:0], 3)
    with pytest.raises(MetricUnavailable, match="at least 10 hidden cells, and there are 3"):
        completion_error(modalities["number"], real.x["number"][:3], real.x["number"][:3])
    with pytest.raises(ValueError, match="2 completed cells for 3"):
        completion_error(modalities["number"], real.x["number"][:3], real.x["number"][:2])


@pytest.mark.parametrize("draws", [3, 9, 19, 100])
def test_right_draws_are_calibrated(draws: int) -> None:
    rows = RNG.normal(size=(2_000, draws + 1)) * RNG.uniform(0.1, 3, (2_000, 1))
    for coverage in calibration(rows[:, 0], rows[:, 1:]):
        assert coverage.empirical.value == pytest.approx(coverage.nominal, abs=0.04)


def test_rounded_draws_are_calibrated_too() -> None:
    rows = RNG.integers(0, 3, (2_000, 20))
    for coverage in calibration(rows[:, 0], rows[:, 1:]):
        assert coverage.empirical.value == pytest.approx(coverage.nominal, abs=0.04)


def test_draws_that_are_too_sure_cover_too_little() -> None:
    rows = RNG.normal(size=(1_000, 20))
    sure, unsure = (calibration(rows[:, 0], rows[:, 1:] * factor) for factor in (0.2, 5.0))
    for one, other in zip(sure, unsure, strict=True):
        assert one.empirical.value < one.nominal - 0.2
        assert other.empirical.value > other.nominal + 0.05
    assert [coverage.nominal for coverage in sure] == pytest.approx([0.5, 0.8, 0.9])


def test_too_few_draws_are_left_out() -> None:
    with pytest.raises(MetricUnavailable, match="at least 3 draws of each cell, and there are 2"):
        calibration(np.zeros(50), np.zeros((50, 2)))
    with pytest.raises(MetricUnavailable, match="at least 20 hidden numbers"):
        calibration(np.zeros(5), np.zeros((5, 9)))
