from __future__ import annotations

import pytest
import torch

from amodal.nn.upsampling import PixelShuffleUpsample, upsampling_layers


@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("flat", [True, False])
def test_a_pixels_outputs_depend_on_its_window_alone(backward: bool, flat: bool) -> None:
    layer = PixelShuffleUpsample(3, 2, backward=backward, flat=flat)
    maps = torch.randn(1, 3, 1 if flat else 5, 6, requires_grad=True)
    upsampled = layer(maps)
    assert upsampled.shape == (1, 2, 1 if flat else 10, 12)

    row, column = (0, 3) if flat else (2, 3)
    block = upsampled[..., row : row + 1, 6:8] if flat else upsampled[..., 4:6, 6:8]
    block.square().sum().backward()
    assert maps.grad is not None
    reached = maps.grad.abs().sum((0, 1)).nonzero().tolist()
    other = -1 if backward else 1
    rows = [row] if flat else sorted([row, row + other])
    assert reached == [[y, x] for y in rows for x in sorted([column, column + other])]


def test_two_alternating_layers_do_not_shift_an_image() -> None:
    torch.manual_seed(0)
    both = torch.nn.Sequential(
        PixelShuffleUpsample(1, 1, backward=True), PixelShuffleUpsample(1, 1, backward=False)
    )
    for layer in both:
        torch.nn.init.constant_(layer.convolution.weight, 0.25)
        torch.nn.init.zeros_(layer.convolution.bias)
    image = torch.zeros(1, 1, 9, 9)
    image[..., 4, 4] = 1.0
    output = both(image)[0, 0]
    middle = (output.sum(0) @ torch.arange(36.0)) / output.sum()
    # Pixel 4 of 9 becomes pixels 16 to 19 of 36; the layers' shifts of half a pixel have opposite signs.
    assert abs(middle - 17.5) <= 1.0


@pytest.mark.parametrize(
    ("start", "size"),
    [((4, 4), (28, 28)), ((4, 3), (32, 24)), ((5, 1), (33, 5)), ((2, 4), (9, 31)), ((1, 3), (1, 1))],
)
@pytest.mark.parametrize("flat", [False, True])
def test_cropping_changes_no_pixel_and_computes_fewer(
    start: tuple[int, int], size: tuple[int, int], flat: bool
) -> None:
    if flat:
        start, size = (1, start[1]), (1, size[1])
    network = upsampling_layers([3, 8, 4, 1], start, size, flat=flat)
    maps = torch.randn(2, 3, *start)
    cropped = network(maps)
    sizes = []
    for layer in network:
        if isinstance(layer, PixelShuffleUpsample):
            sizes.append(layer.size)
            layer.size = None
    torch.testing.assert_close(cropped, network(maps)[:, :, : size[0], : size[1]])
    assert sizes[-1] == size
    assert all(of is not None and of[1] <= start[1] * 2 ** (n + 1) for n, of in enumerate(sizes))


def test_28_pixels_are_upsampled_from_14_and_8() -> None:
    layers = [
        layer
        for layer in upsampling_layers([3, 8, 4, 1], (4, 4), (28, 28))
        if isinstance(layer, PixelShuffleUpsample)
    ]
    assert [layer.size for layer in layers] == [(8, 8), (14, 14), (28, 28)]
