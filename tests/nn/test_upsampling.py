from __future__ import annotations

import pytest
import torch

from amodal.nn.upsampling import PixelShuffleUpsample, upsampling_layers


@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("flat", [True, False])
def test_a_pixel_s_four_come_from_its_window_alone(backward: bool, flat: bool) -> None:
    doubling = PixelShuffleUpsample(3, 2, backward=backward, flat=flat)
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
    both = torch.nn.Sequential(
        PixelShuffleUpsample(1, 1, backward=True), PixelShuffleUpsample(1, 1, backward=False)
    )
    for layer in both:
        torch.nn.init.constant_(layer.convolution.weight, 0.25)
        torch.nn.init.zeros_(layer.convolution.bias)
    picture = torch.zeros(1, 1, 9, 9)
    picture[..., 4, 4] = 1.0
    light = both(picture)[0, 0]
    middle = (light.sum(0) @ torch.arange(36.0)) / light.sum()
    # Pixel 4 of 9 is pixels 16 to 19 of 36; the two windows' shifts, half a pixel each, differ in size only.
    assert abs(middle - 17.5) <= 1.0


@pytest.mark.parametrize(
    ("start", "size"),
    [((4, 4), (28, 28)), ((4, 3), (32, 24)), ((5, 1), (33, 5)), ((2, 4), (9, 31)), ((1, 3), (1, 1))],
)
@pytest.mark.parametrize("flat", [False, True])
def test_pixels_that_are_not_wanted_are_not_made_and_the_others_are_the_same(
    start: tuple[int, int], size: tuple[int, int], flat: bool
) -> None:
    if flat:
        start, size = (1, start[1]), (1, size[1])
    network = upsampling_layers([3, 8, 4, 1], start, size, flat=flat)
    maps = torch.randn(2, 3, *start)
    wanted = network(maps)
    made = []
    for layer in network:
        if isinstance(layer, PixelShuffleUpsample):
            made.append(layer.size)
            layer.size = None
    torch.testing.assert_close(wanted, network(maps)[:, :, : size[0], : size[1]])
    assert made[-1] == size
    assert all(of is not None and of[1] <= start[1] * 2 ** (n + 1) for n, of in enumerate(made))


def test_a_picture_of_28_pixels_is_made_of_14_and_these_of_8() -> None:
    layers = [
        layer
        for layer in upsampling_layers([3, 8, 4, 1], (4, 4), (28, 28))
        if isinstance(layer, PixelShuffleUpsample)
    ]
    assert [layer.size for layer in layers] == [(8, 8), (14, 14), (28, 28)]
