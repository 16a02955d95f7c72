"""Inputs of the encoder with early fusion, and their scale."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from amodal.batch import Batch
from amodal.modalities import MODALITIES, CategoryOneHot, Modality, NumberQuantile, TextTokens
from amodal.models.vae import EarlyFusionVAE
from amodal.table import Table

NUMBER = NumberQuantile((0.0, 1.0), decimals=2)
LABEL = CategoryOneHot(("a", "b", "c"), "text")
WORDS = TextTokens(("hen", "road"), (1, 1), 2, 4, 2.0)


def test_labels_are_one_hot_and_words_are_counted() -> None:
    assert LABEL.vector(torch.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    # Unknown words first, then the vocabulary; padding is not counted.
    tokens = torch.tensor([[2, 3, 2, 0], [1, 0, 0, 0]], dtype=torch.int32)
    assert WORDS.vector(tokens).tolist() == [[0, 2, 1], [1, 0, 0]]
    assert NUMBER.vector(torch.tensor([0.5, -1.0])).tolist() == [[0.5], [-1.0]]


@pytest.mark.parametrize("kind", MODALITIES, ids=lambda kind: f"{kind.type}-{kind.representation}")
def test_vectors_of_all_column_types_have_about_the_same_length(
    kind: type[Modality], every_type: Table
) -> None:
    cells = every_type.frame[kind.type].dropna()
    modality = kind.fit(cells, every_type.root)
    batch = Batch(
        {"x": modality.to_tensor(cells, every_type.root)},
        torch.ones(len(cells), 1, dtype=torch.bool),
        torch.arange(len(cells)),
    )
    (vectors,) = EarlyFusionVAE({"x": modality}, latent=2, features=4).vectors(batch)
    assert vectors.isfinite().all()
    assert 0.2 < vectors.square().sum(1).mean().sqrt() < 3


def batch() -> Batch:
    x = {"number": torch.zeros(3), "label": torch.zeros(3, dtype=torch.long)}
    present = torch.tensor([[True, True], [False, True], [False, False]])
    return Batch(x, present, torch.arange(3))


def model() -> EarlyFusionVAE:
    torch.manual_seed(0)
    return EarlyFusionVAE({"number": NUMBER, "label": LABEL}, latent=2, features=8)


def test_a_zero_differs_from_an_absent_cell() -> None:
    net, given = model(), batch()
    posterior = net.posterior(given).shared
    assert not torch.allclose(posterior.components.mean[0], posterior.components.mean[1])
    # An absent cell is zeros, whatever its value.
    changed = replace(given, x={**given.x, "label": torch.tensor([0, 0, 99])})
    assert torch.equal(net.vectors(changed)[1], torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 0, 0]]))


def test_nothing_given_is_exactly_the_prior() -> None:
    components = model().posterior(batch()).shared.components
    assert (components.mean[2] == 0).all()
    assert (components.log_variance[2] == 0).all()
    assert (components.mean[:2] != 0).all()


def test_the_order_of_columns_does_not_matter() -> None:
    net, given = model(), batch()
    turned = EarlyFusionVAE({"label": LABEL, "number": NUMBER}, latent=2, features=8)
    state = net.encoder.state_dict()
    # The number, three labels and which of the two are present.
    state["0.weight"] = state["0.weight"][:, [1, 2, 3, 0, 5, 4]]
    turned.encoder.load_state_dict(state)
    other = Batch({name: given.x[name] for name in ("label", "number")}, given.present[:, [1, 0]], given.rows)
    torch.testing.assert_close(turned.embed(other), net.embed(given))
