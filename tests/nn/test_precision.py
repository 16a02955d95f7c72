"""Fast bfloat16, by the capabilities that PyTorch reports of a device."""

from __future__ import annotations

import pytest
import torch

# Imported here, before `conftest.py` replaces it.
from amodal.nn.precision import has_fast_bfloat16


@pytest.mark.parametrize(
    ("known", "fast"),
    [
        ({}, False),
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx512_bf16": True}, False),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
    ],
)
def test_a_cpu_is_fast_with_bfloat16_instructions(
    known: dict[str, bool], fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert has_fast_bfloat16(torch.device("cpu")) == fast
    assert not has_fast_bfloat16(torch.device("mps"))


@pytest.mark.parametrize("supported", [False, True])
def test_a_gpu_is_fast_where_cuda_supports_bfloat16(supported: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    assert has_fast_bfloat16(torch.device("cuda")) == supported
