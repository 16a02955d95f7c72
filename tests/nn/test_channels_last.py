from __future__ import annotations

import torch

from amodal.nn.channels_last import GroupNorm


def test_group_norm_is_torch_s_in_float32_whatever_it_is_given() -> None:
    maps = torch.randn(4, 8, 3, 3)
    expected = torch.nn.functional.group_norm(maps.bfloat16().float(), 2)
    with torch.autocast("cpu", torch.bfloat16):
        normed = GroupNorm(2, 8)(maps.bfloat16())
    assert normed.dtype == torch.float32
    torch.testing.assert_close(normed, expected)
