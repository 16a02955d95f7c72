"""What every column type keeps; a new one is tested by being listed."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution

from amodal.distributions import RowNoise
from amodal.errors import RejectColumn
from amodal.modalities import MODALITIES, AudioMel, ImagePixels, Modality
from amodal.table import Table, infer_schema

# What a column of one type must not be taken for, in the order of inference: each is tried before the next.
ALIEN = {"image": "audio", "audio": "image", "number": "category", "category": "text", "text": "number"}


@pytest.fixture(params=MODALITIES, ids=lambda kind: f"{kind.type}-{kind.representation}")
def kind(request: pytest.FixtureRequest) -> type[Modality]:
    return request.param


@pytest.fixture
def cells(kind: type[Modality], five_columns: Table) -> pd.Series:
    return five_columns.frame[kind.type]


@pytest.fixture
def modality(kind: type[Modality], cells: pd.Series, five_columns: Table) -> Modality:
    return kind.fit(cells, five_columns.root)


@pytest.fixture
def stored(modality: Modality, cells: pd.Series, five_columns: Table) -> Tensor:
    return modality.to_tensor(cells, five_columns.root)


@pytest.fixture
def likelihood(modality: Modality) -> Distribution:
    torch.manual_seed(0)
    return modality.decoder(5).eval()(torch.randn(12, 5))


def test_it_accepts_its_own_cells_and_says_why(
    kind: type[Modality], cells: pd.Series, five_columns: Table
) -> None:
    assert kind.detect(cells, five_columns.root)


def test_it_rejects_the_cells_of_another_type_and_says_why(kind: type[Modality], five_columns: Table) -> None:
    with pytest.raises(RejectColumn, match=r"\w+ \w+"):
        kind.detect(five_columns.frame[ALIEN[kind.type]], five_columns.root)


def test_the_stored_tensor_is_as_declared(modality: Modality, cells: pd.Series, stored: Tensor) -> None:
    assert tuple(stored.shape) == (len(cells), *modality.shape)
    assert stored.numpy().dtype == np.dtype(modality.dtype)


def test_the_way_of_cells_is_the_way_of_each_cell(
    modality: Modality, cells: pd.Series, stored: Tensor, five_columns: Table
) -> None:
    some = modality.to_tensor(cells.iloc[[7, 3]], five_columns.root)
    assert torch.equal(some, stored[[7, 3]])


def test_no_cells_make_an_empty_tensor(modality: Modality, cells: pd.Series, five_columns: Table) -> None:
    empty = modality.to_tensor(cells.iloc[:0], five_columns.root)
    assert tuple(empty.shape) == (0, *modality.shape)
    assert empty.numpy().dtype == np.dtype(modality.dtype)
    assert list(modality.to_cells(modality.scale(empty))) == []


def test_cells_come_back(
    modality: Modality, cells: pd.Series, stored: Tensor, five_columns: Table, tmp_path: Path
) -> None:
    back = modality.to_cells(modality.scale(stored))
    assert len(back) == len(cells)
    if modality.suffix is None:
        assert list(back) == cells.tolist()
        return
    for row, cell in enumerate(back[:6]):
        (tmp_path / f"{row}{modality.suffix}").write_bytes(modality.to_bytes(cell))
    names = pd.Series([f"{row}{modality.suffix}" for row in range(6)])
    if modality.type == "image":
        again = modality.to_tensor(names, tmp_path)
        assert torch.equal(again, stored[:6])
        return
    # The phase is made anew, so that a sound is near its original as the ear hears both, and as long.
    heard = AudioMel.fit(cells, five_columns.root)
    again, once = heard.to_tensor(names, tmp_path), heard.to_tensor(cells[:6], five_columns.root)
    ended, originally = (again[:, 0] < -0.25).sum(1), (once[:, 0] < -0.25).sum(1)
    assert (ended - originally).abs().max() <= 2
    loud = (again > -0.25) & (once > 0.6)
    assert (again - once)[loud].abs().mean() < 0.05


def test_features_are_one_vector_a_cell(modality: Modality, stored: Tensor) -> None:
    vectors = modality.features(stored)
    assert vectors.shape == (len(stored), np.prod(modality.feature_shape, dtype=int))
    assert np.isfinite(vectors.numpy()).all()
    assert modality.unit
    assert modality.features(stored[:0]).shape == (0, vectors.shape[1])


def test_its_state_survives_json(kind: type[Modality], modality: Modality) -> None:
    assert kind.from_dict(json.loads(json.dumps(modality.to_dict(), allow_nan=False))) == modality


def test_a_state_of_other_fields_is_refused(kind: type[Modality], modality: Modality) -> None:
    state = modality.to_dict()
    with pytest.raises(ValueError, match=kind.__name__):
        kind.from_dict({**state, "surprise": 1})
    with pytest.raises(ValueError, match=kind.__name__):
        kind.from_dict(dict(list(state.items())[1:]))


def test_every_option_of_fit_is_a_field(
    kind: type[Modality], modality: Modality, cells: pd.Series, five_columns: Table
) -> None:
    for name, value in modality.to_dict().items():
        assert kind.fit(cells, five_columns.root, **{name: value}) == modality
    assert not inspect.isabstract(kind)
    assert dataclasses.is_dataclass(kind)


def test_the_encoder_makes_features(modality: Modality, stored: Tensor) -> None:
    torch.manual_seed(0)
    features = modality.encoder(11)(modality.scale(stored))
    assert features.shape == (len(stored), 11)
    assert features.isfinite().all()
    assert len(features.detach().unique(dim=0)) > 1


def test_the_decoder_makes_a_likelihood_of_each_cell(modality: Modality, stored: Tensor) -> None:
    decoder = modality.decoder(5)
    scores = decoder(torch.randn(12, 5)).log_prob(modality.scale(stored[:12]))
    assert scores.shape == (12,)
    assert scores.isfinite().all()
    (-scores.sum()).backward()
    gradients = [weights.grad for weights in decoder.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert any((gradient != 0).any() for gradient in gradients)


def test_augmented_cells_are_cells_that_depend_on_their_rows_noise(
    modality: Modality, stored: Tensor
) -> None:
    cells, rows, some = modality.scale(stored), torch.arange(len(stored)), torch.tensor([7, 30, 3])
    before = cells.clone()
    augmented = modality.augment(cells, RowNoise(0, rows))
    assert torch.equal(cells, before), "what is given stays as it is"
    assert augmented.shape == cells.shape
    assert augmented.dtype == cells.dtype
    assert augmented.min() >= cells.min()
    assert augmented.max() <= cells.max()
    assert torch.equal(augmented, modality.augment(cells, RowNoise(0, rows)))
    assert torch.equal(augmented[some], modality.augment(cells[some], RowNoise(0, rows[some])))
    assert modality.augment(cells[:0], RowNoise(0, rows[:0])).shape == cells[:0].shape


def test_pictures_move_by_up_to_a_fourteenth_of_their_sides() -> None:
    modality = ImagePixels(28, 14, 1)
    rows = torch.arange(200)
    cells = torch.rand(1, 1, 28, 14).expand(200, 1, 28, 14)
    augmented = modality.augment(cells, RowNoise(0, rows))
    seen = set()
    for chance, picture in zip(RowNoise(0, rows).uniform(2), augmented, strict=True):
        down, right = round((2 * float(chance[0]) - 1) * 2), round((2 * float(chance[1]) - 1) * 1)
        seen.add((down, right))
        lines = [min(max(line + down, 0), 27) for line in range(28)]
        places = [min(max(place + right, 0), 13) for place in range(14)]
        assert torch.equal(picture, cells[0][:, lines][:, :, places])
    assert seen == {(down, right) for down in range(-2, 3) for right in range(-1, 2)}


def test_sounds_fall_silent_in_a_span_of_bands_and_one_of_frames_and_end_where_they_did() -> None:
    modality = AudioMel(8_000, 40, 20, 256, 128)
    cells = torch.rand(100, 20, 40).clamp_min(0.1)
    cells[:, :, 30:] = -0.5
    augmented = modality.augment(cells, RowNoise(0, torch.arange(100)))
    assert torch.equal(augmented[:, :, 30:], cells[:, :, 30:])
    changed = augmented != cells
    assert (augmented[changed] == 0).all()
    bands, frames = changed[:, :, :30].all(2), changed[:, :, :30].all(1)
    assert torch.equal(changed[:, :, :30], bands[:, :, None] | frames[:, None])
    for spans, size in ((bands, 20), (frames, 40)):
        assert spans.any()
        assert (spans.sum(1) <= 0.15 * size + 1).all()
        # One span: it begins once.
        begun = spans[:, 1:] & ~spans[:, :-1]
        assert (begun.sum(1) + spans[:, 0].long() <= 1).all()


def test_draws_become_cells(modality: Modality, likelihood: Distribution) -> None:
    drawn = modality.to_display(likelihood, RowNoise(0, torch.arange(12)))
    assert drawn.shape == (12, *modality.shape)
    assert len(modality.to_cells(drawn)) == 12


def test_the_same_noise_draws_the_same(modality: Modality, likelihood: Distribution) -> None:
    once, again = (modality.to_display(likelihood, RowNoise(4, torch.arange(12))) for _ in range(2))
    assert torch.equal(once, again)


def test_size_is_what_a_cell_holds(modality: Modality) -> None:
    assert 1 <= modality.size <= max(1, np.prod(modality.shape))


def test_the_five_types_are_told_apart_and_get_their_default(five_columns: Table) -> None:
    schema = infer_schema(five_columns, MODALITIES)
    assert {name: modality.type for name, modality in schema.used.items()} == {
        name: name for name in five_columns.columns
    }
    assert [modality.representation for modality in schema.used.values()] == [
        *("pixels", "mel", "quantile", "one_hot", "tokens")
    ]
    for column in schema.columns:
        assert column.reason
