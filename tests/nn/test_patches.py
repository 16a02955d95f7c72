from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from amodal.nn.patches import GroupNorm1, PatchEncoder, PatchMerging, PatchStem


@pytest.mark.parametrize("size", [(28, 28), (30, 5), (1, 1), (3, 9)])
def test_a_patch_s_vector_is_read_of_a_window_twice_its_size(size: tuple[int, int]) -> None:
    stem = PatchStem(2, 3, (4, 4))
    cells = torch.randn(1, 2, *size, requires_grad=True)
    patches = stem(cells)
    assert patches.shape == (1, -(-size[0] // 4), -(-size[1] // 4), 3)

    row, column = patches.shape[1] - 1, patches.shape[2] // 2
    patches[0, row, column].square().sum().backward()
    assert cells.grad is not None
    read = cells.grad.abs().sum((0, 1)).nonzero()
    rows = range(max(0, 4 * row - 2), min(size[0], 4 * row + 6))
    columns = range(max(0, 4 * column - 2), min(size[1], 4 * column + 6))
    assert read.tolist() == [[y, x] for y in rows for x in columns]


def test_every_pixel_is_read_by_some_patch() -> None:
    for size in range(1, 13):
        cells = torch.randn(1, 1, 2, size, requires_grad=True)
        PatchStem(1, 2, (1, 4))(cells).square().sum().backward()
        assert cells.grad is not None
        assert (cells.grad != 0).all()


@pytest.mark.parametrize("flat", [False, True])
def test_a_merging_is_a_convolution_whose_windows_do_not_overlap(flat: bool) -> None:
    merging = PatchMerging(3, 5, flat=flat)
    maps = torch.randn(2, 1 if flat else 7, 5, 3)
    merged = merging(maps)
    down = 1 if flat else 2
    weight = merging.linear.weight.view(5, down, 2, 3).permute(0, 3, 1, 2)
    padded = functional.pad(maps.permute(0, 3, 1, 2), (0, 1, 0, 0 if flat else 1))
    expected = functional.conv2d(padded, weight, merging.linear.bias, stride=(down, 2))
    torch.testing.assert_close(merged, expected.permute(0, 2, 3, 1))


def test_a_map_is_normalised_as_a_whole_and_each_row_by_itself() -> None:
    maps = torch.randn(3, 4, 2, 5) * torch.tensor([1.0, 10.0, 0.0]).view(3, 1, 1, 1) + 2.0
    normed = GroupNorm1()(maps)
    torch.testing.assert_close(normed, functional.group_norm(maps.permute(0, 3, 1, 2), 1).permute(0, 2, 3, 1))
    torch.testing.assert_close(normed[:1], GroupNorm1()(maps[:1]))
    assert normed[2].abs().max() == 0


def test_joined_patches_end_at_their_last_width() -> None:
    network = PatchEncoder(1, [8, 16, 24], (4, 4))
    assert network(torch.rand(2, 1, 28, 20)).shape == (2, 2, 2, 24)
