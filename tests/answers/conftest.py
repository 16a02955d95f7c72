from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from amodal import TableModel

TYPES = dict.fromkeys(["a", "b", "total", "low", "price"], "number")


def orders(rows: int = 400) -> pd.DataFrame:
    """Rows that keep total == a + b and low <= price, some without a note."""
    rng = np.random.default_rng(0)
    kind = rng.choice(list("xyz"), rows, p=[0.6, 0.3, 0.1])
    price = np.round(rng.gamma(2, 10, rows) * (1 + 3 * (kind == "z")) + 1, 2)
    a, b = rng.integers(0, 20, rows), rng.integers(0, 30, rows)
    notes = [f"an order of {letter} for {int(number)}" for letter, number in zip(kind, price, strict=True)]
    frame = pd.DataFrame(
        {
            "kind": kind,
            "price": price,
            "a": a,
            "b": b,
            "total": a + b,
            "low": (price / 2).round(2),
            "note": notes,
        }
    )
    frame.loc[rng.random(rows) < 0.3, "note"] = None
    return frame


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    return orders()


@pytest.fixture(scope="session")
def model(table: pd.DataFrame) -> TableModel:
    rules = ["low <= price", "total == a + b"]
    return TableModel(epochs=4, latent=16, types=TYPES, rules=rules).fit(table)


@pytest.fixture(scope="session")
def vae(table: pd.DataFrame) -> TableModel:
    return TableModel(method="mvtcae", epochs=4, latent=8, types=TYPES).fit(table)
