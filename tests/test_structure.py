"""Counts that the design holds at zero; `python -m benchmarks.structure --places` lists what is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import structure

FOUND = structure.counts()


@pytest.mark.parametrize("count", FOUND)
def test_count_is_zero(count: str) -> None:
    assert [str(place) for place in FOUND[count]] == []


PLANTED = '''
"""How a module opens."""

def f(modality, note, batch, rows):
    kind = modality.type
    if modality.type == "image" or note.type in ("audio", "text"):
        return TABLE[modality.type]
    if kind in TABLE and isinstance(modality, ImagePixels):
        return TABLE.get(modality.representation)
    match modality.type:
        case "image":
            return {name: values[rows] for name, values in batch.x.items()}
    told = 1
    return model.emphasis
'''
ALLOWED = '''
"""A module that names the thing: what is told, shown and nothing."""

def f(modality, device, tensor, batch, orders, tried):
    # told, shown
    if device.type == "cuda" or tensor.device.type == "cpu" or modality.type is None:
        tried[modality.type] = "nothing"
    return {name: values[orders[name]] for name, values in batch.x.items()}
'''
HYPERPARAMETERS = """
class TrainerConfig:
    learning_rate: float = 1e-3
    seed: int = 0
    patience: int | None = None
"""
REPEATED = "def fit(*, learning_rate=2e-3, seed=0, patience=None): ...\n"


def tree(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / "src" / "amodal" / name / "module.py"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_each_counter_finds_what_it_counts(tmp_path: Path) -> None:
    root = tree(tmp_path, table=PLANTED, training=HYPERPARAMETERS, cli=REPEATED)
    found = [sorted(place.line for place in places) for places in structure.counts(root).values()]
    assert found == [[6, 6, 7, 8, 8, 9, 10], [13, 14], [1], [12], [1]]


def test_nothing_else_is_counted(tmp_path: Path) -> None:
    types_only = PLANTED.replace("told", "one").replace("emphasis", "two")
    root = tree(tmp_path, table=ALLOWED, report=types_only)
    found = [[place.path for place in places] for places in structure.counts(root).values()]
    report = "src/amodal/report/module.py"
    assert found == [[], [], [report], [report], []]
