"""Contracts of every column type in `MODALITIES`."""

from __future__ import annotations

import dataclasses
import inspect
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.distributions import RowNoise
from amodal.errors import RejectColumn
from amodal.modalities import MODALITIES, AudioMel, ImagePixels, Modality, find_modality
from amodal.modalities.heads import SoftmaxHead
from amodal.table import Table, encode, infer_schema


@pytest.fixture(params=MODALITIES, ids=lambda kind: kind.full_name().replace(":", "-"))
def kind(request: pytest.FixtureRequest) -> type[Modality]:
    return request.param


@pytest.fixture
def cells(kind: type[Modality], every_type: Table) -> pd.Series:
    return every_type.frame[kind.type]


@pytest.fixture
def modality(kind: type[Modality], cells: pd.Series, every_type: Table) -> Modality:
    return kind.fit(cells, every_type.root)


@pytest.fixture
def stored(modality: Modality, cells: pd.Series, every_type: Table) -> Tensor:
    return modality.to_tensor(cells, every_type.root)


@pytest.fixture(params=["head", "decoder"])
def network(request: pytest.FixtureRequest, modality: Modality) -> nn.Module:
    """A network from five numbers to the distribution of a cell."""
    torch.manual_seed(0)
    return getattr(modality, request.param)(5)


def test_names_are_unique() -> None:
    assert len({kind.full_name() for kind in MODALITIES}) == len(MODALITIES)


def test_a_name_is_found_and_a_type_means_its_default(kind: type[Modality]) -> None:
    assert find_modality(kind.full_name(), MODALITIES) is kind
    assert find_modality(kind.type, MODALITIES) is next(each for each in MODALITIES if each.type == kind.type)
    assert find_modality(kind.representation, MODALITIES) is None


def test_its_own_cells_are_detected_for_a_reason(
    kind: type[Modality], cells: pd.Series, every_type: Table
) -> None:
    assert kind.detect(cells, every_type.root)


def test_cells_of_types_that_are_tried_later_are_rejected_for_a_reason(
    kind: type[Modality], every_type: Table
) -> None:
    order = list(dict.fromkeys(each.type for each in MODALITIES))
    later = [every_type.frame[name] for name in order[order.index(kind.type) + 1 :]]
    for column in [*later, pd.Series([{row: row} for row in range(40)])]:
        with pytest.raises(RejectColumn, match=r"\w+ \w+"):
            kind.detect(column, every_type.root)


def test_the_stored_tensor_is_as_declared(modality: Modality, cells: pd.Series, stored: Tensor) -> None:
    assert tuple(stored.shape) == (len(cells), *modality.shape)
    assert stored.numpy().dtype == np.dtype(modality.dtype)


def test_cells_are_converted_one_by_one(
    modality: Modality, cells: pd.Series, stored: Tensor, every_type: Table
) -> None:
    some = modality.to_tensor(cells.iloc[[7, 3]], every_type.root)
    assert torch.equal(some, stored[[7, 3]])


def test_no_cells_make_an_empty_tensor(modality: Modality, cells: pd.Series, every_type: Table) -> None:
    empty = modality.to_tensor(cells.iloc[:0], every_type.root)
    assert tuple(empty.shape) == (0, *modality.shape)
    assert empty.numpy().dtype == np.dtype(modality.dtype)
    assert list(modality.to_cells(modality.scale(empty))) == []


def test_cells_come_back(
    modality: Modality, cells: pd.Series, stored: Tensor, every_type: Table, tmp_path: Path
) -> None:
    back = modality.to_cells(modality.scale(stored))
    assert len(back) == len(cells)
    if modality.suffix is None:
        assert list(back) == cells.tolist()
        with pytest.raises(NotImplementedError, match="has no files"):
            modality.to_bytes(back[0])
        return
    for row, cell in enumerate(back[:6]):
        (tmp_path / f"{row}{modality.suffix}").write_bytes(modality.to_bytes(cell))
    names = pd.Series([f"{row}{modality.suffix}" for row in range(6)])
    if modality.type == "image":
        again = modality.to_tensor(names, tmp_path)
        assert torch.equal(again, stored[:6])
        return
    # The phase is made anew, so that a sound is near its original as the ear hears both, and as long.
    heard = AudioMel.fit(cells, every_type.root)
    again, once = heard.to_tensor(names, tmp_path), heard.to_tensor(cells[:6], every_type.root)
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


def test_vectors_are_finite_amounts(modality: Modality, stored: Tensor) -> None:
    vectors = modality.vector(stored)
    assert vectors.dtype == torch.float32
    assert vectors.isfinite().all()
    assert vectors.dim() == 2
    assert len(vectors) == len(stored)
    assert len(vectors.unique(dim=0)) > 1
    assert modality.vector(stored[:0]).shape == (0, vectors.shape[1])
    assert torch.equal(modality.vector(stored[[7, 3]]), vectors[[7, 3]])


