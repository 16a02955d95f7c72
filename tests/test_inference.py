"""One loop over slices of a batch: what comes out does not depend on where they are cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.batch import Batch
from amodal.errors import DataError
from amodal.fusions import Product
from amodal.inference import complete, embed, encode_table, log_prob, map_slices
from amodal.models.vae import MultimodalVAE
from amodal.table import read_table
from tests.modalities.vector import Vector

ROWS = 21


@pytest.fixture
def model() -> MultimodalVAE:
    torch.manual_seed(0)
    columns: dict[str, Any] = {"a": Vector(2), "b": Vector(3)}
    return MultimodalVAE(columns, Product(prior_expert=True), latent=2, features=8).eval()


@pytest.fixture
def batch() -> Batch:
    draws = torch.Generator().manual_seed(0)
    cells = {name: torch.randn(ROWS, size, generator=draws) for name, size in (("a", 2), ("b", 3))}
    return Batch(cells, torch.rand(ROWS, 2, generator=draws) < 0.7, torch.arange(ROWS))


CALLS: dict[str, Callable[[Any, Batch], Any]] = {
    "complete": lambda model, batch: np.concatenate(
        list(complete(model, batch, ["b", "a"], seed=3).values()), 1
    ),
    "embed": embed,
    "log_prob": lambda model, batch: log_prob(model, batch, num_samples=4, seed=3),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_results_do_not_depend_on_the_slices(
    call: Callable[[Any, Batch], Any], model: MultimodalVAE, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = call(model, batch)
    assert len(once) == ROWS
    monkeypatch.setattr("amodal.inference._ROWS_AT_ONCE", 4)
    np.testing.assert_allclose(call(model, batch), once, rtol=1e-4, atol=1e-5)


def test_slices_are_in_order_and_have_their_rows_numbers(
    model: MultimodalVAE, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amodal.inference._ROWS_AT_ONCE", 8)
    drawn = list(map_slices(model, batch, lambda rows, noise: (rows.rows, noise.normal(1)), seed=1))
    assert torch.cat([rows for rows, _ in drawn]).tolist() == list(range(ROWS))
    other = list(map_slices(model, batch, lambda rows, noise: noise.normal(1), seed=2))
    assert not torch.equal(drawn[0][1], other[0])
    assert len(torch.cat([noise for _, noise in drawn]).unique()) == ROWS


def test_a_table_without_the_models_columns_is_refused(model: MultimodalVAE) -> None:
    with pytest.raises(DataError, match="has none of the model's columns: a, b"):
        encode_table(model, read_table(pd.DataFrame({"c": [1.0]}), None))
