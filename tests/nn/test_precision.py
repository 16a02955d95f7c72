"""Where bfloat16 is the faster, told from what PyTorch knows of a processor."""

from __future__ import annotations

import pytest
import torch

# As it is; tests are done with another, see `conftest.py`.
from amodal.nn.precision import has_fast_bfloat16


@pytest.mark.parametrize(
    ("known", "fast"),
    [
        ({}, False),
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx512_bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
    ],
)
def test_a_processor_is_fast_where_it_has_instructions_for_it(
    known: dict[str, bool], fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert has_fast_bfloat16(torch.device("cpu")) == fast
    assert not has_fast_bfloat16(torch.device("mps"))


@pytest.mark.parametrize("supported", [False, True])
def test_a_graphics_card_is_where_cuda_says_so(supported: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    assert has_fast_bfloat16(torch.device("cuda")) == supported
