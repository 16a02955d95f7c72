"""What is learned of a column is the same on every kind of processor, whose kernels differ in their last bits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from amodal.table import Table
from tests.contracts.fitted_states import fitted_states
from tests.modalities.test_text_embedding import TEXTS

ROOT = Path(__file__).parents[2]
OPENBLAS, ATEN, NUMPY = "OPENBLAS_CORETYPE", "ATEN_CPU_CAPABILITY", "NPY_DISABLE_CPU_FEATURES"
EVERY = " ".join(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))
STATE, HALF = 1e-5, 1e-3
# Kernels of OpenBLAS, torch and NumPy, and the instructions that a processor needs for them.
PROCESSORS = {
    "SkylakeX": ({OPENBLAS: "SkylakeX"}, ("avx512_f", "avx512_bw", "avx512_dq", "avx512_vl")),
    "Haswell": ({OPENBLAS: "Haswell", ATEN: "avx2"}, ("avx2", "fma3")),
    "Nehalem": ({OPENBLAS: "Nehalem", ATEN: "default", NUMPY: EVERY}, ("sse4_2",)),
}


@pytest.fixture(scope="module")
def columns(five_columns: Table) -> dict[str, list[Any]]:
    """Columns of each type, also such as leave much for a last bit to decide."""
    rng = np.random.default_rng(0)
    return {
        **{name: five_columns.frame[name].tolist() for name in five_columns.columns},
        "text-symmetric": TEXTS,
        "text-more equal singular values than dimensions": [f"word{number}" for number in range(100)],
        "text-equally frequent words": [
            " ".join(f"w{number}" for number in rng.integers(0, 7_000, 8)) for _ in range(1_500)
        ],
        "number-more than are looked at": rng.normal(size=200_500).round(6).tolist(),
    }


@pytest.fixture(scope="module")
def here(columns: dict[str, list[Any]], five_columns: Table) -> dict[str, Any]:
    assert five_columns.root is not None
    return json.loads(json.dumps(fitted_states(columns, five_columns.root)))


@pytest.mark.parametrize("processor", PROCESSORS)
def test_columns_are_learned_alike_on_every_processor(
    processor: str, columns: dict[str, list[Any]], here: dict[str, Any], five_columns: Table, tmp_path: Path
) -> None:
    setting, needed = PROCESSORS[processor]
    known = torch.cpu.get_capabilities()
    if missing := [name for name in needed if not known.get(name)]:
        pytest.skip(f"this processor has no {', '.join(missing)}")
    given, result = tmp_path / "columns.json", tmp_path / "result.json"
    given.write_text(json.dumps(columns))
    usual = {name: value for name, value in os.environ.items() if name not in (OPENBLAS, ATEN, NUMPY)}
    called = [sys.executable, "-m", "tests.contracts.fitted_states", given, five_columns.root, result]
    subprocess.run(called, cwd=ROOT, env=usual | setting, check=True)
    there = json.loads(result.read_text())
    assert there.keys() == here.keys()
    for name, found in there.items():
        assert_alike(found["state"], here[name]["state"], STATE, name)
        # A spectrogram is stored in half precision, of which a last digit may differ.
        assert_alike(found["features"], here[name]["features"], HALF, name)
        assert_alike(found["back"], here[name]["back"], HALF if name.startswith("audio") else 0.0, name)


def assert_alike(one: Any, other: Any, tolerance: float, where: str) -> None:
    """Numbers are equal up to a tolerance, absolute and relative; words, whole numbers and their order exactly."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for name in one:
            assert_alike(one[name], other[name], tolerance, f"{where}, {name}")
    elif one != other:
        assert tolerance, where
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            message = f"{where}, {number}"
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=message)
