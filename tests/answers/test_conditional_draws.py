"""Draws under conditions against a joint distribution that is known in closed form."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.distributions import Categorical, Distribution

from amodal.answers.conditional_draws import draw_under_conditions
from amodal.answers.conditions import Conditions
from amodal.batch import Batch
from amodal.distributions import Binned, RowNoise
from amodal.modalities import CategoryOneHot, NumberQuantile

ROWS = 6_000
BINS = 8
GRID = pd.Series(np.linspace(0, 80, 801))
KIND = CategoryOneHot(labels=("a", "b", "c"), cell_type="text")
PRICE = NumberQuantile.fit(
    GRID, None, lower=tuple(k / 8 for k in range(8)), upper=tuple(k / 8 for k in range(1, 9))
)
JOINT = np.random.default_rng(1).dirichlet(np.full(3 * BINS, 0.5)).reshape(3, BINS)


class KnownModel(SimpleNamespace):
    """p(kind, bin of the price) is `JOINT`, and prices are uniform within a bin of ten."""

    device = torch.device("cpu")
    is_autoregressive = True

    def likelihood(self, name: str, known: dict[str, torch.Tensor], rows: int) -> Distribution:
        joint = torch.from_numpy(JOINT).expand(rows, -1, -1)
        if name == "kind":
            if "price" in known:
                bins = (torch.special.ndtr(known["price"].double()) * BINS).long().clamp(0, BINS - 1)
                joint = joint.gather(2, bins[:, None, None].expand(-1, 3, 1))
            return Categorical(probs=joint.sum(2))
        if "kind" in known:
            joint = joint.gather(1, known["kind"][:, None, None].expand(-1, 1, BINS))
        lower, upper = torch.tensor(PRICE.lower), torch.tensor(PRICE.upper)
        return Binned(joint.sum(1).log(), lower, upper, lambda bins: torch.zeros(len(bins), 4))

    def draw_columns(self, batch: Batch, names: Iterable[str], draw: Any, noise: RowNoise) -> None:
        known: dict[str, torch.Tensor] = {}
        for name in names:
            known[name] = draw(name, self.likelihood(name, known, len(batch)))

    def predict(
        self, batch: Batch, names: Iterable[str], noise: RowNoise, num_samples: int
    ) -> dict[str, Any]:
        return {name: self.likelihood(name, {}, len(batch)) for name in names}


def drawn_rows(where: str | None, rules: tuple[str, ...] = ()) -> tuple[pd.DataFrame, Any]:
    modalities = {"kind": KIND, "price": PRICE}
    model: Any = KnownModel(modalities=modalities)
    batch = Batch(
        {"kind": torch.zeros(ROWS, dtype=torch.int64), "price": torch.zeros(ROWS)},
        torch.zeros(ROWS, 2, dtype=torch.bool),
        torch.arange(ROWS),
    )
    conditions = Conditions.parse(where, rules, modalities)
    everywhere, nowhere = np.ones(ROWS, bool), np.zeros(ROWS, bool)
    cells = draw_under_conditions(
        model,
        batch,
        {name: np.full(ROWS, None) for name in modalities},
        dict.fromkeys(modalities, everywhere),
        dict.fromkeys(modalities, nowhere),
        conditions,
        RowNoise(0, batch.rows),
    )
    assert cells.is_met.all()
    frame = pd.DataFrame({name: modalities[name].to_cells(cells.scaled[name]) for name in modalities})
    return frame, cells


def expected_shares(allowed: Any) -> np.ndarray:
    """p(kind, bin | condition) of kinds and thousands of prices a bin."""
    prices = (np.arange(BINS * 1_000) + 0.5) / 100
    weights = JOINT.repeat(1_000, axis=1) / 1_000
    kinds = np.array(["a", "b", "c"])[:, None]
    weights = weights * allowed(kinds, prices[None])
    return weights.reshape(3, BINS, 1_000).sum(2) / weights.sum()


@pytest.mark.parametrize(
    ("where", "allowed"),
    [
        ("price > 35", lambda kind, price: price > 35),
        ("kind != 'b'", lambda kind, price: kind != "b"),
        ("price > 35 and kind in ['a', 'c']", lambda kind, price: (price > 35) & (kind != "b")),
        (
            "price between 12 and 18 or price >= 75",
            lambda kind, price: ((price > 12) & (price < 18)) | (price > 75),
        ),
        ("price > 62 or kind == 'b'", lambda kind, price: (price > 62) | (kind == "b")),
        ("not (price > 20 and kind == 'a')", lambda kind, price: (price <= 20) | (kind != "a")),
    ],
)
def test_draws_follow_the_renormalised_joint_distribution(where: str, allowed: Any) -> None:
    frame, _ = drawn_rows(where)
    kinds, prices = frame["kind"].to_numpy(), frame["price"].to_numpy()
    is_edge = np.isclose(prices[:, None], [12, 18, 20, 35, 62, 75], atol=0.051).any(1)
    assert (allowed(kinds, prices) | is_edge).all()
    bins = np.clip(prices // 10, 0, BINS - 1).astype(int)
    counts = np.zeros((3, BINS))
    np.add.at(counts, ([["a", "b", "c"].index(kind) for kind in kinds], bins), 1)
    expected = expected_shares(allowed)
    error = np.sqrt(expected * (1 - expected) / ROWS) + 3e-3  # rounding moves prices over a bin's edge
    assert (np.abs(counts / ROWS - expected) < 5 * error).all()


def test_a_single_condition_takes_one_draw_and_several_few() -> None:
    assert drawn_rows("price > 79")[1].tries.max() == 1
    several = drawn_rows("price > 35 and kind == 'a' or kind == 'c'")[1].tries
    assert 1 < several.mean() < 20


def test_rules_hold_in_every_draw() -> None:
    frame, _ = drawn_rows(None, ("price < 40 or kind == 'c'",))
    assert ((frame["price"] < 40) | (frame["kind"] == "c")).all()
