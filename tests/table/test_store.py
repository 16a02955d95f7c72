import json
import pickle
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.batch import Batch
from amodal.errors import DataError, UsageError
from amodal.table import (
    BadCell,
    Store,
    Table,
    encode,
    encode_cells,
    prepare_store,
    read_table,
)
from amodal.training.data import StoredRows
from tests.table.fakes import Label, Note, Number

ROWS = 300


def assert_same(one: Batch, other: Batch) -> None:
    assert one.columns == other.columns
    assert torch.equal(one.present, other.present)
    assert torch.equal(one.rows, other.rows)
    for name in one.columns:
        assert one.x[name].dtype == other.x[name].dtype
        assert torch.equal(one.x[name], other.x[name])


def test_a_store_holds_every_present_cell(table: Table, modalities: dict, tmp_path: Path) -> None:
    store = prepare_store(table, modalities, tmp_path / "store")
    assert len(store) == ROWS
    assert store.columns == ("note", "weight", "sort")
    assert store.bad_cells == ()
    batch = store.gather(np.arange(ROWS))
    expected = ~table.frame[list(store.columns)].isna().to_numpy()
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(batch.present.numpy(), expected)
    for row in range(ROWS):
        note = bytes(batch.x["note"][row].tolist())
        assert note == (f"n{row}".encode().ljust(4) if expected[row, 0] else bytes(4))
        assert batch.x["weight"][row] == (row * 0.25 if expected[row, 1] else 0)
        assert batch.x["sort"][row] == row * 7 % 3
    assert [batch.x[name].dtype for name in store.columns] == [torch.uint8, torch.float32, torch.int64]


def test_rows_in_any_order(table: Table, modalities: dict, tmp_path: Path) -> None:
    store = prepare_store(table, modalities, tmp_path / "store")
    whole = store.gather(torch.arange(ROWS))
    rows = torch.tensor([250, 3, 3, 0, 299])
    batch = store.gather(rows)
    assert torch.equal(batch.rows, rows)
    assert torch.equal(batch.present, whole.present[rows])
    for name in store.columns:
        assert torch.equal(batch.x[name], whole.x[name][rows])
    assert_same(batch, store.gather(rows.numpy().astype(np.int32)))
    # A batch is the caller's own: writing into it must reach neither the disk nor the next batch.
    batch.x["weight"][:] = -1
    assert torch.equal(store.gather(rows).x["weight"], whole.x["weight"][rows])


@pytest.mark.parametrize("rows", [[-1], [0, ROWS], [0.5], [True, False]])
def test_rows_outside_the_store_are_refused(
    table: Table, modalities: dict, tmp_path: Path, rows: list
) -> None:
    store = prepare_store(table, modalities, tmp_path / "store")
    with pytest.raises(IndexError, match="rows must be"):
        store.gather(np.array(rows))


def test_no_rows_are_an_empty_batch(table: Table, modalities: dict, tmp_path: Path) -> None:
    batch = prepare_store(table, modalities, tmp_path / "store").gather(np.array([], dtype=int))
    assert len(batch) == 0
    assert batch.x["note"].shape == (0, 4)


def test_opened_and_pickled_stores_are_the_same(table: Table, modalities: dict, tmp_path: Path) -> None:
    store = prepare_store(table, modalities, tmp_path / "store")
    rows = np.arange(ROWS)[::-1].copy()
    pickled = pickle.dumps(store)
    assert len(pickled) < 1000  # the place, not the values
    for other in (Store.open(tmp_path / "store"), pickle.loads(pickled)):  # noqa: S301 - written above
        assert other.fingerprint == store.fingerprint
        assert_same(other.gather(rows), store.gather(rows))


def test_disk_and_memory_hold_the_same(table: Table, modalities: dict, tmp_path: Path) -> None:
    store = prepare_store(table, modalities, tmp_path / "store")
    assert_same(encode(table, modalities), store.gather(np.arange(ROWS)))
    assert_same(encode(table, modalities, slice(100, 230)), store.gather(np.arange(100, 230)))


def test_a_column_the_table_lacks_is_absent(table: Table, modalities: dict) -> None:
    lacking = replace(table, frame=table.frame.drop(columns="note"))
    batch = encode(lacking, modalities, slice(0, 5))
    assert batch.present.tolist() == [[False, row != 2, True] for row in range(5)]
    assert torch.equal(batch.x["note"], torch.zeros(5, 4, dtype=torch.uint8))