def test_refitting_keeps_the_tensors(modality: Modality, stored: Tensor) -> None:
    refitted = modality.refit(stored)
    assert refitted.shape == modality.shape
    assert np.isfinite(refitted.features(stored).numpy()).all()
    assert modality.refit(stored[:0]) == modality


def test_missing_cells_are_not_converted(
    kind: type[Modality], modality: Modality, cells: pd.Series, stored: Tensor, every_type: Table
) -> None:
    frame = every_type.frame.assign(**{kind.type: cells.where(cells.index % 3 > 0)})
    batch = encode(replace(every_type, frame=frame), {kind.type: modality})
    present = batch.mask(kind.type)
    assert present.tolist() == [row % 3 > 0 for row in range(len(cells))]
    assert torch.equal(batch.column(kind.type), stored[present])
    assert (batch.x[kind.type][~present] == 0).all()
    # Encoders read the zeros in the place of missing cells, and their features are masked.
    features = modality.encoder(11)(modality.scale(batch.x[kind.type]))
    assert features.isfinite().all()


def test_its_state_survives_json(kind: type[Modality], modality: Modality) -> None:
    assert kind.from_dict(json.loads(json.dumps(modality.to_dict(), allow_nan=False))) == modality


def test_a_state_of_other_fields_is_refused(kind: type[Modality], modality: Modality) -> None:
    state = modality.to_dict()
    with pytest.raises(ValueError, match=kind.__name__):
        kind.from_dict({**state, "surprise": 1})
    with pytest.raises(ValueError, match=kind.__name__):
        kind.from_dict(dict(list(state.items())[1:]))


def test_every_option_of_fit_is_a_field(
    kind: type[Modality], modality: Modality, cells: pd.Series, every_type: Table
) -> None:
    for name, value in modality.to_dict().items():
        assert kind.fit(cells, every_type.root, **{name: value}) == modality
    assert not inspect.isabstract(kind)
    assert dataclasses.is_dataclass(kind)


def test_the_encoder_makes_features(modality: Modality, stored: Tensor) -> None:
    torch.manual_seed(0)
    features = modality.encoder(11)(modality.scale(stored))
    assert features.shape == (len(stored), 11)
    assert features.isfinite().all()
    assert len(features.detach().unique(dim=0)) > 1


def test_heads_give_a_distribution_of_each_cell(
    modality: Modality, network: nn.Module, stored: Tensor
) -> None:
    contexts = torch.randn(12, 5)
    if isinstance(network, SoftmaxHead):
        predictions = torch.randn(12, network.num_outputs)
        distribution = network(contexts, predictions, torch.arange(12) % 2 == 0)
    else:
        distribution = network(contexts)
    assert isinstance(distribution, Distribution)
    scores = distribution.log_prob(modality.scale(stored[:12]))
    assert scores.shape == (12,)
    assert scores.isfinite().all()
    (-scores.sum()).backward()
    gradients = [weights.grad for weights in network.parameters()]
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


def test_a_span_of_bands_and_one_of_frames_are_silenced_and_the_end_is_kept() -> None:
    modality = AudioMel(8_000, 40, 20, 256, 128)
    cells = torch.rand(100, 20, 40).clamp_min(0.1)
    cells[:, :, 30:] = -0.1
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


def test_draws_become_cells_and_depend_on_the_noise_alone(modality: Modality, network: nn.Module) -> None:
    distribution = network.eval()(torch.randn(12, 5))
    once, again = (modality.to_display(distribution, RowNoise(4, torch.arange(12))) for _ in range(2))
    assert torch.equal(once, again)
    assert once.shape == (12, *modality.shape)
    cells = modality.to_cells(once)
    assert len(cells) == 12
    if modality.suffix is not None:
        assert modality.to_bytes(cells[0])


def test_a_type_with_a_latent_shows_modes_and_another_draws(modality: Modality, network: nn.Module) -> None:
    distribution = network.eval()(torch.randn(12, 5))
    once, other = (modality.to_display(distribution, RowNoise(seed, torch.arange(12))) for seed in (0, 1))
    assert torch.equal(once, other) == (modality.latent is not None)


def test_size_is_at_most_the_tensor_s(modality: Modality) -> None:
    assert 1 <= modality.size <= max(1, np.prod(modality.shape))


def test_the_types_are_inferred_with_their_defaults(every_type: Table) -> None:
    schema = infer_schema(every_type, MODALITIES)
    assert {name: modality.type for name, modality in schema.used.items()} == {
        name: name for name in every_type.columns
    }
    assert [modality.representation for modality in schema.used.values()] == [
        *("pixels", "mel", "quantile", "quantile", "one_hot", "multi_hot", "quantile", "one_hot", "tokens")
    ]
    for column in schema.columns:
        assert column.reason
