from __future__ import annotations

import pytest
import torch

from amodal.nn.channels_last import GroupNorm
from amodal.nn.doubling import Doubling


@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("flat", [True, False])
def test_a_pixel_s_four_come_from_its_window_alone(backward: bool, flat: bool) -> None:
    doubling = Doubling(3, 2, backward=backward, flat=flat)
    maps = torch.randn(1, 3, 1 if flat else 5, 6, requires_grad=True)
    doubled = doubling(maps)
    assert doubled.shape == (1, 2, 1 if flat else 10, 12)

    row, column = (0, 3) if flat else (2, 3)
    block = doubled[..., row : row + 1, 6:8] if flat else doubled[..., 4:6, 6:8]
    block.square().sum().backward()
    assert maps.grad is not None
    reached = maps.grad.abs().sum((0, 1)).nonzero().tolist()
    other = -1 if backward else 1
    rows = [row] if flat else sorted([row, row + other])
    assert reached == [[y, x] for y in rows for x in sorted([column, column + other])]


def test_two_doublings_in_a_row_keep_a_picture_in_its_place() -> None:
    torch.manual_seed(0)
    both = torch.nn.Sequential(Doubling(1, 1, backward=True), Doubling(1, 1, backward=False))
    for layer in both:
        torch.nn.init.constant_(layer.convolution.weight, 0.25)
        torch.nn.init.zeros_(layer.convolution.bias)
    picture = torch.zeros(1, 1, 9, 9)
    picture[..., 4, 4] = 1.0
    light = both(picture)[0, 0]
    middle = (light.sum(0) @ torch.arange(36.0)) / light.sum()
    # Pixel 4 of 9 is pixels 16 to 19 of 36; the two windows' shifts, half a pixel each, differ in size only.
    assert abs(middle - 17.5) <= 1.0


def test_group_norm_is_torch_s_in_float32_whatever_it_is_given() -> None:
    maps = torch.randn(4, 8, 3, 3)
    expected = torch.nn.functional.group_norm(maps.bfloat16().float(), 2)
    with torch.autocast("cpu", torch.bfloat16):
        normed = GroupNorm(2, 8)(maps.bfloat16())
    assert normed.dtype == torch.float32
    torch.testing.assert_close(normed, expected)