def test_rows_in_any_order_repeated_or_not(table: Table, modalities: dict, tmp_path: Path) -> None:
    rows = np.array([230, 3, 299, 2, 100])
    store = prepare_store(table, modalities, tmp_path / "store")
    assert_same(encode(table, modalities, rows), store.gather(rows))
    assert_same(encode(table, modalities, slice(9, 0, -2)), store.gather(np.arange(9, 0, -2)))
    repeated = np.array([7, 2, 7, 7, 0])
    assert_same(encode(table, modalities, repeated), store.gather(repeated))


def test_a_store_needs_every_column(table: Table, modalities: dict, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no column 'note'"):
        prepare_store(replace(table, frame=table.frame.drop(columns="note")), modalities, tmp_path / "store")


def test_more_workers_give_the_same(table: Table, modalities: dict, tmp_path: Path) -> None:
    one = prepare_store(table, modalities, tmp_path / "one", workers=1)
    many = prepare_store(table, modalities, tmp_path / "many", workers=8)
    assert_same(one.gather(np.arange(ROWS)), many.gather(np.arange(ROWS)))
    with pytest.raises(UsageError, match="At least 1 worker"):
        prepare_store(table, modalities, tmp_path / "none", workers=0)
    assert not (tmp_path / "none").exists()


def test_progress_counts_to_the_end(table: Table, modalities: dict, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    prepare_store(table, modalities, tmp_path / "s", progress=lambda done, total: told.append((done, total)))
    assert told == [(done, len(told)) for done in range(1, len(told) + 1)]
    assert len(told) > 3  # the notes go in several chunks


def spoilt(table: Table) -> Table:
    """Four notes lost and two weights that are no number."""
    assert table.root
    for row in (0, 1, 151, 299):
        (table.root / "notes" / f"{row}.txt").unlink()
    frame = table.frame.copy()
    frame.loc[[5, 200], "weight"] = ["inf", "heavy"]
    return replace(table, frame=frame)


def test_all_bad_cells_are_in_one_error(table: Table, modalities: dict, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare_store(spoilt(table), modalities, tmp_path / "store")
    assert str(caught.value).splitlines() == [
        f"{table.source}: 6 cells cannot be used.",
        "  note: 4 cells",
        "    row 1: 'notes/0.txt': no such file",
        "    row 2: 'notes/1.txt': no such file",
        "    row 152: 'notes/151.txt': no such file",
        "    and 1 more",
        "  weight: 2 cells",
        "    row 6: 'inf': not a finite number",
        "    row 201: 'heavy': not a finite number",
        'Pass bad_cells="missing" to treat them as missing.',
    ]
    assert not (tmp_path / "store").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_bad_cells_in_memory_are_in_one_error(table: Table, modalities: dict) -> None:
    bad_table = spoilt(table)
    with pytest.raises(DataError, match=r"(?s)6 cells cannot be used.*row 201: 'heavy'"):
        encode(bad_table, modalities)
    assert len(encode(bad_table, modalities, slice(10, 20))) == 10


def test_bad_cells_can_be_missing(table: Table, modalities: dict, tmp_path: Path) -> None:
    bad_table = spoilt(table)
    store = prepare_store(bad_table, modalities, tmp_path / "store", bad_cells="missing")
    assert [(cell.column, cell.row) for cell in store.bad_cells] == [
        ("note", 1),
        ("note", 2),
        ("note", 152),
        ("note", 300),
        ("weight", 6),
        ("weight", 201),
    ]
    assert store.bad_cells[-1] == BadCell("weight", 201, "heavy", "not a finite number")
    assert Store.open(tmp_path / "store").bad_cells == store.bad_cells
    listed = pd.read_csv(tmp_path / "store" / "bad_cells.csv")
    assert listed.columns.tolist() == ["column", "row", "cell", "reason"]
    assert listed["row"].tolist() == [1, 2, 152, 300, 6, 201]
    whole = store.gather(np.arange(ROWS))
    assert whole.present[[0, 1, 151, 299], 0].tolist() == [False] * 4
    assert whole.present[[5, 200], 1].tolist() == [False] * 2
    # The neighbours of a bad cell are at their own places.
    assert bytes(whole.x["note"][152].tolist()) == b"n152"
    assert whole.x["weight"][[4, 6, 201]].tolist() == [1.0, 1.5, 50.25]
    assert_same(encode(bad_table, modalities, bad_cells="missing"), whole)
    batch, bad = encode_cells(bad_table, modalities, slice(151, 153))
    assert [(cell.column, cell.row) for cell in bad] == [("note", 152)]
    assert batch.present.tolist() == [[False, True, True], [True, False, True]]


def test_an_unknown_policy_for_bad_cells(table: Table, modalities: dict, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Unknown value 'zero' of bad_cells. Choose from error, missing"):
        prepare_store(table, modalities, tmp_path / "store", bad_cells="zero")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Choose from error, missing"):
        encode(table, modalities, bad_cells="zero")  # type: ignore[arg-type]


def test_empty_rows_are_told_and_kept_out_of_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = read_table(pd.DataFrame({"a": ["1", None, "x", "4", None], "b": ["p", None, None, "q", None]}))
    modalities = {"a": Number(4.0), "b": Label(("p", "q"))}
    with pytest.raises(DataError, match="1 cell cannot be used"):
        prepare_store(table, modalities, tmp_path / "store")
    store = prepare_store(table, modalities, tmp_path / "store", bad_cells="missing")
    assert "3 of 5 rows have no usable cell" in caplog.text
    assert "(row 2, 3, 5)" in caplog.text
    assert StoredRows(store, None, seed=0).training.tolist() in ([0, 3], [3, 0])
    nothing = read_table(pd.DataFrame({"a": [None, None], "b": [None, None], "c": [1, 2]}))
    with pytest.raises(DataError, match="no row has a usable cell"):
        prepare_store(nothing, modalities, tmp_path / "other")
    # Where nothing is learnt, a row of which nothing is given is a row to be drawn.
    assert encode(table, modalities, slice(0, 2)).present.tolist() == [[True, True], [False, False]]


def test_other_folders_are_neither_opened_nor_replaced(
    table: Table, modalities: dict, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(DataError, match="is no store"):
        Store.open(folder)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="is no store"):
        prepare_store(table, modalities, folder)
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_a_store_is_replaced_by_a_newer_one(table: Table, modalities: dict, tmp_path: Path) -> None:
    prepare_store(table, modalities, tmp_path / "store")
    shorter = replace(table, frame=table.frame.head(10))
    assert len(prepare_store(shorter, modalities, tmp_path / "store")) == 10
    assert len(Store.open(tmp_path / "store")) == 10


def test_a_store_of_another_format(table: Table, modalities: dict, tmp_path: Path) -> None:
    folder = prepare_store(table, modalities, tmp_path / "store").folder
    description = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps(description | {"format": 99}))
    with pytest.raises(DataError, match="format 99"):
        Store.open(folder)


def test_a_disk_too_small(
    table: Table, modalities: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=10))
    with pytest.raises(OSError, match="No space left") as told:
        prepare_store(table, modalities, tmp_path / "store")
    assert told.value.filename == str(tmp_path / "store")
    assert "takes 0.0 MB" in told.value.__notes__[0]


@pytest.mark.parametrize("name", ["0.npy", "2.npy", "present.npy", "bad_cells.csv"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_store_says_so(table: Table, modalities: dict, tmp_path: Path, name: str, how: str) -> None:
    path = prepare_store(table, modalities, tmp_path / "store").folder / name
    if how == "gone" or name == "bad_cells.csv":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged"):
        Store.open(tmp_path / "store")


def test_parts_of_two_stores(table: Table, modalities: dict, tmp_path: Path) -> None:
    folder = prepare_store(table, modalities, tmp_path / "store").folder
    shorter = prepare_store(replace(table, frame=table.frame.head(10)), modalities, tmp_path / "shorter")
    shutil.copyfile(shorter.folder / "1.npy", folder / "1.npy")
    with pytest.raises(DataError, match="do not fit"):
        Store.open(folder)


def test_room_is_taken_before_it_is_written(table: Table, modalities: dict, tmp_path: Path) -> None:
    folder = prepare_store(table, modalities, tmp_path / "store").folder
    for path in folder.glob("*.npy"):
        assert path.stat().st_blocks * 512 >= path.stat().st_size


def test_a_tensor_of_another_shape_or_type_than_declared_is_refused(table: Table, tmp_path: Path) -> None:
    class Halves(Note):
        dtype = "float16"

    class Fives(Note):
        shape = (5,)

    with pytest.raises(
        TypeError, match=r"Halves of column 'note' gave uint8 of shape \(\d+, 4\), not float16"
    ):
        prepare_store(table, {"note": Halves(9)}, tmp_path / "store")
    with pytest.raises(TypeError, match=r"not uint8 of shape \(\d+, 5\)"):
        prepare_store(table, {"note": Fives(9)}, tmp_path / "store")


def test_several_threads_work(tmp_path: Path) -> None:
    gate = threading.Barrier(2, timeout=20)

    class Waiting(Number):
        def to_tensor(self, cells: pd.Series, root: Path | None) -> torch.Tensor:
            gate.wait()  # passes only when two chunks are converted at the same time
            return super().to_tensor(cells, root)

    table = read_table(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}))
    store = prepare_store(table, {"a": Waiting(1.0), "b": Waiting(1.0)}, tmp_path / "store", workers=2)
    assert store.gather(np.array([1])).x["b"].tolist() == [4.0]
