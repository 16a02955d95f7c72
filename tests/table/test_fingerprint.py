import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from amodal.table import Table, fingerprint, prepare_store, read_table
from tests.table.fakes import Number


def test_the_fingerprint_tells_of_changed_data(table: Table, modalities: dict, tmp_path: Path) -> None:
    mark = fingerprint(table, modalities)
    assert len(mark) == 32
    assert prepare_store(table, modalities, tmp_path / "store").fingerprint == mark
    assert table.root
    moved = shutil.copytree(table.root, tmp_path / "moved")
    assert fingerprint(read_table(moved / "table.csv"), modalities) == mark

    changed = table.frame.copy()
    changed.loc[7, "sort"] = "c" if changed.loc[7, "sort"] != "c" else "a"
    assert fingerprint(replace(table, frame=changed), modalities) != mark
    swapped = table.frame.copy()
    swapped.loc[[0, 1], "sort"] = swapped.loc[[1, 0], "sort"].tolist()
    assert swapped["sort"].tolist() != table.frame["sort"].tolist()
    assert fingerprint(replace(table, frame=swapped), modalities) != mark
    assert fingerprint(table, {**modalities, "weight": Number(1.0)}) != mark
    assert fingerprint(table, dict(reversed(modalities.items()))) != mark
    assert fingerprint(replace(table, frame=table.frame.iloc[::-1]), modalities) != mark
    (moved / "notes" / "9.txt").write_text("a longer note")
    assert fingerprint(read_table(moved / "table.csv"), modalities) != mark
    (moved / "notes" / "9.txt").unlink()
    assert fingerprint(read_table(moved / "table.csv"), modalities) != mark


def test_the_fingerprint_of_arrays() -> None:
    def mark(value: float) -> str:
        pictures = pd.Series([np.full(5000, value), np.zeros(5000)], dtype=object)
        return fingerprint(read_table(pd.DataFrame({"a": pictures})), {"a": Number(1.0)})

    assert mark(0.5) == mark(0.5)
    assert mark(0.5) != mark(0.25)
