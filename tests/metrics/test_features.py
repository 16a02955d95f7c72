from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics import (
    MetricUnavailable,
    column_vectors,
    fit_features,
    fit_table_features,
    row_vectors,
    with_holes_of,
)
from amodal.modalities import MODALITIES


def test_each_column_has_vectors_of_total_variance_one(real: Batch, modalities: dict[str, Any]) -> None:
    features = fit_table_features(real, modalities)
    assert list(features) == ["image", "audio", "number", "category", "text"]
    for vectors in column_vectors(features, real).values():
        assert vectors.shape[0] == 40
        assert vectors.var(axis=0).sum() == pytest.approx(1.0)
        np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_representation_has_vectors(modality: type, every_type: Any) -> None:
    cells = every_type.frame[modality.type]
    fitted = modality.fit(cells, every_type.root)
    scaled = fitted.scale(fitted.to_tensor(cells, every_type.root))
    vectors = fit_features(fitted, scaled)(scaled)
    assert vectors.var(axis=0).sum() == pytest.approx(1.0)
    assert np.isfinite(vectors).all()


def test_a_missing_cell_is_nan_alone_and_the_mean_in_a_row(real: Batch, modalities: dict[str, Any]) -> None:
    present = real.present.clone()
    present[3, 2] = False
    holed = replace(real, present=present, x={**real.x, "number": real.x["number"].clone()})
    holed.x["number"][3] = torch.nan
    features = fit_table_features(holed, modalities)
    assert np.isnan(column_vectors(features, holed)["number"]).ravel().tolist() == [
        row == 3 for row in range(40)
    ]
    rows = row_vectors(features, holed)
    assert np.isfinite(rows).all()
    number = len(features["image"].mean) + len(features["audio"].mean)
    assert rows[3, number] == 0


def test_draws_are_compared_as_the_cells_that_a_user_gets(real: Batch, modalities: dict[str, Any]) -> None:
    features = fit_table_features(real, modalities)
    inside = real.x["number"].clamp(-2, 2)
    np.testing.assert_array_equal(features["number"](inside), features["number"](inside + 1e-6))
    faint = real.x["image"] + 1e-4
    np.testing.assert_array_equal(features["image"](faint), features["image"](real.x["image"]))


def test_own_features_take_the_place_of_the_columns(real: Batch, modalities: dict[str, Any]) -> None:
    def brightness(pictures: Tensor) -> np.ndarray:
        return pictures.mean(dim=(1, 2, 3), keepdim=False)[:, None].numpy()

    features = fit_table_features(real, modalities, vectorizers={"image": brightness})
    vectors = features["image"](real.x["image"])
    assert vectors.shape == (40, 1)
    assert np.corrcoef(vectors[:, 0], real.x["image"].mean(dim=(1, 2, 3)))[0, 1] == pytest.approx(1.0)


def test_a_column_of_equal_cells_has_vectors_of_zero(real: Batch, modalities: dict[str, Any]) -> None:
    same = real.x["image"][:1].expand(20, -1, -1, -1)
    np.testing.assert_allclose(fit_features(modalities["image"], same)(same), 0, atol=1e-4)


def test_a_column_without_cells_are_unavailable(real: Batch, modalities: dict[str, Any]) -> None:
    present = real.present.clone()
    present[1:, 4] = False
    with pytest.raises(MetricUnavailable, match="at least 2 present cells of 'text', and there are 1"):
        fit_table_features(replace(real, present=present), modalities)


def test_generated_rows_get_the_holes_of_real_ones(real: Batch) -> None:
    present = torch.rand(40, 5, generator=torch.Generator().manual_seed(0)) < 0.5
    holed = with_holes_of(real, replace(real, present=present))
    patterns = {tuple(row) for row in present.tolist()}
    assert all(tuple(row) in patterns for row in holed.present.tolist())
