from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd
import pytest

from amodal.modalities import NumberQuantile
from amodal.table import Store, prepare_store, read_table
from amodal.training.batches import Batches
from amodal.training.data import split


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    table = read_table(pd.DataFrame({"a": np.arange(50) / 7}))
    modality = NumberQuantile.fit(table.frame["a"], None)
    return prepare_store(table, {"a": modality}, tmp_path_factory.mktemp("store") / "store")


def rows_of(batches: Batches) -> list[int]:
    return [int(row) for batch in batches for row in batch.rows]


def test_an_epoch_is_every_row_once_in_a_new_order(store: Store) -> None:
    epoch = [0]
    batches = Batches(store, np.arange(50), 10, shuffled=True, epoch=lambda: epoch[0])
    first = rows_of(batches)
    epoch[0] = 1
    second = rows_of(batches)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert rows_of(Batches(store, np.arange(50), 10, shuffled=True, seed=1)) != first


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_out_the_same_steps(store: Store, world: int) -> None:
    whole = Batches(store, np.arange(50), 12, shuffled=True)
    parts = [Batches(store, np.arange(50), 12, shuffled=True, rank=r, world=world) for r in range(world)]
    for one, *shares in zip(whole, *parts, strict=True):
        assert np.array_equal(one.rows, np.concatenate([share.rows for share in shares]))


def test_a_long_table_takes_several_epochs_and_leaves_no_row_out(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("amodal.training.batches.ROWS_AN_EPOCH", 20)
    epoch = [0]
    batches = Batches(store, np.arange(50), 10, shuffled=True, epoch=lambda: epoch[0])
    seen: list[int] = []
    for epoch[0] in range(5):
        seen += rows_of(batches)
    assert len(seen) == 100
    assert sorted(seen[:50]) == list(range(50))


def test_held_out_rows_keep_their_order_and_are_all_there(store: Store) -> None:
    assert rows_of(Batches(store, np.arange(7), 4, shuffled=False)) == list(range(7))


def test_a_tenth_is_held_out_by_seed() -> None:
    training, held_out = split(100, seed=1)
    assert len(held_out) == 10
    assert sorted([*training, *held_out]) == list(range(100))
    assert not np.array_equal(held_out, split(100, seed=2)[1])
    assert [len(part) for part in split(4, seed=0)] == [4, 4]


def test_batches_are_made_as_they_are_asked_for(store: Store) -> None:
    assert len(next(islice(Batches(store, np.arange(50), 16, shuffled=True), 1))) == 16
